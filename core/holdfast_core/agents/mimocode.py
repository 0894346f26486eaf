"""MiMo Code: a fork of OpenCode, with the same database."""

from __future__ import annotations

from holdfast_core.agents._opencode_agent import OpenCodeAgent


class MiMoCode(OpenCodeAgent):
    """Reads both generations."""

    id = "mimocode"
    name = "MiMo Code"
    mark = "M"
    hue = 25
    program = "mimo"
    how_to_install = "https://github.com/XiaomiMiMo/MiMo-Code"
    folder = "mimocode"
    variable = "MIMOCODE_DB"


AGENT = MiMoCode()
