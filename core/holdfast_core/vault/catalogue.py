"""The catalogue of a vault: what a list needs of every strand, and how far each was seen.

Derived from the strands and rebuilt where it is damaged, but not worthless:
that a strand is missing, or older than it was, shows against what was seen.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import msgspec

from holdfast_core.errors import HoldfastError, Refused
from holdfast_core.model.vault import Version
from holdfast_core.paths import database_name
from holdfast_core.sealed.container import Position
from holdfast_core.sealed.stream import Patch
from holdfast_core.vault.table import Mark, Table, VersionRow, best

SCHEMA_VERSION = 1
_APPLICATION_ID = 0x48465643  # "HFVC"
_BUSY_MS = 10_000
_SCHEMA = """
CREATE TABLE strand (
    name TEXT PRIMARY KEY,
    agent TEXT NOT NULL,
    key TEXT NOT NULL,
    path TEXT NOT NULL,
    owner TEXT NOT NULL,
    size INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    tag BLOB NOT NULL,
    base_bytes INTEGER NOT NULL,
    is_encrypted INTEGER NOT NULL,
    content_bytes INTEGER NOT NULL,
    version_count INTEGER NOT NULL,
    newest_version INTEGER NOT NULL,
    best_version INTEGER NOT NULL,
    is_gone INTEGER NOT NULL,
    is_damaged INTEGER NOT NULL,
    lost_messages INTEGER NOT NULL,
    captured_ms INTEGER NOT NULL,
    verified_ms INTEGER NOT NULL,
    UNIQUE (agent, key)
) STRICT;
CREATE INDEX strand_owner ON strand (owner) WHERE owner <> '';
CREATE TABLE version (
    name TEXT NOT NULL,
    number INTEGER NOT NULL,
    captured_ms INTEGER NOT NULL,
    modified_ms INTEGER NOT NULL,
    size INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    lost INTEGER NOT NULL,
    reason TEXT NOT NULL,
    tag TEXT NOT NULL,
    added INTEGER NOT NULL,
    path TEXT NOT NULL,
    is_damaged INTEGER NOT NULL,
    PRIMARY KEY (name, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE mark (
    name TEXT NOT NULL,
    native_id TEXT NOT NULL,
    messages INTEGER NOT NULL,
    tip BLOB NOT NULL,
    project TEXT NOT NULL,
    kind TEXT NOT NULL,
    lost INTEGER NOT NULL,
    PRIMARY KEY (name, native_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX mark_session ON mark (native_id);
CREATE TABLE hot (name TEXT PRIMARY KEY, hot BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE essential (
    name TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    head BLOB NOT NULL,
    offset INTEGER NOT NULL,
    rest BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE counted (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""


class Row(msgspec.Struct, kw_only=True):
    """What is known of one strand, as it stands in the catalogue.

    ``size``, ``modified_ns`` and ``inode`` are what the source looked like;
    ``content_bytes`` what the newest content has. ``owner`` is the name of
    another strand.
    """

    name: str
    agent: str
    key: str
    path: str
    owner: str = ""
    size: int = 0
    modified_ns: int = 0
    inode: int = 0
    generation: int = 0
    offset: int = 0
    sequence: int = 0
    tag: bytes = b""
    base_bytes: int = 0
    is_encrypted: bool = False
    content_bytes: int = 0
    version_count: int = 0
    newest_version: int = 0
    best_version: int = 0
    is_gone: bool = False
    is_damaged: bool = False
    lost_messages: int = 0
    captured_ms: int = 0
    verified_ms: int = 0

    @property
    def position(self) -> Position:
        """The last verified record that was seen."""
        return Position(self.generation, self.offset, self.sequence, self.tag)

    def stand_at(self, position: Position) -> None:
        """Note the last record that was written or seen."""
        self.generation, self.offset, self.sequence, self.tag = position

    def describe(self, table: Table) -> None:
        """Take over what a strand says of itself."""
        self.agent, self.key, self.path, self.owner = table.agent, table.key, table.path, table.owner
        self.size, self.modified_ns, self.inode = table.fingerprint
        newest = table.versions[-1]
        having = [version for version in table.versions if version.has_content]
        self.content_bytes = having[-1].size if having else 0
        self.version_count = self.newest_version = newest.number
        found = best(table.versions)
        self.best_version = found.number if found else 0
        self.is_gone = not newest.has_content
        self.lost_messages = sum(table.lost.values())
        self.captured_ms = newest.captured_ms


_TOLD = ("modified_ms", "size_bytes", "messages", "lost", "reason", "tag", "added_messages", "path")
_COLUMNS = Row.__struct_fields__
_INSERT = f"INSERT OR REPLACE INTO strand ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM strand"
_BOOLEANS = tuple(_COLUMNS.index(name) for name in ("is_encrypted", "is_gone", "is_damaged"))


class Totals(NamedTuple):
    """The sums of all strands, as `model.vault.VaultStatus` has them."""

    sessions: int = 0
    sources: int = 0
    versions: int = 0
    stored_bytes: int = 0
    source_bytes: int = 0
    lost_at_source: int = 0
    damaged: int = 0
    captured_ms: int = 0
    verified_ms: int = 0
    last_verified_ms: int = 0
    unverified: int = 0


_TOTALS = """
SELECT coalesce(sum(owner = ''), 0), coalesce(sum(version_count * (owner = '')), 0), coalesce(sum(offset), 0),
    coalesce(sum(content_bytes), 0), coalesce(sum(lost_messages), 0), coalesce(sum(is_damaged), 0),
    coalesce(max(captured_ms), 0), coalesce(min(verified_ms), 0), coalesce(max(verified_ms), 0),
    coalesce(sum(verified_ms = 0), 0)
FROM strand
"""


class Change(msgspec.Struct):
    """What one capture changed: the row, versions and marks that are new or other than before.

    With ``is_all`` these are all there are. ``essentials`` are a copy of what
    of the file is not frames, see `sealed.stream.Written`.
    """

    row: Row
    hot: bytes = b""
    versions: dict[int, VersionRow] = msgspec.field(default_factory=dict)
    marks: dict[str, Mark] = msgspec.field(default_factory=dict)
    lost: dict[str, int] = msgspec.field(default_factory=dict)
    damaged: frozenset[int] = frozenset()
    essentials: tuple[Patch, Patch] | None = None
    is_all: bool = False


class Catalogue:
    """One open catalogue; for several threads."""

    def __init__(self, connection: apsw.Connection) -> None:
        """Use `open` instead."""
        self._connection = connection
        self._lock = threading.RLock()

    @classmethod
    def open(cls, path: Path, *, may_create: bool) -> Catalogue:
        """Open the catalogue, made for this person alone if it is not there.

        Raises:
            apsw.Error: it is damaged, or not there.
            Refused: a newer version of Holdfast wrote it.
            OSError: its place cannot be written.
        """
        if may_create:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = apsw.Connection(database_name(path), flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_URI)
        try:
            _prepare(connection)
        except BaseException:
            connection.close()
            raise
        return cls(connection)

    def row(self, agent: str, key: str) -> Row | None:
        """Return what is known of the strand of a source."""
        return next(self._rows(f"{_SELECT} WHERE agent = ? AND key = ?", (agent, key)), None)

    def named(self, name: str) -> Row | None:
        """Return what is known of the strand of this name."""
        return next(self._rows(f"{_SELECT} WHERE name = ?", (name,)), None)

    def rows(self, agent: str | None = None) -> list[Row]:
        """Return what is known of all strands, of one agent or of all."""
        if agent is None:
            return list(self._rows(f"{_SELECT} ORDER BY name", ()))
        return list(self._rows(f"{_SELECT} WHERE agent = ? ORDER BY name", (agent,)))

    def owned(self, name: str) -> list[Row]:
        """Return the strands of the companions of a source's strand."""
        return list(self._rows(f"{_SELECT} WHERE owner = ? AND owner <> '' ORDER BY key", (name,)))

    def names(self) -> set[str]:
        """Return the names of all strands that are known."""
        return {name for (name,) in self.read("SELECT name FROM strand", ())}

    def versions(self, row: Row) -> list[Version]:
        """Return the versions of a strand, the first first."""
        return [
            Version(
                number=number,
                captured_ms=captured_ms,
                is_verified=row.verified_ms >= captured_ms and not row.is_damaged,
                is_best=number == row.best_version,
                is_damaged=bool(is_damaged),
                **dict(zip(_TOLD, values, strict=True)),
            )
            for number, captured_ms, is_damaged, *values in self.read(
                "SELECT number, captured_ms, is_damaged, modified_ms, size, messages, lost, reason, tag, added, path"
                " FROM version WHERE name = ? ORDER BY number",
                (row.name,),
            )
        ]

    def marks(self, name: str) -> list[Mark]:
        """Return the sessions in the newest version of a strand."""
        rows = self.read("SELECT native_id, messages, tip, project, kind FROM mark WHERE name = ?", (name,))
        return [Mark(*row) for row in rows]

    def hot(self, name: str) -> bytes:
        """Return what going on with a strand needs, empty if that is not known; see `Hot`."""
        return next((hot for (hot,) in self.read("SELECT hot FROM hot WHERE name = ?", (name,))), b"")

    def essentials(self, name: str) -> tuple[Patch, ...]:
        """Return the copy of what of a strand's file is not frames, nothing if there is none."""
        for head, offset, rest in self.read("SELECT head, offset, rest FROM essential WHERE name = ?", (name,)):
            return (0, head), (offset, rest)
        return ()

    def lost(self, name: str) -> dict[str, int]:
        """Return how many messages of each session are gone at the source."""
        return dict(self.read("SELECT native_id, lost FROM mark WHERE name = ? AND lost > 0", (name,)))

    def holding(self, native_id: str) -> list[tuple[str, str]]:
        """Return agent and key of the strands that hold a session, not those of companions."""
        return [
            (agent, key)
            for agent, key in self.read(
                "SELECT agent, key FROM strand JOIN mark USING (name) WHERE native_id = ? ORDER BY captured_ms DESC",
                (native_id,),
            )
        ]

    def sources(self) -> list[tuple[str, str]]:
        """Return agent and key of every source, not those of companions."""
        return [(agent, key) for agent, key in self.read("SELECT agent, key FROM strand WHERE owner = ''", ())]

    def put(self, changes: Iterable[Change]) -> None:
        """Keep what was captured, all or none; what another process has seen further stays."""
        with self.changing():
            for change in changes:
                self._put(change)

    def remove(self, names: Iterable[str]) -> None:
        """Forget strands, all or none."""
        with self.changing():
            for name in names:
                for table in ("strand", "version", "mark", "hot", "essential"):
                    self._connection.execute(f"DELETE FROM {table} WHERE name = ?", (name,))

    def scrub(self) -> None:
        """Leave nothing in the log of what was taken out: in the file itself it was overwritten already.

        Raises:
            HoldfastError: it could not be written.
        """
        with self._lock:
            try:
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            except apsw.Error as error:
                raise HoldfastError("The list of the vault could not be saved.", detail=repr(error)) from error

    def verified(self, rows: Iterable[Row], at_ms: int) -> None:
        """Note that strands were proved whole as these rows say, from ``at_ms`` on; what came later was not."""
        with self.changing():
            for row in rows:
                self._connection.execute(
                    "UPDATE strand SET is_damaged = 0,"
                    " verified_ms = CASE tag WHEN ? THEN max(?, captured_ms) ELSE ? END WHERE name = ?",
                    (row.tag, at_ms, at_ms - 1, row.name),
                )
                self._connection.execute("UPDATE version SET is_damaged = 0 WHERE name = ?", (row.name,))

    def damaged(self, name: str, versions: Iterable[int]) -> None:
        """Note that versions of a strand cannot be given whole."""
        with self.changing():
            self._connection.execute("UPDATE strand SET is_damaged = 1 WHERE name = ?", (name,))
            for number in versions:
                self._connection.execute(
                    "UPDATE version SET is_damaged = 1 WHERE name = ? AND number = ?", (name, number)
                )

    def totals(self) -> Totals:
        """Return the sums of all strands."""
        (sessions,) = self.read("SELECT count(DISTINCT native_id) FROM mark", ())[0]
        return Totals(int(sessions), *map(int, self.read(_TOTALS, ())[0]))

    def value(self, name: str) -> int:
        """Return a number that was remembered, 0 for none."""
        return next((int(value) for (value,) in self.read("SELECT value FROM counted WHERE name = ?", (name,))), 0)

    def remember(self, name: str, value: int) -> None:
        """Remember a number."""
        with self.changing():
            self._connection.execute("INSERT OR REPLACE INTO counted VALUES (?, ?)", (name, value))

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Let everything that is changed within happen at once or not at all.

        Raises:
            HoldfastError: it could not be written.
        """
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield
                    self._connection.execute("COMMIT")
                except BaseException:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    raise
            except apsw.Error as error:
                raise HoldfastError("The list of the vault could not be saved.", detail=repr(error)) from error

    def read(self, question: str, values: Sequence[str | int]) -> list[tuple[Any, ...]]:
        """Return the rows that answer a question.

        Raises:
            HoldfastError: the catalogue is damaged.
        """
        with self._lock:
            try:
                return list(self._connection.execute(question, tuple(values)))
            except apsw.Error as error:
                raise HoldfastError("The list of the vault cannot be read.", detail=repr(error)) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _rows(self, question: str, values: Sequence[str]) -> Iterator[Row]:
        for values_of in self.read(question, values):
            found = list(values_of)
            for place in _BOOLEANS:
                found[place] = bool(found[place])
            yield Row(**dict(zip(_COLUMNS, found, strict=True)))

    def _put(self, change: Change) -> None:
        row, execute = change.row, self._connection.execute
        known = self.named(row.name)
        is_further = known is not None and (known.generation, known.sequence) > (row.generation, row.sequence)
        if is_further and not change.is_all:
            return
        execute(_INSERT, tuple(getattr(row, name) for name in _COLUMNS))
        if change.hot:
            execute("INSERT OR REPLACE INTO hot VALUES (?, ?)", (row.name, change.hot))
        if change.essentials:
            (_, head), (offset, rest) = change.essentials
            execute(
                "INSERT OR REPLACE INTO essential VALUES (?, ?, ?, ?, ?)",
                (row.name, row.generation, head, offset, rest),
            )
        if change.is_all and known is not None:
            execute("DELETE FROM version WHERE name = ?", (row.name,))
            execute("DELETE FROM mark WHERE name = ?", (row.name,))
        for number, one in change.versions.items():
            values = (
                one.captured_ms,
                one.modified_ms,
                one.size,
                one.messages,
                one.lost,
                one.reason,
                one.tag,
                one.added,
                one.path,
            )
            execute(
                f"INSERT OR REPLACE INTO version VALUES ({', '.join('?' * 12)})",
                (row.name, number, *values, number in change.damaged),
            )
        for mark in change.marks.values():
            execute(
                "INSERT INTO mark VALUES (?, ?, ?, ?, ?, ?, 0) ON CONFLICT (name, native_id) DO UPDATE SET"
                " messages = excluded.messages, tip = excluded.tip, project = excluded.project, kind = excluded.kind",
                (row.name, mark.native_id, mark.messages, mark.tip, mark.project, mark.kind),
            )
        for native_id, lost in change.lost.items():
            execute(
                "INSERT INTO mark VALUES (?, ?, 0, x'', '', '', ?)"
                " ON CONFLICT (name, native_id) DO UPDATE SET lost = excluded.lost",
                (row.name, native_id, lost),
            )


def _prepare(connection: apsw.Connection) -> None:
    connection.set_busy_timeout(_BUSY_MS)
    version = _pragma(connection, "user_version")
    if version and _pragma(connection, "application_id") != _APPLICATION_ID:
        raise apsw.NotADBError("another program's database")
    if version > SCHEMA_VERSION:
        raise Refused(
            "A newer version of Holdfast keeps this vault. Update Holdfast to use it.",
            detail=f"catalogue {version}, known {SCHEMA_VERSION}",
        )
    # A commit costs no sync: what is derived may lag behind after a power cut, never be ahead.
    for name, value in (("journal_mode", "wal"), ("synchronous", "normal"), ("trusted_schema", 0)):
        connection.pragma(name, value)
    connection.pragma("secure_delete", 1)  # what is forgotten is nowhere in the file
    if version == 0:
        connection.execute("BEGIN IMMEDIATE")
        try:
            if _pragma(connection, "user_version") == 0:
                connection.execute(_SCHEMA)
                connection.execute(f"PRAGMA application_id={_APPLICATION_ID}; PRAGMA user_version={SCHEMA_VERSION}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


def _pragma(connection: apsw.Connection, name: str) -> int:
    row = connection.execute(f"PRAGMA {name}").fetchone()
    return int(row[0]) if row else 0
