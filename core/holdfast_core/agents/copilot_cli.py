"""GitHub Copilot CLI: events of one JSON record a line under ``~/.copilot/session-state``."""

from __future__ import annotations

import os
import re
from pathlib import Path

from holdfast_core.agents._copilot_calls import CopilotClosing
from holdfast_core.agents._copilot_reader import Reader
from holdfast_core.agents._files import directories
from holdfast_core.agents._jsonl import LineFile
from holdfast_core.agents._lines import LineAgent, Source
from holdfast_core.agents.base import (
    Home,
    ResumeCommand,
    ResumeTarget,
    SourceRef,
    refuse_copy,
    refuse_subagent,
    safe_id,
)
from holdfast_core.atomic import is_alive

_EVENTS = f"{os.sep}events.jsonl"
_IN_USE = re.compile(r"inuse\.([1-9][0-9]{0,9})\.lock")


class CopilotCli(LineAgent):
    """Reads sessions in folders of their own, and those of the first versions that are single files."""

    id = "copilot_cli"
    name = "Copilot CLI"
    mark = "P"
    hue = 150
    program = "copilot"
    how_to_install = "https://docs.github.com/copilot/how-tos/set-up/install-copilot-cli"
    patterns = ("*/events.jsonl", "*.jsonl")
    beside = (
        "workspace.yaml",
        "plan.md",
        "session.db",
        "*.metadata.json",
        "checkpoints/**",
        "files/**",
        "rewind-snapshots/**",
    )
    closing = CopilotClosing()

    def roots(self, home: Home) -> list[Path]:
        return [folder / "session-state" for folder in directories(home, ["COPILOT_HOME"], ".copilot")]

    def key_of(self, path: str) -> str:
        return path.removesuffix(_EVENTS).removesuffix(".jsonl")

    def is_source(self, path: str) -> bool:
        """Return whether a session is not also there in the form that replaced this one."""
        return path.endswith(_EVENTS) or not Path(path.removesuffix(".jsonl"), "events.jsonl").is_file()

    def reader(self, file: LineFile, source: Source) -> Reader:
        return Reader(file, source)

    def is_in_use(self, ref: SourceRef, home: Home) -> bool:
        """Return whether a process that is alive left its mark: ``inuse.<pid>.lock``."""
        locks = self.found_beside(ref, home, ("inuse.*.lock",)) if ref.path.endswith(_EVENTS) else []
        marks = (_IN_USE.fullmatch(lock.name) for lock in locks)
        return any(is_alive(int(mark[1])) for mark in marks if mark is not None)

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        refuse_subagent(facts)
        refuse_copy(fork)
        return ResumeCommand((self.program, f"--resume={safe_id(facts.native_id)}"), needs_project=False)


AGENT = CopilotCli()
