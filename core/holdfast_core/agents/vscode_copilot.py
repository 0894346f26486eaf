"""Copilot Chat in VS Code: one document for each conversation, since 1.109 a log of what changed in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._documents import Document, read_document
from holdfast_core.agents._draft import Draft, Gathered
from holdfast_core.agents._fields import names
from holdfast_core.agents._files import FileAgent
from holdfast_core.agents._json import shape_of, shaped
from holdfast_core.agents._jsonl import LineFile
from holdfast_core.agents._parts import text_in
from holdfast_core.agents._reading import LineTaker
from holdfast_core.agents._values import moment_ms, text_of_name
from holdfast_core.agents._vscode_chat import Chat
from holdfast_core.agents._vscode_family import project_of, user_directories
from holdfast_core.agents.base import Checkpoint, Home, Reading, ResumeCommand, ResumeTarget, SessionRead, SourceRef
from holdfast_core.errors import Refused

_FOLDERS = ("workspaceStorage/*/chatSessions", "globalStorage/emptyWindowChatSessions")
_LENGTH_LIMIT = 1_000_000
_DEPTH_LIMIT = 64


class _Conversation(msgspec.Struct, rename="camel"):
    custom_title: str | None = None
    creation_date: Any = None
    last_message_date: Any = None
    initial_location: str | None = None
    requests: list[Any] = msgspec.field(default_factory=list)
    mode: Any = None
    not_read: ClassVar = names("requesterUsername responderUsername sessionId version")


class _Change(msgspec.Struct, gc=False):
    kind: int = -1
    k: Any = None
    v: Any = None
    i: int | None = None


class _Log(LineTaker[_Change]):
    """Does again what a log tells: 0 begins, 1 sets, 2 cuts a list and adds to it, 3 takes away."""

    record = _Change

    def __init__(self, file: LineFile) -> None:
        super().__init__(file)
        self.value: Any = {}

    def take(self, record: _Change) -> None:
        if record.kind == 0:
            self.value = record.v if isinstance(record.v, dict) else {}
        elif record.kind not in (1, 2, 3):
            self.count_unknown(f"kind:{record.kind}")
        elif not isinstance(record.k, list) or not 0 < len(record.k) <= _DEPTH_LIMIT or not self._change(record):
            self.problem("wrong_place")

    def _change(self, record: _Change) -> bool:
        """Make one change; False if there is no such place."""
        *way, key = record.k
        inner = self.value
        for step in way:
            if type(inner) is dict and type(step) is str:
                inner = inner.get(step)
            elif type(inner) is list and type(step) is int and 0 <= step < len(inner):
                inner = inner[step]
            else:
                return False
        if isinstance(inner, list):
            is_there = type(key) is int and 0 <= key < len(inner)
            if is_there and record.kind == 1:
                inner[key] = record.v
            elif is_there and record.kind == 2 and isinstance(inner[key], list):
                _push(inner[key], record)
            return is_there
        if not isinstance(inner, dict) or not isinstance(key, str):
            return False
        if record.kind == 1:
            inner[key] = record.v
        elif record.kind == 3:
            inner.pop(key, None)
        else:
            items = inner.get(key)
            if type(items) is not list:
                items = inner[key] = []
            _push(items, record)
        return True


def _push(items: list[Any], record: _Change) -> None:
    if record.i is not None:
        del items[max(record.i, 0) :]
    if type(record.v) is list:
        items += record.v[: max(_LENGTH_LIMIT - len(items), 0)]


class VscodeCopilot(FileAgent):
    """Reads conversations of workspaces and of windows without one."""

    id = "vscode_copilot"
    name = "VS Code Copilot Chat"
    mark = "V"
    hue = 215
    program = "code"
    how_to_install = "https://code.visualstudio.com/docs/copilot/setup"
    patterns = tuple(f"{folder}/*{ending}" for folder in _FOLDERS for ending in (".json", ".jsonl"))
    beside = ("../chatEditingSessions/{stem}/**",)
    listed = ("../workspace.json",)
    notes = ("The editor's own list of conversations was left as it is. It may not show this one.",)

    def roots(self, home: Home) -> list[Path]:
        programs = ("Code", "Code - Insiders", "Code - OSS", "VSCodium", "VSCodium - Insiders")
        return user_directories(home, programs, (".vscode-server", ".vscode-server-insiders"))

    def key_of(self, path: str) -> str:
        return str(Path(path).with_suffix(""))

    def is_source(self, path: str) -> bool:
        """Return whether a conversation is not also there as a log, which goes on from the document."""
        return path.endswith(".jsonl") or not Path(path).with_suffix(".jsonl").is_file()

    def read(self, ref: SourceRef, home: Home, *, checkpoint: Checkpoint | None = None) -> Reading:
        root = self.root_of(ref.path, home)
        is_log = ref.path.endswith(".jsonl")
        document = _replayed(ref.path, root) if is_log else read_document(ref.path, _Conversation, root=root)
        return document.reading([self._session(document, Path(ref.path), root)])

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        raise Refused("This conversation can only be continued in its editor. Open its project there.")

    def _session(self, document: Document, path: Path, root: str) -> SessionRead:
        conversation: _Conversation = document.value
        draft = Draft(Gathered(text_of_name(path.stem)))
        gathered = draft.gathered
        chat = Chat(draft, document)
        for number, request in enumerate(conversation.requests, 1):
            chat.take(request, number)
        if path.parent.parent.parent.name == "workspaceStorage":
            gathered.project_path = project_of(path.parent.parent, root)
        created, last = moment_ms(conversation.creation_date), moment_ms(conversation.last_message_date)
        gathered.created_ms = created or gathered.created_ms
        if last is not None:
            gathered.updated_ms = max(last, gathered.updated_ms or last)
        location, mode = conversation.initial_location, conversation.mode
        kind = text_in(mode, "kind", "id") if isinstance(mode, dict) else ""
        return draft.finish(
            agent=self.id,
            title=conversation.custom_title or "",
            is_empty=gathered.spoken_count == 0,
            fallback_ms=document.modified_ms,
            surface=location or "",
            todos=chat.todos,
            provider_data=document.provider_data() | ({"mode": kind} if kind else {}),
        )


def _replayed(path: str, root: str) -> Document:
    with LineFile(path, root=root) as file:
        log = _Log(file)
        log.run()
        document = Document(None, b"", file.modified_ms)
        document.size_bytes = file.bytes_read
    document.value = shaped(log.value, shape_of(_Conversation))
    document.problems, document.unknown, document.repairs = log.problems, log.unknown, log.repairs
    document.sample = log.sample
    return document


AGENT = VscodeCopilot()
