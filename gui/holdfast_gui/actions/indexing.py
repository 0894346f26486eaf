"""How the index stands: counts beside the places, progress in the footer, the page of the first run."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast_core.errors import IndexBroken
from PySide6.QtCore import QObject, Signal

from holdfast_gui.tasks import Latest, Scope
from holdfast_gui.text import tr
from holdfast_gui.views.notice import NoticeAction

if TYPE_CHECKING:
    from holdfast_core.library import Library
    from holdfast_core.model.agent import AgentInfo
    from holdfast_core.model.changes import ChangeSet, ScanFailure, ScanProgress, ScanReport

    from holdfast_gui.views.window import MainWindow

log = logging.getLogger(__name__)


class Indexing(QObject):
    """Keeps counts and progress in line with the index; ``counted`` tells that they are new."""

    counted = Signal()

    def __init__(self, window: MainWindow, library: Library, scope: Scope, *, home: Path) -> None:
        super().__init__(window)
        self.is_paused = False
        self.total = 0
        self.agents: list[AgentInfo] = []
        self._window = window
        self._home = home
        self._library = library
        self._counting = Latest(scope, "count")
        self._is_behind = False
        self._is_scanning = False
        self._is_first = False
        self._is_broken = False
        self._failures: frozenset[str] = frozenset()

    @property
    def is_scanning(self) -> bool:
        """Whether everything is being looked through now."""
        return self._is_scanning

    async def count(self, *, whole: bool = True) -> None:
        """Show places, and with ``whole`` agents, as they are now; nothing changes while the index cannot be read."""
        self._is_behind = True
        while self._is_behind:
            self._is_behind = False
            try:
                if whole:
                    await self._count_agents()
                await self._count_places()
            except IndexBroken as error:
                log.info("the places cannot be counted: %s", error.detail)
                self._is_broken = True
            else:
                self._is_broken = False
            self._show_state()
            if self._is_first:
                self._show_agents()
        self.counted.emit()

    async def _count_agents(self) -> None:
        from holdfast_gui.models.held import with_held

        self.agents = with_held(await self._library.agents())

    async def _count_places(self) -> None:
        places = await self._library.places()
        self.total = places.total
        self._window.places.set_places(places, self.agents)

    def welcome(self) -> None:
        """Show the page of the first run if the index knows nothing yet."""
        if not self.total and not self._is_broken:
            self._is_first = True
            self._show_agents()
            self._window.show_first_run()

    def _show_agents(self) -> None:
        agents = [agent for agent in self.agents if agent.roots]  # all but the one for our own sessions
        self._window.first_run.set_agents(agents, home=str(self._home))

    def hear(self, _change: ChangeSet) -> None:
        """Count again, once however much changes meanwhile."""
        self._start_counting(whole=self._is_first)

    def progress(self, progress: ScanProgress) -> None:
        """Show how far a scan has come; on the very first one, on a page of its own."""
        self._is_scanning = not progress.is_done
        if self._is_first:
            self._window.first_run.set_progress(progress)
        if self._is_scanning and progress.sources_total and not self.is_paused:
            self._window.places.status.set_progress(progress)
        elif progress.is_done:
            self._start_counting(whole=True)

    async def repair(self) -> None:
        """Have everything read again, as the index turned out to be damaged."""
        self._is_broken = True
        self._show_state()
        await self._library.rescan(full=True)

    async def pause(self, *, is_paused: bool) -> None:
        """Stop looking at the agents' files, or go on."""
        await self._library.pause(is_paused)
        self.is_paused = is_paused
        self._show_state()

    def report(self, report: ScanReport) -> None:
        """Say once which agents' files cannot be looked through, and put that away when they can again."""
        failures = frozenset(failure.home or failure.agent for failure in report.failures)
        if failures - self._failures:
            names = tr(" and ").join(self._name(whose) for whose in sorted(failures))
            self._window.notice.show_notice(
                tr("The sessions of {names} cannot be looked through").format(names=names),
                tr("{why} What is listed of them stays.").format(why=_because(report.failures)),
                kind="wait",
                actions=(NoticeAction("application.rescan", tr("Look again")),),
            )
        elif self._failures and not failures:
            self._window.notice.hide()
        self._failures = failures

    def fail(self, words: str) -> None:
        """Say what keeps the index from being up to date."""
        self._window.places.status.set_problem(tr("The list may be old"), words)

    def _name(self, agent: str) -> str:
        return next((info.name for info in self.agents if info.agent == agent), agent)

    def _start_counting(self, *, whole: bool) -> None:
        """Count places, and with ``whole`` look which agents are installed, too."""
        if self._counting.is_running:
            self._is_behind = True
        else:
            self._counting.start(self.count(whole=whole))

    def _show_state(self) -> None:
        status = self._window.places.status
        if self._is_broken:
            detail = tr("Let scanning go on for it") if self.is_paused else tr("It was damaged or of another version")
            status.set_rebuilding(tr("Building the index again"), detail)
        elif self.is_paused:
            status.set_paused()
        elif not self._is_scanning:
            status.set_idle(self.total)


def _because(failures: Sequence[ScanFailure]) -> str:
    """Return what to do about it."""
    if any(failure.reason in ("EACCES", "EPERM") for failure in failures):
        return tr("You are not allowed to read a folder of theirs: change its permissions.")
    if any(failure.home for failure in failures):
        return tr("The disk or the share does not answer; it is asked again with every look.")
    return tr("A folder of theirs cannot be read: is its disk there?")
