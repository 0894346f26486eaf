"""What the list shows: a place, what is typed, an order, headings; and which session of it is meant."""

from __future__ import annotations

import asyncio
import logging
from array import array
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Literal, cast

from holdfast_core import clock
from holdfast_core.errors import IndexBroken, WrongUsage
from holdfast_core.model.query import Sort, parse
from PySide6.QtCore import QObject, Signal

from holdfast_gui.models.places import ALL, Place
from holdfast_gui.models.session_list import PAGE, Group, day_groups, groups_of, hit_groups
from holdfast_gui.tasks import Latest, Scope
from holdfast_gui.text import count, counted, project_name, tr

if TYPE_CHECKING:
    from holdfast_core.library import Library
    from holdfast_core.model.agent import AgentInfo
    from holdfast_core.model.changes import ChangeSet, ScanProgress
    from holdfast_core.model.search import SearchResult
    from holdfast_core.model.session import SessionEntry

    from holdfast_gui.views.window import MainWindow

log = logging.getLogger(__name__)

GroupBy = Literal["none", "day", "project", "agent"]
HITS: Final = 300


class Browser(QObject):
    """Keeps the list in line with what was asked; a newer question ends the older one.

    ``broken`` tells once that the index cannot be read: the list stays as it
    is until it can again, which `hear` and `progress` find out.
    """

    listed = Signal()
    broken = Signal()

    def __init__(self, window: MainWindow, library: Library, scope: Scope) -> None:
        super().__init__(window)
        self.place: Place = ALL
        self.typed = ""
        self.sort: Sort = "updated"
        self.descending = True
        self.group_by: GroupBy = "day"
        self.shows_subagents = False
        self.agents: dict[str, AgentInfo] = {}
        self._window = window
        self._list = window.session_list
        self._model = window.session_list.model
        self._library = library
        self._asking = Latest(scope, "list")
        self._is_behind = False
        self._is_broken = False
        self._wanted_id = ""
        self._waiting: list[Callable[[], None]] = []
        self._model.page_wanted.connect(scope.slot(self._bring_page))

    @property
    def query_text(self) -> str:
        """The whole question: the place and what is typed."""
        return " ".join(part for part in (self.place.query_text, self.typed.strip()) if part)

    @property
    def terms(self) -> tuple[str, ...]:
        """The words to mark in what is found; none while the question is not understood."""
        try:
            return parse(self.typed, now=clock.now().astimezone(), prefix=True).terms()
        except WrongUsage:
            return ()

    def restore_order(self) -> None:
        """Take the order and the headings that the list's head shows."""
        order, group = self._list.head.order
        self._take_order(order)
        self.group_by = cast("GroupBy", group)

    def go_to(self, place: Place) -> None:
        """Show a place, with what is typed as it stands."""
        self.place = place
        self._window.show_list()
        self._window.places.select(place)
        self.ask()

    def type(self, text: str) -> None:
        """Look for something else in the same place."""
        if text != self.typed:
            self.typed = text
            self.ask()

    def order_by(self, order: str) -> None:
        """Show the same in another order: ``-updated`` is by that, descending, ``+title`` ascending."""
        self._take_order(order)
        self.ask()

    def group(self, by: str) -> None:
        """Show the same under other headings."""
        self.group_by = cast("GroupBy", by)
        self.ask()

    def reveal(self, session_id: str) -> None:
        """Select a session, in the place of all sessions if it is not listed here."""
        self.come_back()
        self._window.read()
        if self._list.select_session(session_id):
            return
        self._wanted_id = session_id
        self.place = ALL
        self._window.places.select(ALL)
        self.typed = ""
        self._window.search_field.clear()
        self.ask()

    def come_back(self) -> None:
        """Show the list again where a page stands in its room."""
        if self._window.page is not None:
            self._window.show_list()
            self._window.places.select(self.place)

    def open_first(self) -> None:
        """Give the keyboard to the list and select its first session."""
        self._window.turn_to_list()
        self._list.setFocus()
        if not self._list.current_id:
            self._list.step(1)

    def when_listed(self, then: Callable[[], None]) -> None:
        """Call ``then`` once, when the newest question is answered; now if it is."""
        if self._asking.is_running:
            self._waiting.append(then)
        else:
            then()

    def do_empty_action(self) -> None:
        """Do what the empty list offers: forget what is typed, or show all places."""
        if self.typed:
            self._window.search_field.clear()
        else:
            self.go_to(ALL)

    def ask(self) -> asyncio.Task[None]:
        """List what is wanted now, from the beginning."""
        return self._asking.start(self._answer())

    def hear(self, change: ChangeSet) -> None:
        """Bring the list in line with what changed; the selection stays."""
        if not (change.added or change.removed or change.changed or change.annotated):
            return
        if self._asking.is_running:
            self._is_behind = True
        else:
            self.ask()

    def progress(self, progress: ScanProgress) -> None:
        """Ask again when all has been read, if the index was damaged before."""
        if progress.is_done and self._is_broken:
            self.ask()

    async def _answer(self) -> None:
        try:
            await self._answer_whole()
            self._is_broken = False
        except IndexBroken as error:
            log.info("the list cannot be read: %s", error.detail)
            was_broken, self._is_broken = self._is_broken, True
            if not self._model.session_count:
                self._list.show_empty(
                    "refresh", tr("Building the list again"), tr("Sessions appear here as they are read.")
                )
            if not was_broken:
                self.broken.emit()

    async def _answer_whole(self) -> None:
        self._is_behind = True
        while self._is_behind:
            self._is_behind = False
            try:
                query = parse(self.query_text, now=clock.now().astimezone(), prefix=True)
                if self.typed.strip() and query.asks_messages():
                    await self._show_hits()
                else:
                    await self._show_list()
            except WrongUsage as error:
                self._window.search_field.set_error(str(error))
                return
            self._window.search_field.set_error("")
            self._after_listing()

    def _after_listing(self) -> None:
        if not self._model.session_count:
            self._show_empty()
        elif (focused := self._window.focusWidget()) is None or not focused.isVisible():
            self._list.setFocus()
        if self._wanted_id and self._list.select_session(self._wanted_id):
            self._wanted_id = ""
        self.listed.emit()
        waiting, self._waiting = self._waiting, []
        for then in waiting:
            then()

    async def _show_list(self) -> None:
        sort, descending = self._list_order
        keys = await self._library.keys(
            self.query_text, sort=sort, descending=descending, subagents=self.shows_subagents, typing=True
        )
        groups, first = await asyncio.gather(self._groups(keys), self._library.entries(keys[:PAGE]))
        self._model.set_keys(keys, groups)
        self._model.set_page(0, first)
        self._list.head.set_found("")

    async def _show_hits(self) -> None:
        sort: Literal["relevance", "time"] = "time" if self.sort in ("updated", "created") else "relevance"
        result = await self._library.search(self.query_text, limit=HITS, sort=sort, typing=True)
        keys = list(dict.fromkeys(hit.session_key for hit in result.hits))
        entries = {entry.key: entry for entry in await self._library.entries(keys)}
        self._model.set_hits(hit_groups(result.hits, entries))
        self._list.head.set_found(_found(result))

    def _show_empty(self) -> None:
        if self.typed.strip():
            self._list.show_empty(
                "search", tr("Nothing matches"), tr("Try fewer words or another place."), tr("Clear the search")
            )
        elif self.place.kind == "lost":
            self._list.show_empty(
                "shield-check",
                tr("Nothing is lost at the source"),
                tr("What agents lose stays here, and stands in this place."),
                tr("Show all sessions"),
            )
        elif self.place.kind != "all":
            self._list.show_empty(
                "sessions", tr("Nothing in {title}").format(title=tr(self.place.title)), "", tr("Show all sessions")
            )
        else:
            self._list.show_empty(
                "sessions", tr("No sessions yet"), tr("What your agents write appears here by itself.")
            )

    @property
    def _list_order(self) -> tuple[Sort, bool]:
        """Headings need their values together: grouping by project or agent sorts by it, from A to Z unless asked."""
        if self.group_by in ("project", "agent"):
            return self.group_by, self.descending and self.sort == self.group_by
        return self.sort, self.descending

    async def _groups(self, keys: array[int]) -> Sequence[Group]:
        match self.group_by:
            case "day" if self.sort in ("updated", "created"):
                times = await self._library.times(keys, self.sort)
                return day_groups([time or 0 for time in times], clock.now(), descending=self.descending)
            case "project":
                runs = await self._library.runs(keys, "project")
                return groups_of(runs, lambda path: project_name(path) or tr("No project"))
            case "agent":
                return groups_of(await self._library.runs(keys, "agent"), self._agent_name)
        return ()

    def _agent_name(self, agent: str) -> str:
        info = self.agents.get(agent)
        return info.name if info else agent

    def _take_order(self, order: str) -> None:
        self.sort = cast("Sort", order[1:])
        self.descending = order.startswith("-")

    async def _bring_page(self, page: int) -> None:
        keys = self._model.page_keys(page)
        try:
            entries: list[SessionEntry] = await self._library.entries(keys)
        except IndexBroken:
            self._model.set_page(page, ())
            self.ask()
            return
        if keys == self._model.page_keys(page):
            self._model.set_page(page, entries)


def _found(result: SearchResult) -> str:
    messages = counted(result.total_messages, "message", "messages")
    words = f"{messages} in {counted(result.total_sessions, 'session', 'sessions')}"
    if not result.is_exact:
        words = tr("more than {words}").format(words=words)
    shown = len(result.hits)
    return words if shown >= result.total_messages else f"{words}, best {count(shown)} shown"
