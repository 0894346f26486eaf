"""Gemini CLI: JSON documents, since 0.40 lines, under ``~/.gemini/tmp/<project>/chats``, and what is beside them."""

from __future__ import annotations

from pathlib import Path

from holdfast_core.agents._gemini_agent import GeminiLike, days_of_retention
from holdfast_core.agents._recognise import has_keys
from holdfast_core.agents.base import Home


class Gemini(GeminiLike):
    """Reads sessions of both generations, saved conversations, and prompts of sessions that are gone."""

    id = "gemini"
    name = "Gemini CLI"
    mark = "G"
    hue = 210
    program = "gemini"
    how_to_install = "https://geminicli.com/docs/get-started/installation"
    deletion_setting = "general.sessionRetention.maxAge"

    def roots(self, home: Home) -> list[Path]:
        moved = home.environment.get("GEMINI_CLI_HOME", "").strip()
        homes = [home.path / (moved[2:] if moved.startswith("~/") else moved)] if moved else []
        return list(dict.fromkeys(one / ".gemini" / "tmp" for one in (*homes, home.path)))

    def deletes_after_days(self, home: Home) -> int | None:
        """Return the age at which sessions go: 30 days unless the settings say otherwise."""
        return days_of_retention([root.parent for root in self.roots(home)])

    def recognises(self, head: bytes, name: str) -> bool:
        return has_keys(head, "sessionId", "projectHash")


AGENT = Gemini()
