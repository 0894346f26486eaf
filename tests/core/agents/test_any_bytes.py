"""Whatever stands in a transcript, reading it gives a session and raises nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from holdfast_core.agents.base import Reading
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.agents.support import DATA, Gathered, sources
from tests.fakes.line_file import MemoryReader, grows

GROWING = {case.parent.name: case / "home" / path for case, path in sources() if path.endswith(".jsonl")}
PATHS = {agent: path for agent, path in GROWING.items() if grows(agent)} | {
    "claude_code": Path("/h/.claude/projects/-p/s.jsonl"),
    "antigravity": Path("/h/.gemini/antigravity/brain/i/.system_generated/logs/transcript.jsonl"),
    "cursor_cli": Path("/h/.cursor/projects/home-ada/agent-transcripts/s/s.jsonl"),
    "copilot_cli": Path("/h/.copilot/session-state/s/events.jsonl"),
    "factory": Path("/h/.factory/sessions/-p/s.jsonl"),
    "grok": Path("/h/.grok/sessions/p/s/chat_history.jsonl"),
    "mistral_vibe": Path("/h/.vibe/logs/session/s/messages.jsonl"),
    "omp": Path("/h/.omp/agent/sessions/p/s.jsonl"),
    "openclaw": Path("/h/.openclaw/agents/main/sessions/s.jsonl"),
    "pi": Path("/h/.pi/agent/sessions/p/s.jsonl"),
    "codex": Path("/h/.codex/sessions/rollout-2026-03-03T10-00-00-019cb000-0000-7000-8000-00000000000a.jsonl"),
}
LINES = {
    agent: sorted(
        {
            line
            for path in (DATA / agent).rglob("*.jsonl")
            for line in path.read_bytes().splitlines()
            if 2 < len(line) < 1500
        }
    )
    for agent in PATHS
}
every_agent = pytest.mark.parametrize("agent", PATHS)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def check(reading: Reading) -> None:
    for session in reading.sessions:
        assert session.facts.message_count == session.first_index + len(session.messages)
        msgspec.json.encode(session)
    msgspec.json.encode(reading.problems)


def read_in_two(agent: str, data: bytes, cut: int) -> None:
    reader = MemoryReader(agent, PATHS[agent])
    whole, pieces = Gathered(), Gathered()
    for gathered, ends in ((whole, [len(data)]), (pieces, [cut, len(data)])):
        for end in ends:
            reading = reader.read(data[:end], gathered.checkpoint)
            check(reading)
            gathered.take(reading)
    assert (pieces.facts, pieces.messages) == (whole.facts, whole.messages)


@every_agent
@settings(max_examples=150, deadline=None, database=None)
@given(data=st.data())
def test_records_in_any_order_and_number(agent: str, data: st.DataObject) -> None:
    lines = data.draw(st.lists(st.sampled_from(LINES[agent]), max_size=30))
    content = b"\n".join(lines) + b"\n"

    read_in_two(agent, content, data.draw(st.integers(0, len(content))))


@every_agent
@settings(max_examples=150, deadline=None, database=None)
@given(data=st.data())
def test_records_with_any_value_in_any_place(agent: str, data: st.DataObject) -> None:
    lines = []
    for line in data.draw(st.lists(st.sampled_from(LINES[agent]), min_size=1, max_size=6)):
        try:
            record = json.loads(line)
        except ValueError:
            continue
        change(data, record)
        lines.append(json.dumps(record).encode())
    content = b"\n".join(lines) + b"\n"

    read_in_two(agent, content, data.draw(st.integers(0, len(content))))


def change(data: st.DataObject, value: Any) -> None:
    """Put any value somewhere into a record."""
    while isinstance(value, dict | list) and value:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        key = data.draw(st.sampled_from(list(keys)))
        inner = value[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            value[key] = data.draw(json_values)
            return
        value = inner


@every_agent
@settings(max_examples=150, deadline=None, database=None)
@given(data=st.data())
def test_damaged_bytes(agent: str, data: st.DataObject) -> None:
    content = bytearray(b"\n".join(data.draw(st.lists(st.sampled_from(LINES[agent]), min_size=1, max_size=6))))
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(content)))
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))

    read_unless_utf16(agent, bytes(content))


@every_agent
@given(content=st.binary(max_size=200))
def test_random_bytes(agent: str, content: bytes) -> None:
    read_unless_utf16(agent, content)


def read_unless_utf16(agent: str, content: bytes) -> None:
    if content[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        check(MemoryReader(agent, PATHS[agent]).read(content))


def test_lists_where_words_should_be() -> None:
    calls = [{"type": "tool_use", "id": "t", "name": "TaskCreate", "input": {"subject": "x", "status": []}}]
    update = [{"type": "tool_use", "id": "u", "name": "TaskUpdate", "input": {"taskId": "1", "status": [1]}}]
    records = [
        {"type": "attachment", "attachment": {"type": []}},
        {"type": "assistant", "message": {"content": calls}},
        {"type": "user", "message": {"content": [{"type": "tool_result", "tool_use_id": "t", "content": "#1"}]}},
        {"type": "assistant", "message": {"content": update}},
    ]
    content = b"".join(json.dumps(record).encode() + b"\n" for record in records)

    reading = MemoryReader("claude_code", PATHS["claude_code"]).read(content)

    assert [todo.status for todo in reading.sessions[0].facts.todos] == ["pending"]


def test_a_head_after_the_first_message() -> None:
    total = {"input_tokens": 30, "output_tokens": 2}
    records: list[tuple[str, dict[str, Any]]] = [
        ("event_msg", {"type": "agent_message", "message": "Before the head"}),
        ("session_meta", {"id": "4e1d0000-0000-4000-8000-00000000000f", "cwd": "/p"}),
        ("event_msg", {"type": "agent_message", "message": "After the head"}),
        ("event_msg", {"type": "token_count", "info": {"total_token_usage": total, "last_token_usage": total}}),
    ]
    lines = [json.dumps({"type": kind, "payload": payload}).encode() + b"\n" for kind, payload in records]

    for cut in range(4):
        read_in_two("codex", b"".join(lines), len(b"".join(lines[:cut])))
