"""What is OpenClaw's own: what channels put around a person's words, what is a session and what a copy of one."""

from __future__ import annotations

from pathlib import Path

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home, ResumeTarget
from holdfast_core.errors import Refused
from holdfast_core.model.message import Text

from tests.core.agents.support import DATA, home_of, read_only, refs_of

OPENCLAW = all_agents()["openclaw"]


def test_all_its_names_and_profiles_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / ".openclaw-work").mkdir()
    home = Home(tmp_path, {"OPENCLAW_STATE_DIR": "/srv/state", "OPENCLAW_HOME": "/srv/home"})

    found = [str(root) for root in OPENCLAW.roots(home)]

    assert found == [
        "/srv/home/.openclaw/agents",
        "/srv/state/agents",
        *(f"{tmp_path}/{name}/agents" for name in (".openclaw", ".clawdbot", ".moltbot", ".moldbot", ".openclaw-work")),
    ]


def test_only_what_the_person_wrote_is_the_persons(tmp_path: Path) -> None:
    (session,) = read_only(OPENCLAW, home_of(DATA / "openclaw" / "plain", tmp_path)).sessions

    said = [block.text for one in session.messages if one.role == "user" for block in one.blocks if type(block) is Text]

    assert said == ["Is the lamp lit?", "Light it, please.", "Good."]


def test_a_session_that_was_reset_is_put_away_and_copies_are_none(tmp_path: Path) -> None:
    home = home_of(DATA / "openclaw" / "others", tmp_path)
    refs = refs_of(OPENCLAW, home)

    archived = {path: OPENCLAW.read(ref, home).sessions[0].facts.is_archived for path, ref in refs.items()}

    assert sorted(archived.values()) == [False, False, True]
    reset = next(Path(refs[path].path) for path, is_archived in archived.items() if is_archived)
    (reset.parent / (reset.name.partition(".jsonl")[0] + ".jsonl")).write_bytes(reset.read_bytes())
    assert len(refs_of(OPENCLAW, home)) == 3
    assert str(reset) not in {ref.path for ref in OPENCLAW.discover(home)}


def test_a_damaged_map_costs_titles_alone(tmp_path: Path) -> None:
    home = home_of(DATA / "openclaw" / "plain", tmp_path)
    (ref,) = OPENCLAW.discover(home)
    (Path(ref.path).parent / "sessions.json").write_bytes(b'{"agent:main:main":')

    (session,) = OPENCLAW.read(ref, home).sessions

    assert session.facts.title == "Is the lamp lit?"


def test_a_session_goes_on_in_its_channel() -> None:
    with pytest.raises(Refused):
        OPENCLAW.resume_command(ResumeTarget("a0a00000-0000-4000-8000-00000000000a", "main", "/p", "/s"))
