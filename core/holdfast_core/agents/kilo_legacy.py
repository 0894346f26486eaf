"""Kilo Code before 2026-03: tasks of the editor's extension, of Cline's family."""

from __future__ import annotations

from holdfast_core.agents._cline_family import ClineFamilyAgent
from holdfast_core.agents._cline_task import Counting

_WHOLE_INPUT_SINCE_MS = 1_762_905_600_000  # 2025-11-12, version 4.119.0


class KiloLegacy(ClineFamilyAgent):
    """Reads tasks of the first generation; the second keeps its sessions elsewhere."""

    id = "kilo_legacy"
    name = "Kilo Code (extension)"
    mark = "J"
    hue = 60
    program = "code"
    how_to_install = "https://kilo.ai/docs"
    extension = "kilocode.kilo-code"
    counting = Counting(_WHOLE_INPUT_SINCE_MS)


AGENT = KiloLegacy()
