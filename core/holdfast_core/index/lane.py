"""One reader of the index in a thread of its own, asked from an event loop; a newer question ends an older one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from holdfast_core.index.reader import IndexReader

Answer = TypeVar("Answer")


class Lane:
    """Questions to the index, answered one after the other, never in the loop's thread.

    A question with a topic supersedes unanswered older ones of that topic:
    whoever waits for those gets `asyncio.CancelledError`, as does the
    database, at once. A waiter that is cancelled takes its question back.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self._executor = ThreadPoolExecutor(1, name)
        self._reader: IndexReader | None = None
        self._lock = threading.Lock()
        self._running: _Question | None = None
        self._newest: dict[str, _Question] = {}

    async def ask(self, work: Callable[[IndexReader], Answer], *, topic: str = "") -> Answer:
        """Return what ``work`` gives for the reader. What it raises rises here."""
        question = _Question()
        if topic:
            self._drop(self._newest.get(topic))
            self._newest[topic] = question
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, self._answer, question, work)
        except _Dropped:
            raise asyncio.CancelledError from None
        except asyncio.CancelledError:
            self._drop(question)
            raise

    def close(self) -> None:
        """End what runs, and the thread."""
        self._drop(self._running)
        self._executor.shutdown(cancel_futures=True)
        if self._reader is not None:
            self._reader.close()

    def _answer(self, question: _Question, work: Callable[[IndexReader], Answer]) -> Answer:
        from holdfast_core.index.reader import IndexReader, Interrupted  # here: a window paints before it is loaded

        with self._lock:
            self._running = question
        try:
            if self._reader is None:
                self._reader = IndexReader.open(self._directory)
            while not question.is_dropped:
                try:
                    return work(self._reader)
                except Interrupted:
                    # Meant for an older question if this one is still wanted. Left here, so that nothing holds the
                    # statements that were cut off: SQLite would go on interrupting new ones as long as they live.
                    continue
        finally:
            with self._lock:
                self._running = None
        raise _Dropped

    def _drop(self, question: _Question | None) -> None:
        """Take a question back. Under the lock, so that the interruption cannot meet the next question."""
        if question is None:
            return
        with self._lock:
            question.is_dropped = True
            if self._running is question and self._reader is not None:
                self._reader.interrupt()


class _Question:
    """One call that waits or runs."""

    is_dropped = False


class _Dropped(Exception):
    """A question was taken back."""
