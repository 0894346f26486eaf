"""Antigravity, editor and command line: the logs of conversations, and those that are kept closed as such."""

from __future__ import annotations

import os
from pathlib import Path

from holdfast_core.agents._antigravity_reader import LOG, Reader, known_of, project_of
from holdfast_core.agents._draft import Gathered
from holdfast_core.agents._files import directories
from holdfast_core.agents._jsonl import LineFile
from holdfast_core.agents._lines import LineAgent, Source
from holdfast_core.agents._opaque import opaque_reading
from holdfast_core.agents._values import text_of_name
from holdfast_core.agents.base import (
    Checkpoint,
    Home,
    Reading,
    ResumeCommand,
    ResumeTarget,
    SourceRef,
    refuse_copy,
    refuse_subagent,
    safe_id,
)
from holdfast_core.errors import Refused

_INNER = (".system_generated", "logs", LOG)
_CLOSED = {".pb": "encrypted", ".db": "binary"}


class Antigravity(LineAgent):
    """Reads a conversation's log where there is one; else lists it with its prompts and the agent's own notes."""

    id = "antigravity"
    name = "Antigravity"
    mark = "Y"
    hue = 280
    program = "agy"
    how_to_install = "https://antigravity.google/download"
    beside = ("../../*", "../brain/{stem}/*", "../annotations/{stem}.pbtxt", "../implicit/{stem}.pb")
    listed = ("../history.jsonl", "../../../../history.jsonl")
    patterns = (
        f"brain/*/{'/'.join(_INNER)}",
        "conversations/*.db",
        "conversations/*.pb",
        "code_tracker/*/*.jsonl",
    )

    def roots(self, home: Home) -> list[Path]:
        return directories(home, [], ".gemini/antigravity", ".gemini/antigravity-cli")

    def key_of(self, path: str) -> str:
        file = Path(path)
        if file.parts[-3:] == _INNER:
            return str(file.parents[4] / file.parents[2].name)
        return str(file.parents[1] / file.stem) if file.suffix in _CLOSED else path

    def is_source(self, path: str) -> bool:
        """Return whether a conversation is not also there in a form that can be read better."""
        file = Path(path)
        if file.suffix not in _CLOSED:
            return True
        is_replaced = file.suffix == ".pb" and file.with_suffix(".db").is_file()
        return not is_replaced and not file.parents[1].joinpath("brain", file.stem, *_INNER).is_file()

    def reader(self, file: LineFile, source: Source) -> Reader:
        return Reader(file, source)

    def read(self, ref: SourceRef, home: Home, *, checkpoint: Checkpoint | None = None) -> Reading:
        file = Path(ref.path)
        if file.suffix not in _CLOSED:
            return super().read(ref, home, checkpoint=checkpoint)
        root = self.root_of(ref.path, home)
        messages = known_of(file.parents[1], root, file.stem)
        known = Gathered(text_of_name(file.stem), project_path=project_of(file.parents[1], root, file.stem))
        return opaque_reading(ref, root, _CLOSED[file.suffix], known=known, messages=messages)

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        native_id = safe_id(facts.native_id)
        refuse_subagent(facts)
        refuse_copy(fork)
        if f"antigravity-cli{os.sep}" not in facts.source_path:
            raise Refused("This conversation can only be continued in its editor. Open its project there.")
        return ResumeCommand((self.program, "--conversation", native_id), needs_project=True)


AGENT = Antigravity()
