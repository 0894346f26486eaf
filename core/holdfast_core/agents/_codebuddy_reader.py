"""Makes a session of CodeBuddy's records: messages, thoughts, calls and results are lines of their own."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from holdfast_core.agents._draft import Gathered
from holdfast_core.agents._fields import names
from holdfast_core.agents._json import shown
from holdfast_core.agents._lines import SessionReader, SessionState
from holdfast_core.agents._values import PATH_LIMIT, PREVIEW_LIMIT, count, moment_ms, one_line, storable, text_of_name
from holdfast_core.model.message import Block, Compaction, Error, Image, Text, Thinking, ToolCall, ToolResult
from holdfast_core.model.usage import Usage

_SILENT = ("file-history-snapshot", "session_end")
_INJECTED = (
    "<command-name>", "<command-message>", "<local-command-", "<system-reminder>", "<task-notification>", "Caveat:",
    "[Request interrupted by user",
)  # fmt: skip
_TEXTS = ("text", "input_text", "output_text", "reasoning_text")


class Picture(msgspec.Struct, gc=False):
    """Where a picture is."""

    url: str | None = None


class Part(msgspec.Struct, gc=False):
    """One part of a content."""

    type: str | None = None
    text: str | None = None
    image: str | Picture | None = None
    image_url: str | Picture | None = None

    @classmethod
    def generic(cls, value: Any) -> Part:
        """Return a part that shows a value of an unexpected kind."""
        return cls("text", shown(value))


class Details(msgspec.Struct, gc=False):
    """What counts are made of."""

    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class Counts(msgspec.Struct, gc=False):
    """The counts of one response, in one of two spellings."""

    input: int | None = msgspec.field(default=None, name="inputTokens")
    output: int | None = msgspec.field(default=None, name="outputTokens")
    read: int | None = msgspec.field(default=None, name="cacheReadInputTokens")
    written: int | None = msgspec.field(default=None, name="cacheCreationInputTokens")
    reasoning: int | None = msgspec.field(default=None, name="reasoningTokens")
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: Details | None = None
    completion_tokens_details: Details | None = None

    def usage(self) -> Usage:
        """Return the counts in our meaning; what is called prompt has the cached part within it."""
        asked, answered = self.prompt_tokens_details or Details(), self.completion_tokens_details or Details()
        read = count(self.read or asked.cached_tokens)
        reasoning = count(self.reasoning or answered.reasoning_tokens)
        if self.prompt_tokens is not None:
            return Usage(max(count(self.prompt_tokens) - read, 0), count(self.completion_tokens), read, 0, reasoning)
        return Usage(count(self.input), count(self.output), read, count(self.written), reasoning)


class Provider(msgspec.Struct, rename="camel", gc=False):
    """What the model's side told."""

    model: str | None = None
    model_id: str | None = None
    message_id: str | None = None
    usage: Counts | None = None
    raw_usage: Counts | None = None
    skip_run: bool | None = None


class Record(msgspec.Struct, rename="camel", gc=False):
    """One line."""

    id: str | None = None
    parent_id: str | None = None
    timestamp: Any = None
    type: str | None = None
    role: str | None = None
    content: str | list[Part] | Part | None = None
    raw_content: list[Part] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: Any = None
    output: Any = None
    status: str | None = None
    topic: str | None = None
    ai_title: str | None = None
    summary: str | None = None
    session_id: str | None = None
    cwd: str | None = None
    model: str | None = None
    provider_data: Provider | None = None
    error: Any = None
    not_read: ClassVar = names("snapshot")


class State(SessionState, array_like=True):
    """What must last until the next reading."""

    title: str = ""
    asked: str = ""
    cwd: str = ""
    last_call: str = ""


class Reader(SessionReader[Record, State]):
    """Reads one session."""

    record = Record
    state_kind = State

    def begun(self) -> Gathered:
        parent = Path(self.source.path).parent
        if parent.name == "subagents":
            session = text_of_name(parent.parent.name)
            return Gathered(f"{session}-{self.source.stem}", kind="subagent", parent_id=session)
        return Gathered(self.source.stem)

    def seed(self) -> bytes:
        return self.kept.last_call.encode("utf-8", "replace")

    def sow(self, seed: bytes) -> None:
        self.kept.last_call = seed.decode("utf-8", "replace")

    def take(self, record: Record) -> None:
        self._moment = moment_ms(record.timestamp)
        self._note_head(record)
        kind = record.type or "none"
        if kind in _TAKE:
            _TAKE[kind](self, record)
        elif kind not in _SILENT:
            self.count_unknown(kind)
            blocks = self._blocks(record.content)
            if blocks:
                self._add(record, "system", blocks)

    def _note_head(self, record: Record) -> None:
        if record.cwd and not self.kept.cwd:
            self.kept.cwd = record.cwd[:PATH_LIMIT]
        told = record.provider_data or Provider()
        self.kept.main.model = told.model or told.model_id or record.model or self.kept.main.model

    def _add(self, record: Record, role: Any, blocks: list[Block], **more: Any) -> None:
        message = self.message(role, blocks, self._moment, id=record.id, parent=record.parent_id, **more)
        self.draft.add(message)

    def _blocks(self, content: str | list[Part] | Part | None) -> list[Block]:
        if isinstance(content, str):
            return [Text(content)] if content else []
        blocks: list[Block] = []
        for part in [content] if isinstance(content, Part) else content or []:
            picture = part.image or part.image_url
            if part.type in _TEXTS or (part.text is not None and picture is None):
                blocks.append(Text(part.text or ""))
            elif picture is not None:
                blocks.append(_image(picture if isinstance(picture, str) else picture.url or ""))
            else:
                self.count_unknown(f"part/{part.type or 'none'}")
                blocks.append(Text(f"[{part.type or 'unknown'}]"))
        return blocks

    def _start(self, _record: Record) -> None:
        """What the head says is noted already."""
        if self._moment is not None:
            main = self.kept.main
            main.created_ms = self._moment if main.created_ms is None else min(main.created_ms, self._moment)

    def _usage(self, record: Record) -> dict[str, Any]:
        """Count the response that a record is a part of; its parts name one message."""
        told = record.provider_data or Provider()
        model = told.model or told.model_id or None
        counts = told.usage or told.raw_usage
        if counts is None or not (usage := counts.usage()).total_tokens:
            return {"model": model}
        key = told.message_id or record.id or f"{self.kept.main.native_id}:{self.line}"
        is_first = self.draft.respond(
            key, usage, model=model or "", timestamp_ms=self._moment, index=self.draft.next_index
        )
        if is_first:
            self.mark()
        return {"model": model, "usage": usage if is_first else None}

    def _take_message(self, record: Record) -> None:
        blocks = self._blocks(record.content)
        if record.role == "assistant":
            self._add(record, "assistant", blocks, **self._usage(record))
            return
        first = next((block.text for block in blocks if isinstance(block, Text) and block.text.strip()), "")
        is_injected = first.lstrip().startswith(_INJECTED)
        if record.role != "user" or is_injected or self.kept.main.kind == "subagent":
            if self.kept.main.kind == "subagent" and not self.kept.asked and not is_injected:
                self.kept.asked = one_line(first, PREVIEW_LIMIT)
            self._add(record, "system", blocks)
            return
        if not self.kept.asked:
            self.kept.asked = one_line(first, PREVIEW_LIMIT)
        self._add(record, "user", blocks)

    def _take_thought(self, record: Record) -> None:
        parts = record.raw_content or (record.content if isinstance(record.content, list) else [])
        text = "\n".join(part.text for part in parts if part.text)
        self._add(record, "assistant", [Thinking(text)], **self._usage(record))

    def _take_call(self, record: Record) -> None:
        arguments = record.arguments
        if isinstance(arguments, str):
            with contextlib.suppress(msgspec.DecodeError, UnicodeError, RecursionError):
                arguments = msgspec.json.decode(arguments) if arguments else None
        call_id = record.call_id or record.id or f"call-{self.line}"
        self.kept.last_call = call_id
        self._add(
            record, "assistant", [ToolCall(call_id, record.name or "", storable(arguments))], **self._usage(record)
        )

    def _take_result(self, record: Record) -> None:
        output = record.output
        if isinstance(output, dict) and isinstance(output.get("text"), str):
            text = output["text"]
        elif isinstance(output, list):
            text = "\n".join(
                item["text"] if isinstance(item, dict) and isinstance(item.get("text"), str) else shown(item)
                for item in output
            )
        else:
            text = "" if output is None else shown(output)
        is_error = record.status in ("failed", "error", "incomplete")
        self._add(record, "tool", [ToolResult(record.call_id or self.kept.last_call, text, is_error)])

    def _take_title(self, record: Record) -> None:
        self.kept.title = one_line(record.topic or record.ai_title or "", PREVIEW_LIMIT) or self.kept.title

    def _take_summary(self, record: Record) -> None:
        texts = [block.text for block in self._blocks(record.content) if isinstance(block, Text)]
        self._add(record, "system", [Compaction(record.summary or "\n".join(texts))])

    def _take_error(self, record: Record) -> None:
        texts = [block.text for block in self._blocks(record.content) if isinstance(block, Text)]
        text = "\n".join(texts) or ("" if record.error is None else shown(record.error))
        self._add(record, "system", [Error(text)])

    def facts(self) -> dict[str, Any]:
        kept, main = self.kept, self.kept.main
        return {
            "title": kept.title or kept.asked,
            "is_empty": not main.spoken_count,
            "project_path": kept.cwd,
            "preview": kept.asked or main.preview or main.first_text,
        }


def _image(url: str) -> Image:
    head, _, data = url.partition(";base64,")
    if data and head.startswith("data:"):
        return Image(head[5:], len(data) * 3 // 4 - data[-2:].count("="), data)
    return Image("", 0, "", "" if url.startswith("data:") else url)


_TAKE = {
    "session_start": Reader._start,
    "message": Reader._take_message,
    "reasoning": Reader._take_thought,
    "function_call": Reader._take_call,
    "function_call_result": Reader._take_result,
    "topic": Reader._take_title,
    "ai-title": Reader._take_title,
    "summary": Reader._take_summary,
    "error": Reader._take_error,
}
