"""Conversations that their agents keep closed: Windsurf's, and those of Antigravity that have no log."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.antigravity import AGENT
from holdfast_core.agents.base import Home, ResumeTarget
from holdfast_core.errors import Refused

from tests.core.agents.support import DATA, home_of, read_only

OWN = "a6000000-0000-4000-8000-00000000000a"


@pytest.mark.parametrize("content", [b"", b"\x00" * 1000, os.urandom(5000), b"SQLite format 3\0" + bytes(100)])
@pytest.mark.parametrize(
    ("agent", "place"),
    [
        ("windsurf", ".codeium/windsurf/cascade/x.pb"),
        ("antigravity", ".gemini/antigravity/conversations/x.pb"),
        ("antigravity", ".gemini/antigravity-cli/conversations/x.db"),
    ],
)
def test_what_is_closed_is_told_as_closed_and_not_as_empty(
    agent: str, place: str, content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_bytes(content)

    reading = read_only(all_agents()[agent], Home(tmp_path, {}))

    (session,) = reading.sessions
    assert not session.facts.is_empty
    assert session.facts.title
    assert session.facts.provider_data["opaque"] in ("encrypted", "binary")
    assert session.messages == []
    assert reading.problems == []


def test_only_conversations_of_the_command_line_are_continued() -> None:
    own = ResumeTarget(OWN, "main", "/p", f"/h/.gemini/antigravity-cli/conversations/{OWN}.db")
    editor = ResumeTarget(OWN, "main", "/p", f"/h/.gemini/antigravity/conversations/{OWN}.db")

    command = AGENT.resume_command(own)

    assert command.argv == ("agy", "--conversation", OWN)
    assert command.needs_project
    for agent, target in ((AGENT, editor), (all_agents()["windsurf"], own)):
        with pytest.raises(Refused):
            agent.resume_command(target)


def test_a_conversation_keeps_its_key_when_it_gets_a_log(tmp_path: Path) -> None:
    home = home_of(DATA / "antigravity" / "plain", tmp_path)
    (log,) = AGENT.discover(home)
    conversation = home.path / ".gemini/antigravity-cli/conversations" / f"{OWN}.pb"
    conversation.parent.mkdir()
    conversation.write_bytes(b"closed")

    assert list(AGENT.discover(home)) == [log]
    Path(log.path).unlink()
    (closed,) = AGENT.discover(home)

    assert (closed.key, closed.path) == (log.key, str(conversation))
    assert AGENT.read(closed, home).sessions[0].facts.native_id == OWN


def test_the_agents_notes_are_shown_in_place_of_what_is_closed(tmp_path: Path) -> None:
    home = home_of(DATA / "antigravity" / "closed", tmp_path)
    outside = tmp_path / "outside.md"
    outside.write_text("not to be read")
    brain = home.path / ".gemini/antigravity-cli/brain/a6000000-0000-4000-8000-00000000000b"
    (brain / "walkthrough.md").symlink_to(outside)

    shown = [AGENT.read(ref, home) for ref in AGENT.discover(home)]

    assert "Count the gulls" in repr(shown)
    assert "not to be read" not in repr(shown)


def test_a_chat_that_is_no_database_is_told_as_closed(tmp_path: Path) -> None:
    path = tmp_path / ".cursor/chats/0a/c5c10000-0000-4000-8000-00000000000a/store.db"
    path.parent.mkdir(parents=True)
    path.write_bytes(os.urandom(3000))

    (session,) = read_only(all_agents()["cursor_cli"], Home(tmp_path, {})).sessions

    assert session.facts.native_id == path.parent.name
    assert session.facts.provider_data == {"opaque": "binary"}
    assert not session.facts.is_empty
