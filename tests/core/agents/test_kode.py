"""Kode: where its sessions are, and how they are continued."""

from __future__ import annotations

from pathlib import Path

from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home, ResumeTarget

AGENT = all_agents()["kode"]


def test_another_directory_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "moved" / "projects" / "-p" / "s.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("{}\n")

    assert [ref.path for ref in AGENT.discover(Home(tmp_path, {"KODE_CONFIG_DIR": str(tmp_path / "moved")}))] == [
        str(path)
    ]


def test_a_session_or_a_copy_is_continued_in_its_project() -> None:
    target = ResumeTarget("s-1", "main", "/p", "/x/s-1.jsonl")

    assert AGENT.resume_command(target).argv == ("kode", "--resume=s-1")
    assert AGENT.resume_command(target, fork=True).argv == ("kode", "--resume=s-1", "--fork-session")
    assert AGENT.resume_command(target).needs_project
