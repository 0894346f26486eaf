"""Whatever stands in the tables of an agent, reading them gives sessions or a refusal, and raises nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home
from holdfast_core.errors import SourceError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.agents.support import CASES, home_of

DATABASES = [
    (case, script.relative_to(case / "home").as_posix().removesuffix(".sql"))
    for case in CASES
    for script in sorted((case / "home").rglob("*.sql"))
]
every_database = pytest.mark.parametrize(
    ("case", "path"), DATABASES, ids=[f"{case.parent.name}-{case.name}" for case, _ in DATABASES]
)
texts = st.sampled_from(
    ["", "{}", "[]", "null", "[null]", '{"type":1}', '[{"type":"text","data":null}]', '{"role":[]}', "\ud7ff", "9" * 40]
)
values = st.none() | st.integers(-(1 << 63), (1 << 63) - 1) | st.floats() | st.binary(max_size=9) | texts


def columns(path: Path) -> list[tuple[str, str]]:
    connection = apsw.Connection(str(path))
    tables = connection.execute("SELECT name FROM sqlite_schema WHERE type='table' AND sql NOT LIKE '%VIRTUAL%'")
    found = [
        (table, str(row[1]))
        for (table,) in tables.fetchall()
        if not table.startswith("sqlite_")
        for row in connection.execute(f'PRAGMA table_info("{table}")').fetchall()
    ]
    connection.close()
    return found


@every_database
@settings(max_examples=10, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_value_in_any_column(
    case: Path, path: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    home = home_of(case, tmp_path_factory.mktemp("rows"))
    agent = all_agents()[case.parent.name]
    changes: list[tuple[str, str, Any]] = [
        (*data.draw(st.sampled_from(columns(home.path / path))), data.draw(values)) for _ in range(4)
    ]
    connection = apsw.Connection(str(home.path / path))
    for statement in ("PRAGMA ignore_check_constraints=on", "PRAGMA synchronous=off", "BEGIN"):
        connection.execute(statement).fetchall()
    for table, column, value in changes:
        try:
            connection.execute(f'UPDATE "{table}" SET "{column}"=? WHERE rowid%2=?', (value, 1)).fetchall()
        except apsw.Error:
            continue  # a constraint of the agent's own
    connection.execute("COMMIT").fetchall()
    connection.close()

    for ref in agent.discover(Home(home.path, {})):
        try:
            reading = agent.read(ref, home)
        except SourceError:
            continue
        for session in reading.sessions:
            assert session.facts.message_count == len(session.messages)
            again = msgspec.json.decode(msgspec.json.encode(session), type=type(session))
            assert again.facts == session.facts
            assert again.messages == session.messages
