"""Opens the small databases of our own: made if they are not there, private, of a known version; and changes them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import apsw

from holdfast_core.errors import Refused
from holdfast_core.paths import database_name

_BUSY_MS = 5_000


class Kind(NamedTuple):
    """What tells one of our databases from others.

    ``too_new`` is what the person is told of a file that a newer version wrote.
    """

    application_id: int
    version: int
    schema: str
    settings: Mapping[str, str | int]
    too_new: str


def open_database(path: Path, kind: Kind) -> apsw.Connection:
    """Return a connection to the database at ``path``, with the tables of its kind, for this person alone.

    Raises:
        Refused: a newer version of Holdfast wrote it; it is left untouched.
        apsw.Error: it is damaged, or another program's.
        OSError: its place cannot be written.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # what SQLite puts beside it gets the mode of the file
    connection = apsw.Connection(
        database_name(path),
        flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI,
    )
    try:
        _prepare(connection, kind)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def immediate(connection: apsw.Connection) -> Iterator[None]:
    """Run the body in a transaction that has the write lock: what it reads cannot change before it writes.

    Raises:
        apsw.Error: it could not be written; nothing was changed.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _prepare(connection: apsw.Connection, kind: Kind) -> None:
    connection.set_busy_timeout(_BUSY_MS)
    version = connection.pragma("user_version")
    if version and connection.pragma("application_id") != kind.application_id:
        raise apsw.NotADBError("another program's database")
    if version > kind.version:
        raise Refused(kind.too_new, detail=f"schema {version}, known {kind.version}")
    for name, value in kind.settings.items():
        connection.pragma(name, value)
    if version == 0:
        with immediate(connection):
            if connection.pragma("user_version") == 0:  # nobody else has just made it
                connection.execute(kind.schema)
                connection.pragma("application_id", kind.application_id)
                connection.pragma("user_version", kind.version)
