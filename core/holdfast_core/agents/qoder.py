"""Qoder: records like Claude Code's, one a line, under ``~/.qoder/projects/<encoded directory>/<session id>.jsonl``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from holdfast_core.agents._claude_calls import ClaudeClosing
from holdfast_core.agents._claude_reader import Reader as ClaudeReader
from holdfast_core.agents._claude_records import Record
from holdfast_core.agents._claude_side import LISTS, OWN_FILES, Side, place_in
from holdfast_core.agents._json import Forgiving
from holdfast_core.agents._jsonl import LineFile, read_small
from holdfast_core.agents._lines import LineAgent, Source
from holdfast_core.agents._reading import LineReader
from holdfast_core.agents._values import PATH_LIMIT, one_line
from holdfast_core.agents.base import (
    Home,
    ResumeCommand,
    ResumeTarget,
    SessionRead,
    SourceRef,
    refuse_copy,
    refuse_subagent,
    safe_id,
)
from holdfast_core.errors import Refused
from holdfast_core.model.session import TITLE_LIMIT

_SILENT = ("runtime-config", "agent-setting")
_SHARED = "SharedClientCache"


class _Described(msgspec.Struct):
    """What stands beside a transcript."""

    title: str = ""
    parent_session_id: str = ""
    fork_from: str = ""
    working_dir: str = ""


class Reader(ClaudeReader):
    """Reads one transcript with the description beside it. ``described`` is the content of that."""

    described = _Described()

    def take(self, record: Record) -> None:
        if record.type not in _SILENT:
            super().take(record)

    def warm(self, place: Any) -> Any:
        fresh = super().warm(place)
        fresh.described = self.described
        return fresh

    def sessions(self) -> list[SessionRead]:
        main, *children = super().sessions()
        told, facts = self.described, main.facts
        main.facts = msgspec.structs.replace(
            facts,
            title=one_line(told.title, TITLE_LIMIT) or facts.title,
            project_path=facts.project_path or told.working_dir[:PATH_LIMIT],
            forked_from=facts.forked_from or told.fork_from or None,
            parent_id=facts.parent_id or told.parent_session_id or None,
        )
        return [main, *children]


class Qoder(LineAgent):
    """Reads main sessions and subagents, of the terminal's program and of the editor."""

    id = "qoder"
    name = "Qoder"
    mark = "Q"
    hue = 130
    program = "qodercli"
    how_to_install = "https://docs.qoder.com/cli/quick-start"
    patterns = ("*/*.jsonl", "*/*/subagents/agent-*.jsonl")
    beside = (*OWN_FILES, "{stem}-session.json")
    listed = LISTS
    closing = ClaudeClosing()

    def roots(self, home: Home) -> list[Path]:
        own = [home.path / folder / "projects" for folder in (".qoder", ".qoderwork")]
        data = (("Library", "Application Support"), (".config",), ("AppData", "Roaming"))
        return [*own, *(home.path.joinpath(*parts, "Qoder", _SHARED, "cli", "projects") for parts in data)]

    def patterns_in(self, root: Path) -> tuple[str, ...]:
        return ("*.jsonl", *self.patterns) if _SHARED in root.parts else self.patterns

    def reader(self, file: LineFile, source: Source) -> LineReader[Any]:
        reader = Reader(file, Side(self.id, source.path, source.root))
        reader.described = _described(source)
        return reader

    def place_in_project(self, ref: SourceRef, home: Home, project: str) -> Path | None:
        return None if _SHARED in Path(ref.path).parts else place_in(ref.path, self.root_of(ref.path, home), project)

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        refuse_subagent(facts)
        if _SHARED in Path(facts.source_path).parts or ".qoderwork" in Path(facts.source_path).parts:
            raise Refused("This session is continued in the application that it was made in.")
        refuse_copy(fork)
        return ResumeCommand((self.program, "--resume", safe_id(facts.native_id)), needs_project=True)


def _described(source: Source) -> _Described:
    content = read_small(f"{source.path.removesuffix('.jsonl')}-session.json", root=source.root)
    if content is None:
        return _Described()
    found, _ = Forgiving(_Described).several(content)
    return found[0] if found else _Described()


AGENT = Qoder()
