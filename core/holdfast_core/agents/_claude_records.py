"""The records of Claude Code's transcripts, as far as they are read, and the blocks that they become.

Unknown keys are skipped by the decoder. Evidence for each fact: `README.md`.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._fields import names
from holdfast_core.agents._json import shape_of, shaped, shown
from holdfast_core.agents._values import count, storable
from holdfast_core.model.message import Block, File, Image, Text, Thinking, ToolCall, ToolResult
from holdfast_core.model.usage import Usage

NOTHING = msgspec.Raw()
SYNTHETIC_MODEL = "<synthetic>"
_INJECTED = (
    "<command-name>",
    "<command-message>",
    "<command-args>",
    "<local-command-",
    "<system-reminder>",
    "Caveat:",
    "[Request interrupted by user",
    "<task-notification>",
    "<bash-input>",
    "<bash-stdout>",
    "<bash-stderr>",
    "<user-memory-input>",
    "<teammate-message",
    "<ide_opened_file>",
    "<ide_selection>",
    "<ide_diagnostics>",
    "<session-start-hook>",
    "<user-prompt-submit-hook>",
)
_RENAME = re.compile(r"<command-name>/rename</command-name>.*?<command-args>(.*?)</command-args>", re.DOTALL)
_COMMAND = re.compile(r"<command-name>(.*?)</command-name>", re.DOTALL)
_ARGUMENTS = re.compile(r"<command-args>(.*?)</command-args>", re.DOTALL)


class Source(msgspec.Struct, gc=False):
    """Where an image or a document comes from."""

    type: str | None = None
    media_type: str | None = None
    data: str | None = None
    url: str | None = None


class Part(msgspec.Struct, gc=False):
    """A part of what a tool gave back."""

    type: str = ""
    text: str | None = None
    source: Source | None = None
    tool_name: str | None = None
    title: str | None = None
    url: str | None = None

    @classmethod
    def generic(cls, value: Any) -> Part:
        """Return a part that shows a value of an unexpected kind."""
        return cls("text", shown(value))


class Content(msgspec.Struct, gc=False):
    """One block of a message."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    id: str | None = None
    name: str | None = None
    input: Any = None
    tool_use_id: str | None = None
    content: str | list[Part] | Part | None = None
    is_error: bool | None = None
    source: Source | None = None
    title: str | None = None
    not_read: ClassVar = names("caller data durationMs from signature")

    @classmethod
    def generic(cls, value: Any) -> Content:
        """Return a block that shows a value of an unexpected kind."""
        return cls("text", shown(value))


class CacheCreation(msgspec.Struct, gc=False):
    """Cache writes by how long they last."""

    ephemeral_1h_input_tokens: int | None = None
    not_read: ClassVar = names("ephemeral_5m_input_tokens")


class OutputDetails(msgspec.Struct, gc=False):
    """What the output was made of."""

    reasoning_tokens: int | None = None
    thinking_tokens: int | None = None


class TokenCounts(msgspec.Struct, gc=False):
    """The usage of a response, cumulative over its rows."""

    input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation: CacheCreation | None = None
    output_tokens_details: OutputDetails | None = None
    not_read: ClassVar = names("credits inference_geo iterations server_tool_use service_tier speed")

    def usage(self) -> Usage:
        """Return the counts in our meaning; these exclude the cache already."""
        details = self.output_tokens_details
        reasoning = 0 if details is None else count(details.reasoning_tokens or details.thinking_tokens)
        return Usage(
            count(self.input_tokens),
            count(self.output_tokens),
            count(self.cache_read_input_tokens),
            count(self.cache_creation_input_tokens),
            reasoning,
        )

    def cache_write_1h(self) -> int:
        """Return how many of the cache writes were for an hour."""
        return 0 if self.cache_creation is None else count(self.cache_creation.ephemeral_1h_input_tokens)


class Said(msgspec.Struct, gc=False):
    """The message within a user or assistant record."""

    model: str | None = None
    id: str | None = None
    content: str | list[Content] | None = None
    usage: TokenCounts | None = None
    not_read: ClassVar = names(
        "container context_management diagnostics role stop_details stop_reason stop_sequence type"
    )

    @classmethod
    def generic(cls, value: Any) -> Said:
        """Return a message that shows a value of an unexpected kind, unless nothing is said in it."""
        if isinstance(value, dict) and value.get("content", "") is None:
            return cls()
        return cls(content=shown(value))


class Record(msgspec.Struct, rename="camel", gc=False):
    """One line. Parts that few lines need stay undecoded.

    The fields of most lines come first, in the order in which they are written: the decoder looks for a name where it
    found the one before.
    """

    parent_uuid: str | None = None
    is_sidechain: bool | None = None
    cwd: str | None = None
    session_id: str | None = None
    version: str | None = None
    git_branch: str | None = None
    agent_id: str | None = None
    slug: str | None = None
    type: str | None = None
    message: Said | None = None
    request_id: str | None = None
    uuid: str | None = None
    timestamp: datetime | None = None
    tool_use_result: msgspec.Raw = NOTHING
    entrypoint: str | None = None
    logical_parent_uuid: str | None = None
    is_meta: bool | None = None
    is_compact_summary: bool | None = None
    is_visible_in_transcript_only: bool | None = None
    is_api_error_message: bool | None = None
    agent_type: str | None = None
    subtype: str | None = None
    source_tool_use_id: str | None = msgspec.field(default=None, name="sourceToolUseID")
    parent_tool_use_id: str | None = msgspec.field(default=None, name="parentToolUseID")
    attachment: msgspec.Raw = NOTHING
    data: msgspec.Raw = NOTHING
    content: msgspec.Raw = NOTHING
    error: msgspec.Raw = NOTHING
    origin: msgspec.Raw = NOTHING
    forked_from: msgspec.Raw = NOTHING
    compact_metadata: msgspec.Raw = NOTHING
    text: str | None = None
    summary: str | None = None
    leaf_uuid: str | None = None
    custom_title: str | None = None
    agent_name: str | None = None
    ai_title: str | None = None
    last_prompt: str | None = None
    operation: str | None = None
    retry_attempt: int | None = None
    max_retries: int | None = None
    api_refusal_explanation: str | None = None
    not_read: ClassVar = names(
        "agentSetting apiErrorStatus apiRefusalCategory atis attributionAgent attributionMcpServer "
        "attributionMcpTool attributionPlugin attributionSkill bridgeSessionId cause direction durationMs effort "
        "errorDetails fallbackModel frameUrl hasOutput hookAdditionalContext hookCount hookErrors hookInfos "
        "imagePasteIds input interruptedMessageId isAbortedMidStream isSnapshotUpdate key lastSequenceNum level "
        "mcpMeta messageCount messageId mode name originalModel output ownerAccountUuid ownerOrganizationUuid path "
        "permissionMode planContent preventedContinuation prNumber project promptId promptSource prRepository prUrl "
        "refusedUserMessageUuid relocatedCwd result retractedMessageUuids retryInMs session_id snapshot source "
        "sourceToolAssistantUUID stopReason supersedesUuids tag thinkingMetadata title todos toolDenialKind "
        "toolEndsTurn toolUseID trigger userType worktreeSession"
    )


def opened(raw: msgspec.Raw) -> Any:
    """Return what stands in an undecoded part, None if nothing does."""
    if raw is NOTHING:
        return None
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def opened_dict(raw: msgspec.Raw) -> dict[str, Any]:
    """Return the object in an undecoded part, an empty one if it holds anything else."""
    value = opened(raw)
    return value if isinstance(value, dict) else {}


class _Edit(msgspec.Struct, rename="camel", gc=False):
    """What is wanted of an edit's result; the file as it was before, which is long, is passed over."""

    type: str = ""
    file_path: str = ""
    content: str = ""
    structured_patch: list[Any] = []


_decode_edit = msgspec.json.Decoder(_Edit).decode


def opened_edit(raw: msgspec.Raw) -> dict[str, Any]:
    """Return what stands in an undecoded edit's result of the fields that tell what it changed."""
    if raw is NOTHING:
        return {}
    try:
        edit = _decode_edit(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return opened_dict(raw)
    return {
        "type": edit.type,
        "filePath": edit.file_path,
        "content": edit.content,
        "structuredPatch": edit.structured_patch,
    }


def contents(value: list[Any]) -> list[Content]:
    """Return decoded JSON as the blocks of a message; none is lost."""
    return [Content.generic(item) if (found := _content(item)) is None else found for item in value]


def _content(value: Any) -> Content | None:
    found: Content | None = shaped(value, shape_of(Content))
    return found


def is_injected(text: str) -> bool:
    """Return whether a text in the person's place was put there by the program."""
    return text.lstrip().startswith(_INJECTED)


def new_name(text: str) -> str:
    """Return the name that a ``/rename`` command in a text gives the session, else nothing."""
    found = _RENAME.search(text)
    return "" if found is None else found[1].strip()


def command_line(text: str) -> str:
    """Return the slash command that a text records, as it was typed, else nothing."""
    found = _COMMAND.search(text)
    if found is None:
        return ""
    arguments = _ARGUMENTS.search(text)
    return f"{found[1]} {'' if arguments is None else arguments[1]}".strip()


def blocks_of(content: list[Content], unknown: list[str]) -> list[Block]:
    """Return the blocks of a message; kinds that are not known are shown by name and put into ``unknown``."""
    blocks: list[Block] = []
    for item in content:
        kind = item.type
        if kind == "text":
            blocks.append(Text(item.text or ""))
        elif kind == "tool_use":
            blocks.append(ToolCall(item.id or "", item.name or "", storable(item.input)))
        elif kind == "tool_result":
            blocks += result_blocks(item)
        elif kind == "thinking":
            blocks.append(Thinking(item.thinking or ""))
        else:
            blocks += _rare_blocks(item, unknown)
    return blocks


def _rare_blocks(item: Content, unknown: list[str]) -> list[Block]:
    kind = item.type
    if kind == "image":
        return [image(item.source)]
    if kind == "document":
        return [_document(item)]
    if kind == "redacted_thinking":
        return [Thinking("")]
    if item.input is not None and item.name:
        return [ToolCall(item.id or "", item.name, storable(item.input))]
    if item.tool_use_id:
        return result_blocks(item)
    if kind != "fallback":
        unknown.append(f"block/{kind}")
    return [Text(item.text or f"[{kind or 'unknown'}]")]


def result_blocks(item: Content) -> list[Block]:
    """Return a tool's result, its texts joined, followed by its images."""
    content = item.content
    if isinstance(content, str):
        return [ToolResult(item.tool_use_id or "", content, bool(item.is_error))]
    parts = [content] if isinstance(content, Part) else content or []
    texts = [part.text or _part_text(part) for part in parts if part.type != "image"]
    images: list[Block] = [image(part.source) for part in parts if part.type == "image"]
    text = texts[0] if len(texts) == 1 else "\n".join(texts)
    return [ToolResult(item.tool_use_id or "", text, bool(item.is_error)), *images]


def _part_text(part: Part) -> str:
    return " ".join(word for word in (part.tool_name, part.title, part.url) if word)


def image(source: Source | None) -> Image:
    """Return an image as it is stored, or the reference to it."""
    if source is None:
        return Image("", 0)
    data = source.data or ""
    return Image(source.media_type or "", len(data) * 3 // 4 - data[-2:].count("="), data, source.url or "")


def _document(item: Content) -> File:
    source = item.source or Source()
    text = source.data or "" if source.type == "text" else ""
    return File(item.title or source.url or "", source.media_type or "", text)
