"""What programs tell a terminal between their words: colours, titles, the place of the cursor."""

from __future__ import annotations

import re

_CODES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")


def without_codes(text: str) -> str:
    """Return ``text`` without terminal codes; an escape that begins no whole code stays."""
    return _CODES.sub("", text) if "\x1b" in text else text
