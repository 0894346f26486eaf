"""An agent's home and an index, both real, in a directory of the test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from holdfast_core.agents.base import Agent, Home
from holdfast_core.index.reader import IndexReader
from holdfast_core.index.writer import IndexWriter
from holdfast_core.scan.ingest import Hooks, Outcome, update

from tests.core.scan.answers import Answers, answers_of
from tests.fakes.agent import FakeAgent


@dataclass
class Place:
    """A home with agents, and the index over it."""

    top: Path
    agents: Mapping[str, Agent] = field(default_factory=lambda: {"fake": FakeAgent()})
    index_name: str = "index"

    @property
    def home(self) -> Path:
        return self.top / "home"

    @property
    def index(self) -> Path:
        return self.top / self.index_name

    def update(self, *, paths: Sequence[Path] | None = None, full: bool = False, hooks: Hooks | None = None) -> Outcome:
        """Bring the index up to date."""
        told = None if paths is None else [str(path) for path in paths]
        with IndexWriter.open(self.index, timeout_seconds=5) as writer:
            return update(writer, self.agents, Home(self.home, {}), paths=told, full=full, hooks=hooks)

    def answers(self) -> Answers:
        """Return everything that the index says now."""
        with closing(IndexReader.open(self.index)) as reader:
            return answers_of(reader)

    def listed(self) -> dict[str, int]:
        """Return the sessions in the list with their numbers of messages."""
        return {name: entry["message_count"] for name, entry in self.answers().entries.items()}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "home").mkdir()
    return Place(tmp_path)
