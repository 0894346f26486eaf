"""Whatever stands in a document, reading it gives sessions or refuses it, and raises nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from holdfast_core.agents import all_agents
from holdfast_core.errors import SourceError
from holdfast_core.model.usage import Usage
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.agents.support import case_id, home_of, refs_of, sources
from tests.core.agents.test_any_bytes import change

AGENTS = ("amp", "jido_code", "mistral_vibe", "theo_code")
DOCUMENTS = [
    (case, path)
    for case, path in sources()
    if case.parent.name in AGENTS and path.endswith(".json") and (case / "home" / path).stat().st_size > 9
]
every_document = pytest.mark.parametrize(
    ("case", "path"), DOCUMENTS, ids=[f"{case_id(case)}-{path[-12:-5]}" for case, path in DOCUMENTS]
)


def read(case: Path, path: str, folder: Path, content: bytes) -> None:
    agent, home = all_agents()[case.parent.name], home_of(case, folder)
    (home.path / path).write_bytes(content)
    try:
        reading = agent.read(refs_of(agent, home)[path], home)
    except SourceError:
        return
    for session in reading.sessions:
        assert session.facts.message_count == len(session.messages)
        assert sum((one.usage for one in session.responses), Usage()) == session.facts.usage
        msgspec.json.encode(session)
    msgspec.json.encode(reading.problems)


@every_document
@settings(max_examples=60, deadline=None, database=None)
@given(data=st.data())
def test_damaged_bytes(case: Path, path: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    content = bytearray((case / "home" / path).read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(content)))
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))

    read(case, path, tmp_path_factory.mktemp("damaged"), bytes(content[: data.draw(st.integers(0, len(content)))]))


@every_document
@settings(max_examples=60, deadline=None, database=None)
@given(data=st.data())
def test_any_value_in_any_place(
    case: Path, path: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    try:
        document: Any = json.loads((case / "home" / path).read_bytes())
    except ValueError:
        return  # a case of damage
    for _ in range(data.draw(st.integers(1, 4))):
        change(data, document)

    read(case, path, tmp_path_factory.mktemp("changed"), json.dumps(document).encode())
