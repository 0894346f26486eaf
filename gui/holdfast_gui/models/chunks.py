"""Cuts long text into chunks that are laid out one at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

CHUNK_LIMIT = 12_000
_FENCE = re.compile(r"^(`{3,}|~{3,})[ \t]*([^\n`]*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a text: ``text[start:end]``. Spans of one text follow each other without a gap.

    ``language`` is None for prose; for a fenced block it is the fence's word,
    which may be empty, and ``code_start``/``code_end`` bound what is inside.
    A long block is several spans, of which the first has ``is_first``.
    """

    start: int
    end: int
    language: str | None = None
    code_start: int = 0
    code_end: int = 0
    is_first: bool = True


def cut(text: str, start: int = 0, end: int | None = None, *, limit: int = CHUNK_LIMIT) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of pieces of at most ``limit`` characters that end after a newline where there is one."""
    end = len(text) if end is None else end
    while end - start > limit:
        newline = text.rfind("\n", start, start + limit)
        stop = newline + 1 if newline >= start else start + limit
        yield start, stop
        start = stop
    if end > start:
        yield start, end


def cut_prose(text: str, start: int, end: int, *, limit: int = CHUNK_LIMIT) -> Iterator[tuple[int, int]]:
    """Yield pieces like `cut`, but ending after an empty line where there is one, so that paragraphs stay whole."""
    while end - start > limit:
        blank = text.rfind("\n\n", start + 1, start + limit - 1)
        if blank < 0:
            newline = text.rfind("\n", start, start + limit)
            stop = newline + 1 if newline >= start else start + limit
        else:
            stop = blank + 2
        yield start, stop
        start = stop
    if end > start:
        yield start, end


def cut_markdown(text: str, *, limit: int = CHUNK_LIMIT) -> Iterator[Span]:
    """Yield prose and the fenced blocks between, in order; together they are the whole text.

    Only fences at the margin count: those in lists and quotes stay in their
    prose. A fence that is never closed runs to the end, as in CommonMark.
    """
    position = 0
    fence = _FENCE.search(text)
    while fence:
        yield from (Span(*piece) for piece in cut_prose(text, position, fence.start(), limit=limit))
        code_start = min(fence.end() + 1, len(text))
        code_end, position = _closing(text, fence.group(1), code_start)
        yield from _code_spans(text, fence, (code_start, code_end, position), limit=limit)
        fence = _FENCE.search(text, position)
    yield from (Span(*piece) for piece in cut_prose(text, position, len(text), limit=limit))


def _closing(text: str, mark: str, start: int) -> tuple[int, int]:
    closing = re.compile(rf"^ {{0,3}}{re.escape(mark[0])}{{{len(mark)},}}[ \t]*(?:\n|\Z)", re.MULTILINE)
    found = closing.search(text, start)
    return (found.start(), found.end()) if found else (len(text), len(text))


def _code_spans(text: str, fence: re.Match[str], places: tuple[int, int, int], *, limit: int) -> Iterator[Span]:
    code_start, code_end, end = places
    language = fence.group(2).strip().split(" ", 1)[0]
    pieces = list(cut(text, code_start, code_end, limit=limit)) or [(code_start, code_end)]
    for number, (piece_start, piece_end) in enumerate(pieces):
        first, last = number == 0, number == len(pieces) - 1
        yield Span(
            fence.start() if first else piece_start,
            end if last else piece_end,
            language,
            piece_start,
            piece_end,
            first,
        )
