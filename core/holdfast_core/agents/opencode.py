"""OpenCode: a database of sessions in its data directory, and before 1.2 a tree of small JSON files."""

from __future__ import annotations

from holdfast_core.agents._opencode_agent import OpenCodeAgent
from holdfast_core.agents._recognise import begins_value, makes_tables


class OpenCode(OpenCodeAgent):
    """Reads both generations."""

    id = "opencode"
    name = "OpenCode"
    mark = "O"
    hue = 45
    program = "opencode"
    how_to_install = "https://opencode.ai/docs"
    folder = "opencode"
    variable = "OPENCODE_DB"

    def recognises(self, head: bytes, name: str) -> bool:
        if head.startswith(b"SQLite format 3\0"):
            return makes_tables(head, "session", "message", "part")
        return begins_value(head, "id", "ses_") or begins_value(head, "sessionID", "ses_")


AGENT = OpenCode()
