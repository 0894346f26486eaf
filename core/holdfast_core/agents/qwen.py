"""Qwen Code: one record a line under ``~/.qwen/projects/<encoded directory>/chats``; documents before 0.2."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

from holdfast_core.agents._files import directories
from holdfast_core.agents._gemini_agent import GeminiLike, days_of_retention
from holdfast_core.agents._jsonl import LineFile
from holdfast_core.agents._lines import Source
from holdfast_core.agents._qwen_calls import QwenClosing
from holdfast_core.agents._qwen_reader import Reader
from holdfast_core.agents._reading import LineReader, read_lines
from holdfast_core.agents.base import Checkpoint, Home, Reading, ResumeCommand, ResumeTarget, SourceRef
from holdfast_core.errors import Refused

_PROJECTS = "projects"
_NOT_ALPHANUMERIC = re.compile(r"[^A-Za-z0-9]")


class Qwen(GeminiLike):
    """Reads sessions of both generations and subagents; the older ones are as the program wrote that it came from."""

    id = "qwen"
    name = "Qwen Code"
    mark = "Q"
    hue = 265
    program = "qwen"
    how_to_install = "https://qwenlm.github.io/qwen-code-docs/en/users/overview"
    deletion_setting = "general.sessionRetention.maxAge"
    fork_flag: ClassVar[str] = "--fork-session"
    beside: ClassVar[tuple[str, ...]] = ("../../../todos/{stem}.json", "../../../../todos/{stem}.json")
    closing = QwenClosing()
    lines: ClassVar[tuple[str, ...]] = ("*/chats/*.jsonl", "*/chats/archive/*.jsonl", "*/subagents/*/agent-*.jsonl")

    def roots(self, home: Home) -> list[Path]:
        bases = directories(home, ("QWEN_RUNTIME_DIR", "QWEN_HOME"), ".qwen")
        return [base / folder for base in bases for folder in (_PROJECTS, "tmp")]

    def patterns_in(self, root: Path) -> tuple[str, ...]:
        return self.lines if root.name == _PROJECTS else self.patterns

    def reader(self, file: LineFile, source: Source) -> LineReader[Any]:
        return super().reader(file, source) if _is_older(source) else Reader(file, source)

    def read(self, ref: SourceRef, home: Home, *, checkpoint: Checkpoint | None = None) -> Reading:
        source = self.source_at(ref.path, home)
        if _is_older(source):
            return super().read(ref, home, checkpoint=checkpoint)
        with LineFile(ref.path, root=source.root) as file:
            return read_lines(Reader(file, source), checkpoint)

    def place_in_project(self, ref: SourceRef, home: Home, project: str) -> Path | None:
        root, path = self.root_of(ref.path, home), Path(ref.path)
        if Path(root).name != _PROJECTS or path.parent.name != "chats":
            return None
        return Path(root, _NOT_ALPHANUMERIC.sub("-", project), "chats", path.name)

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        if Path(facts.source_path).parent.name == "archive":
            raise Refused("This session was archived by its agent, which does not continue it from there.")
        return super().resume_command(facts, fork=fork)

    def deletes_after_days(self, home: Home) -> int | None:
        """Return the age at which sessions go; they stay unless the settings switch that on."""
        return days_of_retention(directories(home, ("QWEN_HOME",), ".qwen"), is_usual=False)


def _is_older(source: Source) -> bool:
    return Path(source.root).name == "tmp"


AGENT = Qwen()
