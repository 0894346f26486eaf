"""Locks between processes and threads: the kernel's own, which are free at once when their holder dies."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from holdfast_core.clock import monotonic_seconds
from holdfast_core.errors import Refused

if TYPE_CHECKING:
    import filelock

_LOOK_EVERY_SECONDS = 0.01
_RECENT = 64


@contextmanager
def lock(path: Path, *, timeout_seconds: float) -> Iterator[None]:
    """Hold the lock that is named by the file ``path`` while the body runs; the file stays afterwards.

    A thread may take a lock that it holds again. Threads of one process
    exclude each other as processes do.

    Raises:
        Refused: somebody else held it all the time.
        OSError: the lock's file cannot be made.
    """
    mine = _lock_of(path)
    deadline = monotonic_seconds() + timeout_seconds
    if not mine.threads.acquire(timeout=max(timeout_seconds, 0)):
        raise _busy(path)
    try:
        mine.enter(max(deadline - monotonic_seconds(), 0))
        try:
            yield
        finally:
            mine.leave()
    finally:
        mine.threads.release()


class _Lock:
    """One lock of this process: the threads wait for each other first, then one of them for the other processes."""

    def __init__(self, path: Path) -> None:
        import filelock

        self.threads = threading.RLock()
        self._path = path
        self._depth = 0
        self._file: filelock.BaseFileLock = filelock.FileLock(
            path, mode=0o600, thread_local=False, poll_interval=_LOOK_EVERY_SECONDS, fallback_to_soft=False
        )

    def enter(self, timeout_seconds: float) -> None:
        import filelock

        if not self._depth:
            self._path.parent.stat()  # else the lock would make a directory that has vanished, and all above it
            try:
                self._file.acquire(timeout=timeout_seconds)
            except filelock.Timeout as error:
                raise _busy(self._path) from error
        self._depth += 1

    def leave(self) -> None:
        self._depth -= 1
        if not self._depth:
            self._file.release()


_locks: WeakValueDictionary[str, _Lock] = WeakValueDictionary()
_making = threading.Lock()


_recent: dict[str, _Lock] = {}
"""The locks that were asked for last, by the names under which they were: a journal takes its own again and again."""


def _lock_of(path: Path) -> _Lock:
    with _making:
        asked = str(path)
        found = _recent.pop(asked, None)
        if found is None:
            name = os.path.realpath(path)
            found = _locks.get(name) or _Lock(Path(name))
            _locks[name] = found
        _recent[asked] = found
        if len(_recent) > _RECENT:
            del _recent[next(iter(_recent))]
        return found


def _busy(path: Path) -> Refused:
    return Refused(
        "Another window or command of Holdfast is changing this now. Try again in a moment.", detail=f"lock {path.name}"
    )
