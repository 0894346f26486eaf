"""iFlow: one record a line under ``~/.iflow/projects/<encoded directory>/session-<uuid>.jsonl``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from holdfast_core.agents._iflow_reader import Reader
from holdfast_core.agents._jsonl import LineFile
from holdfast_core.agents._lines import LineAgent, Source
from holdfast_core.agents._reading import LineReader
from holdfast_core.agents.base import Home, ResumeCommand, ResumeTarget, refuse_copy, refuse_subagent, safe_id


class IFlow(LineAgent):
    """Reads sessions; subagents leave nothing but their results."""

    id = "iflow"
    name = "iFlow"
    mark = "I"
    hue = 280
    program = "iflow"
    how_to_install = "https://platform.iflow.cn/en/cli/quickstart"
    patterns = ("*/session-*.jsonl",)

    def roots(self, home: Home) -> list[Path]:
        return [home.path / ".iflow" / "projects"]

    def reader(self, file: LineFile, source: Source) -> LineReader[Any]:
        return Reader(file, source)

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        refuse_subagent(facts)
        refuse_copy(fork)
        return ResumeCommand((self.program, f"--resume={safe_id(facts.native_id)}"), needs_project=True)


AGENT = IFlow()
