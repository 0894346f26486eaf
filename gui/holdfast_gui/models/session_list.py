"""The rows of the session list: an array of keys, pages of entries as they are needed, headings between."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import IntEnum
from typing import Any, Final

from holdfast_core.model.search import Hit
from holdfast_core.model.session import SessionEntry
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from holdfast_gui import text
from holdfast_gui.models.vault import spoken_loss
from holdfast_gui.text import tr

PAGE: Final = 128
PAGES_KEPT: Final = 64
FEW: Final = 16
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Group:
    """A heading over ``count`` rows, the first of which is key number ``first``.

    Under one that ``is_day`` a row need only say the time.
    """

    title: str
    first: int
    count: int
    is_day: bool = False


@dataclass(frozen=True, slots=True)
class HitRow:
    """A session that a search found; ``hits`` are its messages, best first, never empty."""

    entry: SessionEntry
    hits: tuple[Hit, ...]

    @property
    def best(self) -> Hit:
        """The best hit that is a message; one in the session's facts only if there is no other."""
        return next((hit for hit in self.hits if hit.message_index >= 0), self.hits[0])


@dataclass(frozen=True, slots=True)
class HitGroup:
    """Found sessions under one heading."""

    title: str
    rows: tuple[HitRow, ...]


class SessionRole(IntEnum):
    """What a row holds beside its text."""

    ENTRY = Qt.ItemDataRole.UserRole + 1
    GROUP = Qt.ItemDataRole.UserRole + 2
    HIT = Qt.ItemDataRole.UserRole + 3


class SessionListModel(QAbstractTableModel):
    """Any number of sessions in one column; a row without its page yet is there but has no entry.

    ``page_wanted`` asks for a page once; the answer is `set_page`. Entries of
    earlier pages are shown until newer ones come, so that a refresh does not
    flicker.
    """

    page_wanted = Signal(int)
    rename_wanted = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self._keys: array[int] = array("q")
        self._groups: tuple[Group, ...] = ()
        self._heading_rows: array[int] = array("q")
        self._entries: OrderedDict[int, SessionEntry] = OrderedDict()
        self._key_by_id: dict[str, int] = {}
        self._fresh: OrderedDict[int, None] = OrderedDict()
        self._asked: set[int] = set()
        self._hits: dict[int, HitRow] = {}
        self._is_search = False
        self._answers: dict[int, Callable[[int], Any]] = {
            Qt.ItemDataRole.DisplayRole: self._title,
            Qt.ItemDataRole.EditRole: self._title,
            Qt.ItemDataRole.AccessibleTextRole: self._spoken,
            Qt.ItemDataRole.ToolTipRole: self._tooltip,
            SessionRole.ENTRY: self.entry_at,
            SessionRole.GROUP: self.group_at,
            SessionRole.HIT: self.hit_at,
        }

    # What the application sets.

    def set_keys(self, keys: array[int], groups: Sequence[Group] = ()) -> None:
        """Show the sessions of ``keys`` in that order, under ``groups`` (gapless, in order) if any."""
        self.beginResetModel()
        self._hits = {}
        self._is_search = False
        self._take(keys, groups)
        self.endResetModel()

    def set_hits(self, groups: Sequence[HitGroup]) -> None:
        """Show what a search found instead: one row a session, all entries known at once."""
        self.beginResetModel()
        rows = [row for group in groups for row in group.rows]
        headings, first = [], 0
        for group in groups:
            headings.append(Group(group.title, first, len(group.rows)))
            first += len(group.rows)
        self._hits = {row.entry.key: row for row in rows}
        self._is_search = True
        self._take(array("q", (row.entry.key for row in rows)), headings)
        for row in rows:
            self._remember(row.entry)
        self._fresh = OrderedDict.fromkeys(range(self.page_count))
        self.endResetModel()

    def set_page(self, page: int, entries: Iterable[SessionEntry]) -> None:
        """Take the entries of a page; those that are no longer in it are ignored."""
        self._asked.discard(page)
        if page >= self.page_count:
            return
        self._fresh[page] = None
        self._fresh.move_to_end(page)
        if len(self._fresh) > PAGES_KEPT:
            self._fresh.popitem(last=False)
        for entry in entries:
            self._remember(entry)
        while len(self._entries) > max(PAGES_KEPT * PAGE, len(self._hits)):
            _, old = self._entries.popitem(last=False)
            self._key_by_id.pop(old.id, None)
        first = page * PAGE
        last = min(first + PAGE, len(self._keys)) - 1
        self.dataChanged.emit(self.index(self._row(first), 0), self.index(self._row(last), 0))

    # What views and the application ask.

    @property
    def is_search(self) -> bool:
        """Whether the rows are what a search found."""
        return self._is_search

    @property
    def is_by_day(self) -> bool:
        """Whether the headings are days, so that a row need only say the time."""
        return bool(self._groups) and self._groups[0].is_day

    @property
    def page_count(self) -> int:
        """How many pages the keys make."""
        return (len(self._keys) + PAGE - 1) // PAGE

    @property
    def session_count(self) -> int:
        """How many sessions there are, headings not counted."""
        return len(self._keys)

    @property
    def heading_rows(self) -> Sequence[int]:
        """The rows that are headings, ascending."""
        return self._heading_rows

    def page_keys(self, page: int) -> array[int]:
        """Return the keys of a page, for the one who fetches its entries."""
        return self._keys[page * PAGE : (page + 1) * PAGE]

    def entry_at(self, row: int) -> SessionEntry | None:
        """Return the entry of a row; None for a heading and before its page has come."""
        number = self._number(row)
        if number is None:
            return None
        page = number // PAGE
        if page not in self._fresh and page not in self._asked:
            self._asked.add(page)
            self.page_wanted.emit(page)
        return self._entries.get(self._keys[number])

    def entry_of(self, session_id: str) -> SessionEntry | None:
        """Return the entry of a session if it is known here."""
        key = self._key_by_id.get(session_id)
        return None if key is None else self._entries.get(key)

    def group_at(self, row: int) -> Group | None:
        """Return the heading of a row, None for a session's row."""
        place = bisect_left(self._heading_rows, row)
        if place < len(self._heading_rows) and self._heading_rows[place] == row:
            return self._groups[place]
        return None

    def hit_at(self, row: int) -> HitRow | None:
        """Return what was found in the session of a row."""
        number = self._number(row)
        return None if number is None or not self._is_search else self._hits.get(self._keys[number])

    def hit_of(self, session_id: str) -> HitRow | None:
        """Return what was found in a session."""
        return self._hits.get(self._key_by_id.get(session_id, -1))

    def row_of(self, session_id: str) -> int:
        """Return the row of a session, -1 if it is not known here."""
        key = self._key_by_id.get(session_id)
        return -1 if key is None else self.row_of_key(key)

    def key_at(self, row: int) -> int | None:
        """Return the key of a row, None for a heading."""
        number = self._number(row)
        return None if number is None else self._keys[number]

    def row_of_key(self, key: int) -> int:
        """Return the row of a key, -1 if it is not listed."""
        try:
            return self._row(self._keys.index(key))
        except ValueError:
            return -1

    def spans_of_keys(self, keys: array[int]) -> list[tuple[int, int]]:
        """Return the first and last rows of every run of ``keys`` that is listed, ascending."""
        if len(keys) <= FEW:
            return _runs(sorted(row for row in map(self.row_of_key, keys) if row >= 0))
        start = self._keys.index(keys[0]) if keys[0] in self._keys else 0
        if self._keys[start : start + len(keys)] == keys:
            return [(self._row(start), self._row(start + len(keys) - 1))]
        wanted = frozenset(keys)
        return _runs([self._row(number) for number, key in enumerate(self._keys) if key in wanted])

    def known_ids(self, keys: Iterable[int]) -> list[str]:
        """Return the ids of those of ``keys`` whose entries are here; asks for no page."""
        return [self._entries[key].id for key in filter(self._entries.__contains__, keys)]

    def keys_between(self, first_row: int, last_row: int) -> array[int]:
        """Return the keys of the sessions from one row to another, both included."""
        first = first_row - bisect_left(self._heading_rows, first_row)
        last = last_row - bisect_right(self._heading_rows, last_row)
        return self._keys[first : last + 1]

    # Qt's own.

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """See Qt."""
        return 0 if parent.isValid() else len(self._keys) + len(self._heading_rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """See Qt."""
        return 0 if parent.isValid() else 1

    def flags(self, index: Index) -> Qt.ItemFlag:
        """See Qt: headings cannot be chosen, sessions can be renamed and dragged."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        if self.group_at(index.row()):
            return Qt.ItemFlag.ItemNeverHasChildren
        return (
            Qt.ItemFlag.ItemIsEnabled
            | Qt.ItemFlag.ItemIsSelectable
            | Qt.ItemFlag.ItemIsEditable
            | Qt.ItemFlag.ItemIsDragEnabled
            | Qt.ItemFlag.ItemNeverHasChildren
        )

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """See Qt."""
        if not index.isValid():
            return None
        asked = self._answers.get(role)
        return asked(index.row()) if asked else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """See Qt: the headers are not seen, but read out."""
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return self.tr("Session") if orientation == Qt.Orientation.Horizontal else ""

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """See Qt: a new name is not stored here but asked for."""
        entry = self.entry_at(index.row())
        wanted = str(value).strip()
        if role != Qt.ItemDataRole.EditRole or entry is None or wanted == entry.title:
            return False
        self.rename_wanted.emit(entry.id, wanted)
        return True

    # Helpers.

    def _take(self, keys: array[int], groups: Sequence[Group]) -> None:
        self._keys = keys
        self._groups = tuple(groups)
        self._heading_rows = array("q", (group.first + number for number, group in enumerate(self._groups)))
        self._fresh = OrderedDict()
        self._asked = set()

    def _remember(self, entry: SessionEntry) -> None:
        earlier = self._entries.pop(entry.key, None)
        if earlier and earlier.id != entry.id:
            self._key_by_id.pop(earlier.id, None)
        self._entries[entry.key] = entry
        self._key_by_id[entry.id] = entry.key

    def _number(self, row: int) -> int | None:
        place = bisect_right(self._heading_rows, row)
        if place and self._heading_rows[place - 1] == row:
            return None
        number = row - place
        return number if 0 <= number < len(self._keys) else None

    def _row(self, number: int) -> int:
        return number + bisect_right(self._groups, number, key=_first)

    def _title(self, row: int) -> str:
        group = self.group_at(row)
        if group:
            return group.title
        entry = self.entry_at(row)
        return text.title(entry.title) if entry else ""

    def _spoken(self, row: int) -> str:
        group = self.group_at(row)
        if group:
            return group.title
        entry = self.entry_at(row)
        if entry is None:
            return self.tr("Loading")
        parts = [text.title(entry.title)]
        if entry.starred:
            parts.append(self.tr("starred"))
        if loss := spoken_loss(entry):
            parts.append(loss)
        elif entry.state != "archived":
            parts.append(entry.state)
        if entry.opaque:
            parts.append(self.tr("kept closed by its agent"))
        parts.append(text.project_name(entry.project_path))
        parts.append(text.counted(entry.message_count, "message", "messages"))
        hit = self.hit_at(row)
        if hit:
            parts.append(text.counted(len(hit.hits), "hit", "hits"))
        return ", ".join(part for part in parts if part)

    def _tooltip(self, row: int) -> str | None:
        entry = self.entry_at(row)
        if entry is None:
            return None
        return text.tooltip("\n".join(part for part in (text.title(entry.title), entry.project_path) if part))


def groups_of(counts: Iterable[tuple[str, int]], title_of: Callable[[str], str]) -> list[Group]:
    """Return headings for values in the order of the list, each with how many sessions it has.

    The list must be sorted by that value first.
    """
    groups, first = [], 0
    for value, number in counts:
        groups.append(Group(title_of(value), first, number))
        first += number
    return groups


def day_groups(
    times_ms: Sequence[int], now: datetime, *, descending: bool = True, zone: tzinfo | None = None
) -> list[Group]:
    """Return a heading for each day of ``times_ms``, which stand in the order of the list.

    Times of 0 or less, and those that are no date, come under "Unknown date".
    The work is in proportion to the days, not to the sessions.
    """
    today = now.astimezone(zone).date()
    sign = -1 if descending else 1
    groups: list[Group] = []
    first, total = 0, len(times_ms)
    while first < total:
        at = text.moment(times_ms[first], zone=zone) if times_ms[first] > 0 else None
        if at is None:
            title, last = tr("Unknown date"), _run_without_date(times_ms, first, zone)
        else:
            title = text.day_title(at.date(), today)
            edge = _midnight_ms(at.date() if descending else at.date() + timedelta(days=1), zone)
            last = bisect_left(times_ms, sign * edge + (1 if descending else 0), lo=first, key=lambda ms: sign * ms)
        last = max(last, first + 1)
        groups.append(Group(title, first, last - first, is_day=True))
        first = last
    return groups


def hit_groups(
    hits: Sequence[Hit], entries: Mapping[int, SessionEntry], heading_of: Callable[[SessionEntry], str] | None = None
) -> list[HitGroup]:
    """Return hits as rows of sessions under headings (their project), both in the order of their best hit."""
    name_of = heading_of or (lambda entry: text.project_name(entry.project_path) or tr("No project"))
    by_session: dict[int, list[Hit]] = {}
    for hit in hits:
        if hit.session_key in entries:
            by_session.setdefault(hit.session_key, []).append(hit)
    by_heading: dict[str, list[HitRow]] = {}
    for key, found in by_session.items():
        entry = entries[key]
        by_heading.setdefault(name_of(entry), []).append(HitRow(entry, tuple(found)))
    return [HitGroup(_hit_title(name, rows), tuple(rows)) for name, rows in by_heading.items()]


def _hit_title(name: str, rows: Sequence[HitRow]) -> str:
    messages = sum(len(row.hits) for row in rows)
    sessions = text.counted(len(rows), "session", "sessions")
    return f"{name} · {sessions}, {text.counted(messages, 'message', 'messages')}"


def _midnight_ms(day: date, zone: tzinfo | None) -> int:
    # By the calendar: a day on which the clock changes has no 24 hours.
    midnight = datetime.combine(day, datetime.min.time())
    return round((midnight.replace(tzinfo=zone) if zone else midnight.astimezone()).timestamp() * 1000)


def _run_without_date(times_ms: Sequence[int], first: int, zone: tzinfo | None) -> int:
    last = first
    while last < len(times_ms) and (times_ms[last] <= 0 or text.moment(times_ms[last], zone=zone) is None):
        last += 1
    return last


def _runs(rows: Sequence[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for row in rows:
        if runs and runs[-1][1] == row - 1:
            runs[-1] = (runs[-1][0], row)
        else:
            runs.append((row, row))
    return runs


def _first(group: Group) -> int:
    return group.first
