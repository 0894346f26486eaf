"""Amp: one JSON document for each thread under ``~/.local/share/amp/threads``, a copy of what its server keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._documents import Document, DocumentAgent
from holdfast_core.agents._draft import Draft, Gathered
from holdfast_core.agents._fields import names
from holdfast_core.agents._files import directories
from holdfast_core.agents._json import shown
from holdfast_core.agents._parts import base64_image, given, image_at, objects_in, path_of_uri, text_in
from holdfast_core.agents._values import PATH_LIMIT, count, moment_ms, storable, text_of_name
from holdfast_core.agents.base import (
    Home,
    ResumeCommand,
    ResumeTarget,
    SessionRead,
    SourceRef,
    refuse_subagent,
    safe_id,
)
from holdfast_core.errors import Refused
from holdfast_core.model.message import (
    Block,
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

_INFERENCE = ("inference", "conversation")
_FAILED = ("error", "failed")
_MODEL_TAG = "model:"
_STATUS: dict[object, TodoStatus] = {
    "in-progress": "in_progress",
    "in_progress": "in_progress",
    "completed": "completed",
}
_EDITS = frozenset(("edit_file", "create_file"))


class _Picture(msgspec.Struct, gc=False, rename="camel"):
    media_type: str = ""
    data: str = ""
    url: str = ""
    not_read: ClassVar = names("type")


class _Run(msgspec.Struct, gc=False):
    status: str = ""
    result: Any = None
    error: Any = None
    not_read: ClassVar = names("progress")


class _Part(msgspec.Struct, gc=False, rename="camel"):
    type: str = ""
    text: str | None = None
    thinking: str | None = None
    id: str | None = None
    name: str | None = None
    input: Any = None
    tool_use_id: str | None = msgspec.field(default=None, name="toolUseID")
    run: _Run | None = None
    source: _Picture | None = None
    content: Any = None
    not_read: ClassVar = names("provider signature")

    @classmethod
    def generic(cls, value: Any) -> _Part:
        return cls("text", shown(value))


class _Counts(msgspec.Struct, gc=False, rename="camel"):
    model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    credits: float | None = None
    timestamp: str | int | float | None = None
    not_read: ClassVar = names("creditsSinceLastUserMessage maxInputTokens totalInputTokens")


class _State(msgspec.Struct, gc=False):
    type: str = ""
    error: Any = None
    not_read: ClassVar = names("stopReason")


class _Meta(msgspec.Struct, gc=False, rename="camel"):
    sent_at: str | int | float | None = None


class _Said(msgspec.Struct, gc=False, rename="camel"):
    role: str = ""
    message_id: int | str | None = None
    content: str | list[_Part] | None = None
    state: _State | None = None
    usage: _Counts | None = None
    meta: _Meta | None = None
    not_read: ClassVar = names("agentMode userState")

    @classmethod
    def generic(cls, value: Any) -> _Said:
        return cls(content=shown(value))


class _Tokens(msgspec.Struct, gc=False):
    input: int | None = None
    output: int | None = None


class _Event(msgspec.Struct, gc=False, rename="camel"):
    id: str | None = None
    timestamp: str | int | float | None = None
    model: str | None = None
    credits: float | None = None
    tokens: _Tokens | None = None
    operation_type: str | None = None
    to_message_id: int | str | None = None
    not_read: ClassVar = names("fromMessageId")


class _Ledger(msgspec.Struct, gc=False):
    events: list[_Event] | None = None


class _Repository(msgspec.Struct, gc=False):
    ref: str | None = None
    not_read: ClassVar = names("sha type url")


class _Tree(msgspec.Struct, gc=False):
    uri: str | None = None
    repository: _Repository | None = None
    not_read: ClassVar = names("displayName")


class _Platform(msgspec.Struct, gc=False, rename="camel"):
    client: str | None = None
    client_version: str | None = None
    not_read: ClassVar = names("clientType cpuArchitecture os osVersion webBrowser")


class _Initial(msgspec.Struct, gc=False):
    trees: list[_Tree] | None = None
    platform: _Platform | None = None
    tags: list[Any] | None = None


class _Environment(msgspec.Struct, gc=False):
    initial: _Initial | None = None


class _Thread(msgspec.Struct, gc=False, rename="camel"):
    id: str = ""
    created: str | int | float | None = None
    title: str | None = None
    messages: list[_Said] | None = None
    env: _Environment | None = None
    usage_ledger: _Ledger | None = None
    not_read: ClassVar = names("agentMode nextMessageId v ~debug")


class Amp(DocumentAgent):
    """Reads threads as they were last seen by this machine."""

    id = "amp"
    name = "Amp"
    mark = "@"
    hue = 350
    program = "amp"
    how_to_install = "https://ampcode.com/manual"
    patterns = ("threads/*.json",)
    notes = ("Amp's own server has the last word on its threads. It may write over this file.",)
    document = _Thread

    def roots(self, home: Home) -> list[Path]:
        return [folder / "amp" for folder in directories(home, ("XDG_DATA_HOME",), ".local/share")]

    def sessions(self, document: Document, ref: SourceRef, home: Home) -> list[SessionRead]:
        thread: _Thread = document.value
        if not thread.messages and not thread.id:
            return []
        return [_Reader(self.id, thread, document, ref).session()]

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        refuse_subagent(facts)
        safe_id(facts.native_id)
        if fork:
            raise Refused("Amp copies a thread only from within itself.")
        return ResumeCommand((self.program, "threads", "continue", facts.native_id), needs_project=False)


class _Reader:
    """Makes one session of a thread."""

    def __init__(self, agent: str, thread: _Thread, document: Document, ref: SourceRef) -> None:
        self._agent, self._thread, self._document = agent, thread, document
        self._native_id = thread.id or text_of_name(Path(ref.path).stem)
        self._draft = Draft(self._begun())
        self._events = thread.usage_ledger.events or [] if thread.usage_ledger is not None else []
        self._made = {event.to_message_id: event for event in self._events if event.operation_type in _INFERENCE}

    def _begun(self) -> Gathered:
        thread = self._thread
        gathered = Gathered(self._native_id, created_ms=moment_ms(thread.created), updated_ms=moment_ms(thread.created))
        initial = thread.env.initial if thread.env is not None else None
        if initial is None:
            return gathered
        trees = [tree for tree in initial.trees or () if tree.uri]
        if trees:
            gathered.project_path = path_of_uri(trees[0].uri or "")[:PATH_LIMIT]
            ref = trees[0].repository.ref if trees[0].repository is not None else None
            gathered.branch = (ref or "").removeprefix("refs/heads/")
        if initial.platform is not None:
            gathered.surface = initial.platform.client or ""
            gathered.agent_version = initial.platform.client_version or ""
        tags = [tag for tag in initial.tags or () if isinstance(tag, str) and tag.startswith(_MODEL_TAG)]
        gathered.model = tags[0].removeprefix(_MODEL_TAG) if tags else ""
        return gathered

    def session(self) -> SessionRead:
        """Return the session."""
        for number, said in enumerate(self._thread.messages or (), 1):
            self._take(number, said)
        self._count_others()
        more: dict[str, Any] = {}
        paid = self._credits()
        provider_data = self._document.provider_data() | ({"credits": paid} if paid else {})
        if provider_data:
            more["provider_data"] = provider_data
        return self._draft.finish(
            agent=self._agent,
            title=self._thread.title or "",
            is_empty=self._draft.gathered.spoken_count == 0,
            fallback_ms=self._document.modified_ms,
            **more,
        )

    def _take(self, number: int, said: _Said) -> None:
        parts = [_Part("text", said.content)] if isinstance(said.content, str) else said.content or []
        moment = moment_ms(said.meta.sent_at) if said.meta is not None else None
        if said.role == "assistant":
            self._take_answer(number, said, parts)
        elif said.role == "user":
            results = [block for part in parts if part.type == "tool_result" for block in _result(part)]
            others = [block for part in parts if part.type != "tool_result" for block in self._blocks(part)]
            self._add(number, said, "tool", results, moment, suffix=":results" if others else "")
            self._add(number, said, "user", others, moment)
        else:
            if said.role != "info":
                self._document.count_unknown(f"message/{said.role or 'none'}")
            self._add(number, said, "system", [block for part in parts for block in self._blocks(part)], moment)

    def _take_answer(self, number: int, said: _Said, parts: list[_Part]) -> None:
        blocks = [block for part in parts for block in self._blocks(part)]
        for block in blocks:
            if isinstance(block, ToolCall):
                self._note(block)
        if said.state is not None and said.state.type in _FAILED:
            blocks.append(Error(_told(said.state.error) or "Error"))
        event = self._made.get(said.message_id) if said.message_id is not None else None
        counts = said.usage or _counts_of(event)
        moment = moment_ms(said.usage.timestamp) if said.usage is not None else None
        if moment is None and event is not None:
            moment = moment_ms(event.timestamp)
        model = (counts.model if counts is not None else None) or ""
        self._draft.gathered.model = model or self._draft.gathered.model
        usage = None if counts is None else _usage(counts)
        if usage is None or not usage.total_tokens:
            self._add(number, said, "assistant", blocks, moment, model=model)
            return
        name = said.message_id if said.message_id is not None else number
        index = self._draft.next_index if blocks else None
        is_new = self._draft.respond(f"{self._native_id}:{name}", usage, model=model, timestamp_ms=moment, index=index)
        self._add(number, said, "assistant", blocks, moment, model=model, usage=usage if is_new else None)

    def _blocks(self, part: _Part) -> list[Block]:
        if part.type == "thinking":
            return [Thinking(part.thinking or "")]
        if part.type == "tool_use" and part.name is not None:
            return [ToolCall(part.id or "", part.name, given(part.input))]
        if part.type == "image" and part.source is not None:
            source = part.source
            return [base64_image(source.media_type, source.data) if source.data else image_at(source.url)]
        if part.type not in ("text", "tool_use", "summary", "manual_bash_invocation"):
            self._document.count_unknown(f"content/{part.type or 'none'}")
        return [Text(part.text)] if part.text else []

    def _note(self, call: ToolCall) -> None:
        path = text_in(call.input, "path")
        if call.name in _EDITS and path:
            added, removed = text_in(call.input, "new_str", "content"), text_in(call.input, "old_str")
            self._draft.touch(path, _lines(added), _lines(removed))
        steps = objects_in(call.input.get("todos")) if isinstance(call.input, dict) else []
        if call.name == "todo_write" and steps:
            self._draft.gathered.todos = [
                Todo(text_in(step, "content"), _STATUS.get(step.get("status"), "pending"))
                for step in steps
                if text_in(step, "content") and isinstance(step.get("status", ""), str)
            ]

    def _count_others(self) -> None:
        """Count what was asked of models beside the conversation, like a title."""
        for number, event in enumerate(self._events):
            counts = None if event.operation_type in _INFERENCE else _counts_of(event)
            usage = Usage() if counts is None else _usage(counts)
            if usage.total_tokens:
                key = event.id or f"{self._native_id}:event-{number}"
                moment = moment_ms(event.timestamp)
                self._draft.respond(key, usage, model=event.model or "", timestamp_ms=moment, index=None)

    def _credits(self) -> float:
        """Return the credits that the thread took, which are no currency."""
        told = [event.credits for event in self._events] or [
            said.usage.credits for said in self._thread.messages or () if said.usage is not None
        ]
        return round(sum(one for one in told if one and one > 0), 6)

    def _add(
        self,
        number: int,
        said: _Said,
        role: Role,
        blocks: list[Block],
        moment: int | None,
        *,
        suffix: str = "",
        model: str = "",
        usage: Usage | None = None,
    ) -> None:
        if blocks:
            name = str(said.message_id) if said.message_id is not None else f"row-{number}"
            self._draft.add(Message(f"{name}{suffix}", role, tuple(blocks), moment, None, model or None, usage, number))


def _counts_of(event: _Event | None) -> _Counts | None:
    if event is None or event.tokens is None:
        return None
    return _Counts(event.model, event.tokens.input, event.tokens.output)


def _usage(counts: _Counts) -> Usage:
    """Return counts in our meaning; these exclude the cache already."""
    return Usage(
        count(counts.input_tokens),
        count(counts.output_tokens),
        count(counts.cache_read_input_tokens),
        count(counts.cache_creation_input_tokens),
    )


def _result(part: _Part) -> list[Block]:
    run = part.run or _Run(result=part.content)
    result = run.result
    code = result.get("exitCode") if isinstance(result, dict) else None
    is_error = run.status in _FAILED or (isinstance(code, int) and code != 0)
    text = _told(run.error) if run.error is not None else ""
    text = text or text_in(result, "output", "content", "text") or _told(result)
    return [ToolResult(part.tool_use_id or "", text, is_error)]


def _told(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else text_in(value, "message") or shown(storable(value))


def _lines(text: str) -> int:
    return text.count("\n") + (not text.endswith("\n")) if text else 0


AGENT = Amp()
