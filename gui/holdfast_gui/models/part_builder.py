"""Turns messages into parts: who speaks, which result answers which call, which steps run together."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from operator import gt, mul
from typing import Any

from holdfast_core.model.message import (
    Block,
    Compaction,
    Error,
    File,
    Image,
    Message,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

from holdfast_gui.models.diff import is_edit_input
from holdfast_gui.models.parts import LINE_HEIGHT, Group, Kind, Parts
from holdfast_gui.models.steps import plan_of, verb_of

FOLD_FROM = 5  # steps; shorter runs are shown line by line
OPEN_EDIT_LIMIT = 6_000  # characters of input; a longer edit is one line until it is opened
_LETTERS_PER_LINE, _PROSE_LINE, _CODE_LINE = 70, 22, 19


class PartBuilder:
    """Adds messages to `Parts`, in order, once each; may be rolled back to an earlier message.

    ``changed_from`` is the first part that is new or was changed since
    somebody last set it to the number of parts.
    """

    def __init__(self) -> None:
        self.parts = Parts()
        self.changed_from = 0
        self._calls: dict[str, int] = {}
        self._repeated: list[tuple[str, int, int]] = []  # call id, its earlier part, its later part
        self._opened: dict[tuple[int, int, int], int] = {}
        self._speaker = ""
        self._model: str | None = None
        self._head = -1
        self._run = -1
        self._steps = 0

    def add(self, message: Message, index: int) -> None:
        """Add the parts of one message."""
        for number, block in enumerate(message.blocks):
            if isinstance(block, ToolResult):
                self._add_result(message, index, number, block)
            elif isinstance(block, ToolCall):
                self._add_call(message, index, number, block)
            else:
                self._add_plain(message, index, number, block)

    def rewind(self, message: int) -> int:
        """Forget ``message`` and all after it; returns the message from which to add again, at most that one.

        It is the one under whose head ``message`` stands, so that runs and
        speakers come out as if all had been added at once. Parts of messages
        before ``message`` come back as open as they were.
        """
        first = self.parts.first_of(message)
        head = self.parts.kinds.rfind(Kind.HEAD, 0, first)
        restart = self.parts.messages[head] if head >= 0 else 0
        length = self.parts.first_of(restart)
        parts = self.parts
        self._opened = {
            (parts.messages[part], parts.blocks[part], parts.kinds[part]): parts.opened[part]
            for part in range(length, first)
        }
        parts.truncate(length)
        self.changed_from = min(self.changed_from, length)
        self._forget_calls(length)
        self._head = self.parts.kinds.rfind(Kind.HEAD)
        self._run, self._steps = -1, 0
        self._speaker, self._model = "", None
        return restart

    def _forget_calls(self, length: int) -> None:
        while self._repeated and self._repeated[-1][2] >= length:
            call, earlier, _ = self._repeated.pop()
            self._calls[call] = earlier
        self._calls = {call: part for call, part in self._calls.items() if part < length}

    def restore_speaker(self, message: Message, model: str | None) -> None:
        """After `rewind`: ``message`` is the one of the last head that is left, ``model`` what was named under it."""
        self._speaker = message.role
        self._model = model

    @property
    def head(self) -> int:
        """The part of the last head, -1 for none."""
        return self._head

    def _add_plain(self, message: Message, index: int, number: int, block: Block) -> None:
        if isinstance(block, Text) and (not block.text or block.text.isspace()):
            return
        self._speak(message, index)
        if isinstance(block, Text):
            self._add_text(message, index, number, block.text)
        elif isinstance(block, Thinking):
            self._quiet(Kind.THOUGHT, Group.THINKING, index, number)
        elif isinstance(block, Error):
            self._own(Kind.ERROR, Group.ERRORS, index, number, _prose_height(block.text))
        elif isinstance(block, Compaction):
            self._own(Kind.COMPACTION, Group.OTHER, index, number, 44)
        elif isinstance(block, (Image, File)):
            group = {"user": Group.PROMPTS, "assistant": Group.ANSWERS}.get(message.role, Group.TOOLS)
            kind, height = (Kind.IMAGE, 240) if isinstance(block, Image) else (Kind.FILE, LINE_HEIGHT)
            self._own(kind, group, index, number, height)

    def _add_text(self, message: Message, index: int, number: int, text: str) -> None:
        if message.role == "user":
            self._own(Kind.PROMPT, Group.PROMPTS, index, number, _prose_height(text) + 16)
        elif message.role == "assistant":
            self._own(Kind.PROSE, Group.ANSWERS, index, number, _prose_height(text))
        elif message.role == "tool":
            self._quiet(Kind.OUTPUT, Group.TOOLS, index, number)
        elif self._run >= 0:
            self._quiet(Kind.CONTEXT, Group.OTHER, index, number)
        else:
            self._own(Kind.CONTEXT, Group.OTHER, index, number, LINE_HEIGHT)

    def _add_call(self, message: Message, index: int, number: int, call: ToolCall) -> None:
        self._speak(message, index)
        if plan_of(call.input) and verb_of(call) in ("Plan", ""):
            part = self._own(Kind.PLAN, Group.TOOLS, index, number, 22 * len(plan_of(call.input)) + 24)
        elif is_edit_input(call.input):
            height, is_short = _edit_height(call.input)
            part = self._own(Kind.TOOL, Group.TOOLS, index, number, height if is_short else LINE_HEIGHT)
            self.parts.opened[part] = self._opened.get((index, number, Kind.TOOL), is_short)
        else:
            part = self._quiet(Kind.TOOL, Group.TOOLS, index, number)
        if call.call_id:
            if call.call_id in self._calls:
                self._repeated.append((call.call_id, self._calls[call.call_id], part))
            self._calls[call.call_id] = part

    def _add_result(self, message: Message, index: int, number: int, result: ToolResult) -> None:
        parts = self.parts
        part = self._calls.get(result.call_id, -1)
        if part < 0 or parts.result_messages[part] >= 0:
            if not result.text and not result.is_error:
                return
            self._speak(message, index)
            part = self._quiet(Kind.OUTPUT, Group.TOOLS, index, number)
        else:
            parts.result_messages[part], parts.result_blocks[part] = index, number
            self.changed_from = min(self.changed_from, part)
        if result.is_error:
            head = parts.heads[part] if parts.heads[part] >= 0 else part
            parts.groups[part] |= Group.ERRORS
            parts.groups[head] |= Group.ERRORS
            self.changed_from = min(self.changed_from, head)

    def _speak(self, message: Message, index: int) -> None:
        """Put a head above what follows if somebody else speaks than before; each prompt has its own."""
        role = message.role
        if role in ("tool", "system"):
            return
        if role == "user":
            if self._head >= 0 and self._speaker == "user" and self.parts.messages[self._head] == index:
                return
        elif self._speaker == "assistant" and (message.model is None or message.model == self._model):
            return
        elif self._speaker == "assistant" and self._model is None:
            self._model = message.model
            return
        self._close_run()
        self._speaker = role
        self._model = message.model if role == "assistant" else None
        group = Group.PROMPTS if role == "user" else 0
        self._head = self.parts.add(Kind.HEAD, group, index, -1, run=-1, head=-1, estimate=48)

    def _own(self, kind: Kind, group: int, index: int, number: int, height: int) -> int:
        """Add a part that stands for itself and ends a run of steps."""
        self._close_run()
        return self._put(kind, group, index, number, run=-1, height=height)

    def _quiet(self, kind: Kind, group: int, index: int, number: int) -> int:
        """Add a line that may fold into a run of steps."""
        if self._run < 0:
            self._run = self._put(Kind.STEPS, Group.TOOLS, index, -1, run=-1, height=LINE_HEIGHT)
        part = self._put(kind, group, index, number, run=self._run, height=LINE_HEIGHT)
        self._steps += kind in (Kind.TOOL, Kind.OUTPUT)
        self.parts.result_messages[self._run] = self._steps
        return part

    def _put(self, kind: Kind, group: int, index: int, number: int, *, run: int, height: int) -> int:
        if self._head >= 0 and not self.parts.groups[self._head] & group:
            self.parts.groups[self._head] |= group
            self.changed_from = min(self.changed_from, self._head)
        part = self.parts.add(kind, group, index, number, run=run, head=self._head, estimate=height)
        if self._opened:
            self.parts.opened[part] = self._opened.get((index, number, kind), 0)
        return part

    def _close_run(self) -> None:
        """Fold the run that ends here if it is long; the last run of a session stays as it is while it grows."""
        if self._run >= 0 and self._steps >= FOLD_FROM:
            length = len(self.parts) - self._run - 1
            is_open = self.parts.opened[self._run]
            self.parts.folded[self._run + 1 :] = bytes([not is_open]) * length
            self.parts.result_blocks[self._run] = 1
            self.changed_from = min(self.changed_from, self._run)
        self._run, self._steps = -1, 0


def _prose_height(text: str) -> int:
    return (text.count("\n") + len(text) // _LETTERS_PER_LINE + 1) * _PROSE_LINE + 8


def _edit_height(tool_input: Any) -> tuple[int, bool]:
    texts = [tool_input] if isinstance(tool_input, str) else _texts(tool_input, [])
    lines = sum(text.count("\n") + 1 for text in texts)
    return LINE_HEIGHT + 40 + lines * _CODE_LINE, sum(map(len, texts)) <= OPEN_EDIT_LIMIT


def _texts(value: Any, found: list[str], depth: int = 0) -> list[str]:
    if isinstance(value, str):
        found.append(value)
    elif isinstance(value, Mapping) and depth < 4:
        for inner in value.values():
            _texts(inner, found, depth + 1)
    elif isinstance(value, (list, tuple)) and depth < 4:
        for inner in value:
            _texts(inner, found, depth + 1)
    return found


def visible_heights(parts: Parts, shown: int, start: int = 0) -> array[int]:
    """Return the heights that count, from part ``start`` on: 0 for what the filter ``shown`` or a fold hides.

    A step line without anything to fold is hidden too.
    """
    visible = parts.groups[start:].translate(bytes(1 if group & shown else 0 for group in range(256)))
    if shown & Group.TOOLS:
        visible = bytearray(map(gt, visible, parts.folded[start:]))
    heights = array("i", map(mul, parts.estimates[start:], visible))
    steps = parts.kinds.find(Kind.STEPS, start)
    while steps >= 0:
        if not is_foldable(parts, steps):
            heights[steps - start] = 0
        steps = parts.kinds.find(Kind.STEPS, steps + 1)
    return heights


def is_foldable(parts: Parts, steps: int) -> bool:
    """Tell whether a step line has anything to fold: a long run that has ended."""
    return parts.result_blocks[steps] == 1
