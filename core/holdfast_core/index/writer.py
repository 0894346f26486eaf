"""The one writer of the index: takes readings in batches and says what they changed."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import apsw
import filelock
import msgspec

from holdfast_core import clock
from holdfast_core.agents.base import Checkpoint, Fingerprint, SourceRef
from holdfast_core.errors import HoldfastError, IndexBroken, Refused
from holdfast_core.index.change import Change, Read
from holdfast_core.index.database import (
    BROKEN,
    CATALOG,
    LOCK,
    UNWRITABLE,
    create,
    open_for_writing,
    remove_files,
    select,
)
from holdfast_core.index.drift import sessions_listed
from holdfast_core.index.packing import unpack
from holdfast_core.index.shards import SHARD_TEXT_BYTES, Shards
from holdfast_core.index.usage import Responses
from holdfast_core.model.annotation import Annotation
from holdfast_core.model.changes import AgentReport, ChangeSet
from holdfast_core.paths import make_private, path_text, text_path

log = logging.getLogger(__name__)
_decode_checkpoint = msgspec.msgpack.Decoder(Checkpoint).decode


class Known(NamedTuple):
    """What the index knows of a source. ``problem`` is why it could not be read, empty if it could."""

    fingerprint: Fingerprint
    problem: str
    path: str
    read_checkpoint: Callable[[], Checkpoint | None]

    @property
    def checkpoint(self) -> Checkpoint | None:
        """Where reading goes on, as it is now; read when it is asked for, because of most sources nobody does."""
        return self.read_checkpoint()


def forget(directory: Path, *, timeout_seconds: float) -> None:
    """Remove the index in ``directory``: nothing of what it said stays on the disk.

    Raises:
        Refused: another process writes to it and did not end within ``timeout_seconds``.
        HoldfastError: it cannot be removed.
    """
    if not directory.exists():
        return
    try:
        with filelock.FileLock(directory / LOCK, timeout=timeout_seconds):
            remove_files(directory)
    except filelock.Timeout as error:
        raise Refused("Another Holdfast is reading sessions right now. Try again in a moment.") from error
    except OSError as error:
        raise _unwritable(error) from error


class IndexWriter:
    """Writes the index in one directory; no other process can while this one is open."""

    def __init__(self, directory: Path, lock: filelock.BaseFileLock, *, shard_text_bytes: int) -> None:
        self._directory = directory
        self._lock = lock
        self._shard_text_bytes = shard_text_bytes
        self.is_new = False
        """Whether there was no usable index, so that everything has to be read."""
        try:
            self._open_files()
        except IndexBroken as error:
            log.warning("the index is rebuilt: %s", error.detail)
            self._close_files()
            remove_files(directory)
            try:
                self._open_files()
            except IndexBroken as again:
                raise _unwritable(again) from again

    @classmethod
    def open(cls, directory: Path, *, timeout_seconds: float, shard_text_bytes: int = SHARD_TEXT_BYTES) -> IndexWriter:
        """Open the index in ``directory``, empty if it is new, damaged or of another version.

        Raises:
            Refused: another process writes to it and did not end within ``timeout_seconds``.
            HoldfastError: it cannot be written.
        """
        lock = filelock.FileLock(directory / LOCK)
        try:
            make_private(directory)
            lock.acquire(timeout=timeout_seconds)
        except filelock.Timeout as error:
            raise Refused("Another Holdfast is reading sessions right now. Try again in a moment.") from error
        except OSError as error:
            raise _unwritable(error) from error
        try:
            return cls(directory, lock, shard_text_bytes=shard_text_bytes)
        except (*UNWRITABLE, OSError) as error:
            lock.release()
            raise _unwritable(error) from error
        except BaseException:
            lock.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if isinstance(error, UNWRITABLE):
            raise _unwritable(error) from error

    def close(self) -> None:
        """Close the files and let others write."""
        self._close_files()
        self._lock.release()

    def known(self, agent: str, *, at: Sequence[str] | None = None) -> dict[str, Known]:
        """Return what is known of an agent's sources by key; with ``at`` only of those at or below these paths."""
        question = "SELECT id, key, size_bytes, modified_ns, inode, failure, path FROM source WHERE agent=?"
        rows: list[tuple[int, str, int, int, int, str, str]] = []
        if at is None:
            rows += select(self._catalog, question, (agent,))
        for path in map(path_text, at or ()):
            # One by one: SQLite answers an OR of these by looking at all sources of the agent.
            rows += select(self._catalog, f"{question} AND key=?", (agent, path))
            rows += select(self._catalog, f"{question} AND path=?", (agent, path))
            below = path.rstrip("/\\")
            span = (agent, below + "/", below + "0")
            rows += select(self._catalog, f"{question} AND path>? AND path<?", span)
        return {
            text_path(key): Known(
                Fingerprint(size, modified, inode), failure, text_path(path), partial(self._checkpoint, source)
            )
            for source, key, size, modified, inode, failure, path in rows
        }

    def _checkpoint(self, source: int) -> Checkpoint | None:
        rows = select(self._catalog, "SELECT checkpoint FROM source WHERE id=?", (source,))
        return _decode_checkpoint(unpack(rows[0][0])) if rows and rows[0][0] is not None else None

    def apply(self, batch: Sequence[Read]) -> ChangeSet:
        """Take in what was read of some sources, all or nothing, and return what that changed.

        What is in a source read from its start replaces all that it held.
        """
        sources = self._mark_dirty([read.ref for read in batch])
        with self._changing() as change:
            for source, read in zip(sources, batch, strict=True):
                change.read(source, read)
            return change.finish()

    def failed(self, ref: SourceRef, reason: str) -> None:
        """Remember a source that cannot be read, so that it is left alone until it changes.

        What an earlier reading gave of it stays listed, as a problem.
        """
        with self._catalog:
            source = self._source(ref)
            self._catalog.execute(
                "UPDATE source SET failure=?, size_bytes=?, modified_ns=?, inode=? WHERE id=?",
                (reason, ref.fingerprint.size_bytes, ref.fingerprint.modified_ns, ref.fingerprint.inode, source),
            )
            self._catalog.execute("UPDATE session SET state='problem' WHERE source=?", (source,))

    def forget(self, agent: str, keys: Sequence[str], *, is_loss: bool = True) -> ChangeSet:
        """Remove sources that vanished, or that nobody wants to see; sessions that another source holds too stay."""
        sources = []
        with self._catalog:
            for key in map(path_text, keys):
                rows = select(self._catalog, "SELECT id FROM source WHERE agent=? AND key=?", (agent, key))
                sources += [source for (source,) in rows]
                self._catalog.execute("UPDATE source SET is_dirty=1 WHERE agent=? AND key=?", (agent, key))
        with self._changing() as change:
            for source in sources:
                change.forget(source, "gone" if is_loss else "")
            return change.finish()

    def annotate(self, annotations: Sequence[Annotation]) -> ChangeSet:
        """Take in what the person says of sessions; what is said of unknown ones waits for them."""
        with self._catalog:
            self._catalog.executemany(
                "UPDATE source SET is_dirty=1 WHERE id IN (SELECT source FROM session WHERE id=?)",
                ((annotation.session_id,) for annotation in annotations),
            )
        with self._changing() as change:
            for annotation in annotations:
                change.annotate(annotation)
            self._catalog.execute("UPDATE source SET is_dirty=0 WHERE is_dirty")
            return change.finish()

    def count_listed(self, session_ids: Sequence[str]) -> int:
        """Return how many of these a list shows: no subagents, and nothing without a conversation."""
        question = (
            "SELECT count(*) FROM session WHERE id IN (SELECT value FROM json_each(?)) "
            "AND NOT is_shadow AND NOT is_empty AND NOT is_subagent"
        )
        return int(select(self._catalog, question, (msgspec.json.encode(session_ids).decode(),))[0][0])

    def report(self) -> tuple[AgentReport, ...]:
        """Return the totals of each agent: listed sessions, messages of these and their subagents, problems.

        A source that cannot be read at all counts as one problem.
        """
        sessions = select(
            self._catalog,
            "SELECT agent, sum(NOT is_subagent), sum(message_count) FROM session "
            "WHERE NOT is_shadow AND NOT is_empty GROUP BY agent",
        )
        counts = {agent: (total, messages) for agent, total, messages in sessions}
        problems: dict[str, int] = {}
        unknown: dict[str, dict[str, int]] = {}
        rows = select(self._catalog, "SELECT agent, problem_count, failure, unknown_records FROM source")
        for agent, count, failure, records in rows:
            problems[agent] = problems.get(agent, 0) + count + bool(failure)
            totals = unknown.setdefault(agent, {})
            if records != "{}":
                for name, number in msgspec.json.decode(records, type=dict[str, int]).items():
                    totals[name] = totals.get(name, 0) + number
        return tuple(
            AgentReport(
                agent, *counts.get(agent, (0, 0)), problems.get(agent, 0), dict(sorted(unknown.get(agent, {}).items()))
            )
            for agent in sorted(problems.keys() | counts.keys())  # a held session may have an agent without sources
        )

    def sessions_in(self, agent: str) -> dict[str, list[tuple[str, str]]]:
        """Return the kind and the project's path of each session, by the key of its source."""
        rows = select(
            self._catalog,
            "SELECT source.key, iif(is_subagent, 'subagent', 'main'), project_path FROM session "
            "JOIN source ON source.id=session.source WHERE source.agent=?",
            (agent,),
        )
        found: dict[str, list[tuple[str, str]]] = {}
        for key, kind, project in rows:
            found.setdefault(text_path(key), []).append((kind, project))
        return found

    def sessions_listed(self) -> dict[str, int]:
        """Return how many sessions of each agent's own sources a list shows, subagents aside."""
        return sessions_listed(self._catalog)

    def write_words(self, *, deadline_seconds: float) -> bool:
        """Do what searches inside words wait for, for about ``deadline_seconds``; returns whether none is left."""
        return self._shards.write_words(clock.monotonic_seconds() + deadline_seconds)

    def note_residue(self, agent: str) -> None:
        """Note that nothing that was deleted of an agent's sessions, and of what held them, may stay in the files."""
        question = "SELECT session.key FROM session JOIN source ON source.id=session.source WHERE source.agent=?"
        with self._catalog:
            self._shards.note_residue([key for (key,) in select(self._catalog, question, (agent,))])

    def drop_residue(self) -> bool:
        """Write anew what `note_residue` noted, and what held sessions that were removed stood in.

        Returns False while a reader needs what was there before; `tidy` goes on with it.
        """
        return self._shards.drop_residue(math.inf)

    def tidy(self, *, deadline_seconds: float) -> bool:
        """Do idle work for about ``deadline_seconds``; returns whether none is left."""
        return self._shards.tidy(clock.monotonic_seconds() + deadline_seconds)

    def _open_files(self) -> None:
        path = self._directory / CATALOG
        if not path.exists():
            # Parts without a whole are of no use.
            remove_files(self._directory)
            create(path, "catalog.sql")
            self.is_new = True
        self._catalog = open_for_writing(path)
        self._shards = Shards(self._directory, self._catalog, shard_text_bytes=self._shard_text_bytes)
        try:
            self._recover()
        except BROKEN as error:
            raise IndexBroken("The index is damaged.", detail=str(error)) from error

    def _close_files(self) -> None:
        for part in ("_shards", "_catalog"):
            if hasattr(self, part):
                getattr(self, part).close()

    def _recover(self) -> None:
        """Undo what a batch left behind that was cut off between the shards and the catalog."""
        ahead = self._shards.check()
        dirty = [row[0] for row in select(self._catalog, "SELECT id FROM source WHERE is_dirty")]
        if ahead and not dirty:
            raise IndexBroken("The parts of the index do not fit together.", detail=f"shards {sorted(ahead)}")
        if not dirty:
            return
        with self._changing() as change:
            for source in dirty:
                change.forget(source, "unfinished")
            change.finish()
            keys = {key for (key,) in select(self._catalog, "SELECT key FROM session")}
            for number in ahead:
                self._shards.accept(number)
                shard = self._shards.begun(number)
                for orphan in shard.sessions() - keys:
                    shard.remove_from(orphan, 0)
                    shard.remove_facts(orphan)

    def _mark_dirty(self, refs: Sequence[SourceRef]) -> list[int]:
        with self._catalog:
            sources = [self._source(ref) for ref in refs]
            self._catalog.executemany("UPDATE source SET is_dirty=1 WHERE id=?", ((source,) for source in sources))
        return sources

    def _source(self, ref: SourceRef) -> int:
        """Return the id of a source, which is new if need be."""
        rows = select(self._catalog, "SELECT id FROM source WHERE agent=? AND key=?", (ref.agent, path_text(ref.key)))
        if not rows:
            self._catalog.execute(
                "INSERT INTO source(agent, key, path, size_bytes, modified_ns, inode) VALUES(?,?,?,0,0,0)",
                (ref.agent, path_text(ref.key), path_text(ref.path)),
            )
            return self._catalog.last_insert_rowid()
        return int(rows[0][0])

    @contextmanager
    def _changing(self) -> Iterator[Change]:
        """Commit the shards, then the catalog; on a failure leave both as they were.

        Raises:
            IndexBroken: a file turned out to be damaged; the index is empty
                now, and every source must be read again.
        """
        try:
            self._catalog.execute("BEGIN IMMEDIATE")
            try:
                yield Change(self._catalog, self._shards, Responses(self._catalog))
            except BaseException:
                self._roll_back()
                raise
            self._shards.commit()
            self._catalog.execute("COMMIT")
        except (apsw.CorruptError, apsw.NotADBError) as error:
            log.warning("the index is rebuilt: %s", error)
            self._close_files()
            remove_files(self._directory)
            self._open_files()
            raise IndexBroken("The index was damaged and is built again.", detail=str(error)) from error
        except UNWRITABLE as error:
            raise _unwritable(error) from error

    def _roll_back(self) -> None:
        self._shards.rollback()
        if self._catalog.in_transaction:
            self._catalog.execute("ROLLBACK")
        # Neither side has changed: nothing needs to be undone at the next start.
        self._catalog.execute("UPDATE source SET is_dirty=0 WHERE is_dirty")


def _unwritable(error: BaseException) -> HoldfastError:
    return HoldfastError(
        "Holdfast cannot write its index. Free some space on the disk, or correct the permissions.", detail=repr(error)
    )
