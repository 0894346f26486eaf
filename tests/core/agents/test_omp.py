"""What is Oh-My-Pi's own: a title that is written over in place, profiles, subagents beside their session."""

from __future__ import annotations

from pathlib import Path

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home, ResumeTarget
from holdfast_core.errors import Refused

from tests.core.agents.support import DATA, Growing, home_of, refs_of

OMP = all_agents()["omp"]
ID = "019c0000-0000-7000-8000-00000000000a"


def test_profiles_and_variables_lead_to_sessions(tmp_path: Path) -> None:
    (tmp_path / ".omp/profiles/work").mkdir(parents=True)
    home = Home(tmp_path, {"PI_CONFIG_DIR": ".moved", "XDG_DATA_HOME": "/srv/data"})

    assert [str(root).replace(str(tmp_path), "~") for root in OMP.roots(home)] == [
        "/srv/data/omp/sessions",
        "~/.local/share/omp/sessions",
        "~/.moved/agent/sessions",
        "~/.omp/agent/sessions",
        "~/.omp/profiles/work/agent/sessions",
    ]


def test_a_title_written_over_in_place_is_seen_when_the_session_grows(tmp_path: Path) -> None:
    home = home_of(DATA / "omp" / "plain", tmp_path)
    file = Growing(OMP, home, next(iter(refs_of(OMP, home))))
    first = file.read(file.data)
    changed = file.data.replace(b'"title":"The fog horn"', b'"title":"The FOG horn"')

    second = file.read(changed + b'{"type":"reset_boundary","id":"ff"}\n', first.checkpoint)

    assert second.was_continued
    assert (first.sessions[0].facts.title, second.sessions[0].facts.title) == ("The fog horn", "The FOG horn")


def test_a_subagents_session_lies_beside_its_parents(tmp_path: Path) -> None:
    home = home_of(DATA / "omp" / "subagents", tmp_path)

    facts = [OMP.read(ref, home).sessions[0].facts for ref in OMP.discover(home)]

    assert [(one.parent_id, one.title, one.prompt_count) for one in facts if one.kind == "subagent"] == [
        (ID, "Count the boats.", 0)
    ]
    assert [one.forked_from for one in facts if one.native_id == ID] == ["019b0000-0000-7000-8000-00000000000f"]


def test_a_session_is_continued_in_its_project_and_not_copied() -> None:
    target = ResumeTarget(ID, "main", "/p", "/s")

    assert OMP.resume_command(target).argv == ("omp", f"--resume={ID}")
    assert OMP.resume_command(target).needs_project
    with pytest.raises(Refused):
        OMP.resume_command(target, fork=True)
