"""What Grok keeps beside a session's messages: facts in ``summary.json``, moments and usage in ``updates.jsonl``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import msgspec

from holdfast_core.agents._jsonl import LineFile, read_small
from holdfast_core.agents._values import count, moment_ms
from holdfast_core.errors import SourceError
from holdfast_core.model.usage import Usage

_KIND = re.compile(rb'"sessionUpdate"\s*:\s*"(\w+)"')
_READ = (b"user_message_chunk", b"tool_call", b"tool_call_update", b"turn_completed")
_TICKS = 10**10  # of a dollar
_NOTED_LIMIT = 20_000


class _Info(msgspec.Struct):
    id: str = ""
    cwd: str = ""


class Summary(msgspec.Struct):
    """The facts of a session."""

    info: _Info = msgspec.field(default_factory=_Info)
    session_summary: str | None = None
    generated_title: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    last_active_at: str | None = None
    current_model_id: str | None = None
    parent_session_id: str | None = None
    session_kind: str | None = None
    head_branch: str | None = None
    agent_name: str | None = None


class _Content(msgspec.Struct):
    text: str | None = None


class _Counts(msgspec.Struct, rename="camel"):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_read_tokens: int | None = None
    cache_creation_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost_usd_ticks: int | None = None
    model_usage: dict[str, _Counts] | None = None


class _Update(msgspec.Struct):
    kind: str = msgspec.field(default="", name="sessionUpdate")
    content: _Content | list[msgspec.Raw] | None = None
    call_id: str = msgspec.field(default="", name="toolCallId")
    status: str | None = None
    prompt_id: str | None = None
    usage: _Counts | None = None


class _Params(msgspec.Struct):
    update: _Update = msgspec.field(default_factory=_Update)


class _Envelope(msgspec.Struct):
    timestamp: float | None = None
    params: _Params = msgspec.field(default_factory=_Params)


class Turn(NamedTuple):
    """What a turn took of one model. Copies share its key if ``has_prompt``; otherwise it is a number in its file."""

    key: str
    has_prompt: bool
    model: str
    usage: Usage
    moment_ms: int | None
    cost_usd: float | None


class Updates:
    """What the stream of updates tells of messages that stand elsewhere."""

    def __init__(self) -> None:
        self.asked: dict[str, int] = {}
        self.called: dict[str, int] = {}
        self.answered: dict[str, int] = {}
        self.failed: set[str] = set()
        self.turns: dict[str, Turn] = {}
        self._twice: set[str] = set()

    def take(self, line: bytes) -> None:
        """Take in one line, if it is of a kind that tells anything."""
        kind = _KIND.search(line)
        if kind is None or kind[1] not in _READ:
            return
        try:
            envelope = msgspec.json.decode(line, type=_Envelope)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        update, moment = envelope.params.update, moment_ms(envelope.timestamp)
        if update.kind == "turn_completed":
            self._complete(update, moment)
        elif moment is not None and len(self.called) + len(self.asked) < _NOTED_LIMIT:
            self._note(update, moment)

    def _note(self, update: _Update, moment: int) -> None:
        if update.kind == "tool_call":
            self.called.setdefault(update.call_id, moment)
        elif update.kind == "tool_call_update" and update.status in ("completed", "failed"):
            self.answered[update.call_id] = moment
            if update.status == "failed":
                self.failed.add(update.call_id)
        elif isinstance(update.content, _Content) and update.content.text:
            text = update.content.text.strip()
            if text in self.asked or text in self._twice:  # nobody can tell which of them it was
                self.asked.pop(text, None)
                self._twice.add(text)
            else:
                self.asked[text] = moment

    def _complete(self, update: _Update, moment: int | None) -> None:
        counts = update.usage
        turn = update.prompt_id or f"turn-{len(self.turns) + 1}"
        for model, one in (counts.model_usage or {"": counts}).items() if counts is not None else ():
            read, written = count(one.cached_read_tokens), count(one.cache_creation_tokens)
            taken = max(count(one.input_tokens) - read - written, 0)
            usage = Usage(taken, count(one.output_tokens), read, written, count(one.reasoning_tokens))
            cost = one.cost_usd_ticks / _TICKS if one.cost_usd_ticks and one.cost_usd_ticks > 0 else None
            if usage.total_tokens:
                self.turns[f"{turn}:{model}"] = Turn(
                    f"{turn}:{model}", bool(update.prompt_id), model, usage, moment, cost
                )


def summary_of(folder: Path, root: str) -> Summary:
    """Return the facts beside a session's messages, empty ones where none can be read."""
    content = read_small(folder / "summary.json", root=root)
    try:
        return Summary() if content is None else msgspec.json.decode(content, type=Summary)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Summary()


def updates_of(folder: Path, root: str) -> Updates:
    """Return what the updates beside a session's messages tell; nothing where there are none."""
    updates = Updates()
    try:
        with LineFile(str(folder / "updates.jsonl"), root=root) as file:
            for _position, line, _is_ended in file.lines():
                if line:
                    updates.take(line)
    except SourceError:
        return updates
    return updates
