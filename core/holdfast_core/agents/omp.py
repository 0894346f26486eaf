"""Oh-My-Pi: sessions in Pi's format under ``~/.omp/agent/sessions``, its subagents' in a folder beside each."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from holdfast_core.agents._draft import Gathered
from holdfast_core.agents._files import directories
from holdfast_core.agents._jsonl import LineFile
from holdfast_core.agents._lines import LineAgent, Source
from holdfast_core.agents._pi_calls import PiClosing
from holdfast_core.agents._pi_reader import Reader, State
from holdfast_core.agents._pi_records import Entry, Said
from holdfast_core.agents._reading import LineReader
from holdfast_core.agents._values import PREVIEW_LIMIT, one_line, text_of_name
from holdfast_core.agents._walk import subdirectories
from holdfast_core.agents.base import Home, ResumeCommand, ResumeTarget, refuse_subagent, safe_id
from holdfast_core.errors import Refused, SourceError

_SLOT_BYTES = 256
_HEAD_BYTES = 4096
_TASK = "task"
_TASKS_LIMIT = 64


class _Slot(msgspec.Struct):
    """The first line, which is written over in place when the title changes."""

    type: str = ""
    title: str = ""


class _Started(msgspec.Struct):
    id: str = ""


class _Details(msgspec.Struct):
    """What a result of ``task`` tells beside its text: whom it started."""

    results: list[_Started] = []
    progress: list[_Started] = []


class _State(State, array_like=True):
    """``tasks`` are the latest calls that start subagents, by their ids: where they stand."""

    tasks: dict[str, int] = msgspec.field(default_factory=dict)


class _OmpReader(Reader):
    state_kind = _State
    kept: _State

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

    def take(self, record: Entry) -> None:
        super().take(record)
        said = record.message
        if said is None or record.type != "message":
            return
        if said.role == "assistant":
            self._note_tasks(said)
        elif said.role == "toolResult" and said.tool_name == _TASK and said.tool_call_id in self.kept.tasks:
            self._link(said)

    def _note_tasks(self, said: Said) -> None:
        tasks = self.kept.tasks
        for part in said.content if isinstance(said.content, list) else ():
            if part.type == "toolCall" and part.name == _TASK and part.id:
                tasks[part.id] = self.draft.next_index - 1
                if len(tasks) > _TASKS_LIMIT:
                    del tasks[next(iter(tasks))]

    def _link(self, said: Said) -> None:
        """Link a call with the first subagent that it started, which is in a file of its own beside this one."""
        call_id = said.tool_call_id or ""
        index = self.kept.tasks.pop(call_id)
        try:
            details = msgspec.json.decode(said.details, type=_Details)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        for started in [*details.results, *details.progress][:1]:
            child = _id_in(Path(self.source.path).with_suffix(""), started.id, self.source.root)
            if child:
                self.draft.link(index, call_id, f"{self.source.agent}:{child}")

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


def _id_in(folder: Path, name: str, root: str) -> str:
    """Return the id of the session in a subagent's file, nothing if there is no such file."""
    if not name or name in (".", "..") or any(sign in name for sign in "/\\\0"):
        return ""
    path = folder / f"{name}.jsonl"
    if not os.path.lexists(path):
        return ""
    try:
        with LineFile(str(path), root=root) as file:
            head = file.head(_HEAD_BYTES)
    except SourceError:
        return ""
    for line in head.split(b"\n")[:2]:
        try:
            found = msgspec.json.decode(line, type=Entry)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        if found.type == "session" and found.id:
            return found.id
    plain = text_of_name(name)
    return plain.partition("_")[2] or plain


def _profiles(top: Path) -> list[Path]:
    return sorted(Path(entry.path) for entry in subdirectories(str(top / "profiles")))


AGENT = OhMyPi()
