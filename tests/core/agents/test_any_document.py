"""Whatever stands in a document that holds a session, reading it gives a session or refuses it, and nothing else."""

from __future__ import annotations

import json
import tempfile
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home, SourceRef
from holdfast_core.errors import SourceError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.agents.support import case_id, home_of, refs_of, sources

DOCUMENTS = [(case, path) for case, path in sources() if path.endswith(".json")]
every_document = pytest.mark.parametrize(
    ("case", "path"), DOCUMENTS, ids=[f"{case_id(case)}-{Path(path).stem[-12:]}" for case, path in DOCUMENTS]
)
ODD = [None, True, -1, 1.5, 2**70, "", "\ud800", "9" * 400, [], {}, [[]], [1, "a"], {"a": 1}, {"type": "text"}, 1e18]


@cache
def opened(case: Path, path: str) -> tuple[Home, SourceRef, bytes]:
    """Return a source of a case in a home that lasts as long as the tests."""
    home = home_of(case, Path(tempfile.mkdtemp()))
    ref = refs_of(all_agents()[case.parent.name], home)[path]
    return home, ref, Path(ref.path).read_bytes()


def check(case: Path, path: str, content: bytes) -> None:
    home, ref, _ = opened(case, path)
    Path(ref.path).write_bytes(content)
    try:
        reading = all_agents()[ref.agent].read(ref, home)
    except SourceError as error:
        assert error.reason not in ("", "gone", "outside", "not_readable")
        return
    for session in reading.sessions:
        assert session.facts.message_count == len(session.messages)
        assert session.facts.prompt_count == sum(message.role == "user" for message in session.messages)
        msgspec.json.encode(session)
    msgspec.json.encode(reading.problems)


def change(data: st.DataObject, value: Any) -> None:
    """Put an odd value somewhere into a document."""
    while isinstance(value, dict | list) and value:
        key = data.draw(st.sampled_from(list(value) if isinstance(value, dict) else list(range(len(value)))))
        inner = value[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.integers(0, 3)) == 0:
            value[key] = deepcopy(data.draw(st.sampled_from(ODD)))
            return
        value = inner


@every_document
@settings(max_examples=10, deadline=None, database=None)
@given(data=st.data())
def test_any_value_in_any_place(case: Path, path: str, data: st.DataObject) -> None:
    try:
        document = json.loads(opened(case, path)[2])
    except ValueError:
        return
    for _ in range(data.draw(st.integers(1, 3))):
        change(data, document)

    check(case, path, json.dumps(document).encode())


@every_document
@settings(max_examples=10, deadline=None, database=None)
@given(data=st.data())
def test_damaged_bytes(case: Path, path: str, data: st.DataObject) -> None:
    content = bytearray(opened(case, path)[2])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content)))
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))

    check(case, path, bytes(content))
