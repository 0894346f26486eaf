"""The records of OpenCode and its forks: sessions, messages, parts, and what they mean in our terms."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, ClassVar
from urllib.parse import unquote_to_bytes

import msgspec

from holdfast_core.agents._fields import names
from holdfast_core.agents._parts import image_at, objects_in, path_of_uri, text_in
from holdfast_core.agents._values import PATH_LIMIT, count
from holdfast_core.model.message import Block, File, Image, Todo, TodoStatus
from holdfast_core.model.usage import Usage

_STATUS: dict[str, TodoStatus] = {
    "pending": "pending",
    "in_progress": "in_progress",
    "completed": "completed",
    "cancelled": "completed",
}
_UNTITLED = re.compile(r"(New session|Child session) - \d{4}-\d\d-\d\dT.*")
_TEXT_LIMIT = 1 << 20
_NAMES = {
    "model_id": "modelID",
    "provider_id": "providerID",
    "parent_id": "parentID",
    "message_id": "messageID",
    "call_id": "callID",
}


class Time(msgspec.Struct):
    """Moments in milliseconds."""

    created: Any = None
    updated: Any = None
    completed: Any = None
    archived: Any = None
    start: Any = None
    end: Any = None


class SessionInfo(msgspec.Struct, rename=_NAMES):
    """A session's own record."""

    id: str | None = None
    parent_id: str | None = None
    directory: str | None = None
    title: str | None = None
    version: str | None = None
    forked_from: str | None = msgspec.field(default=None, name="forkSessionID")
    time: Time | None = None
    revert: Any = None
    summary: Any = None
    not_read: ClassVar = names("projectID slug")


class Cache(msgspec.Struct):
    """Tokens that went through a cache."""

    read: Any = None
    write: Any = None


class Tokens(msgspec.Struct):
    """Tokens of one response; ``input`` without what was cached."""

    total: Any = None
    input: Any = None
    output: Any = None
    reasoning: Any = None
    cache: Cache | None = None


class State(msgspec.Struct):
    """How far a tool call has come."""

    status: str | None = None
    input: Any = None
    output: Any = None
    error: Any = None
    metadata: Any = None
    attachments: Any = None
    time: Time | None = None
    not_read: ClassVar = names("title")


class Part(msgspec.Struct, rename=_NAMES):
    """A part of a message, of whatever type."""

    id: str | None = None
    message_id: str | None = None
    type: str | None = None
    text: Any = None
    synthetic: bool | None = None
    ignored: bool | None = None
    metadata: Any = None
    tool: str | None = None
    call_id: str | None = None
    state: State | None = None
    mime: str | None = None
    url: str | None = None
    filename: str | None = None
    source: Any = None
    files: Any = None
    error: Any = None
    prompt: str | None = None
    not_read: ClassVar = names("attempt auto cost hash overflow reason sessionID snapshot tail_start_id time tokens")


class Info(msgspec.Struct, rename=_NAMES):
    """A message's own record; its parts stand elsewhere, in exports beside it."""

    id: str | None = None
    role: str | None = None
    time: Time | None = None
    parent_id: str | None = None
    path: Any = None
    model: Any = None
    model_id: str | None = None
    provider_id: str | None = None
    cost: Any = None
    tokens: Tokens | None = None
    error: Any = None
    summary: Any = None
    not_read: ClassVar = names("agent finish mode sessionID system variant")


class Whole(msgspec.Struct):
    """A message with its parts. ``row`` is where it stands in its table, 0 where it is in a file of its own."""

    info: Info = msgspec.field(default_factory=Info)
    parts: list[Part] = []
    row: int = 0


def is_title(title: str | None) -> bool:
    """Return whether a title says anything, and is not the one that every session has at first."""
    return bool(title) and _UNTITLED.fullmatch(title or "") is None


def usage_of(tokens: Tokens | None) -> Usage | None:
    """Return the tokens of a response; newer versions count reasoning beside the output, older ones within."""
    if tokens is None:
        return None
    cache = tokens.cache or Cache()
    given, read, write = count(tokens.input), count(cache.read), count(cache.write)
    output, reasoning = count(tokens.output), count(tokens.reasoning)
    rest = count(tokens.total) - given - read - write
    if rest == output + reasoning or output < reasoning:
        output += reasoning
    usage = Usage(given, output, read, write, reasoning)
    return usage if usage.total_tokens else None


def cost_of(cost: Any) -> float | None:
    """Return a stored cost; nothing is stored as 0 for subscriptions and models without a price."""
    return float(cost) if isinstance(cost, int | float) and not isinstance(cost, bool) and 0 < cost < 1e6 else None


def error_text(error: Any) -> str:
    """Return what an error says, by its name where it says nothing."""
    if isinstance(error, str):
        return error
    return text_in(error.get("data"), "message") or text_in(error, "message", "name") if isinstance(error, dict) else ""


def failed(part: Part, state: State) -> bool:
    """Return whether a call that came to its end went wrong: unknown tools and shells end as completed."""
    code = state.metadata.get("exit") if isinstance(state.metadata, dict) else None
    return state.status == "error" or part.tool == "invalid" or (isinstance(code, int) and code != 0)


def file_of(value: dict[str, Any]) -> Block:
    """Return an attached file: an image, a file with its text, or the name of one."""
    url, mime = text_in(value, "url"), text_in(value, "mime")
    if mime.startswith("image/"):
        found = image_at(url)
        return found if found.media_type else Image(mime, 0, "", path_of_uri(url))
    source = value.get("source")
    path = text_in(source, "path", "uri") or (text_in(value, "filename") if url.startswith("data:") else "")
    path = path or path_of_uri(url) or text_in(value, "filename")
    return File(path[:PATH_LIMIT], mime, _text_of(url) if mime.startswith("text/") else "")


def _text_of(url: str) -> str:
    """Return the text that a data address holds."""
    head, comma, data = url[: 2 * _TEXT_LIMIT].partition(",")
    if not head.startswith("data:") or not comma:
        return ""
    if not head.endswith(";base64"):
        return unquote_to_bytes(data).decode("utf-8", "replace")
    try:
        return base64.b64decode(data).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def touched(part: Part, state: State) -> list[tuple[str, int, int]]:
    """Return the files that a tool changed, with the lines that it added and removed where that is told."""
    metadata = state.metadata if isinstance(state.metadata, dict) else {}
    one = metadata.get("filediff")
    many = objects_in(metadata.get("files"))
    diffs = [*([one] if isinstance(one, dict) else []), *many]
    found = [
        (path, count(diff.get("additions")), count(diff.get("deletions")))
        for diff in diffs
        if (path := text_in(diff, "file", "filePath", "path"))
    ]
    if not found and part.tool in ("write", "edit", "multiedit") and state.status == "completed":
        path = text_in(state.input, "filePath", "path")
        found = [(path, 0, 0)] if path else []
    return found


def todos_of(value: Any) -> list[Todo]:
    """Return a list of steps."""
    return [
        Todo(text, _STATUS.get(text_in(item, "status"), "pending"))
        for item in objects_in(value)
        if (text := text_in(item, "content"))
    ]
