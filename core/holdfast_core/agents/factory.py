"""Factory Droid: sessions of one JSON record a line under ``~/.factory/sessions``, with their settings beside them."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._draft import Gathered, TooEarly, digest
from holdfast_core.agents._fields import names
from holdfast_core.agents._files import directories
from holdfast_core.agents._json import shown
from holdfast_core.agents._jsonl import LineFile, read_small
from holdfast_core.agents._lines import LineAgent, SessionReader, SessionState, Source
from holdfast_core.agents._message_calls import BlockClosing
from holdfast_core.agents._parts import Counts, base64_image, given, objects_in, text_in
from holdfast_core.agents._reading import LineReader
from holdfast_core.agents._values import PATH_LIMIT, PREVIEW_LIMIT, count, moment_ms, one_line
from holdfast_core.agents.base import Home, ResumeCommand, ResumeTarget, refuse_subagent, safe_id
from holdfast_core.errors import Refused
from holdfast_core.model.message import (
    Block,
    Compaction,
    Error,
    Message,
    Role,
    Text,
    Thinking,
    Todo,
    TodoStatus,
    ToolCall,
    ToolResult,
)
from holdfast_core.model.usage import Usage

_PLACEHOLDER = "New Session"
_REMINDER = re.compile(r"<system-reminder>.*?(?:</system-reminder>|\Z)\s*", re.DOTALL)
_BRANCH = re.compile(r"^% git rev-parse --abbrev-ref HEAD\n(\S+)", re.MULTILINE)
_STEP = re.compile(r"^\s*\d+\.\s*\[(\w+)\]\s*(.+)$", re.MULTILINE)
_STATUS: dict[object, TodoStatus] = {"in_progress": "in_progress", "completed": "completed"}
_SILENT = frozenset(("session_end", "session_event"))
_EDITS = frozenset(("Edit", "MultiEdit", "Create", "Write"))


class _Picture(msgspec.Struct, gc=False):
    media_type: str = ""
    data: str = ""
    not_read: ClassVar = names("type")


class _Part(msgspec.Struct, gc=False):
    type: str = ""
    text: str | None = None
    thinking: str | None = None
    id: str | None = None
    name: str | None = None
    input: Any = None
    tool_use_id: str | None = None
    content: str | list[_Part] | None = None
    is_error: bool | None = None
    source: _Picture | None = None
    not_read: ClassVar = names("signature")

    @classmethod
    def generic(cls, value: Any) -> _Part:
        return cls("text", shown(value))


class _Said(msgspec.Struct, gc=False):
    role: str = ""
    content: str | list[_Part] | None = None
    usage: Counts | None = None
    visibility: str | None = None


class _Record(msgspec.Struct, gc=False):
    """One line, of a session's file or of what the program prints when it runs without a window."""

    type: str = ""
    id: str | None = None
    timestamp: datetime | int | float | None = None
    parent_id: str | None = msgspec.field(default=None, name="parentId")
    message: _Said | str | None = None
    calling_session: str | None = msgspec.field(default=None, name="callingSessionId")
    title: str | None = None
    session_title: str | None = msgspec.field(default=None, name="sessionTitle")
    version: int | str | None = None
    cwd: str | None = None
    todos: Any = None
    summary_text: str | None = msgspec.field(default=None, name="summaryText")
    summary: str | None = None
    session_id: str | None = None
    session_id_too: str | None = msgspec.field(default=None, name="sessionId")
    model: str | None = None
    role: str | None = None
    text: str | None = None
    call_id: str | None = msgspec.field(default=None, name="toolCallId")
    tool: str | None = msgspec.field(default=None, name="toolName")
    parameters: Any = None
    value: Any = None
    is_error: bool | None = msgspec.field(default=None, name="isError")
    final_text: str | None = msgspec.field(default=None, name="finalText")
    usage: Counts | None = None
    not_read: ClassVar = names(
        "callingToolUseId data messageId messageIndex owner reasoning_effort source subtype summaryTokens toolId tools"
    )


class _Taken(msgspec.Struct, rename="camel"):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_creation_tokens: int | None = None
    thinking_tokens: int | None = None


class _Settings(msgspec.Struct, rename="camel"):
    model: str | None = None
    token_usage: _Taken | None = None


class _State(SessionState, array_like=True):
    title: str = ""
    said: bytes = b""
    has_usage: bool = False
    has_id: bool = False


class _Reader(SessionReader[_Record, _State]):
    record = _Record
    state_kind = _State
    settings = _Settings()
    is_restored = False

    def restore(self, state: bytes) -> None:
        super().restore(state)
        self.is_restored = True

    def begun(self) -> Gathered:
        self.settings = _settings_beside(self.source)
        gathered = super().begun()
        gathered.model = (self.settings.model or "").removeprefix("custom:")
        return gathered

    def take(self, record: _Record) -> None:
        kind = record.type
        if kind == "message" and isinstance(record.message, _Said):
            self._take_message(record, record.message)
        elif kind == "session_start":
            self._take_start(record)
        elif kind == "todo_state":
            self.draft.gathered.todos = _steps(record.todos)
        elif kind == "compaction_state":
            self._add(record, "system", [Compaction(record.summary_text or record.summary or "")])
        elif not self._take_printed(record) and kind not in _SILENT:
            self.count_unknown(kind)
            text = record.text or record.summary or (record.message if isinstance(record.message, str) else "")
            self._add(record, "system", [Text(text)] if text else [])

    def facts(self) -> dict[str, Any]:
        gathered, taken = self.draft.gathered, self.settings.token_usage
        if taken is not None and not self.kept.has_usage:
            self._count_all(taken)
        return {"title": self.kept.title, "is_empty": gathered.spoken_count == 0}

    def _name(self, native_id: str | None) -> None:
        """Take up the first id that the records tell."""
        gathered = self.draft.gathered
        if native_id and not self.kept.has_id:
            if self.is_restored and native_id != gathered.native_id:
                raise TooEarly(-1)  # an earlier reading gave it another one
            gathered.native_id, self.kept.has_id = native_id, True

    def _take_start(self, record: _Record) -> None:
        gathered = self.draft.gathered
        self._name(record.id)
        if record.calling_session:
            gathered.kind, gathered.parent_id = "subagent", record.calling_session
        gathered.project_path = (record.cwd or gathered.project_path)[:PATH_LIMIT]
        gathered.agent_version = record.version if isinstance(record.version, str) else ""
        named = record.session_title if record.session_title != _PLACEHOLDER else None
        self.kept.title = named or record.title or self.kept.title

    # A session's file.

    def _take_message(self, record: _Record, said: _Said) -> None:
        parts = [_Part("text", said.content)] if isinstance(said.content, str) else said.content or []
        if said.role == "assistant":
            self._take_answer(record, parts, said.usage)
            return
        results = [part for part in parts if part.type == "tool_result"]
        if results:
            blocks = [block for part in results for block in _result(part)]
            self._add(record, "tool", blocks, suffix=":results" if len(results) < len(parts) else "")
        others = [part for part in parts if part.type != "tool_result"]
        if said.role != "user" or said.visibility in ("user_only", "llm_only"):
            self._add(record, "system", [block for part in others for block in _blocks(part)])
        elif others:
            self._take_prompt(record, others)

    def _take_prompt(self, record: _Record, parts: list[_Part]) -> None:
        """Take what stands in the person's place; what the program put there is told apart."""
        typed: list[Block] = []
        context: list[str] = []
        for part in parts:
            text = part.text or ""
            if part.type == "text" and "<system-reminder>" in text:
                context += [found[0].strip() for found in _REMINDER.finditer(text)]
                text = _REMINDER.sub("", text)
                typed += [Text(text)] if text.strip() else []
            else:
                typed += _blocks(part)
        if context:
            told = "\n\n".join(context)
            branch = _BRANCH.search(told)
            main = self.draft.gathered
            main.branch = main.branch or (branch[1] if branch is not None else "")
            self._add(record, "system", [Text(told)], suffix=":context" if typed else "")
        gathered = self.draft.gathered
        if gathered.kind == "subagent":  # the session that started it speaks there
            first = next((block.text for block in typed if isinstance(block, Text)), "")
            gathered.preview = gathered.preview or one_line(first, PREVIEW_LIMIT)
        self._add(record, "system" if gathered.kind == "subagent" else "user", typed)

    def _take_answer(self, record: _Record, parts: list[_Part], counts: Counts | None) -> None:
        blocks = [block for part in parts for block in _blocks(part)]
        for block in blocks:
            if isinstance(block, ToolCall):
                self._note(block)
            elif isinstance(block, Text):
                self.kept.said = digest(block.text)
        usage = None if counts is None else counts.usage()
        if usage is None or not usage.total_tokens or not blocks:
            self._add(record, "assistant", blocks)
            return
        self.kept.has_usage = True
        gathered = self.draft.gathered
        key = f"{gathered.native_id}:{record.id or self.line}"
        carried = self.counted(key, usage, model=gathered.model, moment=moment_ms(record.timestamp))
        self._add(record, "assistant", blocks, usage=carried)

    def _note(self, call: ToolCall) -> None:
        if call.name == "TodoWrite" and isinstance(call.input, dict):
            self.draft.gathered.todos = _steps(call.input.get("todos")) or self.draft.gathered.todos
        path = text_in(call.input, "file_path", "path")
        if call.name in _EDITS and path:
            changes = objects_in(call.input.get("edits", call.input.get("changes"))) or [call.input]
            added = sum(_lines(text_in(one, "new_string", "new_str", "content")) for one in changes)
            self.draft.touch(path, added, sum(_lines(text_in(one, "old_string", "old_str")) for one in changes))

    # What the program prints.

    def _take_printed(self, record: _Record) -> bool:
        kind, gathered = record.type, self.draft.gathered
        self._name(record.session_id or record.session_id_too)
        if kind == "system":
            gathered.project_path = (record.cwd or gathered.project_path)[:PATH_LIMIT]
            gathered.model = record.model or gathered.model
        elif kind == "message" and record.text is not None:
            parts = [_Part("text", record.text)]
            if record.role == "user":
                self._take_prompt(record, parts)
            else:
                self._take_answer(record, parts, None)
        elif kind == "reasoning":
            self._add(record, "assistant", [Thinking(record.text or "")])
        elif kind == "tool_call":
            call = ToolCall(record.call_id or record.id or "", record.tool or "", given(record.parameters))
            self._note(call)
            self._add(record, "assistant", [call])
        elif kind == "tool_result":
            self._add(record, "tool", [_printed_result(record)], suffix=":result")
        elif kind == "completion":
            self._take_completion(record)
        elif kind == "error" and isinstance(record.message, str):
            self._add(record, "system", [Error(record.message)])
        else:
            return False
        return True

    def _take_completion(self, record: _Record) -> None:
        text = record.final_text or ""
        if text and digest(text) == self.kept.said:  # it repeats the last answer
            text = ""
        self._take_answer(record, [_Part("text", text)] if text else [], record.usage)
        usage = Usage() if record.usage is None or text else record.usage.usage()
        if usage.total_tokens:
            gathered = self.draft.gathered
            self.kept.has_usage = True
            key = f"{gathered.native_id}:{self.line}"
            moment = moment_ms(record.timestamp)
            self.draft.respond(key, usage, model=gathered.model, timestamp_ms=moment, index=None)

    def _add(
        self, record: _Record, role: Role, blocks: list[Block], *, suffix: str = "", usage: Usage | None = None
    ) -> None:
        if blocks:
            line, own = self.line, record.id
            name = f"{own or f'line-{line}'}{suffix}" if suffix or not own else own
            model = self.draft.gathered.model or None if role == "assistant" else None
            moment = moment_ms(record.timestamp)
            self.draft.add(Message(name, role, tuple(blocks), moment, record.parent_id, model, usage, line))

    def _count_all(self, taken: _Taken) -> None:
        """Count what the settings tell of the whole session; they are read anew each time, so it is counted anew."""
        gathered = self.draft.gathered
        output = count(taken.output_tokens)
        usage = Usage(
            count(taken.input_tokens),
            output,
            count(taken.cache_read_tokens),
            count(taken.cache_creation_tokens),
            min(count(taken.thinking_tokens), output),
        )
        self.draft.uncount()
        if usage.total_tokens:
            model = (self.settings.model or "").removeprefix("custom:")
            self.draft.respond(
                f"{gathered.native_id}:settings", usage, model=model, timestamp_ms=gathered.updated_ms, index=None
            )


def _settings_beside(source: Source) -> _Settings:
    content = read_small(Path(source.path).with_suffix(".settings.json"), root=source.root)
    try:
        return _Settings() if content is None else msgspec.json.decode(content, type=_Settings)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Settings()


def _blocks(part: _Part) -> list[Block]:
    if part.type == "thinking":
        return [Thinking(part.thinking or "")]
    if part.type == "tool_use":
        return [ToolCall(part.id or "", part.name or "", given(part.input))]
    if part.type == "image" and part.source is not None:
        return [base64_image(part.source.media_type, part.source.data)]
    return [Text(part.text)] if part.text else []


def _result(part: _Part) -> list[Block]:
    inner = part.content if isinstance(part.content, list) else []
    text = part.content if isinstance(part.content, str) else "\n".join(one.text for one in inner if one.text)
    images = [block for one in inner if one.type == "image" for block in _blocks(one)]
    return [ToolResult(part.tool_use_id or "", text, part.is_error is True), *images]


def _printed_result(record: _Record) -> ToolResult:
    value = record.value
    code = value.get("exitCode") if isinstance(value, dict) else None
    text = value if isinstance(value, str) else text_in(value, "stdout") or ("" if value is None else shown(value))
    return ToolResult(record.call_id or record.id or "", text, record.is_error is True or code not in (None, 0))


def _steps(value: Any) -> list[Todo]:
    """Return a plan, which is a list of steps or a text of one step a line, maybe in an object."""
    if isinstance(value, dict):
        value = value.get("todos")
    if isinstance(value, str):
        return [Todo(found[2].strip(), _STATUS.get(found[1], "pending")) for found in _STEP.finditer(value)]
    steps = [step for step in objects_in(value) if text_in(step, "content")]
    return [Todo(text_in(step, "content"), _STATUS.get(text_in(step, "status"), "pending")) for step in steps]


def _lines(text: str) -> int:
    return text.count("\n") + (not text.endswith("\n")) if text else 0


class Factory(LineAgent):
    """Reads sessions in folders and flat ones, and what the program printed into a file there."""

    id = "factory"
    name = "Factory Droid"
    mark = "D"
    hue = 25
    program = "droid"
    how_to_install = "https://docs.factory.ai/cli/getting-started/quickstart"
    patterns = ("*/*.jsonl", "*.jsonl")
    beside = ("{stem}.settings.json",)
    closing = BlockClosing()

    def roots(self, home: Home) -> list[Path]:
        return [folder / "sessions" for folder in directories(home, (), ".factory")]

    def reader(self, file: LineFile, source: Source) -> LineReader[Any]:
        return _Reader(file, source)

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        refuse_subagent(facts)
        safe_id(facts.native_id)
        if fork:
            raise Refused("A copy of a session is made within Factory Droid itself, by /fork.")
        return ResumeCommand((self.program, "--resume", facts.native_id), needs_project=True)


AGENT = Factory()
