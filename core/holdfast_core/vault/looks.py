"""What sources looked like when they were captured last: asked at every scan, so with as little as it can do with."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import apsw

from holdfast_core.agents.base import Fingerprint
from holdfast_core.errors import HoldfastError
from holdfast_core.paths import database_name, path_text, text_path

if TYPE_CHECKING:
    from holdfast_core.vault.vault import Vault

CATALOGUE = "vault.db"
INODES = 0x7FFF_FFFF_FFFF_FFFF
_WAIT_MS = 10_000
_QUESTION = (
    "SELECT key, path, size, modified_ns, inode, content_bytes, captured_ms, is_gone, lost_messages"
    " FROM strand WHERE agent = ? AND owner = ''"
)


class Look(NamedTuple):
    """What a scan compares with what it sees. ``fingerprint`` is that of the source when it was captured."""

    path: str
    fingerprint: Fingerprint
    content_bytes: int
    captured_ms: int
    is_gone: bool
    lost_messages: int

    def is_of(self, now: Fingerprint) -> bool:
        """Return whether a source that looks like this was captured as it is; no inode is kept that is too large."""
        was = self.fingerprint
        return (was.size_bytes, was.modified_ns) == (
            now.size_bytes,
            now.modified_ns,
        ) and was.inode == now.inode & INODES


class Looks:
    """The catalogue of one vault, only to be read, by any thread. ``vault`` is asked to make one that is missing."""

    def __init__(self, directory: Path, vault: Callable[[], Vault]) -> None:
        self.directory = directory
        self._vault = vault
        self._connection: apsw.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._lock = threading.RLock()

    def of(self, agent: str) -> dict[str, Look]:
        """Return what the sources of an agent looked like, by their keys.

        Raises:
            HoldfastError: the catalogue cannot be read.
        """
        return self._asked(_QUESTION, (agent,))

    def at(self, agent: str, key: str) -> Look | None:
        """Return what one source looked like, None if it was never captured; raises as `of`."""
        return self._asked(f"{_QUESTION} AND key = ?", (agent, path_text(key))).get(key)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _asked(self, question: str, values: Sequence[str]) -> dict[str, Look]:
        if not self.directory.is_dir():
            return {}
        try:
            with self._lock:
                rows = self._rows(question, values)
        except (apsw.Error, OSError) as error:
            raise HoldfastError("The list of the vault cannot be read.", detail=repr(error)) from error
        return {
            text_path(row[0]): Look(text_path(row[1]), Fingerprint(*row[2:5]), row[5], row[6], bool(row[7]), row[8])
            for row in rows
        }

    def _rows(self, question: str, values: Sequence[str]) -> list[Any]:
        try:
            return self._open().execute(question, tuple(values)).fetchall()
        except (apsw.CorruptError, apsw.NotADBError, apsw.SQLError):
            self.close()
            self._vault().states("")  # a damaged one is made anew
            return self._open().execute(question, tuple(values)).fetchall()

    def _open(self) -> apsw.Connection:
        path = self.directory / CATALOGUE
        if self._connection is not None and _identity(path) == self._identity:
            return self._connection
        self.close()
        if _identity(path) is None:
            self._vault().states("")  # made of the strands
        connection = apsw.Connection(database_name(path), flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_URI)
        connection.set_busy_timeout(_WAIT_MS)
        self._connection, self._identity = connection, _identity(path)
        return connection


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
