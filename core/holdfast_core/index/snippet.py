"""The piece of a text that shows why it was found."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from holdfast_core.index.folding import origins
from holdfast_core.index.needles import Needle

LENGTH: Final = 160
_LEAD: Final = 40
_SPANS_LIMIT: Final = 40
_SPANS_LIMIT_ALONE: Final = 12
# All white space but single spaces.
_SPACE = re.compile(r"\s{2,}|[^\S ]")

Span = tuple[int, int]


class Snippet(NamedTuple):
    """About 160 code points on one line, and where in it what was looked for stands."""

    kind: str
    text: str
    highlights: tuple[Span, ...]


def snippet(blocks: Sequence[tuple[str, str, str]], needles: Sequence[Needle], patterns: Sequence[Any]) -> Snippet:
    """Return the best piece of a message: where most of what was looked for stands close together."""
    best: tuple[int, str, str, list[Span], int] | None = None
    wanted = len(needles) + len(patterns)
    for kind, words, folded in blocks:
        spans = _spans(words, folded, needles, patterns)
        count, start = _densest(spans)
        if best is None or count > best[0]:
            best = (count, kind, words, sorted(span for _, span in spans), start)
        if count == wanted:
            break
    if best is None:
        return Snippet("text", "", ())
    _, kind, words, spans_found, start = best
    return Snippet(kind, *_cut(words, spans_found, start))


def _spans(words: str, folded: str, needles: Sequence[Needle], patterns: Sequence[Any]) -> list[tuple[int, Span]]:
    """Return (what, where in the words) of everything that was looked for."""
    found: list[tuple[int, Span]] = []
    # Of one thing alone the first place is the best, and only what stands near is shown.
    limit = _SPANS_LIMIT if len(needles) + len(patterns) > 1 else _SPANS_LIMIT_ALONE
    for number, needle in enumerate(needles):
        found += [(number, span) for span in needle.spans(folded, limit)]
    if found and not words.isascii():
        origin = origins(words)
        found = [(number, (origin(start), origin(end))) for number, (start, end) in found]
    for number, pattern in enumerate(patterns, len(needles)):
        for match in pattern.finditer(words):
            if match.start() < match.end():
                found.append((number, (match.start(), match.end())))
            if len(found) > _SPANS_LIMIT * (number + 1):
                break
    return found


def _densest(spans: Sequence[tuple[int, Span]]) -> tuple[int, int]:
    """Return how many different things stand within one snippet at most, and where the first of them begins."""
    ordered = sorted(spans, key=lambda item: item[1])
    best, best_start, first = 0, 0, 0
    for last, (_, (_, end)) in enumerate(ordered):
        while first < last and end - ordered[first][1][0] > LENGTH - _LEAD:
            first += 1
        different = len({number for number, _ in ordered[first : last + 1]})
        if different > best:
            best, best_start = different, ordered[first][1][0]
    return best, best_start


def _cut(words: str, spans: Sequence[Span], at: int) -> tuple[str, tuple[Span, ...]]:
    start = _word_start(words, max(0, at - _LEAD), at)
    # Twice the length: long indentation shrinks to one space.
    piece = words[start : start + 2 * LENGTH]
    text, places = _one_line(piece)
    text = ("…" if start else "") + text
    shift = 1 if start else 0
    limit = LENGTH + shift
    if len(text) > limit or start + len(piece) < len(words):
        text = text[:limit].rstrip() + "…"
    end = min(len(text), limit)
    marked: list[Span] = []
    for first, last in spans:
        if last <= start or first >= start + len(piece):
            continue
        span = (
            places(max(first, start) - start) + shift,
            min(places(min(last, start + len(piece)) - start) + shift, end),
        )
        if span[0] < span[1]:
            marked.append(span)
    return text, _merged(marked)


def _word_start(words: str, start: int, at: int) -> int:
    if start == 0:
        return 0
    space = words.find(" ", start, at)
    return start if space < 0 else space + 1


def _one_line(piece: str) -> tuple[str, Callable[[int], int]]:
    """Return the piece with every run of white space as one space, and what maps a place in it to the new one."""
    ends, gains = [0], [0]

    def shrink(run: re.Match[str]) -> str:
        ends.append(run.end())
        gains.append(gains[-1] + len(run[0]) - 1)
        return " "

    return _SPACE.sub(shrink, piece), lambda place: max(0, place - gains[bisect_right(ends, place) - 1])


def _merged(spans: Sequence[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)
