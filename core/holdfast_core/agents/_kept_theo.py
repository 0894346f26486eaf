"""The form in which theo-code keeps a session: one JSON file, beside a list of them, ``index.json``.

Format: seanrobertwright/theo-code, ``src/shared/types/schemas.ts`` and
``src/features/session/{storage,filesystem}.ts``. A file is
``{version, compressed, checksum, data}``; ``data`` is the session, or Base64
of gzip of its JSON. ``checksum`` is the SHA-256 of that JSON as the program
printed it, so it is taken over the file's own bytes, never over new JSON.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import msgspec

from holdfast_core.agents._json import shown
from holdfast_core.agents._kept_fields import Conversation, Fields, Kept, message_id, role_of, wrong_field
from holdfast_core.errors import SourceError
from holdfast_core.model.message import Block, Message, Text, ToolCall, ToolResult
from holdfast_core.model.usage import Usage

ID = "theo_code"
NAME = "theo-code"
TEXT_LIMIT = 64 << 20
_MAJOR = "1."
_GZIP = 31
_OUTSIDE_OF_TEXTS = re.compile(rb'("(?:[^"\\]|\\.)*+")|\s+', re.DOTALL)
_KNOWN = {"type", "text", "id", "name", "input", "arguments", "toolUseId", "toolCallId", "content", "isError"}

Checksum = Literal["fits", "differs", "missing"]


class _Wrapper(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw()


def is_session(document: Mapping[str, Any]) -> bool:
    """Return whether this is a session of the program, by the fields that stand in it."""
    return {"version", "data"} <= document.keys()


def is_list(document: Mapping[str, Any]) -> bool:
    """Return whether this is the program's list of sessions."""
    return {"lastUpdated", "sessions"} <= document.keys() and "data" not in document


def unwrapped(
    document: Mapping[str, Any], content: bytes, decode: Callable[[bytes], dict[str, Any]], *, is_strict: bool
) -> tuple[dict[str, Any], Checksum]:
    """Return the session in a file, and how its checksum stands. ``decode`` makes an object of JSON.

    Raises:
        SourceError: another version wrote it, or what is in it cannot be unpacked.
    """
    wrapper = Fields(document, is_strict=is_strict)
    version = wrapper.must("version", str)
    if not version.startswith(_MAJOR) and (is_strict or version):
        raise SourceError("Another version of the program wrote this session.", reason="newer_schema")
    data = wrapper.left.get("data")
    if type(data) is dict:
        candidates = list(_as_printed(content))
        session = data
    elif type(data) is str:
        text = _inflated(data) if wrapper.may("compressed", bool, False) else data.encode("utf-8", "replace")
        candidates = [text]
        session = decode(text)
    else:
        raise wrong_field("data", "is neither an object nor text")
    checksum = wrapper.may("checksum", str)
    if checksum is None:
        return session, "missing"
    is_same = any(hashlib.sha256(text).hexdigest() == checksum.lower() for text in candidates)
    return session, "fits" if is_same else "differs"


def session_of(document: Mapping[str, Any], *, is_strict: bool) -> Kept:
    """Return the session in what was unwrapped.

    Raises:
        SourceError: if ``is_strict``: a field that is always there is not, or is of another type.
    """
    fields = Fields(document, is_strict=is_strict)
    conversation = Conversation()
    conversation.take(fields.must("messages", list), _message)
    return Kept(
        created_ms=fields.moment("created"),
        title=fields.title("title") or conversation.title(),
        project_path=fields.path("workspaceRoot"),
        updated_ms=fields.moment("lastModified"),
        provider=fields.may("provider", str, ""),
        model=fields.must("model", str),
        conversation=conversation,
        context_files=fields.texts("contextFiles"),
        files_accessed=fields.texts("filesAccessed"),
        usage=fields.usage("tokenCount", taken="input", given="output") or Usage(),
        tags=fields.texts("tags"),
        notes=fields.may("notes", str, ""),
        native_id=fields.native_id("id"),
        fields=fields,
    )


def _as_printed(content: bytes) -> Iterator[bytes]:
    """Yield the texts that a checksum may be over: the program prints within two spaces, and reads without any."""
    try:
        raw = bytes(msgspec.json.decode(content, type=_Wrapper).data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    yield raw.replace(b"\n  ", b"\n")
    yield _OUTSIDE_OF_TEXTS.sub(rb"\1", raw)


def _inflated(data: str) -> bytes:
    try:
        packed = base64.b64decode(data, validate=True)
        stream = zlib.decompressobj(_GZIP)
        text = stream.decompress(packed, TEXT_LIMIT + 1)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise _damaged(str(error)) from error
    if len(text) > TEXT_LIMIT:
        raise SourceError("This file is larger than what can be imported.", reason="too_large")
    if not stream.eof:
        raise _damaged("the compressed session is not complete")
    return text


def _damaged(detail: str) -> SourceError:
    return SourceError("This file is damaged or not complete.", reason="not_json", detail=detail)


def _message(fields: Fields) -> Message:
    role = role_of(fields)
    content = fields.left.pop("content", "")
    parts = content if isinstance(content, list) else [content] if content not in ("", None) else []
    blocks: list[Block] = [_block(part, is_tool=role == "tool") for part in parts]
    calls, results = fields.may("toolCalls", list, []), fields.may("toolResults", list, [])
    for name, values in (("content", parts), ("toolCalls", calls), ("toolResults", results)):
        if any(type(value) is dict and not value.keys() <= _KNOWN for value in values):
            fields.left[name] = values
    called = {block.call_id for block in blocks if isinstance(block, ToolCall)}
    answered = {block.call_id for block in blocks if isinstance(block, ToolResult)}
    made = [_call(value, "arguments") for value in calls]
    given = [_result(value, "toolCallId") for value in results]
    blocks += [block for block in made if not isinstance(block, ToolCall) or block.call_id not in called]
    blocks += [block for block in given if not isinstance(block, ToolResult) or block.call_id not in answered]
    used = fields.usage("tokens", taken="input", given="output")
    return Message(
        message_id(fields), role, tuple(blocks), fields.moment("timestamp"), model=fields.may("model", str), usage=used
    )


def _block(part: Any, *, is_tool: bool) -> Block:
    kind = part.get("type") if type(part) is dict else None
    if kind == "text" and type(part.get("text")) is str:
        return Text(part["text"])
    if kind == "tool_use":
        return _call(part, "input")
    if kind == "tool_result":
        return _result(part, "toolUseId")
    return ToolResult("", shown(part)) if is_tool else Text(shown(part))


def _call(value: Any, input_field: str) -> Block:
    if type(value) is not dict or type(value.get("name")) is not str:
        return Text(shown(value))
    return ToolCall(shown(value.get("id", "")), value["name"], value.get(input_field))


def _result(value: Any, id_field: str) -> Block:
    if type(value) is not dict or "content" not in value:
        return Text(shown(value))
    return ToolResult(shown(value.get(id_field, "")), shown(value["content"]), value.get("isError") is True)
