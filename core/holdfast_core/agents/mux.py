"""Mux: one message a line under ``~/.mux/sessions/<workspace>/chat.jsonl``, what was put away of it beside it."""

from __future__ import annotations

import os
from pathlib import Path

from holdfast_core.agents._files import FileAgent, directories
from holdfast_core.agents._jsonl import LineFile
from holdfast_core.agents._lines import Source
from holdfast_core.agents._mux_reader import Reader
from holdfast_core.agents.base import Checkpoint, Home, Reading, ResumeCommand, ResumeTarget, SourceRef
from holdfast_core.errors import Refused

_OLDER = "chat-archive.jsonl"


class Mux(FileAgent):
    """Reads the conversation of each workspace whole, and those of its subagents; its files are written anew."""

    id = "mux"
    name = "Mux"
    mark = "M"
    hue = 175
    program = "mux"
    how_to_install = "https://mux.coder.com/install"
    patterns = ("*/chat.jsonl", "*/subagent-transcripts/*/chat.jsonl")
    beside = ("chat-archive.jsonl", "partial.json")
    listed = ("../../config.json", "../../../../config.json")

    def roots(self, home: Home) -> list[Path]:
        bases = directories(home, ("XUM_ROOT", "MUX_ROOT"), ".xum", ".mux", ".cmux")
        return [base / "sessions" for base in bases]

    def read(self, ref: SourceRef, home: Home, *, checkpoint: Checkpoint | None = None) -> Reading:
        source = Source(self.id, ref.path, self.root_of(ref.path, home), home)
        older = Path(ref.path).with_name(_OLDER)
        with LineFile(ref.path, root=source.root) as file:
            reader = Reader(file, source)
            read = 0
            if os.path.lexists(older):
                with LineFile(str(older), root=source.root) as put_away:
                    reader.run_older(put_away)
                    read = put_away.bytes_read
            reader.run()
            read += file.bytes_read
            return Reading(
                reader.sessions(), reader.problems, reader.unknown, None, read, unknown_fields=reader.sample.unknown
            )

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        raise Refused("This session is continued in the application that it was made in.")


AGENT = Mux()
