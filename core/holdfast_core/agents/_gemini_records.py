"""The records of Gemini CLI and of programs made from it, as far as they are read, and the blocks that they become."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._fields import names
from holdfast_core.agents._json import shown
from holdfast_core.agents._values import count, storable
from holdfast_core.model.message import Block, File, Image, Text, Thinking, ToolCall, ToolResult
from holdfast_core.model.usage import Usage

_NAMED_FILE = re.compile(r"\s*Content from @?(.+?):\s*", re.DOTALL)
_FRAMES = ("--- Content from referenced files ---", "--- End of content ---")
_INJECTED = ("<session_context>", "This is the Gemini CLI. We are setting up the context", "<system-reminder>")
SUMMARY = "<state_snapshot>"


class Inline(msgspec.Struct, rename="camel", gc=False):
    """Data within a message, or the reference to it."""

    mime_type: str | None = None
    data: str | None = None
    file_uri: str | None = None
    display_name: str | None = None


class Call(msgspec.Struct, gc=False):
    """A call that the model asked for."""

    id: str | None = None
    name: str | None = None
    args: Any = None


class Answer(msgspec.Struct, gc=False):
    """What a tool gave back to the model."""

    id: str | None = None
    name: str | None = None
    response: Any = None
    parts: list[Any] | None = None


class Part(msgspec.Struct, rename="camel", gc=False):
    """One part of a content."""

    text: str | None = None
    thought: bool | None = None
    inline_data: Inline | None = None
    file_data: Inline | None = None
    function_call: Call | None = None
    function_response: Answer | None = None
    executable_code: Any = None
    code_execution_result: Any = None
    thought_signature: str | None = None

    @classmethod
    def generic(cls, value: Any) -> Part:
        """Return a part that shows a value of an unexpected kind."""
        return cls(shown(value))


class Thought(msgspec.Struct, gc=False):
    """A summary of what the model thought."""

    subject: str | None = None
    description: str | None = None
    not_read: ClassVar = names("timestamp")

    @classmethod
    def generic(cls, value: Any) -> Thought:
        """Return a thought of a text, which stands there without a subject in some files."""
        return cls(None, shown(value))


class ToolUse(msgspec.Struct, rename="camel", gc=False):
    """A call with its result, within the model's message."""

    id: str | None = None
    name: str | None = None
    args: Any = None
    result: str | list[Part] | Part | None = None
    status: str | None = None
    result_display: Any = None
    agent_id: str | None = None
    not_read: ClassVar = names("displayName timestamp")


class Tokens(msgspec.Struct, gc=False):
    """The counts of one response; the input has the cached part within it, the output is without the thoughts."""

    input: int | None = None
    output: int | None = None
    cached: int | None = None
    thoughts: int | None = None
    tool: int | None = None
    not_read: ClassVar = names("total")

    def usage(self) -> Usage:
        """Return the counts in our meaning."""
        return usage_of(count(self.input) + count(self.tool), self.output, self.cached, self.thoughts)


class Record(msgspec.Struct, rename="camel", gc=False):
    """One line, one message of a document, or the document itself."""

    id: str | None = None
    timestamp: datetime | None = None
    type: str | None = None
    content: str | list[Part] | Part | None = None
    display_content: str | list[Part] | Part | None = None
    thoughts: list[Thought] | None = None
    tokens: Tokens | None = None
    model: str | None = None
    tool_calls: list[ToolUse] | None = None
    role: str | None = None
    parts: list[Part] | None = None
    ts: Any = None
    session_id: str | None = None
    project_hash: str | None = None
    start_time: Any = None
    last_updated: Any = None
    kind: str | None = None
    summary: str | None = None
    directories: list[str] | None = None
    messages: list[Record] | None = None
    history: list[Record] | None = None
    patch: Record | None = msgspec.field(default=None, name="$set")
    rewind_to: str | None = msgspec.field(default=None, name="$rewindTo")


def usage_of(prompt: Any, answer: Any, cached: Any, thoughts: Any) -> Usage:
    """Return counts of this family in our meaning."""
    read = count(cached)
    thought = count(thoughts)
    return Usage(max(count(prompt) - read, 0), count(answer) + thought, read, 0, thought)


def parts_of(content: str | list[Part] | Part | None) -> list[Part]:
    """Return a content as its parts, however it is written."""
    if content is None or content == "":
        return []
    if isinstance(content, str):
        return [Part(content)]
    return [content] if isinstance(content, Part) else content


def blocks_of(parts: list[Part]) -> list[Block]:
    """Return the blocks of a content. Texts in a row that are a file's content become that file."""
    blocks: list[Block] = []
    named = ""
    for part in parts:
        text = part.text
        if text is not None:
            found = _NAMED_FILE.fullmatch(text) if not part.thought else None
            if found is not None:
                named = found[1]
            elif named:
                blocks.append(File(named, "", text))
                named = ""
            elif part.thought:
                blocks.append(Thinking(text))
            elif text.strip() not in _FRAMES and (text or not part.thought_signature):
                blocks.append(Text(text))
        else:
            blocks += _other_blocks(part, named)
            named = ""
    if named:
        blocks.append(File(named))
    return blocks


def _other_blocks(part: Part, named: str) -> list[Block]:
    if part.function_call is not None:
        call = part.function_call
        return [ToolCall(call.id or "", call.name or "", storable(call.args))]
    if part.function_response is not None:
        return [answer(part.function_response)]
    data = part.inline_data or part.file_data
    if data is not None:
        return [_attached(data, named)]
    code = part.executable_code or part.code_execution_result
    return [] if code is None else [Text(shown(code))]


def _attached(data: Inline, named: str) -> Block:
    kind, stored = data.mime_type or "", data.data or ""
    path = named or data.display_name or data.file_uri or ""
    if kind.startswith("image/") or not kind:
        return Image(kind, len(stored) * 3 // 4 - stored[-2:].count("="), stored, path)
    return File(path, kind)


def answer(given: Answer, *, is_error: bool = False) -> ToolResult:
    """Return the result that the model was given."""
    response = given.response
    text = ""
    if isinstance(response, dict):
        error = response.get("error")
        is_error = is_error or bool(error)
        value = response.get("output", error)
        text = shown(response if value is None and response else value or "")
    elif response is not None:
        text = shown(response)
    return ToolResult(given.id or "", text, is_error)


def result_of(use: ToolUse) -> ToolResult | None:
    """Return the result of a call, None while there is none."""
    is_error = use.status in ("error", "cancelled")
    texts = []
    for part in parts_of(use.result):
        if part.function_response is not None:
            found = answer(part.function_response)
            is_error = is_error or found.is_error
            texts.append(found.text)
        elif part.text:
            texts.append(part.text)
    if not texts and isinstance(use.result_display, str):
        texts.append(use.result_display)
    if not texts and use.result is None and not is_error:
        return None
    return ToolResult(use.id or "", "\n".join(texts), is_error)


def changed_lines(use: ToolUse) -> tuple[str, int, int] | None:
    """Return the file that a call changed with the lines added and removed, if it says so."""
    shown_change = use.result_display
    if not isinstance(shown_change, dict) or not isinstance(shown_change.get("fileDiff"), str):
        return None
    arguments = use.args if isinstance(use.args, dict) else {}
    path = next((arguments[name] for name in ("file_path", "absolute_path", "path") if name in arguments), None)
    path = path or shown_change.get("filePath") or shown_change.get("fileName")
    if not isinstance(path, str) or not path:
        return None
    lines = [line for line in shown_change["fileDiff"].split("\n") if not line.startswith(("+++", "---"))]
    return path, sum(line.startswith("+") for line in lines), sum(line.startswith("-") for line in lines)


def is_injected(text: str) -> bool:
    """Return whether a text in the person's place was put there by the program."""
    return text.lstrip().startswith(_INJECTED)


def is_command(text: str) -> bool:
    """Return whether a text is a command to the program, not to the model."""
    return text.lstrip().startswith(("/", "?"))
