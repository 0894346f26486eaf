"""What could not be read, or was not known, by agent and by the version of the agent that wrote it."""

from __future__ import annotations

from collections import Counter

import apsw
import msgspec

from holdfast_core.index.database import KEPT_INODE, select
from holdfast_core.model.agent import VersionRead

_decode = msgspec.json.Decoder(dict[str, int]).decode


def versions_read(catalog: apsw.Connection) -> list[VersionRead]:
    """Return the totals over all sources that are there, by agent and version; both in order."""
    records, fields = _totals(catalog, "unknown_records"), _totals(catalog, "unknown_fields")
    listed = _listed(catalog)
    sql = (
        "SELECT agent, version, count(*), sum(problem_count+(failure<>'')) FROM source "
        f"WHERE inode<>{KEPT_INODE} GROUP BY 1, 2 ORDER BY 1, 2"
    )
    return [
        VersionRead(
            agent=agent,
            version=version,
            sources=sources,
            sessions=listed.get((agent, version), 0),
            problems=problems,
            unknown_records=records.get((agent, version), {}),
            unknown_fields=fields.get((agent, version), {}),
        )
        for agent, version, sources, problems in select(catalog, sql)
    ]


def sessions_listed(catalog: apsw.Connection) -> dict[str, int]:
    """Return how many sessions of each agent's own sources a list shows, no subagents and none that is gone there."""
    totals: dict[str, int] = {}
    for (agent, _), sessions in _listed(catalog).items():
        totals[agent] = totals.get(agent, 0) + sessions
    return totals


def _totals(catalog: apsw.Connection, column: str) -> dict[tuple[str, str], dict[str, int]]:
    """Return the counts in a column by agent and version, each by name in order."""
    found: dict[tuple[str, str], Counter[str]] = {}
    sql = f"SELECT agent, version, {column} FROM source WHERE {column}<>'{{}}'"
    for agent, version, counts in select(catalog, sql):
        found.setdefault((agent, version), Counter()).update(_decode(counts))
    return {key: dict(sorted(counts.items())) for key, counts in found.items()}


def _listed(catalog: apsw.Connection) -> dict[tuple[str, str], int]:
    sql = (
        "SELECT source.agent, version, count(*) FROM session JOIN source ON source.id=session.source "
        "WHERE NOT is_shadow AND NOT is_empty AND NOT is_subagent AND NOT is_gone "
        "AND (NOT lost_messages OR lost_messages<message_count) GROUP BY 1, 2"
    )
    return {(agent, version): sessions for agent, version, sessions in select(catalog, sql)}
