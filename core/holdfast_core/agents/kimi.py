"""Kimi: logs of events, one record a line, of Kimi CLI under ``~/.kimi`` and of Kimi Code under ``~/.kimi-code``."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from holdfast_core.agents._files import directories
from holdfast_core.agents._jsonl import LineFile
from holdfast_core.agents._kimi_cli import Reader as CliReader
from holdfast_core.agents._kimi_code import Reader as CodeReader
from holdfast_core.agents._lines import LineAgent, Source
from holdfast_core.agents._reading import LineReader
from holdfast_core.agents.base import (
    Home,
    ResumeCommand,
    ResumeTarget,
    SourceRef,
    refuse_copy,
    refuse_subagent,
    safe_id,
)

_OF_CLI = (
    "*/*.jsonl",
    "*/*/wire.jsonl",
    "*/*/context.jsonl",
    "*/*/context_sub_*.jsonl",
    "*/*/subagents/*/wire.jsonl",
    "*/*/subagents/*/context.jsonl",
)
_SUM = re.compile("[0-9a-f]{32}")
_OF_CODE = ("*/*/agents/*/wire.jsonl",)


class Kimi(LineAgent):
    """Reads sessions of both programs, with their subagents."""

    id = "kimi"
    name = "Kimi"
    mark = "K"
    hue = 190
    program = "kimi"
    how_to_install = "https://www.kimi.com/code/docs/en/"
    patterns = (*_OF_CLI, *_OF_CODE)
    beside = ("state.json", "tasks/**")
    listed = (
        "../../state.json",
        "../../kimi.json",
        "../../../kimi.json",
        "../../../../../kimi.json",
        "../../../../../session_index.jsonl",
    )

    def roots(self, home: Home) -> list[Path]:
        bases = [
            *directories(home, ("KIMI_SHARE_DIR",), ".kimi"),
            *directories(home, ("KIMI_CODE_HOME",), ".kimi-code"),
        ]
        return list(dict.fromkeys(base / "sessions" for base in bases))

    def is_source(self, path: str) -> bool:
        """The log of events holds all that the messages hold, and when it was."""
        return not path.endswith("context.jsonl") or not Path(path).with_name("wire.jsonl").is_file()

    def key_of(self, path: str) -> str:
        return str(Path(path).parent) if path.endswith(("context.jsonl", "wire.jsonl")) else path

    def reader(self, file: LineFile, source: Source) -> LineReader[Any]:
        is_of_code = Path(source.path).parent.parent.name == "agents"
        return CodeReader(file, source) if is_of_code else CliReader(file, source)

    def companions(self, ref: SourceRef, home: Home) -> list[Path]:
        """Return with the log what the model was sent: the program goes on from that."""
        if not ref.path.endswith(("wire.jsonl", "context.jsonl")):
            return self.indexes(ref, home)
        sent = self.found_beside(ref, home, ("context.jsonl", "context_[0-9]*.jsonl"))
        return [*sent, *super().companions(ref, home)]

    def place_in_project(self, ref: SourceRef, home: Home, project: str) -> Path | None:
        """Return the place in the folder named by a sum of the directory; Kimi Code's names hold more than that."""
        root, path = Path(self.root_of(ref.path, home)), Path(ref.path)
        parts = path.relative_to(root).parts
        if len(parts) > 3 or not _SUM.fullmatch(parts[0]):
            return None
        folder = hashlib.md5(project.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
        return root.joinpath(folder, *parts[1:])

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        refuse_subagent(facts)
        refuse_copy(fork)
        return ResumeCommand((self.program, f"--session={safe_id(facts.native_id)}"), needs_project=True)


AGENT = Kimi()
