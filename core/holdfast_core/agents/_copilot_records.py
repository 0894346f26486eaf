"""The events of Copilot CLI as far as they are read, and the blocks that they become. Evidence: `README.md`."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._fields import names
from holdfast_core.agents._json import shown
from holdfast_core.agents._parts import base64_image, objects_in, text_in
from holdfast_core.agents._values import PATH_LIMIT, count
from holdfast_core.model.message import Block, File, Text, ToolResult
from holdfast_core.model.usage import Usage

SILENT = frozenset((
    "session.mode_changed", "session.compaction_start", "session.usage_checkpoint", "session.auto_mode_resolved",
    "session.context_changed", "session.plan_changed", "assistant.turn_start", "assistant.turn_end", "hook.start",
    "hook.end", "permission.requested", "permission.completed", "subagent.started", "subagent.completed",
    "subagent.selected", "subagent.deselected",
))  # fmt: skip
NOTES = frozenset((
    "session.info", "session.warning", "session.task_complete", "system.message", "system.notification",
))  # fmt: skip
_KEY = re.compile(r"([A-Za-z_]\w*):(?:[ \t]+(.*))?$")
_BLOCK = re.compile(r"[|>][+-]?\d?[+-]?$")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "e": "\x1b"}


class Place(msgspec.Struct, gc=False):
    """Where a session began or went on."""

    cwd: str | None = None
    branch: str | None = None
    not_read: ClassVar = names("baseCommit gitRoot headCommit hostType repository repositoryHost")


class Request(msgspec.Struct, gc=False, rename="camel"):
    """A tool that a message asks for."""

    tool_call_id: str | None = None
    name: str | None = None
    arguments: Any = None
    not_read: ClassVar = names("intentionSummary toolTitle type")


class Metrics(msgspec.Struct, gc=False, rename="camel"):
    """What is counted of a tool's work."""

    lines_added: int | None = None
    lines_removed: int | None = None
    not_read: ClassVar = names(
        "commandTimeout durationMs file_count originalContentLength responseTokenLimit result_length "
        "resultForLlmLength resultLength returnedContentLength startIndex"
    )


class Telemetry(msgspec.Struct, gc=False):
    """What is noted of a tool's work."""

    metrics: Metrics | None = None
    not_read: ClassVar = names("properties restrictedProperties")


class Tokens(msgspec.Struct, gc=False, rename="camel"):
    """Counts of one model between two starts; input includes what came from the cache and went to it."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None

    def usage(self, output_counted: int) -> Usage:
        """Return the counts in our meaning, without the output that was counted already."""
        read, written = count(self.cache_read_tokens), count(self.cache_write_tokens)
        return Usage(
            max(count(self.input_tokens) - read - written, 0),
            max(count(self.output_tokens) - output_counted, 0),
            read,
            written,
            count(self.reasoning_tokens),
        )


class ModelMetrics(msgspec.Struct, gc=False):
    """What one model was used for."""

    usage: Tokens | None = None


class Changes(msgspec.Struct, gc=False, rename="camel"):
    """What the tools changed."""

    files_modified: list[str] | None = None
    not_read: ClassVar = names("linesAdded linesRemoved")


class Data(msgspec.Struct, gc=False, rename="camel"):
    """All that any kind of event says."""

    copilot_version: str | None = None
    parent_tool_call_id: str | None = None
    agent_name: str | None = None
    agent_display_name: str | None = None
    producer: str | None = None
    start_time: datetime | None = None
    selected_model: str | None = None
    new_model: str | None = None
    context: Place | None = None
    content: Any = None
    attachments: Any = None
    source: str | None = None
    message_id: str | None = None
    model: str | None = None
    output_tokens: int | None = None
    reasoning_text: str | None = None
    tool_requests: list[Request] | None = None
    tool_call_id: str | None = None
    tool_name: str | None = None
    arguments: Any = None
    success: bool | None = None
    result: Any = None
    error: Any = None
    tool_telemetry: Telemetry | None = None
    message: Any = None
    summary: str | None = None
    reason: str | None = None
    summary_content: str | None = None
    pre_compaction_tokens: int | None = None
    pre_truncation_tokens_in_messages: int | None = None
    model_metrics: dict[str, ModelMetrics] | None = None
    current_model: str | None = None
    code_changes: Changes | None = None
    not_read: ClassVar = names(
        "alreadyInUse apiCallId availableModels candidateModels categoryScores "
        "checkpointPath chosenModel chosenShortfall chunkCount chunkIndex clientRequestId confidence contextTier "
        "conversationTokens currentTokens delivery droppedTokens encryptedContent endToEndLatencyMs errorType "
        "eventCount eventsFileSizeBytes fallback hasImage hookInvocationId hookType infoType input interactionId "
        "kind mcpServerName mcpToolName modelCacheState parentAgentTaskId permissionRequest phase "
        "predictedLabel previousModel previousReasoningEffort promptRequest providerCallId reasoningBucket "
        "reasoningEffort reasoningId reasoningOpaque remoteSteerable requestId resumeTime role routerLatencyMs "
        "routingMethod rte serviceRequestId sessionId sessionStartTime shellToolInfo shutdownType stack statusCode "
        "stickyOverride supportedNativeDocumentMimeTypes systemTokens tokenDetails tokenLimit toolDefinitionsTokens "
        "totalApiDurationMs totalNanoAiu totalPremiumRequests totalTokens transformedContent turnId version"
    )


class Event(msgspec.Struct, gc=False, rename="camel"):
    """One line."""

    type: str = ""
    id: str | None = None
    timestamp: datetime | None = None
    agent_id: str | None = None
    data: Data = msgspec.field(default_factory=Data)
    not_read: ClassVar = names("parentId")


def is_injected(data: Data, text: str) -> bool:
    """Return whether a message in the person's place was put there by the program."""
    return (data.source or "").startswith("skill-") or text.startswith("<skill-context")


def attached(value: Any) -> list[Block]:
    """Return the blocks of what was attached to a prompt."""
    blocks: list[Block] = []
    for item in objects_in(value):
        media, data = text_in(item, "mimeType"), text_in(item, "data")
        if data and media.startswith("image/"):
            blocks.append(base64_image(media, data))
            continue
        name = text_in(item, "path", "filePath", "displayName", "title")
        if name:
            blocks.append(File(name[:PATH_LIMIT], media, text_in(item, "text")))
    return blocks


def result_of(data: Data) -> ToolResult:
    """Return what a tool gave back."""
    result = data.result
    text = text_in(result, "content", "detailedContent")
    if not text:
        rest = result.get("content") if isinstance(result, dict) else result
        text = worded(rest if rest else data.error)
    return ToolResult(data.tool_call_id or "", text, data.success is False or data.error is not None)


def worded(value: Any) -> str:
    """Return what an event says, which may be an object with a message."""
    if isinstance(value, dict):
        return text_in(value, "message") or shown(value)
    return "" if value is None else shown(value)


def note_of(data: Data) -> list[Block]:
    """Return what an event says in passing."""
    text = next((found for part in (data.content, data.message, data.summary) if (found := worded(part))), "")
    return [Text(text)] if text else []


def described(text: str) -> dict[str, str]:
    """Return the texts at the outermost level of a YAML document as the agent writes it: one key a line.

    Lists, inner mappings and all else that YAML knows are left out.
    """
    found: dict[str, str] = {}
    lines = text.split("\n")
    for number, line in enumerate(lines):
        match = _KEY.match(line.rstrip("\r"))
        if match is None:
            continue
        value = (match[2] or "").strip()
        if _BLOCK.match(value):
            found[match[1]] = _block(lines[number + 1 :], is_folded=value[0] == ">")
        elif value[:1] == '"' and value.endswith('"') and len(value) > 1:
            found[match[1]] = _ESCAPE.sub(_unescaped, value[1:-1])
        elif value[:1] == "'" and value.endswith("'") and len(value) > 1:
            found[match[1]] = value[1:-1].replace("''", "'")
        elif value[:1] not in ("[", "{", "&", "*", "!", '"', "'"):
            found[match[1]] = value
    return found


def _block(lines: list[str], *, is_folded: bool) -> str:
    inner: list[str] = []
    for line in lines:
        if line.strip() and not line.startswith(" "):
            break
        inner.append(line.rstrip("\r"))
    indent = min((len(line) - len(line.lstrip(" ")) for line in inner if line.strip()), default=0)
    return (" " if is_folded else "\n").join(line[indent:] for line in inner).strip()


def _unescaped(match: re.Match[str]) -> str:
    sign = match[1]
    if len(sign) > 1:
        return chr(int(sign[1:], 16))
    return _ESCAPED.get(sign, sign)
