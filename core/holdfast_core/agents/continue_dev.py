"""Continue: one JSON document for each session under ``~/.continue/sessions``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._documents import Document, DocumentAgent
from holdfast_core.agents._draft import Draft, Gathered
from holdfast_core.agents._fields import names
from holdfast_core.agents._files import directories
from holdfast_core.agents._json import shown
from holdfast_core.agents._jsonl import read_small
from holdfast_core.agents._parts import given, image_at, path_of_uri, text_in
from holdfast_core.agents._values import PATH_LIMIT, count, moment_ms, text_of_name
from holdfast_core.agents.base import Home, ResumeCommand, ResumeTarget, SessionRead, SourceRef, safe_id
from holdfast_core.errors import Refused
from holdfast_core.model.message import (
    Block,
    Compaction,
    File,
    Message,
    Role,
    Text,
    Thinking,
    Todo,
    ToolCall,
    ToolResult,
)
from holdfast_core.model.usage import Usage

_INDEX = "sessions.json"
_UNTITLED = ("", "New Session", "Untitled Session")
_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "thinking": "assistant", "tool": "tool"}
_EDITS = frozenset((
    "edit_existing_file", "single_find_and_replace", "multi_edit", "create_new_file", "Write", "Edit", "MultiEdit",
))  # fmt: skip
_STEP = re.compile(r"^\s*[-*] \[([ xX])\] (.+)$", re.MULTILINE)


class _CacheTokens(msgspec.Struct, gc=False, rename="camel"):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _OutputTokens(msgspec.Struct, gc=False, rename="camel"):
    reasoning_tokens: int | None = None


class _Tokens(msgspec.Struct, gc=False, rename="camel"):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _CacheTokens | None = None
    completion_tokens_details: _OutputTokens | None = None
    total_cost: float | None = None

    def usage(self) -> Usage:
        """Return the counts in our meaning: some providers count the cache as input, some do not."""
        cache = self.prompt_tokens_details or _CacheTokens()
        details = self.completion_tokens_details or _OutputTokens()
        read, written, asked = count(cache.cached_tokens), count(cache.cache_write_tokens), count(self.prompt_tokens)
        is_apart = written > 0 or read > asked
        reasoning = count(details.reasoning_tokens)
        return Usage(asked if is_apart else asked - read, count(self.completion_tokens), read, written, reasoning)


class _Function(msgspec.Struct, gc=False):
    name: str | None = None
    arguments: Any = None


class _Call(msgspec.Struct, gc=False):
    id: str | None = None
    function: _Function | None = None
    not_read: ClassVar = names("type")


class _Said(msgspec.Struct, gc=False, rename="camel"):
    role: str = ""
    id: str | None = None
    content: Any = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None
    usage: _Tokens | None = None
    not_read: ClassVar = names("signature")


class _Context(msgspec.Struct, gc=False):
    name: str | None = None
    description: str | None = None
    content: str | None = None
    uri: Any = None
    not_read: ClassVar = names("hidden id")

    def file(self) -> File:
        path = path_of_uri(text_in(self.uri, "value"))
        return File((path or self.description or self.name or "")[:PATH_LIMIT], "", self.content or "")


class _CallState(msgspec.Struct, gc=False, rename="camel"):
    tool_call_id: str | None = None
    tool_call: _Call | None = None
    status: str | None = None
    output: list[_Context] | None = None
    not_read: ClassVar = names("parsedArgs")


class _Options(msgspec.Struct, gc=False):
    model: str | None = None
    not_read: ClassVar = names("maxTokens stream temperature tools topK topP")


class _PromptLog(msgspec.Struct, gc=False, rename="camel"):
    model_title: str | None = None
    completion_options: _Options | None = None
    not_read: ClassVar = names("completion modelProvider prompt")


class _Reasoning(msgspec.Struct, gc=False):
    text: str | None = None
    not_read: ClassVar = names("active endAt startAt")


class _Item(msgspec.Struct, gc=False, rename="camel"):
    message: _Said = msgspec.field(default_factory=_Said)
    context_items: list[_Context] | None = None
    prompt_logs: list[_PromptLog] | None = None
    tool_call_states: list[_CallState] | None = None
    reasoning: _Reasoning | None = None
    conversation_summary: str | None = None
    not_read: ClassVar = names("editorState isGatheringContext")

    @classmethod
    def generic(cls, value: Any) -> _Item:
        """Return an item that shows a value of an unexpected kind."""
        return cls(_Said("", None, value))

    @property
    def model(self) -> str:
        """The model that was asked last for this item: its id where it is told, else its title."""
        for log in reversed(self.prompt_logs or ()):
            name = (log.completion_options and log.completion_options.model) or log.model_title
            if name:
                return name
        return ""


class _Session(msgspec.Struct, rename="camel"):
    session_id: str | None = None
    title: str | None = None
    workspace_directory: str | None = None
    history: list[_Item] = msgspec.field(default_factory=list)
    mode: str | None = None
    chat_model_title: str | None = None
    usage: _Tokens | None = None


class _Listed(msgspec.Struct, rename="camel"):
    session_id: str = ""
    date_created: str | int | None = None


class ContinueDev(DocumentAgent):
    """Reads sessions of the editor's extension and of the command line, which keep them in one place."""

    id = "continue_dev"
    name = "Continue"
    mark = "N"
    hue = 265
    program = "cn"
    how_to_install = "https://docs.continue.dev/cli/install"
    patterns = ("sessions/*.json",)
    listed = (_INDEX,)
    notes = ("Continue's own list of sessions was left as it is. It may not show this one.",)
    document = _Session

    def roots(self, home: Home) -> list[Path]:
        return directories(home, ["CONTINUE_GLOBAL_DIR"], ".continue")

    def is_source(self, path: str) -> bool:
        """Return whether a document holds a session; one of them is the list of all others."""
        return Path(path).name != _INDEX

    def sessions(self, document: Document, ref: SourceRef, home: Home) -> list[SessionRead]:
        session: _Session = document.value
        native_id = text_of_name(Path(ref.path).stem)
        reader = _Reader(Draft(Gathered(native_id)), document)
        for number, item in enumerate(session.history, 1):
            reader.take(item, number)
        reader.count_whole(session)
        gathered = reader.draft.gathered
        gathered.model = gathered.model or session.chat_model_title or ""
        gathered.project_path = path_of_uri(session.workspace_directory or "")
        gathered.created_ms = _created_ms(ref.path, self.root_of(ref.path, home), native_id)
        title = session.title or ""
        return [
            reader.draft.finish(
                agent=self.id,
                title="" if title in _UNTITLED else title,
                is_empty=gathered.spoken_count == 0,
                fallback_ms=document.modified_ms,
                updated_ms=document.modified_ms,
                todos=tuple(reader.todos),
                provider_data=document.provider_data() | ({"mode": session.mode} if session.mode else {}),
            )
        ]

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        native_id = safe_id(facts.native_id)
        if facts.kind == "subagent" or not fork:
            raise Refused("This agent can only continue a copy of a chosen session.")
        return ResumeCommand((self.program, "--fork", native_id), needs_project=False)


class _Reader:
    """Makes messages of the items of a history, which have no times."""

    def __init__(self, draft: Draft, document: Document) -> None:
        self.draft = draft
        self.todos: list[Todo] = []
        self._document = document
        self._answered: set[str] = set()
        self._last_answer: int | None = None

    def take(self, item: _Item, number: int) -> None:
        said = item.message
        role = _ROLES.get(said.role, "system")
        if role == "system" and said.role != "system":
            self._document.count_unknown(f"role:{said.role}" if said.role else "")
        model = item.model if role == "assistant" else ""
        self.draft.gathered.model = model or self.draft.gathered.model
        if role == "tool":
            call_id = said.tool_call_id or ""
            if call_id not in self._answered:
                self._answered.add(call_id)
                self._add(number, role, [ToolResult(call_id, _text(said.content))], said.id)
        else:
            self._take_said(item, role, number, model)
        results: list[Block] = [
            ToolResult(state.tool_call_id or "", _output(state.output), state.status == "errored")
            for state in item.tool_call_states or ()
            if state.output or state.status == "errored"
        ]
        self._answered.update(state.tool_call_id or "" for state in item.tool_call_states or () if state.output)
        self._add(number, "tool", results, f"{said.id or number}-results")
        if item.conversation_summary:
            self._add(number, "system", [Compaction(item.conversation_summary)], f"{said.id or number}-summary")

    def _take_said(self, item: _Item, role: Role, number: int, model: str) -> None:
        said = item.message
        blocks: list[Block] = []
        if item.reasoning is not None and item.reasoning.text:
            blocks.append(Thinking(item.reasoning.text))
        for block in _blocks(said.content):
            is_thought = said.role == "thinking" and isinstance(block, Text)
            blocks.append(Thinking(block.text) if is_thought and isinstance(block, Text) else block)
        for context in item.context_items or ():
            file = context.file()
            blocks.append(file)
            if context.uri:
                self.draft.mention(file.path)
        states = {state.tool_call_id: state.status for state in item.tool_call_states or ()}
        calls = said.tool_calls or [state.tool_call for state in item.tool_call_states or () if state.tool_call]
        for call in calls if role == "assistant" else ():
            blocks.append(self._call(call, states.get(call.id)))
        if not blocks:
            return
        usage = None if said.usage is None else said.usage.usage()
        index = self.draft.next_index
        if usage is not None and usage.total_tokens:
            key = said.id or f"{self.draft.gathered.native_id}:{number}"
            if not self.draft.respond(key, usage, model=model, timestamp_ms=None, index=index):
                usage = None
        self._add(number, role, blocks, said.id, model=model, usage=usage)
        self._last_answer = index if role == "assistant" else self._last_answer

    def _call(self, call: _Call, status: str | None) -> ToolCall:
        function = call.function or _Function()
        arguments, name = given(function.arguments), function.name or ""
        if name in _EDITS and status == "done":
            self.draft.touch(path_of_uri(text_in(arguments, "filepath", "file_path")), 0, 0)
        if name == "Checklist":
            steps = _STEP.findall(text_in(arguments, "checklist"))
            self.todos = [Todo(text.strip(), "completed" if mark != " " else "pending") for mark, text in steps]
        return ToolCall(call.id or "", name, arguments)

    def count_whole(self, session: _Session) -> None:
        """Count what a session used altogether, where its messages do not tell their parts of it."""
        draft, tokens = self.draft, session.usage
        if tokens is None or draft.responses or not tokens.usage().total_tokens:
            return
        cost = tokens.total_cost if tokens.total_cost is not None and 0 < tokens.total_cost < 1e6 else None
        model = draft.gathered.model or session.chat_model_title or ""
        key = f"{draft.gathered.native_id}:all"
        index = self._last_answer
        draft.respond(key, tokens.usage(), model=model, timestamp_ms=None, index=index, cost_usd=cost)
        if index is not None:
            draft.put(index, msgspec.structs.replace(draft.at(index), usage=tokens.usage()))

    def _add(
        self,
        number: int,
        role: Role,
        blocks: list[Block],
        message_id: str | None,
        *,
        model: str = "",
        usage: Usage | None = None,
    ) -> None:
        if blocks:
            name = message_id or f"item-{number}"
            self.draft.add(Message(name, role, tuple(blocks), None, None, model or None, usage, number))


def _blocks(content: Any) -> list[Block]:
    if not isinstance(content, list):
        text = _text(content)
        return [Text(text)] if text else []
    blocks: list[Block] = []
    for part in content:
        address = text_in(part.get("imageUrl"), "url") if isinstance(part, dict) else ""
        text = _text(part)
        if address:
            blocks.append(image_at(address))
        elif text:
            blocks.append(Text(text))
    return blocks


def _text(content: Any) -> str:
    if isinstance(content, dict) and isinstance(content.get("text"), str):
        return str(content["text"])
    return "" if content is None else shown(content)


def _output(items: list[_Context] | None) -> str:
    return "\n".join(item.content for item in items or () if item.content)


def _created_ms(path: str, root: str, native_id: str) -> int | None:
    """Return when a session began, which the list of all sessions tells, as milliseconds in a text."""
    content = read_small(Path(path).with_name(_INDEX), root=root)
    try:
        listed = msgspec.json.decode(content or b"[]", type=list[_Listed])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    for row in listed:
        if row.session_id == native_id:
            told = row.date_created
            return moment_ms(count(told)) if count(told) else moment_ms(told)
    return None


AGENT = ContinueDev()
