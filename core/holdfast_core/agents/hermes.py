"""Hermes: a database of sessions, beside it documents and files of lines of the same sessions."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._databases import MixedAgent, Tables
from holdfast_core.agents._documents import read_document
from holdfast_core.agents._draft import Draft, Gathered
from holdfast_core.agents._fields import names
from holdfast_core.agents._files import directories
from holdfast_core.agents._hermes_session import Said, local_ms, take
from holdfast_core.agents._jsonl import LineFile
from holdfast_core.agents._lines import SessionReader, SessionState, Source
from holdfast_core.agents._parts import given, text_in
from holdfast_core.agents._reading import LineReader
from holdfast_core.agents._sqlite import Database
from holdfast_core.agents._values import PATH_LIMIT, count, moment_ms, text_of_name
from holdfast_core.agents.base import (
    Home,
    Reading,
    ResumeCommand,
    ResumeTarget,
    SessionRead,
    SourceRef,
    refuse_copy,
    refuse_subagent,
    safe_id,
)
from holdfast_core.model.message import Message
from holdfast_core.model.usage import Usage

_COLUMNS = (
    "source", "model", "model_config", "parent_session_id", "started_at", "ended_at", "end_reason", "title", "cwd",
    "git_branch", "archived", "billing_provider", "input_tokens", "output_tokens", "cache_read_tokens",
    "cache_write_tokens", "reasoning_tokens", "estimated_cost_usd", "actual_cost_usd",
)  # fmt: skip
_MESSAGE_COLUMNS = (
    "id", "role", "content", "tool_call_id", "tool_calls", "tool_name", "timestamp", "finish_reason", "reasoning",
    "reasoning_content",
)  # fmt: skip


class Hermes(MixedAgent):
    """Reads the database of each profile, and the documents and lines of sessions beside it."""

    id = "hermes"
    name = "Hermes"
    mark = "H"
    hue = 320
    program = "hermes"
    how_to_install = "https://hermes-agent.nousresearch.com/docs"
    patterns = (
        "state.db",
        "sessions/session_*.json",
        "sessions/*.jsonl",
        "profiles/*/state.db",
        "profiles/*/sessions/session_*.json",
        "profiles/*/sessions/*.jsonl",
    )
    listed = ("sessions.json",)
    session_table = "sessions"

    def roots(self, home: Home) -> list[Path]:
        return directories(home, ("HERMES_HOME",), ".hermes")

    def is_database(self, path: str) -> bool:
        return path.endswith(".db")

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        refuse_subagent(facts)
        refuse_copy(fork)
        return ResumeCommand((self.program, f"--resume={safe_id(facts.native_id)}"), needs_project=False)

    def reader(self, file: LineFile, source: Source) -> LineReader[Any]:
        return _Reader(file, source)

    # The database.

    def stamps(self, database: Database) -> dict[str, str]:
        sized = ("title", "end_reason", "input_tokens", "output_tokens", "actual_cost_usd", "archived")
        found = database.stamps("sessions", "id", sized=sized, latest=("ended_at", "started_at"))
        for name, stamp in database.stamps(
            "messages", "session_id", sized=("content", "tool_calls"), latest=("timestamp",)
        ).items():
            found[name] = found.get(name, "") + stamp
        return found

    def sessions_in(self, tables: Tables) -> list[SessionRead]:
        ends = {row[1]: row[2:] for row in tables.database.rows("sessions", ("id", "end_reason", "ended_at"))}
        said: dict[str, list[tuple[int, Any, Said]]] = {}
        for row, session, number, role, content, call, calls, tool, moment, reason, *thoughts in tables.rows(
            "messages", "session_id", _MESSAGE_COLUMNS
        ):
            message = Said(
                _text(role), _content(content), thoughts[0], thoughts[1], calls, _text(call), _text(tool), moment,
                _text(reason),
            )  # fmt: skip
            said.setdefault(session, []).append((row, number, message))
        found = []
        for _, session, *values in tables.rows("sessions", "id", _COLUMNS):
            facts = dict(zip(_COLUMNS, values, strict=True))
            found.append(self._session(tables, session, facts, said.pop(session, []), ends))
        for session, messages in said.items():  # its own row is gone or damaged
            found.append(self._session(tables, session, dict.fromkeys(_COLUMNS), messages, ends))
        return found

    def _session(
        self,
        tables: Tables,
        session: str,
        facts: dict[str, Any],
        said: list[tuple[int, Any, Said]],
        ends: dict[Any, tuple[Any, ...]],
    ) -> SessionRead:
        config = given(facts["model_config"])
        gathered = Gathered(session)
        _place(gathered, facts, config, ends)
        gathered.model, gathered.provider = _text(facts["model"]), _text(facts["billing_provider"])
        gathered.surface, gathered.branch = _text(facts["source"]), _text(facts["git_branch"])
        gathered.project_path = (_text(facts["cwd"]) or text_in(config, "cwd"))[:PATH_LIMIT]
        draft = Draft(gathered)
        for row, number, message in sorted(said, key=lambda one: (moment_ms(one[2].timestamp) or 0, one[0])):
            unknown = take(draft, message, str(number or row), row, is_subagent=gathered.kind == "subagent")
            if unknown:
                tables.count_unknown(unknown)
        _count(draft, facts)
        started, ended = moment_ms(facts["started_at"]), moment_ms(facts["ended_at"])
        updated = max((moment for moment in (started, ended, gathered.updated_ms) if moment), default=None)
        return draft.finish(
            agent=self.id,
            title=_text(facts["title"]),
            is_empty=not gathered.spoken_count,
            fallback_ms=tables.modified_ms,
            is_archived=bool(facts["archived"]),
            **{name: value for name, value in (("created_ms", started), ("updated_ms", updated)) if value is not None},
        )

    # Documents.

    def read_file(self, ref: SourceRef, home: Home) -> Reading:
        document = read_document(ref.path, _Document, root=self.root_of(ref.path, home))
        value: _Document = document.value
        stem = text_of_name(Path(ref.path).stem).removeprefix("session_")
        draft = Draft(Gathered(value.session_id or stem))
        gathered = draft.gathered
        gathered.model, gathered.surface = value.model or "", value.platform or ""
        gathered.project_path = (value.cwd or text_in(value.model_config, "cwd"))[:PATH_LIMIT]
        for number, message in enumerate(value.messages, 1):
            unknown = take(draft, message, f"message-{number}", 0)
            if unknown:
                document.count_unknown(unknown)
        moments = (("created_ms", local_ms(value.session_start)), ("updated_ms", local_ms(value.last_updated)))
        session = draft.finish(
            agent=self.id,
            title=value.title or "",
            is_empty=not gathered.spoken_count,
            fallback_ms=document.modified_ms,
            provider_data=document.provider_data(),
            **{name: moment for name, moment in moments if moment is not None},
        )
        return document.reading([session])


class _Document(msgspec.Struct):
    """A session as a whole, which is written anew with every turn."""

    session_id: str | None = None
    model: str | None = None
    platform: str | None = None
    title: str | None = None
    cwd: str | None = None
    session_start: Any = None
    last_updated: Any = None
    model_config: Any = None
    messages: list[Said] = []
    not_read: ClassVar = names("base_url conversation_tags message_count system_prompt tools")


class _Reader(SessionReader[Said, SessionState]):
    """Reads a file of messages, whose first line is a head."""

    record = Said
    state_kind = SessionState

    def take(self, record: Said) -> None:
        unknown = take(self.draft, record, f"line-{self.line}", self.line)
        if unknown:
            self.count_unknown(unknown)

    def facts(self) -> dict[str, Any]:
        return {"title": "", "is_empty": not self.draft.gathered.spoken_count}


def _place(gathered: Gathered, facts: dict[str, Any], config: Any, ends: dict[Any, tuple[Any, ...]]) -> None:
    """Say what a session is to its parent: its subagent, what goes on after a compaction, or a copy."""
    parent = _text(facts["parent_session_id"])
    if not parent or text_in(config, "_reset_from") == parent:
        return
    reason, ended = ends.get(parent, (None, None))
    started = facts["started_at"]
    follows = isinstance(started, int | float) and isinstance(ended, int | float) and started >= ended
    is_copy = text_in(config, "_branched_from") == parent or (reason in ("compression", "branched") and follows)
    if is_copy and text_in(config, "_delegate_from") != parent and facts["source"] != "tool":
        gathered.forked_from = parent
    else:
        gathered.kind, gathered.parent_id = "subagent", parent


def _count(draft: Draft, facts: dict[str, Any]) -> None:
    """Count the session's tokens, which are told of it as a whole; they stand on its last answer."""
    usage = Usage(
        count(facts["input_tokens"]),
        count(facts["output_tokens"]),
        count(facts["cache_read_tokens"]),
        count(facts["cache_write_tokens"]),
        count(facts["reasoning_tokens"]),
    )
    if not usage.total_tokens:
        return
    costs = [facts["actual_cost_usd"], facts["estimated_cost_usd"]]
    cost = next((float(one) for one in costs if isinstance(one, int | float) and 0 < one < 1e6), None)
    answers = [index for index, message in enumerate(draft.messages) if message.role == "assistant"]
    index = answers[-1] if answers else None
    gathered = draft.gathered
    draft.respond(
        gathered.native_id,
        usage,
        model=gathered.model,
        timestamp_ms=gathered.updated_ms,
        index=index,
        cost_usd=cost,
    )
    if index is not None:
        message: Message = draft.at(index)
        draft.put(index, msgspec.structs.replace(message, usage=usage))


def _content(value: Any) -> Any:
    """Return a content that is a list of parts decoded, a text as it is."""
    return given(value) if isinstance(value, str) and value.startswith('[{"type"') else value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


AGENT = Hermes()
