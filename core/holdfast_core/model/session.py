"""A session: its facts, its messages, and what could not be read of it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from holdfast_core.model.message import Message, Todo
from holdfast_core.model.usage import Usage

SessionKind = Literal["main", "subagent"]
SessionState = Literal["archived", "live", "closed", "problem", "lost"]
Opaque = Literal["", "encrypted", "binary"]
TITLE_LIMIT = 200


class Problem(msgspec.Struct, frozen=True, gc=False):
    """A record that could not be read. ``reason`` is a short stable code, ``line`` is 1-based."""

    line: int
    reason: str


class FileTouched(msgspec.Struct, frozen=True, gc=False):
    """A file that the session's tools changed, with the lines added and removed where known."""

    path: str
    added: int = 0
    removed: int = 0


class SessionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of a session beside its messages. Times are milliseconds, UTC.

    ``native_id`` is the agent's own id, ``parent_id`` and ``forked_from`` are
    native ids of the same agent. ``project_path`` is the directory in which
    the agent must be started to resume. ``preview`` is the first thing the
    person wrote, ``last_text`` what was said last. ``title`` follows the
    agent's own precedence and is never empty if anything was said.
    ``is_empty`` marks a file without any conversation: kept out of lists.
    ``has_error`` is True for an error in the conversation and for a tool that failed.
    ``is_archived`` says that the agent itself has put the session away.
    ``is_held`` says that Holdfast itself keeps the session: then ``native_id``
    is its UUID and ``agent`` the one that it came from, if any did; ``is_live``
    that it is open there.
    ``lost_messages`` are gone at the source and stand here from the vault; with
    ``is_gone`` the source itself is. ``damage`` is what became of the source,
    a reason of the vault: truncated, zeroed, corrupted, rewritten, deleted, replaced.
    """

    agent: str
    native_id: str
    kind: SessionKind = "main"
    title: str = ""
    summary: str = ""
    preview: str = ""
    last_text: str = ""
    project_path: str = ""
    branch: str = ""
    provider: str = ""
    model: str = ""
    agent_version: str = ""
    surface: str = ""
    created_ms: int | None = None
    updated_ms: int | None = None
    message_count: int = 0
    prompt_count: int = 0
    usage: Usage = Usage()
    cost_usd: float | None = None
    parent_id: str | None = None
    forked_from: str | None = None
    is_empty: bool = False
    is_archived: bool = False
    is_held: bool = False
    is_live: bool = False
    is_gone: bool = False
    lost_messages: int = 0
    damage: str = ""
    has_error: bool = False
    has_image: bool = False
    todos: tuple[Todo, ...] = ()
    files_touched: tuple[FileTouched, ...] = ()
    context_files: tuple[str, ...] = ()
    provider_data: dict[str, Any] = {}

    @property
    def id(self) -> str:
        """The id by which every command, link and list names this session."""
        return self.native_id if self.is_held else f"{self.agent}:{self.native_id}"


class SessionEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a list: facts from the index joined with what the person said of the session.

    ``key`` is the row's integer in the index of this moment, never stored.
    ``title`` is the person's own where there is one. ``is_gone``,
    ``lost_messages`` and ``damage`` are as in the facts. ``opaque`` says why nobody but its agent can read it.
    """

    key: int
    id: str
    agent: str
    native_id: str
    kind: SessionKind
    title: str
    preview: str
    last_text: str
    summary: str
    project_path: str
    branch: str
    provider: str
    model: str
    agent_version: str
    created_ms: int | None
    updated_ms: int | None
    message_count: int
    prompt_count: int
    usage: Usage
    cost_usd: float | None
    tags: tuple[str, ...]
    starred: bool
    note: str
    context_files: tuple[str, ...]
    files_touched: tuple[FileTouched, ...]
    todos: tuple[Todo, ...]
    size_bytes: int
    state: SessionState
    parent_id: str | None
    source_path: str
    problem_count: int = 0
    subagent_count: int = 0
    is_gone: bool = False
    lost_messages: int = 0
    damage: str = ""
    opaque: Opaque = ""


class Session(msgspec.Struct, frozen=True):
    """A whole session as it was read. Messages stand in the order of the conversation."""

    facts: SessionFacts
    messages: tuple[Message, ...]
    problems: tuple[Problem, ...] = ()
    unknown_records: dict[str, int] = {}

    @property
    def id(self) -> str:
        """See `SessionFacts.id`."""
        return self.facts.id
