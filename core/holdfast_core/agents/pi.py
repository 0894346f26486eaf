"""Pi: sessions of one JSON entry a line under ``~/.pi/agent/sessions``, a folder for each working directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from holdfast_core.agents._files import directories
from holdfast_core.agents._jsonl import LineFile
from holdfast_core.agents._lines import LineAgent, Source
from holdfast_core.agents._pi_calls import PiClosing
from holdfast_core.agents._pi_reader import Reader
from holdfast_core.agents._reading import LineReader
from holdfast_core.agents._recognise import has_keys, has_value
from holdfast_core.agents.base import Home, ResumeCommand, ResumeTarget, refuse_subagent, safe_id


class Pi(LineAgent):
    """Reads sessions of all three versions."""

    id = "pi"
    name = "Pi"
    mark = "π"
    hue = 285
    program = "pi"
    how_to_install = "https://pi.dev"
    patterns = ("*/*.jsonl", "*.jsonl")
    closing = PiClosing()

    def roots(self, home: Home) -> list[Path]:
        return [
            *directories(home, ("PI_CODING_AGENT_SESSION_DIR",)),
            *(folder / "sessions" for folder in directories(home, ("PI_CODING_AGENT_DIR",), ".pi/agent")),
        ]

    def reader(self, file: LineFile, source: Source) -> LineReader[Any]:
        return Reader(file, source)

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        refuse_subagent(facts)
        option = "--fork" if fork else "--session"
        return ResumeCommand((self.program, option, safe_id(facts.native_id)), needs_project=True)

    def recognises(self, head: bytes, name: str) -> bool:
        is_headed = has_value(head, "type", "session") and has_keys(head, "cwd", "timestamp")
        return is_headed and (has_keys(head, "version") or has_keys(head, "modelId"))


AGENT = Pi()
