"""Reading other programs' SQLite databases: from a private copy, with every door of the engine shut.

Even a read-only connection writes beside a database in WAL mode, and one that
does not would not see what is in the WAL. So the database and its WAL are
copied first.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from holdfast_core.agents._jsonl import open_regular
from holdfast_core.clock import monotonic_seconds
from holdfast_core.paths import database_name

SIZE_LIMIT = 128 << 20
_SECONDS = 1.0
_TRIES = 3
_LENGTH_LIMIT = 8 << 20
_ALLOWED = frozenset((apsw.SQLITE_SELECT, apsw.SQLITE_READ, apsw.SQLITE_RECURSIVE))


@contextmanager
def private_copy(path: Path, *, root: Path) -> Iterator[apsw.Connection]:
    """Give a connection to a copy of a database, which can only be asked, for a second at most.

    Raises:
        SourceError: the database cannot be copied, or keeps changing meanwhile.
        apsw.Error: it is no database, damaged or hostile; also later, on a query.
    """
    with tempfile.TemporaryDirectory(prefix="holdfast-") as folder:
        copy = Path(folder, "copy.sqlite")
        for _ in range(_TRIES):
            before = stamp_of(path)
            _copy(path, copy, root)
            wal = path.with_name(f"{path.name}-wal")
            if wal.exists():
                _copy(wal, copy.with_name(f"{copy.name}-wal"), root)
            if stamp_of(path) == before:
                break
        connection = apsw.Connection(
            database_name(copy), flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
        )
        try:
            _shut(connection)
            yield connection
        finally:
            connection.close()


def rows_of(connection: apsw.Connection, table: str, columns: tuple[str, ...], *, limit: int) -> list[tuple[str, ...]]:
    """Return text columns of a real table, no rows if there is no such table or column.

    A view or a virtual table of that name is not asked.
    """
    head = connection.execute(
        "SELECT CAST(type AS BLOB), CAST(sql AS BLOB) FROM sqlite_schema WHERE name=?", (table,)
    ).fetchone()
    if head is None or _text(head[0]) != "table" or _text(head[1]).upper().startswith("CREATE VIRTUAL"):
        return []
    names = ", ".join(f'CAST("{column}" AS BLOB)' for column in columns)
    try:
        rows = connection.execute(f'SELECT {names} FROM "{table}" LIMIT ?', (limit,)).fetchall()  # ours
    except apsw.SQLError:
        return []
    return [tuple(_text(value) for value in row) for row in rows]


def _text(value: object) -> str:
    """Return a value that was asked for as bytes, which a damaged database may hold where text should be."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def stamp_of(path: Path) -> tuple[int, ...]:
    """Return what tells whether a database changed: size and time of it and of its WAL."""
    found: list[int] = []
    for name in (path.name, f"{path.name}-wal"):
        try:
            status = path.with_name(name).lstat()
        except (OSError, ValueError):
            found += (0, 0)
        else:
            found += (status.st_size, status.st_mtime_ns)
    return tuple(found)


def _copy(source: Path, target: Path, root: Path) -> None:
    descriptor = open_regular(source, root=str(root), limit=SIZE_LIMIT)
    with os.fdopen(descriptor, "rb") as opened, target.open("wb") as written:
        left = SIZE_LIMIT
        while left > 0 and (block := opened.read(min(1 << 20, left))):
            written.write(block)
            left -= len(block)


def _shut(connection: apsw.Connection) -> None:
    connection.limit(apsw.SQLITE_LIMIT_LENGTH, _LENGTH_LIMIT)
    connection.limit(apsw.SQLITE_LIMIT_SQL_LENGTH, 100_000)
    connection.limit(apsw.SQLITE_LIMIT_VDBE_OP, 25_000)
    connection.limit(apsw.SQLITE_LIMIT_ATTACHED, 0)
    for pragma in ("trusted_schema=off", "cell_size_check=on", "mmap_size=0", "query_only=on"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    end = monotonic_seconds() + _SECONDS
    connection.set_progress_handler(lambda: monotonic_seconds() > end, 10_000)
    connection.authorizer = _authorize


def _authorize(operation: int, *_names: str | None) -> int:
    return apsw.SQLITE_OK if operation in _ALLOWED else apsw.SQLITE_DENY
