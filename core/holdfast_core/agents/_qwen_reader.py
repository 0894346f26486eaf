"""Makes a session of Qwen Code's records: who spoke, what was taken back, what its statistics tell of subagents."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from holdfast_core.agents._draft import Gathered
from holdfast_core.agents._gemini_records import ToolUse, blocks_of, changed_lines, is_command, is_injected
from holdfast_core.agents._json import Forgiving
from holdfast_core.agents._jsonl import read_small
from holdfast_core.agents._lines import SessionReader, SessionState
from holdfast_core.agents._qwen_records import NOTHING, Payload, Record, todos_of
from holdfast_core.agents._values import PATH_LIMIT, PREVIEW_LIMIT, count, datetime_ms, one_line
from holdfast_core.model.message import Block, Compaction, Error, Message, Role, Text, Todo, ToolCall, ToolResult
from holdfast_core.model.usage import Usage

_MARKS_LIMIT = 512
_MARK = slice(-12, None)  # the part of a UUID that is random in all its versions
_CALLS_LIMIT = 64
_HOOK = "<qwen:user-prompt-submit-context>"
_OF_PERSON = (None, "mid_turn_user_message", "realtime_message", "user_text_elements")
_SILENT = frozenset(
    (
        "attribution_snapshot", "agent_bootstrap", "agent_retry", "agent_session_ready", "branch_checkpoint",
        "file_history_snapshot", "goal_runtime", "goal_state", "goal_turn_end", "managed_session_commit_v1",
        "managed_session_event_v1", "managed_session_header_v1", "omni_recall", "session_approval_mode",
        "session_artifact_event", "session_artifact_snapshot", "session_execution_engine", "session_notes",
        "session_source", "session_sources_snapshot", "user_text_elements",
    )
)  # fmt: skip
_OF_SUBAGENT = re.compile(r"#[^#]+#")
_PAYLOAD = msgspec.json.Decoder(Payload).decode


class State(SessionState, array_like=True):
    """What must last. ``marks`` tell where the latest records end: index, prompts until there."""

    marks: dict[str, tuple[int, int]] = msgspec.field(default_factory=dict)
    edits: dict[str, str] = msgspec.field(default_factory=dict)
    last_uuid: str = ""
    title: str = ""
    asked: str = ""
    cwd: str = ""


class Reader(SessionReader[Record, State]):
    """Reads one session."""

    record = Record
    state_kind = State

    def adopted(self) -> None:
        path = Path(self.source.path)
        project = next((folder for folder in path.parents if folder.name not in ("chats", "archive")), path)
        self._counts_subagents = not project.joinpath("subagents", path.stem).is_dir()

    def begun(self) -> Gathered:
        parent = Path(self.source.path).parent
        if parent.parent.name == "subagents":
            return Gathered(self.source.stem, kind="subagent", parent_id=parent.name)
        return Gathered(self.source.stem)

    def take(self, record: Record) -> None:
        self._moment = None if record.timestamp is None else datetime_ms(record.timestamp)
        self._note_head(record)
        kind = record.type
        if kind == "assistant":
            self._take_answer(record)
        elif kind == "tool_result":
            self._take_results(record)
        elif kind == "user":
            self._take_user(record)
        elif kind == "system":
            self._take_system(record)
        else:
            self.count_unknown(kind or "none")
            if record.message is not None:
                self._add(record, "system", self._blocks(record))
        if record.uuid:
            self.kept.last_uuid = record.uuid
            marks = self.kept.marks
            marks[record.uuid[_MARK]] = (self.draft.next_index, self.kept.main.prompt_count)
            if len(marks) > _MARKS_LIMIT:
                del marks[next(iter(marks))]

    def _note_head(self, record: Record) -> None:
        main = self.kept.main
        if record.cwd and not self.kept.cwd:
            self.kept.cwd = record.cwd[:PATH_LIMIT]
        if record.version:
            main.agent_version = record.version
        if record.git_branch and record.git_branch != "HEAD":
            main.branch = record.git_branch
        if record.forked_from is not None and main.forked_from is None:
            main.forked_from = record.forked_from.session_id

    def _add(
        self,
        record: Record,
        role: Role,
        blocks: list[Block],
        *,
        model: str | None = None,
        usage: Usage | None = None,
    ) -> int:
        uuid, line = record.uuid, self.line
        if uuid and uuid == self.kept.last_uuid:  # a record may be written in pieces
            uuid = f"{uuid}:{line}"
        name = uuid or f"line-{line}"
        return self.draft.add(Message(name, role, tuple(blocks), self._moment, record.parent_uuid, model, usage, line))

    def _blocks(self, record: Record) -> list[Block]:
        return blocks_of(record.message.parts or []) if record.message is not None else []

    def _take_answer(self, record: Record) -> None:
        blocks = self._blocks(record)
        edits = self.kept.edits
        for block in blocks:
            if isinstance(block, ToolCall) and isinstance(block.input, dict):
                path = block.input.get("file_path")
                if isinstance(path, str) and block.call_id:
                    edits[block.call_id] = path[:PATH_LIMIT]
                    if len(edits) > _CALLS_LIMIT:
                        del edits[next(iter(edits))]
        usage = record.usage_metadata.usage() if record.usage_metadata is not None else None
        if record.model:
            self.kept.main.model = record.model
        if usage is not None and usage.total_tokens:
            is_first = self.draft.respond(
                record.uuid or f"{self.source.stem}:{self.line}",
                usage,
                model=record.model or "",
                timestamp_ms=self._moment,
                index=None,
            )
            usage = usage if is_first else None
        else:
            usage = None
        self._add(record, "assistant", blocks, model=record.model, usage=usage)

    def _take_results(self, record: Record) -> None:
        blocks = self._blocks(record)
        outcome = record.tool_call_result
        if outcome is not None:
            if outcome.status in ("error", "cancelled"):
                blocks = [
                    ToolResult(block.call_id, block.text, True) if isinstance(block, ToolResult) else block
                    for block in blocks
                ]
            if bytes(memoryview(outcome.result_display)[:1]) == b"{":
                self._note_outcome(outcome.call_id or "", outcome.status or "", outcome.result_display)
        self._add(record, "tool", blocks)

    def _note_outcome(self, call_id: str, status: str, raw: msgspec.Raw) -> None:
        try:
            display = msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        if display.get("type") == "todo_list":
            self.kept.main.todos = todos_of(display.get("todos"))
        path = self.kept.edits.get(call_id)
        changed = changed_lines(ToolUse(args={"file_path": path} if path else {}, result_display=display))
        if changed is not None and status == "success":
            self.draft.touch(*changed)

    def _payload(self, record: Record) -> Payload:
        if record.system_payload is NOTHING:
            return Payload()
        try:
            return _PAYLOAD(record.system_payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            found, _ = Forgiving(Payload).several(bytes(record.system_payload))
            return found[0] if found else Payload()

    def _take_user(self, record: Record) -> None:
        payload = self._payload(record)
        blocks = self._blocks(record)
        typed = payload.display_text
        if typed:
            blocks = [Text(typed), *(block for block in blocks if not isinstance(block, Text))]
        else:
            blocks = [block for block in blocks if not (isinstance(block, Text) and block.text.startswith(_HOOK))]
        texts = [block.text for block in blocks if isinstance(block, Text)]
        first = next((text for text in texts if text.strip()), "")
        is_subagent = self.kept.main.kind == "subagent"
        if (
            is_subagent
            or record.subtype not in _OF_PERSON
            or record.provenance not in (None, "real_user")
            or is_injected(first)
        ):
            if is_subagent and not self.kept.asked:
                self.kept.asked = one_line(first, PREVIEW_LIMIT)
            self._add(record, "system", blocks)
            return
        for block in blocks:
            if not isinstance(block, Text) and (path := getattr(block, "path", "")):
                self.draft.mention(path)
        if not self.kept.asked and not is_command(first):
            self.kept.asked = one_line(first, PREVIEW_LIMIT)
        self._add(record, "user", blocks)

    # What the program notes for itself.

    def _take_system(self, record: Record) -> None:
        subtype = record.subtype or ""
        if subtype in _SILENT:
            return
        payload = self._payload(record)
        if subtype in _TAKE:
            _TAKE[subtype](self, record, payload)
        else:
            self.count_unknown(f"system/{subtype}")
            text = payload.display_text or payload.content
            blocks = self._blocks(record) or ([Text(text)] if text else [])
            if blocks:
                self._add(record, "system", blocks)

    def _take_title(self, _record: Record, payload: Payload) -> None:
        self.kept.title = one_line(payload.custom_title or "", PREVIEW_LIMIT) or self.kept.title

    def _take_parent(self, _record: Record, payload: Payload) -> None:
        self.kept.main.parent_id = payload.parent_session_id or self.kept.main.parent_id

    def _take_model(self, _record: Record, payload: Payload) -> None:
        self.kept.main.model = self.kept.main.model or payload.model_id or ""

    def _take_files(self, _record: Record, payload: Payload) -> None:
        for path in payload.files_read or ():
            self.draft.mention(path)

    def _take_turn(self, record: Record, payload: Payload) -> None:
        if payload.error is not None and payload.error.message:
            self._add(record, "system", [Error(payload.error.message)])

    def _take_event(self, record: Record, payload: Payload) -> None:
        event = payload.ui_event
        if event is None:
            return
        is_subagents = bool(event.prompt_id and _OF_SUBAGENT.search(event.prompt_id))
        if event.error_message and (event.name or "").endswith("api_error") and not is_subagents:
            self._add(record, "system", [Error(event.error_message)])
        if is_subagents and self._counts_subagents and event.response_id and (event.name or "").endswith("response"):
            self.draft.respond(
                event.response_id, event.usage(), model=event.model or "", timestamp_ms=self._moment, index=None
            )

    def _take_command(self, record: Record, payload: Payload) -> None:
        if payload.phase == "invocation":
            if payload.raw_command and not payload.hidden_invocation:
                self._add(record, "system", [Text(payload.raw_command)])
            return
        blocks: list[Block] = []
        for item in payload.output_history_items or ():
            if item.text:
                blocks.append(Error(item.text) if item.type == "error" else Text(item.text))
        if blocks:
            self._add(record, "system", blocks)

    def _take_compression(self, record: Record, payload: Payload) -> None:
        first = next((said.parts or [] for said in payload.compressed_history or () if said.role == "user"), [])
        text = "\n".join(part.text for part in first if part.text)
        before = count(payload.info.original_token_count) or None if payload.info is not None else None
        self._add(record, "system", [Compaction(text, before)])

    def _rewind(self, record: Record, payload: Payload) -> None:
        uuid = payload.target_uuid or record.parent_uuid
        found = self.kept.marks.get(uuid[_MARK]) if uuid else None
        if found is not None and found[0] <= self.draft.next_index:
            index, prompts = found
            self.draft.cut(index)
            self.kept.main.prompt_count = prompts
            marks = self.kept.marks
            for mark in [mark for mark, place in marks.items() if place[0] > index]:
                del marks[mark]

    def facts(self) -> dict[str, Any]:
        kept, main = self.kept, self.kept.main
        return {
            "title": kept.title or kept.asked,
            "is_empty": not main.spoken_count or not self.draft.next_index,
            "is_archived": Path(self.source.path).parent.name == "archive",
            "project_path": kept.cwd,
            "preview": kept.asked or main.preview or main.first_text,
            "todos": tuple(main.todos or self._stored_todos()),
        }

    def _stored_todos(self) -> list[Todo]:
        home = Path(self.source.root).parent
        content = read_small(home / "todos" / f"{Path(self.source.path).stem}.json", root=str(home))
        try:
            stored = msgspec.json.decode(content) if content else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return []
        return todos_of(stored.get("todos")) if isinstance(stored, dict) else []


_TAKE = {
    "ui_telemetry": Reader._take_event,
    "slash_command": Reader._take_command,
    "custom_title": Reader._take_title,
    "rewind": Reader._rewind,
    "chat_compression": Reader._take_compression,
    "parent_session": Reader._take_parent,
    "session_model": Reader._take_model,
    "at_command": Reader._take_files,
    "turn_result": Reader._take_turn,
}
