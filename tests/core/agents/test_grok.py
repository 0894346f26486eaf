"""What is Grok's own: facts, moments and usage stand beside the messages."""

from __future__ import annotations

from pathlib import Path

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home, ResumeTarget
from holdfast_core.errors import Refused
from holdfast_core.model.message import ToolResult

from tests.core.agents.support import DATA, Growing, home_of, read_only, refs_of

GROK = all_agents()["grok"]


def test_a_variable_moves_the_sessions(tmp_path: Path) -> None:
    assert GROK.roots(Home(tmp_path, {"GROK_HOME": "/srv/grok"})) == [
        Path("/srv/grok/sessions"),
        tmp_path / ".grok/sessions",
    ]


def test_a_turn_is_counted_by_its_last_row_and_its_own_cost(tmp_path: Path) -> None:
    (session,) = read_only(GROK, home_of(DATA / "grok" / "plain", tmp_path)).sessions

    assert [(one.key, one.usage.output_tokens, one.cost_usd) for one in session.responses] == [
        ("p1:grok-4.5", 15, 0.003),
        ("p2:", 4, 0.001),
    ]
    assert session.facts.cost_usd == 0.004


def test_usage_that_comes_later_is_counted_once(tmp_path: Path) -> None:
    home = home_of(DATA / "grok" / "plain", tmp_path)
    file = Growing(GROK, home, next(iter(refs_of(GROK, home))))
    first = file.read(file.data)

    second = file.read(file.data + b'{"type":"assistant","content":"You are welcome."}\n', first.checkpoint)

    assert second.was_continued
    assert second.sessions[0].facts.usage == first.sessions[0].facts.usage


def test_a_failed_call_is_known_by_the_updates(tmp_path: Path) -> None:
    (session,) = read_only(GROK, home_of(DATA / "grok" / "plain", tmp_path)).sessions

    results = [block for one in session.messages for block in one.blocks if isinstance(block, ToolResult)]

    assert [(one.call_id, one.is_error) for one in results] == [("call_1", False), ("call_2", True)]


def test_nothing_beside_the_messages_is_needed(tmp_path: Path) -> None:
    home = home_of(DATA / "grok" / "plain", tmp_path)
    (ref,) = GROK.discover(home)
    for name in ("summary.json", "updates.jsonl"):
        (Path(ref.path).parent / name).unlink()

    facts = GROK.read(ref, home).sessions[0].facts

    assert facts.native_id == Path(ref.path).parent.name
    assert facts.title == "Mend the horn."


def test_a_session_is_continued_in_its_project_and_not_copied() -> None:
    target = ResumeTarget("019c0000-0000-7000-8000-00000000000a", "main", "/p", "/s")

    assert GROK.resume_command(target).argv == ("grok", "--resume", target.native_id)
    with pytest.raises(Refused):
        GROK.resume_command(target, fork=True)
