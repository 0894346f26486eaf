"""Values of foreign origin made safe: moments, one-line texts, numbers that fit everywhere."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from typing import Any

from holdfast_core.model.terminal import without_codes

_EARLIEST_MS = 946_684_800_000  # 2000-01-01: no agent is older
_LATEST_MS = 4_102_444_800_000  # 2100-01-01
_INTEGER_LIMIT = 1 << 63
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")

PREVIEW_LIMIT = 500
PATH_LIMIT = 4096


def moment_ms(value: object) -> int | None:
    """Return milliseconds since the epoch, None for anything that is no plausible moment.

    Text is ISO 8601, without an offset taken as UTC; numbers are seconds or
    milliseconds, told apart by their size.
    """
    if isinstance(value, datetime):
        return datetime_ms(value)
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _INTEGER_LIMIT:
        return None  # also what is no number
    return _within(int(value if abs(value) >= 1e11 else value * 1000))


def _from_text(text: str) -> int | None:
    if not text.isascii() or len(text) > 40:
        return None
    try:
        return datetime_ms(datetime.fromisoformat(text))
    except ValueError:
        return None


def local_moment_ms(text: str | None) -> int | None:
    """Return milliseconds since the epoch for ISO 8601; without an offset it is what this machine's clock showed."""
    if not text or not text.isascii() or len(text) > 40:
        return None
    try:
        value = datetime.fromisoformat(text)
        return datetime_ms(value.astimezone() if value.tzinfo is None else value)
    except (ValueError, OverflowError, OSError):
        return None


def datetime_ms(value: datetime) -> int | None:
    """Return milliseconds since the epoch, None for a moment that is not plausible."""
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    try:
        milliseconds = round(value.timestamp() * 1000)
        return milliseconds if _EARLIEST_MS <= milliseconds <= _LATEST_MS else None
    except (ValueError, OverflowError, OSError):
        return None


def _within(milliseconds: int) -> int | None:
    return milliseconds if _EARLIEST_MS <= milliseconds <= _LATEST_MS else None


def one_line(text: str, limit: int) -> str:
    """Return the beginning of a text as one line of at most ``limit`` characters, without control characters."""
    return " ".join(_INVISIBLE.sub(" ", without_codes(text[: limit * 4])).split())[:limit]


def text_of_name(name: str) -> str:
    """Return a file's name as text that can be stored, also where its bytes are no text."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def storable(value: Any) -> Any:
    """Return decoded JSON with integers beyond 64 bits as text, which no store or encoder takes otherwise."""
    kind = type(value)
    if kind is int:
        return value if -_INTEGER_LIMIT <= value < _INTEGER_LIMIT else str(value)
    if kind is dict:
        for key, item in value.items():
            if type(item) is not str:
                value[key] = storable(item)
    elif kind is list:
        for index, item in enumerate(value):
            if type(item) is not str:
                value[index] = storable(item)
    return value


def count(value: object) -> int:
    """Return a number of tokens or lines: a non-negative whole number, 0 for anything else."""
    if type(value) is int:  # nearly always
        return value if 0 <= value < 1 << 53 else 0
    if isinstance(value, str) and value.isdecimal() and len(value) <= 15:
        return int(value)
    if isinstance(value, float) and 0 <= value < 1 << 53:
        return int(value)
    return 0
