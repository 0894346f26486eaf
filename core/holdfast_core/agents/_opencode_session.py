"""Makes a session of OpenCode's messages and their parts, whether they stood in tables or in files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from holdfast_core.agents._draft import Draft, Gathered
from holdfast_core.agents._opencode_records import (
    Info,
    Part,
    SessionInfo,
    State,
    Whole,
    cost_of,
    error_text,
    failed,
    file_of,
    is_title,
    todos_of,
    touched,
    usage_of,
)
from holdfast_core.agents._parts import objects_in, text_in
from holdfast_core.agents._values import PATH_LIMIT, PREVIEW_LIMIT, count, moment_ms, one_line, storable
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
    ToolCall,
    ToolResult,
)
from holdfast_core.model.session import FileTouched, SessionKind

_SILENT = frozenset(("step-start", "step-finish", "snapshot", "agent", "compaction"))


class Beside(NamedTuple):
    """What is kept of a session beside its messages."""

    agent: str
    fallback_ms: int
    todos: list[Todo]
    diffs: Any = None
    provider_data: dict[str, Any] | None = None


class Builder:
    """Makes one session; ``unknown`` counts parts of kinds that are not known."""

    def __init__(self, native_id: str, info: SessionInfo, beside: Beside) -> None:
        self.unknown: dict[str, int] = {}
        self._info = info
        self._beside = beside
        self._is_subagent = bool(info.parent_id)
        kind: SessionKind = "subagent" if info.parent_id else "main"
        self._draft = Draft(Gathered(native_id, kind, info.parent_id or None, info.forked_from or None))
        self._blocks: list[Block] = []
        self._results: list[Block] = []

    def build(self, messages: Iterable[Whole]) -> SessionRead:
        """Return the session of these messages, which stand in their order."""
        revert = self._info.revert if isinstance(self._info.revert, dict) else {}
        for whole in messages:
            if whole.info.id and whole.info.id == revert.get("messageID"):
                self._take(self._before(whole, revert.get("partID")))
                break  # what follows was taken back
            self._take(whole)
        return self._finish()

    @staticmethod
    def _before(whole: Whole, part_id: object) -> Whole:
        ids = [part.id for part in whole.parts]
        return Whole(whole.info, whole.parts[: ids.index(part_id)] if part_id in ids else [], whole.row)

    def _take(self, whole: Whole) -> None:
        info = whole.info
        if info.role == "user":
            self._take_prompt(whole)
        elif info.role == "assistant":
            self._take_answer(whole)
        elif info.role == "shell":
            self._take_shell(whole)
        elif whole.parts or info.role:
            self._count(f"message/{info.role}")

    def _take_prompt(self, whole: Whole) -> None:
        """Tell what the person wrote from what the program put beside it."""
        typed: list[Block] = []
        injected: list[Block] = []
        for part in whole.parts:
            if part.type == "text":
                if isinstance(part.text, str) and part.text:
                    (injected if part.synthetic or part.ignored else typed).append(Text(part.text))
            elif part.type == "file":
                block = file_of(msgspec.structs.asdict(part))
                typed.append(block)
                if isinstance(block, File):
                    self._draft.mention(block.path)
            elif part.type == "subtask":
                injected.append(Text(part.prompt or ""))
            elif part.type not in _SILENT:
                self._count(f"part/{part.type}")
        name = self._name(whole)
        if typed and self._is_subagent:
            first = next((block.text for block in typed if isinstance(block, Text)), "")
            self._draft.gathered.preview = self._draft.gathered.preview or one_line(first, PREVIEW_LIMIT)
        if typed:
            self._add(whole, name, "system" if self._is_subagent else "user", typed)
        if injected:
            self._add(whole, f"{name}:context" if typed else name, "system", injected)

    def _take_answer(self, whole: Whole) -> None:
        info, draft = whole.info, self._draft
        draft.gathered.model, draft.gathered.provider = self._model(info)
        first = draft.next_index
        draft.gathered.project_path = draft.gathered.project_path or text_in(info.path, "cwd")[:PATH_LIMIT]
        if info.summary is True:
            text = "\n\n".join(part.text for part in whole.parts if part.type == "text" and isinstance(part.text, str))
            self._blocks = [Compaction(text)]
        else:
            for part in whole.parts:
                self._take_part(whole, part, first)
        said = error_text(info.error)
        if said:
            self._blocks.append(Error(said))
        self._flush(whole, first)
        usage = usage_of(info.tokens)
        if usage is None or self._is_copied(info):
            return
        if draft.next_index == first:  # it left nothing to show
            self._add(whole, self._name(whole), "assistant", [])
        moment, model = self._moment(info), draft.gathered.model
        if draft.respond(
            self._name(whole), usage, model=model, timestamp_ms=moment, index=first, cost_usd=cost_of(info.cost)
        ):
            draft.put(first, msgspec.structs.replace(draft.at(first), usage=usage))

    def _take_shell(self, whole: Whole) -> None:
        """Show what the person ran by hand; it is no answer of the model's."""
        for part in whole.parts:
            self._take_call(part, part.state or State())
        self._add(whole, self._name(whole), "system", [*self._blocks, *self._results])
        self._blocks, self._results = [], []

    def _take_part(self, whole: Whole, part: Part, first: int) -> None:
        if part.type == "tool":
            self._take_call(part, part.state or State())
            return
        if self._results and part.type in ("text", "reasoning", "file"):
            self._flush(whole, first)  # another step of the same answer
        if part.type == "text":
            if isinstance(part.text, str) and part.text:
                self._blocks.append(Text(part.text))
        elif part.type == "reasoning":
            if part.text or part.metadata:
                self._blocks.append(Thinking(part.text if isinstance(part.text, str) else ""))
        elif part.type == "file":
            self._blocks.append(file_of(msgspec.structs.asdict(part)))
        elif part.type == "patch":
            for path in part.files if isinstance(part.files, list) else []:
                if isinstance(path, str):
                    self._draft.touch(path, 0, 0)
        elif part.type == "retry":
            self._blocks.append(Error(error_text(part.error)))
        elif part.type not in _SILENT:
            self._count(f"part/{part.type}")

    def _take_call(self, part: Part, state: State) -> None:
        metadata = state.metadata if isinstance(state.metadata, dict) else {}
        child = text_in(metadata, "sessionId", "sessionID")
        name, call_id = part.tool or "", part.call_id or part.id or ""
        session_id = f"{self._beside.agent}:{child}" if child else None
        self._blocks.append(ToolCall(call_id, name, storable(state.input), session_id))
        if name == "todowrite" and isinstance(state.input, dict):
            self._draft.gathered.todos = todos_of(state.input.get("todos")) or self._draft.gathered.todos
        if state.status in ("pending", "running"):
            return
        said = state.error if state.status == "error" else state.output
        text = said if isinstance(said, str) else msgspec.json.encode(said).decode() if said is not None else ""
        self._results.append(ToolResult(call_id, text, failed(part, state)))
        self._results += [file_of(value) for value in objects_in(state.attachments)]
        for path, added, removed in touched(part, state):
            self._draft.touch(path, added, removed)

    def _flush(self, whole: Whole, first: int) -> None:
        """Add what was gathered of an answer: what the model said, then what its tools gave back."""
        spoken: Role = "system" if self._blocks and isinstance(self._blocks[0], Compaction) else "assistant"
        pairs: list[tuple[Role, list[Block]]] = [(spoken, self._blocks), ("tool", self._results)]
        for role, blocks in pairs:
            if blocks:
                number = self._draft.next_index - first
                self._add(whole, f"{self._name(whole)}:{number}" if number else self._name(whole), role, blocks)
        self._blocks, self._results = [], []

    def _add(self, whole: Whole, name: str, role: Role, blocks: list[Block]) -> None:
        info = whole.info
        moment = self._moment(info)
        model = self._model(info)[0] if info.role == "assistant" else None
        parent = info.parent_id if role != "tool" else info.id
        self._draft.add(Message(name, role, tuple(blocks), moment, parent, model or None, None, whole.row))

    def _is_copied(self, info: Info) -> bool:
        """Return whether a message is older than its session: a fork has those of its origin, under other ids."""
        begun = moment_ms(self._info.time.created) if self._info.time else None
        moment = self._moment(info)
        return bool(self._info.forked_from) and moment is not None and begun is not None and moment < begun

    @staticmethod
    def _name(whole: Whole) -> str:
        return whole.info.id or f"row-{whole.row}"

    @staticmethod
    def _moment(info: Info) -> int | None:
        return moment_ms(info.time.created) if info.time else None

    def _model(self, info: Info) -> tuple[str, str]:
        """Return the model and the provider of an answer, which some versions keep in an object."""
        gathered = self._draft.gathered
        named = info.model if isinstance(info.model, dict) else {}
        model = info.model_id or text_in(named, "modelID", "id") or gathered.model
        return model, info.provider_id or text_in(named, "providerID") or gathered.provider

    def _count(self, kind: str) -> None:
        self.unknown[kind] = self.unknown.get(kind, 0) + 1

    def _finish(self) -> SessionRead:
        info, gathered, beside = self._info, self._draft.gathered, self._beside
        time = info.time
        moments = [time.created, time.updated] if time else [None, None]
        created, updated = map(moment_ms, moments)
        gathered.project_path = (info.directory or "")[:PATH_LIMIT] or gathered.project_path
        gathered.agent_version = info.version or ""
        gathered.todos = beside.todos or gathered.todos
        latest = max((moment for moment in (updated, gathered.updated_ms) if moment is not None), default=None)
        more: dict[str, Any] = {
            "created_ms": gathered.created_ms if created is None else created,
            "updated_ms": latest,
            "is_archived": bool(time and moment_ms(time.archived)),
            "provider_data": beside.provider_data or {},
        }
        more = {name: value for name, value in more.items() if value is not None}
        diffs = tuple(
            FileTouched(path[:PATH_LIMIT], count(diff.get("additions")), count(diff.get("deletions")))
            for diff in objects_in(beside.diffs)[:1000]
            if (path := text_in(diff, "file"))
        )
        return self._draft.finish(
            agent=beside.agent,
            title=(info.title or "") if is_title(info.title) else "",
            is_empty=not gathered.spoken_count,
            fallback_ms=beside.fallback_ms,
            **more | ({"files_touched": diffs} if diffs else {}),
        )
