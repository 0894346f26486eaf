"""Neovate Code: one record a line under ``~/.neovate/projects/<encoded directory>/<session id>.jsonl``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from holdfast_core.agents._jsonl import LineFile
from holdfast_core.agents._lines import LineAgent, Source
from holdfast_core.agents._neovate_reader import Reader
from holdfast_core.agents._reading import LineReader
from holdfast_core.agents.base import Home, ResumeCommand, ResumeTarget, refuse_copy, refuse_subagent, safe_id


class Neovate(LineAgent):
    """Reads main sessions, and subagents, whose files lie beside them."""

    id = "neovate"
    name = "Neovate Code"
    mark = "N"
    hue = 150
    program = "neovate"
    how_to_install = "https://neovateai.dev/en/docs/quickstart"
    patterns = ("*/*.jsonl",)
    listed = ("../../data.json",)

    def roots(self, home: Home) -> list[Path]:
        return [home.path / ".neovate" / "projects"]

    def reader(self, file: LineFile, source: Source) -> LineReader[Any]:
        return Reader(file, source)

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        refuse_subagent(facts)
        refuse_copy(fork)
        return ResumeCommand((self.program, f"--resume={safe_id(facts.native_id)}"), needs_project=True)


AGENT = Neovate()
