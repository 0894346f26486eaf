"""Neovate Code: where its projects are, and how its sessions are continued."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home, ResumeTarget
from holdfast_core.errors import Refused

AGENT = all_agents()["neovate"]


@pytest.mark.parametrize(
    ("project", "folder"),
    [("/home/Ada/my_work", "home-ada-my-work"), ("C:\\Users\\ada", "c-users-ada"), ("/p/a..b/", "p-a-b")],
)
def test_the_project_is_the_listed_directory_of_this_name(tmp_path: Path, project: str, folder: str) -> None:
    path = tmp_path / ".neovate" / "projects" / folder / "s.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"type": "message", "role": "user", "content": "Hi"}) + "\n")
    (tmp_path / ".neovate" / "data.json").write_text(json.dumps({"projects": {"/else": {}, project: {}}}))
    home = Home(tmp_path, {})
    (ref,) = AGENT.discover(home)

    assert AGENT.read(ref, home).sessions[0].facts.project_path == project


def test_settings_that_move_to_the_top_make_the_file_new(tmp_path: Path) -> None:
    path = tmp_path / ".neovate" / "projects" / "p" / "s.jsonl"
    path.parent.mkdir(parents=True)
    said = json.dumps({"type": "message", "role": "user", "uuid": "u", "content": "Hi"}) + "\n"
    path.write_text(said)
    home = Home(tmp_path, {})
    (ref,) = AGENT.discover(home)
    first = AGENT.read(ref, home)

    path.write_text(json.dumps({"type": "config", "config": {"summary": "A title"}}) + "\n" + said)
    second = AGENT.read(ref, home, checkpoint=first.checkpoint)

    assert not second.was_continued
    assert second.sessions[0].facts.title == "A title"
    assert second.sessions[0].facts.message_count == 1


def test_a_session_is_continued_in_its_project() -> None:
    target = ResumeTarget("ab12cd34", "main", "/p", "/x/ab12cd34.jsonl")

    assert AGENT.resume_command(target).argv == ("neovate", "--resume=ab12cd34")
    assert AGENT.resume_command(target).needs_project
    with pytest.raises(Refused):
        AGENT.resume_command(target, fork=True)
