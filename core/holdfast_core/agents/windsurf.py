"""Windsurf: conversations that the editor encrypts, listed as such."""

from __future__ import annotations

from pathlib import Path

from holdfast_core.agents._files import FileAgent, directories
from holdfast_core.agents._opaque import opaque_reading
from holdfast_core.agents.base import Checkpoint, Home, Reading, ResumeCommand, ResumeTarget, SourceRef
from holdfast_core.errors import Refused


class Windsurf(FileAgent):
    """Lists the files of conversations below ``cascade``; nobody but the editor can read them."""

    id = "windsurf"
    name = "Windsurf"
    mark = "W"
    hue = 170
    program = "windsurf"
    how_to_install = "https://windsurf.com/download"
    patterns = ("cascade/*.pb",)

    def roots(self, home: Home) -> list[Path]:
        return directories(home, [], ".codeium/windsurf", ".codeium/windsurf-next")

    def read(self, ref: SourceRef, home: Home, *, checkpoint: Checkpoint | None = None) -> Reading:
        return opaque_reading(ref, self.root_of(ref.path, home), "encrypted")

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        raise Refused("This conversation can only be continued in its editor. Open its project there.")


AGENT = Windsurf()
