"""Opens the files of the index, for the one writer and for any number of readers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import apsw

from holdfast_core.errors import IndexBroken
from holdfast_core.paths import database_name

# Another number, another index: nothing is ever migrated.
VERSION: Final = 12
KEPT_INODE: Final = -1
"""What stands in place of an inode where a source is shown from the vault alone."""

CATALOG: Final = "catalog.db"
LOCK: Final = "writer.lock"
_WRITE_WAIT_MS: Final = 5_000

# What SQLite says of a file that is damaged, not its own, or of another shape than ours.
BROKEN: Final = (apsw.CorruptError, apsw.NotADBError, apsw.SQLError, apsw.FormatError, apsw.CantOpenError, apsw.IOError)

# What it says of a disk that is full, fails, or may not be written.
UNWRITABLE: Final = (apsw.FullError, apsw.IOError, apsw.ReadOnlyError)


def shard_name(number: int) -> str:
    """Return the file name of a shard."""
    return f"shard_{number:04d}.db"


def create(path: Path, schema: str) -> None:
    """Make a file of the index from ``schema``; what is there under its name is replaced. Nobody sees half of it."""
    from importlib import resources  # here: those who read only need not wait for it

    unfinished = path.with_name(f"new_{path.name}")
    for name in (path.name, unfinished.name):
        for suffix in ("", "-wal", "-shm"):
            path.with_name(name + suffix).unlink(missing_ok=True)
    connection = _connect(unfinished, apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE)
    try:
        connection.pragma("page_size", 8192)  # a tenth quicker to fill with words than 4096, and no larger
        connection.pragma("auto_vacuum", 2)
        connection.pragma("journal_mode", "wal")
        with connection:
            connection.execute(resources.files(__package__).joinpath(schema).read_text("utf-8"))
            connection.pragma("user_version", VERSION)
    finally:
        connection.close()
    unfinished.replace(path)


def open_for_writing(path: Path) -> apsw.Connection:
    """Return a writing connection to a file of the index.

    Raises:
        IndexBroken: there is no such file, or it is damaged or of another version.
    """
    try:
        connection = _connect(path, apsw.SQLITE_OPEN_READWRITE)
        try:
            _prepare(connection)
        except BaseException:
            connection.close()
            raise
    except BROKEN as error:
        raise IndexBroken("The index is damaged.", detail=str(error)) from error
    return connection


def _connect(path: Path, flags: int) -> apsw.Connection:
    return apsw.Connection(database_name(path), flags=flags | apsw.SQLITE_OPEN_URI)


def _prepare(connection: apsw.Connection) -> None:
    connection.set_busy_timeout(_WRITE_WAIT_MS)
    version = connection.pragma("user_version")
    if version != VERSION:
        raise IndexBroken("The index is of another version.", detail=f"version {version}")
    for name, value in (
        ("synchronous", "normal"),
        ("cache_size", -8_192),
        ("wal_autocheckpoint", 4_000),
        ("secure_delete", 0),
        ("temp_store", "memory"),
        ("mmap_size", 0),
        ("trusted_schema", 0),
    ):
        connection.pragma(name, value)


def open_for_reading(path: Path) -> apsw.Connection:
    """Return a read-only connection to a file of the index.

    Raises:
        IndexBroken: there is no such file, or it is damaged or of another version.
    """
    try:
        connection, version = _connect_reading(path)
    except BROKEN as error:
        raise IndexBroken("The index cannot be read.", detail=str(error)) from error
    if version != VERSION:
        connection.close()
        raise IndexBroken("The index is of another version.", detail=f"version {version}")
    return connection


def _connect_reading(path: Path) -> tuple[apsw.Connection, int]:
    connection = _connect(path, apsw.SQLITE_OPEN_READONLY)
    try:
        connection.set_busy_timeout(2_000)
        connection.pragma("cache_size", -8_192)
        connection.pragma("mmap_size", 0)
        return connection, connection.pragma("user_version")
    except (apsw.CantOpenError, apsw.IOError, apsw.ReadOnlyError):
        connection.close()
        if not _is_at_rest(path):
            raise
    connection = apsw.Connection(
        f"{path.absolute().as_uri()}?immutable=1", flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    )
    return connection, connection.pragma("user_version")


def _is_at_rest(path: Path) -> bool:
    """Return whether nobody can be writing: SQLite wants to make a file beside what it reads, and here it cannot."""
    journal = path.with_name(f"{path.name}-wal")
    return not os.access(path.parent, os.W_OK) and not (journal.exists() and journal.stat().st_size)


def rewrite(connection: apsw.Connection) -> None:
    """Write a file of the index anew, without what was deleted from it."""
    connection.execute("VACUUM")


def empty_journal(connection: apsw.Connection) -> bool:
    """Take what stands in the journal beside a file into it, and leave nothing there; False while a reader needs it."""
    connection.set_busy_timeout(0)
    try:
        (is_busy, _, _), *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except apsw.BusyError:
        return False
    finally:
        connection.set_busy_timeout(_WRITE_WAIT_MS)
    return not is_busy


def remove_files(directory: Path) -> None:
    """Remove everything of the index but the writer's lock, the catalog first: without it there is no index."""
    for path in sorted(directory.iterdir(), key=lambda path: not path.name.startswith(CATALOG)):
        if path.name == LOCK:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def select(connection: apsw.Connection, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[Any]:
    """Return all rows of a question, as tuples."""
    return connection.execute(sql, values).fetchall()
