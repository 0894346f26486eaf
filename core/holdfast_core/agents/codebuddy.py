"""CodeBuddy, and WorkBuddy, which keeps sessions alike: lines under ``~/.codebuddy/projects/<encoded directory>``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from holdfast_core.agents._codebuddy_reader import Reader
from holdfast_core.agents._files import directories
from holdfast_core.agents._jsonl import LineFile
from holdfast_core.agents._lines import LineAgent, Source
from holdfast_core.agents._reading import LineReader
from holdfast_core.agents._retention import cleanup_days
from holdfast_core.agents.base import (
    Home,
    ResumeCommand,
    ResumeTarget,
    SourceRef,
    refuse_copy,
    refuse_subagent,
    safe_id,
)
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
    deletion_setting = "cleanupPeriodDays"
    patterns = ("*/*.jsonl", "*/*/subagents/*.jsonl")

    def roots(self, home: Home) -> list[Path]:
        return [base / "projects" for base in directories(home, ("CODEBUDDY_CONFIG_DIR",), ".codebuddy", _DESKTOP)]

    def reader(self, file: LineFile, source: Source) -> LineReader[Any]:
        return Reader(file, source)

    def deletes_after_days(self, home: Home) -> int | None:
        """Return after how many days its terminal's sessions go; the desktop application has no such rule."""
        return cleanup_days(directories(home, ("CODEBUDDY_CONFIG_DIR",), ".codebuddy"))

    def is_cleaned_up(self, ref: SourceRef) -> bool:
        return _DESKTOP not in Path(ref.path).parts

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        refuse_subagent(facts)
        if _DESKTOP in Path(facts.source_path).parts:
            raise Refused("This session is continued in the application that it was made in.")
        refuse_copy(fork)
        return ResumeCommand((self.program, "--resume", safe_id(facts.native_id)), needs_project=True)


AGENT = CodeBuddy()
