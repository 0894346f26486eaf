"""The rows of the places pane: what the person can look at, with counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Literal

from holdfast_core.model.agent import AgentInfo
from holdfast_core.model.places import Count, Places
from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt

from holdfast_gui import text
from holdfast_gui.text import later

PlaceKind = Literal[
    "all",
    "live",
    "starred",
    "expiring",
    "lost",
    "recovery",
    "problems",
    "trash",
    "agents",
    "health",
    "storage",
    "agent",
    "project",
    "tag",
    "saved",
]
TOP_PROJECTS: Final = 5
TOP_TAGS: Final = 8
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Place:
    """Something to look at: ``query_text`` is what the search field would say for it."""

    kind: PlaceKind
    value: str = ""
    query_text: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A search that the person keeps in the places pane."""

    title: str
    query_text: str


class PlaceRole(IntEnum):
    """What a place's row says beside its title."""

    PLACE = Qt.ItemDataRole.UserRole + 1
    IS_HEADING = Qt.ItemDataRole.UserRole + 2
    ICON = Qt.ItemDataRole.UserRole + 3
    HUE = Qt.ItemDataRole.UserRole + 4
    COUNT = Qt.ItemDataRole.UserRole + 5
    IS_MORE = Qt.ItemDataRole.UserRole + 6


@dataclass(frozen=True, slots=True)
class _Row:
    title: str
    place: Place | None = None
    icon: str = ""
    hue: int | None = None
    sessions: int | None = None
    is_more: bool = False


ALL: Final = Place("all", "", "", later("All sessions"))
STARRED: Final = Place("starred", "", "is:starred", later("Starred"))
AGENTS: Final = Place("agents", "", "", later("Agents"))
HEALTH: Final = Place("health", "", "", later("Health"))
STORAGE: Final = Place("storage", "", "", later("Storage"))
PROBLEMS: Final = Place("problems", "", "is:problem", later("Problems"))
LOST: Final = Place("lost", "", "is:lost", later("Lost at the source"))
EXPIRING: Final = Place("expiring", "", "", later("About to be deleted"))
LIVE: Final = Place("live", "", "is:live", later("Live"))
TRASH: Final = Place("trash", "", "", later("Trash"))
RECOVERY: Final = Place("recovery", "", "", later("To recover"))


@dataclass(frozen=True, slots=True)
class Kept:
    """How many there are of what stands among the places and is no list.

    ``problems`` are those that the index does not know of.
    """

    live: int = 0
    problems: int = 0
    trash: int = 0
    unclean: int = 0


class PlacesModel(QAbstractListModel):
    """Places in the order of the pane; headings are rows that cannot be chosen."""

    def __init__(self) -> None:
        super().__init__()
        self._places = Places()
        self._agents: dict[str, AgentInfo] = {}
        self._kept = Kept()
        self._expiring = 0
        self._chosen = ALL.kind
        self._saved: list[SavedSearch] = []
        self._saved_counts: dict[str, int] = {}
        self._shows_all_projects = False
        self._project_filter = ""
        self._rows: list[_Row] = []
        self._build()

    @property
    def saved_searches(self) -> tuple[SavedSearch, ...]:
        """The person's searches, in their order."""
        return tuple(self._saved)

    @property
    def shows_all_projects(self) -> bool:
        """Whether the projects are unfolded."""
        return self._shows_all_projects

    @property
    def project_count(self) -> int:
        """How many projects there are."""
        return len(self._places.projects)

    def set_places(self, places: Places, agents: Sequence[AgentInfo]) -> None:
        """Replace the counts; agents without sessions are not shown."""
        by_id = {agent.agent: agent for agent in agents}
        if places != self._places or by_id != self._agents:
            self._places, self._agents = places, by_id
            self._reset()

    def set_kept(self, kept: Kept) -> None:
        """Replace the counts of what is no list."""
        if kept != self._kept:
            self._kept = kept
            self._reset()

    def set_expiring(self, sessions: int) -> None:
        """Say how many sessions their agents will delete soon."""
        if sessions != self._expiring:
            self._expiring = sessions
            self._reset()

    def keep_shown(self, place: Place) -> None:
        """Show the row of a place while it is the chosen one, though there is nothing in it."""
        before, self._chosen = self._chosen, place.kind
        if before != place.kind and not {before, place.kind}.isdisjoint((LOST.kind, EXPIRING.kind)):
            self._reset()

    def set_saved(self, searches: Iterable[SavedSearch]) -> None:
        """Replace the saved searches."""
        self._saved = list(searches)
        self._reset()

    def set_saved_counts(self, counts: Mapping[str, int]) -> None:
        """Say how many sessions the saved searches find, by their text; those not named show no count."""
        if counts != self._saved_counts:
            self._saved_counts = dict(counts)
            self._reset()

    def show_all_projects(self, is_shown: bool, *, matching: str = "") -> None:
        """Unfold or fold the projects; unfolded, only those whose path holds ``matching``."""
        self._shows_all_projects = is_shown
        self._project_filter = matching.casefold()
        self._reset()

    def places(self) -> list[Place]:
        """Return what can be chosen, in order."""
        return [row.place for row in self._rows if row.place]

    def row_of(self, place: Place) -> int:
        """Return the row of a place, -1 if it is not shown."""
        for number, row in enumerate(self._rows):
            if row.place and (row.place.kind, row.place.value) == (place.kind, place.value):
                return number
        return -1

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """See Qt."""
        return 0 if parent.isValid() else len(self._rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """See Qt: headings take no part."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        row = self._rows[index.row()]
        if row.place or row.is_more:
            return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
        return Qt.ItemFlag.ItemNeverHasChildren

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """See Qt."""
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        return _DATA[role](row) if role in _DATA else None

    def _reset(self) -> None:
        self.beginResetModel()
        self._build()
        self.endResetModel()

    def _build(self) -> None:
        places, kept = self._places, self._kept
        self._rows = [_Row(self.tr("All sessions"), ALL, "sessions", sessions=places.total)]
        self._rows.append(_Row(self.tr("Live"), LIVE, "live", sessions=kept.live or None))
        self._rows.append(_Row(self.tr("Starred"), STARRED, "star", sessions=places.starred or None))
        if self._expiring or self._chosen == EXPIRING.kind:
            self._rows.append(_Row(self.tr("About to be deleted"), EXPIRING, "clock", sessions=self._expiring or None))
        if places.lost or self._chosen == LOST.kind:
            self._rows.append(_Row(self.tr("Lost at the source"), LOST, "problem", sessions=places.lost or None))
        if kept.unclean:
            self._rows.append(_Row(self.tr("To recover"), RECOVERY, "history", sessions=kept.unclean))
        if problems := places.problems + kept.problems:
            self._rows.append(_Row(self.tr("Problems"), PROBLEMS, "problem", sessions=problems))
        self._rows.append(_Row(self.tr("Trash"), TRASH, "trash", sessions=kept.trash or None))
        self._rows.append(_Row(self.tr("All agents"), AGENTS, "terminal"))
        self._rows.append(_Row(self.tr("Health"), HEALTH, "health"))
        self._add_section(self.tr("Agents"), [self._agent_row(each) for each in places.agents])
        self._add_section(self.tr("Projects"), self._project_rows())
        self._add_section(self.tr("Tags"), [_tag_row(each) for each in places.tags[:TOP_TAGS]])
        self._add_section(self.tr("Saved searches"), [self._saved_row(each) for each in self._saved])

    def _add_section(self, title: str, rows: list[_Row]) -> None:
        if rows:
            self._rows.append(_Row(title))
            self._rows.extend(rows)

    def _agent_row(self, counted: Count) -> _Row:
        info = self._agents.get(counted.value)
        title = text.title(info.name if info else counted.value)
        place = Place("agent", counted.value, f"agent:{counted.value}", title)
        return _Row(title, place, hue=info.hue if info else 220, sessions=counted.sessions)

    def _project_rows(self) -> list[_Row]:
        projects = [each for each in self._places.projects if each.value]
        if self._shows_all_projects:
            found = [_project_row(each) for each in projects if self._project_filter in each.value.casefold()]
            return [*found, _Row(self.tr("Fewer projects"), icon="chevron-up", is_more=True)]
        rows = [_project_row(each) for each in projects[:TOP_PROJECTS]]
        if len(projects) > TOP_PROJECTS:
            rows.append(_Row(self.tr("All projects…"), icon="folder-more", sessions=len(projects), is_more=True))
        return rows

    def _saved_row(self, search: SavedSearch) -> _Row:
        title = text.title(search.title)
        place = Place("saved", search.query_text, search.query_text, title)
        return _Row(title, place, "search", sessions=self._saved_counts.get(search.query_text))


def quoted(value: str) -> str:
    """Return a value as the search field wants it: in quotes where it holds more than a word."""
    if value and not any(character.isspace() or character in '"(),' for character in value):
        return value
    return '"' + value.replace('"', " ") + '"'


def _project_row(counted: Count) -> _Row:
    title = text.project_name(counted.value)
    place = Place("project", counted.value, f"project:{quoted(counted.value)}", title)
    return _Row(title, place, "folder", sessions=counted.sessions)


def _tag_row(counted: Count) -> _Row:
    title = text.title(counted.value)
    place = Place("tag", counted.value, f"tag:{quoted(counted.value)}", title)
    return _Row(title, place, "tag", sessions=counted.sessions)


def _tooltip(row: _Row) -> str | None:
    if row.place and row.place.kind in ("project", "saved"):
        return text.tooltip(row.place.value)
    return None


def _spoken(row: _Row) -> str:
    return row.title if row.sessions is None else f"{row.title}, {text.counted(row.sessions, 'session', 'sessions')}"


_DATA: Final[dict[int, Callable[[_Row], Any]]] = {
    Qt.ItemDataRole.DisplayRole: lambda row: row.title,
    Qt.ItemDataRole.ToolTipRole: _tooltip,
    Qt.ItemDataRole.AccessibleTextRole: _spoken,
    PlaceRole.PLACE: lambda row: row.place,
    PlaceRole.IS_HEADING: lambda row: row.place is None and not row.is_more,
    PlaceRole.ICON: lambda row: row.icon,
    PlaceRole.HUE: lambda row: row.hue,
    PlaceRole.COUNT: lambda row: row.sessions,
    PlaceRole.IS_MORE: lambda row: row.is_more,
}
