"""Names for exported files that every system takes and that never collide."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from holdfast_core.export.plain import one_line

_KEPT = re.compile(r"[^\w]+")
_NAME_BYTES = 80


def file_name(session_id: str, title: str, suffix: str) -> str:
    """Return a file's name from a title and a short hash of the session's id.

    The hash keeps names apart that differ in case or composition alone, and
    with it no name is one that Windows keeps for devices.
    """
    words = _KEPT.sub("-", unicodedata.normalize("NFC", one_line(title))).strip("-_")
    cut = words.encode("utf-8")[:_NAME_BYTES].decode("utf-8", "ignore").strip("-_")
    short = hashlib.sha256(session_id.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{cut or 'session'}-{short}.{suffix}"
