"""What is true of Cursor's agent alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from holdfast_core.agents.base import Home, ResumeTarget
from holdfast_core.agents.cursor_cli import AGENT, _project
from holdfast_core.errors import Refused

from tests.core.agents.support import DATA, home_of, read_only

OWN = "c5c10000-0000-4000-8000-00000000000a"


def test_a_session_is_resumed_in_its_project() -> None:
    target = ResumeTarget(OWN, "main", "/p", "/s")

    command = AGENT.resume_command(target)

    assert command.argv == ("cursor-agent", "--resume", OWN)
    assert command.needs_project
    with pytest.raises(Refused):
        AGENT.resume_command(target, fork=True)


@pytest.mark.parametrize(
    ("path", "project"),
    [
        ("/home/ada/work/light_house/src/lamp.py", "/home/ada/work/light_house"),
        ("/home/ada/work/light.house", "/home/ada/work/light.house"),
        ("/home/ada/work/light", ""),
        ("/tmp/x", ""),
        ("home/ada/work/light_house/lamp.py", ""),
        ("", ""),
    ],
)
def test_the_project_is_where_the_tools_worked(path: str, project: str) -> None:
    assert _project(path, "home-ada-work-light-house") == project


def test_the_folders_name_alone_tells_no_project(tmp_path: Path) -> None:
    home = home_of(DATA / "cursor_cli" / "plain", tmp_path)
    (ref,) = AGENT.discover(home)
    Path(ref.path).write_text(Path(ref.path).read_text().replace("/home/ada/work", "/elsewhere"))

    assert read_only(AGENT, home).sessions[0].facts.project_path == ""


def test_a_transcript_that_moved_into_a_folder_keeps_its_key(tmp_path: Path) -> None:
    home = Home(tmp_path, {})
    folder = tmp_path / ".cursor" / "projects" / "p" / "agent-transcripts"
    folder.mkdir(parents=True)
    (folder / "s.jsonl").write_text("{}\n")
    (before,) = AGENT.discover(home)
    (folder / "s").mkdir()
    (folder / "s.jsonl").rename(folder / "s" / "s.jsonl")

    (after,) = AGENT.discover(home)

    assert after.key == before.key
