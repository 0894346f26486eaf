"""Words and figures for people: times, counts, sizes; and foreign text made fit to be shown.

Moments are milliseconds since the epoch; ``now`` is aware, and its own zone is
not used: days are those of ``zone``, None for the system's.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from pathlib import PurePath
from textwrap import wrap
from typing import Final, TypeVar

from PySide6.QtCore import QCoreApplication, QTextBoundaryFinder

Words = TypeVar("Words")
TITLE_GRAPHEMES: Final = 200
LINE_CHARACTERS: Final = 400
TIP_CHARACTERS: Final = 88
_MARKS_LIMIT: Final = 8
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LONG_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LONG_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

# CSI, then OSC, DCS, SOS, PM and APC up to their end, then other escapes.
_ANSI = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]{0,4096}(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
# Bidi controls, zero-width spaces, tag characters, halves of surrogates: shown, because they may deceive.
# The joiners stay: emoji and several scripts are written with them.
_DECEIVING = re.compile(
    r"[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_MARK = r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_SUSPECT = re.compile(f"{_DECEIVING.pattern}|[\x00-\x08\x0b-\x1f\x7f-\x9f]|{_MARK}")
_MARKS = re.compile(f"({_MARK}{{{_MARKS_LIMIT}}}){_MARK}+")
# Code, strong and struck words keep what they hold; headings, quotes and list marks go.
_MARKDOWN = re.compile(
    r"(`+)([^\s`](?:[^`\n]*[^\s`])?)\1(?!`)"
    r"|\*\*([^\s*](?:[^*\n]*[^\s*])?)\*\*"
    r"|~~([^\s~](?:[^~\n]*[^\s~])?)~~"
    r"|^[ \t]*(?:#{1,6}|>|[-*+])[ \t]+",
    re.MULTILINE,
)
# A prompt that became a title has lost its lines: fences and headings stand in the middle.
_FLAT_MARKDOWN = re.compile(r"(?:^|(?<=\s))(?:(?:```|~~~)[\w+-]*(?=\s|$)|#{2,6}(?=\s+\w))")
_RELEASE_DATE = re.compile(r"-20\d{6}$")
_SPACE = re.compile(r"\s+")


def tr(words: str) -> str:
    """Return words of ours in the person's language."""
    return QCoreApplication.translate("holdfast", words)


def later(words: Words) -> Words:
    """Mark words, or a table of them, for those who translate; `tr` gets them where they are shown."""
    return words


def clean(text: str) -> str:
    """Return foreign text without escape sequences and controls; what could deceive becomes U+FFFD.

    Newlines and tabs stay.
    """
    if not _SUSPECT.search(text):
        return text
    text = _ANSI.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    text = _DECEIVING.sub("\ufffd", _CONTROL.sub("", text))
    return _MARKS.sub(r"\1", text)


def one_line(text: str, *, limit: int = LINE_CHARACTERS) -> str:
    """Return the beginning of foreign text on one line, at most ``limit`` characters."""
    return _SPACE.sub(" ", clean(text[: limit * 4])).strip()[:limit]


@lru_cache(maxsize=4096)
def preview(text: str) -> str:
    """Return the beginning of Markdown on one line, without its marks."""
    return one_line(_unmarked(text[:1200]))


@lru_cache(maxsize=4096)
def title(text: str) -> str:
    """Return a title fit to be shown: one line without marks of Markdown, `TITLE_GRAPHEMES` at most, never empty."""
    written = _SPACE.sub(" ", clean(text[: TITLE_GRAPHEMES * 32])).strip()
    line = _SPACE.sub(" ", _unmarked(_FLAT_MARKDOWN.sub("", written))).strip() or written
    if len(line) > TITLE_GRAPHEMES:
        line = _cut(line)
    return line or tr("Untitled session")


def tooltip(text: str) -> str:
    """Return foreign text in a form that Qt never takes for markup, at most 1,000 characters."""
    text = clean(text[:4000])
    text = text if len(text) <= 1000 else text[:999] + "…"
    # Qt wraps rich text alone: a long line would be as wide as the screen.
    text = "\n".join(piece for line in text.split("\n") for piece in _tip_lines(line))
    return text.replace("<", "<\u200b").replace("&lt;", "&\u200blt;")


def count(number: int) -> str:
    """Return a count with thousands separators: ``12,418``."""
    return f"{number:,}"


def counted(number: int, one: str, many: str) -> str:
    """Return a count with its noun: ``1 session``, ``12,418 sessions``."""
    return f"{number:,} {tr(one if number == 1 else many)}"


def size(size_bytes: int) -> str:
    """Return a size in decimal units: ``3.1 GB``."""
    amount = float(size_bytes)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 999.5:
            return f"{amount:.0f} {unit}" if unit == "bytes" or amount >= 99.5 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def tokens(number: int) -> str:
    """Return a number of tokens, rounded: ``950``, ``38 k``, ``1.2 M``."""
    if number < 1000:
        return str(number)
    if number < 9_950:
        return f"{number / 1000:.1f} k"
    if number < 999_500:
        return f"{number / 1000:.0f} k"
    if number < 999_500_000:
        return f"{number / 1e6:.1f} M"
    return f"{number / 1e9:.1f} G"


def cost(usd: float) -> str:
    """Return an amount of money: ``$2.84``, ``$0.004``."""
    if usd == 0 or usd >= 0.01:
        return f"${usd:,.2f}"
    return "<$0.001" if usd < 0.001 else f"${usd:.3f}"


def duration(seconds: float) -> str:
    """Return a duration: ``2 ms``, ``1.4 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if seconds < 1:
        return f"{max(1, round(seconds * 1000))} ms"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def milliseconds(amount: float) -> str:
    """Return how long something short took: ``0.4 ms``, ``41 ms``, ``1.4 s``."""
    if amount < 999.5:
        return f"{amount:.1f} ms" if amount < 9.95 else f"{amount:.0f} ms"
    return duration(amount / 1000)


def moment(milliseconds: int | None, *, zone: tzinfo | None = None) -> datetime | None:
    """Return a moment in ``zone``, None for none and for nonsense."""
    if milliseconds is None:
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone(zone)
    except (ValueError, OverflowError, OSError):
        return None


def age(milliseconds: int | None, now: datetime, *, zone: tzinfo | None = None) -> str:
    """Return a moment as a list shows it under its day: the time, or the day if that is another."""
    at = moment(milliseconds, zone=zone)
    if at is None:
        return ""
    days = (now.astimezone(zone).date() - at.date()).days
    if days == 0:
        return f"{at:%H:%M}"
    if 0 < days < 7:
        return f"{tr(_DAYS[at.weekday()])} {at:%H:%M}"
    return _short_date(at.date(), now.astimezone(zone).date())


def clock(milliseconds: int | None, *, zone: tzinfo | None = None) -> str:
    """Return the time of day: ``10:42``."""
    at = moment(milliseconds, zone=zone)
    return f"{at:%H:%M}" if at else ""


def when(milliseconds: int | None, now: datetime, *, zone: tzinfo | None = None) -> str:
    """Return day and time: ``Today 10:02``, ``Thu 18:30``, ``Mon 16 Nov 17:11``."""
    at = moment(milliseconds, zone=zone)
    if at is None:
        return tr("unknown date")
    return f"{_day(at.date(), now.astimezone(zone).date())} {at:%H:%M}"


def within(milliseconds: int | None, now: datetime, *, zone: tzinfo | None = None) -> str:
    """Return day and time within a sentence: ``today at 10:02``, ``yesterday at 18:41``, ``on Mon 16 Nov at 17:11``."""
    at = moment(milliseconds, zone=zone)
    if at is None:
        return tr("at an unknown time")
    days = (now.astimezone(zone).date() - at.date()).days
    if days in (0, 1):
        return tr("yesterday at {time}" if days else "today at {time}").format(time=f"{at:%H:%M}")
    return tr("on {day} at {time}").format(day=_day(at.date(), now.astimezone(zone).date()), time=f"{at:%H:%M}")


def ago(milliseconds: int, now: datetime) -> str:
    """Return how long something has been, roughly: ``just now``, ``5 minutes ago``, ``2 hours ago``, ``3 days ago``."""
    minutes = max(0, int(now.timestamp() * 1000) - milliseconds) // 60_000
    if not minutes:
        return tr("just now")
    if minutes < 60:
        return tr("{time} ago").format(time=counted(minutes, "minute", "minutes"))
    if minutes < 2880:
        return tr("{time} ago").format(time=counted(minutes // 60, "hour", "hours"))
    return tr("{time} ago").format(time=counted(minutes // 1440, "day", "days"))


def span(first: int | None, last: int | None, now: datetime, *, zone: tzinfo | None = None) -> str:
    """Return when something began and ended: ``Today 10:02 to 10:42``, ``Mon 16 Nov 17:11 to Today 09:00``."""
    start, end = moment(first, zone=zone), moment(last, zone=zone)
    if start is None or end is None:
        return when(first if start else last, now, zone=zone)
    began = when(first, now, zone=zone)
    if (end - start) < timedelta(minutes=1):
        return began
    ended = f"{end:%H:%M}" if start.date() == end.date() else when(last, now, zone=zone)
    return f"{began} {tr('to')} {ended}"


def day_title(day: date, today: date) -> str:
    """Return the heading of a day: ``Today``, ``Yesterday``, ``Monday 16 November``, with the year if another."""
    days = (today - day).days
    if days in (0, 1):
        return tr("Yesterday" if days else "Today")
    named = f"{tr(_LONG_DAYS[day.weekday()])} {day.day} {tr(_LONG_MONTHS[day.month - 1])}"
    return named if day.year == today.year else f"{named} {day.year}"


def home_path(path: str, home: str) -> str:
    """Return a path with the home directory as ``~``, fit to be shown."""
    home = home.rstrip("/\\")
    if home and (path == home or path.startswith((home + "/", home + "\\"))):
        path = "~" + path[len(home) :]
    return one_line(path, limit=4096)


def project_name(path: str) -> str:
    """Return the last part of a project's path, whichever way its slashes lean."""
    trimmed = path.rstrip("/\\")
    return one_line(PurePath(trimmed.replace("\\", "/")).name or trimmed)


def model(name: str) -> str:
    """Return a model's name without its maker and its date of release, fit to be shown."""
    return one_line(_RELEASE_DATE.sub("", name.rsplit("/", 1)[-1]), limit=60)


def escaped_mnemonic(text: str) -> str:
    """Return foreign text for a menu entry or button, in which Qt reads ``&`` as a mark."""
    return one_line(text, limit=120).replace("&", "&&")


def _day(day: date, today: date) -> str:
    days = (today - day).days
    if days in (0, 1):
        return tr("Yesterday" if days else "Today")
    if 1 < days < 7:
        return tr(_DAYS[day.weekday()])
    return _short_date(day, today, with_weekday=True)


def _short_date(day: date, today: date, *, with_weekday: bool = False) -> str:
    named = f"{day.day} {tr(_MONTHS[day.month - 1])}"
    if day.year != today.year:
        return f"{named} {day.year}"
    return f"{tr(_DAYS[day.weekday()])} {named}" if with_weekday else named


def _tip_lines(line: str) -> list[str]:
    if len(line) <= TIP_CHARACTERS:
        return [line]
    return wrap(line, TIP_CHARACTERS, break_on_hyphens=False) or [""]


def _unmarked(text: str) -> str:
    # Twice: code may stand in strong words.
    return _MARKDOWN.sub(r"\2\3\4", _MARKDOWN.sub(r"\2\3\4", text))


def _cut(line: str) -> str:
    finder = QTextBoundaryFinder(QTextBoundaryFinder.BoundaryType.Grapheme, line)
    for _ in range(TITLE_GRAPHEMES):
        if finder.toNextBoundary() == -1:
            return line
    # Qt counts UTF-16 units, Python code points.
    end = finder.position() * 2
    return line.encode("utf-16-le", "surrogatepass")[:end].decode("utf-16-le", "replace").rstrip() + "…"
