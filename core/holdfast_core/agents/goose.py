"""Goose: a database of sessions, and before 1.10 a file of lines for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from holdfast_core.agents._databases import MixedAgent, Tables
from holdfast_core.agents._draft import Draft, Gathered
from holdfast_core.agents._files import directories
from holdfast_core.agents._goose_session import Part, Said, take
from holdfast_core.agents._json import Forgiving
from holdfast_core.agents._jsonl import LineFile
from holdfast_core.agents._lines import SessionReader, SessionState, Source
from holdfast_core.agents._parts import given, objects_in, text_in
from holdfast_core.agents._reading import LineReader
from holdfast_core.agents._sqlite import Database
from holdfast_core.agents._values import PATH_LIMIT, count, moment_ms
from holdfast_core.agents.base import Home, ResumeCommand, ResumeTarget, SessionRead, refuse_subagent, safe_id
from holdfast_core.model.message import Todo
from holdfast_core.model.usage import Usage

_COLUMNS = (
    "name", "description", "user_set_name", "session_type", "working_dir", "created_at", "updated_at",
    "extension_data", "accumulated_input_tokens", "accumulated_output_tokens", "accumulated_cache_read_tokens",
    "accumulated_cache_write_tokens", "accumulated_cost", "provider_name", "model_config_json", "parent_session_id",
    "archived_at",
)  # fmt: skip
_LEDGER_COLUMNS = (
    "id", "created_timestamp", "model", "input_tokens", "output_tokens", "total_tokens", "cache_read_tokens",
    "cache_write_tokens", "cost",
)  # fmt: skip
_UNTITLED = frozenset(("CLI Session", "New session", "New Chat"))
_SUBAGENTS = frozenset(("sub_agent", "subagent"))
_OPENING = b'{"parts":'


class _Parts(msgspec.Struct):
    parts: list[Part] = []


class Goose(MixedAgent):
    """Reads the database and the files of lines that were there before it."""

    id = "goose"
    name = "Goose"
    mark = "D"
    hue = 100
    program = "goose"
    how_to_install = "https://goose-docs.ai/docs/getting-started/installation"
    patterns = ("sessions/sessions.db", "sessions/*.jsonl")
    session_table = "sessions"

    def roots(self, home: Home) -> list[Path]:
        moved = [folder / "data" for folder in directories(home, ("GOOSE_PATH_ROOT",))]
        data = [folder / "goose" for folder in directories(home, ("XDG_DATA_HOME",), ".local/share")]
        usual = directories(home, (), "AppData/Roaming/Block/goose/data", ".config/goose")
        return list(dict.fromkeys([*moved, *data, *usual]))

    def is_database(self, path: str) -> bool:
        return path.endswith(".db")

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        refuse_subagent(facts)
        command = (self.program, "session", "--resume", f"--session-id={safe_id(facts.native_id)}")
        return ResumeCommand((*command, "--fork") if fork else command, needs_project=False)

    def reader(self, file: LineFile, source: Source) -> LineReader[Any]:
        return _Reader(file, source)

    def stamps(self, database: Database) -> dict[str, str]:
        found = database.stamps("sessions", "id", sized=("name", "extension_data"), latest=("updated_at",))
        for table, sized in (("messages", "content_json"), ("usage_ledger", "model")):
            for name, stamp in database.stamps(table, "session_id", sized=(sized,), latest=()).items():
                found[name] = found.get(name, "") + stamp
        return found

    def sessions_in(self, tables: Tables) -> list[SessionRead]:
        decoder = Forgiving(_Parts)
        said: dict[str, list[tuple[int, str, Said]]] = {}
        for row, session, number, name, role, content, created, metadata in tables.rows(
            "messages",
            "session_id",
            ("id", "message_id", "role", "content_json", "created_timestamp", "metadata_json"),
            raw=("content_json",),
        ):
            data = _OPENING + content + b"}" if isinstance(content, bytes) and content else None
            parts = tables.decoded(decoder, data, row, session)
            if parts is not None:
                message = Said(number, _text(role), parts.parts, created, given(metadata))
                said.setdefault(session, []).append((row, _text(name) or str(number or row), message))
        ledger: dict[str, list[tuple[Any, ...]]] = {}
        for _, session, *values in tables.rows("usage_ledger", "session_id", _LEDGER_COLUMNS):
            ledger.setdefault(session, []).append(tuple(values))
        rows = {row[1]: dict(zip(_COLUMNS, row[2:], strict=True)) for row in tables.rows("sessions", "id", _COLUMNS)}
        nothing = dict.fromkeys(_COLUMNS)
        return [
            _session(self.id, tables, name, _Found(rows.get(name, nothing), said.get(name, []), ledger.get(name, [])))
            for name in dict.fromkeys((*rows, *said))  # a session's own row may be gone or damaged
        ]


class _Found(NamedTuple):
    """What the tables hold of one session."""

    facts: dict[str, Any]
    said: list[tuple[int, str, Said]]
    ledger: list[tuple[Any, ...]]


def _session(agent: str, tables: Tables, session: str, found: _Found) -> SessionRead:
    facts, said, ledger = found
    gathered = Gathered(session)
    draft = Draft(gathered)
    gathered.project_path = _text(facts["working_dir"])[:PATH_LIMIT]
    gathered.model = text_in(given(facts["model_config_json"]), "model_name", "model")
    gathered.provider = _text(facts["provider_name"])
    parent = _text(facts["parent_session_id"])
    if facts["session_type"] in _SUBAGENTS or parent:
        gathered.kind, gathered.parent_id = "subagent", parent or None
    for row, name, message in sorted(said, key=lambda one: (moment_ms(one[2].created) or 0, one[0])):
        for unknown in take(draft, message, name, row, is_subagent=gathered.kind == "subagent"):
            tables.count_unknown(unknown)
    for values in ledger:
        number, created, model, given_tokens, output, total, read, write, cost = values
        usage = _usage(given_tokens, output, total, read, write)
        _respond(draft, f"{session}:{number}", usage, (_text(model), moment_ms(created)), cost)
    if not ledger:
        accumulated = [facts[f"accumulated_{name}_tokens"] for name in ("input", "output", "cache_read", "cache_write")]
        usage = Usage(*map(count, accumulated))
        _respond(draft, session, usage, (gathered.model, moment_ms(facts["updated_at"])), facts["accumulated_cost"])
    gathered.todos = _todos(given(facts["extension_data"]))
    name = _text(facts["name"])
    title = name if name not in _UNTITLED else ""
    created, updated = moment_ms(facts["created_at"]), moment_ms(facts["updated_at"])
    latest = max((moment for moment in (updated, gathered.updated_ms) if moment is not None), default=None)
    moments = (("created_ms", created), ("updated_ms", latest))
    return draft.finish(
        agent=agent,
        title=(title if facts["user_set_name"] else _text(facts["description"]) or title),
        is_empty=not gathered.spoken_count,
        fallback_ms=tables.modified_ms,
        is_archived=bool(facts["archived_at"]),
        provider_data=tables.provider_data(session),
        **{name: moment for name, moment in moments if moment is not None},
    )


def _usage(given_tokens: Any, output: Any, total: Any, read: Any, write: Any) -> Usage:
    """Return the tokens of a request; whether the cache is part of the input shows in the total."""
    own, cached = count(given_tokens), count(read) + count(write)
    if cached and own >= cached and count(total) == own + count(output):
        own -= cached
    return Usage(own, count(output), count(read), count(write))


def _respond(draft: Draft, key: str, usage: Usage, source: tuple[str, int | None], cost: Any) -> None:
    """Count a request to a model at some moment; it stands on the answer that was last then, which may have others."""
    model, moment = source
    paid = float(cost) if isinstance(cost, int | float) and 0 < cost < 1e6 else None
    if not usage.total_tokens and paid is None:
        return
    answers = [index for index, message in enumerate(draft.messages) if message.role == "assistant"]
    before = [index for index in answers if moment is None or (draft.at(index).timestamp_ms or 0) <= moment]
    model = model or draft.gathered.model
    is_new = draft.respond(key, usage, model=model, timestamp_ms=moment, index=None, cost_usd=paid)
    if is_new and answers:
        index = (before or answers)[-1]
        message = draft.at(index)
        draft.put(index, msgspec.structs.replace(message, usage=(message.usage or Usage()) + usage))


def _todos(extensions: Any) -> list[Todo]:
    """Return the plan, which is kept as a list in Markdown."""
    kept = extensions.get("todo.v0") if isinstance(extensions, dict) else None
    steps = []
    for line in text_in(kept, "content").splitlines():
        mark, _, text = line.strip().removeprefix("- ").removeprefix("* ").partition("] ")
        if mark in ("[ ", "[x", "[X", "[-") and text:
            steps.append(Todo(text, "completed" if mark in ("[x", "[X") else "pending"))
    return steps or [Todo(text) for item in objects_in(kept) if (text := text_in(item, "content"))]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


class _State(SessionState):
    description: str = ""


class _Reader(SessionReader[Said, _State]):
    """Reads an older file, whose first line tells of the session."""

    record = Said
    state_kind = _State

    def take(self, record: Said) -> None:
        if record.role is None and not record.content:
            main = self.kept.main
            main.project_path = (record.working_dir or "")[:PATH_LIMIT] or main.project_path
            self.kept.description = record.description or self.kept.description
            return
        name = record.id if isinstance(record.id, str) and record.id else f"line-{self.line}"
        for unknown in take(self.draft, record, name, self.line):
            self.count_unknown(unknown)

    def facts(self) -> dict[str, Any]:
        return {"title": self.kept.description, "is_empty": not self.draft.gathered.spoken_count}


AGENT = Goose()
