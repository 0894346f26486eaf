"""The same text as it is meant: without escapes of JSON and colours of a terminal, with the way back to the bytes."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple

import re2

_BACKSLASH = r"\\{1,8}"
_OPTIONS = re2.Options()
_OPTIONS.encoding = re2.Options.Encoding.LATIN1
_DISGUISE = re2.compile(
    "|".join(
        (
            # Colours and titles of a terminal, raw or as a program writes them.
            rf"(?:\x1b|{_BACKSLASH}(?:u001[bB]|x1[bB]|033|e))(?:\[[0-9;:?]*[A-Za-z]|\][^\x07\x1b\\]*(?:\x07|\x1b\\))",
            rf"{_BACKSLASH}(?:u00|x)([2-7][0-9a-fA-F])",
            rf"{_BACKSLASH}(/)",
            # Zero width and soft hyphen.
            r"\xe2\x80[\x8b-\x8f]|\xe2\x81\xa0|\xef\xbb\xbf|\xc2\xad",
        )
    ).encode(),
    _OPTIONS,
)
_SHORT = ((b"\\n", b" \n"), (b'\\"', b'""'))
_RARE = ((b"\\t", b"  "), (b"\\r", b"  "), (b"\\'", b"''"))
# Expressions that begin with a letter of their own are a third of the cost of looking for each sign by itself.
_ANY_RARE = re.compile(rb"\\[tr']")
_ANY_SIGN = re.compile(rb"\\(?:u00|x|/|033|e\[)")
_ZERO_WIDTH = re.compile(rb"\xe2\x80[\x8b-\x8f]")  # dashes and quotation marks begin alike
_INVISIBLE = (b"\xe2\x81\xa0", b"\xc2\xad", b"\xef\xbb\xbf")


class Plain(NamedTuple):
    """A text without its disguise. ``starts`` are where in ``data`` a piece begins, ``shifts`` how far it moved."""

    data: bytes
    starts: list[int]
    shifts: list[int]

    def back(self, place: int) -> int:
        """Return where the byte at ``place`` stands in the text that was given."""
        return place + self.shifts[bisect_right(self.starts, place) - 1]


def flat(data: bytes) -> bytes:
    """Return ``data`` with the short escapes of JSON as what they mean, each byte where it was."""
    if b"\\" not in data:
        return data
    for escape, meant in (*_SHORT, *_RARE) if _ANY_RARE.search(data) else _SHORT:
        data = data.replace(escape, meant)
    return data


def plain(data: bytes) -> Plain | None:
    r"""Return ``data`` without ``\u002d``, ``\/``, colours and invisible characters; None if there are none."""
    if not _is_disguised(data):
        return None
    pieces: list[bytes] = []
    starts, shifts, size, last = [0], [0], 0, 0
    for found in _DISGUISE.finditer(data):
        pieces.append(data[last : found.start()])
        size += found.start() - last
        last = found.end()
        code, slash = found.groups()
        letter = bytes([int(code, 16)]) if code else slash or b""
        if letter:
            starts.append(size)
            shifts.append(found.start() - size)
            pieces.append(letter)
            size += 1
        starts.append(size)
        shifts.append(last - size)
    if not last:
        return None
    return Plain(b"".join([*pieces, data[last:]]), starts, shifts)


def _is_disguised(data: bytes) -> bool:
    if b"\x1b" in data or (b"\\" in data and _ANY_SIGN.search(data)):
        return True
    if data.isascii():
        return False
    return _ZERO_WIDTH.search(data) is not None or any(sign in data for sign in _INVISIBLE)
