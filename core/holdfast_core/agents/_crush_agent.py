"""A database of sessions in each project, as Crush keeps it, and the older program that it grew out of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._databases import DatabaseAgent, Tables
from holdfast_core.agents._draft import Draft, Gathered
from holdfast_core.agents._json import Forgiving
from holdfast_core.agents._parts import base64_image, given, image_at, objects_in, text_in
from holdfast_core.agents._sqlite import Database
from holdfast_core.agents._values import PATH_LIMIT, PREVIEW_LIMIT, count, moment_ms, one_line
from holdfast_core.agents.base import SessionRead
from holdfast_core.model.message import (
    Block,
    Compaction,
    Error,
    File,
    Message,
    Role,
    Text,
    Thinking,
    Todo,
    TodoStatus,
    ToolCall,
    ToolResult,
)
from holdfast_core.model.usage import Usage

_COLUMNS = (
    "parent_session_id", "title", "cost", "summary_message_id", "todos", "created_at", "updated_at", "archived_at",
)  # fmt: skip
_MESSAGE_COLUMNS = ("id", "role", "parts", "model", "provider", "is_summary_message", "created_at")
_UNTITLED = frozenset(("New Session", "Untitled Session", "New Agent Session", "Generate a title"))
_FAILED = frozenset(("error", "content_filter"))
_STATUS: dict[str, TodoStatus] = {"pending": "pending", "in_progress": "in_progress", "completed": "completed"}
_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "tool": "tool", "system": "system"}
_OPENING = b'{"parts":'


class _Part(msgspec.Struct):
    type: str | None = None
    data: Any = None


class _Parts(msgspec.Struct):
    """The parts of a message, which stand in their column as a list."""

    parts: list[_Part] = []


class _Row:
    """A message as it stands in its table."""

    def __init__(self, values: tuple[Any, ...]) -> None:
        self.row, _, self.id, self.role, self.data, self.model, self.provider, self.is_summary, created = values
        self.moment = moment_ms(created)


class CrushAgent(DatabaseAgent):
    """Reads the databases that a program keeps in its projects' ``folder``."""

    folder: ClassVar[str]
    database: ClassVar[str]
    session_table = "sessions"

    def patterns_in(self, root: Path) -> tuple[str, ...]:
        return (self.database,)

    def project_of(self, path: str) -> str:
        """Return the project that a database belongs to."""
        folder = Path(path).parent
        return str(folder.parent) if folder.name == self.folder else ""

    def stamps(self, database: Database) -> dict[str, str]:
        found = database.stamps("sessions", "id", sized=("title", "cost", "todos"), latest=("updated_at",))
        for name, stamp in database.stamps("messages", "session_id", sized=("parts",), latest=("updated_at",)).items():
            found[name] = found.get(name, "") + stamp
        return found

    def sessions_in(self, tables: Tables) -> list[SessionRead]:
        ids = {row[1] for row in tables.database.rows("sessions", ("id",))}
        messages: dict[str, list[_Row]] = {}
        for values in tables.rows("messages", "session_id", _MESSAGE_COLUMNS, raw=("parts",)):
            messages.setdefault(values[1], []).append(_Row(values))
        versions: dict[str, dict[str, int]] = {}
        for _, session, path in tables.rows("files", "session_id", ("path",)):
            paths = versions.setdefault(session, {})
            paths[path] = paths.get(path, 0) + 1
        rows = {row[1]: dict(zip(_COLUMNS, row[2:], strict=True)) for row in tables.rows("sessions", "id", _COLUMNS)}
        found = []
        for session in dict.fromkeys((*rows, *messages)):  # its own row may be gone or damaged
            builder = _Builder(self.id, session, rows.get(session, dict.fromkeys(_COLUMNS)), tables, ids)
            builder.take(messages.get(session, []))
            for path, times in versions.get(session, {}).items():
                if times > 1 and isinstance(path, str):  # the first is the file as it was
                    builder.draft.touch(path, 0, 0)
            found.append(builder.finish(self.project_of(tables.ref.path)))
        return found


class _Builder:
    """Makes one session."""

    def __init__(self, agent: str, session: str, facts: dict[str, Any], tables: Tables, ids: Iterable[Any]) -> None:
        self.draft = Draft(Gathered(session))
        gathered = self.draft.gathered
        parent = facts["parent_session_id"]
        if isinstance(parent, str) and parent:
            gathered.kind, gathered.parent_id = "subagent", parent
        self._agent, self._facts, self._tables = agent, facts, tables
        self._decoder = Forgiving(_Parts)
        self._ids = {str(name).rpartition("$$")[2]: str(name) for name in ids}
        self._paths: dict[str, str] = {}

    def take(self, rows: list[_Row]) -> None:
        """Add messages, in the order in which they were made."""
        for row in sorted(rows, key=lambda row: (row.moment or 0, row.row)):
            role = _ROLES.get(row.role)
            if role is None:
                self._tables.count_unknown(f"message/{row.role}")
                role = "system"
            data = _OPENING + row.data + b"}" if isinstance(row.data, bytes) and row.data else None
            decoded = self._tables.decoded(self._decoder, data, row.row, self.draft.gathered.native_id)
            if decoded is not None:
                self._take_message(row, role, decoded.parts)

    def _take_message(self, row: _Row, role: Role, parts: list[_Part]) -> None:
        gathered = self.draft.gathered
        model = row.model if isinstance(row.model, str) else ""
        if role == "assistant":
            gathered.model = model or gathered.model
            gathered.provider = row.provider if isinstance(row.provider, str) and row.provider else gathered.provider
        blocks: list[Block] = []
        hidden: list[Block] = []
        for part in parts:
            data = part.data if isinstance(part.data, dict) else {}
            (hidden if data.get("hidden") is True or part.type == "shell_command" else blocks).extend(
                self._blocks(part.type or "", data)
            )
        if row.is_summary or (row.id and row.id == self._facts["summary_message_id"]):
            role, blocks = "system", [Compaction("\n\n".join(one.text for one in blocks if isinstance(one, Text)))]
        if role == "user" and gathered.kind == "subagent":
            first = next((block.text for block in blocks if isinstance(block, Text)), "")
            gathered.preview = gathered.preview or one_line(first, PREVIEW_LIMIT)
            role = "system"
        name = row.id if isinstance(row.id, str) and row.id else f"row-{row.row}"
        said = model or None if role == "assistant" else None
        if blocks:
            self.draft.add(Message(name, role, tuple(blocks), row.moment, None, said, None, row.row))
        if hidden:
            self.draft.add(Message(f"{name}:context", "system", tuple(hidden), row.moment, None, None, None, row.row))

    def _blocks(self, kind: str, data: dict[str, Any]) -> list[Block]:
        make = _MAKERS.get(kind)
        if make is not None:
            return make(data)
        if kind == "tool_call":
            return [self._call(data)]
        if kind == "tool_result":
            return self._result(data)
        self._tables.count_unknown(f"part/{kind}")
        return []

    def _call(self, data: dict[str, Any]) -> Block:
        call_id, arguments = text_in(data, "id"), given(data.get("input"))
        path = text_in(arguments, "file_path", "path")
        if path:
            self._paths[call_id] = path
        child = self._ids.get(call_id)
        return ToolCall(call_id, text_in(data, "name"), arguments, f"{self._agent}:{child}" if child else None)

    def _result(self, data: dict[str, Any]) -> list[Block]:
        call_id = text_in(data, "tool_call_id")
        metadata = given(data.get("metadata"))
        if isinstance(metadata, dict) and call_id in self._paths:
            added, removed = count(metadata.get("additions")), count(metadata.get("removals"))
            if added or removed:
                self.draft.touch(self._paths[call_id], added, removed)
        blocks: list[Block] = [ToolResult(call_id, text_in(data, "content"), data.get("is_error") is True)]
        kind, content = text_in(data, "mime_type"), text_in(data, "data")
        return [*blocks, base64_image(kind, content)] if kind.startswith("image/") and content else blocks

    def finish(self, project: str) -> SessionRead:
        """Return the session. Its cost is told; its tokens are the last request's alone, mixed with the cache."""
        facts, gathered = self._facts, self.draft.gathered
        gathered.project_path = project[:PATH_LIMIT]
        gathered.todos = [
            Todo(text, _STATUS.get(text_in(item, "status"), "pending"), text_in(item, "active_form"))
            for item in objects_in(given(facts["todos"]))
            if (text := text_in(item, "content"))
        ]
        title = facts["title"] if isinstance(facts["title"], str) else ""
        created, updated = moment_ms(facts["created_at"]), moment_ms(facts["updated_at"])
        cost = facts["cost"]
        if isinstance(cost, int | float) and 0 < cost < 1e6:
            self.draft.respond(
                gathered.native_id,
                Usage(),
                model=gathered.model,
                timestamp_ms=updated,
                index=None,
                cost_usd=float(cost),
            )
        latest = max((moment for moment in (updated, gathered.updated_ms) if moment is not None), default=None)
        moments = (("created_ms", created), ("updated_ms", latest))
        return self.draft.finish(
            agent=self._agent,
            title="" if title in _UNTITLED else title,
            is_empty=not gathered.spoken_count,
            fallback_ms=self._tables.modified_ms,
            is_archived=bool(facts["archived_at"]),
            provider_data=self._tables.provider_data(gathered.native_id),
            **{name: moment for name, moment in moments if moment is not None},
        )


def _text(data: dict[str, Any]) -> list[Block]:
    return [Text(text_in(data, "text"))] if text_in(data, "text") else []


def _thinking(data: dict[str, Any]) -> list[Block]:
    thought = text_in(data, "thinking")
    return [Thinking(thought)] if thought or text_in(data, "signature", "thought_signature") else []


def _finish(data: dict[str, Any]) -> list[Block]:
    said = "\n".join(text for text in (text_in(data, "message"), text_in(data, "details")) if text)
    return [Error(said or text_in(data, "reason"))] if data.get("reason") in _FAILED else []


def _binary(data: dict[str, Any]) -> list[Block]:
    kind, path = text_in(data, "MIMEType", "mime_type"), text_in(data, "Path", "path")
    content = text_in(data, "Data", "data")
    return [base64_image(kind, content) if kind.startswith("image/") else File(path[:PATH_LIMIT], kind)]


def _image(data: dict[str, Any]) -> list[Block]:
    return [image_at(text_in(data, "url"))]


def _shell(data: dict[str, Any]) -> list[Block]:
    return [Text(f"$ {text_in(data, 'command')}\n{text_in(data, 'output')}")]


_MAKERS: dict[str, Callable[[dict[str, Any]], list[Block]]] = {
    "text": _text,
    "reasoning": _thinking,
    "finish": _finish,
    "binary": _binary,
    "image_url": _image,
    "shell_command": _shell,
}
