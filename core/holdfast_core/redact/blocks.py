"""Private keys in armour: whole, cut off, or in the pieces in which a program writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator

BLOCK_KEYWORD = b"PRIVATE KEY"
_BEGIN = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(rb"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_RUN = re.compile(rb"[A-Za-z0-9+/=]{16,}")
_OPEN_RUN = re.compile(rb"[A-Za-z0-9+/=]{40,}")
_LONGEST = 64 << 10


def blocks(text: bytes) -> Iterator[tuple[int, int]]:
    """Yield start and end of the secret parts of private keys in a flat text."""
    place = 0
    while begin := _BEGIN.search(text, place):
        place = begin.end()
        limit = place + _LONGEST
        if other := _BEGIN.search(text, place, limit):
            limit = other.start()
        end = _END.search(text, place, limit)
        body_end = end.start() if end else min(limit, len(text))
        runs = [run.span() for run in (_RUN if end else _OPEN_RUN).finditer(text, place, body_end)]
        if not runs or not _is_key(text[runs[0][0] : runs[-1][1]]):
            continue
        if end and b'"' not in text[place:body_end]:
            yield begin.start(), end.end()
        else:
            yield from runs if end else _together(runs, place)
        place = end.end() if end else runs[-1][1]


def _together(runs: list[tuple[int, int]], last: int) -> Iterator[tuple[int, int]]:
    """Yield the runs of a key that is cut off, up to the first that stands apart from what is before it."""
    for start, end in runs:
        if start - last > 40:
            return
        yield start, end
        last = end


def _is_key(body: bytes) -> bool:
    return len(set(body)) > 12
