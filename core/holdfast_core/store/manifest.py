"""The manifest: what a list needs of every held session, and how far each file was last seen.

Derived from the sessions and rebuilt where it is damaged, but not worthless:
that a session has lost its end, or the store is older than it was, shows only
against what was seen before. One connection, used under a lock; other
processes may have the file open too.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import msgspec

from holdfast_core import clock
from holdfast_core.atomic import replace, temporary_name
from holdfast_core.errors import HoldfastError
from holdfast_core.model.held import HeldEntry
from holdfast_core.paths import database_name
from holdfast_core.sealed.container import Position
from holdfast_core.store.database import Kind, immediate, open_database
from holdfast_core.store.places import digest

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
FAILING = "failing"
"""The code of the problem that a session could not be resumed, time and again: its file is not at fault."""
_SCHEMA = """
CREATE TABLE held (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    entry BLOB NOT NULL,
    is_live INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    tag BLOB NOT NULL,
    inode INTEGER NOT NULL,
    size INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    base_bytes INTEGER NOT NULL,
    plain_bytes INTEGER NOT NULL
) STRICT;
CREATE TABLE problem (
    id TEXT PRIMARY KEY,
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    noticed_ms INTEGER NOT NULL,
    title TEXT NOT NULL,
    size INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE counted (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO counted VALUES ('changes', 0);
"""
_KIND = Kind(
    application_id=0x48464D46,  # "HFMF"
    version=SCHEMA_VERSION,
    schema=_SCHEMA,
    # A commit costs no sync: what is derived may lag behind after a power cut, never be ahead. What is deleted for good
    # is nowhere in the file.
    settings={"journal_mode": "wal", "synchronous": "normal", "trusted_schema": 0, "secure_delete": 1},
    too_new="A newer version of Holdfast keeps these sessions. Update Holdfast to use them.",
)
_COLUMNS = "entry, generation, offset, sequence, tag, inode, size, modified_ns, base_bytes, plain_bytes"

_entries = msgspec.json.Decoder(list[HeldEntry])
_entry = msgspec.json.Decoder(HeldEntry)


class _Counted(msgspec.Struct):
    failures: int = 0


_counted = msgspec.json.Decoder(_Counted)


class FileMark(NamedTuple):
    """What a file looked like: two equal ones mean unchanged."""

    inode: int
    size: int
    modified_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> FileMark:
        """Return the mark of a file of which this is the status. An inode can be larger than SQLite's integers."""
        return cls(status.st_ino & 0x7FFF_FFFF_FFFF_FFFF, status.st_size, status.st_mtime_ns)


class Seen(NamedTuple):
    """A session as it was last seen: its entry, the last verified record, and the file.

    ``base_bytes`` is where the tail begins, -1 for a file to which nothing may
    be appended before it is written anew: of an earlier schema, or with an end
    that does not verify. ``plain_bytes`` is what all of it takes in plain form.
    """

    entry: HeldEntry
    position: Position
    mark: FileMark
    base_bytes: int
    plain_bytes: int


class Marked(NamedTuple):
    """The little that the check at the start compares."""

    id: str
    mark: FileMark
    is_live: bool


class Trouble(NamedTuple):
    """Why a session cannot be used as it is; see `model.keeping.HeldProblem`."""

    id: str
    code: str
    reason: str
    noticed_ms: int
    title: str
    size: int


class Manifest:
    """One open manifest; for several threads."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._lock = threading.RLock()

    @classmethod
    def open(cls, path: Path) -> Manifest:
        """Open the manifest, made if it is not there, readable by this person alone.

        Raises:
            apsw.Error: it is damaged.
            Refused: a newer version of Holdfast wrote it.
            OSError: its place cannot be written.
        """
        return cls(open_database(path, _KIND))

    def entries(self) -> list[HeldEntry]:
        """Return the entries of all sessions, the last changed first."""
        # One text instead of ten thousand rows: a third less time.
        joined = self._read("SELECT group_concat(CAST(entry AS TEXT), ',') FROM held", ())[0][0]
        found = _entries.decode(f"[{joined or ''}]")
        bad = {row[0] for row in self._read("SELECT id FROM problem", ())}
        if bad:
            found = [_as_problem(entry) if entry.id in bad else entry for entry in found]
        found.sort(key=lambda entry: entry.updated_ms, reverse=True)
        return found

    def seen(self, session_id: str) -> Seen | None:
        """Return a session as it was last seen, None if it is not known."""
        for entry, generation, offset, sequence, tag, *mark, base, plain in self._read(
            f"SELECT {_COLUMNS} FROM held WHERE id = ?", (session_id,)
        ):
            position = Position(generation, offset, sequence, tag)
            return Seen(_entry.decode(entry), position, FileMark(*mark), base, plain)
        return None

    def marks(self) -> dict[str, Marked]:
        """Return of every session what its file looked like, by the file's name without its ending."""
        rows = self._read("SELECT name, id, inode, size, modified_ns, is_live FROM held", ())
        return {
            name: Marked(session_id, FileMark(inode, size, modified), bool(live))
            for name, session_id, inode, size, modified, live in rows
        }

    def count(self) -> int:
        """Return how many sessions there are."""
        return int(self._read("SELECT count(*) FROM held", ())[0][0])

    def changes(self) -> int:
        """Return how many changes this manifest has seen; it never falls."""
        return int(self._read("SELECT value FROM counted WHERE name = 'changes'", ())[0][0])

    def put(self, *seen: Seen) -> None:
        """Keep sessions as they are seen now, all or none; a problem with its file is over."""
        with self.changing():
            for one in seen:
                self._put(one)

    def follow(self, seen: Seen) -> None:
        """Keep a session as who has it open sees it now; failures are those that were counted here meanwhile."""
        with self.changing():
            known = self._read("SELECT entry FROM held WHERE id = ?", (seen.entry.id,))
            failures = _counted.decode(known[0][0]).failures if known else seen.entry.failures
            if failures != seen.entry.failures:
                seen = seen._replace(entry=msgspec.structs.replace(seen.entry, failures=failures))
            self._put(seen)

    def remove(self, session_ids: Iterable[str]) -> None:
        """Forget sessions, all or none."""
        with self.changing():
            for session_id in session_ids:
                self._connection.execute("DELETE FROM held WHERE id = ?", (session_id,))
                self._connection.execute("DELETE FROM problem WHERE id = ?", (session_id,))

    def edit(self, session_id: str, edit: Callable[[HeldEntry], HeldEntry]) -> HeldEntry | None:
        """Change a session's entry alone; returns the new one, None if the session is not known."""
        with self.changing():
            seen = self.seen(session_id)
            if seen is None:
                return None
            entry = edit(seen.entry)
            self._put_entry(entry)
            return entry

    def entry(self, session_id: str) -> HeldEntry | None:
        """Return one session's entry, None if it is not known."""
        seen = self.seen(session_id)
        if seen is None:
            return None
        is_bad = self._read("SELECT 1 FROM problem WHERE id = ?", (session_id,))
        return _as_problem(seen.entry) if is_bad else seen.entry

    def trouble(self, trouble: Trouble) -> None:
        """Remember why a session cannot be used as it is; its entry says so from now on."""
        with self.changing():
            self._connection.execute("INSERT OR REPLACE INTO problem VALUES (?, ?, ?, ?, ?, ?)", tuple(trouble))

    def troubles(self) -> list[Trouble]:
        """Return why sessions cannot be used as they are, the newest first."""
        rows = self._read(
            "SELECT id, code, reason, noticed_ms, title, size FROM problem ORDER BY noticed_ms DESC, id", ()
        )
        return [Trouble(*row) for row in rows]

    def no_trouble(self, session_id: str) -> None:
        """Forget that a session had a problem."""
        with self.changing():
            self._connection.execute("DELETE FROM problem WHERE id = ?", (session_id,))

    def rename_troubles(self, title: str) -> None:
        """Call every session with a problem this."""
        with self.changing():
            self._connection.execute("UPDATE problem SET title = ?", (title,))

    def count_from(self, changes: int) -> None:
        """Go on counting changes from here, if that is more than now: a rebuilt manifest is not an old one."""
        with self.changing():
            self._connection.execute("UPDATE counted SET value = max(value, ?) WHERE name = 'changes'", (changes,))

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
                with immediate(self._connection):
                    yield
                    self._connection.execute("UPDATE counted SET value = value + 1 WHERE name = 'changes'")
            except apsw.Error as error:
                raise HoldfastError("The list of sessions could not be saved.", detail=repr(error)) from error

    def copy_to(self, path: Path) -> None:
        """Write a copy of the whole manifest, in the place of an earlier one.

        Raises:
            apsw.Error, OSError: it could not be written; nothing is left then.
        """
        with temporary_name(path.parent) as temporary:
            os.close(os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600))
            with self._lock:
                target = apsw.Connection(database_name(temporary))
                try:
                    with target.backup("main", self._connection, "main") as copying:
                        copying.step()
                finally:
                    target.close()
            replace(temporary, path)

    def settle(self) -> None:
        """Let everything that was changed survive a power cut.

        Raises:
            HoldfastError: it could not be written.
        """
        with self._lock:
            try:
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            except apsw.Error as error:
                raise HoldfastError("The list of sessions could not be saved.", detail=repr(error)) from error

    def scrub(self) -> None:
        """Leave nothing in the file of what was taken out of it.

        Raises:
            HoldfastError: it could not be written.
        """
        with self._lock:
            try:
                self._connection.execute("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            except apsw.Error as error:
                raise HoldfastError("The list of sessions could not be saved.", detail=repr(error)) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _put(self, seen: Seen) -> None:
        entry, position, mark, base_bytes, plain_bytes = seen
        self._connection.execute(
            "INSERT OR REPLACE INTO held VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                entry.id,
                digest(entry.id),
                msgspec.json.encode(entry),
                entry.state == "live",
                *position,
                *mark,
                base_bytes,
                plain_bytes,
            ),
        )
        self._connection.execute("DELETE FROM problem WHERE id = ? AND code <> ?", (entry.id, FAILING))

    def _put_entry(self, entry: HeldEntry) -> None:
        self._connection.execute(
            "UPDATE held SET entry = ?, is_live = ? WHERE id = ?",
            (msgspec.json.encode(entry), entry.state == "live", entry.id),
        )

    def _read(self, question: str, values: Sequence[str | int]) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return list(self._connection.execute(question, tuple(values)))
            except apsw.Error as error:
                raise HoldfastError("The list of sessions cannot be read.", detail=repr(error)) from error


def open_manifest(path: Path, quarantine: Path) -> Manifest:
    """Open the manifest; one that is damaged is put aside and a new one made, to be filled by the check at the start.

    Raises:
        Refused: a newer version of Holdfast wrote it.
        HoldfastError: it cannot be read or written.
    """
    try:
        try:
            return Manifest.open(path)
        except (apsw.NotADBError, apsw.CorruptError) as error:
            log.warning("the manifest is damaged and is made anew: %s", error)
            for ending in ("", "-wal", "-shm"):
                part = path.with_name(path.name + ending)
                if part.exists():
                    replace(part, quarantine / f"{clock.now_ms()}-{part.name}")
            return Manifest.open(path)
    except (apsw.Error, OSError) as error:
        raise HoldfastError("The list of your sessions cannot be opened.", detail=repr(error)) from error


def _as_problem(entry: HeldEntry) -> HeldEntry:
    return msgspec.structs.replace(entry, state="problem")
