"""How one live session stays on the disk: one thread writes, commits are grouped, the journal is folded."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing
from typing import Any, Protocol, TypeVar

from holdfast_core.errors import HoldfastError, NotNow, Refused, WrongUsage
from holdfast_core.live.timer import Alarm, Timer
from holdfast_core.metrics import Metrics
from holdfast_core.model.held import HeldEntry, HeldSession
from holdfast_core.model.message import Message

log = logging.getLogger(__name__)

COMMIT_SECONDS = 0.1
"""How long changes are gathered before they are made durable together."""
RETRY_SECONDS = 1.0
FOLD_SECONDS = range(5, 301)
_NOT_SAVED = "This session cannot be saved now. Check the disk and its permissions; what was saved before is safe."

Result = TypeVar("Result")
Claimed = AbstractContextManager[object]
Begin = Callable[[HeldSession], dict[str, Any]]


class Journal(Protocol):
    """The open end of one stored session, as a store gives it. Used from one thread."""

    @property
    def entry(self) -> HeldEntry:
        """What a list needs of the session as it is now."""

    def read(self) -> HeldSession:
        """Return the whole session as it is now."""

    def append(self, messages: Sequence[Message]) -> object:
        """Write messages; durable after `flush`. If it raises, nothing was written."""

    def set(self, **fields: Any) -> object:
        """Write fields; durable after `flush`. If it raises, nothing was written."""

    def flush(self) -> object:
        """Make durable what was written."""

    def fold(self) -> object:
        """Write what came in together with what was there, if the session is closed or it is worth it."""

    def close(self) -> object:
        """Flush what was written, and let the session go."""


class LiveStore(Protocol):
    """What live sessions ask of a store. Used from many threads."""

    def open_journal(self, session_id: str) -> Journal:
        """Return the end of a session, to write there: Refused while it is open elsewhere."""


class Saving:
    """Writes one live session: every step in one thread, in the order in which it was asked for.

    ``on_saved`` and ``on_failed`` are called in the loop's thread: after each
    commit, and with a sentence for the first failure of a row, which the next
    commit ends. A commit is tried again by itself; what was written stays in
    the journal.
    """

    def __init__(
        self,
        session_id: str,
        timer: Timer,
        metrics: Metrics,
        *,
        fold_seconds: float,
        on_saved: Callable[[], None],
        on_failed: Callable[[str], None],
    ) -> None:
        self._fold_seconds = _allowed(fold_seconds)
        self._id = session_id
        self._timer = timer
        self._metrics = metrics
        self._on_saved = on_saved
        self._on_failed = on_failed
        self._thread = ThreadPoolExecutor(1, "live")
        self._held = ExitStack()
        self._journal: Journal | None = None
        self._unsaved = asyncio.Event()
        self._folding = Alarm(timer)
        self._is_failing = False

    async def open(self, store: LiveStore, claim: Claimed, begin: Begin) -> HeldEntry:
        """Take the session for us, open the journal, and write the fields that ``begin`` gives for what is stored.

        Returns its entry. All or nothing: if anything is raised the journal is
        closed, the session is free and stored as it was.
        """

        def run() -> HeldEntry:
            with ExitStack() as stack:
                stack.enter_context(claim)
                journal = stack.enter_context(closing(_claimed_journal(store, self._id)))
                journal.set(**begin(journal.read()))
                entry = journal.entry
                self._journal, self._held = journal, stack.pop_all()
            return entry

        entry = await self._run(run)
        self._unsaved.set()
        return entry

    async def write(self, change: Callable[[Journal], object]) -> HeldEntry:
        """Write a change and return the entry with it; it is durable within a moment, which nobody waits for.

        Raises:
            HoldfastError: it could not be written; nothing of it is there.
        """

        def run() -> HeldEntry:
            change(self._open_journal())
            return self._open_journal().entry

        try:
            return await self._run(run)
        except (Refused, WrongUsage):  # the change is wrong, not the saving
            raise
        except HoldfastError as error:
            self._failed(error)
            raise
        except OSError as error:
            raise HoldfastError(self._failed(error), detail=_detail(error)) from error
        finally:
            self._unsaved.set()

    async def read(self) -> HeldSession:
        """Return the whole session as it is in the journal now."""
        return await self._run(lambda: self._open_journal().read())

    async def keep_durable(self) -> None:
        """Commit what is written, again and again, for as long as the session lives."""
        while True:
            await self._unsaved.wait()
            await self._timer.wait(RETRY_SECONDS if self._is_failing else COMMIT_SECONDS)
            await self.commit()

    async def keep_folded(self) -> None:
        """Fold the journal at every interval, for as long as the session lives."""
        while True:
            await self._folding.over(lambda: self._fold_seconds)
            try:
                await self._run(lambda: self._open_journal().fold())
            except (HoldfastError, OSError) as error:
                self._failed(error)
                self._unsaved.set()

    def fold_every(self, seconds: float) -> None:
        """Fold at this interval from now on.

        Raises:
            WrongUsage: it is not allowed.
        """
        if seconds != self._fold_seconds:
            self._fold_seconds = _allowed(seconds)
            self._folding.set_anew()

    async def commit(self) -> None:
        """Make durable what is written now; a failure is told and tried again later."""
        self._unsaved.clear()
        try:
            with self._metrics.timed("save"):
                await self._run(lambda: self._open_journal().flush())
        except (HoldfastError, OSError) as error:
            self._unsaved.set()
            self._failed(error)
        else:
            self._is_failing = False
            self._on_saved()

    async def close(self, fields: dict[str, Any]) -> None:
        """Write the last fields, fold, and let everything go; what of it fails is told, and the rest is done."""

        def run() -> None:
            with self._held:
                journal = self._open_journal()
                journal.set(**fields)
                journal.flush()
                journal.fold()

        self._is_failing = False
        try:
            with self._metrics.timed("save"):
                await self._run(run)
        except (HoldfastError, OSError) as error:
            self._failed(error)
        else:
            self._on_saved()
        finally:
            self.end()

    def end(self) -> None:
        """Let the thread go, when nothing more is to be written."""
        self._thread.shutdown(wait=False)

    def _failed(self, error: HoldfastError | OSError) -> str:
        """Log and tell the first failure of a row; returns it as a sentence for the person."""
        sentence = str(error) if isinstance(error, HoldfastError) else _NOT_SAVED
        if not self._is_failing:
            self._is_failing = True
            log.error("saving live session %s failed: %s", self._id, _detail(error))
            self._on_failed(sentence)
        return sentence

    def _open_journal(self) -> Journal:
        assert self._journal is not None, "the session was not opened"
        return self._journal

    async def _run(self, call: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)


def _claimed_journal(store: LiveStore, session_id: str) -> Journal:
    try:
        return store.open_journal(session_id)
    except Refused as error:
        raise NotNow(str(error), detail=error.detail) from error


def _allowed(fold_seconds: float) -> float:
    if fold_seconds < FOLD_SECONDS[0] or fold_seconds > FOLD_SECONDS[-1]:
        raise WrongUsage(f"Live sessions are saved every {FOLD_SECONDS[0]} to {FOLD_SECONDS[-1]} seconds.")
    return fold_seconds


def _detail(error: HoldfastError | OSError) -> str:
    detail = error.detail if isinstance(error, HoldfastError) else ""
    return detail or f"{type(error).__name__}: {error}"
