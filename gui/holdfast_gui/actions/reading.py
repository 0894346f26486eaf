"""The session that is open: read, shown at the right message, and followed while its agent writes it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from holdfast_core import clock
from holdfast_core.errors import HoldfastError, NotFound, SourceError
from PySide6.QtCore import QObject, Signal

from holdfast_gui.models.held import with_held
from holdfast_gui.models.vault import REPAIR, LossNotice, expiry_notice, loss_notice
from holdfast_gui.models.versions import LOSING
from holdfast_gui.tasks import Latest, Scope
from holdfast_gui.text import counted, title, tr
from holdfast_gui.views.notice import NoticeAction

if TYPE_CHECKING:
    from holdfast_core.library import Library, Loaded
    from holdfast_core.model.agent import AgentInfo
    from holdfast_core.model.changes import ChangeSet
    from holdfast_core.model.session import Session, SessionEntry
    from holdfast_core.model.vault import Expiring, Version

    from holdfast_gui.views.notice import NoticeKind
    from holdfast_gui.views.transcript.pane import TranscriptPane
    from holdfast_gui.views.window import MainWindow

log = logging.getLogger(__name__)

PATIENCE_SECONDS: Final = 0.12


class Reading(QObject):
    """Shows one session at a time in the right half of the window; ``turned`` tells that it is another one."""

    turned = Signal()

    def __init__(self, window: MainWindow, transcript: TranscriptPane, library: Library, scope: Scope) -> None:
        super().__init__(window)
        self.session_id = ""
        self.gone_id = ""
        """A session that was open and is not there any more."""
        self.entry: SessionEntry | None = None
        self.version: Version | None = None
        """The version that stands in the transcript; None for the session as it is."""
        self.agents: dict[str, AgentInfo] = {}
        self._window = window
        self._transcript = transcript
        self._library = library
        self._loaded: Loaded | None = None
        self._versions: Sequence[Version] = ()
        self._expiring: Expiring | None = None
        self._lost: dict[str, int] = {}
        self._opening = Latest(scope, "open a session")
        self._following = Latest(scope, "follow a session")
        self._is_behind = False
        self._has_notice = False

    @property
    def loaded(self) -> Loaded | None:
        """The open session as it was read, None while it is being read."""
        return self._loaded

    def open(self, session_id: str, *, message_index: int = -1, terms: Sequence[str] = ()) -> None:
        """Show a session; the same one again only moves to the message and marks the words."""
        if session_id == self.session_id and self._loaded is not None:
            self.back_to_now()
            self._point(message_index, terms)
            return
        self.session_id, self.gone_id = session_id, ""
        self.version, self._versions, self._expiring = None, (), None
        self._loaded = None
        self._following.cancel()
        if not session_id:
            self._opening.cancel()
            self._clear()
            return
        self._opening.start(self._open(session_id, message_index, tuple(terms)))

    def open_again(self) -> None:
        """Read the open session anew, as it may be readable now or not any more."""
        session_id, self.session_id = self.session_id, ""
        if session_id:
            self.open(session_id)

    def show_version(self, session: Session, version: Version, *, message_index: int = -1) -> None:
        """Show a version in place of the open session, until `back_to_now` or another one is opened."""
        if self._loaded is None or session.id != self.session_id:
            return
        self.version = version
        self._transcript.set_session(session, self.agents[self._loaded.entry.agent])
        self._point(message_index, ())
        self._hide_notice()
        self.turned.emit()

    def back_to_now(self) -> None:
        """Show the session as it is again where a version stands in its place."""
        if self.version is not None and self._loaded is not None:
            self.version = None
            self._transcript.set_session(self._loaded.session, self.agents[self._loaded.entry.agent])
            self._show_notice(self.entry or self._loaded.entry)
            self.turned.emit()

    def know(self, versions: Sequence[Version], expiring: Expiring | None) -> None:
        """Take what the vault has of the open session, and when its agent deletes it, into what is said of it."""
        is_new = (self._versions, self._expiring) != (versions, expiring)
        self._versions, self._expiring = versions, expiring
        if is_new and self.entry is not None and (not self._has_notice or self._window.notice.words):
            self._show_notice(self.entry)

    def hear(self, change: ChangeSet) -> None:
        """Follow the open session; remember what was lost of any that the vault does not have."""
        for lost in change.lost:
            if lost.reason in LOSING:  # the vault found it: the session's row tells of it for as long as it is so
                continue
            self._lost[lost.id] = self._lost.get(lost.id, 0) + lost.messages
        if self.session_id not in change.changed + change.annotated + change.removed:
            return
        if self._following.is_running:
            self._is_behind = True
        else:
            self._following.start(self._follow(self.session_id))

    async def show_child(self, session_id: str) -> None:
        """Hand a subagent's session to the transcript, which shows it below the call that started it."""
        try:
            loaded = await self._library.load(session_id)
        except HoldfastError as error:
            log.info("a subagent's session cannot be shown in place: %s", error.detail)
            return
        self._transcript.add_child(loaded.session)

    async def _open(self, session_id: str, message_index: int, terms: tuple[str, ...]) -> None:
        slow = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._transcript.show_loading)
        try:
            self._show_entry(await self._library.entry(session_id))
            loaded = await self._library.load(session_id)
        except HoldfastError as error:
            slow.cancel()
            self._show_failure(error)
            return
        finally:
            slow.cancel()
        self._loaded = loaded
        agent = await self._agent(loaded.entry.agent)
        self._window.head.set_entry(loaded.entry, agent)
        self._transcript.set_session(loaded.session, agent)
        self._show_closed(loaded, agent)
        self._point(message_index, terms)
        self.turned.emit()
        await self._show_details(loaded.entry)

    async def _follow(self, session_id: str) -> None:
        try:
            self._is_behind = True
            while self._is_behind:
                self._is_behind = False
                self._show_entry(await self._library.entry(session_id))
                await self._append()
        except HoldfastError as error:
            self._show_failure(error)
            return
        if self.entry is not None:
            await self._show_details(self.entry)

    async def _append(self) -> None:
        if self._loaded is None or self.entry is None:
            return
        if _loss(self._loaded.entry) != _loss(self.entry):
            await self._read_whole()
            return
        followed = await self._library.follow(self._loaded)
        if followed.loaded is not self._loaded:
            self._loaded = followed.loaded
            if self.version is None:
                self._transcript.append(followed.loaded.session, followed.first_index)
            self._show_closed(followed.loaded, await self._agent(followed.loaded.entry.agent))

    async def _read_whole(self) -> None:
        """Read the open session anew, as its source has lost something, or has it again."""
        before = self._loaded
        self._loaded = loaded = await self._library.load(self.session_id)
        is_same = before is not None and before.session.messages == loaded.session.messages
        if self.version is None and not is_same:
            self._transcript.append(loaded.session, 0)
        self.turned.emit()

    def _show_closed(self, loaded: Loaded, agent: AgentInfo) -> None:
        """Say that only its agent can show a session, where nothing of it can be read."""
        if loaded.entry.opaque and not loaded.session.messages:
            home = str(self._library.survey.home)
            self._transcript.closed.set_entry(loaded.entry, agent, now=clock.now(), home=home)
            self._transcript.show_closed()

    async def _show_details(self, entry: SessionEntry) -> None:
        try:
            plan = await self._library.resume_plan(entry.id)
            resume_text = " ".join(plan.argv)
        except HoldfastError as error:
            resume_text = str(error)
        self._transcript.closed.set_way(resume_text)
        detail = self._window.detail
        detail.set_entry(entry, resume_text, agent=self.agents.get(entry.agent))
        if entry.subagent_count:
            detail.set_subagents(await self._library.children(entry.id))
        if self._loaded is not None and self._loaded.entry.id == entry.id:
            detail.set_problems(self._loaded.session.problems)

    def _point(self, message_index: int, terms: Sequence[str]) -> None:
        self._transcript.set_hits(list(terms), jumps=message_index < 0)
        if message_index >= 0:
            self._transcript.scroll_to_message(message_index)

    def _show_entry(self, entry: SessionEntry) -> None:
        self.entry = entry
        self._window.show_session()
        self._window.setWindowTitle(title(entry.title))
        self._window.head.set_entry(entry, self.agents.get(entry.agent))
        self._show_notice(entry)
        self.turned.emit()

    def _show_notice(self, entry: SessionEntry) -> None:
        if self.version is not None:  # another bar says what is read
            return
        name = self._agent_name(entry.agent)
        known = loss_notice(entry, name, clock.now(), self._versions)
        if known is not None:
            self._lost.pop(entry.id, None)
            self._say(known, kind="wait")
        elif lost := self._lost.get(entry.id, 0):
            gone = counted(lost, "message is", "messages are")
            self._window.notice.show_notice(
                tr("{gone} gone at the source").format(gone=gone), tr("What is left is shown here."), kind="bad"
            )
        elif entry.problem_count:
            unread = counted(entry.problem_count, "record", "records")
            self._window.notice.show_notice(
                tr("{unread} could not be read").format(unread=unread),
                tr("The rest is shown here."),
                kind="wait",
                actions=(NoticeAction(REPAIR, tr("Repair…")),) if self._versions else (),
            )
        elif self._expiring is not None:
            self._say(expiry_notice(self._expiring, name), kind="info" if self._expiring.is_safe else "wait")
        elif entry.opaque and entry.message_count:
            self._window.notice.show_notice(
                tr("The answers are kept closed by their agent"),
                tr("What is known of them is shown here."),
                kind="wait",
            )
        else:
            self._hide_notice()
            return
        self._has_notice = True

    def _say(self, notice: LossNotice, *, kind: NoticeKind) -> None:
        ways = [NoticeAction(way.action, way.label, is_primary=way.is_primary) for way in notice.ways]
        self._window.notice.show_notice(notice.headline, notice.detail, kind=kind, actions=ways)

    def _agent_name(self, agent: str) -> str:
        info = self.agents.get(agent)
        return info.name if info else agent

    def _hide_notice(self) -> None:
        """Put away what was said of a session; what concerns all of them stays."""
        if self._has_notice:
            self._has_notice = False
            self._window.notice.hide()

    def _show_failure(self, error: HoldfastError) -> None:
        log.info("a session cannot be shown: %s", error.detail)
        if isinstance(error, NotFound) or (isinstance(error, SourceError) and error.reason == "gone"):
            self._let_go(error)
        self._window.show_session()
        self._transcript.show_error(str(error))
        self.turned.emit()

    def _let_go(self, error: HoldfastError) -> None:
        """Offer nothing any more that could be done with a session that is not there, and say why."""
        if self.entry is not None:
            gone = tr("It cannot be resumed: {why}").format(why=str(error))
            self._window.head.set_entry(self.entry, self.agents.get(self.entry.agent), gone=gone)
        self.gone_id, self.entry, self._loaded = self.session_id, None, None
        self._hide_notice()

    def _clear(self) -> None:
        self.entry = None
        self._window.show_nothing()
        self._window.setWindowTitle("Holdfast")
        self._transcript.clear()
        self._hide_notice()
        self.turned.emit()

    async def _agent(self, agent: str) -> AgentInfo:
        """Return how an agent looks, also before the counts have come."""
        if agent not in self.agents:
            self.agents = {info.agent: info for info in with_held(await self._library.agents())}
        return self.agents[agent]


def _loss(entry: SessionEntry) -> tuple[int, bool, str]:
    return entry.lost_messages, entry.is_gone, entry.damage
