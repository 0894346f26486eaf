"""Makes the entry of a held session: what a list needs, in full or from what was added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from holdfast_core.agents._values import PREVIEW_LIMIT, one_line
from holdfast_core.model.held import HELD_AGENT, HeldEntry, HeldSession
from holdfast_core.model.message import Message, Text
from holdfast_core.model.session import TITLE_LIMIT
from holdfast_core.model.usage import Usage
from holdfast_core.paths import path_text

ENCRYPTED_TITLE = "Encrypted session"
_TAKEN_AS_THEY_ARE = frozenset(("created_ms", "closed_ms", "last_resumed_ms", "usage", "cost_usd", "starred"))
_FOR_WHOLE = frozenset(("config", "origin"))
_OF_ENCRYPTED = (
    "id", "created_ms", "updated_ms", "closed_ms", "last_resumed_ms", "message_count", "usage", "cost_usd",
    "starred", "size_bytes", "state", "is_encrypted", "is_verified", "failures",
)  # fmt: skip


def entry_of(session: HeldSession, *, size_bytes: int, is_encrypted: bool = False, failures: int = 0) -> HeldEntry:
    """Return the entry of a whole session."""
    preview = _preview(session.messages)
    config, origin = session.config, session.origin
    entry = HeldEntry(
        id=session.id,
        title=_title(session.title, preview),
        preview=preview,
        project_path=path_text(session.project_path),
        branch=_line(origin.branch),
        agent=_line(config.agent) or _line(origin.agent) or HELD_AGENT,
        provider=_line(config.provider),
        model=_last_model(session.messages) or _line(config.model),
        created_ms=session.created_ms,
        updated_ms=session.updated_ms,
        closed_ms=session.closed_ms,
        last_resumed_ms=session.last_resumed_ms,
        message_count=len(session.messages),
        usage=session.usage,
        cost_usd=session.cost_usd,
        tags=tuple(map(_line, session.tags)),
        starred=session.starred,
        context_files=tuple(map(path_text, session.context_files)),
        size_bytes=size_bytes,
        state="live" if session.is_live else "closed",
        parent_id=origin.parent_id,
        is_encrypted=is_encrypted,
        is_verified=origin.is_verified,
        failures=failures,
    )
    return stand_in(entry) if is_encrypted else entry


def after_append(
    entry: HeldEntry, messages: Sequence[Message], *, updated_ms: int, size_bytes: int, usage: Usage
) -> HeldEntry:
    """Return the entry after messages were added; the cost grows with these alone."""
    after = msgspec.structs.replace(
        entry,
        updated_ms=updated_ms,
        size_bytes=size_bytes,
        message_count=entry.message_count + len(messages),
        usage=usage,
    )
    if entry.is_encrypted:
        return after
    preview = entry.preview or _preview(messages)
    title = entry.title or _title("", preview)
    model = _last_model(messages) or entry.model
    if (preview, title, model) == (entry.preview, entry.title, entry.model):
        return after
    return msgspec.structs.replace(after, preview=preview, title=title, model=model)


def after_set(
    entry: HeldEntry, session: HeldSession, fields: Mapping[str, Any], *, updated_ms: int, size_bytes: int
) -> HeldEntry:
    """Return the entry after fields were set; ``session`` has their values.

    Where they are configuration or origin it must be whole, else nothing more of it is looked at.
    """
    if not _FOR_WHOLE.isdisjoint(fields):
        now = msgspec.structs.replace(session, updated_ms=updated_ms)
        return entry_of(now, size_bytes=size_bytes, is_encrypted=entry.is_encrypted, failures=entry.failures)
    changes: dict[str, Any] = {name: getattr(session, name) for name in fields if name in _TAKEN_AS_THEY_ARE}
    if "is_live" in fields:
        changes["state"] = "live" if session.is_live else "closed"
    if "title" in fields:
        changes["title"] = _title(session.title, entry.preview)
    if "project_path" in fields:
        changes["project_path"] = path_text(session.project_path)
    if "tags" in fields:
        changes["tags"] = tuple(map(_line, session.tags))
    if "context_files" in fields:
        changes["context_files"] = tuple(map(path_text, session.context_files))
    after = msgspec.structs.replace(entry, **changes, updated_ms=updated_ms, size_bytes=size_bytes)
    return stand_in(after) if entry.is_encrypted else after


def stand_in(entry: HeldEntry) -> HeldEntry:
    """Return what may be told of an encrypted session: nothing that anybody wrote."""
    return HeldEntry(**{name: getattr(entry, name) for name in _OF_ENCRYPTED} | {"title": ENCRYPTED_TITLE})


def _title(title: str, preview: str) -> str:
    return one_line(_storable(title), TITLE_LIMIT) or one_line(preview, TITLE_LIMIT)


def _preview(messages: Iterable[Message]) -> str:
    """Return the first thing the person wrote, on one line."""
    for message in messages:
        if message.role == "user":
            for block in message.blocks:
                if isinstance(block, Text) and (text := _line(block.text)):
                    return text
    return ""


def _last_model(messages: Sequence[Message]) -> str:
    """Return the model that spoke last, on one line."""
    for message in reversed(messages):
        if message.model and (model := _line(message.model)):
            return model
    return ""


def _line(text: str) -> str:
    return one_line(_storable(text), PREVIEW_LIMIT)


def _storable(text: str) -> str:
    """Return text without halves of characters, which no store takes."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
