"""Follows a query through the shards: candidates newest first, each verified where the index is not exact."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Final, NamedTuple, cast

import msgspec

from holdfast_core import clock
from holdfast_core.index.database import select
from holdfast_core.index.documents import FACTS_INDEX
from holdfast_core.index.files import ShardFile
from holdfast_core.index.heads import RECORD_BYTES, one_head, unpack_each
from holdfast_core.index.plan import Candidate, Conditions, Plan
from holdfast_core.index.vocabulary import bounds

_ROWS_AT_ONCE: Final = 100
_ALL_ROWS: Final = (-(2**63), 2**63 - 1)
_SCORE: Final = "bm25(words, 1.0, 2.0, 0.0)"
_MATCHES: Final = (
    "SELECT found.rowid, found.score, run.id, run.session, run.first_index, "
    f"substr(run.heads, (found.rowid-run.id)*{RECORD_BYTES}+1, {RECORD_BYTES}) FROM "
    "(SELECT rowid, {score} AS score FROM words WHERE words MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid DESC) "
    "AS found CROSS JOIN run ON run.id=(SELECT max(id) FROM run WHERE id<=found.rowid)"
)
_ROWIDS: Final = "SELECT rowid FROM words WHERE words MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid"
_SESSION_OF: Final = "SELECT session FROM run WHERE id<=? ORDER BY id DESC LIMIT 1"
_FEW_ROWS: Final = 200
_RUNS: Final = "SELECT id, session, first_index, count, heads FROM run WHERE id+count>? AND id<=? ORDER BY id DESC"


class Found(msgspec.Struct, frozen=True, gc=False, eq=False):
    """A message that was found, and where its text is."""

    shard: ShardFile
    run: int
    position: int
    session: int
    message_index: int
    score: float
    timestamp_ms: int | None
    end: int
    id_hash: int
    text_hash: int
    role: int

    def text(self) -> str:
        """Return the text of its blocks."""
        return self.shard.text(self.run, self.position)


class _Part(NamedTuple):
    plan: Plan
    first: int
    last: int


class Pursuit:
    """One query over some shards.

    ``check`` raises if nobody waits for the answer any more; after
    ``deadline_seconds`` (monotonic) nothing more is looked for.
    """

    def __init__(
        self,
        conditions: Conditions,
        shards: Sequence[ShardFile],
        hidden: Collection[int],
        *,
        check: Callable[[], None],
        deadline_seconds: float = math.inf,
    ) -> None:
        self._deadline_seconds = deadline_seconds
        self._conditions = conditions
        self._shards = shards
        self._hidden = hidden
        self._check = check

    def alone(self, *, scored: bool) -> Iterator[Found]:
        """Yield matches where words stand alone, about newest first; none if the index cannot tell any.

        With ``scored`` a beginning of words is first looked for as the frequent ones of these in each shard.
        """
        plan = self._conditions.exact_plan()
        if plan.match is None:
            return
        for shard in self._shards:
            parts = [_Part(plan, *_ALL_ROWS)]
            if scored and self._conditions.is_typed:
                frequent = self._conditions.exact_plan(shard.vocabulary.frequent())
                parts.insert(0, _Part(frequent, *_ALL_ROWS))
            yield from self._one_after_the_other(shard, parts, scored=scored and not self.is_usual)

    def everywhere(self, *, scored: bool) -> Iterator[Found]:
        """Yield every match, about newest first; with ``scored`` first those of frequent words in each shard.

        Letters inside words are scored all the same: how rare the words are says nothing about them.
        """
        is_inside = self._conditions.needs_vocabulary
        for shard in self._shards:
            parts = list(self._parts(shard))
            if scored and any(part.plan.parts for part in parts):
                frequent = self._conditions.whole_plan(shard.vocabulary.frequent())
                parts.insert(0, _Part(frequent, *_ALL_ROWS))
            yield from self._one_after_the_other(shard, parts, scored=scored and not is_inside)

    @cached_property
    def is_usual(self) -> bool:
        """Whether only words are looked for that tell nothing of a message, so that they are not worth a score."""
        # The newest shard may be too new to have a list.
        return any(self._conditions.is_usual(shard.vocabulary.frequent()) for shard in self._shards[:2])

    @property
    def is_all_alone(self) -> bool:
        """Whether everything that matches stands alone."""
        return not self._conditions.needs_vocabulary and self._conditions.exact_plan().match is not None

    def counts(self) -> dict[int, int]:
        """Return how many matches each session has."""
        counts: dict[int, int] = {}
        for shard in self._shards:
            for part in self._parts(shard):
                for session, count in self._counts(shard, part):
                    self._check()
                    counts[session] = counts.get(session, 0) + count
        return {session: count for session, count in counts.items() if self._is_shown(session)}

    @property
    def is_exact(self) -> bool:
        """Whether the index alone tells what stands alone."""
        return self._conditions.exact_plan().is_exact

    def _parts(self, shard: ShardFile) -> Iterator[_Part]:
        """Yield ranges of rows, newest first, that together hold everything, and the plan for each."""
        if not self._conditions.needs_vocabulary:
            yield _Part(self._conditions.exact_plan(), *_ALL_ROWS)
            return
        vocabulary = shard.vocabulary
        vocabulary.load()
        lowest, highest = bounds(shard.connection)
        unlisted = Plan(None, False)
        if highest > vocabulary.highest:
            yield _Part(unlisted, vocabulary.highest + 1, highest)
        yield _Part(self._conditions.whole_plan(vocabulary), vocabulary.lowest, vocabulary.highest)
        if lowest < vocabulary.lowest:
            yield _Part(unlisted, lowest, vocabulary.lowest - 1)

    def _counts(self, shard: ShardFile, part: _Part) -> Iterable[tuple[int, int]]:
        if part.plan.is_exact and part.plan.parts:
            return self._counts_of_parts(shard, part)
        if part.plan.is_exact and part.plan.match:
            rows = select(shard.connection, _ROWIDS, (part.plan.match, part.first, part.last))
            return _by_session(shard, [rowid for (rowid,) in rows])
        return ((found.session, 1) for found in self._matches(shard, part, scored=False))

    def _counts_of_parts(self, shard: ShardFile, part: _Part) -> Iterator[tuple[int, int]]:
        rowids: set[int] = set()
        for match in part.plan.parts:
            self._check()
            rows = select(shard.connection, _ROWIDS, (match, part.first, part.last))
            rowids.update(rowid for (rowid,) in rows)
        yield from _by_session(shard, sorted(rowids))

    def _one_after_the_other(self, shard: ShardFile, parts: Sequence[_Part], *, scored: bool) -> Iterator[Found]:
        """Yield the matches of several plans, each message once."""
        seen: set[tuple[int, int]] = set()
        for part in parts:
            for found in self._matches(shard, part, scored=scored):
                if len(parts) > 1:
                    place = (found.run, found.position)
                    if place in seen:
                        continue
                    seen.add(place)
                yield found

    def _matches(self, shard: ShardFile, part: _Part, *, scored: bool) -> Iterator[Found]:
        """Yield the messages of some rows that meet the query, newest first, until it is too late."""
        is_exact, meets = part.plan.is_exact, self._conditions.meets
        hidden, sessions = self._hidden, self._conditions.sessions
        rows = _rows(shard, part, scored=scored, marks=self._conditions.marks)
        # Some at once where nothing needs to be read: a common word has a thousand.
        while some := list(islice(rows, _ROWS_AT_ONCE if is_exact else 1)):
            self._check()
            heads = unpack_each(b"".join([row[5] for row in some]))
            for (rowid, score, run, session, first_index, _), head in zip(some, heads, strict=True):
                if session in hidden or (sessions is not None and session not in sessions):
                    continue
                position = rowid - run
                found = Found(shard, run, position, session, first_index + position, -score, *head)
                if is_exact or meets(candidate(found)):
                    yield found
                elif clock.monotonic_seconds() > self._deadline_seconds:
                    return

    def _is_shown(self, session: int) -> bool:
        sessions = self._conditions.sessions
        return session not in self._hidden and (sessions is None or session in sessions)


def _by_session(shard: ShardFile, rowids: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield sessions, each perhaps several times, with how many of some ascending rowids are theirs."""
    if len(rowids) < _FEW_ROWS:
        for rowid in rowids:
            yield from ((session, 1) for (session,) in select(shard.connection, _SESSION_OF, (rowid,)))
        return
    runs = select(shard.connection, "SELECT id, session FROM run ORDER BY id")
    ends = [*(run for run, _ in runs[1:]), math.inf][: len(runs)]
    start = 0
    for (_, session), end in zip(runs, ends, strict=True):
        after = bisect_left(rowids, end, start)
        if after > start:
            yield session, after - start
        start = after


def _rows(
    shard: ShardFile, part: _Part, *, scored: bool, marks: Sequence[bytes]
) -> Iterator[tuple[int, float, int, int, int, bytes]]:
    """Yield (rowid, score, run, session, first index of the run, head), newest first."""
    if part.plan.match is None:
        return _all_rows(shard, part, marks)
    if part.plan.match:
        sql = _MATCHES.format(score=_SCORE if scored else "0.0")
        rows = shard.connection.execute(sql, (part.plan.match, part.first, part.last))
        return cast("Iterator[tuple[int, float, int, int, int, bytes]]", rows)
    return iter(())


def _all_rows(
    shard: ShardFile, part: _Part, marks: Sequence[bytes]
) -> Iterator[tuple[int, float, int, int, int, bytes]]:
    for run, session, index, count, heads in shard.connection.execute(_RUNS, (part.first, part.last)):
        if marks and not shard.may_hold(run, marks):
            continue
        for rowid in range(min(run + count - 1, part.last), max(run, part.first) - 1, -1):
            yield rowid, 0.0, run, session, index, one_head(heads, rowid - run)


def candidate(found: Found) -> Candidate:
    """Return what is looked at to verify a match."""
    role = None if found.message_index == FACTS_INDEX else found.role
    return Candidate(found.session, role, found.text)
