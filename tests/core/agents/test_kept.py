"""Agents that sign or checksum what they keep: read as it is, never changed, what is damaged is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Agent, Home, ResumeTarget
from holdfast_core.errors import Refused, SourceError
from holdfast_core.model.usage import Usage

from tests.core.agents.support import DATA, home_of, read_only

JIDO, THEO = all_agents()["jido_code"], all_agents()["theo_code"]
both = pytest.mark.parametrize("agent", [JIDO, THEO], ids=["jido_code", "theo_code"])


def rewritten(agent: Agent, home: Home, **changed: object) -> Path:
    (ref,) = agent.discover(home)
    document = json.loads(Path(ref.path).read_text("utf-8"))
    Path(ref.path).write_text(json.dumps(document | changed), "utf-8")
    return Path(ref.path)


@both
def test_messages_and_the_rest_are_the_whole_usage(agent: Agent, tmp_path: Path) -> None:
    (session,) = read_only(agent, home_of(DATA / agent.id / "plain", tmp_path)).sessions

    assert session.facts.usage == Usage(150, 30)
    assert [one.key.rpartition(":")[2] for one in session.responses][-1] == "rest"


@both
def test_another_version_is_refused(agent: Agent, tmp_path: Path) -> None:
    home = home_of(DATA / agent.id / "plain", tmp_path)
    rewritten(agent, home, version=2 if agent is JIDO else "2.0.0")

    with pytest.raises(SourceError) as caught:
        read_only(agent, home)

    assert caught.value.reason == "newer_schema"


@both
def test_only_documents_named_by_their_id_are_sources(agent: Agent, tmp_path: Path) -> None:
    home = home_of(DATA / agent.id / "plain", tmp_path)
    (ref,) = agent.discover(home)
    folder = Path(ref.path).parent
    for name in ("index.json", f"{Path(ref.path).name}.tmp", f"{Path(ref.path).stem}.migration-backup.1.json"):
        (folder / name).write_text("{}")

    assert list(agent.discover(home)) == [ref]


@both
def test_a_session_is_continued_within_the_program(agent: Agent) -> None:
    with pytest.raises(Refused, match="/resume"):
        agent.resume_command(ResumeTarget("a0a00000-0000-4000-8000-00000000000a", "main", "/p", "/s"))


def test_what_is_costed_in_all_is_costed_here(tmp_path: Path) -> None:
    facts = read_only(JIDO, home_of(DATA / "jido_code" / "plain", tmp_path)).sessions[0].facts

    assert facts.cost_usd == 0.0016
    assert facts.provider_data == {"is_signed": True}


def test_a_checksum_over_what_was_packed_is_checked(tmp_path: Path) -> None:
    home = home_of(DATA / "theo_code" / "plain", tmp_path)
    whole = read_only(THEO, home)
    rewritten(THEO, home, checksum="0" * 64)

    changed = read_only(THEO, home)

    assert (whole.sessions[0].facts.provider_data["checksum"], whole.problems) == ("fits", [])
    assert [(problem.line, problem.reason) for problem in changed.problems] == [(1, "checksum")]
    assert changed.sessions[0].messages == whole.sessions[0].messages


@pytest.mark.parametrize("data", ["no base64", "H4sIAAAAAAAC", 7, None])
def test_what_cannot_be_unpacked_is_refused(tmp_path: Path, data: object) -> None:
    home = home_of(DATA / "theo_code" / "plain", tmp_path)
    rewritten(THEO, home, data=data)

    with pytest.raises(SourceError):
        read_only(THEO, home)
