"""Zed: a database of threads, each of which is one compressed JSON document."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._databases import DatabaseAgent, Tables
from holdfast_core.agents._draft import Draft, Gathered
from holdfast_core.agents._fields import names
from holdfast_core.agents._files import directories
from holdfast_core.agents._json import Forgiving, shown
from holdfast_core.agents._parts import base64_image, given, objects_in, path_of_uri, text_in
from holdfast_core.agents._sqlite import Database
from holdfast_core.agents._values import PATH_LIMIT, PREVIEW_LIMIT, count, moment_ms, one_line
from holdfast_core.agents._zstd import decompressed
from holdfast_core.agents.base import Home, ResumeCommand, ResumeTarget, SessionRead
from holdfast_core.errors import Refused
from holdfast_core.model.message import Block, File, Message, Role, Text, Thinking, ToolCall, ToolResult
from holdfast_core.model.usage import Usage

_COLUMNS = ("summary", "updated_at", "data_type", "data", "parent_id", "folder_paths", "created_at")
_PAYLOAD_LIMIT = 64 << 20
_UNTITLED = frozenset(("New Thread", "New Agent Thread"))


class _Thread(msgspec.Struct):
    """A thread; in the two older versions a message has segments in place of a content."""

    title: str | None = None
    summary: Any = None
    messages: list[Any] = []
    model: Any = None
    request_token_usage: Any = None
    cumulative_token_usage: Any = None
    initial_project_snapshot: Any = None
    not_read: ClassVar = names("completion_mode detailed_summary imported profile updated_at version")


class Zed(DatabaseAgent):
    """Reads the threads of the editor's agent."""

    id = "zed"
    name = "Zed"
    mark = "Z"
    hue = 235
    program = "zed"
    how_to_install = "https://zed.dev/docs/installation"
    patterns = ("threads/threads.db",)
    session_table = "threads"

    def roots(self, home: Home) -> list[Path]:
        data = [folder / "zed" for folder in directories(home, ("XDG_DATA_HOME",), ".local/share")]
        local = [folder / "Zed" for folder in directories(home, ("LOCALAPPDATA",), "AppData/Local")]
        return list(dict.fromkeys([*data, home.path / "Library" / "Application Support" / "Zed", *local]))

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        raise Refused("This thread belongs to the editor and is continued there.")

    def stamps(self, database: Database) -> dict[str, str]:
        return database.stamps("threads", "id", sized=("data", "summary"), latest=("updated_at",))

    def sessions_in(self, tables: Tables) -> list[SessionRead]:
        decoder = Forgiving(_Thread)
        found = []
        for row, session, *values in tables.rows("threads", "id", _COLUMNS, raw=("data",)):
            facts = dict(zip(_COLUMNS, values, strict=True))
            data = facts["data"]
            if facts["data_type"] == "zstd" and isinstance(data, bytes):
                data = decompressed(data, limit=_PAYLOAD_LIMIT)
                if data is None:
                    tables.database.problem(row, "damaged")
                    continue
            thread = tables.decoded(decoder, data, row, session)
            if thread is not None:
                found.append(_Builder(self.id, session, tables, facts).build(thread))
        return found


class _Builder:
    """Makes one session of a thread."""

    def __init__(self, agent: str, session: str, tables: Tables, facts: dict[str, Any]) -> None:
        self._agent, self._tables, self._facts = agent, tables, facts
        parent = _text(facts["parent_id"])
        self._draft = Draft(Gathered(session, "subagent" if parent else "main", parent or None))

    def build(self, thread: _Thread) -> SessionRead:
        """Return the session. Threads have two moments, their messages none."""
        facts, gathered = self._facts, self._draft.gathered
        gathered.model, gathered.provider = text_in(thread.model, "model"), text_in(thread.model, "provider")
        _place(gathered, thread.initial_project_snapshot, _text(facts["folder_paths"]))
        requests = thread.request_token_usage if isinstance(thread.request_token_usage, dict) else {}
        for number, message in enumerate(thread.messages, 1):
            if not isinstance(message, dict):
                if message != "Resume":
                    self._tables.count_unknown(f"message/{shown(message)[:40]}")
                continue
            if "role" in message:
                self._take_older(message, number)
            else:
                self._take(message, number)
        total = _usage(thread.cumulative_token_usage)
        if total.total_tokens:
            self._respond(gathered.native_id, total)
        else:
            for name, usage in requests.items():
                self._respond(f"{gathered.native_id}:{name}", _usage(usage))
        created, updated = moment_ms(facts["created_at"]), moment_ms(facts["updated_at"])
        title = thread.title or (thread.summary if isinstance(thread.summary, str) else "") or _text(facts["summary"])
        moments = (("created_ms", created or updated), ("updated_ms", updated))
        return self._draft.finish(
            agent=self._agent,
            title="" if title in _UNTITLED else title,
            is_empty=not gathered.spoken_count,
            fallback_ms=self._tables.modified_ms,
            provider_data=self._tables.provider_data(gathered.native_id),
            **{name: moment for name, moment in moments if moment is not None},
        )

    def _take(self, message: dict[str, Any], number: int) -> None:
        kind = next(iter(message), "")
        value = message[kind] if kind else None
        if kind not in ("User", "Agent") or not isinstance(value, dict):
            self._tables.count_unknown(f"message/{kind}")
            return
        name = text_in(value, "id") or f"message-{number}"
        blocks = [block for part in _parts(value.get("content")) for block in self._block(*part)]
        if kind == "User":
            self._add_prompt(name, blocks)
            return
        if blocks:
            self._add(name, "assistant", blocks)
        results = value.get("tool_results")
        found = [result for result in results.values() if isinstance(result, dict)] if isinstance(results, dict) else []
        self._add_results(name, found)

    def _take_older(self, message: dict[str, Any], number: int) -> None:
        name = f"message-{number}"
        blocks: list[Block] = []
        for segment in objects_in(message.get("segments")):
            text = text_in(segment, "text")
            if segment.get("type") == "thinking":
                blocks.append(Thinking(text))
            elif text:
                blocks.append(Text(text))
        for use in objects_in(message.get("tool_uses")):
            blocks.append(ToolCall(text_in(use, "id"), text_in(use, "name"), given(use.get("input"))))
        role = message.get("role")
        if role == "user":
            self._add_prompt(name, blocks)
        elif blocks:
            self._add(name, "assistant" if role == "assistant" else "system", blocks)
        self._add_results(name, objects_in(message.get("tool_results")))

    def _block(self, kind: str, value: Any) -> list[Block]:
        if kind == "Text":
            return [Text(value)] if isinstance(value, str) and value else []
        if kind == "Thinking":
            return [Thinking(text_in(value, "text"))]
        if kind == "RedactedThinking":
            return [Thinking("")]
        if kind == "ToolUse" and isinstance(value, dict):
            return [ToolCall(text_in(value, "id"), text_in(value, "name"), given(value.get("input")))]
        return self._attached(kind, value)

    def _attached(self, kind: str, value: Any) -> list[Block]:
        if kind == "Image":
            return [base64_image("image/png", text_in(value, "source"))]
        if kind == "Mention" and isinstance(value, dict):
            path = _mentioned(value.get("uri"))
            self._draft.mention(path)
            return [File(path, "", text_in(value, "content"))]
        self._tables.count_unknown(f"content/{kind}")
        return []

    def _add_prompt(self, name: str, blocks: list[Block]) -> None:
        gathered = self._draft.gathered
        role: Role = "user"
        if gathered.kind == "subagent":
            first = next((block.text for block in blocks if isinstance(block, Text)), "")
            gathered.preview = gathered.preview or one_line(first, PREVIEW_LIMIT)
            role = "system"
        if blocks:
            self._add(name, role, blocks)

    def _add_results(self, name: str, results: list[dict[str, Any]]) -> None:
        blocks: list[Block] = []
        for result in results:
            content = result.get("content")
            kinds = list(_parts(content if isinstance(content, list) else [content]))
            text = "\n".join(value for kind, value in kinds if kind == "Text" and isinstance(value, str))
            failed = result.get("is_error") is True
            blocks.append(ToolResult(text_in(result, "tool_use_id"), text, failed))
            blocks += [base64_image("image/png", text_in(value, "source")) for kind, value in kinds if kind == "Image"]
        if blocks:
            self._add(f"{name}:results", "tool", blocks)

    def _add(self, name: str, role: Role, blocks: list[Block]) -> None:
        model = self._draft.gathered.model or None if role == "assistant" else None
        self._draft.add(Message(name, role, tuple(blocks), None, None, model))

    def _respond(self, key: str, usage: Usage) -> None:
        """Count what is told of a request, or of the whole thread; it stands on the last answer."""
        draft = self._draft
        if not usage.total_tokens:
            return
        moment = moment_ms(self._facts["updated_at"])
        is_new = draft.respond(key, usage, model=draft.gathered.model, timestamp_ms=moment, index=None)
        answers = [index for index, message in enumerate(draft.messages) if message.role == "assistant"]
        if is_new and answers:
            message = draft.at(answers[-1])
            draft.put(answers[-1], msgspec.structs.replace(message, usage=(message.usage or Usage()) + usage))


def _parts(content: Any) -> list[tuple[str, Any]]:
    """Return the parts of a content by the kind that each names as its only member; a text is one by itself."""
    found: list[tuple[str, Any]] = []
    for part in content if isinstance(content, list) else []:
        if isinstance(part, str):
            found.append(("Text", part))
        elif isinstance(part, dict):
            found += [(kind, value) for kind, value in part.items()][:1]
    return found


def _mentioned(uri: Any) -> str:
    """Return the path of what was mentioned, which is told as an address or by its kind."""
    if isinstance(uri, str):
        return path_of_uri(uri)
    value = next(iter(uri.values()), None) if isinstance(uri, dict) else None
    return text_in(value, "abs_path", "path", "url", "name")[:PATH_LIMIT]


def _place(gathered: Gathered, snapshot: Any, folders: str) -> None:
    """Note the project and its branch as they were when the thread began."""
    trees = objects_in(snapshot.get("worktree_snapshots")) if isinstance(snapshot, dict) else []
    first = trees[0] if trees else {}
    gathered.project_path = (text_in(first, "worktree_path") or folders.partition("\n")[0])[:PATH_LIMIT]
    gathered.branch = text_in(first.get("git_state"), "current_branch")


def _usage(value: Any) -> Usage:
    found = value if isinstance(value, dict) else {}
    return Usage(
        count(found.get("input_tokens")),
        count(found.get("output_tokens")),
        count(found.get("cache_read_input_tokens")),
        count(found.get("cache_creation_input_tokens")),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


AGENT = Zed()
