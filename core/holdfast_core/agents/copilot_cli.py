"""GitHub Copilot CLI: events of one JSON record a line under ``~/.copilot/session-state``."""

from __future__ import annotations

import os
from pathlib import Path

from holdfast_core.agents._copilot_reader import Reader
from holdfast_core.agents._files import directories
from holdfast_core.agents._jsonl import LineFile
from holdfast_core.agents._lines import LineAgent, Source
from holdfast_core.agents.base import Home, ResumeCommand, ResumeTarget, refuse_copy, refuse_subagent, safe_id

_EVENTS = f"{os.sep}events.jsonl"


class CopilotCli(LineAgent):
    """Reads sessions in folders of their own, and those of the first versions that are single files."""

    id = "copilot_cli"
    name = "Copilot CLI"
    mark = "P"
    hue = 150
    program = "copilot"
    how_to_install = "https://docs.github.com/copilot/how-tos/set-up/install-copilot-cli"
    patterns = ("*/events.jsonl", "*.jsonl")

    def roots(self, home: Home) -> list[Path]:
        return [folder / "session-state" for folder in directories(home, ["COPILOT_HOME"], ".copilot")]

    def key_of(self, path: str) -> str:
        return path.removesuffix(_EVENTS).removesuffix(".jsonl")

    def is_source(self, path: str) -> bool:
        """Return whether a session is not also there in the form that replaced this one."""
        return path.endswith(_EVENTS) or not Path(path.removesuffix(".jsonl"), "events.jsonl").is_file()

    def reader(self, file: LineFile, source: Source) -> Reader:
        return Reader(file, source)

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        refuse_subagent(facts)
        refuse_copy(fork)
        return ResumeCommand((self.program, f"--resume={safe_id(facts.native_id)}"), needs_project=False)


AGENT = CopilotCli()
