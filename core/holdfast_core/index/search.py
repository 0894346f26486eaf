"""Carries out queries that look into messages: candidates newest first, verified, ranked, with snippets.

Words that stand alone come first; only if they do not fill the page are words
looked for inside others. Relevance is judged among the newest thousand
matches. A message that several sessions hold, because one was forked from the
other, is shown once for each, but the copies come last.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, cast

import apsw
import msgspec

from holdfast_core import clock
from holdfast_core.index.database import select
from holdfast_core.index.documents import FACTS_INDEX
from holdfast_core.index.files import ShardFile
from holdfast_core.index.heads import RECORD_BYTES, one_head, unpack_head
from holdfast_core.index.plan import Candidate, Conditions, Plan
from holdfast_core.index.snippet import Snippet, snippet
from holdfast_core.index.vocabulary import bounds
from holdfast_core.model.search import Hit, SearchResult

_RANKED: Final = 1000
# What the index cannot tell exactly is read and looked at: less of it can be ranked in the same time.
_RANKED_VERIFIED: Final = 200
# A full page is only counted on as long as nobody notices.
_EXACT_SECONDS: Final = 0.002
_HALF_LIFE_MS: Final = 30 * 86_400_000
_USER_BOOST, _FACTS_BOOST, _INSIDE_FACTOR, _COPY_FACTOR = 1.3, 1.6, 0.25, 0.2

_ALL_ROWS: Final = (-(2**63), 2**63 - 1)
_SCORE: Final = "bm25(words, 2.0, 1.0, 0.0)"
_MATCHES: Final = (
    "SELECT found.rowid, found.score, run.id, run.session, run.first_index, "
    f"substr(run.heads, (found.rowid-run.id)*{RECORD_BYTES}+1, {RECORD_BYTES}) FROM "
    "(SELECT rowid, {score} AS score FROM words WHERE words MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid DESC) "
    "AS found CROSS JOIN run ON run.id=(SELECT max(id) FROM run WHERE id<=found.rowid)"
)
_COUNTS: Final = (
    "SELECT run.session, count(*) FROM (SELECT rowid FROM words WHERE words MATCH ? AND rowid BETWEEN ? AND ?) "
    "AS found CROSS JOIN run ON run.id=(SELECT max(id) FROM run WHERE id<=found.rowid) GROUP BY run.session"
)
_RUNS: Final = "SELECT id, session, first_index, count, heads FROM run WHERE id+count>? AND id<=? ORDER BY id DESC"


class Found(NamedTuple):
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


class SessionInfo(NamedTuple):
    """What a hit shows and is ordered by of its session."""

    id: str
    agent: str
    title: str
    updated_ms: int
    rank: tuple[bool, int, str]


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
        """Yield matches where words stand alone, about newest first."""
        plan = self._conditions.exact_plan()
        for shard in self._shards:
            yield from self._matches(shard, _Part(plan, *_ALL_ROWS), scored=scored)

    def everywhere(self, *, scored: bool) -> Iterator[Found]:
        """Yield every match, about newest first."""
        for shard in self._shards:
            for part in self._parts(shard):
                yield from self._matches(shard, part, scored=scored)

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
        if part.plan.is_exact and part.plan.match:
            return cast(
                "Iterable[tuple[int, int]]",
                shard.connection.execute(_COUNTS, (part.plan.match, part.first, part.last)),
            )
        return ((found.session, 1) for found in self._matches(shard, part, scored=False))

    def _matches(self, shard: ShardFile, part: _Part, *, scored: bool) -> Iterator[Found]:
        """Yield the messages of some rows that meet the query, newest first, until it is too late."""
        is_exact, meets = part.plan.is_exact, self._conditions.meets
        hidden, sessions = self._hidden, self._conditions.sessions
        for rowid, score, run, session, first_index, head in _rows(shard, part, scored=scored):
            self._check()
            if session in hidden or (sessions is not None and session not in sessions):
                continue
            position = rowid - run
            found = Found(shard, run, position, session, first_index + position, -score, *unpack_head(head, 0))
            if is_exact or meets(candidate(found)):
                yield found
            elif clock.monotonic_seconds() > self._deadline_seconds:
                return

    def _is_shown(self, session: int) -> bool:
        sessions = self._conditions.sessions
        return session not in self._hidden and (sessions is None or session in sessions)


def _rows(shard: ShardFile, part: _Part, *, scored: bool) -> Iterator[tuple[int, float, int, int, int, bytes]]:
    """Yield (rowid, score, run, session, first index of the run, head), newest first."""
    if part.plan.match is None:
        for run, session, index, count, heads in shard.connection.execute(_RUNS, (part.first, part.last)):
            for rowid in range(min(run + count - 1, part.last), max(run, part.first) - 1, -1):
                yield rowid, 0.0, run, session, index, one_head(heads, rowid - run)
    elif part.plan.match:
        sql = _MATCHES.format(score=_SCORE if scored else "0.0")
        rows = shard.connection.execute(sql, (part.plan.match, part.first, part.last))
        yield from cast("Iterator[tuple[int, float, int, int, int, bytes]]", rows)


def candidate(found: Found) -> Candidate:
    """Return what is looked at to verify a match."""
    role = None if found.message_index == FACTS_INDEX else found.role
    return Candidate(found.session, role, found.text)


@dataclass(slots=True)
class _Pool:
    """Matches, and whether their words only stand inside others; ``is_complete`` if there are no more."""

    rows: list[tuple[Found, bool]] = field(default_factory=list)
    is_complete: bool = False


def search_messages(
    pursuit: Pursuit,
    conditions: Conditions,
    catalog: apsw.Connection,
    *,
    limit: int,
    sort: Literal["relevance", "time"],
    snippets: bool,
    deadline_seconds: float,
) -> SearchResult:
    """Return the best or newest matches. Beyond ``deadline_seconds`` (monotonic) only what was found by then."""
    pool = _collect(pursuit, limit, is_scored=sort == "relevance", deadline_seconds=deadline_seconds)
    timeless = {row.session for row, _ in pool.rows if row.timestamp_ms is None}
    infos = session_infos(catalog, timeless)
    now = clock.now_ms()
    scored = []
    for row, is_inside in pool.rows:
        info = infos.get(row.session)
        moment = row.timestamp_ms or (info.updated_ms if info else 0)
        scored.append((_score(row, moment, now, is_inside=is_inside), moment, row))
    scored.sort(key=(lambda item: item[0]) if sort == "relevance" else (lambda item: item[1]), reverse=True)
    best = scored[: 2 * limit]
    infos.update(session_infos(catalog, {row.session for _, _, row in best} - infos.keys()))
    best = _copies_last([item for item in best if item[2].session in infos], infos, is_relevance=sort == "relevance")
    hits = tuple(
        _hit(row, infos[row.session], score, conditions if snippets else None) for score, _, row in best[:limit]
    )
    return SearchResult(
        hits=hits,
        total_sessions=len({row.session for row, _ in pool.rows}),
        total_messages=len(pool.rows),
        wall_seconds=0.0,
        is_exact=pool.is_complete,
    )


def _collect(pursuit: Pursuit, limit: int, *, is_scored: bool, deadline_seconds: float) -> _Pool:
    most = max(limit, (_RANKED if pursuit.is_exact else _RANKED_VERIFIED) if is_scored else 4 * limit)
    soft_seconds = clock.monotonic_seconds() + _EXACT_SECONDS
    pool = _Pool()
    for found in pursuit.alone(scored=is_scored):
        pool.rows.append((found, False))
        if len(pool.rows) >= most:
            return pool
    seen = {(id(found.shard), found.run, found.position) for found, _ in pool.rows}
    if len(pool.rows) >= limit and clock.monotonic_seconds() > soft_seconds:
        return pool
    for found in pursuit.everywhere(scored=is_scored):
        if (id(found.shard), found.run, found.position) in seen:
            continue
        pool.rows.append((found, True))
        now = clock.monotonic_seconds()
        if len(pool.rows) >= most or now > (soft_seconds if len(pool.rows) >= limit else deadline_seconds):
            return pool
    pool.is_complete = clock.monotonic_seconds() <= deadline_seconds
    return pool


def _score(row: Found, moment: int, now: int, *, is_inside: bool) -> float:
    age = (now - moment) / _HALF_LIFE_MS if moment < now else 0.0
    # Words that stand in most messages score below zero.
    score = (row.score if row.score > 1e-6 else 1e-6) * (0.35 + 0.65 * 2.0**-age)
    if row.message_index == FACTS_INDEX:
        score *= _FACTS_BOOST
    elif row.role == 0:
        score *= _USER_BOOST
    return score * _INSIDE_FACTOR if is_inside else score


def _copies_last(
    best: list[tuple[float, int, Found]], infos: Mapping[int, SessionInfo], *, is_relevance: bool
) -> list[tuple[float, int, Found]]:
    """Put copies of one message behind the original, or behind all if sorted by relevance."""
    originals: dict[tuple[int, int, int | None], tuple[tuple[bool, int, str], float]] = {}
    for score, _, row in best:
        key = _message(row)
        rank = infos[row.session].rank
        first, most = originals.get(key, (rank, score))
        originals[key] = (min(first, rank), max(most, score))
    result = []
    for score, moment, row in best:
        first, most = originals[_message(row)]
        is_copy = row.message_index != FACTS_INDEX and infos[row.session].rank != first
        shown = score if row.message_index == FACTS_INDEX else (most * _COPY_FACTOR if is_copy else most)
        result.append((is_copy, shown, moment, row))
    if is_relevance:
        result.sort(key=lambda item: -item[1])
    else:
        result.sort(key=lambda item: (-item[2], item[0]))
    return [(score, moment, row) for _, score, moment, row in result]


def _message(row: Found) -> tuple[int, int, int | None]:
    return row.id_hash, row.text_hash, row.timestamp_ms


def session_infos(catalog: apsw.Connection, keys: Collection[int]) -> dict[int, SessionInfo]:
    """Return what hits show of their sessions."""
    if not keys:
        return {}
    rows = select(
        catalog,
        "SELECT key, id, agent, title, ifnull(updated_ms, 0), forked_from IS NOT NULL, ifnull(created_ms, 1<<62) "
        "FROM session WHERE key IN (SELECT value FROM json_each(?))",
        (msgspec.json.encode(sorted(keys)).decode(),),
    )
    return {
        key: SessionInfo(session_id, agent, title, updated, (bool(is_fork), created, session_id))
        for key, session_id, agent, title, updated, is_fork, created in rows
    }


def _hit(row: Found, info: SessionInfo, score: float, conditions: Conditions | None) -> Hit:
    found: Any = Snippet("text", "", ())
    if conditions is not None:
        found = snippet(candidate(row).blocks, conditions.needles, conditions.patterns)
    timestamp = info.updated_ms or None if row.message_index == FACTS_INDEX else row.timestamp_ms
    return Hit(
        session_id=info.id,
        session_key=row.session,
        agent=info.agent,
        title=info.title,
        message_index=row.message_index,
        block_kind=found.kind,
        snippet=found.text,
        highlights=found.highlights,
        score=score,
        timestamp_ms=timestamp,
    )
