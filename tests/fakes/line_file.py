"""A file of lines in memory, for tests that read one thousands of times."""

from __future__ import annotations

from pathlib import Path

from holdfast_core.agents import all_agents
from holdfast_core.agents._claude_reader import Reader as ClaudeReader
from holdfast_core.agents._claude_side import Side as ClaudeSide
from holdfast_core.agents._codex_reader import Reader as CodexReader
from holdfast_core.agents._codex_side import Side as CodexSide
from holdfast_core.agents._jsonl import LineFile
from holdfast_core.agents._lines import LineAgent, Source
from holdfast_core.agents._reading import read_lines
from holdfast_core.agents.base import Checkpoint, Home, Reading


class MemoryLineFile(LineFile):
    """Behaves like the file on disk with these bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.bytes_read = self.end = 0

    @property
    def size_bytes(self) -> int:
        return len(self._data)

    @property
    def modified_ms(self) -> int:
        return 1_772_500_000_000

    def is_steady(self) -> bool:
        return True

    def _read(self, size: int, position: int) -> bytes:
        return self._data[position : position + size]


class MemoryReader:
    """Reads bytes as the transcript at a path of an agent's home."""

    def __init__(self, agent: str, path: Path) -> None:
        found = all_agents()[agent]
        self._side: CodexSide | ClaudeSide | None = None
        if isinstance(found, LineAgent):
            self._agent, self._source = found, Source(agent, str(path), str(path.parent), Home(path.parent, {}))
        elif agent == "codex":
            self._side = CodexSide(agent, "thread", path.parent)
        else:
            root = next(parent for parent in path.parents if parent.name == "projects")
            self._side = ClaudeSide(agent, str(path), str(root))

    def read(self, data: bytes, checkpoint: Checkpoint | None = None) -> Reading:
        """Return what the agent's reader makes of these bytes."""
        file = MemoryLineFile(data)
        if self._side is None:
            return read_lines(self._agent.reader(file, self._source), checkpoint)
        if isinstance(self._side, CodexSide):
            return read_lines(CodexReader(file, self._side), checkpoint)
        return read_lines(ClaudeReader(file, self._side), checkpoint)


def grows(agent: str) -> bool:
    """Return whether an agent's transcripts are files of lines, read on from where an earlier reading ended."""
    return agent in ("claude_code", "codex") or isinstance(all_agents()[agent], LineAgent)
