"""Numbers and dates as a person writes them in a filter, as inclusive ranges."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from typing import Final

Limit = tuple[float, float]
"""The lowest and the highest value that still meet a filter; infinities where it is open."""

_NUMBER = re.compile(r"(<=|>=|<|>|=)?\$?(\d+(?:\.\d*)?|\.\d+)([kmbKMB]?)")
_FACTORS: Final = {"": 1, "k": 1_000, "m": 1_000_000, "b": 1_000_000_000}
_AGE = re.compile(r"(\d{1,5})([hdwmy])")
_HOURS: Final = {"h": 1, "d": 24, "w": 24 * 7, "m": 24 * 30, "y": 24 * 365}
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?")


def number_limit(text: str) -> Limit | None:
    """Return the range that ``text`` means (``>10000``, ``<=1.5k``, ``1k..5k``, ``42``), None for nonsense."""
    low, dots, high = text.partition("..")
    if dots:
        first, last = number_limit(low), number_limit(high)
        is_plain = low[:1] not in "<>=" and high[:1] not in "<>="
        return (first[0], last[1]) if first and last and is_plain else None
    found = _NUMBER.fullmatch(text)
    if not found:
        return None
    number = float(found[2]) * _FACTORS[found[3].lower()]
    return {
        ">": (math.nextafter(number, math.inf), math.inf),
        ">=": (number, math.inf),
        "<": (-math.inf, math.nextafter(number, -math.inf)),
        "<=": (-math.inf, number),
    }.get(found[1] or "=", (number, number))


def date_limit(name: str, text: str, now: datetime) -> Limit | None:
    """Return the range in milliseconds that ``after:``, ``before:`` or ``on:`` means, None for nonsense.

    ``after`` begins with the named time, ``before`` ends just before it, ``on``
    is all of it, or from the first to the last of two with ``..`` between.
    """
    first, dots, last = text.partition("..")
    begin = _period(first.lower(), now)
    end = _period(last.lower(), now) if dots else begin
    if begin is None or end is None or (dots and name != "on"):
        return None
    if name == "after":
        return (begin[0], math.inf)
    if name == "before":
        return (-math.inf, begin[0] - 1)
    return (begin[0], end[1])


def _period(text: str, now: datetime) -> Limit | None:
    """Return the first and the last millisecond of a named time."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if text in ("today", "yesterday"):
        return _days(midnight - timedelta(days=text == "yesterday"), 1)
    if age := _AGE.fullmatch(text):
        hours = int(age[1]) * _HOURS[age[2]]
        return (now.timestamp() * 1000 // 1 - hours * 3_600_000, math.inf)
    try:
        if _MOMENT.fullmatch(text.upper()):
            moment = datetime.fromisoformat(text.upper())
            moment = moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)
            return (_milliseconds(moment), _milliseconds(moment) + 999)
        return _calendar(text, midnight)
    except (ValueError, OverflowError):
        return None


def _calendar(text: str, midnight: datetime) -> Limit | None:
    found = _DATE.fullmatch(text)
    if not found:
        return None
    year, month, day = int(found[1]), found[2], found[3]
    start = midnight.replace(year=year, month=int(month or 1), day=int(day or 1))
    if day:
        return _days(start, 1)
    if not month:
        return (_milliseconds(start), _milliseconds(start.replace(year=year + 1)) - 1)
    following = start.replace(year=year + (start.month == 12), month=start.month % 12 + 1)
    return (_milliseconds(start), _milliseconds(following) - 1)


def _days(start: datetime, days: int) -> Limit:
    return (_milliseconds(start), _milliseconds(start + timedelta(days=days)) - 1)


def _milliseconds(moment: datetime) -> float:
    return float(round(moment.timestamp() * 1000))
