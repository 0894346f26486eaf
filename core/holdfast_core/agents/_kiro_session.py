"""What Kiro keeps of a conversation: turns in its database, lines of its second engine, documents of its editor."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._draft import Draft
from holdfast_core.agents._fields import names
from holdfast_core.agents._json import shown
from holdfast_core.agents._parts import given, image_at, objects_in, text_in
from holdfast_core.agents._values import moment_ms
from holdfast_core.model.message import Block, Message, Role, Text, ToolCall, ToolResult


class Asked(msgspec.Struct):
    """One side of a turn: a prompt, or what tools gave back. ``content`` names which by its only member."""

    content: Any = None
    timestamp: Any = None
    additional_context: Any = None
    env_context: Any = None
    not_read: ClassVar = names("images")


class Turn(msgspec.Struct):
    """A prompt or results, and the answer to them."""

    user: Asked | None = None
    assistant: Any = None
    request_metadata: Any = None


class Conversation(msgspec.Struct):
    """The value of a row: a whole conversation."""

    history: list[Turn] = []
    model_info: Any = None
    not_read: ClassVar = names("conversation_id next_message transcript")


def take_turn(draft: Draft, turn: Turn, number: int) -> str | None:
    """Add a turn to a session; returns what in it is not known."""
    metadata = turn.request_metadata if isinstance(turn.request_metadata, dict) else {}
    model = text_in(metadata, "model_id") or draft.gathered.model
    draft.gathered.model = model
    unknown = None
    if turn.user is not None:
        unknown = _take_user(draft, turn.user, number)
    answer = turn.assistant if isinstance(turn.assistant, dict) else {}
    kind = next(iter(answer), None)
    said = answer.get(kind) if kind else None
    if kind in ("Response", "ToolUse") and isinstance(said, dict):
        text = text_in(said, "content")
        blocks: list[Block] = [Text(text)] if text else []
        for use in objects_in(said.get("tool_uses")):
            blocks.append(call_of(draft, text_in(use, "id"), text_in(use, "name"), use.get("args")))
        if blocks:
            name = text_in(said, "message_id") or f"turn-{number}:answer"
            moment = moment_ms(metadata.get("stream_end_timestamp_ms"))
            draft.add(Message(name, "assistant", tuple(blocks), moment, None, model or None))
    elif kind:
        unknown = f"assistant/{kind}"
    return unknown


def _take_user(draft: Draft, user: Asked, number: int) -> str | None:
    """Add what stands in the person's place: a prompt, or results, after which a prompt may break a call off."""
    content = user.content if isinstance(user.content, dict) else {}
    kind = next(iter(content), "")
    said = content.get(kind)
    if kind not in ("Prompt", "ToolUseResults", "CancelledToolUses"):
        return f"user/{kind}" if kind else None
    moment = moment_ms(user.timestamp)
    context = user.additional_context if isinstance(user.additional_context, str) else ""
    if context.strip():
        draft.add(Message(f"turn-{number}:context", "system", (Text(context),), moment))
    environment = user.env_context if isinstance(user.env_context, dict) else {}
    folder = text_in(environment.get("env_state"), "current_working_directory")
    draft.gathered.project_path = draft.gathered.project_path or folder[:4096]
    results: list[Block] = []
    for result in objects_in(said.get("tool_use_results") if isinstance(said, dict) else None):
        text = joined(result.get("content"))
        results.append(ToolResult(text_in(result, "tool_use_id"), text, _has_failed(result)))
    if results:
        draft.add(Message(f"turn-{number}:results", "tool", tuple(results), moment))
    prompt = text_in(said, "prompt")
    if prompt:
        draft.add(Message(f"turn-{number}", "user", (Text(prompt),), moment))
    return None


def call_of(draft: Draft, call_id: str, name: str, arguments: Any) -> ToolCall:
    """Return a call of a tool, with the file that it changes noted."""
    arguments = given(arguments)
    path = text_in(arguments, "path")
    if name in ("fs_write", "write") and path:
        draft.touch(path, 0, 0)
    return ToolCall(call_id, name, arguments)


def _has_failed(result: dict[str, Any]) -> bool:
    return text_in(result, "status").lower() == "error"


def joined(content: Any) -> str:
    """Return the text of a result, whose parts are named by kind or by their only member."""
    if isinstance(content, str):
        return content
    texts = []
    for part in content if isinstance(content, list) else []:
        value = part
        if isinstance(part, dict):
            value = part.get("Text", part.get("Json", part.get("data", part)))
        texts.append(shown(value))
    return "\n".join(texts)


class Line(msgspec.Struct):
    """A record of the second engine."""

    kind: str | None = None
    data: Any = None
    not_read: ClassVar = names("version")


def take_line(draft: Draft, line: Line, number: int) -> str | None:
    """Add a record to a session; returns its kind if it is not known."""
    data = line.data if isinstance(line.data, dict) else {}
    parts = objects_in(data.get("content"))
    name = text_in(data, "message_id") or f"line-{number}"
    meta = data.get("meta")
    moment = moment_ms(meta.get("timestamp")) if isinstance(meta, dict) else None
    blocks: list[Block] = []
    for part in parts:
        value = part.get("data")
        kind = part.get("kind")
        if kind == "text" and isinstance(value, str):
            blocks += [Text(value)] if value.strip() else []
        elif kind == "toolUse":
            blocks.append(call_of(draft, text_in(value, "toolUseId"), text_in(value, "name"), _member(value, "input")))
        elif kind == "toolResult":
            failed = text_in(value, "status").lower() not in ("", "success")
            blocks.append(ToolResult(text_in(value, "toolUseId"), joined(_member(value, "content")), failed))
    role = _ROLES.get(line.kind or "")
    if role is None:
        return line.kind or "none"
    if blocks:
        model = draft.gathered.model or None if role == "assistant" else None
        draft.add(Message(name, role, tuple(blocks), moment, None, model, None, number))
    return None


_ROLES: dict[str, Role] = {"Prompt": "user", "AssistantMessage": "assistant", "ToolResults": "tool"}


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


class Entry(msgspec.Struct):
    """An entry of the editor's documents."""

    message: Any = None


def take_entry(draft: Draft, entry: Entry, number: int) -> str | None:
    """Add an entry of a document to a session; returns its role if it is not known."""
    message = entry.message if isinstance(entry.message, dict) else {}
    role = _ENTRY_ROLES.get(text_in(message, "role"))
    content = message.get("content")
    blocks: list[Block] = [Text(content)] if isinstance(content, str) and content.strip() else []
    for part in objects_in(content):
        if text_in(part, "text"):
            blocks.append(Text(text_in(part, "text")))
        elif isinstance(part.get("imageUrl"), dict):
            blocks.append(image_at(text_in(part["imageUrl"], "url")))
    if role is None:
        return f"message/{text_in(message, 'role')}" if message else None
    if blocks:
        model = draft.gathered.model or None if role == "assistant" else None
        draft.add(Message(text_in(message, "id") or f"entry-{number}", role, tuple(blocks), None, None, model))
    return None


_ENTRY_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}
