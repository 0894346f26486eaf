"""One batch of changes to the catalog and the shards, and what it changed for a person.

A session that several sources hold has a row for each. The one that tells most
owns it: not empty, most messages, least of them lost, last updated, smallest source key; the
others are shadows, indexed but never shown, ready to take over. The order in
which sources are read changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Final, NamedTuple, Self
from zlib import crc32

import apsw
import msgspec

from holdfast_core.agents.base import Reading, SessionRead, SourceRef
from holdfast_core.index.database import select
from holdfast_core.index.documents import FACTS_INDEX, Document, facts_text, message_document, storable
from holdfast_core.index.heads import Head
from holdfast_core.index.packing import pack
from holdfast_core.index.rows import (
    annotation_columns,
    decoded_annotation,
    decoded_facts,
    delete,
    encoded_annotation,
    encoded_facts,
    insert,
    session_columns,
    update,
)
from holdfast_core.index.shard import Piece
from holdfast_core.index.shards import Shards
from holdfast_core.index.usage import Responses
from holdfast_core.model.annotation import Annotation
from holdfast_core.model.changes import ChangeSet, LostMessages
from holdfast_core.model.held import is_held_id
from holdfast_core.model.session import Problem, SessionFacts, SessionState
from holdfast_core.paths import path_text

PROBLEMS_LIMIT: Final = 1000
_encode = msgspec.msgpack.Encoder().encode
_decode_problems = msgspec.msgpack.Decoder(list[Problem]).decode
_decode_counts = msgspec.json.Decoder(dict[str, int]).decode


class Read(NamedTuple):
    """A source and what was read of it. In place of the messages stands, for each session, what is searched of them.

    ``is_kept`` says that the vault has all of it: then the facts alone tell of losses.
    """

    ref: SourceRef
    reading: Reading
    documents: list[list[Document]]
    is_kept: bool = False

    @classmethod
    def of(cls, ref: SourceRef, reading: Reading, *, is_kept: bool = False) -> Self:
        """Take over a reading; while its texts are still at hand is the time to look at them."""
        documents = [[message_document(message) for message in session.messages] for session in reading.sessions]
        sessions = [msgspec.structs.replace(session, messages=[]) for session in reading.sessions]
        return cls(ref, msgspec.structs.replace(reading, sessions=sessions), documents, is_kept)

    @property
    def text_bytes(self) -> int:
        """How much text there is."""
        return sum(len(document.data) for documents in self.documents for document in documents)


class SessionRow(NamedTuple):
    """A row as it was before: its key, its number of messages and its facts as stored.

    ``damage`` is as in the facts; what only was read on does not tell it again.
    """

    key: int
    documents: int
    facts: bytes
    size_bytes: int
    state: str
    problem_count: int
    damage: str


class Change:
    """What one transaction does. Call `finish` once, before the shards and the catalog are committed."""

    def __init__(self, catalog: apsw.Connection, shards: Shards, responses: Responses) -> None:
        self._catalog = catalog
        self._shards = shards
        self._responses = responses
        self._pieces: list[tuple[int, list[Piece]]] = []
        self._before: dict[str, int | None] = {}
        self._changed: set[str] = set()
        self._annotated: set[str] = set()
        self._lost: dict[str, LostMessages] = {}
        self._owned: dict[str, int] = {}
        self._updated_ms: list[int] = []
        self._next_key = select(catalog, "SELECT ifnull(max(key), 0)+1 FROM session")[0][0]

    def read(self, source: int, read: Read) -> None:
        """Take in what was read of a source."""
        ref, reading, documents, is_kept = read
        known = self._known(source)
        problem_count = self._keep_source(source, ref, reading)
        seen = set()
        for place, session in enumerate(reading.sessions):
            before = known.get(session.facts.id)
            known[session.facts.id] = self._session(
                source, read, session, documents[place], before=before, problem_count=problem_count
            )
            seen.add(session.facts.id)
        for session_id, row in known.items():
            if session_id in seen:
                continue
            if not reading.was_continued:
                self._remove(session_id, row, "" if is_kept else "rewritten")
                continue
            if reading.is_shared:
                continue  # nothing that others add to the source is this session's
            state = _state(decoded_facts(row.facts), problem_count)
            if (row.size_bytes, row.state, row.problem_count) != (ref.fingerprint.size_bytes, state, problem_count):
                self._touch(session_id)
                self._changed.add(session_id)
                self._catalog.execute(
                    "UPDATE session SET size_bytes=?, state=?, problem_count=? WHERE key=?",
                    (ref.fingerprint.size_bytes, state, problem_count, row.key),
                )

    def forget(self, source: int, reason: str) -> None:
        """Remove a source and what only it holds; without a reason that is no loss."""
        for session_id, row in self._known(source).items():
            self._remove(session_id, row, reason)
        self._catalog.execute("DELETE FROM source WHERE id=?", (source,))

    def annotate(self, annotation: Annotation) -> None:
        """Keep what the person says of a session and make it searchable."""
        session_id = annotation.session_id
        self._keep_annotation(annotation)
        rows = select(self._catalog, "SELECT key, facts FROM session JOIN detail USING(key) WHERE id=?", (session_id,))
        for key, data in rows:
            facts = decoded_facts(data)
            update(self._catalog, key, annotation_columns(facts, annotation))
            self._add_pieces(facts, self._facts_pieces(key, facts, annotation))
            self._annotated.add(session_id)

    def finish(self) -> ChangeSet:
        """Write the words, decide who owns what, and return what changed."""
        self._pieces.sort(key=lambda pair: pair[0])
        times = [moment for moment in self._updated_ms if moment]
        self._shards.write(
            [piece for _, pieces in self._pieces for piece in pieces],
            oldest_ms=min(times, default=None),
            newest_ms=max(times, default=None),
        )
        for session_id in self._before:
            self._settle_owner(session_id)
        self._changed |= self._visible_ids(self._responses.settle())
        return self._changes()

    def _known(self, source: int) -> dict[str, SessionRow]:
        rows = select(
            self._catalog,
            "SELECT id, key, document_count, facts, size_bytes, state, problem_count, damage "
            "FROM session JOIN detail USING(key) WHERE source=?",
            (source,),
        )
        return {session_id: SessionRow(*rest) for session_id, *rest in rows}

    def _touch(self, session_id: str) -> None:
        """Note who owned a session before this change first had to do with it."""
        if session_id in self._before:
            return
        owner = select(
            self._catalog, "SELECT key, document_count FROM session WHERE id=? AND NOT is_shadow", (session_id,)
        )
        self._before[session_id] = owner[0][0] if owner else None
        self._owned[session_id] = owner[0][1] if owner else 0

    def _keep_source(self, source: int, ref: SourceRef, reading: Reading) -> int:
        """Keep what a source looks like now; returns how many of its records cannot be read."""
        problems, unknown = list(reading.problems), Counter(reading.unknown_records)
        fields = Counter(reading.unknown_fields)
        count = len(problems)
        if reading.was_continued:
            rows = select(
                self._catalog,
                "SELECT problems, unknown_records, unknown_fields, problem_count FROM source WHERE id=?",
                (source,),
            )
            data, unknown_before, fields_before, count_before = rows[0]
            problems = (_decode_problems(data) if data else []) + problems
            unknown.update(_decode_counts(unknown_before))
            fields.update(_decode_counts(fields_before))
            count += count_before
        checkpoint = None if reading.checkpoint is None else pack(_encode(reading.checkpoint))
        self._catalog.execute(
            "UPDATE source SET path=?, size_bytes=?, modified_ns=?, inode=?, checkpoint=?, failure='', is_dirty=0, "
            "problem_count=?, problems=?, unknown_records=?, unknown_fields=?, version=ifnull(?, version) WHERE id=?",
            (
                path_text(ref.path),
                ref.fingerprint.size_bytes,
                ref.fingerprint.modified_ns,
                ref.fingerprint.inode,
                checkpoint,
                count,
                _encode(problems[:PROBLEMS_LIMIT]) if problems else b"",
                _counts_text(unknown),
                _counts_text(fields),
                _version(reading),
                source,
            ),
        )
        return count

    def _session(
        self,
        source: int,
        read: Read,
        session: SessionRead,
        documents: list[Document],
        *,
        before: SessionRow | None,
        problem_count: int,
    ) -> SessionRow:
        facts, fingerprint, was_continued = session.facts, read.ref.fingerprint, read.reading.was_continued
        if before and before.damage and was_continued and not read.reading.is_shared:
            facts = msgspec.structs.replace(facts, damage=before.damage)
        self._touch(facts.id)
        key = before.key if before else self._next_key
        self._next_key += before is None
        first = session.first_index
        count = first + len(documents)
        if before and first < before.documents:
            first = self._replace(facts.id, before, first, documents, is_loss=not was_continued and not read.is_kept)
        annotation = self._annotation(facts.id)
        is_said_anew = session.annotation is not None and session.annotation != annotation
        if session.annotation is not None and is_said_anew:
            annotation = session.annotation
            self._keep_annotation(annotation)
        encoded = encoded_facts(facts)
        size_bytes = fingerprint.size_bytes
        if session.share is not None:
            size_bytes, problem_count = session.share.size_bytes, session.share.problem_count
        state = _state(facts, problem_count)
        after = SessionRow(key, count, encoded, size_bytes, state, problem_count, facts.damage)
        if before and facts.lost_messages and not facts.is_empty:
            newly = facts.lost_messages - decoded_facts(before.facts).lost_messages
            self._lose(facts.id, before.key, max(newly, 0), facts.damage)
        if after != before or is_said_anew:
            columns = session_columns(facts, encoded, annotation)
            seen = {"size_bytes": after.size_bytes, "state": state, "problem_count": problem_count}
            columns["session"] |= seen | {"source": source, "document_count": count}
            (update if before else insert)(self._catalog, key, columns)
        kept = documents[first - session.first_index :]
        if after != before or kept or is_said_anew:
            self._changed.add(facts.id)
        pieces = [Piece(key, first, kept, facts.is_held)] if kept else []
        self._add_pieces(facts, pieces + self._facts_pieces(key, facts, annotation))
        if before and self._rank(decoded_facts(before.facts)) != self._rank(facts):
            self._responses.rank_changed(key)
        self._responses.store(key, facts.agent, session.responses, replace=bool(before) and not was_continued)
        return after

    @staticmethod
    def _rank(facts: SessionFacts) -> tuple[object, ...]:
        return facts.forked_from is None, facts.created_ms

    def _replace(
        self, session_id: str, before: SessionRow, first: int, documents: Sequence[Document], *, is_loss: bool
    ) -> int:
        """Remove what differs from ``first`` on; returns the index from which the new messages must be written."""
        heads: dict[int, Head] = {}
        shards = self._shards.shards_of(before.key)
        for shard in shards:
            heads.update(shard.heads(before.key))
        same = 0
        for same, document in enumerate(documents):
            head = heads.get(first + same)
            if head is None or _identity(head) != _identity(document):
                break
        else:
            same = len(documents)
        for shard in shards:
            shard.remove_from(before.key, first + same)
        if is_held_id(session_id) and any(index >= first + same for index in heads):
            self._shards.note_residue([before.key])
        if is_loss:
            gone = Counter(head.id_hash for index, head in heads.items() if index >= first + same)
            gone.subtract(Counter(document.id_hash for document in documents[same:]))
            reason = "shrunk" if first + len(documents) < before.documents else "rewritten"
            self._lose(session_id, before.key, sum(count for count in gone.values() if count > 0), reason)
        return first + same

    def _keep_annotation(self, annotation: Annotation) -> None:
        session_id = annotation.session_id
        if annotation == Annotation(session_id=session_id, updated_ms=annotation.updated_ms):
            self._catalog.execute("DELETE FROM annotation WHERE session_id=?", (session_id,))
        else:
            self._catalog.execute(
                "INSERT OR REPLACE INTO annotation VALUES(?,?)", (session_id, encoded_annotation(annotation))
            )

    def _annotation(self, session_id: str) -> Annotation:
        rows = select(self._catalog, "SELECT annotation FROM annotation WHERE session_id=?", (session_id,))
        return decoded_annotation(rows[0][0] if rows else None, session_id)

    def _facts_pieces(self, key: int, facts: SessionFacts, annotation: Annotation) -> list[Piece]:
        """Return what is searched of the session itself, if that is not what is there already."""
        text = facts_text(facts, title=annotation.title, tags=annotation.tags, note=annotation.note)
        data = text.encode()
        digest = blake2b(data, digest_size=8).digest()
        rows = select(self._catalog, "SELECT facts_text_hash FROM detail WHERE key=?", (key,))
        if rows[0][0] == digest:
            return []
        if rows[0][0]:
            for shard in self._shards.shards_of(key):
                shard.remove_facts(key)
        self._catalog.execute("UPDATE detail SET facts_text_hash=? WHERE key=?", (digest, key))
        document = Document(data, len(data), "", 0, crc32(data), None, 0)
        return [Piece(key, FACTS_INDEX, [document], facts.is_held)] if text else []

    def _add_pieces(self, facts: SessionFacts, pieces: list[Piece]) -> None:
        if pieces:
            self._pieces.append((facts.updated_ms or 0, pieces))
            self._updated_ms.append(facts.updated_ms or 0)

    def _remove(self, session_id: str, row: SessionRow, reason: str) -> None:
        self._touch(session_id)
        for shard in self._shards.shards_of(row.key):
            shard.remove_from(row.key, 0)
            shard.remove_facts(row.key)
        self._responses.remove(row.key)
        if is_held_id(session_id):
            self._shards.note_residue([row.key])
        self._catalog.execute("DELETE FROM session_shard WHERE session=?", (row.key,))
        delete(self._catalog, row.key)
        if is_held_id(session_id):  # what was said of it stood in its source
            self._catalog.execute("DELETE FROM annotation WHERE session_id=?", (session_id,))
        if reason:
            self._lose(session_id, row.key, row.documents, reason)

    def _lose(self, session_id: str, key: int, messages: int, reason: str) -> None:
        """Note a loss; what a shadow loses nobody misses."""
        if key != self._before[session_id]:
            return
        before = self._lost.get(session_id)
        total = messages + (before.messages if before else 0)
        if total:
            self._lost[session_id] = LostMessages(session_id, total, reason)

    def _settle_owner(self, session_id: str) -> None:
        rows = select(
            self._catalog,
            "SELECT session.key, is_shadow FROM session JOIN source ON source.id=session.source WHERE session.id=? "
            "ORDER BY is_empty, message_count DESC, is_gone, lost_messages, ifnull(updated_ms, 0) DESC, source.key",
            (session_id,),
        )
        for place, (key, was_shadow) in enumerate(rows):
            if bool(was_shadow) != (place > 0):
                self._catalog.execute("UPDATE session SET is_shadow=? WHERE key=?", (place > 0, key))
                self._responses.rank_changed(key)
                self._changed.add(session_id)

    def _visible_ids(self, keys: Iterable[int]) -> set[str]:
        found: set[str] = set()
        for key in keys:
            found.update(row[0] for row in select(self._catalog, "SELECT id FROM session WHERE key=?", (key,)))
        return found

    def _changes(self) -> ChangeSet:
        now = {session_id: self._owner(session_id) for session_id in self._before}
        added = {name for name, owner in now.items() if owner is not None and self._before[name] is None}
        removed = {name for name, owner in now.items() if owner is None and self._before[name] is not None}
        changed = {name for name in self._changed - added - removed if name not in now or now[name] is not None}
        return ChangeSet(
            added=tuple(sorted(added)),
            changed=tuple(sorted(changed)),
            removed=tuple(sorted(removed)),
            annotated=tuple(sorted(self._annotated - added - changed)),
            lost=tuple(self._lost_after(now)),
        )

    def _owner(self, session_id: str) -> tuple[int, int] | None:
        rows = select(
            self._catalog, "SELECT key, document_count FROM session WHERE id=? AND NOT is_shadow", (session_id,)
        )
        return rows[0] if rows else None

    def _lost_after(self, now: dict[str, tuple[int, int] | None]) -> Iterable[LostMessages]:
        """Yield what a person really has less of: nothing, where another source tells as much."""
        for session_id, lost in sorted(self._lost.items()):
            owner = now[session_id]
            if owner is None or owner[0] == self._before[session_id]:
                messages = lost.messages
            else:
                messages = min(lost.messages, self._owned[session_id] - owner[1])
            if messages > 0:
                yield LostMessages(session_id, messages, lost.reason)


def _identity(item: Head | Document) -> tuple[int, int, int | None, int]:
    return item.id_hash, item.text_hash, item.timestamp_ms, item.role


def _counts_text(counts: Mapping[str, int]) -> str:
    return msgspec.json.encode(dict(sorted(counts.items()))).decode()


def _version(reading: Reading) -> str | None:
    """Return which version of its agent wrote a source last; None where nothing says so."""
    told = [session.facts for session in reading.sessions if session.facts.agent_version]
    last = max(told, key=lambda facts: facts.updated_ms or 0, default=None)
    return None if last is None else storable(last.agent_version)


def _state(facts: SessionFacts, problem_count: int) -> SessionState:
    """Return the state of a list's row; what was lost or could not be read matters more than where it lies."""
    if facts.is_live:
        return "live"
    if facts.is_gone or facts.lost_messages:
        return "lost"
    return "problem" if problem_count else "archived" if facts.is_archived else "closed"
