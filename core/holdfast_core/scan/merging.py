"""One session out of an earlier version of its source and a later one: in the earlier one's order, nothing left out."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from holdfast_core.agents.base import SessionRead
from holdfast_core.model.message import Message
from holdfast_core.model.session import FileTouched, SessionFacts
from holdfast_core.model.usage import ResponseUsage
from holdfast_core.scan.losses import fuller, is_hollow, matches

_LATER_ELSE_EARLIER = (
    "summary", "last_text", "project_path", "branch", "provider", "model", "agent_version", "surface", "parent_id",
    "forked_from", "todos",
)  # fmt: skip


class Merged(NamedTuple):
    """A session and how many of its messages only the earlier version holds."""

    session: SessionRead
    lost: int


def merged(earlier: SessionRead, later: SessionRead | None) -> Merged:
    """Return both as one; without ``later`` all of the earlier one is gone.

    What both hold stands as the later one has it. What only the later one has
    stands before what follows it there, else at the end.
    """
    if later is None:
        return Merged(earlier, len(earlier.messages))
    found = matches(earlier.messages, later.messages)
    messages = _woven(earlier.messages, later.messages, found)
    responses = {response.key: response for response in (*earlier.responses, *later.responses)}
    facts = _facts(earlier, later, found, messages)
    session = msgspec.structs.replace(
        later, facts=facts, messages=messages, first_index=0, responses=list(responses.values())
    )
    hollow = sum(is_hollow(earlier.messages[was], later.messages[at]) for was, at in found.items())
    return Merged(session, len(earlier.messages) - len(found) + hollow)


def _woven(earlier: list[Message], later: list[Message], found: dict[int, int]) -> list[Message]:
    where = {now: before for before, now in found.items()}
    ahead: dict[int, list[Message]] = {}
    waiting: list[Message] = []
    for place, message in enumerate(later):
        if place not in where:
            waiting.append(message)
        elif waiting:
            ahead.setdefault(where[place], []).extend(waiting)
            waiting = []
    woven: list[Message] = []
    for place, message in enumerate(earlier):
        woven += ahead.get(place, ())
        woven.append(fuller(message, later[found[place]]) if place in found else message)
    return woven + waiting


def _facts(earlier: SessionRead, later: SessionRead, found: dict[int, int], messages: list[Message]) -> SessionFacts:
    """Return the facts of both: what the later one tells, where it tells anything and still has the beginning."""
    before, now = earlier.facts, later.facts
    if now.is_empty:
        return msgspec.structs.replace(before, message_count=len(messages))
    told: dict[str, Any] = {name: getattr(now, name) or getattr(before, name) for name in _LATER_ELSE_EARLIER}
    has_beginning = 0 in found or not earlier.messages
    has_end = bool(later.messages) and messages[-1].id == later.messages[-1].id
    has_title = has_beginning and not _is_first_prompt(now.title, now.preview)
    for name, is_later in (("title", has_title), ("preview", has_beginning), ("last_text", has_end)):
        first, second = (now, before) if is_later else (before, now)
        told[name] = getattr(first, name) or getattr(second, name)
    kept = set(found.values())
    prompts = sum(message.role == "user" for place, message in enumerate(later.messages) if place not in kept)
    known = {response.key for response in earlier.responses}
    new = [response for response in later.responses if response.key not in known]
    return msgspec.structs.replace(
        now,
        **told,
        created_ms=_least(before.created_ms, now.created_ms),
        updated_ms=_most(before.updated_ms, now.updated_ms),
        message_count=len(messages),
        prompt_count=before.prompt_count + prompts,
        usage=sum((response.usage for response in new), before.usage),
        cost_usd=_cost(before, now, new),
        is_empty=before.is_empty and now.is_empty,
        has_error=before.has_error or now.has_error,
        has_image=before.has_image or now.has_image,
        files_touched=_touched(before.files_touched, now.files_touched),
        context_files=tuple(dict.fromkeys((*before.context_files, *now.context_files))),
        provider_data=before.provider_data | now.provider_data,
    )


def _is_first_prompt(title: str, preview: str) -> bool:
    """Return whether a title is only how the session begins, as where the record of a real one was cut off."""
    return bool(title) and " ".join(preview.split()).startswith(" ".join(title.split()).rstrip("… "))


def _least(one: int | None, other: int | None) -> int | None:
    return min((moment for moment in (one, other) if moment is not None), default=None)


def _most(one: int | None, other: int | None) -> int | None:
    return max((moment for moment in (one, other) if moment is not None), default=None)


def _cost(before: SessionFacts, now: SessionFacts, new: list[ResponseUsage]) -> float | None:
    if not new:
        return now.cost_usd if before.cost_usd is None else before.cost_usd
    if before.cost_usd is None or any(response.cost_usd is None for response in new):
        return None
    return before.cost_usd + sum(response.cost_usd or 0 for response in new)


def _touched(before: tuple[FileTouched, ...], now: tuple[FileTouched, ...]) -> tuple[FileTouched, ...]:
    """Return the files that either tells of; of one that both do what was changed most."""
    found = {file.path: file for file in before}
    for file in now:
        known = found.get(file.path, file)
        found[file.path] = FileTouched(file.path, max(file.added, known.added), max(file.removed, known.removed))
    return tuple(found.values())
