"""Roo Code: tasks of the editor's extension, which descends from Cline's."""

from __future__ import annotations

from holdfast_core.agents._cline_family import ClineFamilyAgent
from holdfast_core.agents._cline_task import Counting

_WHOLE_INPUT_SINCE_MS = 1_761_955_200_000  # 2025-11-01, version 3.29.5


class Roo(ClineFamilyAgent):
    """Reads tasks; one that another task started is its subagent."""

    id = "roo"
    name = "Roo Code"
    mark = "R"
    hue = 25
    program = "code"
    how_to_install = "https://docs.roocode.com/getting-started/installing"
    extension = "rooveterinaryinc.roo-cline"
    counting = Counting(_WHOLE_INPUT_SINCE_MS)


AGENT = Roo()
