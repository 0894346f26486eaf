"""Makes a session of the events of Copilot CLI."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from holdfast_core.agents._copilot_records import (
    NOTES,
    SILENT,
    Data,
    Event,
    Metrics,
    attached,
    described,
    is_injected,
    note_of,
    result_of,
    worded,
)
from holdfast_core.agents._draft import Draft, Gathered, digest
from holdfast_core.agents._jsonl import read_small
from holdfast_core.agents._lines import SessionReader, SessionState
from holdfast_core.agents._parts import given, text_in
from holdfast_core.agents._reading import Place
from holdfast_core.agents._sqlite import private_copy
from holdfast_core.agents._values import PATH_LIMIT, PREVIEW_LIMIT, count, datetime_ms, one_line, text_of_name
from holdfast_core.agents.base import SessionRead
from holdfast_core.errors import SourceError
from holdfast_core.model.message import Block, Compaction, Error, File, Role, Text, Thinking, Todo, TodoStatus, ToolCall
from holdfast_core.model.session import TITLE_LIMIT
from holdfast_core.model.usage import Usage

_CALLS_LIMIT = 256
_LANES_LIMIT = 200
_NAME_LIMIT = 128
_TODOS_LIMIT = 500
_TODO_STATUS: dict[str, TodoStatus] = {"in_progress": "in_progress", "done": "completed"}
_AUTOMATIC = ("", "auto")


class State(SessionState, array_like=True):
    """``calls`` are the open ones with the file that each is about.

    ``counted`` is the output that was counted for each model since the last
    start, ``speaker`` the last message of the model, ``thought`` a
    fingerprint of the last reasoning. ``asked`` is where the latest calls
    stand; ``lanes`` are the subagents by the calls that started them,
    ``aliases`` the calls by the names that their events go under.
    """

    calls: dict[str, str] = msgspec.field(default_factory=dict)
    counted: dict[str, int] = msgspec.field(default_factory=dict)
    speaker: int | None = None
    thought: bytes = b""
    title: str = ""
    asked: dict[str, int] = msgspec.field(default_factory=dict)
    lanes: dict[str, State] = msgspec.field(default_factory=dict)
    aliases: dict[str, str] = msgspec.field(default_factory=dict)


class Reader(SessionReader[Event, State]):
    """Reads ``events.jsonl``; what stands beside it tells the title and the plan."""

    record = Event
    state_kind = State

    def adopted(self) -> None:
        self._root = self.kept
        self._drafts = {name: Draft(lane.main) for name, lane in self.kept.lanes.items()}

    def take(self, record: Event) -> None:
        name = self._lane_of(record)
        if not name:
            self._take(record)
            return
        kept, draft = self.kept, self.draft
        self.kept, self.draft = self._lane(name)
        try:
            self._take(record)
        finally:
            self.kept, self.draft = kept, draft

    def place_before(self, index: int) -> Place | None:
        return None if self._root.lanes else super().place_before(index)

    def _take(self, record: Event) -> None:
        kind, data = record.type, record.data
        take = _TAKERS.get(kind)
        if take is not None:
            take(self, record, data)
        elif kind in NOTES:
            self._add(record, "system", note_of(data))
        elif kind not in SILENT:
            self.count_unknown(kind)
            self._add(record, "system", note_of(data))

    # Subagents, whose events stand among those of the session.

    def _lane_of(self, record: Event) -> str:
        """Return whose an event is: a subagent's, by the call that started it, or the session's own."""
        data, root = record.data, self._root
        call_id, agent = data.parent_tool_call_id, record.agent_id
        if record.type.startswith("subagent."):  # told by the one that started it
            call_id = call_id or root.aliases.get(agent or "")
        elif call_id and agent:
            root.aliases.setdefault(agent, call_id)
        elif agent:
            call_id = root.aliases.get(agent, agent)
        elif not call_id and root.lanes and record.type.startswith("tool.execution_"):
            call_id = next((name for name, lane in root.lanes.items() if data.tool_call_id in lane.calls), None)
        return (call_id or "") if call_id in root.lanes or len(root.lanes) < _LANES_LIMIT else ""

    def _lane(self, name: str) -> tuple[State, Draft]:
        root = self._root
        if name not in root.lanes:
            parent = self.kept.main
            child = Gathered(f"{root.main.native_id}-{name[:_NAME_LIMIT]}", "subagent", parent.native_id)
            root.lanes[name] = State(child)
            self._drafts[name] = Draft(child)
            index = self.kept.asked.pop(name, None)
            if index is not None:
                self.draft.link(index, name, f"{self.source.agent}:{child.native_id}")
        return root.lanes[name], self._drafts[name]

    def _take_begun(self, record: Event, data: Data) -> None:
        name = data.tool_call_id
        if name and (name in self._root.lanes or len(self._root.lanes) < _LANES_LIMIT):
            lane, _ = self._lane(name)
            lane.title = one_line(data.agent_display_name or data.agent_name or "", TITLE_LIMIT)
            lane.main.surface = (data.agent_name or "")[:_NAME_LIMIT]
            for alias in (record.agent_id, data.agent_display_name):
                if alias and len(alias) <= _NAME_LIMIT:
                    self._root.aliases.setdefault(alias, name)

    def _take_failed(self, record: Event, data: Data) -> None:
        """Show in the subagent's own session that it failed, where it has one."""
        lane = self._root.lanes.get(data.tool_call_id or "")
        if lane is None:
            self._take_error(record, data)
            return
        kept, draft = self.kept, self.draft
        self.kept, self.draft = lane, self._drafts[data.tool_call_id or ""]
        self._take_error(record, data)
        self.kept, self.draft = kept, draft

    def sessions(self) -> list[SessionRead]:
        (main,) = super().sessions()
        children = [
            self._drafts[name].finish(
                agent=self.source.agent,
                title=lane.title,
                is_empty=not lane.main.spoken_count,
                fallback_ms=self.file.modified_ms,
                project_path=main.facts.project_path,
            )
            for name, lane in self._root.lanes.items()
        ]
        return [main, *children]

    def seed(self) -> bytes:
        return msgspec.msgpack.encode((self.kept.main.model, self.kept.thought))

    def sow(self, seed: bytes) -> None:
        self.kept.main.model, self.kept.thought = msgspec.msgpack.decode(seed, type=tuple[str, bytes])

    def facts(self) -> dict[str, Any]:
        gathered = self.kept.main
        side = _Side(self.source.path, self.source.root)
        facts: dict[str, Any] = {
            "title": side.title,
            "is_empty": gathered.spoken_count == 0,
            "todos": tuple(side.todos),
            "project_path": (gathered.project_path or side.cwd)[:PATH_LIMIT],
            "branch": gathered.branch or side.branch,
        }
        return facts

    def begun(self) -> Any:
        gathered = super().begun()
        path = Path(self.source.path)
        if path.name == "events.jsonl":
            gathered.native_id = text_of_name(path.parent.name)
        return gathered

    def _add(
        self, record: Event, role: Role, blocks: list[Block], *, model: str = "", usage: Usage | None = None
    ) -> int:
        moment = None if record.timestamp is None else datetime_ms(record.timestamp)
        if not blocks:
            return -1
        return self.draft.add(self.message(role, blocks, moment, id=record.id, model=model or None, usage=usage))

    def _take_start(self, _record: Event, data: Data) -> None:
        kept, gathered = self.kept, self.kept.main
        for one in (kept, *kept.lanes.values()):
            one.counted.clear()
        gathered.agent_version = data.copilot_version or gathered.agent_version
        gathered.surface = data.producer or gathered.surface
        if data.context is not None:
            gathered.project_path = gathered.project_path or data.context.cwd or ""
            gathered.branch = data.context.branch or gathered.branch
        moment = None if data.start_time is None else datetime_ms(data.start_time)
        if moment is not None and (gathered.created_ms is None or moment < gathered.created_ms):
            gathered.created_ms = moment
        self._use(data.selected_model)

    def _use(self, model: str | None) -> None:
        if model and model not in _AUTOMATIC:
            self.kept.main.model = model

    def _take_model(self, _record: Event, data: Data) -> None:
        self._use(data.new_model)

    def _take_prompt(self, record: Event, data: Data) -> None:
        text = worded(data.content)
        blocks = attached(data.attachments)
        for block in blocks:
            if isinstance(block, File):
                self.draft.mention(block.path)
        said: list[Block] = [Text(text)] if text else []
        is_subagent = self.kept.main.kind == "subagent"  # its parent speaks there
        if is_subagent:
            self.kept.main.preview = self.kept.main.preview or one_line(text, PREVIEW_LIMIT)
        self._add(record, "system" if is_subagent or is_injected(data, text) else "user", said + blocks)

    def _take_reasoning(self, record: Event, data: Data) -> None:
        text = worded(data.content)
        if text:
            self.kept.thought = digest(text)
            self._add(record, "assistant", [Thinking(text)], model=self.kept.main.model)

    def _take_answer(self, record: Event, data: Data) -> None:
        self._use(data.model)
        self.mark()
        model = self.kept.main.model
        blocks: list[Block] = []
        if data.reasoning_text and digest(data.reasoning_text) != self.kept.thought:
            blocks.append(Thinking(data.reasoning_text))
        self.kept.thought = b""
        text = worded(data.content)
        if text:
            blocks.append(Text(text))
        for request in data.tool_requests or ():
            arguments = given(request.arguments)
            blocks.append(ToolCall(request.tool_call_id or "", request.name or "", arguments))
            self._open_call(request.tool_call_id or "", arguments, self.draft.next_index)
        usage = Usage(output_tokens=count(data.output_tokens))
        if not blocks:
            return
        index = self.draft.next_index
        moment = None if record.timestamp is None else datetime_ms(record.timestamp)
        is_new = False
        if usage.output_tokens:
            key = data.message_id or record.id or f"{self.kept.main.native_id}:{self.position}"
            before = self.kept.main.output_tokens
            is_new = self.draft.respond(key, usage, model=model, timestamp_ms=moment, index=index)
            counted = self.kept.counted
            counted[model] = counted.get(model, 0) + self.kept.main.output_tokens - before
        self.kept.speaker = self._add(record, "assistant", blocks, model=model, usage=usage if is_new else None)

    def _open_call(self, call_id: str, arguments: Any, index: int) -> None:
        calls, asked = self.kept.calls, self.kept.asked
        asked[call_id] = index
        if len(asked) > _CALLS_LIMIT:
            del asked[next(iter(asked))]
        calls[call_id] = text_in(arguments, "path", "filePath", "file_path")[:PATH_LIMIT]
        if len(calls) > _CALLS_LIMIT:
            del calls[next(iter(calls))]

    def _take_execution(self, record: Event, data: Data) -> None:
        call_id = data.tool_call_id or ""
        if call_id in self.kept.calls:
            return
        arguments = given(data.arguments)
        self._open_call(call_id, arguments, self.draft.next_index)
        self._add(record, "assistant", [ToolCall(call_id, data.tool_name or "", arguments)], model=self.kept.main.model)

    def _take_result(self, record: Event, data: Data) -> None:
        self._add(record, "tool", [result_of(data)])
        path = self.kept.calls.pop(data.tool_call_id or "", "")
        metrics = (data.tool_telemetry.metrics if data.tool_telemetry else None) or Metrics()
        added, removed = count(metrics.lines_added), count(metrics.lines_removed)
        if path and data.success is not False and (added or removed):
            self.draft.touch(path, added, removed)

    def _take_compaction(self, record: Event, data: Data) -> None:
        if data.success is False:
            self._add(record, "system", [Error(worded(data.error))])
            return
        before = count(data.pre_compaction_tokens) or count(data.pre_truncation_tokens_in_messages)
        self._add(record, "system", [Compaction(data.summary_content or "", before or None)])

    def _take_error(self, record: Event, data: Data) -> None:
        self._add(record, "system", [Error(worded(data.message or data.error or data.reason))])

    def _take_abort(self, record: Event, data: Data) -> None:
        self._add(record, "system", [Text(data.reason or "abort")])

    def _take_shutdown(self, record: Event, data: Data) -> None:
        """Count what the models used since the last start beyond the output that their messages told."""
        kept = self.kept
        for lane in kept.lanes.values():  # the metrics are of all of them
            for model, output in lane.counted.items():
                kept.counted[model] = kept.counted.get(model, 0) + output
            lane.counted.clear()
        moment = None if record.timestamp is None else datetime_ms(record.timestamp)
        found: list[tuple[str, Usage]] = []
        for model, metrics in (data.model_metrics or {}).items():
            if metrics.usage is not None:
                output = count(metrics.usage.output_tokens)
                known = min(kept.counted.pop(model, 0), output)
                of_any = min(kept.counted.get("", 0), output - known)  # of messages that do not tell their model
                kept.counted[""] = kept.counted.get("", 0) - of_any
                found.append((model, metrics.usage.usage(known + of_any)))
        kept.counted.clear()
        found = [(model, usage) for model, usage in found if usage.total_tokens]
        if found and kept.speaker is not None:
            message = self.draft.at(kept.speaker)
            total = sum((usage for _, usage in found), message.usage or Usage())
            self.draft.put(kept.speaker, msgspec.structs.replace(message, usage=total))
        for model, usage in found:
            self._use(model if kept.main.model in _AUTOMATIC else None)
            key = f"{kept.main.native_id}:{record.id or self.position}:{model}"
            self.draft.respond(key, usage, model=model, timestamp_ms=moment, index=None)
        for path in (data.code_changes.files_modified if data.code_changes else None) or ():
            self.draft.touch(path, 0, 0)


_TAKERS = {
    "session.start": Reader._take_start,
    "session.resume": Reader._take_start,
    "session.model_change": Reader._take_model,
    "user.message": Reader._take_prompt,
    "assistant.reasoning": Reader._take_reasoning,
    "assistant.message": Reader._take_answer,
    "tool.execution_start": Reader._take_execution,
    "tool.execution_complete": Reader._take_result,
    "session.compaction_complete": Reader._take_compaction,
    "session.truncation": Reader._take_compaction,
    "session.error": Reader._take_error,
    "subagent.started": Reader._take_begun,
    "subagent.failed": Reader._take_failed,
    "abort": Reader._take_abort,
    "session.shutdown": Reader._take_shutdown,
}


class _Side:
    """What stands in the folder of a session beside its events."""

    def __init__(self, path: str, root: str) -> None:
        folder = Path(path).parent
        self.title = self.cwd = self.branch = ""
        self.todos: list[Todo] = []
        if Path(path).name != "events.jsonl":
            return
        workspace = described((read_small(folder / "workspace.yaml", root=root) or b"").decode("utf-8", "replace"))
        self.title = workspace.get("name") or workspace.get("summary", "")
        self.cwd, self.branch = workspace.get("cwd", ""), workspace.get("branch", "")
        if (folder / "session.db").is_file():
            self.todos = _todos(folder / "session.db", Path(root))


def _todos(path: Path, root: Path) -> list[Todo]:
    try:
        with private_copy(path, root=root) as database:
            rows = islice(database.rows("todos", ("title", "status")), _TODOS_LIMIT)
            return [Todo(str(title), _TODO_STATUS.get(str(status), "pending")) for _, title, status in rows if title]
    except SourceError:
        return []
