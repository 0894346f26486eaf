"""Which messages of a session its source still holds: by their ids, or by what they say where a reader numbers them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from itertools import islice

import msgspec

from holdfast_core.model.message import Block, Compaction, Message, Text, Thinking, ToolCall, ToolResult

_NUMBERED = re.compile(r"(?:[a-z]+-)?\d{0,9}(?:[:-][a-z-]+)?")
_encode = msgspec.msgpack.Encoder().encode


def tip_of(messages: Iterable[Message]) -> bytes:
    """Return what is the same for the same messages in the same order, whatever else is told of them."""
    found = blake2b(digest_size=16)
    for message in messages:
        found.update(_key(message))
        found.update(b"\0" if message.blocks else b"\1")
    return found.digest()


def only_grew(count: int, tip: bytes, messages: Sequence[Message]) -> bool:
    """Return whether the first ``count`` messages are those of ``tip``; an empty one is not known."""
    return bool(tip) and len(messages) >= count and tip_of(islice(messages, count)) == tip


def matches(before: Sequence[Message], now: Sequence[Message]) -> dict[int, int]:
    """Return by its place which message of ``before`` is still there, and where in ``now``.

    The same is what has the same id; where a reader numbers them, or an agent
    gave another id, what says the same; and what stands under the same number
    and goes on with what it said.
    """
    places: dict[bytes, list[int]] = {}
    for place in range(len(now) - 1, -1, -1):
        places.setdefault(_key(now[place]), []).append(place)
    found: dict[int, int] = {}
    left: list[int] = []
    for place, message in enumerate(before):
        same = places.get(_key(message))
        if same:
            found[place] = same.pop()
        else:
            left.append(place)
    if left and len(found) < len(now):
        _match_rest(before, now, left, found)
    return found


def _match_rest(before: Sequence[Message], now: Sequence[Message], left: list[int], found: dict[int, int]) -> None:
    taken = set(found.values())
    rest = {place: message for place, message in enumerate(now) if place not in taken}
    numbered = {message.id: place for place, message in rest.items() if _is_numbered(message)}
    said: dict[bytes, list[int]] = {}
    for place in reversed(rest):
        said.setdefault(_said(rest[place]), []).append(place)
    for place in left:
        message = before[place]
        under = numbered.get(message.id)
        if same := [one for one in said.get(_said(message), ()) if one in rest]:
            found[place] = same[-1]
        elif under in rest and under is not None and _goes_on(message, now[under]):
            found[place] = under
        else:
            continue
        del rest[found[place]]


def gone_since(before: Sequence[Message], now: Sequence[Message]) -> int:
    """Return how many messages are gone; none where the agent itself put a summary in their place since."""
    if _compactions(now) > _compactions(before):
        return 0
    return len(before) - sum(not is_hollow(before[was], now[at]) for was, at in matches(before, now).items())


def is_hollow(before: Message, now: Message) -> bool:
    """Return whether nothing is left of what a message said."""
    return bool(before.blocks) and not now.blocks


def fuller(before: Message, now: Message) -> Message:
    """Return a message as it is now, or as it was if all that it says now it said then, and more."""
    is_part = len(now.blocks) <= len(before.blocks) and all(
        any(block == other or _has_grown(block, other) for other in before.blocks) for block in now.blocks
    )
    return before if is_part and now.role == before.role else now


def _compactions(messages: Sequence[Message]) -> int:
    return sum(type(block) is Compaction for message in messages for block in message.blocks)


def _is_numbered(message: Message) -> bool:
    """Return whether the id says where a message stands and not which one it is."""
    return _NUMBERED.fullmatch(message.id) is not None


def _key(message: Message) -> bytes:
    return _said(message) if _is_numbered(message) else message.id.encode("utf-8", "surrogatepass")


def _said(message: Message) -> bytes:
    """Return what stands for what a message says, without ids that a reader may have made up."""
    said = [_bare(block) for block in message.blocks]
    try:
        content = _encode(said)
    except UnicodeEncodeError:
        content = repr(said).encode("utf-8", "surrogatepass")
    return blake2b(content, digest_size=16, person=message.role.encode()).digest()


def _bare(block: Block) -> object:
    if type(block) is ToolCall:
        return "call", block.name, block.input
    if type(block) is ToolResult:
        return "result", block.text, block.is_error
    return block


def _goes_on(before: Message, now: Message) -> bool:
    """Return whether a message that is being written is there as far as it was, under the same number."""
    if before.role != now.role or len(before.blocks) > len(now.blocks):
        return False
    return all(_has_grown(*pair) for pair in zip(before.blocks, now.blocks, strict=False))


def _has_grown(before: Block, now: Block) -> bool:
    if before == now:
        return True
    if isinstance(before, ToolCall) and isinstance(now, ToolCall):
        return before.name == now.name
    if isinstance(before, Text | Thinking | ToolResult | Compaction) and type(before) is type(now):
        return now.text.startswith(before.text)
    return False
