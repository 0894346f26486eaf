"""Invented messages and sessions for tests of the transcript."""

from __future__ import annotations

from typing import Any

from holdfast_core.model.agent import AgentInfo
from holdfast_core.model.message import Block, Message, Text, Thinking, ToolCall, ToolResult
from holdfast_core.model.session import Session, SessionFacts

AGENT = AgentInfo("pilot", "Pilot", "P", 200, (), True, 1, True, False, None)
MINUTE_MS = 60_000
START_MS = 1_790_000_000_000


def prompt(text: str, *, minute: int = 0) -> Message:
    """Return what a person wrote."""
    return Message("", "user", (Text(text),), timestamp_ms=START_MS + minute * MINUTE_MS)


def answer(*blocks: Block | str, minute: int = 0, model: str | None = "keel-2", **facts: Any) -> Message:
    """Return what the agent said or did."""
    made = tuple(Text(block) if isinstance(block, str) else block for block in blocks)
    return Message("", "assistant", made, timestamp_ms=START_MS + minute * MINUTE_MS, model=model, **facts)


def result(call_id: str, text: str, *, is_error: bool = False, minute: int = 0) -> Message:
    """Return what a tool gave back."""
    return Message("", "tool", (ToolResult(call_id, text, is_error),), timestamp_ms=START_MS + minute * MINUTE_MS)


def run(call_id: str, command: str) -> ToolCall:
    """Return a call that runs a command."""
    return ToolCall(call_id, "shell", {"command": command})


def edit(call_id: str, old: str, new: str, path: str = "src/keel.py") -> ToolCall:
    """Return a call that replaces a text in a file."""
    return ToolCall(call_id, "edit", {"file_path": path, "old_string": old, "new_string": new})


def session(*messages: Message, **facts: Any) -> Session:
    """Return a session of these messages."""
    return Session(SessionFacts(agent="pilot", native_id="s1", created_ms=START_MS, **facts), messages)


def day_at_sea() -> Session:
    """Return a session with a bit of everything."""
    return session(
        prompt("Why does the anchor drag?"),
        answer(Thinking("Is it the **chain**?"), minute=1),
        answer(run("c1", "sound --depth"), minute=1),
        result("c1", "depth 12 m\ndepth 13 m\n", minute=2),
        answer("The chain is too short: `12 m` of depth wants more.\n\n```python\nlength = 5 * depth\n```\n", minute=2),
        answer(edit("c2", "chain = 20\n", "chain = 60\n"), minute=3),
        result("c2", "ok", minute=3),
        prompt("Good. And the mast?", minute=10),
        answer(run("c3", "inspect mast"), minute=11),
        result("c3", "no such mast", is_error=True, minute=11),
        answer("There is none.", minute=12),
    )


def long_session(count: int) -> Session:
    """Return a session of so many short prompts and answers, each with its number."""
    made = [prompt(f"Question {n}") if n % 2 == 0 else answer(f"Answer {n}.\n\n" + "word " * 60) for n in range(count)]
    return session(*made)
