"""A SQLite file system that fails at a chosen call: it is the default of this process while it is used."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
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
