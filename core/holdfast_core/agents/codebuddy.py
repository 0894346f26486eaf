"""CodeBuddy, and WorkBuddy, which keeps sessions alike: lines under ``~/.codebuddy/projects/<encoded directory>``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from holdfast_core.agents._codebuddy_reader import Reader
from holdfast_core.agents._files import directories
from holdfast_core.agents._jsonl import LineFile
from holdfast_core.agents._lines import LineAgent, Source
from holdfast_core.agents._reading import LineReader
from holdfast_core.agents.base import Home, ResumeCommand, ResumeTarget, refuse_copy, refuse_subagent, safe_id
from holdfast_core.errors import Refused

_DESKTOP = ".workbuddy"


class CodeBuddy(LineAgent):
    """Reads main sessions and subagents."""

    id = "codebuddy"
    name = "CodeBuddy"
    mark = "B"
    hue = 245
    program = "codebuddy"
    how_to_install = "https://www.codebuddy.ai/docs/cli/installation"
    patterns = ("*/*.jsonl", "*/*/subagents/*.jsonl")

    def roots(self, home: Home) -> list[Path]:
        return [base / "projects" for base in directories(home, ("CODEBUDDY_CONFIG_DIR",), ".codebuddy", _DESKTOP)]

    def reader(self, file: LineFile, source: Source) -> LineReader[Any]:
        return Reader(file, source)

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        refuse_subagent(facts)
        if _DESKTOP in Path(facts.source_path).parts:
            raise Refused("This session is continued in the application that it was made in.")
        refuse_copy(fork)
        return ResumeCommand((self.program, "--resume", safe_id(facts.native_id)), needs_project=True)


AGENT = CodeBuddy()
