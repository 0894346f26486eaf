"""Makes sessions of Claude Code's records: who spoke, what belongs together, what it cost."""

from __future__ import annotations

from typing import Any, Self

import msgspec

from holdfast_core.agents._claude_kinds import SILENT, SILENT_ATTACHMENTS, SILENT_SUBTYPES, error_text, first_text
from holdfast_core.agents._claude_records import (
    NOTHING,
    SYNTHETIC_MODEL,
    Content,
    Record,
    Said,
    blocks_of,
    command_line,
    contents,
    is_injected,
    new_name,
    opened,
    opened_dict,
    opened_edit,
)
from holdfast_core.agents._claude_side import Side
from holdfast_core.agents._claude_tools import Tools
from holdfast_core.agents._draft import Draft, Gathered, digest
from holdfast_core.agents._jsonl import LineFile
from holdfast_core.agents._reading import LineReader, Place
from holdfast_core.agents._values import PATH_LIMIT, PREVIEW_LIMIT, datetime_ms, one_line
from holdfast_core.agents.base import SessionRead
from holdfast_core.model.message import Block, Compaction, Error, Message, Role, Text, ToolResult
from holdfast_core.model.session import SessionKind
from holdfast_core.model.usage import Usage

_SPLICE_LIMIT = 32
_CHAIN_LIMIT = 512
_QUEUE_LIMIT = 64
_LEAF_LIMIT = 256
_NOTHING_SAID = Said()


class _Titles(msgspec.Struct, array_like=True):
    custom: str = ""
    agent: str = ""
    written: str = ""
    summary: str = ""
    summary_rank: int = -1
    prompt: str = ""
    command: str = ""
    away: str = ""


class _Seed(msgspec.Struct, array_like=True):
    """What the next record's meaning depends on."""

    queue: list[tuple[str, int | None]] = []
    taken: list[bytes] = []


class _State(msgspec.Struct, array_like=True):
    """All that must last until the next reading, beside what `Gathered` and `Tools` keep."""

    main: Gathered
    tools: Tools
    titles: _Titles
    children: dict[str, Gathered] = {}
    chains: dict[str, str] = {}
    leaves: dict[str, tuple[int, str]] = {}
    summaries: int = 0
    queue: list[tuple[str, int | None]] = []
    taken: list[bytes] = []
    response_place: Place | None = None
    last_cwd: str = ""
    first_cwd: str = ""
    slug: str = ""


class Reader(LineReader[Record]):
    """Reads one transcript. ``side`` is what stands beside it on disk."""

    record = Record

    def __init__(self, file: LineFile, side: Side) -> None:
        super().__init__(file)
        self.side = side
        self._moment: int | None = None
        kind: SessionKind = "subagent" if side.is_subagent else "main"
        gathered = Gathered(side.native_id, kind=kind, parent_id=side.parent_id)
        self._adopt(_State(gathered, Tools(), _Titles()))

    def _adopt(self, state: _State) -> None:
        self._state = state
        self._head: tuple[object, ...] = ()
        self._main = Draft(state.main)
        self._children = {name: Draft(gathered) for name, gathered in state.children.items()}

    def state(self) -> bytes:
        return msgspec.msgpack.encode(self._state)

    def restore(self, state: bytes) -> None:
        self._adopt(msgspec.msgpack.decode(state, type=_State))

    def place_before(self, index: int) -> Place | None:
        state = self._state
        if state.children:
            return None
        places = [*state.tools.places(), *([state.response_place] if state.response_place else [])]
        return max((place for place in places if place.index <= index), key=lambda place: place.index, default=None)

    def warm(self, place: Place) -> Self:
        fresh = type(self)(self.file, self.side)
        fresh.line = place.line
        fresh._state.main.count = place.index
        fresh._main.base = place.index
        fresh._main.known_copies = frozenset(self._state.main.copies)
        if place.seed:
            seed = msgspec.msgpack.decode(place.seed, type=_Seed)
            fresh._state.queue, fresh._state.taken = seed.queue, seed.taken
        return fresh

    def preload(self, warmed: Self) -> None:
        self._main.messages, self._main.base = warmed._main.messages, warmed._main.base

    def take(self, record: Record) -> None:
        kind = record.type
        if kind == "assistant":
            self._take_assistant(record)
        elif kind == "user":
            self._take_user(record)
        elif kind == "progress":
            if record.parent_tool_use_id in self._state.tools.started:
                self._link(record.parent_tool_use_id, opened_dict(record.data).get("agentId"))
        elif kind in _TAKE:
            _TAKE[kind](self, record)
        elif kind not in SILENT:
            self._take_unknown(record)

    # What is common to all records of the conversation.

    def _draft(self, record: Record) -> Draft:
        """Return the session that a record belongs to, after noting what it says of that session."""
        state = self._state
        self._moment = None if record.timestamp is None else datetime_ms(record.timestamp)
        head = (record.cwd, record.git_branch, record.version, record.entrypoint, record.slug, record.session_id)
        if head != self._head:  # almost all records repeat what the one before said
            self._head = head
            self._note_head(record)
        if record.forked_from is not NOTHING and state.main.forked_from is None:
            source = opened_dict(record.forked_from).get("sessionId")
            state.main.forked_from = source if isinstance(source, str) else None
        if state.leaves and record.uuid in state.leaves:
            self._found_leaf(*state.leaves.pop(record.uuid))
        if record.is_sidechain and not self.side.is_subagent:
            return self._child(record)
        return self._main

    def _note_head(self, record: Record) -> None:
        state, gathered = self._state, self._state.main
        if record.cwd and record.cwd != state.last_cwd:
            self._note_cwd(record.cwd)
        if record.git_branch and record.git_branch != "HEAD":
            gathered.branch = record.git_branch
        if record.version:
            gathered.agent_version = record.version
        if record.entrypoint:
            gathered.surface = record.entrypoint
        if record.slug:
            state.slug = record.slug
        if record.session_id and record.session_id != gathered.native_id:
            self._note_foreign_id(record.session_id)

    def _note_cwd(self, told: str) -> None:
        state = self._state
        state.last_cwd = cwd = told[:PATH_LIMIT]
        state.first_cwd = state.first_cwd or cwd
        if not state.main.project_path and self.side.is_project(cwd):
            state.main.project_path = cwd

    def _note_foreign_id(self, session_id: str) -> None:
        """A transcript with another session's id began as a copy of it; a subagent's has its parent's id."""
        gathered = self._state.main
        if not self.side.is_subagent:
            gathered.forked_from = gathered.forked_from or session_id
        elif gathered.parent_id is None:
            gathered.parent_id = session_id

    def _child(self, record: Record) -> Draft:
        """Return the subagent whose records stand within this file (before 2.0.4x)."""
        state = self._state
        chain = state.chains.get(record.parent_uuid or "")
        if record.agent_id:
            chain = f"agent-{record.agent_id}"
        elif chain is None:
            chain = f"sidechain-{record.uuid or self.line}"
        if chain not in self._children:
            self._children[chain] = Draft(self._new_child(chain))
            self._link(state.tools.call_with_prompt(_prompt(record)), None, chain)
        if record.uuid:
            state.chains[record.uuid] = chain
            if len(state.chains) > _CHAIN_LIMIT:
                del state.chains[next(iter(state.chains))]
        return self._children[chain]

    def _new_child(self, chain: str) -> Gathered:
        main = self._state.main
        child = Gathered(chain, kind="subagent", parent_id=main.native_id)
        child.project_path, child.agent_version = main.project_path or self._state.first_cwd, main.agent_version
        child.surface, child.branch = main.surface, main.branch
        self._state.children[chain] = child
        return child

    def _link(self, call_id: str | None, agent_id: object, chain: str = "") -> None:
        started = self._state.tools.started
        if call_id in started and (chain or (isinstance(agent_id, str) and agent_id)):
            child = chain or f"agent-{agent_id}"
            self._main.link(started[call_id].index, call_id, f"{self.side.agent}:{child}")
            del started[call_id]

    def _add(
        self,
        draft: Draft,
        record: Record,
        role: Role,
        blocks: list[Block],
        *,
        model: str | None = None,
        usage: Usage | None = None,
    ) -> int:
        return draft.add(self._message(record, role, blocks, model=model, usage=usage))

    def _message(
        self, record: Record, role: Role, blocks: list[Block], *, model: str | None = None, usage: Usage | None = None
    ) -> Message:
        return Message(
            record.uuid or f"line-{self.line}",
            role,
            tuple(blocks),
            self._moment,
            record.logical_parent_uuid or record.parent_uuid,
            model,
            usage,
            self.line,
        )

    def _blocks(self, said: Said | None) -> list[Block]:
        content = None if said is None else said.content
        if content is None:
            return []
        if isinstance(content, str):
            return [Text(content)]
        unknown: list[str] = []
        blocks = blocks_of(content, unknown)
        for kind in unknown:
            self.count_unknown(kind)
        return blocks

    # The model's answers.

    def _take_assistant(self, record: Record) -> None:
        draft = self._draft(record)
        said = _NOTHING_SAID if record.message is None else record.message
        model = said.model
        blocks = self._blocks(said)
        if record.is_api_error_message or model == SYNTHETIC_MODEL:
            if record.is_api_error_message:
                blocks = [Error(block.text) if isinstance(block, Text) else block for block in blocks]
            self._add(draft, record, "assistant", blocks)
            return
        gathered = draft.gathered
        if model and model != gathered.model:
            gathered.model = model
            gathered.provider = "anthropic" if "claude" in model else ""
        usage = self._count_tokens(draft, record, said) if said.usage is not None else None
        index = self._add(draft, record, "assistant", blocks, model=model, usage=usage)
        for item in said.content if isinstance(said.content, list) else ():
            if item.type == "tool_use":
                self._note_call(draft, item, index)

    def _count_tokens(self, draft: Draft, record: Record, said: Said) -> Usage | None:
        counts = said.usage
        assert counts is not None
        usage = counts.usage()
        key = f"{said.id}:{record.request_id or ''}" if said.id else f"uuid:{record.uuid or self.line}"
        is_first = draft.respond(
            key,
            usage,
            model=said.model or "",
            timestamp_ms=self._moment,
            index=draft.next_index,
            cache_write_1h=counts.cache_write_1h(),
        )
        if is_first and draft is self._main:
            self._state.response_place = self._here()
        return usage if is_first else None

    def _here(self) -> Place:
        state = self._state
        seed = msgspec.msgpack.encode(_Seed(state.queue, state.taken)) if state.queue or state.taken else b""
        return Place(self.position, self.line, self._main.next_index, seed)

    def _note_call(self, draft: Draft, item: Content, index: int) -> None:
        tools = self._state.tools
        if not item.id:
            return
        if item.name in tools.starting and draft is self._main:
            tools.note_start(item.id, item.input, index, self._state.response_place)
        elif item.name in tools.watched:
            tools.note_call(item.id, item.name or "", item.input)
            if tools.todos is not None:
                draft.gathered.todos = tools.todos

    # What stands in the person's place.

    def _take_user(self, record: Record) -> None:
        draft = self._draft(record)
        said = record.message
        blocks = self._blocks(said)
        for block in blocks:
            if type(block) is ToolResult:
                self._take_results(draft, record, blocks)
                self._add(draft, record, "tool", blocks)
                return
        if record.is_compact_summary:
            text = "\n".join(block.text for block in blocks if isinstance(block, Text))
            self._add(draft, record, "system", [Compaction(text)])
            return
        texts = [block.text for block in blocks if isinstance(block, Text)]
        if self._is_human(record, draft, texts):
            self._said_by_person(draft, texts)
            self._add(draft, record, "user", blocks)
        else:
            self._note_command(texts)
            if draft.gathered.kind == "subagent" and not record.is_meta:
                self._said_by_person(draft, texts)
            self._add(draft, record, "system", blocks)

    def _is_human(self, record: Record, draft: Draft, texts: list[str]) -> bool:
        if (
            record.is_meta
            or record.is_visible_in_transcript_only
            or record.source_tool_use_id
            or draft.gathered.kind == "subagent"
        ):
            return False
        origin = opened(record.origin)
        if origin and (not isinstance(origin, dict) or origin.get("kind", "human") != "human"):
            return False
        return not texts or not all(is_injected(text) for text in texts)

    def _said_by_person(self, draft: Draft, texts: list[str]) -> None:
        if not draft.gathered.preview:
            words = next((text for text in texts if text.strip() and not is_injected(text)), "")
            draft.gathered.preview = one_line(words, PREVIEW_LIMIT)

    def _note_command(self, texts: list[str]) -> None:
        titles = self._state.titles
        for text in texts:
            name = new_name(text)
            if name:
                titles.custom = name
            titles.command = titles.command or one_line(command_line(text), PREVIEW_LIMIT)

    def _take_results(self, draft: Draft, record: Record, blocks: list[Block]) -> None:
        tools = self._state.tools
        for place, block in enumerate(blocks):
            if type(block) is not ToolResult:
                continue
            if block.text.find("tool-results", 0, 1000) >= 0:
                whole = self.side.moved_result(block.text)
                if whole is not None:
                    blocks[place] = ToolResult(block.call_id, whole, block.is_error)
            call_id = block.call_id
            if call_id in tools.started:
                self._link(call_id, opened_dict(record.tool_use_result).get("agentId"))
            elif call_id in tools.edits:
                for path, added, removed in tools.edited(call_id, opened_edit(record.tool_use_result)):
                    draft.touch(path, added, removed)
            elif call_id in tools.tasks_asked:
                tools.task_made(call_id, opened_dict(record.tool_use_result), block.text)
                draft.gathered.todos = tools.todos or []

    # What the program says.

    def _take_system(self, record: Record) -> None:
        subtype = record.subtype or ""
        draft = self._draft(record)
        if subtype == "compact_boundary":
            tokens = opened_dict(record.compact_metadata).get("preTokens")
            self._add(draft, record, "system", [Compaction("", tokens if isinstance(tokens, int) else None)])
            return
        if subtype in ("api_error", "error", "api_refusal"):
            self._add(draft, record, "system", [Error(error_text(record))])
            return
        content = opened(record.content)
        text = content if isinstance(content, str) else record.text or ""
        if subtype == "local_command":
            self._note_command([text])
        if subtype == "away_summary" and text:
            self._state.titles.away = one_line(text, PREVIEW_LIMIT)
        if text:
            self._add(draft, record, "system", [Text(text)])
        elif subtype not in SILENT_SUBTYPES:
            self.count_unknown(f"system/{subtype}")

    def _take_attachment(self, record: Record) -> None:
        attachment = opened_dict(record.attachment)
        kind = first_text(attachment, ("type",))
        if kind == "queued_command":
            self._take_queued(record, attachment)
        elif kind in ("hook_blocking_error", "hook_non_blocking_error"):
            text = first_text(attachment, ("blockingError", "stderr", "content", "message"))
            if text:
                self._add(self._draft(record), record, "system", [Error(text)])
        elif kind in ("file", "nested_memory", "edited_text_file", "compact_file_reference"):
            self._draft(record).mention(first_text(attachment, ("filename", "path", "displayPath")))
        elif kind == "task_reminder":
            tools = self._state.tools
            if tools.take_reminder(attachment.get("content")):
                self._main.gathered.todos = tools.todos or []
        elif kind not in SILENT_ATTACHMENTS:
            self.count_unknown(f"attachment/{kind}")

    def _take_queued(self, record: Record, attachment: dict[str, Any]) -> None:
        """A prompt that was typed while the agent worked, where it was taken up."""
        state = self._state
        prompt = attachment.get("prompt")
        content = contents(prompt) if isinstance(prompt, list) else str(prompt or "")
        blocks = self._blocks(Said(content=content))
        texts = [block.text for block in blocks if isinstance(block, Text)]
        for text in texts:
            if digest(text) in state.taken:
                state.taken.remove(digest(text))
                return
        draft = self._draft(record)
        origin = attachment.get("origin")
        kind = origin.get("kind", "human") if isinstance(origin, dict) else "human"
        is_human = kind == "human" and attachment.get("commandMode", "prompt") == "prompt"
        if is_human and self._is_human(record, draft, texts):
            self._said_by_person(draft, texts)
            self._splice(draft, self._message(record, "user", blocks))
        else:
            self._add(draft, record, "system", blocks)

    def _splice(self, draft: Draft, message: Message) -> None:
        """Add a message before what came later by the clock, though it was written down earlier."""
        moment, index = message.timestamp_ms, draft.next_index
        if moment is not None and moment < (draft.gathered.updated_ms or 0):
            first = max(0, index - _SPLICE_LIMIT)
            while index > first and (draft.at(index - 1).timestamp_ms or 0) > moment:
                index -= 1
        if index == draft.add(message):
            return
        draft.move_last(index)
        self._state.tools.moved(index)
        place = self._state.response_place
        if place is not None and place.index >= index:
            self._state.response_place = None

    def _take_queue_operation(self, record: Record) -> None:
        """Before 2.1.8x the text of a prompt taken up in the middle of a turn stands here alone."""
        state = self._state
        moment = None if record.timestamp is None else datetime_ms(record.timestamp)
        if record.operation == "enqueue":
            text = opened(record.content)
            state.queue.append((text if isinstance(text, str) else "", moment))
            del state.queue[:-_QUEUE_LIMIT]
        elif record.operation == "popAll":
            state.queue.clear()
        elif record.operation in ("dequeue", "remove") and state.queue:
            text, typed_ms = state.queue.pop(0)
            if record.operation == "remove" and text:
                is_noise = is_injected(text) or text.startswith('{"task_id"')
                state.taken = [*state.taken, digest(text)][-_QUEUE_LIMIT:]
                if not is_noise:
                    self._said_by_person(self._main, [text])
                role: Role = "system" if is_noise else "user"
                when = typed_ms if typed_ms is not None else moment
                self._splice(self._main, Message(f"queue-{self.line}", role, (Text(text),), when, line=self.line))

    # What names the session.

    def _take_title(self, record: Record) -> None:
        titles = self._state.titles
        titles.custom = (record.custom_title or "").strip() or titles.custom
        titles.agent = (record.agent_name or "").strip() or titles.agent
        titles.written = (record.ai_title or "").strip() or titles.written
        titles.prompt = one_line(record.last_prompt or "", PREVIEW_LIMIT) or titles.prompt

    def _take_summary(self, record: Record) -> None:
        """A summary may be of another session: it counts if its leaf is a record of this file."""
        state = self._state
        if not record.summary or not record.leaf_uuid:
            return
        state.summaries += 1
        leaf = msgspec.json.encode(record.leaf_uuid)
        if any(self.file.holds(key + leaf, before=self.position) for key in (b'"uuid":', b'"uuid": ')):
            self._found_leaf(state.summaries, record.summary)
        elif len(state.leaves) < _LEAF_LIMIT:
            state.leaves[record.leaf_uuid] = (state.summaries, record.summary)

    def _found_leaf(self, rank: int, summary: str) -> None:
        titles = self._state.titles
        if rank > titles.summary_rank:
            titles.summary_rank, titles.summary = rank, summary

    def _take_unknown(self, record: Record) -> None:
        """Count it; show it too if it seems to be a part of the conversation."""
        self.count_unknown(record.type or "none")
        content = opened(record.content)
        blocks = self._blocks(record.message) if record.message is not None else []
        text = content if isinstance(content, str) else record.text or ""
        if blocks or text:
            self._add(self._draft(record), record, "system", blocks or [Text(text)])

    def sessions(self) -> list[SessionRead]:
        main = self._main.finish(**self._facts())
        children = [
            child.finish(
                agent=self.side.agent, title="", is_empty=not child.next_index, fallback_ms=self.file.modified_ms
            )
            for child in self._children.values()
        ]
        return [main, *children]

    def _facts(self) -> dict[str, Any]:
        """Return what the records say together with what stands beside them."""
        state, side = self._state, self.side
        titles, main = state.titles, state.main
        summary = titles.summary or side.listed()
        title = titles.custom or titles.agent or titles.written or summary or side.description
        if not title and not main.preview:
            title = titles.prompt or titles.command
        data: dict[str, Any] = {"repaired": dict(self.repairs)} if self.repairs else {}
        if side.agent_type:
            data["agent_type"] = side.agent_type
        plan = side.plan(state.slug)
        return {
            "agent": side.agent,
            "title": title,
            "summary": one_line(summary or titles.away, PREVIEW_LIMIT),
            "is_empty": self._is_empty(),
            "fallback_ms": self.file.modified_ms,
            "project_path": main.project_path or state.first_cwd,
            "todos": tuple(main.todos or side.todos()),
            "context_files": (*main.context_files, *([plan] if plan else [])),
            "provider_data": data,
        }

    def _is_empty(self) -> bool:
        main = self._state.main
        if main.kind == "subagent":
            return not self._main.next_index
        return not main.spoken_count or "ClaudeProbe" in self._state.first_cwd


def _prompt(record: Record) -> str:
    content = None if record.message is None else record.message.content
    if isinstance(content, list):
        return next((item.text for item in content if item.text), "")
    return content or ""


_TAKE = {
    "system": Reader._take_system,
    "attachment": Reader._take_attachment,
    "queue-operation": Reader._take_queue_operation,
    "summary": Reader._take_summary,
    "custom-title": Reader._take_title,
    "agent-name": Reader._take_title,
    "ai-title": Reader._take_title,
    "last-prompt": Reader._take_title,
}
