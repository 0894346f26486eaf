"""Where else a known secret stands: as it is, quoted for a URL, escaped for JSON, or inside base64."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import quote

import ahocorasick_rs

_LEAST = 8
_MANY = 24
_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_BASE64 = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/-_=")


def is_worth(value: bytes) -> bool:
    """Whether a value is long enough to be looked for wherever it stands."""
    return len(value) >= _LEAST


def places(data: bytes, values: Iterable[bytes]) -> Iterator[tuple[int, int, bytes]]:
    """Yield start, end and value of every place of ``data`` that holds one of the values in one of its forms."""
    needles = {form: (value, is_base64) for value in values for form, is_base64 in forms(value)}
    for needle, start in _occurrences(data, list(needles)):
        value, is_base64 = needles[needle]
        end = start + len(needle)
        if is_base64:
            yield _around(data, start, -1), _around(data, end - 1, 1) + 1, value
        elif len(needle) >= 16 or not _is_inside_a_word(data, start, end):
            yield start, end, value


@lru_cache(maxsize=512)
def forms(value: bytes) -> tuple[tuple[bytes, bool], ...]:
    """Return the forms of a value, each with whether it is the inside of base64."""
    text = value.decode("utf-8", "replace")
    found = {value: False, quote(value, safe="").encode(): False, quote(value).encode(): False}
    found[json.dumps(text)[1:-1].encode()] = False
    for shift in range(3):
        # The letters at both ends also hold bits of what stands beside the value.
        inner = base64.b64encode(b"\0" * shift + value)[(0, 2, 3)[shift] :]
        inner = inner[: len(inner) - (0, 3, 2)[(shift + len(value)) % 3]] if (shift + len(value)) % 3 else inner
        if len(inner) >= _LEAST:
            found[inner] = True
            found[inner.replace(b"+", b"-").replace(b"/", b"_")] = True
    return tuple(found.items())


def _occurrences(data: bytes, needles: list[bytes]) -> Iterator[tuple[bytes, int]]:
    if len(needles) > _MANY:
        automaton = ahocorasick_rs.BytesAhoCorasick(needles)
        for number, start, _end in automaton.find_matches_as_indexes(data, overlapping=True):
            yield needles[number], start
        return
    for needle in needles:
        start = data.find(needle)
        while start >= 0:
            yield needle, start
            start = data.find(needle, start + len(needle))


def _is_inside_a_word(data: bytes, start: int, end: int) -> bool:
    return (start > 0 and data[start - 1] in _WORD) or (end < len(data) and data[end] in _WORD)


def _around(data: bytes, place: int, step: int) -> int:
    """Return the last of at most four further letters of base64 in one direction."""
    for _ in range(4):
        if not 0 <= place + step < len(data) or data[place + step] not in _BASE64:
            break
        place += step
    return place
