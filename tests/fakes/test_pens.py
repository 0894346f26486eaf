"""What the pens write is what the agents' readers read: nothing is lost and nothing is a problem."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home, SessionRead

from tests.fakes.demo import picture, write_demo
from tests.fakes.pens import ClaudeCodePen, CodexPen, Pen

STARTED = datetime(2026, 11, 20, 8, tzinfo=UTC)
PENS = {"claude_code": ClaudeCodePen, "codex": CodexPen}


def _read(home: Path) -> list[SessionRead]:
    place = Home(home, {})
    readings = [(agent, agent.read(ref, place)) for agent in all_agents().values() for ref in agent.discover(place)]
    assert [(agent.id, reading.problems, reading.unknown_records) for agent, reading in readings] == [
        (agent.id, [], {}) for agent, _ in readings
    ]
    return [session for _, reading in readings for session in reading.sessions]


def _write_everything(pen: Pen) -> None:
    pen.prompt("Why is it slow?")
    pen.think("I look.")
    pen.read("/src/a.py", "one\ntwo")
    pen.search("two", "/src", "/src/a.py:2:two")
    pen.run("pytest -q", "1 failed", is_error=True)
    pen.edit("/src/a.py", "two\n", "three\n", line=2)
    pen.todos([("Find it", "completed"), ("Mend it", "pending")])
    pen.wait(60)
    pen.say("It is **not**.")
    pen.picture("See?", picture())
    pen.title("A slow thing")
    pen.save()


@pytest.mark.parametrize("agent", PENS)
def test_all_that_a_pen_writes_is_read(agent: str, tmp_path: Path):
    _write_everything(PENS[agent](tmp_path, project="/home/robin/code/a", started=STARTED, branch="fix"))

    [session] = _read(tmp_path)

    facts = session.facts
    kinds = [type(block).__name__ for message in session.messages for block in message.blocks]
    assert (facts.agent, facts.title, facts.project_path, facts.branch) == (
        agent,
        "A slow thing",
        "/home/robin/code/a",
        "fix",
    )
    assert facts.preview == "Why is it slow?"
    assert [message.role for message in session.messages].count("user") == 2
    assert {"Text", "Thinking", "ToolCall", "ToolResult", "Image"} <= set(kinds)
    assert [(todo.content, todo.status) for todo in facts.todos] == [("Find it", "completed"), ("Mend it", "pending")]
    assert [file.path for file in facts.files_touched] == ["/src/a.py"]
    assert facts.usage.output_tokens > 0


def test_a_pen_writes_the_same_whenever_it_runs(tmp_path: Path):
    texts = []
    for name in ("one", "two"):
        pen = ClaudeCodePen(tmp_path / name, project="/p", started=STARTED)
        _write_everything(pen)
        texts.append(pen.path().read_bytes())

    assert texts[0] == texts[1]


def test_the_demo_is_two_weeks_of_whole_sessions(tmp_path: Path):
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)

    titles = write_demo(tmp_path, now=now)

    sessions = _read(tmp_path)
    assert sorted(session.facts.title for session in sessions) == sorted(titles)
    assert len(sessions) == 40
    assert max(session.facts.updated_ms for session in sessions) <= now.timestamp() * 1000
    assert max(len(session.messages) for session in sessions) > 100
