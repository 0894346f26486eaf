"""A held session: written by Holdfast itself, created here, imported, forked or archived from an agent."""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple

import msgspec

from holdfast_core.model.message import Message, Todo
from holdfast_core.model.session import FileTouched
from holdfast_core.model.usage import Usage

SCHEMA_VERSION = 4
HELD_AGENT = "holdfast"
"""The agent under which a held session stands in lists if no agent's session is its origin."""

_UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def is_held_id(session_id: str) -> bool:
    """Return whether this is the id of a held session: a UUID v4 in lower case, nothing else."""
    return _UUID4.fullmatch(session_id) is not None


class SessionConfig(msgspec.Struct, frozen=True, kw_only=True):
    """With what a session goes on. ``options`` are the agent's own, opaque."""

    agent: str = ""
    provider: str = ""
    model: str = ""
    mode: str = ""
    options: dict[str, Any] = {}


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a held session came from. ``kind`` says how.

    ``is_verified`` is False for an import whose signature could not be
    checked: such a session is read-only until the person adopts it.
    """

    kind: Literal["created", "forked", "archived", "imported"] = "created"
    agent: str = ""
    native_id: str = ""
    source_path: str = ""
    branch: str = ""
    parent_id: str | None = None
    is_verified: bool = True


class HeldSession(msgspec.Struct, frozen=True, kw_only=True):
    """The whole document. Times are milliseconds, UTC.

    ``is_live`` is set while a live host has the session open: found set at a
    start without a host, it was cut off and is offered for recovery.
    ``unknown`` are fields of the document that this version does not know,
    ``unknown_in_messages`` the same of single messages by their ids (a later
    one of the same id: the id, NUL, how many came before): kept and written
    back.
    """

    id: str
    title: str = ""
    project_path: str = ""
    created_ms: int = 0
    updated_ms: int = 0
    closed_ms: int | None = None
    last_resumed_ms: int | None = None
    is_live: bool = False
    config: SessionConfig = SessionConfig()
    messages: tuple[Message, ...] = ()
    todos: tuple[Todo, ...] = ()
    context_files: tuple[str, ...] = ()
    files_accessed: tuple[FileTouched, ...] = ()
    usage: Usage = Usage()
    cost_usd: float | None = None
    tags: tuple[str, ...] = ()
    starred: bool = False
    notes: str = ""
    provider_data: dict[str, Any] = {}
    origin: Origin = Origin()
    schema_version: int = SCHEMA_VERSION
    unknown: dict[str, Any] = {}
    unknown_in_messages: dict[str, dict[str, Any]] = {}


class Version(NamedTuple):
    """Which state of a held session somebody knows: how often it was written whole, and the records since then."""

    generation: int
    sequence: int


class HeldEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a list needs of a held session without opening it. Times are milliseconds, UTC.

    ``agent`` is that of the configuration, else of the origin, else
    `HELD_AGENT`. ``failures`` counts restores that failed one after the other.
    Of an encrypted session only id, times, counts, size and state are kept;
    its title is a stand-in.
    """

    id: str
    title: str = ""
    preview: str = ""
    project_path: str = ""
    branch: str = ""
    agent: str = HELD_AGENT
    provider: str = ""
    model: str = ""
    created_ms: int = 0
    updated_ms: int = 0
    closed_ms: int | None = None
    last_resumed_ms: int | None = None
    message_count: int = 0
    usage: Usage = Usage()
    cost_usd: float | None = None
    tags: tuple[str, ...] = ()
    starred: bool = False
    context_files: tuple[str, ...] = ()
    size_bytes: int = 0
    state: Literal["live", "closed", "archived", "problem"] = "closed"
    parent_id: str | None = None
    is_encrypted: bool = False
    is_verified: bool = True
    failures: int = 0
