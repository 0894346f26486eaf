"""Makes a session of Codex's records: one of two doubled streams, what a person typed, what was rolled back."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Self

import msgspec

from holdfast_core.agents._codex_records import (
    Payload,
    Record,
    asked,
    blocks_of,
    changed_files,
    cwd_in,
    image,
    is_injected,
    joined,
    opened,
    patched_files,
    plan_of,
    result_blocks,
    typed_part,
    usage_of,
)
from holdfast_core.agents._codex_side import Side
from holdfast_core.agents._draft import Draft, Gathered, TooEarly, digest
from holdfast_core.agents._jsonl import LineFile
from holdfast_core.agents._reading import LineReader, Place
from holdfast_core.agents._values import PREVIEW_LIMIT, datetime_ms, moment_ms, one_line
from holdfast_core.agents.base import SessionRead
from holdfast_core.model.message import Block, Compaction, Error, Message, Role, Text, Thinking, ToolCall

_HEARD_LIMIT = 32
_CALLS_LIMIT = 64
_TURNS_LIMIT = 1000
_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_REPLAY_MS = 1000

_ITEM, _EVENT = "item", "event"


class _Now(msgspec.Struct, array_like=True):
    """What the meaning of the next record depends on. ``heard`` are texts of one stream still to come in the other."""

    has_meta: bool = False
    own_id: str = ""
    lineage: str = ""
    turn_id: str = ""
    model: str = ""
    is_subagent: bool = False
    is_copy: bool = False
    is_replay: bool = False
    replay_until_ms: int | None = None
    total: tuple[int, ...] = ()
    last_tokens: int | None = None
    heard: list[tuple[str, str, bytes, int]] = []
    compaction: str = ""


class _State(msgspec.Struct, array_like=True):
    """All that must last until the next reading."""

    main: Gathered
    now: _Now
    turns: list[int] = []
    reply: Place | None = None
    spare: Place | None = None
    starting: dict[str, tuple[int, Place | None]] = {}
    patched: list[str] = []
    name: str = ""
    role: str = ""
    context_cwd: str = ""


class Reader(LineReader[Record]):
    """Reads one rollout. ``side`` is what the agent keeps elsewhere about its threads."""

    record = Record

    def __init__(self, file: LineFile, side: Side) -> None:
        super().__init__(file)
        self.side = side
        self._is_warm = self._is_restored = False
        self._adopt(_State(Gathered(side.native_id), _Now()))

    def _adopt(self, state: _State) -> None:
        self._state = state
        self._now = state.now
        self._main = Draft(state.main)

    def state(self) -> bytes:
        return msgspec.msgpack.encode(self._state)

    def restore(self, state: bytes) -> None:
        self._adopt(msgspec.msgpack.decode(state, type=_State))
        self._is_restored = True

    def place_before(self, index: int) -> Place | None:
        state = self._state
        places = [state.reply, state.spare, *(place for _, place in state.starting.values())]
        fitting = [place for place in places if place is not None and place.index <= index]
        return max(fitting, key=lambda place: place.index, default=None)

    def warm(self, place: Place) -> Self:
        fresh = type(self)(self.file, self.side)
        fresh.line = place.line
        if place.seed:
            fresh._is_warm = True
            gathered = Gathered(self.side.native_id, count=place.index)
            fresh._adopt(_State(gathered, msgspec.msgpack.decode(place.seed, type=_Now)))
        return fresh

    def preload(self, warmed: Self) -> None:
        self._main.messages, self._main.base = warmed._main.messages, warmed._main.base

    def kind_of(self) -> Callable[[Record], str | None]:
        return _kind_of

    def take(self, record: Record) -> None:
        payload = record.payload
        kind = record.type
        if payload is None:
            self._take_flat(record)
        elif kind == "response_item":
            self._take_item(record, payload)
        elif kind == "event_msg":
            take = _EVENTS.get(payload.type or "")
            if take is not None:
                take(self, record, payload)
            elif payload.type not in _SILENT_EVENTS:
                self._take_unknown(record, payload, f"event_msg/{payload.type}")
        elif kind == "session_meta":
            self._take_meta(record, payload)
        elif kind == "turn_context":
            self._take_turn_context(payload)
        elif kind == "compacted":
            self._take_compacted(record, payload)
        elif kind not in _SILENT:
            self._take_unknown(record, payload, kind or "none")

    def _take_flat(self, record: Record) -> None:
        """Before 0.32: the first line is the head, every other one a payload without a time."""
        if record.type in _FLAT_ITEMS:
            self._take_item(record, record)
        elif record.record_type is not None or record.type in _SILENT:
            return
        elif record.type is None and record.id and not self._now.has_meta and record.role is None:
            self._take_meta(record, record)
        else:
            self._take_unknown(record, record, record.type or "none")

    # Heads.

    def _take_meta(self, record: Record, meta: Payload) -> None:
        """The first head is the session's own; another one begins a copy of the parent's records."""
        state, now = self._state, self._now
        now.lineage = meta.id or now.lineage
        if now.has_meta:
            if meta.id and meta.id != now.own_id:
                now.is_replay = now.is_copy = True
                moment = moment_ms(record.timestamp)
                now.replay_until_ms = None if moment is None else moment + _REPLAY_MS
            return
        main = state.main
        if self._is_restored and meta.id and meta.id != main.native_id:
            raise TooEarly(-1)  # an earlier reading, before the head was written, gave it another id
        now.has_meta = True
        main.native_id = now.own_id = meta.id or main.native_id
        main.created_ms = moment_ms(record.timestamp)
        main.project_path = (meta.cwd or "")[:4096]
        main.branch = (meta.git.branch if meta.git else None) or ""
        main.agent_version, main.provider = meta.cli_version or "", meta.model_provider or ""
        main.surface = meta.originator or (meta.source if isinstance(meta.source, str) else "")
        main.forked_from = meta.forked_from_id
        now.is_copy = bool(meta.forked_from_id or meta.parent_thread_id)
        subagent = meta.source.get("subagent") if isinstance(meta.source, dict) else None
        if subagent is not None or meta.thread_source == "subagent":
            spawn = subagent.get("thread_spawn") if isinstance(subagent, dict) else None
            spawn = spawn if isinstance(spawn, dict) else {}
            parent = meta.parent_thread_id or spawn.get("parent_thread_id")
            main.kind = "subagent"
            now.is_subagent = True
            main.parent_id = parent if isinstance(parent, str) else None
            role = meta.agent_role or spawn.get("agent_role") or (subagent if isinstance(subagent, str) else "")
            state.role = role if isinstance(role, str) else ""

    def _take_turn_context(self, context: Payload) -> None:
        self._note_turn(context.turn_id)
        self._now.model = context.model or self._now.model
        if context.model and not self._now.is_replay:
            self._state.main.model = context.model
        self._state.context_cwd = self._state.context_cwd or (context.cwd or "")[:4096]

    def _note_turn(self, turn_id: str | None) -> None:
        """A copied turn is older than the session: both ids begin with the moment at which they were made."""
        now = self._now
        if not turn_id:
            return
        now.turn_id = turn_id
        if _UUID7.fullmatch(turn_id) and _UUID7.fullmatch(now.own_id):
            now.is_replay = turn_id[:13] < now.own_id[:13] and now.is_copy
            now.replay_until_ms = None

    def _skips(self, record: Record) -> bool:
        """Return whether a record is a copy of the parent's, which stands in the parent's own file too."""
        now = self._now
        if now.is_replay and now.replay_until_ms is not None:
            moment = moment_ms(record.timestamp)
            now.is_replay = moment is None or moment <= now.replay_until_ms
        return now.is_replay

    # The model's stream.

    def _take_item(self, record: Record, item: Payload) -> None:
        if self._skips(record):
            return
        kind = item.type
        if kind == "message" or (kind is None and item.role):
            self._take_message(record, item)
        elif kind == "reasoning":
            self._take_reasoning(record, item)
        elif kind in ("function_call", "custom_tool_call"):
            given = item.arguments if item.arguments is not None else item.input
            self._take_call(record, item, item.name or "", asked(given))
        elif kind in ("function_call_output", "custom_tool_call_output"):
            self._take_output(record, item)
        elif kind in _OTHER_CALLS:
            arguments = item.action if item.action is not None else item.arguments
            self._take_call(record, item, _OTHER_CALLS[kind], asked(arguments))
            picture = opened(item.result)
            if isinstance(picture, str) and picture:
                self._add(record, "tool", [image(f"data:image/png;base64,{picture}")])
        elif kind == "tool_search_output":
            tools = opened(item.tools)
            self._add(record, "tool", result_blocks(item.call_id or "", tools), item.id)
        elif kind == "agent_message":
            text = joined(item.content)
            if text:
                self._add(record, "system", [Text(f"{item.author}: {text}" if item.author else text)], item.id)
        elif kind in ("compaction", "context_compaction", "compaction_summary"):
            self._compacted(record, _ITEM, joined(item.content) or joined(item.summary))
        elif kind not in _SILENT_ITEMS:
            self._take_unknown(record, item, f"response_item/{kind}")

    def _take_message(self, record: Record, item: Payload) -> None:
        blocks = blocks_of(item.content)
        text = joined(item.content)
        if item.role == "assistant":
            if text and self._is_heard(_ITEM, "assistant", text):
                return
            index = self._add(record, "assistant", blocks, item.id)
            self._hear(_ITEM, "assistant", text, index)
        elif item.role != "user":
            self._add(record, "system", blocks, item.id)
        elif text and self._is_heard(_ITEM, "user", text):
            return
        else:
            injected = is_injected(text)
            role: Role = "system" if injected else "user"
            self._state.context_cwd = self._state.context_cwd or (cwd_in(text) if injected else "")
            index = self._add_prompt(record, role, blocks, text, item.id)
            self._hear(_ITEM, "user", text, index)

    def _add_prompt(self, record: Record, role: Role, blocks: list[Block], text: str, name: str | None = None) -> int:
        """Add what stands in the person's place; in a subagent's session its parent speaks there."""
        main = self._state.main
        if role == "user" and self._now.is_subagent:
            main.preview = main.preview or one_line(typed_part(text), PREVIEW_LIMIT)
            role = "system"
        if role == "user":
            main.preview = main.preview or one_line(typed_part(text), PREVIEW_LIMIT)
        index = self._add(record, role, blocks, name)
        if role == "user":
            self._state.turns = [*self._state.turns, index][-_TURNS_LIMIT:]
        return index

    def _take_reasoning(self, record: Record, item: Payload) -> None:
        parts = item.summary if isinstance(item.summary, list) else [item.summary] if item.summary else []
        texts = [part if isinstance(part, str) else part.text or "" for part in parts]
        texts.append(joined(item.content))
        texts = [text for text in texts if text and not self._is_heard(_ITEM, "thinking", text)]
        if texts:
            index = self._add(record, "assistant", [Thinking("\n\n".join(texts))], item.id)
            for text in texts:
                self._hear(_ITEM, "thinking", text, index)

    def _take_call(self, record: Record, item: Payload, name: str, arguments: Any) -> None:
        state = self._state
        call_id = item.call_id or item.id or ""
        if name == "update_plan":
            plan = plan_of(arguments)
            if plan is not None:
                state.main.todos = plan
        patch = arguments.get("patch", arguments.get("input")) if isinstance(arguments, dict) else arguments
        if name == "apply_patch" and isinstance(patch, str):
            self._touch(call_id, patched_files(patch))
        index = self._add(record, "assistant", [ToolCall(call_id, name, arguments)], item.id)
        if name in ("spawn_agent", "spawn_agents_on_csv") and call_id:
            state.starting[call_id] = (index, state.reply)
            if len(state.starting) > _CALLS_LIMIT:
                del state.starting[next(iter(state.starting))]

    def _take_output(self, record: Record, item: Payload) -> None:
        call_id = item.call_id or ""
        if call_id in self._state.starting:
            answer = asked(item.output)
            self._link(call_id, answer.get("agent_id") if isinstance(answer, dict) else None)
        self._add(record, "tool", result_blocks(call_id, item.output), item.id)

    def _link(self, call_id: str | None, native_id: object) -> None:
        starting = self._state.starting
        if call_id in starting and isinstance(native_id, str) and native_id:
            self._main.link(starting[call_id][0], call_id, f"{self.side.agent}:{native_id}")
            del starting[call_id]

    def _touch(self, call_id: str, files: list[tuple[str, int, int]]) -> None:
        state = self._state
        if call_id and call_id in state.patched:
            return
        state.patched = [*state.patched, call_id][-_CALLS_LIMIT:]
        for path, added, removed in files:
            self._main.touch(path, added, removed)

    # The program's stream, which repeats most of the other.

    def _take_user_event(self, record: Record, event: Payload) -> None:
        if self._skips(record):
            return
        text = event.message if isinstance(event.message, str) else ""
        index = self._heard_at(_EVENT, "user", text)
        if index is None:
            blocks: list[Block] = [Text(text)] if text else []
            for name in ("images", "local_images"):
                urls = opened(getattr(event, name))
                blocks += [image(url) for url in urls if isinstance(url, str)] if isinstance(urls, list) else []
            if blocks:
                self._hear(_EVENT, "user", text, self._add_prompt(record, "user", blocks, text))
            return
        main = self._state.main
        if not self._now.is_subagent and index not in self._state.turns:
            message = self._main.at(index)
            self._main.put(index, msgspec.structs.replace(message, role="user"))
            main.prompt_count += 1
            main.spoken_count += 1
            main.preview = main.preview or one_line(typed_part(text), PREVIEW_LIMIT)
            self._state.turns = [*self._state.turns, index][-_TURNS_LIMIT:]

    def _take_agent_event(self, record: Record, event: Payload) -> None:
        text = event.message if isinstance(event.message, str) else ""
        self._say_once(record, "assistant", text, Text(text))

    def _take_reasoning_event(self, record: Record, event: Payload) -> None:
        self._say_once(record, "thinking", event.text or "", Thinking(event.text or ""))

    def _take_completed(self, record: Record, event: Payload) -> None:
        item = opened(event.item)
        text = item.get("text") if isinstance(item, dict) and item.get("type") == "Plan" else None
        if isinstance(text, str):
            self._say_once(record, "assistant", text, Text(text))

    def _take_review(self, record: Record, event: Payload) -> None:
        review = opened(event.review_output)
        review = review if isinstance(review, dict) else {}
        texts = [review.get("overall_explanation")]
        for finding in review.get("findings") or () if isinstance(review.get("findings"), list) else ():
            if isinstance(finding, dict):
                texts += [finding.get("title"), finding.get("body")]
        text = "\n\n".join(text for text in texts if isinstance(text, str) and text)
        self._say_once(record, "assistant", text, Text(text))

    def _say_once(self, record: Record, who: str, text: str, block: Block) -> None:
        if not text or self._skips(record) or self._heard_at(_EVENT, who, text) is not None:
            return
        self._hear(_EVENT, who, text, self._add(record, "assistant", [block]))

    def _take_turn(self, _record: Record, event: Payload) -> None:
        self._note_turn(event.turn_id)

    def _take_aborted(self, record: Record, event: Payload) -> None:
        if not self._skips(record):
            self._add(record, "system", [Text(f"[Turn aborted: {event.reason or 'no reason'}]")])

    def _take_error(self, record: Record, event: Payload) -> None:
        if self._skips(record):
            return
        error = opened(event.error)
        text = event.message if isinstance(event.message, str) else ""
        text = text or (str(error.get("message") or "") if isinstance(error, dict) else str(error or ""))
        self._add(record, "system", [Error(text or "Error")])

    def _take_patch(self, record: Record, event: Payload) -> None:
        if event.success is not False and not self._skips(record):
            self._touch(event.call_id or "", changed_files(opened(event.changes)))

    def _take_spawned(self, record: Record, event: Payload) -> None:
        if not self._skips(record):
            self._link(event.call_id, event.new_thread_id)

    def _take_name(self, _record: Record, event: Payload) -> None:
        self._state.name = (event.thread_name or "").strip() or self._state.name

    def _take_rollback(self, record: Record, event: Payload) -> None:
        """Drop the last turns of the person, and everything after."""
        turns, dropped = self._state.turns, max(event.num_turns or 0, 0)
        if self._skips(record) or not dropped:
            return
        if self._is_warm and dropped > len(turns):
            raise TooEarly(0)
        if not turns:
            return
        kept = turns[:-dropped]
        index = turns[len(kept)]
        self._state.main.prompt_count -= len(turns) - len(kept)
        self._state.turns, self._state.reply, self._state.spare = kept, None, None
        self._main.cut(index)
        self._now.heard = [heard for heard in self._now.heard if heard[3] < index]
        self._state.starting = {name: call for name, call in self._state.starting.items() if call[0] < index}

    def _take_compacted(self, record: Record, payload: Payload) -> None:
        if not self._skips(record):
            self._compacted(record, _ITEM, payload.message if isinstance(payload.message, str) else "")

    def _take_compacted_event(self, record: Record, _event: Payload) -> None:
        if not self._skips(record):
            self._compacted(record, _EVENT, "")

    def _compacted(self, record: Record, stream: str, text: str) -> None:
        now = self._now
        if now.compaction and now.compaction != stream:
            now.compaction = ""
            return
        now.compaction = stream
        self._add(record, "system", [Compaction(text, now.last_tokens)])

    def _take_tokens(self, record: Record, event: Payload) -> None:
        """Rows repeat the total when only a rate limit changed: the last request counts once."""
        info, now = event.info, self._now
        if info is None or info.total_token_usage is None:
            return
        total = info.total_token_usage.numbers()
        before, now.total = now.total, total
        if total == before or self._skips(record):
            return
        if info.last_token_usage is not None:
            last = info.last_token_usage.numbers()
        elif before:
            last = tuple(max(new - old, 0) for new, old in zip(total, before, strict=True))  # type: ignore[assignment]  # as many
        else:
            last = total
        place = self._state.reply or self._state.spare
        index = None if place is None else place.index
        usage = usage_of(last)
        now.last_tokens = usage.total_tokens
        key = ":".join(map(str, (now.turn_id or now.lineage, *total, *last)))
        moment = None if record.timestamp is None else datetime_ms(record.timestamp)
        if self._main.respond(key, usage, model=now.model, timestamp_ms=moment, index=index) and index is not None:
            self._main.use(index, usage)
        self._state.reply = self._state.spare = None

    # What both streams share.

    def _take_unknown(self, record: Record, payload: Payload, kind: str) -> None:
        """Count it; show it too if it seems to be a part of the conversation."""
        self.count_unknown(kind)
        if self._skips(record):
            return
        text = joined(payload.content) or payload.text or (payload.message if isinstance(payload.message, str) else "")
        if not text:
            return
        if payload.role == "user":
            self._add_prompt(record, "user", [Text(text)], text)
        else:
            self._add(record, "assistant" if payload.role == "assistant" else "system", [Text(text)])

    def _add(self, record: Record, role: Role, blocks: list[Block], name: str | None = None) -> int:
        state = self._state
        if state.spare is None or (role == "assistant" and state.reply is None):
            seed = msgspec.msgpack.encode(self._now)
            place = Place(self.position, self.line, self._main.next_index, seed)
            state.spare = state.spare or place
            state.reply = place if role == "assistant" else None
        return self._main.add(
            Message(
                name or f"line-{self.line}",
                role,
                tuple(blocks),
                None if record.timestamp is None else datetime_ms(record.timestamp),
                None,
                (self._now.model or None) if role == "assistant" else None,
                line=self.line,
            )
        )

    def _hear(self, stream: str, who: str, text: str, index: int) -> None:
        if text:
            heard = self._now.heard = self._now.heard[1 - _HEARD_LIMIT :]
            heard.append((stream, who, digest(text.strip()), index))

    def _is_heard(self, stream: str, who: str, text: str) -> bool:
        return self._heard_at(stream, who, text) is not None

    def _heard_at(self, stream: str, who: str, text: str) -> int | None:
        """Return where the other stream said this, which is then used up."""
        mark = b""
        for place, (its_stream, its_who, its_mark, index) in enumerate(self._now.heard):
            if its_stream != stream and its_who == who:
                mark = mark or digest(text.strip())
                if its_mark == mark:
                    del self._now.heard[place]
                    return index
        return None

    def sessions(self) -> list[SessionRead]:
        state, main = self._state, self._state.main
        known = self.side.title(main.native_id)
        title = known.given or state.name or known.indexed or (main.preview or known.first)
        data: dict[str, Any] = {"repaired": dict(self.repairs)} if self.repairs else {}
        if state.role:
            data["agent_type"] = state.role
        is_empty = not (main.spoken_count if main.kind == "main" else self._main.next_index)
        return [
            self._main.finish(
                agent=self.side.agent,
                title=title,
                is_empty=is_empty,
                is_archived=self.side.is_archived,
                fallback_ms=self.file.modified_ms,
                project_path=main.project_path or state.context_cwd,
                provider_data=data,
            )
        ]


def _kind_of(record: Record) -> str | None:
    return (None if record.payload is None else record.payload.type) or record.type


_EVENTS: dict[str, Callable[[Reader, Record, Payload], None]] = {
    "user_message": Reader._take_user_event,
    "agent_message": Reader._take_agent_event,
    "agent_reasoning": Reader._take_reasoning_event,
    "agent_reasoning_raw_content": Reader._take_reasoning_event,
    "token_count": Reader._take_tokens,
    "task_started": Reader._take_turn,
    "turn_started": Reader._take_turn,
    "turn_aborted": Reader._take_aborted,
    "thread_rolled_back": Reader._take_rollback,
    "thread_name_updated": Reader._take_name,
    "patch_apply_end": Reader._take_patch,
    "collab_agent_spawn_end": Reader._take_spawned,
    "context_compacted": Reader._take_compacted_event,
    "item_completed": Reader._take_completed,
    "exited_review_mode": Reader._take_review,
    "error": Reader._take_error,
    "stream_error": Reader._take_error,
}
_OTHER_CALLS = {
    "local_shell_call": "local_shell",
    "web_search_call": "web_search",
    "tool_search_call": "tool_search",
    "image_generation_call": "image_generation",
}
_SILENT_ITEMS = frozenset(("ghost_snapshot", "other"))
_FLAT_ITEMS = frozenset(
    (
        "message", "reasoning", "function_call", "function_call_output", "custom_tool_call", "web_search_call",
        "custom_tool_call_output", "local_shell_call", "ghost_snapshot", "compaction", "image_generation_call",
    )
)  # fmt: skip
_SILENT = frozenset(("world_state", "inter_agent_communication", "inter_agent_communication_metadata"))
_SILENT_EVENTS = frozenset(
    (
        "task_complete", "turn_complete", "exec_command_begin", "exec_command_end", "exec_command_output_delta",
        "mcp_tool_call_begin", "mcp_tool_call_end", "web_search_begin", "web_search_end", "image_generation_begin",
        "image_generation_end", "view_image_tool_call", "patch_apply_begin", "dynamic_tool_call_request",
        "dynamic_tool_call_response", "entered_review_mode", "thread_settings_applied", "thread_goal_updated",
        "guardian_assessment", "sub_agent_activity", "collab_agent_spawn_begin", "collab_agent_interaction_begin",
        "collab_agent_interaction_end", "collab_waiting_begin", "collab_waiting_end", "collab_close_begin",
        "collab_close_end", "collab_resume_begin", "collab_resume_end", "undo_started", "undo_completed",
        "session_configured", "agent_message_delta", "agent_reasoning_delta", "agent_reasoning_section_break",
        "background_event", "turn_diff", "plan_update", "item_started", "warning", "deprecation_notice",
        "account/rateLimits/updated", "thread_goal_cleared", "model_reroute", "shutdown_complete", "task_completed",
    )
)  # fmt: skip
