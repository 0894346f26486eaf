"""How the library's held sessions are worked on: in threads, timed, written down, shown in the index."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import msgspec

from holdfast_core.errors import HoldfastError, Locked, NotFound
from holdfast_core.library.parts import Parts, outcome_of
from holdfast_core.model.changes import ChangeSet
from holdfast_core.model.held import HeldEntry, HeldSession, is_held_id
from holdfast_core.model.keeping import RetentionReport, StartSummary
from holdfast_core.observe import Observers

if TYPE_CHECKING:
    from holdfast_core.library import Library
    from holdfast_core.model.health import OperationName
    from holdfast_core.store.permissions import Wrong
    from holdfast_core.store.source import HeldSource
    from holdfast_core.store.store import Store

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")


_LOCKED = "Your held sessions are encrypted. Enter the passphrase or the recovery code to unlock them."


class Works:
    """What every part of `Held` is made with. The check at the start comes before the first list."""

    def __init__(self, library: Library, parts: Parts) -> None:
        self.summaries: Observers[StartSummary] = Observers()
        self.changes: Observers[ChangeSet] = Observers()
        self.parts = parts
        self._library = library
        self._loop: asyncio.AbstractEventLoop | None = None
        self._check: asyncio.Task[StartSummary] | None = None
        self._is_watched = False
        self._changed: set[str] = set()
        self._lock = threading.Lock()

    @cached_property
    def source(self) -> HeldSource:
        """The sessions as an agent's are read; encrypted ones too, where they are unlocked in this process."""
        from holdfast_core.store.source import HeldSource

        return HeldSource(self.parts.directory, self.parts.keys, encrypted_in_index="everything")

    @property
    def indexed(self) -> HeldSource:
        """The sessions as they may stand in the index."""
        from holdfast_core.store.source import HeldSource

        return HeldSource(self.parts.directory, self.parts.keys, encrypted_in_index=self.parts.encrypted_in_index)

    async def start_check(self) -> StartSummary:
        """Check the store once in the life of this library and return what was found and done; then tell ``summaries``.

        Every call after the first gives the same answer, but after a failure it
        is tried again. Lists wait for it. A library with an indexer, a window's,
        also lets the limits hold: what is too old or too much goes to the
        trash, and out of it what has expired.

        Raises:
            HoldfastError: the store cannot be opened or read.
        """
        if self._check is None or (self._check.done() and self._check.exception() is not None):
            self._check = asyncio.create_task(self._checked(), name="check of held sessions")
        return await asyncio.shield(self._check)

    async def _checked(self) -> StartSummary:
        open_to_others = await self._library.in_thread(self._own_directories)
        if not await self._library.in_thread(lambda: self.parts.has_store):
            found = StartSummary()
        else:
            found = await self._do("store.check", "", lambda store: store.check(), operation="start", is_reading=True)
        if open_to_others:
            found = msgspec.structs.replace(
                found,
                wrong_permissions=found.wrong_permissions + len(open_to_others),
                notes=(*found.notes, *_told(open_to_others)),
            )
        if self._library.is_started and self.parts.has_store:
            found = msgspec.structs.replace(found, notes=(*found.notes, *await self._tidied()))
        self.summaries.notify(found)
        return found

    def _own_directories(self) -> list[Wrong]:
        """Return which of our directories, those without sessions among them, are not for this person alone."""
        from holdfast_core.store.permissions import look_at

        paths = self.parts.paths
        return look_at((paths.data, paths.config, paths.cache, paths.log, paths.index, paths.keys))

    async def _tidied(self) -> tuple[str, ...]:
        """Let the limits hold and return what the person is told of that."""
        try:
            report = await self._do("", "", lambda store: store.retention(apply=True))
        except HoldfastError as error:
            log.warning("held sessions could not be cleaned up: %s", error.detail or error)
            return ()
        await self._each("session.retention", report.removed, lambda store, one: None)
        return tuple(_cleaned(report))

    async def entries(self) -> list[HeldEntry]:
        """Return all held sessions, last changed first, after the check at the start.

        Raises:
            HoldfastError: the directory of the sessions cannot be read.
        """
        await self.start_check()
        return await self._look(lambda store: store.entries(), [], operation="list")

    async def listed(self, session_id: str) -> HeldEntry:
        """Return what a list shows of one session, from the store itself."""
        found = await self._look(lambda store: store.entry(session_id), None)
        if found is None:
            raise NotFound("There is no such session.", detail=session_id)
        return found

    async def load(self, session_id: str) -> HeldSession:
        """Return a whole session."""
        return await self._do(
            "session.load", session_id, lambda store: store.load(session_id), operation="load", is_reading=True
        )

    async def _look(
        self,
        work: Callable[[Store], Answer],
        nothing: Answer,
        *,
        operation: OperationName | None = None,
        event: str = "",
    ) -> Answer:
        """Ask the store something; where there never was one, nothing is made for it."""
        if not await self._library.in_thread(lambda: self.parts.has_store):
            return nothing
        return await self._do(event, "", work, operation=operation, is_reading=True)

    async def _do(
        self,
        event: str,
        subject: str,
        work: Callable[[Store], Answer],
        *,
        operation: OperationName | None = None,
        is_reading: bool = False,
    ) -> Answer:
        """Have the store do something in a thread, timed and written down, and show in the index what it changed.

        Without an ``event`` nothing is written down.
        """
        (answer,) = await self._each(
            event, [subject], lambda store, _: work(store), operation=operation, is_reading=is_reading
        )
        return answer

    async def _each(
        self,
        event: str,
        subjects: Sequence[str],
        work: Callable[[Store, str], Answer],
        *,
        operation: OperationName | None = None,
        is_reading: bool = False,
    ) -> list[Answer]:
        """Do as `_do` for one session after the other; if one fails, those before it are done."""
        self._loop = asyncio.get_running_loop()

        def one(store: Store, subject: str) -> Answer:
            # What is no id may be anything, so that the log gets a fingerprint of it.
            named = subject if not subject or is_held_id(subject) else f"no id: {subject}"
            try:
                with self.parts.timed(operation) if operation else nullcontext():
                    answer = work(store, subject)
            except HoldfastError as error:
                if event:
                    self.parts.record(event, named, outcome_of(error), is_reading=is_reading)
                if _is_locked(error):
                    raise Locked(_LOCKED, detail=error.detail) from error
                raise
            if event:
                self.parts.record(event, named, is_reading=is_reading)
            return answer

        def run() -> list[Answer]:
            store = self._store()
            return [one(store, subject) for subject in subjects]

        try:
            return await self._library.in_thread(run)
        finally:
            await self._show()

    def _store(self) -> Store:
        store = self.parts.store()
        with self._lock:
            if not self._is_watched:
                store.changes.add(self._noticed)
                self._is_watched = True
        return store

    def _noticed(self, changes: ChangeSet) -> None:
        """Note what changed, in the thread that changed it."""
        with self._lock:
            self._changed.update((*changes.added, *changes.changed, *changes.removed))
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.changes.notify, changes)

    async def _show(self) -> None:
        """Show in the index what was changed here since the last time."""
        with self._lock:
            ids, self._changed = self._changed, set()
        if ids:
            places = self.parts.store().site.places
            try:
                await self._library.showing.changed([places.session(session_id) for session_id in sorted(ids)])
            except HoldfastError as error:  # what was done is done; the next look everywhere shows it
                log.warning("the index does not show a change of held sessions yet: %s", error.detail or error)


def _cleaned(report: RetentionReport) -> Iterator[str]:
    """Yield what a person is told of a clean-up at the start: what went, and what a limit that is near asks for."""
    if report.removed:
        were = "session was" if len(report.removed) == 1 else "sessions were"
        yield f"{len(report.removed):,} {were} moved to the trash, as your limits say. They can be brought back."
    if report.is_near or report.is_full:
        yield f"You keep {report.sessions:,} held sessions, of {report.limit_sessions:,} that are allowed."
        yield from report.suggestions


def _told(wrong: Sequence[Wrong]) -> tuple[str, ...]:
    from holdfast_core.store.permissions import told

    return told(wrong)


def _is_locked(error: HoldfastError) -> bool:
    from holdfast_core.sealed.errors import SealedError

    return isinstance(error, Locked) or (isinstance(error, SealedError) and error.reason == "locked")
