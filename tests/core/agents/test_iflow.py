"""iFlow: calls that are written several times while an answer streams, and results in several wrappings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home, Reading, ResumeTarget
from holdfast_core.model.message import ToolCall, ToolResult

AGENT = all_agents()["iflow"]
RESPONSE = {"functionResponse": {"id": "c", "name": "ls", "response": {"output": "a.py"}}}


def reading(folder: Path, *records: dict[str, Any]) -> Reading:
    path = folder / ".iflow" / "projects" / "-p" / "session-1.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    (ref,) = AGENT.discover(Home(folder, {}))
    return AGENT.read(ref, Home(folder, {}))


def blocks(found: Reading) -> list[Any]:
    return [block for message in found.sessions[0].messages for block in message.blocks]


def test_a_call_that_is_written_again_is_shown_once(tmp_path: Path) -> None:
    calls = [{"type": "tool_use", "id": name, "name": "ls", "input": {}} for name in ("a", "b")]
    records = [{"type": "assistant", "message": {"content": content}} for content in (calls[:1], calls, calls[1:])]

    found = reading(tmp_path, *records)

    assert [block.call_id for block in blocks(found) if isinstance(block, ToolCall)] == ["a", "b"]
    assert found.sessions[0].facts.message_count == 2


@pytest.mark.parametrize(
    "content",
    ["a.py", RESPONSE, {"callId": "c", "responseParts": RESPONSE}, {"responseParts": [RESPONSE]}, {"text": "a.py"}],
)
def test_results_are_unwrapped(tmp_path: Path, content: Any) -> None:
    record = {"type": "user", "message": {"content": [{"type": "tool_result", "tool_use_id": "c", "content": content}]}}

    assert blocks(reading(tmp_path, record)) == [ToolResult("c", "a.py")]


def test_a_session_is_continued_in_its_project_by_the_name_of_its_file() -> None:
    command = AGENT.resume_command(ResumeTarget("session-1", "main", "/p", "/x/session-1.jsonl"))

    assert command.argv == ("iflow", "--resume=session-1")
    assert command.needs_project
