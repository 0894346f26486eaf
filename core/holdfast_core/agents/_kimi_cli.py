"""Makes sessions of what Kimi CLI writes: its log of events, or the messages that its model was given."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._fields import names
from holdfast_core.agents._kimi_reader import KimiReader, listed_project
from holdfast_core.agents._kimi_records import Call, Counts, Function, Link, Part, Returned, call_of, parts_of
from holdfast_core.agents._values import moment_ms, text_of_name
from holdfast_core.model.message import Compaction, Text, Thinking, ToolResult

_EARLIEST, _LATEST = 1.6e9, 4e9
_SILENT_ROLES = ("_checkpoint", "_usage", "_system_prompt")
_SILENT = frozenset(
    (
        "ApprovalRequest", "ApprovalRequestResolved", "ApprovalResponse", "BtwBegin", "BtwEnd", "CompactionEnd",
        "HookRequest", "HookResolved", "HookTriggered", "MCPLoadingBegin", "MCPLoadingEnd", "MCPStatusSnapshot",
        "QuestionRequest", "QuestionResponse", "StepInterrupted", "StepRetry", "ToolCallRequest", "TurnEnd",
    )
)  # fmt: skip


class Payload(msgspec.Struct, gc=False):
    """What an event holds, of all its kinds."""

    user_input: str | list[Part] | Part | None = None
    type: str | None = None
    text: str | None = None
    think: str | None = None
    image_url: Link | None = None
    audio_url: Link | None = None
    video_url: Link | None = None
    id: str | None = None
    function: Function | None = None
    arguments_part: str | None = None
    tool_call_id: str | None = None
    return_value: Returned | None = None
    token_usage: Counts | None = None
    message_id: str | None = None
    task_tool_call_id: str | None = None
    parent_tool_call_id: str | None = None
    agent_id: str | None = None
    event: Event | None = None
    content: str | None = None
    message: str | None = None
    not_read: ClassVar = names("action context_usage description display encrypted extras request_id response sender")


class Event(msgspec.Struct, gc=False):
    """One event."""

    type: str | None = None
    payload: Payload | None = None


class Record(msgspec.Struct, gc=False):
    """One line of either file."""

    timestamp: Any = None
    message: Event | None = None
    type: str | None = None
    role: str | None = None
    content: str | list[Part] | Part | None = None
    tool_calls: list[Call] | None = None
    tool_call_id: str | None = None
    not_read: ClassVar = names("id protocol_version token_count")


_NO_PAYLOAD = Payload()
_NO_FUNCTION = Function()


class Reader(KimiReader[Record]):
    """Reads ``wire.jsonl``, or ``context.jsonl`` where there is no other."""

    record = Record

    def own_id(self) -> str:
        path = Path(self.source.path)
        folder = text_of_name(path.parent.name)
        if path.name.startswith("context_sub_"):
            return f"{folder}-{path.stem.removeprefix('context_')}"
        if path.parent.parent.name == "subagents":
            return f"{text_of_name(path.parent.parent.parent.name)}-{folder}"
        return folder if path.name in ("wire.jsonl", "context.jsonl") else self.source.stem

    def parent_id(self) -> str | None:
        path = Path(self.source.path)
        if path.parent.parent.name == "subagents":
            return text_of_name(path.parent.parent.parent.name)
        return text_of_name(path.parent.name) if path.name.startswith("context_sub_") else None

    def adopted(self) -> None:
        super().adopted()
        self._has_children = Path(self.source.path).parent.joinpath("subagents").is_dir()

    def take(self, record: Record) -> None:
        told = record.timestamp
        self.moment = int(told * 1000.0) if type(told) is float and _EARLIEST < told < _LATEST else moment_ms(told)
        event = record.message
        if record.role is not None:
            self._take_message(record)
        elif event is not None:
            take = _TAKE.get(event.type or "")
            if take is not None:
                take(self, "", event.payload or _NO_PAYLOAD)
            else:
                self._take_event("", event)
        elif record.type != "metadata":
            self.count_unknown(record.type or "none")

    # The messages that the model was given.

    def _take_message(self, record: Record) -> None:
        role = record.role
        if role in _SILENT_ROLES:
            return
        if role == "user":
            self.take_prompt("", record.content)
        elif role == "assistant":
            blocks = self.blocks(parts_of(record.content))
            blocks += [
                call_of(call.id or "", call.function.name or "", call.function.arguments or "")
                for call in record.tool_calls or ()
                if call.function is not None
            ]
            self.add("", "assistant", blocks)
        elif role == "tool":
            texts = [block for block in self.blocks(parts_of(record.content)) if isinstance(block, Text)]
            text = "\n".join(block.text for block in texts)
            is_error = text.startswith("<system>ERROR")
            self.add("", "tool", [ToolResult(record.tool_call_id or "", text, is_error)])
        else:
            if role != "system":
                self.count_unknown(f"role/{role}")
            self.add("", "system", self.blocks(parts_of(record.content)))

    # The log of events.

    def _take_event(self, name: str, event: Event) -> None:
        kind, payload = event.type or "", event.payload or _NO_PAYLOAD
        take = _TAKE.get(kind)
        if take is not None:
            take(self, name, payload)
        elif kind == "SubagentEvent":
            call_id = payload.task_tool_call_id or payload.parent_tool_call_id or ""
            child = payload.agent_id or call_id
            if child and payload.event is not None and not self._has_children and not name:
                self.start(child, call_id)
                self._take_event(child, payload.event)
        elif kind not in _SILENT:
            self.count_unknown(f"event/{kind or 'none'}")
            text = payload.text or payload.content or payload.message
            if text:
                self.add(name, "system", [Text(text)])

    def _take_turn(self, name: str, payload: Payload) -> None:
        self.take_prompt(name, payload.user_input)

    def _take_step(self, name: str, _payload: Payload) -> None:
        self.begin_step(name)

    def _take_part(self, name: str, payload: Payload) -> None:
        if payload.think is not None:
            self.take_said(name, Thinking(payload.think))
        elif payload.text is not None:
            self.take_said(name, Text(payload.text))
        else:
            part = Part(payload.type, None, None, payload.image_url, payload.audio_url, payload.video_url)
            self.take_said(name, *self.blocks([part]))

    def _take_call(self, name: str, payload: Payload) -> None:
        function = payload.function or _NO_FUNCTION
        self.take_call(name, payload.id or "", function.name or "", function.arguments or "")

    def _take_more(self, name: str, payload: Payload) -> None:
        self.take_more_arguments(name, payload.arguments_part or "")

    def _take_result(self, name: str, payload: Payload) -> None:
        self.take_result(name, payload.tool_call_id or "", payload.return_value or Returned())

    def _take_status(self, name: str, payload: Payload) -> None:
        if payload.token_usage is not None:
            key = payload.message_id or f"{self.kept.main.native_id}:{self.line}"
            self.take_usage(name, key, payload.token_usage.usage(), "")

    def _take_compaction(self, name: str, _payload: Payload) -> None:
        self.add(name, "system", [Compaction("")])

    def facts(self) -> dict[str, Any]:
        stored = self.stored(Path(self.source.path).parent)
        return self.said(stored) | {
            "title": stored.custom_title or self.kept.asked,
            "project_path": listed_project(self.source),
        }


_TAKE = {
    "TurnBegin": Reader._take_turn,
    "SteerInput": Reader._take_turn,
    "StepBegin": Reader._take_step,
    "ContentPart": Reader._take_part,
    "ToolCall": Reader._take_call,
    "ToolCallPart": Reader._take_more,
    "ToolResult": Reader._take_result,
    "StatusUpdate": Reader._take_status,
    "CompactionBegin": Reader._take_compaction,
}
