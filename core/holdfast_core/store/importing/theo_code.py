"""Sessions of theo-code: one JSON file each in ``~/.theo-code/sessions``, beside a list of them, ``index.json``.

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
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from holdfast_core.agents._json import shown
from holdfast_core.errors import SourceError
from holdfast_core.model.held import HeldSession, Origin, SessionConfig
from holdfast_core.model.message import Block, Message, Text, ToolCall, ToolResult
from holdfast_core.model.session import FileTouched
from holdfast_core.model.usage import Usage
from holdfast_core.paths import path_text
from holdfast_core.store.importing._fields import Conversation, Fields, message_id, provider_data, role_of
from holdfast_core.store.importing._source import TEXT_LIMIT, Source, decode, refusal, wrong_field
from holdfast_core.store.importing.base import Draft, Here, Importer, Unread

_MAJOR = "1."
_GZIP = 31
_OUTSIDE_OF_TEXTS = re.compile(rb'("(?:[^"\\]|\\.)*+")|\s+', re.DOTALL)
_KNOWN = {"type", "text", "id", "name", "input", "arguments", "toolUseId", "toolCallId", "content", "isError"}
_LISTED_LIMIT = 100_000


class _Wrapper(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw()


class TheoCode(Importer):
    """See the module."""

    id = "theo_code"
    name = "theo-code"

    def __init__(self, here: Here) -> None:
        super().__init__(here)
        self._listed: set[str] = set()
        self._seen: set[str] = set()

    def recognises(self, document: Mapping[str, Any]) -> bool:
        """See `Importer.recognises`."""
        return {"version", "data"} <= document.keys() or {"lastUpdated", "sessions"} <= document.keys()

    def is_only_list(self, source: Source) -> bool:
        """See `Importer.is_only_list`."""
        if "data" in source.document:
            return False
        sessions = source.document["sessions"]
        self._listed.update(list(sessions)[:_LISTED_LIMIT] if isinstance(sessions, dict) else ())
        return True

    def left_over(self) -> Iterator[Unread]:
        """See `Importer.left_over`."""
        gone = len(self._listed - self._seen)
        if gone:
            what = (
                "A session is listed, but its file is"
                if gone == 1
                else f"{gone} sessions are listed, but their files are"
            )
            yield Unread("index.json", "gone", f"{what} not there.")

    def session(self, source: Source) -> Draft:
        """See `Importer.session`."""
        self._seen.add(source.path.stem)
        wrapper = Fields(source.document)
        if not wrapper.must("version", str).startswith(_MAJOR):
            raise SourceError("Another version of the program wrote this session.", reason="newer_schema")
        document, checksum = _unwrapped(wrapper, source)
        warnings = _TELL[checksum]
        fields = Fields(document)
        conversation = Conversation()
        conversation.take(fields.must("messages", list), _message)
        if conversation.odd:
            warnings = (*warnings, "Some records in it are no messages; they stand there as they are.")
        session = self._session(fields, conversation, source, is_verified=checksum == "fits")
        return Draft(session, source.path.name, warnings)

    def _session(self, fields: Fields, conversation: Conversation, source: Source, *, is_verified: bool) -> HeldSession:
        created = fields.moment("created") or self.here.now_ms
        return HeldSession(
            id=self.here.new_id(),
            title=fields.title("title") or conversation.title(),
            project_path=fields.path("workspaceRoot"),
            created_ms=created,
            updated_ms=fields.moment("lastModified") or created,
            config=SessionConfig(
                agent=self.id, provider=fields.may("provider", str, ""), model=fields.must("model", str)
            ),
            messages=tuple(conversation.messages),
            context_files=fields.texts("contextFiles"),
            files_accessed=tuple(FileTouched(path) for path in fields.texts("filesAccessed")),
            usage=fields.usage("tokenCount", taken="input", given="output") or Usage(),
            tags=fields.texts("tags"),
            notes=fields.may("notes", str, ""),
            origin=Origin(
                kind="imported",
                agent=self.id,
                native_id=fields.native_id("id"),
                source_path=path_text(str(source.path)),
                is_verified=is_verified,
            ),
            provider_data=provider_data(fields, conversation),
        )


_TELL: dict[str, tuple[str, ...]] = {
    "fits": (),
    "missing": ("It has no checksum; adopt it to go on with it.",),
    "differs": ("Its checksum does not fit: it was changed or damaged.",),
}


def _unwrapped(wrapper: Fields, source: Source) -> tuple[dict[str, Any], str]:
    """Return the session in a file, and whether its checksum fits, differs or is missing."""
    data = wrapper.left.get("data")
    if type(data) is dict:
        candidates = list(_as_printed(source.content))
        document = data
    elif type(data) is str:
        text = _inflated(data) if wrapper.may("compressed", bool, False) else data.encode("utf-8", "replace")
        candidates = [text]
        document, _ = decode(text)
    else:
        raise wrong_field("data", "is neither an object nor text")
    checksum = wrapper.may("checksum", str)
    if checksum is None:
        return document, "missing"
    is_same = any(hashlib.sha256(text).hexdigest() == checksum.lower() for text in candidates)
    return document, "fits" if is_same else "differs"


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
        raise refusal("not_json", str(error)) from error
    if len(text) > TEXT_LIMIT:
        raise refusal("too_large")
    if not stream.eof:
        raise refusal("not_json", "the compressed session is not complete")
    return text


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


IMPORTER = TheoCode
