"""Kilo: since 2026-03 a fork of OpenCode, with the same database."""

from __future__ import annotations

from holdfast_core.agents._opencode_agent import OpenCodeAgent


class Kilo(OpenCodeAgent):
    """Reads both generations."""

    id = "kilo"
    name = "Kilo"
    mark = "I"
    hue = 75
    program = "kilo"
    how_to_install = "https://kilo.ai/docs/cli"
    folder = "kilo"
    variable = "KILO_DB"


AGENT = Kilo()
