"""Agents that keep many sessions in one SQLite database: only the sessions that changed are read again."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, TypeVar

import msgspec

from holdfast_core.agents._draft import digest
from holdfast_core.agents._fields import Sample, kind_of
from holdfast_core.agents._files import FileAgent
from holdfast_core.agents._json import Forgiving
from holdfast_core.agents._jsonl import refusal
from holdfast_core.agents._lines import LineAgent
from holdfast_core.agents._sqlite import Database, private_copy
from holdfast_core.agents.base import Checkpoint, Home, Reading, SessionRead, Share, SourceRef, fingerprint_at

_BESIDE = ("-wal", "-shm", "-journal")
Record = TypeVar("Record", bound=msgspec.Struct)


class Tables:
    """A database that is being read, and what was found out about it."""

    def __init__(self, database: Database, ref: SourceRef, wanted: frozenset[str] | None) -> None:
        self.database = database
        self.ref = ref
        self.modified_ms = ref.fingerprint.modified_ns // 1_000_000
        self.unknown: dict[str, int] = {}
        self.sample = Sample()
        self._bytes_decoded = 0
        self._repairs: dict[str, dict[str, int]] = {}
        self._sizes: dict[str, int] = {}
        self._problems: dict[str, int] = {}
        self._wanted = wanted

    def wants(self, native_id: object) -> bool:
        """Return whether a session is to be read."""
        return isinstance(native_id, str) and (self._wanted is None or native_id in self._wanted)

    def rows(
        self, table: str, by: str, columns: Sequence[str], *, raw: Sequence[str] = ()
    ) -> Iterator[tuple[Any, ...]]:
        """Yield (row number, session, values…) of the rows that belong to sessions which are to be read."""
        within = None if self._wanted is None else (by, sorted(self._wanted))
        for row in self.database.rows(table, (by, *columns), raw=raw, within=within):
            session = row[1]
            if self.wants(session):
                size_bytes = sum([len(value) for value in row if type(value) is bytes or type(value) is str])
                self._sizes[session] = self._sizes.get(session, 0) + size_bytes
                yield row

    def decoded(self, decoder: Forgiving[Record], data: object, row: int, session: str) -> Record | None:
        """Return the record in a value, None where there is none; what is damaged is a problem of its row."""
        if not isinstance(data, bytes) or not data.strip():
            return None
        record = decoder.one(data)
        if record is not None:
            if self._bytes_decoded >= self.sample.next:
                self.sample.look(data, decoder.kind, kind_of(decoder.kind)(record) or "", self._bytes_decoded)
            self._bytes_decoded += len(data)
            return record
        decoder.repairs.clear()
        records, reason = decoder.several(data)
        if reason is not None:
            self.database.problem(row, reason)
            self._problems[session] = self._problems.get(session, 0) + 1
        repairs = self._repairs.setdefault(session, {})
        for kind, times in decoder.repairs.items():
            repairs[kind] = repairs.get(kind, 0) + times
        return records[0] if records else None

    def count_unknown(self, kind: str, times: int = 1) -> None:
        """Count records of a kind that is not known."""
        kind = kind[:80] or "none"
        if kind in self.unknown or len(self.unknown) < 200:
            self.unknown[kind] = self.unknown.get(kind, 0) + times

    def share_of(self, session: str) -> Share:
        """Return what of the database is a session's, as far as it was read."""
        return Share(self._sizes.get(session, 0), self._problems.get(session, 0))

    def provider_data(self, session: str) -> dict[str, Any]:
        """Return what the facts of a session say of mended records."""
        repairs = self._repairs.get(session)
        return {"repaired": repairs} if repairs else {}


class _State(msgspec.Struct, array_like=True):
    """What a reading leaves for the next: a stamp of each session, and whether there was nothing to tell of any."""

    stamps: dict[str, bytes]
    is_clean: bool
    due: dict[str, int] = {}


class DatabaseAgent(FileAgent):
    """An agent whose sources are databases, those that `is_database` tells from others.

    A reading goes on from an earlier one by the stamps of the sessions alone;
    it starts over where one is gone, or where there were problems to tell.
    """

    continues_rewritten = True
    session_table: ClassVar[str]

    def is_database(self, path: str) -> bool:
        """Return whether a source is a database."""
        return True

    @abstractmethod
    def stamps(self, database: Database) -> dict[str, str]:
        """Return for each session what tells whether it changed."""

    @abstractmethod
    def sessions_in(self, tables: Tables) -> list[SessionRead]:
        """Return the sessions that are to be read."""

    def read_file(self, ref: SourceRef, home: Home) -> Reading:
        """Read a source that is no database."""
        raise refusal("wrong_format", ref.path)

    def discover(self, home: Home) -> Iterator[SourceRef]:
        return map(self._as_it_is, super().discover(home))

    def refs_for(self, home: Home, paths: Sequence[str]) -> Iterator[SourceRef]:
        own = dict.fromkeys(_without_ending(path) for path in paths)
        found = {ref.key: ref for ref in super().refs_for(home, tuple(own))}
        return map(self._as_it_is, found.values())

    def _as_it_is(self, ref: SourceRef) -> SourceRef:
        if not self.is_database(ref.path):
            return ref
        return SourceRef(ref.agent, ref.key, ref.path, fingerprint_at(ref.path))

    def read(self, ref: SourceRef, home: Home, *, checkpoint: Checkpoint | None = None) -> Reading:
        if not self.is_database(ref.path):
            return self.read_file(ref, home)
        return self._read(ref, home, checkpoint, None)

    def read_session(self, ref: SourceRef, home: Home, native_id: str) -> Reading:
        if not self.is_database(ref.path):
            return self.read_file(ref, home)
        return self._read(ref, home, None, native_id)

    def _read(self, ref: SourceRef, home: Home, checkpoint: Checkpoint | None, only: str | None) -> Reading:
        with private_copy(ref.path, root=self.root_of(ref.path, home)) as database:
            if database.size_bytes and not database.columns(self.session_table):
                raise refusal("wrong_format", ref.path)
            stamps = {name: digest(stamp) for name, stamp in self.stamps(database).items()}
            before = _before(checkpoint)
            is_continued = before is not None and before.is_clean and before.stamps.keys() <= stamps.keys()
            wanted = None if only is None else frozenset([only])
            if before is not None and is_continued:
                wanted = frozenset(name for name, stamp in stamps.items() if before.stamps.get(name) != stamp)
            tables = Tables(database, ref, wanted)
            if before is not None and is_continued:
                tables.sample.due = before.due
            sessions = self.sessions_in(tables) if wanted is None or wanted else []
            for session in sessions:
                session.share = tables.share_of(session.facts.native_id)
            is_clean = not database.problems and not tables.unknown
            state = msgspec.msgpack.encode(_State(stamps, is_clean, tables.sample.due))
            size_bytes = database.size_bytes if wanted is None else database.bytes_given
            return Reading(
                sessions,
                database.problems,
                tables.unknown,
                Checkpoint(0, b"", state),
                size_bytes,
                was_continued=is_continued,
                is_shared=True,
                unknown_fields=tables.sample.unknown,
            )


class MixedAgent(DatabaseAgent, LineAgent):
    """An agent that keeps a database, and files of lines beside it or before it."""

    def read(self, ref: SourceRef, home: Home, *, checkpoint: Checkpoint | None = None) -> Reading:
        if ref.path.endswith(".jsonl"):
            return LineAgent.read(self, ref, home, checkpoint=checkpoint)
        return DatabaseAgent.read(self, ref, home, checkpoint=checkpoint)

    def read_session(self, ref: SourceRef, home: Home, native_id: str) -> Reading:
        if self.is_database(ref.path):
            return super().read_session(ref, home, native_id)
        return self.read(ref, home)


def _before(checkpoint: Checkpoint | None) -> _State | None:
    if checkpoint is None:
        return None
    try:
        return msgspec.msgpack.decode(checkpoint.state, type=_State)
    except msgspec.MsgspecError:
        return None


def _without_ending(path: str) -> str:
    """Return the path of the database that a file stands beside, or the path itself."""
    return next((path.removesuffix(ending) for ending in _BESIDE if path.endswith(ending)), path)
