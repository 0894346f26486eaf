"""SQLite file systems that fail at a chosen call, or do all through `os`: the default of this process meanwhile."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import apsw

Kind = Literal["full", "io"]
_names = itertools.count()


@dataclass(slots=True)
class Calls:
    """Which call fails, counted from 1; 0 is none. ``persists``: all that follow fail as well."""

    at: int = 0
    kind: Kind = "io"
    persists: bool = False
    count: int = 0
    names: list[str] = field(default_factory=list)

    def meet(self, name: str) -> None:
        """Count a call and let it fail if it is its turn."""
        self.count += 1
        self.names.append(name)
        if self.at and (self.count == self.at or (self.persists and self.count > self.at)):
            raise apsw.FullError("no room") if self.kind == "full" else apsw.IOError("broken")


@contextmanager
def failing_database(calls: Calls) -> Iterator[None]:
    """Let every database that is opened meanwhile go through ``calls``."""
    name, real = f"failing-{next(_names)}", apsw.vfs_names()[0]

    class File(apsw.VFSFile):
        def __init__(self, path: object, flags: list[int]) -> None:
            super().__init__(real, path, flags)

        def xWrite(self, data: bytes, offset: int) -> None:
            calls.meet("write")
            super().xWrite(data, offset)

        def xSync(self, flags: int) -> None:
            calls.meet("sync")
            super().xSync(flags)

        def xTruncate(self, size: int) -> None:
            calls.meet("truncate")
            super().xTruncate(size)

    class System(apsw.VFS):
        def __init__(self) -> None:
            super().__init__(name, real, makedefault=True)

        def xOpen(self, path: object, flags: list[int]) -> apsw.VFSFile:
            return File(path, flags)

        def xDelete(self, path: str, sync_directory: bool) -> None:
            calls.meet("delete")
            super().xDelete(path, sync_directory)

    system = System()
    try:
        yield
    finally:
        system.unregister()


@contextmanager
def recorded_database() -> Iterator[None]:
    """Let every database that is opened meanwhile, by one process alone, do its work through the calls of `os`."""
    name = f"recorded-{next(_names)}"

    class System(apsw.VFS):
        def __init__(self) -> None:
            super().__init__(name, apsw.vfs_names()[0], makedefault=True)

        def xOpen(self, path: apsw.URIFilename | str | None, flags: list[int]) -> apsw.VFSFile:
            flags[1] = flags[0]
            return _Recorded(path.filename() if isinstance(path, apsw.URIFilename) else str(path), flags[0])

        def xDelete(self, path: str, sync_directory: bool) -> None:
            if not os.path.lexists(path):
                raise apsw.IOError("it is not there")
            Path(path).unlink()
            if sync_directory:
                _sync_directory(path)

    system = System()
    try:
        yield
    finally:
        system.unregister()


class _Recorded(apsw.VFSFile):
    """A file of a database as SQLite's own treats it, but for locks: nobody else has it open."""

    def __init__(self, path: str, flags: int) -> None:
        self._path = path
        self._is_new = not os.path.lexists(path)
        self._descriptor = os.open(path, os.O_RDWR | (os.O_CREAT if flags & apsw.SQLITE_OPEN_CREATE else 0), 0o600)

    def xRead(self, amount: int, offset: int) -> bytes:
        return os.pread(self._descriptor, amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:
        os.pwrite(self._descriptor, bytes(data), offset)

    def xTruncate(self, size: int) -> None:
        os.ftruncate(self._descriptor, size)

    def xSync(self, flags: int) -> None:
        os.fsync(self._descriptor)
        if self._is_new:  # as SQLite does with a new journal
            _sync_directory(self._path)
            self._is_new = False

    def xFileSize(self) -> int:
        return os.fstat(self._descriptor).st_size

    def xClose(self) -> None:
        os.close(self._descriptor)

    def xLock(self, level: int) -> None:
        pass

    def xUnlock(self, level: int) -> None:
        pass

    def xCheckReservedLock(self) -> bool:
        return False

    def xFileControl(self, operation: int, pointer: int) -> bool:
        return False

    def xSectorSize(self) -> int:
        return 512

    def xDeviceCharacteristics(self) -> int:
        return 0


def _sync_directory(path: str) -> None:
    descriptor = os.open(Path(path).parent, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
