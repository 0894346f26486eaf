"""The sessions that Holdfast itself keeps, as the whole window knows them: counts, what is live, what wants a person.

Nothing of it is asked for before the first paint; nothing of it blocks the
window: what the check at the start found is a bar or a page.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from holdfast_core import clock
from holdfast_core.errors import HoldfastError
from holdfast_core.model.held import is_held_id
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication

from holdfast_gui.models.places import ALL, RECOVERY, Kept
from holdfast_gui.tasks import Latest, ask
from holdfast_gui.text import counted, later, title, tr
from holdfast_gui.views.notice import NoticeAction, NoticeBar
from holdfast_gui.views.summary import SummarySheet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast_core.library import Library
    from holdfast_core.model.changes import ChangeSet, ScanReport
    from holdfast_core.model.held import HeldEntry
    from holdfast_core.model.keeping import FieldNotice, HeldProblem, KeyStatus, StartSummary, TrashEntry, Unclean
    from holdfast_core.model.live import LiveEntry, LiveEvent

    from holdfast_gui.actions.browse import Browser
    from holdfast_gui.actions.reading import Reading
    from holdfast_gui.actions.troubles import Troubles
    from holdfast_gui.tasks import Scope
    from holdfast_gui.views.window import MainWindow

log = logging.getLogger(__name__)

UNREAD: Final = "is:problem -is:held"
"""What the search field would say for agents' sessions that cannot be read as they are."""
HELD_TROUBLE: Final = "is:problem is:held"
RECOVER: Final = NoticeAction("view.recovery", later("Recover…"), is_primary=True)
DETAILS: Final = NoticeAction("held.summary", later("Show details"))
REPAIR: Final = NoticeAction("held.repair", later("Repair"), is_primary=True)
UNLOCK: Final = NoticeAction("held.unlock", later("Unlock…"), is_primary=True)
KEEP: Final = "keep"
SOON_MS: Final = 1500


class Keeping(QObject):
    """``changed`` tells that something was counted anew, ``live_changed`` that a live session did anything."""

    changed = Signal()
    live_changed = Signal()
    action_wanted = Signal(str)

    def __init__(
        self,
        window: MainWindow,
        library: Library,
        scope: Scope,
        *,
        browser: Browser,
        reading: Reading,
        troubles: Troubles,
    ) -> None:
        super().__init__(window)
        self.unclean: Sequence[Unclean] = ()
        self.problems: Sequence[HeldProblem] = ()
        self.trash: Sequence[TrashEntry] = ()
        self.keys: KeyStatus | None = None
        self.summary: StartSummary | None = None
        self.report: ScanReport | None = None
        self._deleted: list[str] = []
        self.restored: tuple[str, int] | None = None
        """The session that went back to an earlier version last, and the version that it was before."""
        self._given_back = ""
        self.bar = NoticeBar()
        self.idle_bar = NoticeBar()
        self._window, self._library, self._scope = window, library, scope
        self._browser, self._reading, self._troubles = browser, reading, troubles
        self._idle_id = ""
        self._noticed: tuple[tuple[str, int], Sequence[FieldNotice]] = (("", 0), ())
        self._looking = Latest(scope, "held sessions")
        self._is_behind = False
        self._soon = QTimer(self)  # a live session changes all the time
        self._soon.setSingleShot(True)
        self._soon.setInterval(SOON_MS)
        self._soon.timeout.connect(self.look)
        self._ends: list[Callable[[], None]] = []
        for bar in (self.bar, self.idle_bar):
            window.add_bar(bar)
        self.bar.action_pressed.connect(self.action_wanted)
        self.idle_bar.action_pressed.connect(self._on_idle_action)

    @property
    def deleted(self) -> list[str]:
        """What was deleted last and can be put back in one step; one thing at a time can be undone."""
        return self._deleted

    @deleted.setter
    def deleted(self, ids: list[str]) -> None:
        self._deleted, self.restored, self._given_back = ids, None, ""

    @property
    def given_back(self) -> str:
        """The session whose agent got a version of it back last, which can be undone in one step."""
        return self._given_back

    @given_back.setter
    def given_back(self, session_id: str) -> None:
        self.deleted = []
        self._given_back = session_id

    @property
    def live(self) -> list[LiveEntry]:
        """What is live in this program, the first started first."""
        return self._library.held.live() if self._ends else []

    @property
    def is_locked(self) -> bool:
        """Whether held sessions are encrypted and cannot be read now."""
        return self.keys is not None and self.keys.is_encrypted and not self.keys.is_unlocked

    @property
    def unverified(self) -> set[str]:
        """Imports that are read-only until the person adopts them."""
        return {problem.id for problem in self.problems if problem.code == "unverified"}

    def live_entry(self, session_id: str) -> LiveEntry | None:
        """Return a session that is live in this program."""
        return next((entry for entry in self.live if entry.id == session_id), None)

    async def begin(self) -> None:
        """Listen from now on, say what the check at the start found, and offer what is to be recovered."""
        held = self._library.held
        self._ends = [
            held.summaries.add(self._on_summary),
            held.changes.add(self._on_change),
            held.events.add(self._on_live),
        ]
        try:
            self._on_summary(await held.start_check())
        except HoldfastError as error:  # the library tells of it by itself
            log.info("held sessions cannot be checked: %s", error.detail)
        await self._look()
        self._welcome()

    def close(self) -> None:
        """Stop listening."""
        self._soon.stop()
        while self._ends:
            self._ends.pop()()

    def look(self) -> None:
        """Count again, once however much changes meanwhile."""
        if not self._ends:
            return
        if self._looking.is_running:
            self._is_behind = True
        else:
            self._looking.start(self._look())

    def hear(self, change: ChangeSet) -> None:
        """Count again if something of ours changed, be it by another program."""
        ids = (*change.added, *change.changed, *change.removed)
        if any(map(is_held_id, ids)) and not self._soon.isActive():
            self._soon.start()

    def take_report(self, report: ScanReport) -> None:
        """Remember which agents' files could not be looked through."""
        self.report = report
        self.changed.emit()

    async def show_summary(self) -> None:
        """Show all that the check at the start found and did."""
        if self.summary is not None:
            self.bar.hide()
            await ask(SummarySheet(self._window, self.summary))

    def show_detail(self) -> None:
        """Bring the details of the open session in line with how it is kept."""
        session_id = self._reading.session_id
        if is_held_id(session_id) and self._ends and self._reading.loaded is not None:
            self._scope.spawn(self._show_detail(session_id), "details of a held session")

    async def _show_detail(self, session_id: str) -> None:
        section = self._window.detail.held
        try:
            entry = await self._library.held.listed(session_id)
            backups = await self._library.held.backups(session_id)
            notices = await self._notices(entry)
        except HoldfastError as error:
            log.info("how a session is kept cannot be shown: %s", error.detail)
            return
        if self._reading.session_id != session_id:
            return
        info = self._reading.agents.get(entry.agent)
        now = clock.now()
        section.set_held(entry, self.live_entry(session_id), now, agent=info.name if info else entry.agent)
        section.set_notices(notices)
        section.set_versions(backups, now)
        self._window.detail.show_held()

    async def _notices(self, entry: HeldEntry) -> Sequence[FieldNotice]:
        """Return what was made good in a session; asked once for each state of it, as the whole of it is read."""
        state = (entry.id, entry.updated_ms)
        if self._noticed[0] != state:
            self._noticed = (state, await self._library.held.made_good(entry.id))
        return self._noticed[1]

    async def _look(self) -> None:
        self._is_behind = True
        while self._is_behind:
            self._is_behind = False
            try:
                self.unclean = await self._library.held.recovery()
                self.problems = await self._library.held.problems()
                self.trash = await self._library.held.trash()
                self.keys = await self._library.held.keys()
                listed = await self._library.keys(HELD_TROUBLE)
            except HoldfastError as error:
                log.info("held sessions cannot be counted: %s", error.detail)
            else:
                self._show_counts(max(0, len(self.problems) - len(listed)))
        self.changed.emit()

    def _show_counts(self, unlisted: int) -> None:
        kept = Kept(len(self.live), unlisted, len(self.trash), len(self.unclean))
        self._window.places.set_kept(kept)

    def _on_summary(self, summary: StartSummary) -> None:
        self.summary = summary
        # What was cut off has a page of its own.
        is_more = len(summary.notes) > (1 if summary.unclean else 0)
        if not is_more:
            return
        ways = (DETAILS, REPAIR) if summary.wrong_permissions else (DETAILS,)
        things = counted(len(summary.notes), "thing", "things")
        is_bad = bool(summary.quarantined or summary.truncated or summary.rolled_back)
        self.bar.show_notice(
            self.tr("The check at the start found {things}.").format(things=things),
            " ".join(summary.notes[:2]),
            kind="wait" if is_bad else "info",
            actions=ways,
        )

    def _welcome(self) -> None:
        if self.is_locked:
            self.bar.show_notice(
                self.tr("Your held sessions are locked."),
                self.tr("They are encrypted. Unlock them to read, search and continue them."),
                kind="info",
                actions=(UNLOCK,),
            )
        if not self.unclean:
            return
        if self._is_free:
            self._window.places.choose(RECOVERY)
            return
        sessions = counted(len(self.unclean), "session was", "sessions were")
        words = self.tr("{sessions} cut off when Holdfast or the computer stopped.").format(sessions=sessions)
        self.bar.show_notice(words, self.tr("All that was saved is here."), kind="wait", actions=(RECOVER,))

    @property
    def _is_free(self) -> bool:
        """Whether the person has not begun to do anything yet that a page would push aside."""
        is_typing = self._window.search_field.line.hasFocus() or bool(self._browser.typed)
        is_elsewhere = self._window.page is not None or self._browser.place != ALL
        return not (is_typing or is_elsewhere or QApplication.activeModalWidget() or self._reading.session_id)

    def _on_change(self, change: ChangeSet) -> None:
        if change.added or change.removed:
            self.look()
        elif not self._soon.isActive():
            self._soon.start()
        if self._reading.session_id in change.changed:
            self.show_detail()

    def _on_live(self, event: LiveEvent) -> None:
        """Follow what live sessions do. That one was saved is seen where it is shown, and told nowhere else."""
        entry = event.entry
        if event.kind == "idle_warning":
            self._warn(entry, event.message)
        elif entry.id == self._idle_id and entry.state != "idle":
            self._idle_id = ""
            self.idle_bar.hide()
        if event.kind in ("failed", "crashed") and (event.message or entry.reason):
            self._tell_failure(event)
        elif event.kind == "closed" and event.message:
            self._tell_closed(event)
        if event.kind in ("created", "resumed", "closed", "crashed"):
            self.look()
        if entry.id == self._reading.session_id:
            self._show_live(event)
        self.live_changed.emit()

    def _show_live(self, event: LiveEvent) -> None:
        if event.kind in ("saved", "failed", "message"):
            self._window.detail.held.set_live(self.live_entry(event.entry.id), clock.now())
        else:
            self.show_detail()

    def _warn(self, entry: LiveEntry, message: str) -> None:
        self._idle_id = entry.id
        self.idle_bar.show_notice(
            f"“{title(entry.title)}”",
            message,
            kind="wait",
            actions=(NoticeAction(KEEP, self.tr("Keep it open"), is_primary=True), NoticeAction("show", tr("Show"))),
        )

    def _on_idle_action(self, action: str) -> None:
        session_id = self._idle_id
        if action == KEEP and session_id:
            self._scope.spawn(self._library.held.keep(session_id), "keep a session open")
        elif session_id:
            self._browser.reveal(session_id)

    def _tell_failure(self, event: LiveEvent) -> None:
        words = event.message or self.tr("The session ended by itself: {reason}.").format(reason=event.entry.reason)
        self._troubles.tell(
            f"“{title(event.entry.title)}”: {words}", NoticeAction("view.live", self.tr("Show live sessions"))
        )

    def _tell_closed(self, event: LiveEvent) -> None:
        if event.entry.save_error:
            self._tell_failure(event)
        else:
            self.bar.show_notice(f"“{title(event.entry.title)}”", event.message, kind="info")
