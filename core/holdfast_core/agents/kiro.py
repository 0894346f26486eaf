"""Kiro: the command line's database and its files of lines, and the documents of the editor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from holdfast_core.agents._databases import MixedAgent, Tables
from holdfast_core.agents._documents import read_document
from holdfast_core.agents._draft import Draft, Gathered
from holdfast_core.agents._files import directories
from holdfast_core.agents._json import Forgiving
from holdfast_core.agents._jsonl import LineFile, read_small
from holdfast_core.agents._kiro_session import Conversation, Entry, Line, take_entry, take_line, take_turn
from holdfast_core.agents._lines import SessionReader, SessionState, Source
from holdfast_core.agents._parts import text_in
from holdfast_core.agents._reading import LineReader
from holdfast_core.agents._sqlite import Database
from holdfast_core.agents._values import PATH_LIMIT, moment_ms, text_of_name
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
from holdfast_core.errors import Refused

_EDITOR = "kiro.kiroagent"
_SIDE_LIMIT = 16 << 20


class Kiro(MixedAgent):
    """Reads conversations of the command line's first two engines, and of the editor."""

    id = "kiro"
    name = "Kiro"
    mark = "K"
    hue = 275
    program = "kiro-cli"
    how_to_install = "https://kiro.dev/docs/cli/installation"
    beside = ("{stem}.json",)
    listed = ("sessions.json",)
    session_table = "conversations_v2"

    def roots(self, home: Home) -> list[Path]:
        data = directories(home, ("XDG_DATA_HOME",), ".local/share", "Library/Application Support")
        settings = directories(
            home, ("XDG_CONFIG_HOME", "APPDATA"), ".config", "Library/Application Support", "AppData/Roaming"
        )
        return [
            home.path / ".kiro",
            *(folder / "kiro-cli" for folder in data),
            *(folder / "Kiro" / "User" / "globalStorage" / _EDITOR for folder in settings),
        ]

    def patterns_in(self, root: Path) -> tuple[str, ...]:
        if root.name == ".kiro":
            return ("sessions/cli/*.jsonl",)
        return ("workspace-sessions/*/*.json",) if root.name == _EDITOR else ("data.sqlite3",)

    def is_source(self, path: str) -> bool:
        return Path(path).name != "sessions.json"

    def is_database(self, path: str) -> bool:
        return path.endswith(".sqlite3")

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        refuse_subagent(facts)
        if _EDITOR in facts.source_path:
            raise Refused("This session belongs to the editor and is continued there.")
        refuse_copy(fork)
        return ResumeCommand((self.program, "chat", f"--resume-id={safe_id(facts.native_id)}"), needs_project=True)

    def reader(self, file: LineFile, source: Source) -> LineReader[Any]:
        return _Reader(file, source)

    # The database.

    def stamps(self, database: Database) -> dict[str, str]:
        return database.stamps("conversations_v2", "conversation_id", sized=("value",), latest=("updated_at",))

    def sessions_in(self, tables: Tables) -> list[SessionRead]:
        decoder = Forgiving(Conversation)
        found: dict[str, tuple[int, SessionRead]] = {}
        for row, session, key, value, created, updated in tables.rows(
            "conversations_v2", "conversation_id", ("key", "value", "created_at", "updated_at"), raw=("value",)
        ):
            conversation = tables.decoded(decoder, value, row, session)
            if conversation is None:
                continue
            draft = Draft(Gathered(session))
            draft.gathered.project_path = key[:PATH_LIMIT] if isinstance(key, str) else ""
            draft.gathered.model = text_in(conversation.model_info, "model_id", "model_name")
            for number, turn in enumerate(conversation.history, 1):
                unknown = take_turn(draft, turn, number)
                if unknown:
                    tables.count_unknown(unknown)
            moments = (("created_ms", moment_ms(created)), ("updated_ms", moment_ms(updated)))
            read = draft.finish(
                agent=self.id,
                title="",
                is_empty=not draft.gathered.spoken_count,
                fallback_ms=tables.modified_ms,
                provider_data=tables.provider_data(session),
                **{name: moment for name, moment in moments if moment is not None},
            )
            when = moment_ms(updated) or 0
            if session not in found or found[session][0] <= when:  # the same one may stand under several directories
                found[session] = (when, read)
        return [read for _, read in found.values()]

    # The editor's documents.

    def read_file(self, ref: SourceRef, home: Home) -> Reading:
        document = read_document(ref.path, _Document, root=self.root_of(ref.path, home))
        value: _Document = document.value
        draft = Draft(Gathered(value.session_id or text_of_name(Path(ref.path).stem)))
        draft.gathered.model = value.selected_model or ""
        draft.gathered.project_path = (value.workspace_path or value.workspace_directory or "")[:PATH_LIMIT]
        draft.gathered.surface = "editor"
        for number, entry in enumerate(value.history, 1):
            unknown = take_entry(draft, entry, number)
            if unknown:
                document.count_unknown(unknown)
        session = draft.finish(
            agent=self.id,
            title=value.title or "",
            is_empty=not draft.gathered.spoken_count,
            fallback_ms=document.modified_ms,
            provider_data=document.provider_data(),
        )
        return document.reading([session])


class _Document(msgspec.Struct, rename="camel"):
    """A session of the editor."""

    session_id: str | None = None
    title: str | None = None
    workspace_path: str | None = None
    workspace_directory: str | None = None
    selected_model: str | None = None
    history: list[Entry] = []


class _Side(msgspec.Struct):
    """What stands beside a file of lines."""

    session_id: str | None = None
    cwd: str | None = None
    title: str | None = None
    created_at: Any = None
    updated_at: Any = None


class _Reader(SessionReader[Line, SessionState]):
    """Reads a file of lines; its title, directory and times stand in a document beside it."""

    record = Line
    state_kind = SessionState

    def take(self, record: Line) -> None:
        unknown = take_line(self.draft, record, self.line)
        if unknown:
            self.count_unknown(unknown)

    def facts(self) -> dict[str, Any]:
        data = read_small(self.source.path.removesuffix("l"), root=self.source.root, limit=_SIDE_LIMIT)
        try:
            side = msgspec.json.decode(data or b"{}", type=_Side)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            side = _Side()
        moments = (("created_ms", moment_ms(side.created_at)), ("updated_ms", moment_ms(side.updated_at)))
        return {
            "native_id": side.session_id or self.draft.gathered.native_id,
            "title": side.title or "",
            "project_path": (side.cwd or "")[:PATH_LIMIT],
            "is_empty": not self.draft.gathered.spoken_count,
        } | {name: moment for name, moment in moments if moment is not None}


AGENT = Kiro()
