"""Qoder: where its sessions are, what stands beside them, and which of them it continues."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home, ResumeTarget
from holdfast_core.errors import Refused

AGENT = all_agents()["qoder"]
SHARED = "Qoder/SharedClientCache/cli/projects"


@pytest.mark.parametrize(
    "path",
    [
        ".qoder/projects/-p/s.jsonl",
        ".qoderwork/projects/-p/s.jsonl",
        ".qoder/projects/-p/s/subagents/agent-1.jsonl",
        f".config/{SHARED}/s.jsonl",
        f"Library/Application Support/{SHARED}/-p/s.jsonl",
        f"AppData/Roaming/{SHARED}/s.jsonl",
    ],
)
def test_sessions_are_in_several_places(tmp_path: Path, path: str) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text("{}\n")

    assert [ref.path for ref in AGENT.discover(Home(tmp_path, {}))] == [str(file)]


@pytest.mark.parametrize("described", ["{}", "not json", '{"title": 7, "working_dir": "/q"}', '{"title": "T"}'])
def test_the_description_beside_a_session_fills_in_what_it_says(tmp_path: Path, described: str) -> None:
    file = tmp_path / ".qoder" / "projects" / "-p" / "s.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"type": "user", "uuid": "u", "message": {"content": "Hi"}}) + "\n")
    file.with_name("s-session.json").write_text(described)
    home = Home(tmp_path, {})
    (ref,) = AGENT.discover(home)

    facts = AGENT.read(ref, home).sessions[0].facts

    assert facts.title == ("T" if "T" in described else "Hi")
    assert facts.project_path == ("/q" if "/q" in described else "")


def test_a_session_of_the_terminal_is_continued_in_its_project() -> None:
    command = AGENT.resume_command(ResumeTarget("s-1", "main", "/p", "/h/.qoder/projects/-p/s-1.jsonl"))

    assert command.argv == ("qodercli", "--resume", "s-1")
    assert command.needs_project


@pytest.mark.parametrize("path", [f"/h/.config/{SHARED}/s-1.jsonl", "/h/.qoderwork/projects/-p/s-1.jsonl"])
def test_a_session_of_an_application_is_continued_there(path: str) -> None:
    with pytest.raises(Refused):
        AGENT.resume_command(ResumeTarget("s-1", "main", "/p", path))
