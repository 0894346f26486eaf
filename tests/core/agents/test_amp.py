"""What is Amp's own: credits are no currency, and what the ledger tells beside the messages is counted once."""

from __future__ import annotations

from pathlib import Path

from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home, ResumeTarget
from holdfast_core.model.message import ToolResult

from tests.core.agents.support import DATA, home_of, read_only

AMP = all_agents()["amp"]


def test_a_variable_moves_the_threads(tmp_path: Path) -> None:
    assert AMP.roots(Home(tmp_path, {"XDG_DATA_HOME": "/srv/data"})) == [
        Path("/srv/data/amp"),
        tmp_path / ".local/share/amp",
    ]


def test_nothing_but_threads_is_a_source(tmp_path: Path) -> None:
    home = home_of(DATA / "amp" / "ledger", tmp_path)

    assert [Path(ref.path).parent.name for ref in AMP.discover(home)] == ["threads"]


def test_a_message_and_the_ledger_are_one_response(tmp_path: Path) -> None:
    (session,) = read_only(AMP, home_of(DATA / "amp" / "plain", tmp_path)).sessions

    assert len(session.responses) == 3
    assert session.facts.provider_data == {"credits": 1.05}
    assert session.facts.cost_usd == sum(one.cost_usd or 0 for one in session.responses)


def test_a_result_tells_that_its_program_failed(tmp_path: Path) -> None:
    (session,) = read_only(AMP, home_of(DATA / "amp" / "plain", tmp_path)).sessions

    results = [block for one in session.messages for block in one.blocks if isinstance(block, ToolResult)]

    assert [one.is_error for one in results] == [True, True, False]


def test_a_thread_is_continued_by_its_id_anywhere() -> None:
    command = AMP.resume_command(ResumeTarget("T-019c0000-0000-7000-8000-00000000000a", "main", "/p", "/s"))

    assert command.argv == ("amp", "threads", "continue", "T-019c0000-0000-7000-8000-00000000000a")
    assert not command.needs_project
