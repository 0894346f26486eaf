"""The entries of the Pi family's sessions, as far as they are read, and the blocks that they become.

The agents that were made after it write the same entries, each with some of its own.
Evidence for each fact: `README.md`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._fields import names
from holdfast_core.agents._json import shown
from holdfast_core.agents._parts import base64_image
from holdfast_core.agents._values import count, storable
from holdfast_core.model.message import Block, File, Image, Text, Thinking, Todo, TodoStatus, ToolCall, ToolResult
from holdfast_core.model.usage import Usage

BLOB = "blob:sha256:"
EDITS = frozenset(("edit", "write"))
_MANY = 1 << 53
_STATUS: dict[object, TodoStatus] = {
    "in_progress": "in_progress",
    "completed": "completed",
    "abandoned": "completed",
    "dropped": "completed",
}


class Part(msgspec.Struct, gc=False):
    """One block of a message."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    id: str | None = None
    name: str | None = None
    arguments: Any = None
    data: str | None = None
    mimeType: str | None = None  # noqa: N815  # the name in the file
    not_read: ClassVar = names("partialJson redacted thinkingSignature thoughtSignature")

    @classmethod
    def generic(cls, value: Any) -> Part:
        """Return a block that shows a value of an unexpected kind."""
        return cls("text", shown(value))


class Cost(msgspec.Struct, gc=False):
    """What a response cost, in USD."""

    total: float | None = None
    not_read: ClassVar = names("cacheRead cacheWrite input output")


class TokenCounts(msgspec.Struct, rename="camel", gc=False):
    """The usage of a response; its input excludes the cache, its output includes the reasoning."""

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    cost: Cost | None = None
    not_read: ClassVar = names("totalTokens")

    def usage(self) -> Usage:
        """Return the counts in our meaning."""
        taken, given, read = self.input or 0, self.output or 0, self.cache_read or 0
        written, reasoning = self.cache_write or 0, self.reasoning or 0
        if min(taken, given, read, written, reasoning) < 0 or taken + given + read + written >= _MANY:
            return Usage(count(taken), count(given), count(read), count(written), count(reasoning))
        return Usage(taken, given, read, written, reasoning)

    def cost_usd(self) -> float | None:
        """Return the cost; none where the agent has no price for the model, which it writes as 0."""
        total = None if self.cost is None else self.cost.total
        return total if total and total > 0 else None


class Mentioned(msgspec.Struct, gc=False):
    """A file that was put into the conversation."""

    path: str = ""
    content: str | None = None
    not_read: ClassVar = names("lineCount")


class Provenance(msgspec.Struct, gc=False):
    """Who wrote a message in the person's place."""

    kind: str | None = None
    not_read: ClassVar = names("sourceChannel sourceSessionKey sourceTool")


class Said(msgspec.Struct, rename="camel", gc=False):
    """The message within an entry. The fields of most messages come first, in the order in which they are written."""

    role: str = ""
    tool_call_id: str | None = None
    tool_name: str | None = None
    content: str | list[Part] | None = None
    provider: str | None = None
    model: str | None = None
    usage: TokenCounts | None = None
    stop_reason: str | None = None
    is_error: bool | None = None
    timestamp: int | float | str | None = None
    response_id: str | None = None
    error_message: str | None = None
    details: msgspec.Raw = msgspec.Raw()
    command: str | None = None
    code: str | None = None
    output: str | None = None
    exit_code: int | None = None
    summary: str | None = None
    tokens_before: int | None = None
    files: list[Mentioned] | None = None
    provenance: Provenance | None = None
    not_read: ClassVar = names("api cancelled customType display truncated")


class Entry(msgspec.Struct, rename="camel", gc=False):
    """One line."""

    type: str = ""
    id: str | None = None
    parent_id: str | None = None
    timestamp: datetime | None = None
    message: Said | None = None
    version: int | str | None = None
    cwd: str | None = None
    parent_session: str | None = None
    branched_from: str | None = None
    provider: str | None = None
    model_id: str | None = None
    model: str | None = None
    role: str | None = None
    custom_type: str | None = None
    content: str | list[Part] | None = None
    summary: str | None = None
    tokens_before: int | None = None
    name: str | None = None
    title: str | None = None
    task: str | None = None
    agent: str | None = None
    usage: TokenCounts | None = None
    note: str | None = None
    not_read: ClassVar = names(
        "additionalDirectories api data details display firstKeptEntryId firstKeptEntryIndex fromHook fromId hash "
        "label mode pad previousTitle purpose source stopReason systemPrompt targetId thinkingLevel titleSource "
        "tools updatedAt v"
    )


class _Task(msgspec.Struct, gc=False):
    content: str = ""
    status: str = ""


class _Phase(msgspec.Struct, gc=False):
    tasks: list[_Task] = []


class _Details(msgspec.Struct, gc=False):
    phases: list[_Phase] | None = None


def plan_in(details: msgspec.Raw) -> list[Todo] | None:
    """Return the plan that stands in a result's details, None if there is none."""
    if b'"phases"' not in bytes(details):
        return None
    try:
        phases = msgspec.json.decode(details, type=_Details).phases
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if phases is None:
        return None
    return [Todo(task.content, _STATUS.get(task.status, "pending")) for phase in phases for task in phase.tasks]


def joined(content: str | list[Part] | None) -> str:
    """Return the texts of a message as one."""
    if isinstance(content, str):
        return content
    return "\n".join([part.text for part in content or () if part.text])


def blocks_of(content: str | list[Part] | None, blobs: str) -> list[Block]:
    """Return the blocks of a message. ``blobs`` is the directory of what was too large for the file."""
    if isinstance(content, str):
        return [Text(content)] if content else []
    blocks: list[Block] = []
    for part in content or ():
        kind = part.type
        if kind == "text":
            if part.text:
                blocks.append(Text(part.text))
        elif kind == "thinking":
            blocks.append(Thinking(part.thinking or ""))
        elif kind == "toolCall":
            blocks.append(ToolCall(part.id or "", part.name or "", storable(part.arguments)))
        elif kind == "image":
            blocks.append(_image(part, blobs))
        elif part.text or part.thinking:
            blocks.append(Text(part.text or part.thinking or ""))
    return blocks


def result_blocks(said: Said, blobs: str) -> list[Block]:
    """Return a tool's result and its images."""
    content, call_id, is_error = said.content, said.tool_call_id or "", said.is_error is True
    if isinstance(content, list):
        if len(content) == 1 and content[0].type == "text":
            return [ToolResult(call_id, content[0].text or "", is_error)]
        images: list[Block] = [_image(part, blobs) for part in content if part.type == "image"]
        return [ToolResult(call_id, joined(content), is_error), *images]
    return [ToolResult(call_id, content or "", is_error)]


def executed(said: Said) -> list[Block]:
    """Return what the person ran in the agent's terminal, and what came of it."""
    name, given = ("python", {"code": said.code}) if said.code is not None else ("bash", {"command": said.command})
    return [ToolCall("", name, given), ToolResult("", said.output or "", bool(said.exit_code))]


def mentioned(said: Said) -> list[Block]:
    """Return the files that were put into the conversation."""
    return [File(file.path, "", file.content or "") for file in said.files or ()]


def edited(call: ToolCall) -> list[tuple[str, int, int]]:
    """Return the files that a call changes, with lines added and removed where its arguments tell them."""
    given = call.input
    if call.name not in EDITS or not isinstance(given, dict):
        return []
    path = given.get("path", given.get("file_path"))
    if not isinstance(path, str) or not path:
        return []
    if call.name == "write":
        return [(path, _lines(given.get("content")), 0)]
    edits = given.get("edits")
    changes = [edit for edit in edits if isinstance(edit, dict)] if isinstance(edits, list) else [given]
    added = sum(_lines(edit.get("newText", edit.get("new_string"))) for edit in changes)
    return [(path, added, sum(_lines(edit.get("oldText", edit.get("old_string"))) for edit in changes))]


def _lines(text: object) -> int:
    return text.count("\n") + (not text.endswith("\n")) if isinstance(text, str) and text else 0


def _image(part: Part, blobs: str) -> Image:
    data = part.data or ""
    if data.startswith(BLOB):
        name = data.removeprefix(BLOB)
        return Image(part.mimeType or "", 0, "", f"{blobs}/{name}" if blobs and name.isalnum() else "")
    return base64_image(part.mimeType or "", data)
