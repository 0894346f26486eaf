"""The live sessions of this process: started, changed, watched and closed in one place."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

import msgspec

from holdfast_core.errors import HoldfastError, NotFound, NotNow
from holdfast_core.live.claims import claim_project
from holdfast_core.live.idle import Idle
from holdfast_core.live.saving import LiveStore, Saving
from holdfast_core.live.session import LiveSession
from holdfast_core.live.timer import Alarm, LoopTimer, Timer
from holdfast_core.metrics import Metrics
from holdfast_core.model.held import HeldSession
from holdfast_core.model.live import LiveEntry, LiveEvent, LiveEventKind, LiveState
from holdfast_core.model.message import Message
from holdfast_core.observe import Observers

log = logging.getLogger(__name__)

_ENDED_LIMIT = 50
_CLOSED_IDLE = "This session was saved and closed because nothing happened in it. Resume it to go on."

Result = TypeVar("Result")
Confirm = Callable[[HeldSession], None]


class HostLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What the person set. 0 idle minutes is never."""

    live: int = 10
    autosave_seconds: float = 30
    idle_minutes: float = 30
    idle_warning_minutes: float = 2


class OpenProject(Protocol):
    """A directory that was checked and is held open by whoever asks for a session."""

    @property
    def identity(self) -> tuple[int, int]:
        """Its (device, inode)."""


@dataclass(slots=True)
class _Live:
    """A session with what keeps it going. ``started`` is set by a failed start too, ``ended`` when all is let go."""

    session: LiveSession
    saving: Saving
    idle: Idle
    watching: Alarm
    loops: list[asyncio.Task[None]] = field(default_factory=list)
    started: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Host:
    """Owns every live session of this process; belongs to one event loop and never blocks it.

    ``locks`` is the directory of the kernel's locks that hold over all
    processes. ``events`` tells, in the loop's thread, what happened.
    """

    def __init__(
        self,
        store: LiveStore,
        limits: HostLimits,
        timer: Timer | None = None,
        *,
        locks: Path,
        metrics: Metrics | None = None,
    ) -> None:
        self.events: Observers[LiveEvent] = Observers()
        self._store = store
        self._limits = limits
        self._timer = timer or LoopTimer()
        self._locks = locks
        self._metrics = metrics or Metrics()
        self._lives: dict[str, _Live] = {}
        self._ended: deque[LiveEntry] = deque(maxlen=_ENDED_LIMIT)
        self._steps: set[asyncio.Task[Any]] = set()
        self._is_ending = False

    def use_limits(self, limits: HostLimits) -> None:
        """Follow these limits from now on, in sessions that are live too; how many may be, for the next one."""
        is_idle_other = _idle_seconds(limits) != _idle_seconds(self._limits)
        self._limits = limits
        for live in self._lives.values():
            live.saving.fold_every(limits.autosave_seconds)
            if is_idle_other:
                live.idle.follow(**_idle_seconds(limits))
                live.watching.set_anew()

    def entries(self) -> list[LiveEntry]:
        """Return the live sessions, the first started first."""
        return [live.session.entry() for live in self._lives.values()]

    def ended(self) -> list[LiveEntry]:
        """Return the last sessions that ended here, with why and with what could not be saved, newest first."""
        return list(reversed(self._ended))

    async def document(self, session_id: str) -> HeldSession:
        """Return a live session as it is now, whole; raises what `append` does."""
        return await self._open_live(session_id).saving.read()

    async def start(self, session_id: str, *, project: OpenProject | None = None) -> LiveEntry:
        """Make a session live that was created just now.

        Raises:
            NotNow: too many are live, it is live already, or its project is open.
            HoldfastError: it cannot be read or written.
        """
        return await self._whole(self._start("created", session_id, project, lambda document: None, {}))

    async def resume(
        self,
        session_id: str,
        *,
        project: OpenProject | None = None,
        confirm: Confirm = lambda document: None,
        fields: dict[str, Any] | None = None,
    ) -> LiveEntry:
        """Make a stored session live again; all or nothing.

        ``confirm`` is called in a thread with what is stored, when nobody else
        can make it live any more and before anything is written: what it
        raises ends the attempt. ``fields`` are set with the mark.

        Raises:
            NotNow: too many are live, it is live already, or its project is open.
            HoldfastError: it cannot be read or written, or was not confirmed.
        """
        resumed = {"last_resumed_ms": self._timer.now_ms(), **(fields or {})}
        return await self._whole(self._start("resumed", session_id, project, confirm, resumed))

    async def append(self, session_id: str, *messages: Message) -> None:
        """Add messages: in the journal first, then here; durable within a moment.

        Raises:
            NotFound: the session is not live here.
            NotNow: it is being started or closed.
            HoldfastError: it could not be written; nothing of it is there.
        """
        with self._metrics.timed("append"):
            await self._whole(self._append(session_id, messages))

    async def set(self, session_id: str, **fields: Any) -> None:
        """Change fields of the document: in the journal first, then here; raises what `append` does."""
        await self._whole(self._set(session_id, fields))

    async def save(self, session_id: str) -> None:
        """Make durable what was said in a session, now, without waiting for the next commit.

        Raises:
            NotFound: the session is not live here.
            NotNow: it is being started or closed.
            HoldfastError: it could not be saved; it is tried again by itself.
        """
        live = self._open_live(session_id)
        await self._whole(live.saving.commit())
        if live.session.save_error:
            raise HoldfastError(live.session.save_error)

    def mark(self, session_id: str, state: Literal["active", "waiting"]) -> None:
        """Say that a session waits for the person's permission, or goes on.

        Raises:
            NotFound: the session is not live here.
            NotNow: it is being started or closed.
        """
        live = self._open_live(session_id)
        self._touch(live)
        if live.session.state != state:
            self._move(live, state)

    def keep(self, session_id: str) -> None:
        """Keep an idle session open: its idle time begins anew.

        Raises:
            NotFound: the session is not live here.
            NotNow: it is being started or closed.
        """
        self._touch(self._open_live(session_id))

    async def close(self, session_id: str, reason: str = "person") -> LiveEntry:
        """Save a session and close it, also if saving fails: then its entry says so and the journal has the data.

        Returns when everything of it is let go; who asks twice gets the same end.

        Raises:
            NotFound: the session is not live here.
        """
        return await self._whole(self._close(self._live(session_id), reason, "closed"))

    async def observe_end(self, session_id: str, reason: str) -> LiveEntry:
        """What ran a session has ended by itself: save what is there, let everything go, say why.

        Raises:
            NotFound: the session is not live here.
        """
        return await self._whole(self._close(self._live(session_id), reason, "crashed"))

    async def close_all(self, reason: str = "quit") -> list[LiveEntry]:
        """Close every session, those that are just starting too; none is started any more."""
        self._is_ending = True
        closing = [self._whole(self._close(live, reason, "closed")) for live in self._lives.values()]
        entries = await asyncio.gather(*closing)
        while self._steps:
            await asyncio.wait(self._steps)
        return entries

    async def _start(
        self,
        kind: Literal["created", "resumed"],
        session_id: str,
        project: OpenProject | None,
        confirm: Confirm,
        fields: dict[str, Any],
    ) -> LiveEntry:
        live = self._claim(session_id, project.identity if project else None)
        session = live.session

        def begin(document: HeldSession) -> dict[str, Any]:
            confirm(document)
            return {"is_live": True, "closed_ms": None, **fields}

        try:
            stored = await live.saving.open(self._store, claim_project(self._locks, session.project), begin)
        except BaseException:
            self._give_up(live)
            raise
        session.know(stored)
        session.move("active")
        loops = (live.saving.keep_durable(), live.saving.keep_folded(), self._watch(live))
        live.loops.extend(asyncio.create_task(loop) for loop in loops)
        live.started.set()
        self._tell(kind, session)
        return session.entry()

    def _claim(self, session_id: str, project: tuple[int, int] | None) -> _Live:
        """Take the place of a session, in one step of the loop: of several who ask, one gets it."""
        if self._is_ending:
            raise NotNow("Holdfast is being closed.")
        if session_id in self._lives:
            raise NotNow("This session is live already. Go on in it, or close it first.")
        if project and any(live.session.project == project for live in self._lives.values()):
            raise NotNow("The project of this session is open in another live session. Close that one first.")
        if len(self._lives) >= self._limits.live:
            raise NotNow(
                f"{self._limits.live} sessions are live, more are not allowed. Close one, or raise the limit in the "
                "settings."
            )
        session = LiveSession(session_id, project=project, now_ms=self._timer.now_ms())
        live = _Live(session, self._saving(session), self._idle(), Alarm(self._timer))
        self._lives[session_id] = live
        return live

    def _saving(self, session: LiveSession) -> Saving:
        def saved() -> None:
            session.saved_ms, session.save_error = self._timer.now_ms(), ""
            self._tell("saved", session)

        def failed(sentence: str) -> None:
            session.save_error = sentence
            self._tell("failed", session, sentence)

        return Saving(
            session.id,
            self._timer,
            self._metrics,
            fold_seconds=self._limits.autosave_seconds,
            on_saved=saved,
            on_failed=failed,
        )

    def _idle(self) -> Idle:
        return Idle(**_idle_seconds(self._limits), now=self._timer.seconds())

    def _give_up(self, live: _Live) -> None:
        """Take back a start that failed; the stored session is as it was."""
        live.session.reason = "not started"
        live.session.move("closing")
        live.session.move("closed")
        live.saving.end()
        del self._lives[live.session.id]
        live.started.set()
        live.ended.set()

    async def _append(self, session_id: str, messages: tuple[Message, ...]) -> None:
        live = self._open_live(session_id)
        live.session.know(await live.saving.write(lambda journal: journal.append(messages)))
        self._touch(live)
        self._tell("message", live.session)

    async def _set(self, session_id: str, fields: dict[str, Any]) -> None:
        live = self._open_live(session_id)
        live.session.know(await live.saving.write(lambda journal: journal.set(**fields)))
        self._touch(live)
        self._tell("state", live.session)

    def _touch(self, live: _Live) -> None:
        live.session.touch(self._timer.now_ms())
        live.idle.touch(self._timer.seconds())
        if live.session.state == "idle":
            self._move(live, "active")

    async def _watch(self, live: _Live) -> None:
        """Warn of the end of an idle session, then close it."""
        while True:
            await live.watching.over(lambda: live.idle.wait_seconds(self._timer.seconds()))
            step = live.idle.step(self._timer.seconds())
            if step == "warn":
                self._warn(live)
            elif step == "close":
                self._own(self._close(live, "idle", "closed"))
                return

    def _warn(self, live: _Live) -> None:
        if live.session.state == "active":
            self._move(live, "idle")
        left = max(0.0, (live.idle.ends_at or 0.0) - self._timer.seconds())
        self._tell(
            "idle_warning",
            live.session,
            f"Nothing has happened in this session for a while. It is saved and closed in {_duration(left)} unless "
            "you keep it.",
        )

    async def _close(self, live: _Live, reason: str, end: Literal["closed", "crashed"]) -> LiveEntry:
        await live.started.wait()
        session = live.session
        if not session.is_open:
            await live.ended.wait()
            return session.entry()
        session.reason = reason
        self._move(live, "closing")
        for loop in live.loops:
            loop.cancel()
        try:
            await live.saving.close({"is_live": False, "closed_ms": self._timer.now_ms()})
        finally:
            session.move(end)
            del self._lives[session.id]
            self._ended.append(session.entry())
            live.ended.set()
        if end == "crashed":
            log.warning("live session %s ended by itself: %s", session.id, reason)
        self._tell(end, session, session.save_error or (_CLOSED_IDLE if reason == "idle" else ""))
        return session.entry()

    def _live(self, session_id: str) -> _Live:
        live = self._lives.get(session_id)
        if live is None:
            raise NotFound("This session is not live.")
        return live

    def _open_live(self, session_id: str) -> _Live:
        live = self._live(session_id)
        if not live.session.is_open:
            raise NotNow("This session is being started or closed. Try again in a moment.")
        return live

    def _move(self, live: _Live, state: LiveState) -> None:
        live.session.move(state)
        self._tell("state", live.session)

    def _tell(self, kind: LiveEventKind, session: LiveSession, message: str = "") -> None:
        self._metrics.count(kind)
        self.events.notify(LiveEvent(kind, session.entry(), message))

    async def _whole(self, step: Coroutine[Any, Any, Result]) -> Result:
        """Run a step to its end, also if whoever asked for it goes away."""
        return await asyncio.shield(self._own(step))

    def _own(self, step: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        task = asyncio.create_task(step)
        self._steps.add(task)
        task.add_done_callback(self._steps.discard)
        return task


def _idle_seconds(limits: HostLimits) -> dict[str, float]:
    return {"after_seconds": limits.idle_minutes * 60, "warning_seconds": limits.idle_warning_minutes * 60}


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes} minutes" if minutes > 1 else "a minute"
