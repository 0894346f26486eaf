"""OpenCode in Go, before Crush: a database of sessions in each project."""

from __future__ import annotations

from pathlib import Path

from holdfast_core.agents._crush_agent import CrushAgent
from holdfast_core.agents.base import Home, ResumeCommand, ResumeTarget
from holdfast_core.errors import Refused


class OpenCodeGo(CrushAgent):
    """Reads the database in the home directory. Projects are listed nowhere."""

    id = "opencode_go"
    name = "OpenCode (Go)"
    mark = "G"
    hue = 60
    program = "opencode"
    how_to_install = "https://github.com/opencode-ai/opencode"
    folder = ".opencode"
    database = "opencode.db"

    def roots(self, home: Home) -> list[Path]:
        return [home.path / self.folder]

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        raise Refused(
            "This agent has no command that continues a session. Start it in the project and choose it there."
        )


AGENT = OpenCodeGo()
