"""OpenCode: a database of sessions in its data directory, and before 1.2 a tree of small JSON files."""

from __future__ import annotations

from holdfast_core.agents._opencode_agent import OpenCodeAgent


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


AGENT = OpenCode()
