"""Makes a session of the steps that Antigravity logs beside a conversation."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._draft import Gathered
from holdfast_core.agents._fields import names
from holdfast_core.agents._json import shown
from holdfast_core.agents._jsonl import read_small
from holdfast_core.agents._lines import SessionReader, SessionState
from holdfast_core.agents._parts import given, path_of_uri, text_in
from holdfast_core.agents._values import PATH_LIMIT, datetime_ms, moment_ms, text_of_name
from holdfast_core.model.message import (
    Block,
    Compaction,
    Error,
    File,
    Message,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

LOG = "transcript.jsonl"
_REQUEST = re.compile(r"<USER_REQUEST>\s*(.*?)\s*(?:</USER_REQUEST>|\Z)", re.DOTALL)
_MODEL = re.compile(r"`Model Selection` from .{0,200}? to ([^\n]{1,200}?)\.?\s*(?:\n|$)")
_TOOLS = frozenset((
    "RUN_COMMAND", "VIEW_FILE", "LIST_DIRECTORY", "GREP_SEARCH", "SEARCH_WEB", "CODE_ACTION", "GENERIC",
    "FIND_BY_NAME", "READ_URL_CONTENT", "CODEBASE_SEARCH", "VIEW_CODE_ITEM", "VIEW_FILE_OUTLINE", "COMMAND_STATUS",
    "MCP_TOOL", "GENERATE_IMAGE", "TASK_BOUNDARY", "NOTIFY_USER",
))  # fmt: skip
_SYSTEM = frozenset(("SYSTEM_MESSAGE", "EPHEMERAL_MESSAGE", "CONVERSATION_HISTORY", "KNOWLEDGE_ARTIFACTS"))
_EDITS = frozenset(("write_file", "write_to_file", "replace_file_content", "multi_replace_file_content"))
_PENDING_LIMIT = 64
_HISTORY_LIMIT = 16 << 20
_ARTIFACT_LIMIT = 4 << 20
_ARTIFACTS_LIMIT = 50


class _Call(msgspec.Struct, gc=False):
    name: str | None = None
    args: Any = None


class Step(msgspec.Struct, gc=False):
    """One line."""

    type: str = ""
    source: str | None = None
    status: str | None = None
    step_index: int | None = None
    created_at: datetime | None = None
    timestamp: datetime | None = None
    content: Any = None
    thinking: str | None = None
    tool_calls: list[_Call] | None = None
    error: Any = None
    not_read: ClassVar = names("promptVariant telemetry truncated_fields")


class State(SessionState, array_like=True):
    """``pending`` are calls without a result, the oldest first."""

    pending: list[str] = msgspec.field(default_factory=list)


class Reader(SessionReader[Step, State]):
    """Reads the log of a conversation; what a tool gave back follows its call as a step of its own."""

    record = Step
    state_kind = State

    def begun(self) -> Gathered:
        gathered = super().begun()
        path = Path(self.source.path)
        if path.name == LOG:
            gathered.native_id = text_of_name(path.parents[2].name)
        return gathered

    def adopted(self) -> None:
        if Path(self.source.path).name == LOG:
            found = project_of(Path(self.source.root), self.source.root, self.kept.main.native_id)
            self.kept.main.project_path = found or self.kept.main.project_path

    def facts(self) -> dict[str, Any]:
        return {"title": "", "is_empty": self.kept.main.spoken_count == 0}

    def take(self, record: Step) -> None:
        kind = record.type
        text = "" if record.content is None else shown(record.content)
        if kind in ("USER_INPUT", "user"):
            self._take_prompt(record, text)
        elif kind in ("PLANNER_RESPONSE", "assistant"):
            self._take_answer(record, text)
        elif kind == "CHECKPOINT":
            self._add(record, "system", [Compaction(text)])
        elif kind == "ERROR_MESSAGE":
            told = text or ("" if record.error is None else shown(record.error))
            self._add(record, "system", [Error(told)] if told else [])
        elif kind in _SYSTEM:
            self._add(record, "system", [Text(text)] if text else [])
        else:
            if kind not in _TOOLS:
                self.count_unknown(kind)
            self._take_result(record, text)

    def _take_prompt(self, record: Step, text: str) -> None:
        found = _MODEL.search(text[-4000:]) if "`Model Selection`" in text else None
        if found is not None:
            self.kept.main.model = found[1].strip()
        requests = _REQUEST.findall(text) if "<USER_REQUEST>" in text else []
        around = _REQUEST.sub("", text).strip() if requests else ""
        typed = "\n\n".join(requests) if requests else text
        is_person = record.source in (None, "USER_EXPLICIT")
        self._add(record, "system", [Text(around)] if around else [])
        self._add(
            record, "user" if is_person else "system", [Text(typed)] if typed else [], name="" if around else None
        )

    def _take_answer(self, record: Step, text: str) -> None:
        blocks: list[Block] = [Thinking(record.thinking)] if record.thinking else []
        blocks += [Text(text)] if text else []
        for number, call in enumerate(record.tool_calls or ()):
            call_id = f"call-{self.line}-{number}"
            arguments = _arguments(call.args)
            path = path_of_uri(text_in(arguments, "TargetFile", "AbsolutePath"))
            if path and call.name in _EDITS:
                self.draft.touch(path, 0, 0)
            blocks.append(ToolCall(call_id, call.name or "", arguments))
            self.kept.pending.append(call_id)
            del self.kept.pending[:-_PENDING_LIMIT]
        self._add(record, "assistant", blocks)

    def _take_result(self, record: Step, text: str) -> None:
        if record.source not in (None, "MODEL"):
            self._add(record, "system", [Text(text)] if text else [])
            return
        call_id = self.kept.pending.pop(0) if self.kept.pending else ""
        is_error = record.status == "ERROR" or record.error is not None
        text = text or ("" if record.error is None else shown(record.error))
        self._add(record, "tool", [ToolResult(call_id, text, is_error)] if text or is_error else [])

    def _add(self, record: Step, role: Role, blocks: list[Block], *, name: str | None = None) -> None:
        if not blocks:
            return
        moment = record.created_at or record.timestamp
        milliseconds = None if moment is None else datetime_ms(moment)
        model = self.kept.main.model if role == "assistant" else ""
        own = None if name is None else f"line-{self.line}-request"
        self.draft.add(self.message(role, blocks, milliseconds, id=own, model=model or None))


def _arguments(args: Any) -> Any:
    """Return a call's arguments: each of them is JSON within JSON."""
    args = given(args)
    if not isinstance(args, dict):
        return args
    found: dict[str, Any] = {}
    for name, value in args.items():
        found[name] = given(_unquoted(value))
    return found


def _unquoted(value: Any) -> Any:
    if isinstance(value, str) and value[:1] == '"':
        try:
            return msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return value
    return value


class _Asked(msgspec.Struct, rename="camel"):
    display: str = ""
    timestamp: int | None = None
    workspace: str = ""
    conversation_id: str = ""


def _history(folder: Path, root: str, native_id: str) -> list[_Asked]:
    content = read_small(folder / "history.jsonl", root=root, limit=_HISTORY_LIMIT) or b""
    needle = native_id.encode("utf-8", "replace")
    found: list[_Asked] = []
    for line in content.split(b"\n"):
        if needle not in line:
            continue
        try:
            row = msgspec.json.decode(line, type=_Asked)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        if row.conversation_id == native_id:
            found.append(row)
    return found


def project_of(folder: Path, root: str, native_id: str) -> str:
    """Return the directory in which a conversation was held, as the list of prompts tells."""
    rows = _history(folder, root, native_id)
    return next((path_of_uri(row.workspace)[:PATH_LIMIT] for row in rows if row.workspace), "")


def known_of(folder: Path, root: str, native_id: str) -> tuple[Message, ...]:
    """Return what is known of a conversation that cannot be read: its prompts, and what the agent wrote down."""
    messages = [
        Message(f"prompt-{number}", "user", (Text(row.display),), moment_ms(row.timestamp))
        for number, row in enumerate(_history(folder, root, native_id), 1)
        if row.display
    ]
    brain = folder / "brain" / native_id
    try:
        names = sorted(entry.name for entry in brain.iterdir() if entry.name.endswith(".md"))
    except OSError:
        names = []
    for name in names[:_ARTIFACTS_LIMIT]:
        content = read_small(brain / name, root=root, limit=_ARTIFACT_LIMIT)
        if content:
            text = content.decode("utf-8", "replace")
            messages.append(Message(f"artifact-{name}", "system", (File(str(brain / name), "text/markdown", text),)))
    return tuple(messages)
