"""What is true of Continue alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from holdfast_core.agents.base import Home, ResumeTarget
from holdfast_core.agents.continue_dev import AGENT
from holdfast_core.errors import Refused
from holdfast_core.model.message import Text

from tests.core.agents.support import DATA, home_of, read_only

OWN = "5c0e0000-0000-4000-8000-00000000000a"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return home_of(DATA / "continue_dev" / "plain", tmp_path)


def test_a_chosen_session_can_only_be_continued_as_a_copy() -> None:
    target = ResumeTarget(OWN, "main", "/p", "/s")

    assert AGENT.resume_command(target, fork=True).argv == ("cn", "--fork", OWN)
    with pytest.raises(Refused):
        AGENT.resume_command(target)


def test_the_home_can_be_moved(tmp_path: Path, home: Home) -> None:
    moved = tmp_path / "moved"
    (home.path / ".continue").rename(moved)

    assert list(AGENT.discover(home)) == []
    assert len(list(AGENT.discover(Home(home.path, {"CONTINUE_GLOBAL_DIR": str(moved)})))) == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[7]", b'[{"sessionId":"x","dateCreated":[]}]'])
def test_a_damaged_list_of_sessions_costs_their_first_moment_alone(home: Home, content: bytes) -> None:
    (ref,) = AGENT.discover(home)
    Path(ref.path).with_name("sessions.json").write_bytes(content)

    (session,) = read_only(AGENT, home).sessions

    assert session.facts.created_ms == session.facts.updated_ms
    assert session.facts.message_count == 3


def test_a_document_that_is_just_being_written_gives_what_is_whole(home: Home) -> None:
    (ref,) = AGENT.discover(home)
    whole = Path(ref.path).read_text()
    Path(ref.path).write_text(whole[: whole.index("Thank you.")])

    reading = read_only(AGENT, home)

    texts = [block.text for message in reading.sessions[0].messages for block in message.blocks if type(block) is Text]
    assert texts == ["Why is the lamp off?", "Because `on` is false."]
    assert [problem.reason for problem in reading.problems] == ["truncated"]
