"""Tables for people: columns that fit the terminal, whatever script their text is in."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from holdfast_core.export.plain import is_mark, one_line

_GAP = 2
_NARROWEST = 6


def render(titles: Sequence[str], rows: Sequence[Sequence[str]], *, flexible: Sequence[int], width: int) -> str:
    """Return a table of at most ``width`` columns, if its ``flexible`` columns can give way that far.

    Cells are foreign text; a column of numbers stands to the right.
    """
    cells = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(text_width, column)) for column in zip(titles, *cells, strict=True)]
    spare = width - sum(widths) - _GAP * (len(widths) - 1)
    for column in sorted(flexible, key=lambda column: -widths[column]):
        if spare < 0:
            kept = max(_NARROWEST, text_width(titles[column]), widths[column] + spare)
            spare += widths[column] - kept
            widths[column] = kept
    is_right = [bool(cells) and all(_is_number(row[column]) for row in cells) for column in range(len(titles))]
    return "".join(_line(row, widths, is_right) for row in [list(titles), *cells])


def text_width(text: str) -> int:
    """Return how many columns of a terminal ``text`` takes."""
    if text.isascii():
        return len(text)
    return sum(_letter_width(letter) for letter in text)


def fitted(text: str, width: int) -> str:
    """Return ``text`` cut to ``width`` columns, with an ellipsis if anything is missing."""
    if text_width(text) <= width:
        return text
    room = width - 1
    kept = []
    for letter in text:
        room -= _letter_width(letter)
        if room < 0:
            break
        kept.append(letter)
    return "".join(kept).rstrip() + "…"


def _letter_width(letter: str) -> int:
    if is_mark(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _line(row: Sequence[str], widths: Sequence[int], is_right: Sequence[bool]) -> str:
    parts = []
    for cell, width, right in zip(row, widths, is_right, strict=True):
        text = fitted(cell, width)
        space = " " * (width - text_width(text))
        parts.append(space + text if right else text + space)
    return (" " * _GAP).join(parts).rstrip() + "\n"


def _is_number(cell: str) -> bool:
    return cell.replace(",", "").isdigit() or not cell
