"""Makes a session of the records of Gemini CLI: the last record of an id counts, and the file may take back."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import msgspec

from holdfast_core.agents._draft import Gathered, digest
from holdfast_core.agents._gemini_records import (
    SUMMARY,
    Record,
    ToolUse,
    blocks_of,
    changed_lines,
    is_command,
    is_injected,
    parts_of,
    result_of,
)
from holdfast_core.agents._jsonl import read_small
from holdfast_core.agents._lines import SessionReader, SessionState, Source
from holdfast_core.agents._values import PATH_LIMIT, PREVIEW_LIMIT, moment_ms, one_line, storable
from holdfast_core.model.message import (
    Block,
    Compaction,
    Error,
    Message,
    Text,
    Thinking,
    Todo,
    TodoStatus,
    ToolCall,
    ToolResult,
)

_IDS_LIMIT = 1024
_HASH = re.compile(r"[0-9a-f]{64}")
_PATH_ARGUMENTS = ("file_path", "absolute_path", "path", "dir_path", "directory")
_FOLDERS_LIMIT = 2000
_TODO_TOOLS = ("write_todos", "todo_write")


class State(SessionState, array_like=True):
    """What must last. ``ids`` are where the latest records stand: index, number of messages, whether a person wrote."""

    ids: dict[bytes, tuple[int, int, bool]] = msgspec.field(default_factory=dict)
    is_forgetful: bool = False
    has_head: bool = False
    project_hash: str = ""
    project: str = ""
    summary: str = ""
    asked: str = ""


class Reader(SessionReader[Record, State]):
    """Reads one session, by lines or as a document."""

    record = Record
    state_kind = State

    def adopted(self) -> None:
        self._tried: set[str] = set()

    def begun(self) -> Gathered:
        parent = Path(self.source.path).parent
        if parent.parent.name == "chats":
            return Gathered(self.source.stem, kind="subagent", parent_id=parent.name)
        return Gathered(self.source.stem, provider="google" if self.source.agent == "gemini" else "")

    def take(self, record: Record) -> None:
        if record.rewind_to is not None:
            self._rewind(record.rewind_to)
        elif record.patch is not None:
            self._patch(record.patch)
        elif record.id is not None or record.role is not None:
            self._take_message(record)
        elif record.session_id is not None or record.messages is not None or record.history is not None:
            self.take_document(record)
        elif record.type is not None:
            self._take_message(record)
        else:
            self.count_unknown("none")

    def take_document(self, record: Record, *, is_numbered: bool = False) -> None:
        """Take in the head of a session, with its messages where they stand within it."""
        self._take_head(record)
        for number, inner in enumerate(record.messages or record.history or (), 1):
            if is_numbered:
                self.line = number
            self._take_message(inner)

    def _take_head(self, record: Record) -> None:
        kept, main = self.kept, self.kept.main
        if record.session_id and not kept.has_head:
            self.name(record.session_id[:PREVIEW_LIMIT])
            kept.has_head = True
        for moment in (moment_ms(record.start_time), moment_ms(record.last_updated)):
            if moment is not None:
                main.created_ms = moment if main.created_ms is None else min(main.created_ms, moment)
                main.updated_ms = moment if main.updated_ms is None else max(main.updated_ms, moment)
        if record.kind == "subagent":
            main.kind = "subagent"
        kept.project_hash = record.project_hash or kept.project_hash
        kept.summary = one_line(record.summary or "", PREVIEW_LIMIT) or kept.summary
        for folder in record.directories or ():
            self._try_project(folder)

    def _patch(self, patch: Record) -> None:
        self._take_head(patch)
        if patch.messages is not None:
            self._forget_from(0)
            for inner in patch.messages:
                self._take_message(inner)

    # Messages: replaced by a later record with their id, taken back by a rewind.

    def _rewind(self, to: str) -> None:
        found = self.kept.ids.get(digest(to))
        if found is not None:
            self._forget_from(found[0])
        elif not self.kept.is_forgetful:  # as the agent does
            self._forget_from(0)

    def _forget_from(self, index: int) -> None:
        ids = self.kept.ids
        gone = [mark for mark, place in ids.items() if place[0] >= index]
        prompts = sum(ids.pop(mark)[2] for mark in gone)
        self.draft.cut(index)
        main = self.kept.main
        main.prompt_count = 0 if index == 0 else main.prompt_count - prompts

    def _take_message(self, record: Record) -> None:
        messages = self._messages(record)
        is_prompt = any(message.role == "user" for message in messages)
        mark = digest(messages[0].id)
        ids = self.kept.ids
        known = ids.get(mark)
        if known is None:
            ids[mark] = (self.draft.next_index, len(messages), is_prompt)
            for message in messages:
                self.draft.add(message)
            if len(ids) > _IDS_LIMIT:
                del ids[next(iter(ids))]
                self.kept.is_forgetful = True
        elif known[0] + known[1] == self.draft.next_index:  # the last one, which is usual: it grew
            self.draft.cut(known[0])
            self.kept.main.prompt_count -= known[2]
            ids[mark] = (known[0], len(messages), is_prompt)
            for message in messages:
                self.draft.add(message)
        else:
            self._replace(mark, known, messages, is_prompt=is_prompt)

    def _replace(self, mark: bytes, known: tuple[int, int, bool], messages: list[Message], *, is_prompt: bool) -> None:
        draft, ids, main = self.draft, self.kept.ids, self.kept.main
        index, length, was_prompt = known
        draft.at(index)
        place = index - draft.base
        draft.messages[place : place + length] = messages
        longer = len(messages) - length
        main.count += longer
        main.prompt_count += is_prompt - was_prompt
        blocks = [block for message in messages for block in message.blocks]
        main.has_error = main.has_error or any(
            isinstance(block, Error) or (isinstance(block, ToolResult) and block.is_error) for block in blocks
        )
        if longer:
            ids |= {other: (at + longer, many, was) for other, (at, many, was) in ids.items() if at > index}
        ids[mark] = (index, len(messages), is_prompt)

    def _messages(self, record: Record) -> list[Message]:
        """Return what a record says: a message, followed by the results of its tools."""
        kind = record.type or record.role or ""
        moment = moment_ms(record.timestamp if record.timestamp is not None else record.ts)
        name = record.id or f"line-{self.line}"
        parts = parts_of(record.content) or record.parts or []
        if kind == "user":
            return [self._from_person(record, blocks_of(parts), name, moment)]
        if kind in ("gemini", "model", "assistant", self.source.agent):
            return self._from_model(record, blocks_of(parts), name, moment)
        blocks = blocks_of(parts)
        if kind == "error":
            blocks = [Error(block.text) if isinstance(block, Text) else block for block in blocks]
        elif kind not in ("info", "warning", "system"):
            self.count_unknown(kind)
        return [self.message("system", blocks, moment, id=name)]

    def _from_person(self, record: Record, blocks: list[Block], name: str, moment: int | None) -> Message:
        typed = blocks_of(parts_of(record.display_content))
        if typed:
            blocks = [*typed, *(block for block in blocks if not isinstance(block, Text))]
        if blocks and all(isinstance(block, ToolResult) for block in blocks):
            return self.message("tool", blocks, moment, id=name)
        texts = [block.text for block in blocks if isinstance(block, Text)]
        first = next((text for text in texts if text.strip()), "")
        if first.lstrip().startswith(SUMMARY):
            return self.message("system", [Compaction("\n".join(texts))], moment, id=name)
        if self.kept.main.kind == "subagent":
            self.kept.asked = self.kept.asked or one_line(first, PREVIEW_LIMIT)
            return self.message("system", blocks, moment, id=name)
        if is_injected(first):
            return self.message("system", blocks, moment, id=name)
        for block in blocks:
            if not isinstance(block, Text) and (path := getattr(block, "path", "")):
                self.draft.mention(path)
        if not self.kept.asked and first and not is_command(first):
            self.kept.asked = one_line(first, PREVIEW_LIMIT)
        return self.message("user", blocks, moment, id=name)

    def _from_model(self, record: Record, said: list[Block], name: str, moment: int | None) -> list[Message]:
        main = self.kept.main
        blocks: list[Block] = [
            Thinking("\n".join(text for text in (thought.subject, thought.description) if text))
            for thought in record.thoughts or ()
        ]
        blocks += said
        called = {block.call_id for block in said if isinstance(block, ToolCall) and block.call_id}
        results: list[Block] = []
        for use in record.tool_calls or ():
            blocks += self._call(use, called)
            result = result_of(use)
            if result is not None:
                results.append(result)
        if record.model:
            main.model = record.model
        usage = record.tokens.usage() if record.tokens is not None else None
        if usage is not None and usage.total_tokens:
            key = record.id or f"{main.native_id}:{self.line}"
            self.draft.respond(key, usage, model=record.model or "", timestamp_ms=moment, index=None)
        else:
            usage = None
        found = [self.message("assistant", blocks, moment, id=name, model=record.model, usage=usage)]
        if results:
            found.append(self.message("tool", results, moment, id=f"{name}:results", parent=name))
        return found

    def _call(self, use: ToolUse, called: set[str]) -> list[Block]:
        arguments = use.args if isinstance(use.args, dict) else {}
        changed = changed_lines(use)
        if changed is not None and use.status == "success":
            self.draft.touch(*changed)
        if use.name in _TODO_TOOLS and isinstance(arguments.get("todos"), list):
            self.kept.main.todos = _todos(arguments["todos"])
        for argument in _PATH_ARGUMENTS:
            if isinstance(arguments.get(argument), str):
                self._try_project(arguments[argument])
        if use.id in called:
            return []
        child = f"{self.source.agent}:{use.agent_id}" if use.agent_id else None
        return [ToolCall(use.id or "", use.name or "", storable(use.args), child)]

    # The project, of which older files hold only a hash.

    def _try_project(self, path: str) -> None:
        """Find the project among the directories that a path goes through."""
        wanted = self.kept.project_hash or project_folder(self.source)
        if self.kept.project or not _HASH.fullmatch(wanted) or len(path) > PATH_LIMIT:
            return
        separator = "\\" if "\\" in path and "/" not in path else "/"
        while path and path not in self._tried and len(self._tried) < _FOLDERS_LIMIT:
            self._tried.add(path)
            if hashlib.sha256(path.encode("utf-8", "replace")).hexdigest() == wanted:
                self.kept.project = path
            path = path.rpartition(separator)[0]

    def facts(self) -> dict[str, Any]:
        kept = self.kept
        spoken = kept.main.spoken_count
        return {
            "title": kept.summary or kept.asked,
            "summary": kept.summary,
            "is_empty": not spoken or not self.draft.next_index,
            "project_path": registered_project(self.source, kept.project_hash) or kept.project,
            "preview": kept.asked or kept.main.preview or kept.main.first_text,
        }


def _todos(listed: list[Any]) -> list[Todo]:
    found = []
    for item in listed[:200]:
        if isinstance(item, dict):
            text = item.get("description", item.get("content"))
            status: TodoStatus = "pending"
            if item.get("status") in ("in_progress", "completed"):
                status = item["status"]
            if isinstance(text, str) and item.get("status") != "cancelled":
                found.append(Todo(one_line(text, PREVIEW_LIMIT), status))
    return found


class _Registry(msgspec.Struct):
    projects: dict[str, str] = {}


def project_folder(source: Source) -> str:
    """Return the name of the folder in which a project's sessions are: a short name, or a hash of its path."""
    try:
        return Path(source.path).relative_to(source.root).parts[0]
    except ValueError:
        return ""


def registered_project(source: Source, project_hash: str = "") -> str:
    """Return the project's directory, as the agent noted it beside the sessions or in its list of projects."""
    folder = project_folder(source)
    noted = read_small(Path(source.root, folder, ".project_root"), root=source.root, limit=PATH_LIMIT)
    path = (noted or b"").decode("utf-8", "replace").strip()
    if path:
        return path
    config = Path(source.root).parent
    listed = read_small(config / "projects.json", root=str(config))
    if listed is None:
        return ""
    try:
        projects = msgspec.json.decode(listed, type=_Registry).projects
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    for path, name in projects.items():
        hashed = hashlib.sha256(path.encode("utf-8", "replace")).hexdigest()
        if name == folder or hashed in (folder, project_hash):
            return path[:PATH_LIMIT]
    return ""
