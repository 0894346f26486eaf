"""Counts each model response in one session only, however many transcripts repeat it.

A forked or resumed transcript begins with copies of the responses of the one
that it came from. Of all sessions that hold a response it counts in the one
that is no fork, then the earliest created, then the smallest id; so the order
in which sessions are read changes nothing. What a session says of itself,
less what counts elsewhere, is what a list shows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from hashlib import blake2b
from itertools import groupby
from operator import itemgetter
from typing import Any

import apsw

from holdfast_core.index.database import select
from holdfast_core.index.rows import USAGE_COLUMNS, decoded_facts, update, usage_columns
from holdfast_core.model.usage import ResponseUsage, Usage


class Responses:
    """The responses of one catalog, inside the caller's transaction. Costs follow what changed."""

    def __init__(self, catalog: apsw.Connection) -> None:
        self._catalog = catalog
        self._touched: set[int] = set()
        self._sessions: set[int] = set()
        catalog.execute("CREATE TEMP TABLE IF NOT EXISTS touched(key INTEGER PRIMARY KEY)")

    def store(self, session: int, agent: str, responses: Sequence[ResponseUsage], *, replace: bool) -> None:
        """Keep a session's responses; with ``replace`` these are all that it has."""
        if replace:
            self.remove(session)
        rows = [_row(session, agent, response) for response in responses]
        self._catalog.executemany("INSERT OR REPLACE INTO response VALUES(?,?,0,?,?,?,?,?,?)", rows)
        self._touched.update(row[1] for row in rows)
        self._sessions.add(session)

    def remove(self, session: int) -> None:
        """Forget a session's responses."""
        self.rank_changed(session)
        self._catalog.execute("DELETE FROM response WHERE session=?", (session,))

    def rank_changed(self, session: int) -> None:
        """Decide again about everything in a session, because what decides about it has changed."""
        self._touched.update(
            key for (key,) in select(self._catalog, "SELECT key FROM response WHERE session=?", (session,))
        )
        self._sessions.add(session)

    def settle(self) -> set[int]:
        """Decide where each touched response counts; returns the sessions whose sums changed by that."""
        affected = self._sessions | self._assign()
        changed = {session for session in affected if self._sum(session)}
        self._touched.clear()
        self._sessions.clear()
        return changed

    def _assign(self) -> set[int]:
        execute = self._catalog.execute
        self._catalog.executemany("INSERT INTO touched VALUES(?)", ((key,) for key in self._touched))
        # CROSS JOIN keeps the order of the loops: from the few touched keys to their copies.
        rows = select(
            self._catalog,
            "SELECT response.key, is_shadow, forked_from IS NOT NULL, ifnull(created_ms, 1<<62), id, "
            "session.key, is_elsewhere "
            "FROM (SELECT touched.key AS shared FROM touched CROSS JOIN response USING(key) GROUP BY touched.key "
            "HAVING count(*)>1 OR max(is_elsewhere)) CROSS JOIN response ON response.key=shared "
            "CROSS JOIN session ON session.key=response.session "
            "ORDER BY response.key",
        )
        execute("DELETE FROM touched")
        affected = set()
        for key, copies in groupby(rows, key=itemgetter(0)):
            ranked = sorted(copies, key=lambda copy: copy[1:6])
            for place, copy in enumerate(ranked):
                is_elsewhere = place > 0
                if is_elsewhere != bool(copy[6]):
                    execute(
                        "UPDATE response SET is_elsewhere=? WHERE session=? AND key=?", (is_elsewhere, copy[5], key)
                    )
                    affected.add(copy[5])
        return affected

    def _sum(self, session: int) -> bool:
        found = select(
            self._catalog,
            f"SELECT facts, total_tokens, cost_usd, {', '.join(USAGE_COLUMNS)} FROM session JOIN detail USING(key) "
            "WHERE key=?",
            (session,),
        )
        if not found:
            return False
        facts = decoded_facts(found[0][0])
        elsewhere = select(
            self._catalog,
            f"SELECT {', '.join(USAGE_COLUMNS)}, cost_usd FROM response WHERE session=? AND is_elsewhere",
            (session,),
        )
        columns = usage_columns(_less(facts.usage, elsewhere), _cost_less(facts.cost_usd, elsewhere))
        if (*columns["session"].values(), *columns["detail"].values()) == found[0][1:]:
            return False
        update(self._catalog, session, columns)
        return True


def _less(usage: Usage, rows: Sequence[tuple[Any, ...]]) -> Usage:
    if not rows:
        return usage
    counts = (sum(column) for column in zip(*(row[:-1] for row in rows), strict=True))
    return Usage(*(max(0, getattr(usage, name) - gone) for name, gone in zip(USAGE_COLUMNS, counts, strict=True)))


def _cost_less(cost_usd: float | None, rows: Sequence[tuple[Any, ...]]) -> float | None:
    gone = math.fsum(row[-1] for row in rows if row[-1] is not None)
    return cost_usd if cost_usd is None or not gone else max(0.0, cost_usd - gone)


def _row(session: int, agent: str, response: ResponseUsage) -> tuple[Any, ...]:
    name = f"{agent}\0{response.key}".encode("utf-8", "replace")
    usage = response.usage
    return (
        session,
        int.from_bytes(blake2b(name, digest_size=8).digest(), "little", signed=True),
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.reasoning_tokens,
        response.cost_usd,
    )
