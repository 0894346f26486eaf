"""Makes sessions of what Kimi Code writes: one log for each agent of a session."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._fields import names
from holdfast_core.agents._kimi_reader import KimiReader
from holdfast_core.agents._kimi_records import Counts, Part, Returned, todos_of
from holdfast_core.agents._values import PATH_LIMIT, count, moment_ms, storable, text_of_name
from holdfast_core.model.message import Compaction, Text, ToolCall

_SILENT = (
    "metadata", "full_compaction.", "llm.tools_snapshot", "permission.", "plan_mode.", "plugin.", "runtime.",
    "token_counting.", "tools.", "turn.",
)  # fmt: skip
_MAIN = "main"


class Origin(msgspec.Struct, gc=False):
    """Who put a message there."""

    kind: str | None = None


class Said(msgspec.Struct, gc=False):
    """A message that was put into the conversation."""

    role: str | None = None
    content: str | list[Part] | Part | None = None
    origin: Origin | None = None
    not_read: ClassVar = names("toolCalls")


class Event(msgspec.Struct, rename="camel", gc=False):
    """One event of the model's work."""

    type: str | None = None
    uuid: str | None = None
    part: Part | None = None
    tool_call_id: str | None = None
    name: str | None = None
    args: Any = None
    result: Returned | None = None
    usage: Counts | None = None
    message_id: str | None = None
    not_read: ClassVar = names("description finishReason parentUuid step turnId")


class Record(msgspec.Struct, rename="camel", gc=False):
    """One line."""

    type: str | None = None
    time: Any = None
    event: Event | None = None
    message: Said | None = None
    cwd: str | None = None
    model: str | None = None
    model_alias: str | None = None
    provider: str | None = None
    usage: Counts | None = None
    summary: str | None = None
    tokens_before: int | None = None
    created_at: Any = msgspec.field(default=None, name="created_at")
    not_read: ClassVar = names(
        "agentId input kind names origin protocol_version reason result source tokensAfter toolCallId turnId usageScope"
    )


class Reader(KimiReader[Record]):
    """Reads ``agents/<agent>/wire.jsonl`` of one session."""

    record = Record

    @property
    def _session(self) -> Path:
        return Path(self.source.path).parent.parent.parent

    def own_id(self) -> str:
        agent, session = Path(self.source.path).parent.name, text_of_name(self._session.name)
        return session if agent == _MAIN else f"{session}-{text_of_name(agent)}"

    def parent_id(self) -> str | None:
        is_main = Path(self.source.path).parent.name == _MAIN
        return None if is_main else text_of_name(self._session.name)

    def take(self, record: Record) -> None:
        self.moment = moment_ms(record.time)
        kind = record.type or "none"
        if kind == "context.append_loop_event":
            self._take_event(record.event or Event())
        elif kind == "context.append_message":
            self._take_message(record.message or Said())
        elif kind == "usage.record":
            self._take_counts(record)
        elif kind in ("config.update", "profile.bind", "llm.request"):
            self._take_config(record)
        elif kind == "context.apply_compaction":
            self.add("", "system", [Compaction(record.summary or "", count(record.tokens_before) or None)])
        elif kind == "metadata":
            main = self.kept.main
            main.created_ms = main.created_ms or moment_ms(record.created_at)
        elif not kind.startswith(_SILENT):
            self.count_unknown(kind)

    def _take_config(self, record: Record) -> None:
        main = self.kept.main
        if record.cwd and not self.kept.cwd:
            self.kept.cwd = record.cwd[:PATH_LIMIT]
        alias = record.model_alias or ""
        main.model = record.model or alias.rpartition("/")[2] or main.model
        main.provider = record.provider or alias.rpartition("/")[0] or main.provider

    def _take_message(self, said: Said) -> None:
        if said.role == "user":
            kind = said.origin.kind if said.origin is not None else None
            self.take_prompt("", said.content, is_person=kind in (None, "user"))
            return
        if said.role not in ("system", "assistant"):
            self.count_unknown(f"role/{said.role}")
        blocks = self.blocks([Part("text", said.content)] if isinstance(said.content, str) else _listed(said.content))
        self.add("", "assistant" if said.role == "assistant" else "system", blocks)

    def _take_event(self, event: Event) -> None:
        kind = event.type or "none"
        if kind == "content.part":
            self.take_said("", *self.blocks(_listed(event.part)), id=event.uuid, model=self.kept.main.model or None)
        elif kind == "tool.call":
            self._take_call(event)
        elif kind == "tool.result":
            self.take_result("", event.tool_call_id or "", event.result or Returned())
        elif kind == "step.begin":
            self.begin_step("")
        elif kind == "step.end":
            if event.usage is not None:
                self._count(event.message_id or event.uuid, event.usage, is_step=True)
        else:
            self.count_unknown(f"event/{kind}")
            if event.part is not None and event.part.text:
                self.add("", "system", [Text(event.part.text)])

    def _take_call(self, event: Event) -> None:
        arguments = event.args if isinstance(event.args, dict) else {}
        if event.name in ("Write", "Edit"):
            old = arguments.get("old_string")
            new = arguments.get("content", arguments.get("new_string"))
            self.expect_change(event.tool_call_id or "", arguments.get("path"), old, new)
        elif event.name == "TodoList" and isinstance(arguments.get("todos"), list):
            self.kept.main.todos = todos_of(arguments["todos"])
        call = ToolCall(event.tool_call_id or "", event.name or "", storable(event.args))
        self.take_said("", call, model=self.kept.main.model or None)

    def _take_counts(self, record: Record) -> None:
        """Take counts that stand alone; usually they repeat those of the step before them."""
        if record.usage is None:
            return
        counted = msgspec.structs.astuple(record.usage.usage())
        if counted == self.kept.counted:
            self.kept.counted = ()
            return
        if record.model and not self.kept.main.model:
            self.kept.main.model = record.model.rpartition("/")[2]
        self._count(None, record.usage, is_step=False)

    def _count(self, key: str | None, counts: Counts, *, is_step: bool) -> None:
        usage = counts.usage()
        self.kept.counted = msgspec.structs.astuple(usage) if is_step else ()
        if not is_step:
            self.kept.step = None
        self.take_usage("", key or f"{self.kept.main.native_id}:{self.line}", usage, self.kept.main.model)

    def facts(self) -> dict[str, Any]:
        stored = self.stored(self._session)
        title = stored.title if self.kept.main.kind == "main" else ""
        return self.said(stored) | {
            "title": title or self.kept.asked,
            "project_path": stored.work_dir[:PATH_LIMIT] or self.kept.cwd,
        }


def _listed(part: Any) -> list[Part]:
    return part if isinstance(part, list) else [] if part is None else [part]
