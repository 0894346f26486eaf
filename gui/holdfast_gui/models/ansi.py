"""Reads the colours that programs write into their output, and drops every other escape."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import Any

_ESCAPE = re.compile(
    "\x1b\\[([0-9;:]*)m"  # SGR, the only one that is kept
    "|\x1b\\[[0-?]*[ -/]*[@-~]"  # other CSI
    "|\x1b[\\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c|$)"  # OSC, DCS, SOS, PM, APC to their end
    "|\x1b[ -/]*[0-~]"  # two- and three-byte escapes
    "|\x9b[0-?]*[ -/]*[@-~]"  # 8-bit CSI
    "|[\x1b\x9b]"
)
_OVERWRITTEN = re.compile("[^\n]*\r(?=[^\r\n])")


@dataclass(frozen=True, slots=True)
class Ink:
    """How a stretch of output is drawn. Colours: 0-15 by name, 16-255 of the cube, or (r, g, b); None is the usual."""

    foreground: int | tuple[int, int, int] | None = None
    background: int | tuple[int, int, int] | None = None
    is_bold: bool = False
    is_italic: bool = False
    is_underlined: bool = False
    is_dim: bool = False
    is_inverse: bool = False


PLAIN = Ink()
_SWITCHES: dict[int, dict[str, Any]] = {
    0: asdict(PLAIN),
    1: {"is_bold": True},
    2: {"is_dim": True},
    3: {"is_italic": True},
    4: {"is_underlined": True},
    7: {"is_inverse": True},
    22: {"is_bold": False, "is_dim": False},
    23: {"is_italic": False},
    24: {"is_underlined": False},
    27: {"is_inverse": False},
    39: {"foreground": None},
    49: {"background": None},
}


def parse(text: str, ink: Ink = PLAIN) -> tuple[str, list[tuple[int, int, Ink]], Ink]:
    """Return the text without escapes, its coloured stretches (start, end, ink), and the ink at its end.

    ``ink`` is what an earlier piece of the same output ended with. A line that
    was overwritten by carriage returns keeps its last state, as on a terminal.
    """
    text = text.replace("\r\n", "\n")
    if "\r" in text:
        text = _OVERWRITTEN.sub("", text).replace("\r", "")
    if "\x1b" not in text and "\x9b" not in text:
        return text, [(0, len(text), ink)] if ink != PLAIN and text else [], ink
    kept: list[str] = []
    stretches: list[tuple[int, int, Ink]] = []
    length = position = 0
    for escape in _ESCAPE.finditer(text):
        length = _keep(text[position : escape.start()], length, ink, kept, stretches)
        position = escape.end()
        if escape.group(1) is not None:
            ink = _changed(ink, escape.group(1))
    _keep(text[position:], length, ink, kept, stretches)
    return "".join(kept), stretches, ink


def stripped(text: str) -> str:
    """Return the text without any escape."""
    return parse(text)[0]


def _keep(piece: str, length: int, ink: Ink, kept: list[str], stretches: list[tuple[int, int, Ink]]) -> int:
    if piece:
        kept.append(piece)
        if ink != PLAIN:
            stretches.append((length, length + len(piece), ink))
    return length + len(piece)


def _changed(ink: Ink, parameters: str) -> Ink:
    codes = [int(code) if code and len(code) < 4 else 0 for code in parameters.replace(":", ";").split(";")]
    while codes:
        code = codes.pop(0)
        if code in (38, 48):
            colour = _extended(codes)
            ink = replace(ink, foreground=colour) if code == 38 else replace(ink, background=colour)
        else:
            ink = _simple(ink, code)
    return ink


def _simple(ink: Ink, code: int) -> Ink:
    if 30 <= code <= 37 or 90 <= code <= 97:
        return replace(ink, foreground=code - 30 if code < 40 else code - 82)
    if 40 <= code <= 47 or 100 <= code <= 107:
        return replace(ink, background=code - 40 if code < 50 else code - 92)
    changes = _SWITCHES.get(code)
    return ink if changes is None else replace(ink, **changes)


def _extended(codes: list[int]) -> int | tuple[int, int, int] | None:
    mode = codes.pop(0) if codes else 0
    if mode == 5 and codes:
        return min(codes.pop(0), 255)
    if mode == 2 and len(codes) >= 3:
        red, green, blue = (min(codes.pop(0), 255) for _ in range(3))
        return red, green, blue
    return None
