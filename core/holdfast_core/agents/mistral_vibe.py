"""Mistral Vibe: a folder for each session under ``~/.vibe/logs/session``; before 2.0 one JSON document each."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._documents import read_document
from holdfast_core.agents._draft import Gathered
from holdfast_core.agents._fields import names
from holdfast_core.agents._files import directories
from holdfast_core.agents._json import shape_of, shaped, shown
from holdfast_core.agents._jsonl import LineFile, read_small, refusal
from holdfast_core.agents._lines import LineAgent, SessionReader, SessionState, Source
from holdfast_core.agents._message_calls import ListClosing
from holdfast_core.agents._parts import given, objects_in, text_in
from holdfast_core.agents._reading import LineReader
from holdfast_core.agents._values import PATH_LIMIT, PREVIEW_LIMIT, count, local_moment_ms, one_line, text_of_name
from holdfast_core.agents.base import (
    Checkpoint,
    Home,
    Reading,
    ResumeCommand,
    ResumeTarget,
    SourceRef,
    refuse_subagent,
    safe_id,
)
from holdfast_core.errors import Refused
from holdfast_core.model.message import Block, Role, Text, Thinking, Todo, TodoStatus, ToolCall, ToolResult
from holdfast_core.model.usage import Usage

_META, _META_LIMIT = "meta.json", 16 << 20  # it holds the whole system prompt, and every tool's description
_UNTITLED = "Untitled session"
_FAILED = "<tool_error>"
_STATUS: dict[str, TodoStatus] = {"in_progress": "in_progress", "completed": "completed", "cancelled": "completed"}


class _Part(msgspec.Struct, gc=False):
    text: str | None = None

    @classmethod
    def generic(cls, value: Any) -> _Part:
        return cls(shown(value))


class _Function(msgspec.Struct, gc=False):
    name: str | None = None
    arguments: Any = None


class _Call(msgspec.Struct, gc=False):
    id: str | None = None
    function: _Function | None = None
    not_read: ClassVar = names("index type")


class _Message(msgspec.Struct, gc=False):
    """One line, or one element of the list in a document."""

    role: str = ""
    content: str | list[_Part] | None = None
    injected: bool = False
    reasoning_content: str | list[_Part] | None = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None
    message_id: str | None = None
    not_read: ClassVar = names("name")


class _Model(msgspec.Struct, gc=False):
    name: str = ""
    alias: str = ""
    provider: str = ""


class _Config(msgspec.Struct, gc=False):
    active_model: str | None = None
    models: list[_Model] | None = None


class _Environment(msgspec.Struct, gc=False):
    working_directory: str | None = None


class _Stats(msgspec.Struct, gc=False):
    session_prompt_tokens: int | None = None
    session_completion_tokens: int | None = None
    session_cost: float | None = None


class _Profile(msgspec.Struct, gc=False):
    name: str | None = None


class _Meta(msgspec.Struct, gc=False):
    """The facts of a session."""

    session_id: str = ""
    parent_session_id: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    git_branch: str | None = None
    environment: _Environment | None = None
    title: str | None = None
    model: str | None = None
    stats: _Stats | None = None
    config: _Config | None = None
    agent_profile: _Profile | None = None


class _Reader(SessionReader[_Message, SessionState]):
    record = _Message
    state_kind = SessionState
    meta = _Meta()

    def begun(self) -> Gathered:
        folder = Path(self.source.path).parent
        self.meta = _meta_in(folder, self.source.root)
        gathered = Gathered(self.meta.session_id or text_of_name(folder.name))
        if folder.parent.name == "agents":
            gathered.kind = "subagent"
            above = folder.parent.parent
            gathered.parent_id = _meta_in(above, self.source.root).session_id or text_of_name(above.name)
        else:
            gathered.forked_from = self.meta.parent_session_id
        return gathered

    def take(self, record: _Message) -> None:
        text = _joined(record.content)
        if record.role == "assistant":
            self._take_answer(record, text)
        elif record.role == "tool":
            is_error = text.startswith(_FAILED)
            self._add(record, "tool", [ToolResult(record.tool_call_id or "", text, is_error)])
        elif record.role == "user" and not record.injected:
            role: Role = "user"
            gathered = self.draft.gathered
            if gathered.kind == "subagent":  # its parent speaks there
                role, gathered.preview = "system", gathered.preview or one_line(text, PREVIEW_LIMIT)
            self._add(record, role, [Text(text)] if text else [])
        else:
            if record.role not in ("system", "user"):
                self.count_unknown(record.role)
            self._add(record, "system", [Text(text)] if text else [])

    def facts(self) -> dict[str, Any]:
        meta, gathered = self.meta, self.draft.gathered
        gathered.branch = meta.git_branch or ""
        gathered.project_path = ((meta.environment.working_directory if meta.environment else "") or "")[:PATH_LIMIT]
        gathered.surface = (meta.agent_profile.name if meta.agent_profile else "") or ""
        gathered.model, gathered.provider = _model_of(meta)
        if meta.stats is not None:
            self._count(meta.stats)
        moments = {"created_ms": local_moment_ms(meta.start_time), "updated_ms": local_moment_ms(meta.end_time)}
        return {
            "title": "" if meta.title == _UNTITLED else meta.title or "",
            "is_empty": gathered.spoken_count == 0,
            **{name: moment for name, moment in moments.items() if moment is not None},
        }

    def _take_answer(self, record: _Message, text: str) -> None:
        thought = _joined(record.reasoning_content)
        blocks: list[Block] = [Thinking(thought)] if thought else []
        blocks += [Text(text)] if text else []
        for call in record.tool_calls or ():
            function = call.function or _Function()
            made = ToolCall(call.id or "", function.name or "", given(function.arguments))
            self._note(made)
            blocks.append(made)
        self._add(record, "assistant", blocks)

    def _note(self, call: ToolCall) -> None:
        if call.name == "todo" and isinstance(call.input, dict):
            steps = objects_in(call.input.get("todos"))
            if steps:
                self.draft.gathered.todos = [
                    Todo(text_in(step, "content"), _STATUS.get(text_in(step, "status"), "pending")) for step in steps
                ]
        path = text_in(call.input, "path", "file_path")
        if path and call.name == "write_file":
            content = text_in(call.input, "content")
            self.draft.touch(path, content.count("\n") + (not content.endswith("\n")) if content else 0, 0)
        elif path and call.name == "search_replace":
            self.draft.touch(path, 0, 0)

    def _count(self, stats: _Stats) -> None:
        """Count what the facts tell of the whole session anew; the input includes the cache, which nobody tells."""
        usage = Usage(count(stats.session_prompt_tokens), count(stats.session_completion_tokens))
        self.draft.uncount()
        if usage.total_tokens:
            gathered = self.draft.gathered
            self.draft.respond(
                f"{gathered.native_id}:session",
                usage,
                model=gathered.model,
                timestamp_ms=local_moment_ms(self.meta.end_time),
                index=None,
                cost_usd=stats.session_cost or None,
            )

    def _add(self, record: _Message, role: Role, blocks: list[Block]) -> None:
        if blocks:
            self.draft.add(self.message(role, blocks, None, id=record.message_id))


def _joined(content: str | list[_Part] | None) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part.text for part in content or () if part.text)


def _model_of(meta: _Meta) -> tuple[str, str]:
    """Return a session's model and its provider; what is configured is an alias of one in a list."""
    named = meta.model or (meta.config.active_model if meta.config is not None else None) or ""
    models = meta.config.models or [] if meta.config is not None else []
    found = next((one for one in models if named in (one.alias, one.name)), _Model(named))
    return found.name or named, found.provider


def _meta_in(folder: Path, root: str) -> _Meta:
    content = read_small(folder / _META, root=root, limit=_META_LIMIT)
    if content is None:
        return _Meta()
    try:
        return msgspec.json.decode(content, type=_Meta)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Meta()


class MistralVibe(LineAgent):
    """Reads sessions of both generations, and those of subagents within the session that started them."""

    id = "mistral_vibe"
    name = "Mistral Vibe"
    mark = "V"
    hue = 35
    program = "vibe"
    how_to_install = "https://github.com/mistralai/mistral-vibe"
    patterns = ("session/*/messages.jsonl", "session/*/agents/*/messages.jsonl", "session/session_*.json")
    beside = ("meta.json",)
    listed = ("../../meta.json",)
    closing = ListClosing()

    def roots(self, home: Home) -> list[Path]:
        return [folder / "logs" for folder in directories(home, ("VIBE_HOME",), ".vibe")]

    def is_source(self, path: str) -> bool:
        """A document that was made into a folder of the same name is another form of it."""
        return not path.endswith(".json") or not Path(path.removesuffix(".json"), "messages.jsonl").exists()

    def reader(self, file: LineFile, source: Source) -> LineReader[Any]:
        return _Reader(file, source)

    def read(self, ref: SourceRef, home: Home, *, checkpoint: Checkpoint | None = None) -> Reading:
        if not ref.path.endswith(".json"):
            return super().read(ref, home, checkpoint=checkpoint)
        source = self.source_at(ref.path, home)
        document = read_document(ref.path, None, root=source.root)
        if not isinstance(document.value, dict):
            raise refusal("wrong_format", ref.path)
        with LineFile(ref.path, root=source.root) as file:
            reader = _Reader(file, source)
        _take_document(reader, document.value, Path(ref.path).stem)
        document.problems += reader.problems
        document.unknown.update(reader.unknown)
        document.sample = reader.sample
        reader.repairs.update(document.repairs)
        return document.reading(reader.sessions() if document.value else [])

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        refuse_subagent(facts)
        if facts.source_path.endswith(f"{os.extsep}json"):
            raise Refused("This session is of a version before 2.0. Mistral Vibe must take it over first.")
        safe_id(facts.native_id)
        if fork:
            raise Refused("Mistral Vibe has no command that continues a copy of a session.")
        return ResumeCommand((self.program, f"--resume={facts.native_id}"), needs_project=False)


def _take_document(reader: _Reader, value: dict[str, Any], stem: str) -> None:
    meta = shaped(value.get("metadata"), shape_of(_Meta))
    reader.meta = meta if isinstance(meta, _Meta) else _Meta()
    reader.draft.gathered.native_id = reader.meta.session_id or text_of_name(stem)
    messages = value.get("messages")
    for number, one in enumerate(messages if isinstance(messages, list) else (), 1):
        reader.line = number
        if isinstance(one, dict):
            reader.take_value(one)
        else:
            reader.problem("not_an_object")


AGENT = MistralVibe()
