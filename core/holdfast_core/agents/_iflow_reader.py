"""Makes a session of iFlow's records: messages as one vendor writes them, results as another does."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._claude_tools import todos_of
from holdfast_core.agents._fields import names
from holdfast_core.agents._gemini_records import Answer, ToolUse, answer, changed_lines, is_command
from holdfast_core.agents._json import shape_of, shaped, shown
from holdfast_core.agents._lines import SessionReader, SessionState
from holdfast_core.agents._parts import Counts
from holdfast_core.agents._values import PATH_LIMIT, PREVIEW_LIMIT, datetime_ms, one_line, storable
from holdfast_core.model.message import Block, Compaction, Image, Text, Thinking, ToolCall, ToolResult
from holdfast_core.model.usage import Usage

_CALLS_LIMIT = 128
_INJECTED = (
    "<system-reminder>", "<command-", "<local-command-", "# AGENTS.md instructions for ", "<task-notification>",
)  # fmt: skip
_TODO_TOOLS = ("todo_write", "TodoWrite")


class Source(msgspec.Struct, gc=False):
    """Where a picture is."""

    media_type: str | None = None
    data: str | None = None
    url: str | None = None


class Content(msgspec.Struct, gc=False):
    """One block of a message."""

    type: str | None = None
    text: str | None = None
    thinking: str | None = None
    id: str | None = None
    name: str | None = None
    input: Any = None
    tool_use_id: str | None = None
    content: Any = None
    is_error: bool | None = None
    source: Source | None = None

    @classmethod
    def generic(cls, value: Any) -> Content:
        """Return a block that shows a value of an unexpected kind."""
        return cls("text", shown(value))


class Said(msgspec.Struct, gc=False):
    """The message within a record."""

    id: str | None = None
    model: str | None = None
    content: str | list[Content] | None = None
    usage: Counts | None = None
    not_read: ClassVar = names("role stop_reason stop_sequence type")

    @classmethod
    def generic(cls, value: Any) -> Said:
        """Return a message that shows a value of an unexpected kind."""
        return cls(content=shown(value))


class Outcome(msgspec.Struct, rename="camel", gc=False):
    """How a tool's call ended."""

    status: str | None = None
    not_read: ClassVar = names("timestamp toolName")


class Record(msgspec.Struct, rename="camel", gc=False):
    """One line."""

    uuid: str | None = None
    parent_uuid: str | None = None
    timestamp: datetime | None = None
    type: str | None = None
    message: Said | None = None
    cwd: str | None = None
    git_branch: str | None = None
    version: str | None = None
    is_meta: bool | None = None
    is_compact_summary: bool | None = None
    tool_use_result: Outcome | None = None
    not_read: ClassVar = names("isSidechain sessionId userType")


class State(SessionState, array_like=True):
    """What must last until the next reading. ``calls`` are the latest with the file that each is about."""

    calls: dict[str, str] = msgspec.field(default_factory=dict)
    asked: str = ""
    cwd: str = ""


class Reader(SessionReader[Record, State]):
    """Reads one session."""

    record = Record
    state_kind = State

    def take(self, record: Record) -> None:
        self._moment = None if record.timestamp is None else datetime_ms(record.timestamp)
        main = self.kept.main
        if record.cwd and not self.kept.cwd:
            self.kept.cwd = record.cwd[:PATH_LIMIT]
        main.agent_version = record.version or main.agent_version
        main.branch = record.git_branch or main.branch
        said = record.message or Said()
        if record.type == "assistant":
            self._take_answer(record, said)
        elif record.type == "user":
            self._take_user(record, said)
        else:
            self.count_unknown(record.type or "none")
            blocks = self._blocks(record, said)
            if blocks:
                self._add(record, "system", blocks)

    def _add(self, record: Record, role: Any, blocks: list[Block], **more: Any) -> None:
        message = self.message(role, blocks, self._moment, id=record.uuid, parent=record.parent_uuid, **more)
        self.draft.add(message)

    def _take_answer(self, record: Record, said: Said) -> None:
        """Take an answer. While it streams it is written again with the calls that were written already."""
        blocks = self._blocks(record, said)
        usage = said.usage.usage() if said.usage is not None else Usage()
        if said.model:
            self.kept.main.model = said.model
        if not blocks and not usage.total_tokens:
            return
        carried = self.counted(said.id or record.uuid, usage, model=said.model or "", moment=self._moment)
        self._add(record, "assistant", blocks, model=said.model, usage=carried)

    def _take_user(self, record: Record, said: Said) -> None:
        blocks = self._blocks(record, said)
        if any(isinstance(block, ToolResult) for block in blocks):
            self._add(record, "tool", blocks)
            return
        texts = [block.text for block in blocks if isinstance(block, Text)]
        first = next((text for text in texts if text.strip()), "")
        if record.is_compact_summary:
            self._add(record, "system", [Compaction("\n".join(texts))])
        elif record.is_meta or first.lstrip().startswith(_INJECTED):
            self._add(record, "system", blocks)
        else:
            if not self.kept.asked and first and not is_command(first):
                self.kept.asked = one_line(first, PREVIEW_LIMIT)
            self._add(record, "user", blocks)

    def _blocks(self, record: Record, said: Said) -> list[Block]:
        if isinstance(said.content, str):
            return [Text(said.content)] if said.content else []
        blocks: list[Block] = []
        for item in said.content or ():
            if item.type == "tool_use":
                blocks += self._call(item)
            elif item.type == "tool_result":
                blocks.append(self._result(record, item))
            elif item.thinking is not None:
                blocks.append(Thinking(item.thinking))
            elif item.type == "image":
                blocks.append(_image(item.source or Source()))
            elif item.text is not None:
                blocks.append(Text(item.text))
            else:
                self.count_unknown(f"block/{item.type or 'none'}")
                blocks.append(Text(f"[{item.type or 'unknown'}]"))
        return blocks

    def _call(self, item: Content) -> list[Block]:
        calls = self.kept.calls
        if item.id and item.id in calls:
            return []
        arguments = item.input if isinstance(item.input, dict) else {}
        if item.name in _TODO_TOOLS:
            self.kept.main.todos = todos_of(arguments.get("todos")) or self.kept.main.todos
        if item.id:
            path = next((arguments[name] for name in ("file_path", "absolute_path") if name in arguments), "")
            calls[item.id] = path[:PATH_LIMIT] if isinstance(path, str) else ""
            if len(calls) > _CALLS_LIMIT:
                del calls[next(iter(calls))]
        return [ToolCall(item.id or "", item.name or "", storable(item.input))]

    def _result(self, record: Record, item: Content) -> ToolResult:
        status = record.tool_use_result.status if record.tool_use_result is not None else None
        is_error = bool(item.is_error) or status in ("error", "cancelled", "failed")
        call_id, given = item.tool_use_id or "", item.content
        if isinstance(given, dict):
            path = self.kept.calls.get(call_id, "")
            use = ToolUse(args={"file_path": path} if path else {}, result_display=given.get("resultDisplay"))
            changed = changed_lines(use)
            if changed is not None and not is_error:
                self.draft.touch(*changed)
        text, failed = _text(given)
        return ToolResult(call_id, text, is_error or failed)

    def facts(self) -> dict[str, Any]:
        kept, main = self.kept, self.kept.main
        return {
            "title": kept.asked,
            "is_empty": not main.spoken_count,
            "project_path": kept.cwd,
            "preview": kept.asked or main.preview or main.first_text,
        }


def _text(given: Any) -> tuple[str, bool]:
    """Return what a tool gave back, and whether it says that it failed."""
    if given is None or isinstance(given, str):
        return given or "", False
    if isinstance(given, dict) and "responseParts" in given:
        text, failed = _text(given["responseParts"])
        display = given.get("resultDisplay")
        return (text or (display if isinstance(display, str) else "")), failed
    if isinstance(given, dict) and isinstance(given.get("functionResponse"), dict):
        found: Answer | None = shaped(given["functionResponse"], shape_of(Answer))
        result = answer(found or Answer())
        return result.text, result.is_error
    if isinstance(given, list):
        parts = [_text(item) for item in given]
        return "\n".join(text for text, _ in parts if text), any(failed for _, failed in parts)
    if isinstance(given, dict) and isinstance(given.get("text"), str):
        return given["text"], False
    return shown(given), False


def _image(source: Source) -> Image:
    data = source.data or ""
    return Image(source.media_type or "", len(data) * 3 // 4 - data[-2:].count("="), data, source.url or "")
