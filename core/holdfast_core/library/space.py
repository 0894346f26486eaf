"""What takes space and what of it may go: files that are safe here, parts of sessions, what the person leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from holdfast_core.model.message import Image, ToolResult
from holdfast_core.model.vault import Candidate, Forgotten, PartShares

if TYPE_CHECKING:
    from holdfast_core.model.message import Block, Message
    from holdfast_core.scan.left_out import LeftOut
    from holdfast_core.vault.table import Mark
    from holdfast_core.vault.vault import StrandState, Vault

_MAIN: Final = ("", "main")


def candidates(vault: Vault, agents: Iterable[str], *, limit: int) -> list[Candidate]:
    """Return sessions whose files could go because they are verified here, the largest first.

    A file that several sessions share is left out: it would take along those that nobody meant.
    """
    found: list[tuple[int, StrandState]] = []
    for agent in agents:
        found += [(one.content_bytes, one) for one in vault.states(agent).values() if _is_proved(one)]
    found.sort(key=lambda pair: (-pair[0], pair[1].key))
    chosen: list[Candidate] = []
    for size, state in found:
        if len(chosen) == limit:
            break
        marks = vault.marks(state.agent, state.key)
        if len(marks) == 1 and marks[0].kind in _MAIN:
            modified_ms = state.fingerprint.modified_ns // 1_000_000
            chosen.append(Candidate(f"{state.agent}:{marks[0].native_id}", size, modified_ms))
    return chosen


def forget(vault: Vault, agents: Iterable[str], left_out: LeftOut | None, *, since_ms: int = 0) -> Forgotten:
    """Remove what is kept of sources that are left out, of all if None; what is here alone stays.

    That are sources that are gone or have lost something, and earlier versions from before ``since_ms``.

    Raises:
        Locked, Refused, HoldfastError, OSError: as `Vault.forget`; what was removed before stays so.
    """
    sources = size = kept = 0
    for agent in agents:
        for key, state in vault.states(agent).items():
            if state.owner or not _is_out(left_out, agent, vault.marks(agent, key)):
                continue
            if state.is_gone or state.lost_messages or state.is_damaged or _has_earlier(vault, state, since_ms):
                kept += 1
                continue
            size += vault.forget(agent, key)
            sources += 1
    return Forgotten(sources, size, kept)


def parts_of(messages: Sequence[Message], origin: Sequence[Message] = ()) -> PartShares:
    """Return how many bytes the parts of one session take as they were read; ``origin`` is what it was forked from."""
    found = _parts(messages)
    return msgspec.structs.replace(found, sampled=1, repeated=_parts(messages[: _shared(messages, origin)]).total)


def together(found: Iterable[PartShares]) -> PartShares:
    """Return the sum over sessions."""
    sums = [sum(amounts) for amounts in zip(*map(msgspec.structs.astuple, found), strict=True)]
    return PartShares(*sums)


def sampled_ids(states: Mapping[str, int], *, count: int) -> list[str]:
    """Return some of these ids, the likelier the larger; the same ones for the same sizes."""
    from random import Random

    if not any(states.values()):
        return []
    chosen = Random(len(states)).choices(list(states), list(states.values()), k=count)
    return list(dict.fromkeys(chosen))


def _parts(messages: Iterable[Message]) -> PartShares:
    images = tool_output = rest = 0
    for message in messages:
        for block in message.blocks:
            if isinstance(block, Image):
                images += len(block.data_base64)
            elif isinstance(block, ToolResult):
                tool_output += _size(block)
            else:
                rest += _size(block)
    return PartShares(0, images, tool_output, rest)


def _shared(messages: Sequence[Message], origin: Sequence[Message]) -> int:
    """Return with how many messages both begin alike; a fork may have given them other ids."""
    pairs = enumerate(zip(messages, origin, strict=False))
    different = (at for at, (one, other) in pairs if one.id != other.id and one.blocks != other.blocks)
    return next(different, min(len(messages), len(origin)))


def _is_proved(state: StrandState) -> bool:
    """Return whether all of a source was verified here after it was captured, and it is still with its agent."""
    is_whole = not (state.owner or state.is_gone or state.is_damaged or state.lost_messages)
    return is_whole and state.verified_ms >= state.captured_ms > 0


def _has_earlier(vault: Vault, state: StrandState, since_ms: int) -> bool:
    """Return whether there are versions of a source that it does not have itself any more, from before a time."""
    if not since_ms or state.version_count < 2:
        return False
    return vault.versions(state.agent, state.key)[0].captured_ms < since_ms


def _is_out(left_out: LeftOut | None, agent: str, marks: Sequence[Mark]) -> bool:
    if left_out is None or left_out.has_agent(agent):
        return True
    return left_out.has_sessions((mark.kind or "main", mark.project) for mark in marks)


def _size(block: Block) -> int:
    text = getattr(block, "text", "")
    if text:
        return len(text.encode("utf-8", "surrogatepass"))
    return len(str(getattr(block, "input", "") or ""))
