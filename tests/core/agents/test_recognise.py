"""A format is told by how a file begins, wherever that lies, and no other agent's is taken for it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Agent
from holdfast_core.errors import SourceError
from holdfast_core.scan.recognise import HEAD_BYTES, recognise_at

from tests.core.agents.support import CASES, home_of

TELLING = [agent for agent, reader in all_agents().items() if type(reader).recognises is not Agent.recognises]
# Made after another one, or by the same hands: a file alone does not say which.
FAMILIES = (
    frozenset({"opencode", "kilo", "mimocode"}),
    frozenset({"pi", "omp", "openclaw"}),
)


@cache
def heads() -> tuple[tuple[str, str, bytes], ...]:
    """Return how every source with a conversation begins: its agent, the file's name, its first bytes."""
    return tuple(_heads())


def _heads() -> Iterator[tuple[str, str, bytes]]:
    for case in CASES:
        agent = all_agents()[case.parent.name]
        with tempfile.TemporaryDirectory() as folder:
            home = home_of(case, Path(folder))
            for ref in agent.discover(home):
                try:
                    reading = agent.read(ref, home)
                except SourceError:
                    continue
                path = Path(ref.path)
                if path.is_file() and any(session.messages for session in reading.sessions):
                    with path.open("rb") as file:
                        yield agent.id, path.name, file.read(HEAD_BYTES)


def _is_family(one: str, other: str) -> bool:
    return one == other or any({one, other} <= family for family in FAMILIES)


@pytest.mark.parametrize("agent", TELLING)
def test_most_of_an_agents_own_files_are_recognised(agent: str) -> None:
    own = [(name, head) for whose, name, head in heads() if whose == agent]

    known = [name for name, head in own if all_agents()[agent].recognises(head, name)]

    assert len(known) * 10 >= len(own) * 7


@pytest.mark.parametrize("agent", TELLING)
def test_what_others_tell_as_theirs_is_not_taken(agent: str) -> None:
    reader = all_agents()[agent]
    others = [(whose, name, head) for whose, name, head in heads() if whose in TELLING and not _is_family(whose, agent)]

    assert [(whose, name) for whose, name, head in others if reader.recognises(head, name)] == []


@pytest.mark.parametrize(
    "head", [b"", b"\xff" * 100, b"{", b"[" * 5000, b'{"a": 1}\n', b"SQLite format 3\0", b"# Notes\n"]
)
def test_what_is_nobodys_is_nobodys(head: bytes, tmp_path: Path) -> None:
    (tmp_path / "file.jsonl").write_bytes(head)

    (found,) = recognise_at(tmp_path / "file.jsonl", all_agents())

    assert found.agents == ()
