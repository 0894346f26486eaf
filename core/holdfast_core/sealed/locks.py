"""Locks between processes and threads: the kernel's own, which are free at once when their holder dies."""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple
from weakref import WeakValueDictionary

from holdfast_core.atomic import READ_FLAGS, open_regular
from holdfast_core.clock import monotonic_seconds
from holdfast_core.errors import Refused

if sys.platform != "win32":
    import fcntl

_LOOK_EVERY_SECONDS = 0.01
_RECENT = 64
_TRIES = 10  # somebody may remove the file just now
_STAYS_OPEN = sys.platform != "win32"
_FLAGS = os.O_RDWR | os.O_CREAT | (READ_FLAGS & ~os.O_RDONLY)


class lock:  # noqa: N801 - used as the function that it is to its callers, and cheaper than a generator
    """Hold the lock that is named by the file ``path`` while the body runs; the file stays afterwards.

    A thread may take a lock that it holds again, and one object serves any
    number of times, in several threads. Threads of one process exclude each
    other as processes do. Entering raises Refused if somebody
    else held it all the time, and OSError if the lock's file cannot be made.
    """

    __slots__ = ("_mine", "_path", "_timeout")

    def __init__(self, path: Path, *, timeout_seconds: float) -> None:
        self._path = path
        self._timeout = max(timeout_seconds, 0)
        self._mine: _Lock | None = None

    def __enter__(self) -> None:
        mine = self._mine
        if mine is None:
            self._mine = mine = _lock_of(self._path)
        if not mine.threads.acquire(False) and not mine.threads.acquire(timeout=self._timeout):
            raise _busy(self._path)
        try:
            mine.enter(self._timeout)
        except BaseException:
            mine.threads.release()
            raise

    def __exit__(self, *raised: object) -> None:
        mine = self._mine
        assert mine is not None, "the lock was not taken"
        try:
            mine.leave()
        finally:
            mine.threads.release()


class _Lock:
    """One lock of this process: the threads wait for each other first, then one of them for the other processes.

    Its file stays open: who takes the lock of a journal again and again pays for the lock alone. Windows lets nobody
    remove or move what is open, so there it is opened each time.
    """

    def __init__(self, path: Path) -> None:
        self.threads = threading.RLock()
        self._path = path
        self._name = str(path)
        self._kernel = _kernel()
        self._depth = 0
        self._descriptor = -1
        self._file = (0, 0)
        self._process = 0

    def enter(self, timeout: float) -> None:
        if not self._depth and not self._take():
            deadline = monotonic_seconds() + timeout
            while monotonic_seconds() < deadline:
                time.sleep(_LOOK_EVERY_SECONDS)
                if self._take():
                    break
            else:
                raise _busy(self._path)
        self._depth += 1

    def leave(self) -> None:
        self._depth -= 1
        if not self._depth:
            try:
                self._kernel.unlock(self._descriptor)
            except OSError:
                self.close()  # which frees it too
            if not _STAYS_OPEN:
                self.close()

    def close(self) -> None:
        """Let the file go, if it is still open."""
        is_open, descriptor, self._descriptor = self._is_open(), self._descriptor, -1
        if is_open:
            with suppress(OSError):  # it holds nothing
                os.close(descriptor)

    def __del__(self) -> None:
        with suppress(TypeError, OSError):  # at the end of the interpreter nothing is left to ask
            self.close()

    def _take(self) -> bool:
        """Try once to lock the file that has the name now."""
        has_lock = False
        try:
            for _ in range(_TRIES):
                self._open()
                if not self._kernel.lock(self._descriptor):
                    return False
                has_lock = self._has_name()
                if has_lock:
                    return True
                self.close()
            return False
        finally:
            if not has_lock:
                self.close()

    def _open(self) -> None:
        if self._process == os.getpid() and self._is_open():
            return
        self.close()  # a child of a fork must not lock through what it shares with its parent
        # Not through filelock, which would make a directory that has vanished, and all above it.
        descriptor = open_regular(self._path, _FLAGS)
        try:
            self._file = _identity(os.fstat(descriptor))
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor, self._process = descriptor, os.getpid()

    def _is_open(self) -> bool:
        """Return whether the descriptor is that of our file: whoever closes all of a process does not ask."""
        if self._descriptor < 0:
            return False
        try:
            return _identity(os.fstat(self._descriptor)) == self._file
        except OSError as error:
            return error.errno != errno.EBADF

    def _has_name(self) -> bool:
        """Return whether the file that is open is the one that others would open: it may have been removed."""
        try:
            return _identity(os.lstat(self._name)) == self._file
        except FileNotFoundError:
            return False


class _Kernel(NamedTuple):
    lock: Callable[[int], bool]
    unlock: Callable[[int], None]


@cache
def _kernel() -> _Kernel:
    """Return the system's calls; on Windows those of filelock, which locks one byte there."""
    if sys.platform != "win32":
        return _Kernel(_flock, _unflock)
    from filelock import lock_descriptor, unlock_descriptor

    return _Kernel(partial(lock_descriptor, blocking=False), unlock_descriptor)


def _flock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _unflock(descriptor: int) -> None:
    fcntl.flock(descriptor, fcntl.LOCK_UN)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_ino, status.st_dev


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
