"""What Hermes says in its messages, which stand alike in its database, its documents and its lines."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._draft import Draft
from holdfast_core.agents._fields import names
from holdfast_core.agents._parts import given, image_at, objects_in, text_in
from holdfast_core.agents._values import PREVIEW_LIMIT, datetime_ms, moment_ms, one_line
from holdfast_core.model.message import (
    Block,
    Compaction,
    Message,
    Role,
    Text,
    Thinking,
    Todo,
    TodoStatus,
    ToolCall,
    ToolResult,
)

_COMPACTED = "[CONTEXT COMPACTION"
_SKILL = '[SYSTEM: The user has invoked the "'
_ASKED = "The user has provided the following instruction alongside the skill invocation: "
_NOTE = "\n\n[Runtime note:"
_INJECTED = (
    "[System:",
    "[SYSTEM:",
    "[IMPORTANT: Background process",
    "[ASYNC DELEGATION BATCH COMPLETE",
    "[PRIOR CONTEXT",
    "[Your active task list was preserved",
    "[Continuing toward your standing goal]",
    "Review the conversation above and update the skill library",
    "Review the conversation above and consider saving to memory",
)
_STATUS: dict[str, TodoStatus] = {
    "pending": "pending",
    "in_progress": "in_progress",
    "completed": "completed",
    "cancelled": "completed",
}


class Said(msgspec.Struct):
    """One message, in the form that models are sent; ``session_meta`` is no message but a head."""

    role: str | None = None
    content: Any = None
    reasoning: Any = None
    reasoning_content: Any = None
    tool_calls: Any = None
    tool_call_id: str | None = None
    tool_name: str | None = None
    timestamp: Any = None
    finish_reason: str | None = None
    model: str | None = None
    platform: str | None = None
    cwd: str | None = None
    not_read: ClassVar = names("client_metadata codex_reasoning_items tools")


class _Result(msgspec.Struct):
    """What tools of this agent say of themselves."""

    success: Any = None
    status: Any = None
    error: Any = None
    exit_code: Any = None


_TELLING = re.compile(r'"(?:success|status|error|exit_code)" ?: ?(?!true|null|0\b)')
_decode_result = msgspec.json.Decoder(_Result).decode


def take(draft: Draft, said: Said, name: str, row: int, *, is_subagent: bool = False) -> str | None:
    """Add a message to a session; returns its role where that is not known."""
    moment = local_ms(said.timestamp)
    role = said.role
    if role == "user":
        _take_prompt(draft, said, name, row, moment, is_subagent=is_subagent)
    elif role == "assistant":
        blocks = _answer(draft, said)
        first: Role = "system" if blocks and isinstance(blocks[0], Compaction) else "assistant"
        if blocks:
            model = draft.gathered.model or None
            draft.add(Message(name, first, tuple(blocks), moment, None, model, None, row))
    elif role == "tool":
        blocks = [*_results(said)]
        draft.add(Message(name, "tool", tuple(blocks), moment, None, None, None, row))
    elif role == "session_meta":
        _take_head(draft, said)
    else:
        blocks = _blocks(said.content)
        if blocks:
            draft.add(Message(name, "system", tuple(blocks), moment, None, None, None, row))
        return None if role == "system" else f"message/{role}"
    return None


def local_ms(value: Any) -> int | None:
    """Return a moment: seconds, or a text that tells local time where it names no zone."""
    if not isinstance(value, str) or len(value) > 40:
        return moment_ms(value)
    try:
        moment = datetime.fromisoformat(value)
        return datetime_ms(moment.astimezone() if moment.tzinfo is None else moment)
    except (ValueError, OverflowError, OSError):
        return None


def _take_head(draft: Draft, said: Said) -> None:
    gathered = draft.gathered
    gathered.model = said.model or gathered.model
    gathered.surface = said.platform or gathered.surface
    gathered.project_path = gathered.project_path or (said.cwd or "")[:4096]


def _take_prompt(draft: Draft, said: Said, name: str, row: int, moment: int | None, *, is_subagent: bool) -> None:
    """Tell what a person wrote from what the program says in its place."""
    blocks = _blocks(said.content)
    text = next((block.text for block in blocks if isinstance(block, Text)), "").lstrip()
    context = ""
    role: Role = "user"
    if text.startswith(_COMPACTED):
        blocks, role = [Compaction(text)], "system"
    elif text.startswith(_SKILL):
        before, _, asked = text.partition(_ASKED)
        asked = asked.partition(_NOTE)[0].strip()
        context = before if asked else ""
        blocks = [Text(asked)] if asked else blocks
        role = "user" if asked else "system"
    elif text.startswith(_INJECTED):
        role = "system"
    if role == "user" and is_subagent:
        draft.gathered.preview = draft.gathered.preview or one_line(text, PREVIEW_LIMIT)
        role = "system"
    if blocks:
        draft.add(Message(name, role, tuple(blocks), moment, None, None, None, row))
    if context:
        draft.add(Message(f"{name}:context", "system", (Text(context),), moment, None, None, None, row))


def _answer(draft: Draft, said: Said) -> list[Block]:
    blocks = _blocks(said.content)
    if blocks and isinstance(blocks[0], Text) and blocks[0].text.lstrip().startswith(_COMPACTED):
        return [Compaction(blocks[0].text)]
    thought = said.reasoning or said.reasoning_content
    if isinstance(thought, str) and thought:
        blocks.insert(0, Thinking(thought))
    for call in objects_in(given(said.tool_calls)):
        function = call.get("function")
        function = function if isinstance(function, dict) else call
        arguments = given(function.get("arguments"))
        name = text_in(function, "name")
        blocks.append(ToolCall(text_in(call, "call_id", "id"), name, arguments))
        _note(draft, name, arguments)
    return blocks


def _note(draft: Draft, name: str, arguments: Any) -> None:
    """Note what a call plans or changes."""
    if name == "todo" and isinstance(arguments, dict):
        steps = [
            Todo(text, _STATUS.get(text_in(item, "status"), "pending"))
            for item in objects_in(arguments.get("todos"))
            if (text := text_in(item, "content"))
        ]
        draft.gathered.todos = steps or draft.gathered.todos
    elif name in ("write_file", "patch"):
        path = text_in(arguments, "path")
        if path:
            draft.touch(path, 0, 0)


def _results(said: Said) -> list[Block]:
    blocks = _blocks(said.content)
    text = "\n".join(block.text for block in blocks if isinstance(block, Text))
    images = [block for block in blocks if not isinstance(block, Text)]
    return [ToolResult(said.tool_call_id or "", text, said.finish_reason == "error" or _failed(text)), *images]


def _failed(text: str) -> bool:
    if not text.startswith("{") or _TELLING.search(text) is None:
        return False
    try:
        result = _decode_result(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    code = result.exit_code
    return bool(result.success is False or result.status == "error" or result.error or (code and code != 0))


def _blocks(content: Any) -> list[Block]:
    """Return a content, which is a text or a list of parts."""
    if isinstance(content, str):
        return [Text(content)] if content.strip() else []
    blocks: list[Block] = []
    for part in objects_in(content):
        address = part.get("image_url")
        address = text_in(address, "url") if isinstance(address, dict) else address
        if isinstance(address, str) and address:
            blocks.append(image_at(address))
        elif text_in(part, "text"):
            blocks.append(Text(text_in(part, "text")))
    return blocks
