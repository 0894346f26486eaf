"""The records of Qwen Code since 0.2, as far as they are read. Contents are those of the program it was made from."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._fields import names
from holdfast_core.agents._gemini_records import Part, usage_of
from holdfast_core.agents._json import shown
from holdfast_core.agents._values import PREVIEW_LIMIT, one_line
from holdfast_core.model.message import Todo, TodoStatus
from holdfast_core.model.usage import Usage

NOTHING = msgspec.Raw()


class Said(msgspec.Struct, gc=False):
    """The content within a record."""

    role: str | None = None
    parts: list[Part] | None = None

    @classmethod
    def generic(cls, value: Any) -> Said:
        """Return a content that shows a value of an unexpected kind."""
        return cls(None, [Part(shown(value))])


class Counts(msgspec.Struct, rename="camel", gc=False):
    """The counts of one response; the prompt has the cached part within it."""

    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    cached_content_token_count: int | None = None
    thoughts_token_count: int | None = None
    total_token_count: int | None = None

    def usage(self) -> Usage:
        """Return the counts in our meaning: thoughts are within the answer unless the total says otherwise."""
        prompt, answer, thoughts = self.prompt_token_count, self.candidates_token_count, self.thoughts_token_count
        found = usage_of(prompt, answer, self.cached_content_token_count, 0)
        apart = (prompt or 0) + (answer or 0) + (thoughts or 0)
        inside = self.total_token_count != apart or not thoughts
        extra = usage_of(0, 0, 0, thoughts)
        reasoning = min(extra.reasoning_tokens, found.output_tokens) if inside else extra.reasoning_tokens
        output = found.output_tokens + (0 if inside else reasoning)
        return Usage(found.input_tokens, output, found.cache_read_tokens, 0, reasoning)


class Outcome(msgspec.Struct, rename="camel", gc=False):
    """What the program knows of a tool's call beside what the model was given."""

    call_id: str | None = None
    status: str | None = None
    result_display: msgspec.Raw = NOTHING
    not_read: ClassVar = names("error errorType")


class Origin(msgspec.Struct, rename="camel", gc=False):
    """Which message of which session a record was copied from."""

    session_id: str | None = None
    not_read: ClassVar = names("messageUuid")


class Record(msgspec.Struct, rename="camel", gc=False):
    """One line."""

    uuid: str | None = None
    parent_uuid: str | None = None
    session_id: str | None = None
    timestamp: datetime | None = None
    type: str | None = None
    cwd: str | None = None
    version: str | None = None
    git_branch: str | None = None
    subtype: str | None = None
    model: str | None = None
    message: Said | None = None
    usage_metadata: Counts | None = None
    tool_call_result: Outcome | None = None
    system_payload: msgspec.Raw = NOTHING
    provenance: str | None = None
    is_sidechain: bool | None = None
    forked_from: Origin | None = None
    not_read: ClassVar = names("agentId agentName contextWindowSize")


class Shown(msgspec.Struct, gc=False):
    """One thing that the program showed."""

    type: str | None = None
    text: str | None = None


class Event(msgspec.Struct, gc=False):
    """One event of the program's own statistics."""

    name: str | None = msgspec.field(default=None, name="event.name")
    response_id: str | None = None
    model: str | None = None
    prompt_id: str | None = None
    error_message: str | None = None
    input_token_count: int | None = None
    output_token_count: int | None = None
    cached_content_token_count: int | None = None
    thoughts_token_count: int | None = None
    total_token_count: int | None = None

    def usage(self) -> Usage:
        """Return the counts in our meaning."""
        return Counts(
            self.input_token_count,
            self.output_token_count,
            self.cached_content_token_count,
            self.thoughts_token_count,
            self.total_token_count,
        ).usage()


class Failure(msgspec.Struct, gc=False):
    """Why a turn failed."""

    message: str | None = None


class Squeezed(msgspec.Struct, rename="camel", gc=False):
    """Numbers of a compression."""

    original_token_count: int | None = None


class Payload(msgspec.Struct, rename="camel", gc=False):
    """What a system record holds, of all its kinds."""

    display_text: str | None = None
    custom_title: str | None = None
    title_source: str | None = None
    raw_command: str | None = None
    phase: str | None = None
    hidden_invocation: bool | None = None
    output_history_items: list[Shown] | None = None
    files_read: list[str] | None = None
    target_uuid: str | None = None
    compressed_history: list[Said] | None = None
    info: Squeezed | None = None
    parent_session_id: str | None = None
    model_id: str | None = None
    ui_event: Event | None = None
    error: Failure | None = None
    content: str | None = None


def todos_of(listed: Any) -> list[Todo]:
    """Return a plan in our meaning, from what a tool showed or from the file that keeps it."""
    found = []
    for item in listed[:200] if isinstance(listed, list) else ():
        if isinstance(item, dict) and isinstance(item.get("content"), str):
            status: TodoStatus = "pending"
            if item.get("status") in ("in_progress", "completed"):
                status = item["status"]
            found.append(Todo(one_line(item["content"], PREVIEW_LIMIT), status))
    return found
