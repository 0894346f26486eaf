"""What a reading sees of its source, for who keeps the bytes too: they are read from the disk but once."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from holdfast_core.clock import now_ms

COPY_PREFIX = "holdfast-copy-"
LIMIT_BYTES = 32 << 20
_LEFT_MS = 600_000

_here = threading.local()


class Tap:
    """Gathers what is read of the file at ``path`` while the tap is open, up to ``limit_bytes``.

    ``status`` is what the file looked like when it was opened, None if it was
    not. ``copy`` is the clean copy of a database, which goes with the tap.
    """

    def __init__(self, path: str, *, limit_bytes: int = LIMIT_BYTES) -> None:
        self.path = path
        self.limit_bytes = limit_bytes
        self.status: os.stat_result | None = None
        self.copy: Path | None = None
        self._let_go: Callable[[], None] = lambda: None
        self._blocks: dict[int, bytes] = {}
        self._bytes = 0

    @property
    def blocks(self) -> list[tuple[int, bytes]] | None:
        """What was read, as (position, bytes) up to the end of the file without gaps; None if there are some."""
        if self.status is None:
            return None
        found = sorted(self._blocks.items())
        end = found[0][0] if found else 0
        for position, block in found:
            if position != end:
                return None
            end += len(block)
        return found if end == self.status.st_size else None

    def opened(self, status: os.stat_result) -> None:
        """Note that the file was opened; what was read of another one, or of an earlier state, is of no use."""
        before = self.status
        if before is not None and _identity(before) != _identity(status):
            self._blocks.clear()
            self._bytes = 0
        self.status = status

    def take(self, position: int, block: bytes) -> None:
        """Keep some bytes; those that were read from the same place before count no more."""
        for start in [start for start in self._blocks if start < position + len(block)]:
            if start + len(self._blocks[start]) > position:
                self._bytes -= len(self._blocks.pop(start))
        if self._bytes + len(block) <= self.limit_bytes:
            self._blocks[position] = block
            self._bytes += len(block)

    def take_copy(self, copy: Path, let_go: Callable[[], None]) -> None:
        """Keep the copy of a database that its reader has closed, and call ``let_go`` when nobody needs it any more."""
        self.close()
        self.copy, self._let_go = copy, let_go

    def close(self) -> None:
        """Let go of the copy of a database."""
        if self.copy is not None:
            self.copy = None
            self._let_go()


@cache
def sweep(place: str) -> None:
    """Remove, once in a process, copies of ours that one left which was killed meanwhile."""
    with suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            if entry.name.startswith(COPY_PREFIX) and entry.is_dir(follow_symlinks=False):
                found = entry.stat(follow_symlinks=False)
                is_ours = not hasattr(os, "getuid") or found.st_uid == os.getuid()
                if is_ours and now_ms() - found.st_mtime_ns // 1_000_000 > _LEFT_MS:
                    shutil.rmtree(entry.path, ignore_errors=True)


@contextmanager
def tapped(path: str, *, limit_bytes: int = LIMIT_BYTES) -> Iterator[Tap]:
    """Gather what this thread reads of one file meanwhile."""
    before = getattr(_here, "tap", None)
    tap = _here.tap = Tap(path, limit_bytes=limit_bytes)
    try:
        yield tap
    finally:
        _here.tap = before
        tap.close()


def tap_at(path: str | Path) -> Tap | None:
    """Return the tap of a file that this thread is about to read; None if nobody wants its bytes."""
    tap: Tap | None = getattr(_here, "tap", None)
    return tap if tap is not None and tap.path == str(path) else None


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ino
