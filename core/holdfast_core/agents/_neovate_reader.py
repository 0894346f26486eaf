"""Makes a session of Neovate's records: messages with a line each, and one line of settings that moves to the top."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._draft import Gathered
from holdfast_core.agents._fields import names
from holdfast_core.agents._json import shown
from holdfast_core.agents._jsonl import read_small
from holdfast_core.agents._lines import SessionReader, SessionState
from holdfast_core.agents._parts import Counts
from holdfast_core.agents._values import PATH_LIMIT, PREVIEW_LIMIT, datetime_ms, one_line, storable
from holdfast_core.model.message import Block, Compaction, File, Image, Text, Thinking, Todo, ToolCall, ToolResult
from holdfast_core.model.usage import Usage

_INJECTED = (
    "<bash-input>", "<bash-stdout>", "<bash-stderr>", "<system-reminder>", "<command-name>",
    "[Request interrupted by user",
)  # fmt: skip
_SUMMARY = "<state_snapshot>"
_COMPACTED = "Chat history compacted successfully."
_CALLS_LIMIT = 64
_SLASHES = re.compile(r"^/+|/+$")
_OTHER = re.compile(r"[^a-zA-Z0-9]+")


class Result(msgspec.Struct, rename="camel", gc=False):
    """What a tool gave back."""

    llm_content: Any = None
    return_display: Any = None
    is_error: bool | None = None


class Part(msgspec.Struct, rename="camel", gc=False):
    """One part of a content."""

    type: str | None = None
    text: str | None = None
    hidden: bool | None = None
    data: str | None = None
    mime_type: str | None = None
    filename: str | None = None
    id: str | None = None
    name: str | None = None
    input: Any = None
    tool_call_id: str | None = None
    result: Result | None = None
    agent_id: str | None = None
    not_read: ClassVar = names("toolName")

    @classmethod
    def generic(cls, value: Any) -> Part:
        """Return a part that shows a value of an unexpected kind."""
        return cls("text", shown(value))


class Config(msgspec.Struct, gc=False):
    """What was set for the session."""

    model: str | None = None
    summary: str | None = None
    not_read: ClassVar = names("approvalMode approvalTools")


class _Data(msgspec.Struct, gc=False):
    """What the program keeps of all projects; of each, its directory alone is asked."""

    projects: dict[str, Any] = {}


class Record(msgspec.Struct, rename="camel", gc=False):
    """One line."""

    type: str | None = None
    role: str | None = None
    content: str | list[Part] | Part | None = None
    ui_content: str | None = None
    hidden: bool | None = None
    uuid: str | None = None
    parent_uuid: str | None = None
    timestamp: datetime | None = None
    model: Any = None
    usage: Counts | None = None
    config: Config | None = None
    not_read: ClassVar = names("isSnapshotUpdate messageId sessionId snapshot text")


class State(SessionState, array_like=True):
    """What must last until the next reading."""

    title: str = ""
    asked: str = ""
    calls: dict[str, int] = msgspec.field(default_factory=dict)


class Reader(SessionReader[Record, State]):
    """Reads one session."""

    record = Record
    state_kind = State

    def begun(self) -> Gathered:
        is_subagent = self.source.stem.startswith("agent-")
        return Gathered(self.source.stem, kind="subagent" if is_subagent else "main")

    def take(self, record: Record) -> None:
        self._moment = None if record.timestamp is None else datetime_ms(record.timestamp)
        kind = record.type or "none"
        if kind == "message":
            self._take_message(record)
        elif kind == "config":
            config = record.config or Config()
            self.kept.title = one_line(config.summary or "", PREVIEW_LIMIT) or self.kept.title
            self._note_model(config.model)
        elif kind != "file-history-snapshot":
            self.count_unknown(kind)
            blocks = self._blocks(record.content)
            if blocks:
                self._add(record, "system", blocks)

    def _note_model(self, model: Any) -> None:
        if isinstance(model, str) and model:
            provider, _, name = model.rpartition("/")
            self.kept.main.model, self.kept.main.provider = name, provider or self.kept.main.provider

    def _add(self, record: Record, role: Any, blocks: list[Block], **more: Any) -> None:
        message = self.message(role, blocks, self._moment, id=record.uuid, parent=record.parent_uuid, **more)
        self.draft.add(message)

    def _take_message(self, record: Record) -> None:
        blocks = self._blocks(record.content)
        if record.role == "assistant":
            self._take_answer(record, blocks)
        elif any(isinstance(block, ToolResult) for block in blocks):
            self._add(record, "tool", blocks)
        elif record.role == "user":
            self._take_prompt(record, blocks)
        else:
            if record.role != "system":
                self.count_unknown(f"role/{record.role}")
            self._add(record, "system", blocks)

    def _take_answer(self, record: Record, blocks: list[Block]) -> None:
        self._note_model(record.model)
        model = self.kept.main.model or None
        usage = record.usage.usage() if record.usage is not None else Usage()
        carried = self.counted(record.uuid, usage, model=model or "", moment=self._moment)
        self._add(record, "assistant", blocks, model=model, usage=carried)

    def _take_prompt(self, record: Record, blocks: list[Block]) -> None:
        texts = [block.text for block in blocks if isinstance(block, Text)]
        if any(text.lstrip().startswith(_SUMMARY) for text in texts) or record.ui_content == _COMPACTED:
            self._add(record, "system", [Compaction("\n".join(texts))])
            return
        if record.ui_content:
            blocks = [Text(record.ui_content), *(block for block in blocks if not isinstance(block, Text))]
        first = next((block.text for block in blocks if isinstance(block, Text) and block.text.strip()), "")
        start = first.lstrip()
        is_subagent = self.kept.main.kind == "subagent"
        if record.hidden or is_subagent or start.startswith(_INJECTED):
            if is_subagent and not self.kept.asked:
                self.kept.asked = one_line(first, PREVIEW_LIMIT)
            self._add(record, "system", blocks)
            return
        if not self.kept.asked and not start.startswith("/"):
            self.kept.asked = one_line(first, PREVIEW_LIMIT)
        self._add(record, "user", blocks)

    def _blocks(self, content: str | list[Part] | Part | None) -> list[Block]:
        if isinstance(content, str):
            return [Text(content)] if content else []
        blocks: list[Block] = []
        for part in [content] if isinstance(content, Part) else content or []:
            kind = part.type
            if kind == "tool_use":
                blocks.append(self._call(part))
            elif kind in ("tool_result", "tool-result"):
                blocks += self._result(part)
            elif kind == "reasoning":
                blocks.append(Thinking(part.text or ""))
            elif kind == "image":
                blocks.append(_image(part))
            elif kind == "file":
                blocks.append(File(part.filename or "", part.mime_type or ""))
            elif part.text is not None:
                if not part.hidden:
                    blocks.append(Text(part.text))
            else:
                self.count_unknown(f"part/{kind or 'none'}")
                blocks.append(Text(f"[{kind or 'unknown'}]"))
        return blocks

    def _call(self, part: Part) -> ToolCall:
        calls = self.kept.calls
        calls[part.id or ""] = self.draft.next_index
        if len(calls) > _CALLS_LIMIT:
            del calls[next(iter(calls))]
        return ToolCall(part.id or "", part.name or "", storable(part.input))

    def _result(self, part: Part) -> list[Block]:
        result = part.result or Result()
        given = result.llm_content
        display = result.return_display
        if isinstance(display, dict) and display.get("type") == "todo_write":
            self.kept.main.todos = _todos(display.get("newTodos")) or self.kept.main.todos
        texts, images = [], []
        for item in given if isinstance(given, list) else [given]:
            if isinstance(item, dict) and item.get("type") == "image" and isinstance(item.get("data"), str):
                images.append(_image(Part("image", data=item["data"], mime_type=str(item.get("mimeType") or ""))))
            elif isinstance(item, dict) and isinstance(item.get("text"), str):
                texts.append(item["text"])
            elif item is not None:
                texts.append(shown(item))
        call_id = part.tool_call_id or part.id or ""
        if part.agent_id and call_id in self.kept.calls:
            child = f"{self.source.agent}:agent-{part.agent_id}"
            self.draft.link(self.kept.calls.pop(call_id), call_id, child)
        return [ToolResult(call_id, "\n".join(texts), bool(result.is_error)), *images]

    def facts(self) -> dict[str, Any]:
        kept, main = self.kept, self.kept.main
        return {
            "title": kept.title or kept.asked,
            "summary": kept.title,
            "is_empty": not main.spoken_count,
            "project_path": self._project(),
            "preview": kept.asked or main.preview or main.first_text,
        }

    def _project(self) -> str:
        """Return the directory of which the folder's name was made, among those that the program lists."""
        home = Path(self.source.root).parent
        content = read_small(home / "data.json", root=str(home))
        try:
            folder = Path(self.source.path).relative_to(self.source.root).parts[0]
            listed = msgspec.json.decode(content, type=_Data).projects if content else {}
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, LookupError, TypeError):
            return ""
        return next((path[:PATH_LIMIT] for path in listed if folder_of(path) == folder), "")


def folder_of(path: str) -> str:
    """Return the name of the folder that belongs to a project directory; several may share one."""
    return _OTHER.sub("-", _SLASHES.sub("", path)).strip("-").lower()


def _image(part: Part) -> Image:
    data = (part.data or "").rpartition(";base64,")[2]
    return Image(part.mime_type or "", len(data) * 3 // 4 - data[-2:].count("="), data)


def _todos(listed: Any) -> list[Todo]:
    return [
        Todo(
            one_line(item["content"], PREVIEW_LIMIT),
            item["status"] if item.get("status") in ("in_progress", "completed") else "pending",
        )
        for item in (listed[:200] if isinstance(listed, list) else ())
        if isinstance(item, dict) and isinstance(item.get("content"), str)
    ]
