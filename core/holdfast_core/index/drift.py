"""What could not be read, or was not known, by agent and by the version of the agent that wrote it."""

from __future__ import annotations

import apsw
import msgspec

from holdfast_core.index.database import select
from holdfast_core.model.agent import VersionRead

_decode = msgspec.json.Decoder(dict[str, int]).decode


def versions_read(catalog: apsw.Connection) -> list[VersionRead]:
    """Return the totals over all sources, by agent and version; both in order."""
    unknown: dict[tuple[str, str], dict[str, int]] = {}
    sql = "SELECT agent, version, unknown_records FROM source WHERE unknown_records<>'{}'"
    for agent, version, records in select(catalog, sql):
        totals = unknown.setdefault((agent, version), {})
        for name, number in _decode(records).items():
            totals[name] = totals.get(name, 0) + number
    listed = _listed(catalog)
    sql = "SELECT agent, version, count(*), sum(problem_count+(failure<>'')) FROM source GROUP BY 1, 2 ORDER BY 1, 2"
    return [
        VersionRead(
            agent=agent,
            version=version,
            sources=sources,
            sessions=listed.get((agent, version), 0),
            problems=problems,
            unknown_records=dict(sorted(unknown.get((agent, version), {}).items())),
        )
        for agent, version, sources, problems in select(catalog, sql)
    ]


def sessions_listed(catalog: apsw.Connection) -> dict[str, int]:
    """Return how many sessions of each agent's own sources a list shows, subagents aside."""
    totals: dict[str, int] = {}
    for (agent, _), sessions in _listed(catalog).items():
        totals[agent] = totals.get(agent, 0) + sessions
    return totals


def _listed(catalog: apsw.Connection) -> dict[tuple[str, str], int]:
    sql = (
        "SELECT source.agent, version, count(*) FROM session JOIN source ON source.id=session.source "
        "WHERE NOT is_shadow AND NOT is_empty AND NOT is_subagent GROUP BY 1, 2"
    )
    return {(agent, version): sessions for agent, version, sessions in select(catalog, sql)}
