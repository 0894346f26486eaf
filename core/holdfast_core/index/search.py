"""Carries out queries that look into messages: candidates newest first, verified, ranked, with snippets.

Words that stand alone come first; only if they do not fill the page are words
looked for inside others. Relevance is judged among the newest thousand
matches. A message that several sessions hold, because one was forked from the
other, is shown once for each, but the copies come last.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

import apsw
import msgspec

from holdfast_core import clock
from holdfast_core.index.database import select
from holdfast_core.index.documents import FACTS_INDEX
from holdfast_core.index.plan import Conditions
from holdfast_core.index.pursuit import Found, Pursuit, candidate
from holdfast_core.index.snippet import Snippet, snippet
from holdfast_core.model.search import Hit, SearchResult

_RANKED: Final = 1000
# What the index cannot tell exactly is read and looked at: less of it can be ranked in the same time.
_RANKED_VERIFIED: Final = 200
# A full page is only counted on as long as nobody notices.
_EXACT_SECONDS: Final = 0.002
_HALF_LIFE_MS: Final = 30 * 86_400_000
_USER_BOOST, _FACTS_BOOST, _INSIDE_FACTOR, _COPY_FACTOR = 1.3, 1.6, 0.5, 0.2


class SessionInfo(NamedTuple):
    """What a hit shows and is ordered by of its session."""

    id: str
    agent: str
    title: str
    updated_ms: int
    rank: tuple[bool, int, str]


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
    scored = _scored(pool.rows, infos)
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


def _scored(rows: Sequence[tuple[Found, bool]], infos: Mapping[int, SessionInfo]) -> list[tuple[float, int, Found]]:
    """Return (score, moment, match) of each match. What stands alone scores above all that stands inside words."""
    now = clock.now_ms()
    alone: list[tuple[float, int, Found]] = []
    inside: list[tuple[float, int, Found]] = []
    for row, is_inside in rows:
        info = infos.get(row.session)
        moment = row.timestamp_ms or (info.updated_ms if info else 0)
        (inside if is_inside else alone).append((_score(row, moment, now), moment, row))
    if alone and inside:
        factor = min(item[0] for item in alone) / max(item[0] for item in inside)
        inside = [(score * min(1.0, factor) * _INSIDE_FACTOR, moment, row) for score, moment, row in inside]
    return alone + inside


def _score(row: Found, moment: int, now: int) -> float:
    age = (now - moment) / _HALF_LIFE_MS if moment < now else 0.0
    # Words that stand in most messages score below zero.
    score = (row.score if row.score > 1e-6 else 1e-6) * (0.35 + 0.65 * math.exp2(-age))
    if row.message_index == FACTS_INDEX:
        return score * _FACTS_BOOST
    return score * _USER_BOOST if row.role == 0 else score


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
        "FROM session JOIN detail USING(key) WHERE key IN (SELECT value FROM json_each(?))",
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
