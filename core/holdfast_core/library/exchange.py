"""Held sessions made of an agent's session or of an exported JSON, and what such a JSON holds besides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from holdfast_core.errors import NotFound, SourceError, WrongUsage
from holdfast_core.export import json
from holdfast_core.export.document import iso_time, milliseconds
from holdfast_core.model.held import HELD_AGENT, HeldEntry, HeldSession, Origin, SessionConfig

if TYPE_CHECKING:
    from holdfast_core.model.annotation import Annotation
    from holdfast_core.model.session import Session, SessionEntry

KEY = "held"
"""Under which an exported JSON holds what only a held session has."""

_FILE_LIMIT_BYTES = 1 << 30
_TIMES = ("closed", "last_resumed")
_PLAIN = (
    "config", "origin", "title", "tags", "starred", "notes", "provider_data", "unknown", "unknown_in_messages",
    "cost_usd",
)  # fmt: skip
_BEGINNING_BYTES = 4096
_SHARED = (
    "id", "agent", "title", "preview", "project_path", "branch", "provider", "model", "created_ms", "updated_ms",
    "message_count", "usage", "cost_usd", "tags", "starred", "context_files", "size_bytes", "state", "parent_id",
)  # fmt: skip


def archived(session: Session, entry: SessionEntry, new_id: str) -> HeldSession:
    """Return a held copy of an agent's session, with what the person said of it."""
    facts = session.facts
    return HeldSession(
        id=new_id,
        title=entry.title,
        project_path=facts.project_path,
        created_ms=facts.created_ms or 0,
        updated_ms=facts.updated_ms or 0,
        config=SessionConfig(agent=facts.agent, provider=facts.provider, model=facts.model),
        messages=session.messages,
        todos=facts.todos,
        context_files=facts.context_files,
        files_accessed=facts.files_touched,
        usage=entry.usage,
        cost_usd=entry.cost_usd,
        tags=entry.tags,
        starred=entry.starred,
        notes=entry.note,
        provider_data=facts.provider_data,
        origin=Origin(
            kind="archived",
            agent=facts.agent,
            native_id=facts.native_id,
            source_path=entry.source_path,
            branch=facts.branch,
            parent_id=facts.parent_id,
        ),
    )


def row_of(entry: HeldEntry, path: str) -> SessionEntry:
    """Return the row of a held session as the store knows it, for an index that does not have it yet."""
    from holdfast_core.model.session import SessionEntry

    shared = {name: getattr(entry, name) for name in _SHARED}
    return SessionEntry(
        key=0,
        native_id=entry.id,
        kind="main",
        last_text="",
        summary="",
        agent_version="",
        prompt_count=0,
        note="",
        files_touched=(),
        todos=(),
        source_path=path,
        **shared,
    )


def extra_of(session: HeldSession) -> dict[str, Any]:
    """Return what an exported JSON holds of a held session besides what every session has."""
    plain = msgspec.to_builtins(session)
    extra = {name: plain[name] for name in _PLAIN}
    return {**extra, **{f"{name}_at": iso_time(plain[f"{name}_ms"]) for name in _TIMES}}


def is_exported(path: Path) -> bool:
    """Return whether a file begins as a JSON that Holdfast exported."""
    try:
        with path.open("rb") as file:
            return b'"holdfast.session"' in file.read(_BEGINNING_BYTES)
    except OSError:
        return False


def exported_files(path: Path) -> Iterator[Path]:
    """Yield the exported files at a path: itself, or those right in it.

    Raises:
        NotFound: nothing is there.
    """
    if not path.exists():
        raise NotFound("There is no such file or directory.", detail=str(path))
    found = sorted(path.glob("*.json")) if path.is_dir() else [path]
    yield from (one for one in found if one.is_file() and is_exported(one))


def imported(path: Path, new_id: Callable[[], str]) -> HeldSession:
    """Return the session in an exported JSON, under a new id.

    Raises:
        SourceError: it is damaged, too large, or of a newer version.
    """
    if path.stat().st_size > _FILE_LIMIT_BYTES:
        raise SourceError("This file is too large to be taken in.", reason="too_large")
    data = path.read_bytes()
    session, said = json.parse(data)
    document = msgspec.json.decode(data)
    try:
        made = _imported(session, said, document, new_id())
        msgspec.convert(msgspec.to_builtins(msgspec.structs.replace(made, messages=())), HeldSession)
        return made
    except (msgspec.ValidationError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise SourceError(
            "This file is damaged or no exported session.", reason="invalid", detail=str(error)
        ) from error


def _imported(session: Session, said: Annotation, document: dict[str, Any], new_id: str) -> HeldSession:
    facts = session.facts
    extra: dict[str, Any] = document.get(KEY) or {}
    origin = msgspec.convert(extra.get("origin") or _foreign_origin(session), Origin)
    agent = "" if facts.agent == HELD_AGENT else facts.agent
    config = {"agent": agent, "provider": facts.provider, "model": facts.model}
    return HeldSession(
        id=new_id,
        title=str(extra.get("title", said.title or facts.title)),
        project_path=facts.project_path,
        created_ms=facts.created_ms or 0,
        updated_ms=facts.updated_ms or 0,
        closed_ms=milliseconds(extra.get("closed_at")),
        last_resumed_ms=milliseconds(extra.get("last_resumed_at")),
        config=msgspec.convert(extra.get("config") or config, SessionConfig),
        messages=session.messages,
        todos=facts.todos,
        context_files=facts.context_files,
        files_accessed=facts.files_touched,
        usage=facts.usage,
        cost_usd=extra.get("cost_usd", facts.cost_usd),
        tags=tuple(extra.get("tags", said.tags)),
        starred=extra.get("starred", said.starred),
        notes=extra.get("notes", said.note),
        provider_data=extra.get("provider_data", facts.provider_data),
        origin=msgspec.structs.replace(origin, kind="imported", is_verified=True),
        unknown=extra.get("unknown", {}),
        unknown_in_messages=extra.get("unknown_in_messages", {}),
    )


def _foreign_origin(session: Session) -> dict[str, Any]:
    facts = session.facts
    return {
        "agent": facts.agent,
        "native_id": facts.native_id,
        "branch": facts.branch,
        "parent_id": facts.parent_id,
    }


def nothing_known(path: Path) -> WrongUsage:
    """Return the error for a place in which nothing can be taken in."""
    from holdfast_core.store.importing import importers

    names = " and ".join(kind.name for kind in importers().values())
    return WrongUsage(
        f"Nothing here can be taken in. Holdfast knows the sessions of {names}, and its own JSON exports.",
        detail=str(path),
    )
