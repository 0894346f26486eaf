"""Cursor's agent: transcripts of one JSON record a line below ``~/.cursor/projects``, and closed databases of chats."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._draft import Gathered
from holdfast_core.agents._fields import names
from holdfast_core.agents._files import directories
from holdfast_core.agents._json import shown
from holdfast_core.agents._jsonl import LineFile
from holdfast_core.agents._lines import LineAgent, SessionReader, SessionState, Source
from holdfast_core.agents._opaque import opaque_reading
from holdfast_core.agents._parts import base64_image, given, objects_in, text_in
from holdfast_core.agents._sqlite import private_copy
from holdfast_core.agents._values import datetime_ms, moment_ms, storable, text_of_name
from holdfast_core.agents._walk import subdirectories
from holdfast_core.agents.base import (
    Checkpoint,
    Home,
    Reading,
    ResumeCommand,
    ResumeTarget,
    SourceRef,
    refuse_copy,
    refuse_subagent,
    safe_id,
)
from holdfast_core.errors import SourceError
from holdfast_core.model.message import (
    Block,
    Error,
    Message,
    Role,
    Text,
    Thinking,
    Todo,
    TodoStatus,
    ToolCall,
    ToolResult,
)

_FOLDER = "agent-transcripts"
_CHATS = "chats"
_STORE = "store.db"
_INNER = "subagents"
_OPENS, _CLOSES = "<user_query>", "</user_query>"
_WRAPPED = re.compile(r"<([A-Za-z][\w-]*)(?:\s[^>]*)?>.*</\1>", re.DOTALL)
_OTHER_SIGNS = re.compile(r"[^A-Za-z0-9]+")
_PATHS = ("path", "file_path", "target_file", "working_directory", "target_directory", "cwd")
_EDITS = frozenset(("Write", "StrReplace", "Edit", "MultiEdit", "Delete", "EditNotebook", "write", "search_replace"))
_PLANS = frozenset(("TodoWrite", "todo_write"))
_STATUS: dict[str, TodoStatus] = {"in_progress": "in_progress", "completed": "completed"}
_TODOS_LIMIT = 200
_TITLE = 1000


class _Said(msgspec.Struct, gc=False):
    role: str | None = None
    content: Any = None
    created_at: datetime | None = None
    model: str | None = None


class _Record(msgspec.Struct, gc=False):
    role: str | None = None
    type: str | None = None
    id: str | None = None
    message: _Said | None = None
    timestamp: datetime | None = None
    model: str | None = None
    error: Any = None
    not_read: ClassVar = names("annotations conversation metadata status")


_NOTHING_SAID = _Said()


class _State(SessionState, array_like=True):
    """``todo_ids`` belong to the todos of the session, by which later calls change them.

    ``prompt`` is what a subagent was asked.
    """

    todo_ids: list[str] = msgspec.field(default_factory=list)
    prompt: str = ""


class Reader(SessionReader[_Record, _State]):
    """Reads a transcript, which tells little beside what was said."""

    record = _Record
    state_kind = _State

    def begun(self) -> Gathered:
        gathered = super().begun()
        folder = Path(self.source.path).parent
        if folder.name == _INNER:
            gathered.kind, gathered.parent_id = "subagent", text_of_name(folder.parent.name)
        return gathered

    def adopted(self) -> None:
        parts = Path(self.source.path).parts
        self._encoded = parts[parts.index(_FOLDER) - 1] if _FOLDER in parts else ""

    def facts(self) -> dict[str, Any]:
        return {"title": self.kept.prompt, "is_empty": self.kept.main.spoken_count == 0}

    def take(self, record: _Record) -> None:
        said = record.message or _NOTHING_SAID
        role = record.role or said.role or ""
        if role == "assistant":
            blocks, results = self._blocks(said.content)
            if results:
                self._add(record, said, "tool", results)
            if blocks:
                self._add(record, said, "assistant", blocks)
        elif role == "user":
            self._take_asked(record, said)
        elif record.type == "turn_ended":
            text = shown(record.error) if record.error else ""
            self._add(record, said, "system", [Error(text)] if text else [])
        else:
            self.count_unknown(record.type or f"role:{role}")
            blocks, _results = self._blocks(said.content)
            self._add(record, said, "system", blocks)

    def _take_asked(self, record: _Record, said: _Said) -> None:
        blocks, results = self._blocks(said.content)
        if results:
            self._add(record, said, "tool", results)
        context: list[Block] = []
        typed: list[Block] = []
        for block in blocks:
            if isinstance(block, Text):
                around, query = _parts(block.text)
                context += [Text(around)] if around else []
                typed += [Text(query)] if query else []
            else:
                typed.append(block)
        if context:
            self._add(record, said, "system", context)
        if self.kept.main.kind == "subagent":  # another session wrote it
            self.kept.prompt = self.kept.prompt or next((b.text[:_TITLE] for b in typed if isinstance(b, Text)), "")
            self._add(record, said, "system", typed)
        else:
            self._add(record, said, "user", typed)

    def _add(self, record: _Record, said: _Said, role: Role, blocks: list[Block]) -> None:
        if not blocks:
            return
        line, moment = self.line, record.timestamp or said.created_at
        milliseconds = None if moment is None else datetime_ms(moment)
        name = record.id or f"line-{line}"
        model = None
        if role == "assistant":
            model = record.model or said.model or None
            if model is not None:
                self.kept.main.model = model
        elif role != "user":
            name = f"{name}-{role}"
        self.draft.add(Message(name, role, tuple(blocks), milliseconds, None, model, None, line))

    def _blocks(self, content: Any) -> tuple[list[Block], list[Block]]:
        """Return the blocks of a message, and apart from them what tools gave back."""
        if isinstance(content, str):
            return ([Text(content)] if content else []), []
        blocks: list[Block] = []
        results: list[Block] = []
        for part in content if type(content) is list else ():
            if type(part) is not dict:
                continue
            kind = part.get("type")
            if kind == "text" and type(text := part.get("text")) is str and text:
                blocks.append(Text(text))
                continue
            if kind in ("tool_use", "tool_call"):
                blocks.append(self._call(part))
                continue
            text = text_in(part, "text", "thinking")
            if kind == "text":
                blocks += [Text(text)] if text else []
            elif kind in ("tool_result", "tool-result"):
                call_id = text_in(part, "tool_use_id", "toolCallId", "id")
                results.append(ToolResult(call_id, _result(part.get("content")), part.get("is_error") is True))
            elif kind == "image":
                source = part.get("source")
                blocks.append(base64_image(text_in(source, "media_type"), text_in(source, "data")))
            elif kind == "thinking" and text:
                blocks.append(Thinking(text))
            else:
                if kind not in ("thinking", "redacted_thinking"):
                    self.count_unknown(f"block:{kind}")
                blocks += [Text(text)] if text else []
        return blocks, results

    def _call(self, part: dict[str, Any]) -> ToolCall:
        name = part.get("name") or part.get("toolName") or ""
        call_id = part.get("id") or part.get("toolCallId") or ""
        if type(name) is not str or type(call_id) is not str:
            name, call_id = text_in(part, "name", "toolName"), text_in(part, "id", "toolCallId")
        arguments = part["input"] if "input" in part else part.get("args")
        arguments = storable(arguments) if type(arguments) is dict else given(arguments)
        main = self.kept.main
        if name in _EDITS or not main.project_path:
            path = text_in(arguments, *_PATHS)
            if name in _EDITS and path:
                self.draft.touch(path, 0, 0)
            if path and not main.project_path:
                main.project_path = _project(path, self._encoded)
        if name in _PLANS and isinstance(arguments, dict):
            self._plan(arguments)
        return ToolCall(call_id, name, arguments)

    def _plan(self, arguments: dict[str, Any]) -> None:
        kept = self.kept
        todos = kept.main.todos
        if arguments.get("merge") is not True:
            todos.clear()
            kept.todo_ids.clear()
        for step in objects_in(arguments.get("todos"))[:_TODOS_LIMIT]:
            name, content = str(step.get("id", "")), text_in(step, "content")
            status = _STATUS.get(text_in(step, "status"), "pending")
            if name in kept.todo_ids:
                place = kept.todo_ids.index(name)
                todos[place] = Todo(content or todos[place].content, status)
            elif content and len(todos) < _TODOS_LIMIT:
                kept.todo_ids.append(name)
                todos.append(Todo(content, status))


class CursorCli(LineAgent):
    """Reads the transcripts of Cursor's agent; those below ``subagents`` belong to the session above them."""

    id = "cursor_cli"
    name = "Cursor Agent"
    mark = "U"
    hue = 205
    program = "cursor-agent"
    how_to_install = "https://cursor.com/docs/cli/installation"
    beside = ("../../../chats/*/{stem}/store.db", "../../../../chats/*/{stem}/store.db")
    patterns = (
        f"*/{_FOLDER}/*.jsonl",
        f"*/{_FOLDER}/*/*.jsonl",
        f"*/{_FOLDER}/*/{_INNER}/*.jsonl",
    )

    def roots(self, home: Home) -> list[Path]:
        return [folder / inner for folder in directories(home, [], ".cursor") for inner in ("projects", _CHATS)]

    def patterns_in(self, root: Path) -> tuple[str, ...]:
        return (f"*/*/{_STORE}",) if root.name == _CHATS else self.patterns

    def key_of(self, path: str) -> str:
        if path.endswith(_STORE):
            return path
        file = Path(path).with_suffix("")
        return str(file.parent if file.name == file.parent.name else file)

    def is_source(self, path: str) -> bool:
        """Return whether a transcript is not also there in a folder of its own, and a chat not as a transcript."""
        file = Path(path)
        if file.name == _STORE:
            return not _has_transcript(file.parents[3] / "projects", file.parent.name)
        return file.parent.name != _FOLDER or not (file.with_suffix("") / file.name).is_file()

    def reader(self, file: LineFile, source: Source) -> Reader:
        return Reader(file, source)

    def read(self, ref: SourceRef, home: Home, *, checkpoint: Checkpoint | None = None) -> Reading:
        if not ref.path.endswith(_STORE):
            return super().read(ref, home, checkpoint=checkpoint)
        root = self.root_of(ref.path, home)
        head = _head(ref.path, root)
        known = Gathered(text_of_name(Path(ref.path).parent.name), model=text_in(head, "lastUsedModel"))
        known.created_ms = moment_ms(head.get("createdAt"))
        return opaque_reading(ref, root, "binary", known=known, title=text_in(head, "name"))

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        refuse_subagent(facts)
        refuse_copy(fork)
        return ResumeCommand((self.program, "--resume", safe_id(facts.native_id)), needs_project=True)


def _has_transcript(projects: Path, native_id: str) -> bool:
    folders = [Path(entry.path, _FOLDER) for entry in subdirectories(str(projects))]
    inner = Path(native_id, f"{native_id}.jsonl")
    return any((folder / inner).is_file() or (folder / inner.name).is_file() for folder in folders)


def _head(path: str, root: str) -> dict[str, Any]:
    """Return what a database tells of its chat, as JSON in hexadecimal digits; the chat itself is not understood."""
    try:
        with private_copy(path, root=root) as database:
            values = [value for _row, value in database.rows("meta", ("value",)) if isinstance(value, str)]
    except SourceError as error:
        if error.reason != "wrong_format":
            raise
        return {}
    for value in values:
        try:
            found = msgspec.json.decode(bytes.fromhex(value))
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return found
    return {}


def _parts(text: str) -> tuple[str, str]:
    """Return the context that the program put around a prompt, and the prompt."""
    queries, around, position = [], [], 0
    while (start := text.find(_OPENS, position)) >= 0:
        around.append(text[position:start])
        end = text.find(_CLOSES, start)
        queries.append(text[start + len(_OPENS) : end if end >= 0 else None].strip())
        position = end + len(_CLOSES) if end >= 0 else len(text)
    if queries:
        return "".join((*around, text[position:])).strip(), "\n\n".join(queries).strip()
    bare = text.strip()
    is_injected = bare.startswith("<") and _WRAPPED.fullmatch(bare) is not None
    return (bare, "") if is_injected else ("", text)


def _result(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(text_in(part, "text") for part in objects_in(content))
    return "" if content is None else shown(content)


def _encoded(path: str) -> str:
    return _OTHER_SIGNS.sub("-", path).strip("-")


def _project(path: str, encoded: str) -> str:
    """Return the directory above a path whose encoding is the folder's name; the name alone tells nothing."""
    if not encoded or len(path) > 4096 or not _encoded(path).startswith(encoded):
        return ""
    parts = re.split(r"[\\/]", path)
    for end in range(len(parts), 0, -1):
        folder = path[: len("/".join(parts[:end]))]
        if _encoded(folder) == encoded and (path.startswith("/") or ":" in parts[0]):
            return folder
    return ""


AGENT = CursorCli()
