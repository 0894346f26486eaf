"""The parts of a transcript as columns of small numbers: what each is, where its text lies, how high it may be."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from enum import IntEnum, IntFlag


class Kind(IntEnum):
    """What a part shows."""

    HEAD = 0
    PROMPT = 1
    PROSE = 2
    THOUGHT = 3
    TOOL = 4
    OUTPUT = 5
    PLAN = 6
    IMAGE = 7
    FILE = 8
    ERROR = 9
    COMPACTION = 10
    CONTEXT = 11
    STEPS = 12


class Group(IntFlag):
    """What a part counts as when the person asks to see only some kinds."""

    PROMPTS = 1
    ANSWERS = 2
    TOOLS = 4
    ERRORS = 8
    THINKING = 16
    OTHER = 32
    ALL = 63


LINE_HEIGHT = 32


class Parts:
    """Columns with one entry a part, in reading order.

    ``blocks`` is -1 for heads and step lines. ``result_messages`` and
    ``result_blocks`` say where a tool call's result lies, -1 for none; for a
    step line the first is the number of steps, the second 1 if it may fold. ``runs`` is the step
    line that a part may be folded into, ``heads`` the head above it, -1 for
    none. ``estimates`` are heights in pixels, right once measured.
    """

    def __init__(self) -> None:
        self.kinds = bytearray()
        self.groups = bytearray()
        self.opened = bytearray()
        self.folded = bytearray()
        self.measured = bytearray()
        self.messages = array("i")
        self.blocks = array("i")
        self.result_messages = array("i")
        self.result_blocks = array("i")
        self.runs = array("i")
        self.heads = array("i")
        self.estimates = array("i")

    def __len__(self) -> int:
        return len(self.kinds)

    def add(self, kind: Kind, group: int, message: int, block: int, *, run: int, head: int, estimate: int) -> int:
        """Add a part at the end and return its index."""
        self.kinds.append(kind)
        self.groups.append(group)
        self.opened.append(0)
        self.folded.append(0)
        self.measured.append(0)
        self.messages.append(message)
        self.blocks.append(block)
        self.result_messages.append(-1)
        self.result_blocks.append(-1)
        self.runs.append(run)
        self.heads.append(head)
        self.estimates.append(estimate)
        return len(self.kinds) - 1

    def truncate(self, length: int) -> None:
        """Forget all parts from ``length`` on, and results that lie in their messages."""
        if length >= len(self):
            return
        first_message = self.messages[length]
        for column in (self.kinds, self.groups, self.opened, self.folded, self.measured):
            del column[length:]
        for numbers in (self.messages, self.blocks, self.result_messages, self.result_blocks, self.runs, self.heads):
            del numbers[length:]
        del self.estimates[length:]
        for part, message in enumerate(self.result_messages):
            if message >= first_message and self.kinds[part] != Kind.STEPS:
                self.result_messages[part] = self.result_blocks[part] = -1
                self._forget_error(part)

    def _forget_error(self, part: int) -> None:
        """Take a part and its head out of the errors, the head only if nothing else below it is one."""
        self.groups[part] &= ~Group.ERRORS
        head = self.heads[part]
        if head >= 0:
            following = self.kinds.find(Kind.HEAD, head + 1)
            below = self.groups[head + 1 : following if following >= 0 else len(self)]
            if not any(group & Group.ERRORS for group in below):
                self.groups[head] &= ~Group.ERRORS

    def first_of(self, message: int) -> int:
        """Return the first part that belongs to ``message`` or a later one; may be the number of parts."""
        return bisect_left(self.messages, message)

    def run_of(self, steps: int) -> range:
        """Return the parts that fold into the step line ``steps``."""
        end = steps + 1
        while end < len(self.runs) and self.runs[end] == steps:
            end += 1
        return range(steps + 1, end)
