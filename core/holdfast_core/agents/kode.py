"""Kode: records like Claude Code's, one a line, under ``~/.kode/projects/<encoded directory>/<session id>.jsonl``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from holdfast_core.agents._claude_calls import ClaudeClosing
from holdfast_core.agents._claude_reader import Reader
from holdfast_core.agents._claude_side import LISTS, OWN_FILES, Side, place_in
from holdfast_core.agents._files import directories
from holdfast_core.agents._jsonl import LineFile
from holdfast_core.agents._lines import LineAgent, Source
from holdfast_core.agents._reading import LineReader
from holdfast_core.agents.base import Home, ResumeCommand, ResumeTarget, SourceRef, refuse_subagent, safe_id


class Kode(LineAgent):
    """Reads main sessions, and subagents, whose files lie beside them."""

    id = "kode"
    name = "Kode"
    mark = "K"
    hue = 330
    program = "kode"
    how_to_install = "https://github.com/shareAI-lab/Kode-CLI"
    patterns = ("*/*.jsonl",)
    beside = OWN_FILES
    listed = LISTS
    closing = ClaudeClosing()

    def roots(self, home: Home) -> list[Path]:
        return [base / "projects" for base in directories(home, ("KODE_CONFIG_DIR",), ".kode")]

    def reader(self, file: LineFile, source: Source) -> LineReader[Any]:
        return Reader(file, Side(self.id, source.path, source.root))

    def place_in_project(self, ref: SourceRef, home: Home, project: str) -> Path | None:
        return place_in(ref.path, self.root_of(ref.path, home), project)

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        refuse_subagent(facts)
        argv = (self.program, f"--resume={safe_id(facts.native_id)}")
        return ResumeCommand((*argv, "--fork-session") if fork else argv, needs_project=True)


AGENT = Kode()
