"""How sessions of Gemini CLI lie on disk, and those of programs made from it."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._documents import Document, read_document
from holdfast_core.agents._draft import Draft, Gathered
from holdfast_core.agents._gemini_reader import Reader, project_folder, registered_project
from holdfast_core.agents._gemini_records import Record
from holdfast_core.agents._json import Forgiving
from holdfast_core.agents._jsonl import LineFile, read_small
from holdfast_core.agents._lines import LineAgent, Source
from holdfast_core.agents._reading import LineReader, read_lines
from holdfast_core.agents._values import moment_ms
from holdfast_core.agents._walk import files_below
from holdfast_core.agents.base import (
    Checkpoint,
    Home,
    Reading,
    ResumeCommand,
    ResumeTarget,
    SessionRead,
    SourceRef,
    refuse_subagent,
    safe_id,
)
from holdfast_core.errors import Refused
from holdfast_core.model.message import Message, Role, Text

_DEFAULT_DAYS = 30
_AGE = re.compile(r"(\d{1,6})([hdwm])")
_HOURS = {"h": 1, "d": 24, "w": 168, "m": 720}
_PROMPTS = "logs.json"
_SAVED = "checkpoint-"
_HEAD_BYTES = 4096
_HASH_LENGTH = 64


class GeminiLike(LineAgent):
    """Reads what Gemini CLI and programs made from it write below their ``tmp``.

    ``fork_flag`` makes the agent continue a copy of a session, where it can.
    """

    fork_flag: ClassVar[str] = ""
    listed: ClassVar[tuple[str, ...]] = (
        ".project_root",
        "../.project_root",
        "../../.project_root",
        "../../projects.json",
        "../../../projects.json",
        "../../../../projects.json",
    )
    patterns: ClassVar[tuple[str, ...]] = (
        "*/chats/session-*.json",
        "*/chats/session-*.jsonl",
        "*/chats/*/*.jsonl",
        f"*/{_PROMPTS}",
        f"*/{_SAVED}*.json",
    )

    def is_source(self, path: str) -> bool:
        """A document that was resumed goes on as lines beside it, which then hold all of it."""
        return not (path.endswith(".json") and os.path.lexists(f"{path}l"))

    def key_of(self, path: str) -> str:
        return path.removesuffix("l") if path.endswith(".jsonl") else path

    def reader(self, file: LineFile, source: Source) -> LineReader[Any]:
        return Reader(file, source)

    def read(self, ref: SourceRef, home: Home, *, checkpoint: Checkpoint | None = None) -> Reading:
        source = self.source_at(ref.path, home)
        name = Path(ref.path).name
        if name == _PROMPTS:
            return _prompts(source)
        if name.startswith(_SAVED):
            return self._whole(source, None)
        with LineFile(ref.path, root=source.root) as file:
            if checkpoint is not None or _is_lines(file.head(_HEAD_BYTES), name):
                return read_lines(self.reader(file, source), checkpoint)
        return self._whole(source, Record)

    def is_cleaned_up(self, ref: SourceRef) -> bool:
        """What a person saved stays, and so does the list of prompts."""
        name = Path(ref.path).name
        return name != _PROMPTS and not name.startswith(_SAVED)

    def _whole(self, source: Source, kind: type[Record] | None) -> Reading:
        """Read a session that is one document, or a saved conversation, which may be a bare list."""
        document = read_document(source.path, kind, root=source.root)
        with LineFile(source.path, root=source.root) as file:
            reader = Reader(file, source)
            if kind is None:
                folder = project_folder(source)
                reader.kept.main.native_id = f"{source.stem}-{folder[:8] if len(folder) == _HASH_LENGTH else folder}"
                _take_saved(reader, document.value)
            else:
                reader.take_document(document.value, is_numbered=True)
            reader.repairs.update(document.repairs)
            document.unknown.update(reader.unknown)
            return document.reading(reader.sessions())

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        name = Path(facts.source_path).name
        refuse_subagent(facts)
        if name.startswith(_SAVED):
            raise Refused("A saved conversation is taken up within the program, by its name.", detail="/chat resume")
        if name == _PROMPTS:
            raise Refused("Only the prompts of this session are still there.")
        if fork and not self.fork_flag:
            raise Refused("This agent cannot continue a copy of a session.")
        argv = (self.program, f"--resume={safe_id(facts.native_id)}")
        return ResumeCommand((*argv, self.fork_flag) if fork else argv, needs_project=True)


def _is_lines(head: bytes, name: str) -> bool:
    """Return whether a file holds lines, whatever its name says."""
    first, _, rest = head.partition(b"\n")
    first = first.strip(b" \t\r\xef\xbb\xbf")
    if name.endswith(".jsonl"):
        return first not in (b"{", b"[")
    is_head = first.startswith(b"{") and first.endswith(b"}") and b'"messages"' not in first
    return is_head and rest.lstrip().startswith(b"{")


def _take_saved(reader: Reader, value: Any) -> None:
    shape: Forgiving[Record] = Forgiving(Record)
    listed = value if isinstance(value, list) else value.get("history", [])
    for number, item in enumerate(listed if isinstance(listed, list) else (), 1):
        reader.line = number
        if isinstance(item, dict):
            reader.take(shape.shape(item))
        else:
            reader.problem("not_an_object")


class _Prompt(msgspec.Struct, rename="camel"):
    session_id: str = ""
    message_id: int = 0
    type: str = ""
    message: str = ""
    timestamp: str = ""


def _prompts(source: Source) -> Reading:
    """Read the list of what was typed: what is left of sessions that have no file, or none any more."""
    document = read_document(source.path, None, root=source.root)
    chats = f"{Path(source.path).parent}{os.sep}chats"
    kept = {entry.name.rpartition("-")[2].partition(".")[0] for entry in files_below(chats, (".json", ".jsonl"))}
    shape: Forgiving[_Prompt] = Forgiving(_Prompt)
    sessions: dict[str, Draft] = {}
    for number, item in enumerate(document.value if isinstance(document.value, list) else (), 1):
        prompt = shape.shape(item) if isinstance(item, dict) else _Prompt()
        if not prompt.session_id or prompt.session_id[:8] in kept:
            continue
        if prompt.session_id not in sessions:
            sessions[prompt.session_id] = Draft(Gathered(prompt.session_id, provider=""))
        role: Role = "user" if prompt.type == "user" else "system"
        name = f"{prompt.session_id}:{prompt.message_id}"
        message = Message(name, role, (Text(prompt.message),), moment_ms(prompt.timestamp), line=number)
        sessions[prompt.session_id].add(message)
    return document.reading([_prompts_of(draft, document, source) for draft in sessions.values()])


def _prompts_of(draft: Draft, document: Document, source: Source) -> SessionRead:
    return draft.finish(
        agent=source.agent,
        title="",
        is_empty=not draft.gathered.spoken_count,
        fallback_ms=document.modified_ms,
        project_path=registered_project(source),
        provider_data={"holds": "prompts"} | document.provider_data(),
    )


class _Retention(msgspec.Struct, rename="camel"):
    enabled: bool | None = None
    max_age: str = ""


class _General(msgspec.Struct, rename="camel"):
    session_retention: _Retention = msgspec.field(default_factory=_Retention)


class _Settings(msgspec.Struct):
    general: _General = msgspec.field(default_factory=_General)


def days_of_retention(configs: Sequence[Path], *, is_usual: bool = True) -> int | None:
    """Return after how many days sessions go, None if they stay; the first settings file that there is counts.

    ``is_usual`` tells whether they go where the settings say nothing.
    """
    for config in configs:
        content = read_small(config / "settings.json", root=str(config))
        if content is None:
            continue
        try:
            rule = msgspec.json.decode(content, type=_Settings).general.session_retention
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        if not (is_usual if rule.enabled is None else rule.enabled):
            return None
        age = _AGE.fullmatch(rule.max_age)
        return _DEFAULT_DAYS if age is None else math.ceil(int(age[1]) * _HOURS[age[2]] / 24)
    return _DEFAULT_DAYS if is_usual else None
