"""Oh-My-Pi: sessions in Pi's format under ``~/.omp/agent/sessions``, its subagents' in a folder beside each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from holdfast_core.agents._draft import Gathered
from holdfast_core.agents._files import directories
from holdfast_core.agents._jsonl import LineFile
from holdfast_core.agents._lines import LineAgent, Source
from holdfast_core.agents._pi_calls import PiClosing
from holdfast_core.agents._pi_reader import Reader
from holdfast_core.agents._pi_records import Entry
from holdfast_core.agents._reading import LineReader
from holdfast_core.agents._values import PREVIEW_LIMIT, one_line, text_of_name
from holdfast_core.agents._walk import subdirectories
from holdfast_core.agents.base import Home, ResumeCommand, ResumeTarget, refuse_subagent, safe_id
from holdfast_core.errors import Refused

_SLOT_BYTES = 256


class _Slot(msgspec.Struct):
    """The first line, which is written over in place when the title changes."""

    type: str = ""
    title: str = ""


class _OmpReader(Reader):
    def begun(self) -> Gathered:
        self.blobs = str(Path(self.source.root).parent / "blobs")
        name = self.source.stem
        gathered = Gathered(name.partition("_")[2] or name)
        folders = Path(self.source.path).relative_to(self.source.root).parts[1:-1]
        if folders:
            parent = text_of_name(folders[-1])
            gathered.kind, gathered.parent_id = "subagent", parent.partition("_")[2] or parent
        return gathered

    def facts(self) -> dict[str, Any]:
        return super().facts() | {"title": self._title_in_slot() or self.kept.name}

    def take_start(self, entry: Entry) -> None:
        """Take up what a subagent was told to do; the prompt itself follows as a message."""
        gathered = self.draft.gathered
        gathered.surface = entry.agent or gathered.surface
        if entry.task:
            gathered.preview = gathered.preview or one_line(entry.task, PREVIEW_LIMIT)

    def take_usage(self, entry: Entry) -> None:
        """Count a call beside the conversation, like one for a title."""
        usage = None if entry.usage is None else entry.usage.usage()
        if entry.usage is None or usage is None or not usage.total_tokens:
            return
        self.draft.respond(
            f"{self.moment}:{entry.model}:{usage.total_tokens}",
            usage,
            model=entry.model or "",
            timestamp_ms=self.moment,
            index=None,
            cost_usd=entry.usage.cost_usd(),
        )

    def _title_in_slot(self) -> str:
        line = self.file.head(_SLOT_BYTES).partition(b"\n")[0]
        try:
            slot = msgspec.json.decode(line, type=_Slot)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return ""
        return slot.title.strip() if slot.type == "title" else ""


_OmpReader.takes = Reader.takes | {"session_init": _OmpReader.take_start, "model_usage": _OmpReader.take_usage}


class OhMyPi(LineAgent):
    """Reads sessions of every profile, and of subagents at any depth that was seen."""

    id = "omp"
    name = "Oh-My-Pi"
    mark = "Ω"
    hue = 310
    program = "omp"
    how_to_install = "https://omp.sh"
    patterns = ("*/*.jsonl", "*/*/*.jsonl", "*/*/*/*.jsonl")
    closing = PiClosing()

    def roots(self, home: Home) -> list[Path]:
        """Return the directories of sessions; ``PI_CODING_AGENT_DIR``, which is Pi's too, is left to that."""
        named = home.environment.get("PI_CONFIG_DIR", "").strip()
        tops = list(dict.fromkeys([*([home.path / named] if named else []), home.path / ".omp"]))
        tops = [one for top in tops for one in (top, *_profiles(top))]
        moved = [folder / "omp" for folder in directories(home, ("XDG_DATA_HOME",), ".local/share")]
        moved = [one for top in moved for one in (top, *_profiles(top))]
        return [*(folder / "sessions" for folder in moved), *(folder / "agent" / "sessions" for folder in tops)]

    def reader(self, file: LineFile, source: Source) -> LineReader[Any]:
        return _OmpReader(file, source)

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        refuse_subagent(facts)
        safe_id(facts.native_id)
        if fork:
            raise Refused("Oh-My-Pi copies a session from within itself, by /fork.")
        return ResumeCommand((self.program, f"--resume={facts.native_id}"), needs_project=True)


def _profiles(top: Path) -> list[Path]:
    return sorted(Path(entry.path) for entry in subdirectories(str(top / "profiles")))


AGENT = OhMyPi()
