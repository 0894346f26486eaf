"""Grok: a folder for each session under ``~/.grok/sessions/<encoded cwd>``, its messages one JSON record a line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec

from holdfast_core.agents._draft import Gathered
from holdfast_core.agents._fields import names
from holdfast_core.agents._files import directories
from holdfast_core.agents._grok_side import Summary, Updates, summary_of, updates_of
from holdfast_core.agents._json import shown
from holdfast_core.agents._jsonl import LineFile
from holdfast_core.agents._lines import LineAgent, SessionReader, SessionState, Source
from holdfast_core.agents._parts import given, image_at
from holdfast_core.agents._reading import LineReader
from holdfast_core.agents._values import PATH_LIMIT, PREVIEW_LIMIT, moment_ms, one_line, text_of_name
from holdfast_core.agents.base import Home, ResumeCommand, ResumeTarget, SourceRef, refuse_subagent, safe_id
from holdfast_core.errors import Refused
from holdfast_core.model.message import Block, Message, Role, Text, Thinking, ToolCall, ToolResult

_QUERY = re.compile(r"<user_query>\n?(.*?)\n?</user_query>", re.DOTALL)
_INJECTED = re.compile(
    r"<(user_info|git_status|system-reminder|agent_skills|mcp_servers)>.*?(?:</\1>|\Z)\s*", re.DOTALL
)


class _Part(msgspec.Struct, gc=False):
    type: str = ""
    text: str | None = None
    url: str | None = None

    @classmethod
    def generic(cls, value: Any) -> _Part:
        return cls("text", shown(value))


class _Function(msgspec.Struct, gc=False):
    name: str = ""
    arguments: Any = None


class _Call(msgspec.Struct, gc=False):
    id: str = ""
    name: str = ""
    arguments: Any = None
    function: _Function | None = None
    not_read: ClassVar = names("type")


class _Backend(msgspec.Struct, gc=False):
    tool_type: str = ""
    action: Any = None
    id: str = ""
    status: str | None = None


class _Row(msgspec.Struct, gc=False):
    """One line; in the first format ``role`` stands in the place of ``type``."""

    type: str = ""
    role: str = ""
    content: str | list[_Part] | None = None
    synthetic_reason: str | None = None
    id: str | None = None
    summary: list[_Part] | None = None
    tool_calls: list[_Call] | None = None
    model_id: str | None = None
    reasoning_content: str | None = None
    tool_call_id: str | None = None
    kind: _Backend | None = None
    not_read: ClassVar = names(
        "encrypted_content model_fingerprint prior_turn_interrupt prompt_index reasoning_effort status"
    )


class _Reader(SessionReader[_Row, SessionState]):
    """Reads the messages of one session; what stands beside them is read with each."""

    record = _Row
    state_kind = SessionState
    summary: Summary
    updates: Updates

    def begun(self) -> Gathered:
        folder = Path(self.source.path).parent
        summary = self.summary = summary_of(folder, self.source.root)
        self.updates = updates_of(folder, self.source.root)
        gathered = Gathered(summary.info.id or text_of_name(folder.name))
        gathered.project_path = summary.info.cwd[:PATH_LIMIT]
        gathered.branch, gathered.model = summary.head_branch or "", summary.current_model_id or ""
        gathered.surface = summary.agent_name or ""
        if summary.session_kind == "subagent":
            gathered.kind, gathered.parent_id = "subagent", summary.parent_session_id
        else:
            gathered.forked_from = summary.parent_session_id
        return gathered

    def take(self, record: _Row) -> None:
        kind = record.type or record.role
        if kind == "user":
            self._take_prompt(record)
        elif kind == "assistant":
            self._take_answer(record)
        elif kind in ("tool_result", "tool"):
            call_id = record.tool_call_id or ""
            result = ToolResult(call_id, _joined(record.content), call_id in self.updates.failed)
            self._add("tool", [result, *_images(record.content)], self.updates.answered.get(call_id))
        elif kind == "reasoning":
            text = "\n\n".join(part.text for part in record.summary or () if part.text) or _joined(record.content)
            self._add("assistant", [Thinking(text)] if text else [], id=record.id)
        elif kind == "backend_tool_call" and record.kind is not None:
            call = record.kind
            blocks: list[Block] = [ToolCall(call.id, call.tool_type, given(call.action))]
            if call.status == "failed":
                blocks.append(ToolResult(call.id, "", True))
            self._add("assistant", blocks)
        else:
            if kind != "system":
                self.count_unknown(kind)
            text = _joined(record.content)
            self._add("system", [Text(text)] if text else [])

    def facts(self) -> dict[str, Any]:
        summary = self.summary
        self._count()
        more = {
            "created_ms": moment_ms(summary.created_at),
            "updated_ms": moment_ms(summary.last_active_at) or moment_ms(summary.updated_at),
        }
        return {
            "title": summary.generated_title or summary.session_summary or "",
            "is_empty": self.draft.gathered.spoken_count == 0,
            **{name: value for name, value in more.items() if value is not None},
        }

    def _take_prompt(self, record: _Row) -> None:
        text, images = _joined(record.content), _images(record.content)
        if record.synthetic_reason not in (None, "", "interjection"):
            self._add("system", [*([Text(text)] if text else []), *images])
            return
        queries = _QUERY.findall(text)
        typed = "\n".join(queries) if queries else _INJECTED.sub("", text)
        context = (_QUERY.sub("", text) if queries else "".join(one[0] for one in _INJECTED.finditer(text))).strip()
        if context:
            self._add("system", [Text(context)], id=f"line-{self.line}:context")
        role: Role = "user"
        if self.draft.gathered.kind == "subagent":  # its parent speaks there
            role = "system"
            gathered = self.draft.gathered
            gathered.preview = gathered.preview or one_line(typed, PREVIEW_LIMIT)
        moment = self.updates.asked.get(text.strip()) or self.updates.asked.get(typed.strip())
        self._add(role, [*([Text(typed)] if typed.strip() else []), *images], moment)

    def _take_answer(self, record: _Row) -> None:
        blocks: list[Block] = [Thinking(record.reasoning_content)] if record.reasoning_content else []
        text = _joined(record.content)
        blocks += [Text(text)] if text else []
        moment = None
        for call in record.tool_calls or ():
            function = call.function or _Function(call.name, call.arguments)
            blocks.append(ToolCall(call.id, function.name, given(function.arguments)))
            moment = moment or self.updates.called.get(call.id)
        self.draft.gathered.model = record.model_id or self.draft.gathered.model
        self._add("assistant", blocks, moment, model=record.model_id)

    def _add(
        self,
        role: Role,
        blocks: list[Block],
        moment: int | None = None,
        *,
        id: str | None = None,
        model: str | None = None,
    ) -> None:
        if blocks:
            line = self.line
            self.draft.add(Message(id or f"line-{line}", role, tuple(blocks), moment, None, model, None, line))

    def _count(self) -> None:
        """Count the turns anew: they stand in a file of their own, which is read whole."""
        gathered = self.draft.gathered
        self.draft.uncount()
        for turn in self.updates.turns.values():
            self.draft.respond(
                turn.key if turn.has_prompt else f"{gathered.native_id}:{turn.key}",
                turn.usage,
                model=turn.model or gathered.model,
                timestamp_ms=turn.moment_ms,
                index=None,
                cost_usd=turn.cost_usd,
            )


def _joined(content: str | list[_Part] | None) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part.text for part in content or () if part.text)


def _images(content: str | list[_Part] | None) -> list[Block]:
    parts = content if isinstance(content, list) else ()
    return [image_at(part.url or "") for part in parts if part.type == "image"]


class Grok(LineAgent):
    """Reads sessions of both formats of its messages."""

    id = "grok"
    name = "Grok"
    mark = "G"
    hue = 75
    program = "grok"
    how_to_install = "https://x.ai/cli"
    patterns = ("*/*/chat_history.jsonl",)
    beside = ("*.json", "*.jsonl", "*.md")

    def roots(self, home: Home) -> list[Path]:
        return [folder / "sessions" for folder in directories(home, ("GROK_HOME",), ".grok")]

    def reader(self, file: LineFile, source: Source) -> LineReader[Any]:
        return _Reader(file, source)

    def place_in_project(self, ref: SourceRef, home: Home, project: str) -> Path | None:
        path = Path(ref.path)
        return Path(self.root_of(ref.path, home), quote(project, safe=""), path.parent.name, path.name)

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        refuse_subagent(facts)
        safe_id(facts.native_id)
        if fork:
            raise Refused("Grok has no command that continues a copy of a session.")
        return ResumeCommand((self.program, "--resume", facts.native_id), needs_project=True)


AGENT = Grok()
