"""A message and the blocks that it is made of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from holdfast_core.model.usage import Usage

Role = Literal["user", "assistant", "system", "tool"]
TodoStatus = Literal["pending", "in_progress", "completed"]


class Text(msgspec.Struct, frozen=True, gc=False, tag="text", tag_field="kind"):
    """Prose, usually Markdown. Of foreign origin: never to be shown as rich text unescaped."""

    text: str


class Thinking(msgspec.Struct, frozen=True, gc=False, tag="thinking", tag_field="kind"):
    """The model's reasoning. ``text`` is empty where the agent keeps only a signature."""

    text: str


class ToolCall(msgspec.Struct, frozen=True, gc=False, tag="tool_call", tag_field="kind"):
    """A tool that the model asked for. ``input`` is JSON as the agent stored it, decoded.

    ``session_id`` is the id of the session that this call started (a subagent).
    """

    call_id: str
    name: str
    input: Any = None
    session_id: str | None = None


class ToolResult(msgspec.Struct, frozen=True, gc=False, tag="tool_result", tag_field="kind"):
    """What a tool gave back. ``text`` may hold ANSI colours; images follow as blocks of their own."""

    call_id: str
    text: str
    is_error: bool = False


class Image(msgspec.Struct, frozen=True, gc=False, tag="image", tag_field="kind"):
    """A picture. ``data_base64`` is as the agent stored it, empty where only a reference is kept."""

    media_type: str
    size_bytes: int
    data_base64: str = ""
    path: str = ""


class File(msgspec.Struct, frozen=True, gc=False, tag="file", tag_field="kind"):
    """A file that was attached or mentioned. ``text`` is its content where the agent stored it."""

    path: str
    media_type: str = ""
    text: str = ""


class Error(msgspec.Struct, frozen=True, gc=False, tag="error", tag_field="kind"):
    """Something that went wrong, in the agent's words."""

    text: str


class Compaction(msgspec.Struct, frozen=True, gc=False, tag="compaction", tag_field="kind"):
    """The place where the agent replaced earlier messages by a summary, which may be empty."""

    text: str = ""
    tokens_before: int | None = None


Block = Text | Thinking | ToolCall | ToolResult | Image | File | Error | Compaction


class Message(msgspec.Struct, frozen=True, gc=False):
    """One record of a conversation.

    ``role`` is user only for what a person wrote; tool results are ``tool``,
    injected context and the agent's own notes are ``system``. ``parent_id`` is
    the message that it answers, where the agent keeps a tree. ``line`` is the
    1-based line (or row) of the source, 0 where there is none.
    ``usage`` stands on one message of each response only, so that the sum over
    messages is right.
    """

    id: str
    role: Role
    blocks: tuple[Block, ...]
    timestamp_ms: int | None = None
    parent_id: str | None = None
    model: str | None = None
    usage: Usage | None = None
    line: int = 0

    @property
    def timestamp(self) -> datetime | None:
        """The moment, aware, in UTC; None where the source has none or nonsense."""
        return None if self.timestamp_ms is None else datetime.fromtimestamp(self.timestamp_ms / 1000, UTC)


class Todo(msgspec.Struct, frozen=True, gc=False):
    """One step of a plan. ``active_form`` is how the agent words it while it runs."""

    content: str
    status: TodoStatus = "pending"
    active_form: str = ""
