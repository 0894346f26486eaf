"""What Goose says in its messages, which stand alike in its database and in its older files of lines."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._draft import Draft
from holdfast_core.agents._fields import names
from holdfast_core.agents._json import shown
from holdfast_core.agents._parts import base64_image, objects_in, text_in
from holdfast_core.agents._values import PREVIEW_LIMIT, moment_ms, one_line, storable
from holdfast_core.model.message import Block, Compaction, Error, Message, Role, Text, Thinking, ToolCall, ToolResult

_NOTICES = frozenset(("systemNotification", "toolConfirmationRequest", "actionRequired", "contextLengthExceeded"))
_COMPACTED = frozenset(("conversationCompacted", "summarizationRequested"))


class Part(msgspec.Struct, rename="camel"):
    """A part of a message, of whatever type."""

    type: str | None = None
    id: str | None = None
    text: Any = None
    thinking: Any = None
    data: Any = None
    mime_type: str | None = None
    msg: Any = None
    tool_call: Any = None
    tool_result: Any = None
    prompt: Any = None
    reason: Any = None
    not_read: ClassVar = names("notificationType signature")


class Said(msgspec.Struct):
    """A message; the first line of an older file is its head instead."""

    id: Any = None
    role: str | None = None
    content: list[Part] = []
    created: Any = None
    metadata: Any = None
    working_dir: str | None = None
    description: str | None = None
    not_read: ClassVar = names("message_count total_tokens")


def take(draft: Draft, said: Said, name: str, row: int, *, is_subagent: bool = False) -> list[str]:
    """Add a message to a session; returns the kinds in it that are not known."""
    unknown: list[str] = []
    blocks: list[Block] = []
    results: list[Block] = []
    for part in said.content:
        if part.type == "toolResponse":
            results += _results(part)
        elif not _add(draft, blocks, part):
            unknown.append(f"content/{part.type}")
    role: Role = "assistant" if said.role == "assistant" else "user"
    if said.role not in ("user", "assistant"):
        unknown.append(f"message/{said.role}")
        role = "system"
    visible = said.metadata.get("userVisible") if isinstance(said.metadata, dict) else None
    if visible is False or {part.type for part in said.content} <= _NOTICES | _COMPACTED:
        role = "system"  # a summary, or what the program says
    elif role == "user" and is_subagent:
        first = next((block.text for block in blocks if isinstance(block, Text)), "")
        draft.gathered.preview = draft.gathered.preview or one_line(first, PREVIEW_LIMIT)
        role = "system"
    moment = moment_ms(said.created)
    model = draft.gathered.model or None if role == "assistant" else None
    if results:
        draft.add(Message(f"{name}:results" if blocks else name, "tool", tuple(results), moment, None, None, None, row))
    if blocks:
        draft.add(Message(name, role, tuple(blocks), moment, None, model, None, row))
    return unknown


def _add(draft: Draft, blocks: list[Block], part: Part) -> bool:
    """Add a part to the blocks of its message; False if its type is not known."""
    if part.type == "text":
        if isinstance(part.text, str) and part.text:
            blocks.append(Text(part.text))
    elif part.type in ("thinking", "redactedThinking", "reasoning"):
        thought = part.thinking if isinstance(part.thinking, str) else part.text
        blocks.append(Thinking(thought if isinstance(thought, str) else ""))
    elif part.type in ("toolRequest", "frontendToolRequest"):
        blocks += _calls(draft, part)
    elif part.type == "image":
        blocks.append(base64_image(part.mime_type or "", part.data if isinstance(part.data, str) else ""))
    elif part.type in _COMPACTED:
        blocks.append(Compaction(part.msg if isinstance(part.msg, str) else ""))
    elif part.type in _NOTICES:
        said = next((text for text in (part.msg, part.prompt, part.reason, part.text) if isinstance(text, str)), "")
        blocks += [Text(said)] if said else []
    else:
        return False
    return True


def _calls(draft: Draft, part: Part) -> list[Block]:
    """Return a call, or the error for one that could not be read from the model's answer."""
    envelope = part.tool_call if isinstance(part.tool_call, dict) else {}
    if envelope.get("status") == "error":
        return [ToolCall(part.id or "", ""), Error(text_in(envelope, "error"))]
    value = envelope.get("value")
    name = text_in(value, "name")
    arguments = storable(value.get("arguments")) if isinstance(value, dict) else None
    path = text_in(arguments, "path")
    changes = name.endswith(("text_editor", "__write", "__edit")) and text_in(arguments, "command") != "view"
    if path and changes:
        draft.touch(path, 0, 0)
    return [ToolCall(part.id or "", name, arguments)]


def _results(part: Part) -> list[Block]:
    envelope = part.tool_result if isinstance(part.tool_result, dict) else {}
    if envelope.get("status") == "error":
        return [ToolResult(part.id or "", text_in(envelope, "error") or shown(envelope.get("error")), is_error=True)]
    value = envelope.get("value")
    content = value.get("content") if isinstance(value, dict) else value
    failed = isinstance(value, dict) and value.get("isError") is True
    texts, images = [], []
    for item in objects_in(content):
        if item.get("type") == "image":
            images.append(base64_image(text_in(item, "mimeType"), text_in(item, "data")))
        elif text_in(item, "text"):
            texts.append(text_in(item, "text"))
        elif isinstance(item.get("resource"), dict):
            texts.append(text_in(item["resource"], "text", "uri"))
    return [ToolResult(part.id or "", "\n".join(texts), failed), *images]
