"""Tabnine CLI: made from another agent's program, whose files it writes under ``~/.tabnine/agent/tmp``."""

from __future__ import annotations

from pathlib import Path

from holdfast_core.agents._gemini_agent import GeminiLike, days_of_retention
from holdfast_core.agents.base import Home, ResumeCommand, ResumeTarget
from holdfast_core.errors import Refused


class Tabnine(GeminiLike):
    """Reads sessions, saved conversations, and prompts of sessions that are gone."""

    id = "tabnine"
    name = "Tabnine CLI"
    mark = "T"
    hue = 305
    program = "tabnine"
    how_to_install = "https://docs.tabnine.com/main/getting-started/tabnine-cli"
    deletion_setting = "general.sessionRetention.maxAge"

    def roots(self, home: Home) -> list[Path]:
        return [home.path / ".tabnine" / "agent" / "tmp"]

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        raise Refused("It is not known how this agent's program continues a session by its id.")

    def deletes_after_days(self, home: Home) -> int | None:
        """Return the age at which sessions go, by the settings; what holds without any is not known."""
        return days_of_retention([root.parent for root in self.roots(home)], is_usual=False)


AGENT = Tabnine()
