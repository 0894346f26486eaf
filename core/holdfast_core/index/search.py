"""Carries out queries that look into messages: candidates newest first, verified, ranked, with snippets.

Words that stand alone come first; only if they do not fill the page are words
looked for inside others. Relevance is judged among the newest five
hundred matches. A message that several sessions hold, because one was forked from the
other, is shown once for each, but the copies come last.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from heapq import nlargest
from itertools import islice
from operator import itemgetter
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

_RANKED: Final = 500
# Words that stand in very many messages tell nothing of any: the newest are the best.
_RANKED_USUAL: Final = 250
# What the index cannot tell exactly is read and looked at: less of it can be ranked in the same time.
_RANKED_VERIFIED: Final = 200
# A full page is only counted on as long as nobody notices.
_EXACT_SECONDS: Final = 0.001
_HALF_LIFE_MS: Final = 30 * 86_400_000
_USER_BOOST, _FACTS_BOOST, _INSIDE_FACTOR, _COPY_FACTOR = 1.3, 1.6, 0.5, 0.2
# What is found in these is what a session is about; elsewhere in its facts it may merely be a directory's name.
_TELLING_FACTS: Final = frozenset(("title", "tag", "note"))
_PATH_FACTOR, _AFTER = 0.5, 0.999


class SessionInfo(NamedTuple):
    """What a hit shows and is ordered by of its session."""

    id: str
    agent: str
    title: str
    updated_ms: int
    rank: tuple[bool, int, str]


class _Scored(NamedTuple):
    """A match, how good it is, and when it was."""

    score: float
    moment: int
    row: Found


@dataclass(slots=True)
class _Pool:
    """Matches where words stand alone, and such inside others; ``is_complete`` if there are no more."""

    alone: list[Found]
    inside: list[Found] = field(default_factory=list)
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
    is_relevance = sort == "relevance"
    pool = _collect(pursuit, limit, is_scored=is_relevance, deadline_seconds=deadline_seconds)
    rows = pool.alone + pool.inside
    infos = session_infos(catalog, {row.session for row in rows if row.timestamp_ms is None})
    best = _best(_scored(pool, infos), conditions, limit, is_relevance=is_relevance)
    infos.update(session_infos(catalog, {item.row.session for item in best} - infos.keys()))
    best = _copies_last([item for item in best if item.row.session in infos], infos, is_relevance=is_relevance)
    wanted = conditions if snippets else None
    return SearchResult(
        hits=tuple(_hit(item.row, infos[item.row.session], item.score, wanted) for item in best[:limit]),
        total_sessions=len({row.session for row in rows}),
        total_messages=len(rows),
        wall_seconds=0.0,
        is_exact=pool.is_complete,
    )


def _collect(pursuit: Pursuit, limit: int, *, is_scored: bool, deadline_seconds: float) -> _Pool:
    most = max(limit, _ranked(pursuit) if is_scored else 4 * limit)
    soft_seconds = clock.monotonic_seconds() + _EXACT_SECONDS
    pool = _Pool(list(islice(pursuit.alone(scored=is_scored), most)))
    if len(pool.alone) >= most:
        return pool
    if pursuit.is_all_alone:
        pool.is_complete = clock.monotonic_seconds() <= deadline_seconds
        return pool
    if len(pool.alone) >= limit and clock.monotonic_seconds() > soft_seconds:
        return pool
    seen = {(id(found.shard), found.run, found.position) for found in pool.alone}
    for found in pursuit.everywhere(scored=is_scored):
        if (id(found.shard), found.run, found.position) in seen:
            continue
        pool.inside.append(found)
        total, now = len(pool.alone) + len(pool.inside), clock.monotonic_seconds()
        if total >= most or now > (soft_seconds if total >= limit else deadline_seconds):
            return pool
    pool.is_complete = clock.monotonic_seconds() <= deadline_seconds
    return pool


def _ranked(pursuit: Pursuit) -> int:
    if not pursuit.is_exact:
        return _RANKED_VERIFIED
    return _RANKED_USUAL if pursuit.is_usual else _RANKED


def _scored(pool: _Pool, infos: Mapping[int, SessionInfo]) -> list[_Scored]:
    """Score every match. What stands alone scores above all that stands inside words."""
    now = clock.now_ms()
    alone = [_score(row, infos, now) for row in pool.alone]
    inside = [_score(row, infos, now) for row in pool.inside]
    if alone and inside:
        factor = min(1.0, min(alone)[0] / max(inside)[0]) * _INSIDE_FACTOR
        inside = [(score * factor, moment) for score, moment in inside]
    return [
        _Scored(score, moment, row)
        for scores, rows in ((alone, pool.alone), (inside, pool.inside))
        for (score, moment), row in zip(scores, rows, strict=True)
    ]


def _score(row: Found, infos: Mapping[int, SessionInfo], now: int) -> tuple[float, int]:
    moment = row.timestamp_ms
    if not moment:
        info = infos.get(row.session)
        moment = info.updated_ms if info else 0
    age = (now - moment) / _HALF_LIFE_MS if moment < now else 0.0
    # Words that stand in most messages score below zero.
    score = (row.score if row.score > 1e-6 else 1e-6) * (0.35 + 0.65 * 0.5**age)
    if row.message_index == FACTS_INDEX:
        return score * _FACTS_BOOST, moment
    return (score * _USER_BOOST if row.role == 0 else score), moment


def _best(scored: list[_Scored], conditions: Conditions, limit: int, *, is_relevance: bool) -> list[_Scored]:
    """Return the best or newest matches in order, enough that copies among them can go last.

    What is found only in a session's paths and the like tells less than any
    of its messages does, and comes after them.
    """
    order = itemgetter(0) if is_relevance else itemgetter(1)
    messages = [item for item in scored if item.row.message_index != FACTS_INDEX]
    messages = nlargest(2 * limit, messages, key=order)
    facts = [item for item in scored if item.row.message_index == FACTS_INDEX]
    if facts:
        last: dict[int, _Scored] = {}
        for item in messages:
            last[item.row.session] = item
        facts = [_in_its_place(item, last, conditions) for item in nlargest(limit, facts, key=order)]
        messages = nlargest(2 * limit, [*messages, *facts], key=order)
    return messages


def _in_its_place(item: _Scored, last: Mapping[int, _Scored], conditions: Conditions) -> _Scored:
    if conditions.stands_in(candidate(item.row), _TELLING_FACTS):
        return item
    score, moment = item.score / _FACTS_BOOST * _PATH_FACTOR, item.moment
    before = last.get(item.row.session)
    if before is not None:
        score, moment = min(score, before.score * _AFTER), min(moment, before.moment - 1)
    return _Scored(score, moment, item.row)


def _copies_last(best: list[_Scored], infos: Mapping[int, SessionInfo], *, is_relevance: bool) -> list[_Scored]:
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
    return [_Scored(score, moment, row) for _, score, moment, row in result]


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
