"""Checksums that vendors put into their tokens: one that fits makes a finding certain."""

from __future__ import annotations

import zlib
from collections.abc import Callable

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def _github(value: str) -> bool:
    """GitHub and npm: the last six letters are the CRC-32 of the 30 before them, in base 62.

    Source: https://github.blog/engineering/behind-githubs-new-authentication-token-formats/ (2021).
    """
    body = value.partition("_")[2]
    return len(body) == 36 and base62(zlib.crc32(body[:30].encode()), 6) == body[30:]


def base62(number: int, size: int) -> str:
    """Return ``number`` in base 62, filled with zeros to ``size``."""
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    return digits.rjust(size, "0")


CHECKS: dict[str, Callable[[str], bool]] = {"github-crc32": _github}
