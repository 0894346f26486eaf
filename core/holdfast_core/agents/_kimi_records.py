"""The records of Kimi CLI and Kimi Code, as far as they are read, and the blocks that they become."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._fields import names
from holdfast_core.agents._json import shown
from holdfast_core.agents._values import PREVIEW_LIMIT, count, one_line, storable
from holdfast_core.model.message import Block, File, Image, Text, Thinking, Todo, TodoStatus, ToolCall
from holdfast_core.model.usage import Usage

_DONE = ("done", "completed")
_MANY = 1 << 53


class Link(msgspec.Struct, gc=False):
    """Where a picture or another file is."""

    url: str | None = None


class Part(msgspec.Struct, gc=False):
    """One part of a content."""

    type: str | None = None
    text: str | None = None
    think: str | None = None
    image_url: Link | None = None
    audio_url: Link | None = None
    video_url: Link | None = None
    image: Link | None = msgspec.field(default=None, name="imageUrl")
    not_read: ClassVar = names("encrypted")

    @classmethod
    def generic(cls, value: Any) -> Part:
        """Return a part that shows a value of an unexpected kind."""
        return cls("text", shown(value))


class Function(msgspec.Struct, gc=False):
    """The function that a call names; arguments are JSON within JSON."""

    name: str | None = None
    arguments: str | None = None


class Call(msgspec.Struct, gc=False):
    """A tool's call."""

    id: str | None = None
    function: Function | None = None
    not_read: ClassVar = names("type")


class Shown(msgspec.Struct, gc=False):
    """What a tool shows to the person."""

    type: str | None = None
    path: str | None = None
    old_text: str | None = None
    new_text: str | None = None
    items: list[Any] | None = None


class Returned(msgspec.Struct, gc=False):
    """What a tool gave back, in either program's spelling."""

    output: str | list[Part] | Part | None = None
    message: str | None = None
    note: str | None = None
    is_error: bool | None = None
    failed: bool | None = msgspec.field(default=None, name="isError")
    display: list[Shown] | None = None


class Counts(msgspec.Struct, gc=False):
    """The counts of one step, in either program's spelling; the cache is apart in both."""

    input_other: int | None = None
    input_cache_read: int | None = None
    input_cache_creation: int | None = None
    output: int | None = None
    other: int | None = msgspec.field(default=None, name="inputOther")
    read: int | None = msgspec.field(default=None, name="inputCacheRead")
    creation: int | None = msgspec.field(default=None, name="inputCacheCreation")

    def usage(self) -> Usage:
        """Return the counts in our meaning."""
        given, output = self.input_other or self.other or 0, self.output or 0
        read, creation = self.input_cache_read or self.read or 0, self.input_cache_creation or self.creation or 0
        if min(given, output, read, creation) >= 0 and max(given, output, read, creation) < _MANY:
            return Usage(given, output, read, creation)
        return Usage(count(given), count(output), count(read), count(creation))


def parts_of(content: str | list[Part] | Part | None) -> list[Part]:
    """Return a content as its parts, however it is written."""
    if content is None or content == "":
        return []
    if isinstance(content, str):
        return [Part("text", content)]
    return [content] if isinstance(content, Part) else content


def blocks_of(parts: list[Part], unknown: list[str]) -> list[Block]:
    """Return the blocks of a content; kinds that are not known go into ``unknown``."""
    blocks: list[Block] = []
    for part in parts:
        link = part.image_url or part.image
        if part.think is not None:
            blocks.append(Thinking(part.think))
        elif part.text is not None:
            blocks.append(Text(part.text))
        elif link is not None:
            blocks.append(image(link.url or ""))
        elif part.audio_url is not None or part.video_url is not None:
            other = part.audio_url or part.video_url
            blocks.append(File(_name(other.url or "") if other is not None else ""))
        else:
            unknown.append(f"part/{part.type or 'none'}")
            blocks.append(Text(f"[{part.type or 'unknown'}]"))
    return blocks


def image(url: str) -> Image:
    """Return a picture, which stands in its address or somewhere else."""
    head, _, data = url.partition(";base64,")
    if data and head.startswith("data:"):
        return Image(head[5:], len(data) * 3 // 4 - data[-2:].count("="), data)
    return Image("", 0, "", _name(url))


def _name(url: str) -> str:
    return "" if url.startswith("data:") else url


def call_of(call_id: str, name: str, arguments: str) -> ToolCall:
    """Return a call whose arguments are JSON within JSON, as text where they are no JSON yet."""
    try:
        given = storable(msgspec.json.decode(arguments)) if arguments else None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        given = arguments
    return ToolCall(call_id, name, given)


def is_whole(call: ToolCall, arguments: str) -> bool:
    """Return whether the arguments that a call was made of are JSON, and not the beginning of it."""
    return bool(arguments) and call.input is not arguments


def todos_of(listed: Any) -> list[Todo]:
    """Return a plan in our meaning."""
    found = []
    for item in listed[:200] if isinstance(listed, list) else ():
        title = item.get("title", item.get("content")) if isinstance(item, dict) else None
        if isinstance(title, str):
            status: TodoStatus = "pending"
            if item.get("status") in _DONE:
                status = "completed"
            elif item.get("status") == "in_progress":
                status = "in_progress"
            found.append(Todo(one_line(title, PREVIEW_LIMIT), status))
    return found


def lines_changed(old: str, new: str) -> tuple[int, int]:
    """Return how many lines were added and removed between two texts, by what stands between equal ends."""
    before, after = old.splitlines(), new.splitlines()
    while before and after and before[0] == after[0]:
        del before[0], after[0]
    while before and after and before[-1] == after[-1]:
        del before[-1], after[-1]
    return len(after), len(before)
