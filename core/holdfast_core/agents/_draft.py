"""A session while it is read: what was gathered so far, small enough to be kept between two looks at a growing file."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from holdfast_core.agents._prices import PICO, cost_pico
from holdfast_core.agents._values import PATH_LIMIT, PREVIEW_LIMIT, one_line
from holdfast_core.agents.base import SessionRead
from holdfast_core.model.message import Block, Error, Image, Message, Text, Todo, ToolCall, ToolResult
from holdfast_core.model.session import TITLE_LIMIT, FileTouched, SessionFacts, SessionKind
from holdfast_core.model.usage import ResponseUsage, Usage

_MOST_PICO = 1 << 62  # a checkpoint holds no more than 64 bits
_FILES_LIMIT = 1000
_CONTEXT_LIMIT = 200
_SEEN_LIMIT = 4096
_COPIES_LIMIT = 64
_KEY_BYTES = 8
_SPEAKERS = frozenset(("assistant", "user"))
_LAST_LIMIT = PREVIEW_LIMIT * 2
_NONE = Usage()
_AS_GATHERED = (
    "native_id", "kind", "parent_id", "forked_from", "prompt_count", "branch", "model", "provider", "agent_version",
    "surface", "project_path", "has_error", "has_image",
)  # fmt: skip
_COUNTED = (
    "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "cost_pico",
    "is_priced", "is_unpriced",
)  # fmt: skip


class TooEarly(Exception):
    """A record changes a message that an earlier reading gave away. ``index`` is its place."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


class Response(msgspec.Struct, array_like=True):
    """The response that may still grow. ``index`` is the message that carries its usage."""

    key: str
    usage: Usage
    model: str
    timestamp_ms: int | None
    index: int | None
    cost_pico: int | None
    cache_write_1h: int = 0
    mark: bytes = b""
    stored_pico: int | None = None


class Gathered(msgspec.Struct, array_like=True):
    """What is known of a session so far: the part of a reader's state that every agent has."""

    native_id: str
    kind: SessionKind = "main"
    parent_id: str | None = None
    forked_from: str | None = None
    count: int = 0
    prompt_count: int = 0
    spoken_count: int = 0
    preview: str = ""
    first_text: str = ""
    last_text: str = ""
    created_ms: int | None = None
    updated_ms: int | None = None
    branch: str = ""
    model: str = ""
    provider: str = ""
    agent_version: str = ""
    surface: str = ""
    project_path: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cost_pico: int = 0
    is_priced: bool = False
    is_unpriced: bool = False
    has_error: bool = False
    has_image: bool = False
    todos: list[Todo] = []
    files: dict[str, tuple[int, int]] = {}
    context_files: list[str] = []
    seen: dict[bytes, None] = {}
    response: Response | None = None
    copies: list[int] = []
    """The last messages that repeat what a message before them carries the usage of."""


class Draft:
    """Gathers one session. ``base`` is the index of the first message that is at hand.

    ``known_copies`` are messages whose response is told to be counted before: by who reads on from the middle.
    """

    def __init__(self, gathered: Gathered) -> None:
        self.gathered = gathered
        self.base = gathered.count
        self.messages: list[Message] = []
        self.known_copies: frozenset[int] = frozenset()
        self.responses: dict[str, ResponseUsage] = {}

    @property
    def next_index(self) -> int:
        """The index that the next message gets."""
        return self.base + len(self.messages)

    def add(self, message: Message) -> int:
        """Append a message; returns its index."""
        gathered = self.gathered
        role = message.role
        timestamp = message.timestamp_ms
        if timestamp is not None:
            updated = gathered.updated_ms
            if updated is None or timestamp > updated:
                gathered.updated_ms = timestamp
            created = gathered.created_ms
            if created is None or timestamp < created:
                gathered.created_ms = timestamp
        for block in message.blocks:
            kind: type[object] = type(block)
            if kind is Text:
                if role in _SPEAKERS:
                    text: str = block.text  # type: ignore[union-attr]  # its kind tells
                    gathered.last_text = text if len(text) < _LAST_LIMIT else text[:_LAST_LIMIT]
                    if not gathered.first_text or (role == "user" and not gathered.preview):
                        self._note_first(text, role)
            elif kind is ToolResult:
                if block.is_error:  # type: ignore[union-attr]  # the same
                    gathered.has_error = True
            elif kind is Error or kind is Image:
                gathered.has_error |= kind is Error
                gathered.has_image |= kind is Image
        if role != "system":
            gathered.spoken_count += 1
            if role == "user":
                gathered.prompt_count += 1
        messages = self.messages
        index = self.base + len(messages)
        messages.append(message)
        gathered.count = index + 1
        return index

    def _note_first(self, text: str, role: str) -> None:
        gathered = self.gathered
        if not gathered.preview and role == "user":
            gathered.preview = one_line(text, PREVIEW_LIMIT)
        if not gathered.first_text:
            gathered.first_text = one_line(text, PREVIEW_LIMIT)

    def at(self, index: int) -> Message:
        """Return a message that is at hand.

        Raises:
            TooEarly: an earlier reading gave it away.
        """
        if index < self.base:
            raise TooEarly(index)
        return self.messages[index - self.base]

    def put(self, index: int, message: Message) -> None:
        """Replace a message; raises `TooEarly` like `at`."""
        self.at(index)
        self.messages[index - self.base] = message

    def use(self, index: int, usage: Usage) -> None:
        """Put a response's usage on a message; raises `TooEarly` like `at`."""
        known = self.at(index)
        self.messages[index - self.base] = Message(
            known.id, known.role, known.blocks, known.timestamp_ms, known.parent_id, known.model, usage, known.line
        )

    def link(self, index: int, call_id: str, session_id: str) -> None:
        """Say which session a tool call started; raises `TooEarly` like `at`."""
        message = self.at(index)
        blocks: list[Block] = [
            msgspec.structs.replace(block, session_id=session_id)
            if isinstance(block, ToolCall) and block.call_id == call_id
            else block
            for block in message.blocks
        ]
        self.put(index, msgspec.structs.replace(message, blocks=tuple(blocks)))

    def cut(self, index: int) -> None:
        """Drop every message from an index on."""
        if index < self.base:
            self.messages.clear()
            self.base = index
        else:
            del self.messages[index - self.base :]
        self.gathered.count = index
        response = self.gathered.response
        if response is not None and response.index is not None and response.index >= index:
            response.index = None

    def move_last(self, index: int) -> None:
        """Put the last message where ``index`` is, before those that are there."""
        self.at(index)
        self.messages.insert(index - self.base, self.messages.pop())
        response = self.gathered.response
        if response is not None and response.index is not None and response.index >= index:
            response.index += 1

    def touch(self, path: str, added: int, removed: int) -> None:
        """Count lines that a tool added to a file and removed from it."""
        files = self.gathered.files
        path = path[:PATH_LIMIT]
        before = files.get(path, (0, 0))
        if path in files or len(files) < _FILES_LIMIT:
            files[path] = (before[0] + added, before[1] + removed)

    def mention(self, path: str) -> None:
        """Note a file that was put into the conversation."""
        known = self.gathered.context_files
        if path and len(known) < _CONTEXT_LIMIT and path[:PATH_LIMIT] not in known:
            known.append(path[:PATH_LIMIT])

    def respond(
        self,
        key: str,
        usage: Usage,
        *,
        model: str,
        timestamp_ms: int | None,
        index: int | None,
        cache_write_1h: int = 0,
        cost_usd: float | None = None,
    ) -> bool:
        """Count a response, or a later and fuller row of the one that was counted last.

        ``cost_usd`` is what the agent stored; without it the cost is by the price list.

        True means that the message at ``index`` must carry ``usage``. A
        response that was counted before another one is a copy and not counted.
        """
        gathered = self.gathered
        now = gathered.response
        if now is not None and now.key == key:
            if index != now.index:
                self._note_copy(index)
            self._grow(now, usage, cache_write_1h)
            return False
        if index in self.known_copies:
            return False
        seen = gathered.seen
        if now is not None:
            seen[now.mark] = None
            if len(seen) > _SEEN_LIMIT:
                del seen[next(iter(seen))]
        mark = digest(key)
        if mark in seen:
            gathered.response = None
            self._note_copy(index)
            return False
        stored = None if cost_usd is None else round(cost_usd * PICO)
        new = Response(key, _NONE, model, timestamp_ms, index, 0, 0, mark, stored)
        gathered.response = new
        self._count(new, usage, cache_write_1h)
        return True

    def _note_copy(self, index: int | None) -> None:
        if index is not None:
            copies = self.gathered.copies
            copies.append(index)
            if len(copies) > _COPIES_LIMIT:
                del copies[0]

    def uncount(self) -> None:
        """Forget every response: for agents that keep them beside the messages, to be counted anew each time."""
        fresh, gathered = Gathered(""), self.gathered
        for name in _COUNTED:
            setattr(gathered, name, getattr(fresh, name))
        gathered.seen, gathered.response = {}, None
        self.responses.clear()

    def _grow(self, response: Response, usage: Usage, cache_write_1h: int) -> None:
        before = response.usage
        largest = Usage(
            max(before.input_tokens, usage.input_tokens),
            max(before.output_tokens, usage.output_tokens),
            max(before.cache_read_tokens, usage.cache_read_tokens),
            max(before.cache_write_tokens, usage.cache_write_tokens),
            max(before.reasoning_tokens, usage.reasoning_tokens),
        )
        if largest == before:
            return
        if response.index is not None:
            self.use(response.index, largest)
        self._count(response, largest, max(response.cache_write_1h, cache_write_1h))

    def _count(self, response: Response, usage: Usage, cache_write_1h: int) -> None:
        gathered, before = self.gathered, response.usage
        if before is _NONE:
            gathered.input_tokens += usage.input_tokens
            gathered.output_tokens += usage.output_tokens
            gathered.cache_read_tokens += usage.cache_read_tokens
            gathered.cache_write_tokens += usage.cache_write_tokens
            gathered.reasoning_tokens += usage.reasoning_tokens
        else:
            gathered.input_tokens += usage.input_tokens - before.input_tokens
            gathered.output_tokens += usage.output_tokens - before.output_tokens
            gathered.cache_read_tokens += usage.cache_read_tokens - before.cache_read_tokens
            gathered.cache_write_tokens += usage.cache_write_tokens - before.cache_write_tokens
            gathered.reasoning_tokens += usage.reasoning_tokens - before.reasoning_tokens
        cost = response.stored_pico
        if cost is None:
            cost = cost_pico(response.model, usage, response.timestamp_ms, cache_write_1h=cache_write_1h)
        if cost is not None:
            cost = cost if cost < _MOST_PICO else _MOST_PICO
            total = gathered.cost_pico + cost - (response.cost_pico or 0)
            gathered.cost_pico = total if total < _MOST_PICO else _MOST_PICO
            gathered.is_priced = True
        elif usage.total_tokens:
            gathered.is_unpriced = True
        response.usage, response.cost_pico, response.cache_write_1h = usage, cost, cache_write_1h
        self.responses[response.key] = ResponseUsage(
            response.key,
            usage,
            response.model,
            response.timestamp_ms,
            None if cost is None else cost / PICO,
        )

    def finish(self, *, agent: str, title: str, is_empty: bool, fallback_ms: int, **more: Any) -> SessionRead:
        """Return what this reading gives of the session; the draft goes on being usable.

        ``fallback_ms`` stands for moments that the source does not tell.
        ``more`` are facts from elsewhere, in place of those that were gathered.
        """
        gathered = self.gathered
        said = gathered.preview or gathered.first_text or gathered.last_text
        facts: dict[str, Any] = {
            "agent": agent,
            "title": one_line(title, TITLE_LIMIT) or one_line(said, TITLE_LIMIT),
            "is_empty": is_empty,
            "preview": gathered.preview or gathered.first_text,
            "last_text": one_line(gathered.last_text, PREVIEW_LIMIT),
            "created_ms": fallback_ms if gathered.created_ms is None else gathered.created_ms,
            "updated_ms": fallback_ms if gathered.updated_ms is None else gathered.updated_ms,
            "message_count": self.next_index,
            "usage": self._usage(),
            "cost_usd": gathered.cost_pico / PICO if gathered.is_priced and not gathered.is_unpriced else None,
            "todos": tuple(gathered.todos),
            "files_touched": tuple(FileTouched(path, *lines) for path, lines in gathered.files.items()),
            "context_files": tuple(gathered.context_files),
        }
        facts |= {name: getattr(gathered, name) for name in _AS_GATHERED}
        return SessionRead(SessionFacts(**(facts | more)), self.messages, self.base, list(self.responses.values()))

    def _usage(self) -> Usage:
        gathered = self.gathered
        return Usage(
            gathered.input_tokens,
            gathered.output_tokens,
            gathered.cache_read_tokens,
            gathered.cache_write_tokens,
            gathered.reasoning_tokens,
        )


def digest(key: str) -> bytes:
    """Return a short fingerprint of a text."""
    return hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=_KEY_BYTES).digest()
