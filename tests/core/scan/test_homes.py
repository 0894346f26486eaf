"""Agents in more homes than one: every session once, in its own home, and none lost with a home that is away."""

from __future__ import annotations

import inspect
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Agent, Home, ResumeTarget
from holdfast_core.errors import Refused
from holdfast_core.library import Library
from holdfast_core.model.changes import ScanFailure
from holdfast_core.paths import find_paths
from holdfast_core.scan.homes import InHomes, extra_homes, with_homes
from holdfast_core.settings import Settings

from tests.core.scan.conftest import Place
from tests.fakes.agent import FakeAgent, append, write_session
from tests.fakes.hanging import HangingAgent
from tests.fakes.waiting import wait_until


@pytest.fixture
def other(place: Place) -> Path:
    """Another home, which `place` looks in too."""
    other = place.top / "mnt" / "other"
    other.mkdir(parents=True)
    place.agents = with_homes(place.agents, [other])
    return other


def test_sessions_of_every_home_are_listed_and_followed(place: Place, other: Path) -> None:
    write_session(place.home, "here", "apple")
    there = write_session(other, "there", "pear")
    place.update()
    assert place.listed() == {"fake:here": 1, "fake:there": 1}

    append(there, "plum")
    outcome = place.update(paths=[there])

    assert place.listed() == {"fake:here": 1, "fake:there": 2}
    assert outcome.changes.changed == ("fake:there",)
    assert not place.update().changes


def test_the_same_session_in_two_homes_is_one_and_this_home_counts_where_both_tell_the_same(
    place: Place, other: Path
) -> None:
    here = write_session(place.home, "one", "apple")
    there = other / here.relative_to(place.home)
    there.parent.mkdir(parents=True)
    shutil.copy2(here, there)
    place.update()
    assert place.listed() == {"fake:one": 1}
    assert [entry["source_path"] for entry in place.answers().entries.values()] == [str(here)]

    append(there, "pear")
    place.update()
    assert place.listed() == {"fake:one": 2}
    assert [entry["source_path"] for entry in place.answers().entries.values()] == [str(there)]

    there.unlink()
    outcome = place.update()
    assert place.listed() == {"fake:one": 1}
    assert [lost.messages for lost in outcome.changes.lost] == [1]


@pytest.mark.parametrize("is_mount_point_left", [True, False])
def test_a_home_that_is_away_takes_no_session_with_it(place: Place, other: Path, is_mount_point_left: bool) -> None:
    write_session(other, "there", "pear")
    mine = write_session(place.home, "here", "apple")
    place.update()
    away = other.with_name("away")
    other.rename(away)
    if is_mount_point_left:
        other.mkdir()
    mine.unlink()

    outcome = place.update()

    assert place.listed() == {"fake:there": 1}
    assert [failure.agent for failure in outcome.discovery.failures] == ["fake"]
    if is_mount_point_left:
        other.rmdir()
    away.rename(other)
    assert not place.update().changes


def test_what_is_gone_in_a_home_that_is_there_is_gone(place: Place, other: Path) -> None:
    write_session(other, "stays", "apple")
    there = write_session(other, "goes", "pear")
    place.update()

    there.unlink()
    place.update()

    assert place.listed() == {"fake:stays": 1}


def test_a_session_of_another_home_cannot_be_resumed_here_and_is_told_why(place: Place, other: Path) -> None:
    agent = place.agents["fake"]
    there = ResumeTarget("there", "main", "C:\\work", str(other / ".fake" / "there.jsonl"))
    here = ResumeTarget("here", "main", "/work", str(place.home / ".fake" / "here.jsonl"))

    assert agent.resume_command(here).argv == ("fake-agent", "--resume", "here")
    with pytest.raises(Refused, match="another home"):
        agent.resume_command(there)


def test_a_setting_names_homes_and_neither_this_one_nor_what_this_system_has_not(tmp_path: Path) -> None:
    texts = [f"{tmp_path}/a/", str(tmp_path / "home"), f"{tmp_path}/a", "~/b"]
    texts.append("C:\\Users\\me" if os.name == "posix" else "/only/posix")

    found = extra_homes(texts, tmp_path / "home")

    assert found == (tmp_path / "a", Path("~/b").expanduser())


def test_an_agent_in_homes_hands_on_all_that_an_agent_can() -> None:
    said = {name for name, value in vars(Agent).items() if inspect.isfunction(value) and not name.startswith("_")}
    agent = with_homes(all_agents(), [Path("/elsewhere")])["codex"]

    assert said <= vars(InHomes).keys()
    assert (agent.id, agent.name, agent.hue) == ("codex", all_agents()["codex"].name, all_agents()["codex"].hue)
    assert {Path("/elsewhere/.codex/sessions"), Path("/h/.codex/sessions")} <= set(agent.roots(Home(Path("/h"), {})))


async def test_a_home_in_new_settings_is_looked_in_by_the_indexer_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    home, other = tmp_path / "home", tmp_path / "other"
    write_session(home, "here", "apple")
    write_session(other, "there", "pear")
    library = Library.open(
        find_paths(tmp_path / "holdfast"),
        agents_home=home,
        environment={},
        settings=Settings(),
        agents={"fake": FakeAgent()},
        indexer_command=[sys.executable, "-m", "tests.fakes.indexer"],
    )
    await library.start()
    try:
        await library.update()
        library.use_settings(Settings(extra_homes=(str(other),)))
        await library.update()
        assert len((await library.load("fake:there")).session.messages) == 1
        roots = {agent.agent: agent.roots for agent in await library.agents()}["fake"]
        assert roots == (str(home / ".fake"), str(other / ".fake"))
        with pytest.raises(Refused, match="another home"):
            await library.resume_plan("fake:there")

        library.use_settings(Settings())
        await library.update()
        assert [entry.id for entry in await library.recent(9)] == ["fake:here"]
    finally:
        await library.close()


def test_a_home_that_is_looked_in_no_more_leaves_without_a_loss(place: Place, other: Path) -> None:
    write_session(place.home, "here", "apple")
    there = write_session(other, "there", "pear")
    place.update()
    place.agents = {"fake": FakeAgent()}

    outcome = place.update()

    assert place.listed() == {"fake:here": 1}
    assert outcome.changes.removed == ("fake:there",)
    assert outcome.changes.lost == ()
    assert there.exists()


def test_one_of_two_homes_is_let_go_and_the_other_stays(place: Place, other: Path) -> None:
    second = place.top / "mnt" / "second"
    write_session(other, "there", "pear")
    write_session(second, "too", "plum")
    place.agents = with_homes({"fake": FakeAgent()}, [other, second])
    place.update()
    place.agents = with_homes({"fake": FakeAgent()}, [second])

    outcome = place.update()

    assert place.listed() == {"fake:too": 1}
    assert outcome.changes.lost == ()


async def test_the_person_is_told_of_no_loss_where_they_took_a_home_away(tmp_path: Path) -> None:
    home, other = tmp_path / "home", tmp_path / "other"
    home.mkdir()
    write_session(other, "there", "pear")

    def opened(*homes: Path) -> Library:
        settings = Settings(extra_homes=tuple(map(str, homes)))
        paths, agents = find_paths(tmp_path / "holdfast"), {"fake": FakeAgent()}
        return Library.open(paths, agents_home=home, environment={}, settings=settings, agents=agents)

    library = opened(other)
    assert (await library.update()).sessions == 1
    await library.close()
    library = opened()

    report = await library.update()

    assert (report.sessions, report.lost, report.failures) == (0, 0, ())
    assert await library.survey.drift() == {}
    await library.close()


@pytest.fixture
def hanging(place: Place) -> Iterator[HangingAgent]:
    """An agent with another home, whose share hangs when its event is cleared."""
    other = place.top / "mnt" / "share"
    write_session(place.home, "here", "apple")
    write_session(other, "there", "pear")
    agent = HangingAgent(other)
    place.agents = with_homes({"fake": agent}, [other], answer_seconds=0.05)
    yield agent
    agent.answers.set()


def test_a_share_that_hangs_does_not_hold_up_the_first_look(place: Place, hanging: HangingAgent) -> None:
    hanging.answers.clear()

    outcome = place.update()

    assert place.listed() == {"fake:here": 1}
    assert outcome.discovery.failures == [ScanFailure("", "does not answer", str(hanging.hanging))]


def test_sessions_of_a_share_that_hangs_stay_and_it_is_asked_again(place: Place, hanging: HangingAgent) -> None:
    place.update()
    hanging.answers.clear()
    for _ in range(3):
        assert not place.update().changes
    assert place.listed() == {"fake:here": 1, "fake:there": 1}
    assert hanging.looks == 2, "while one look hangs no other is begun"
    hanging.answers.set()
    write_session(hanging.hanging, "new", "plum")

    wait_until(lambda: place.update().changes.added == ("fake:new",))

    assert place.listed() == {"fake:here": 1, "fake:there": 1, "fake:new": 1}
    assert place.update().discovery.failures == []


def test_what_goes_in_this_home_is_gone_while_another_hangs(place: Place, hanging: HangingAgent) -> None:
    place.update()
    hanging.answers.clear()
    next((place.home / ".fake").rglob("*.jsonl")).unlink()

    outcome = place.update()

    assert place.listed() == {"fake:there": 1}
    assert [lost.id for lost in outcome.changes.lost] == ["fake:here"]


async def test_a_windows_home_tells_its_own_paths_and_resumes_nothing_here(tmp_path: Path) -> None:
    other = tmp_path / "mnt" / "c" / "Users" / "me"
    place = other / ".claude" / "projects" / "C--work-lighthouse"
    place.mkdir(parents=True)
    record = {
        "type": "user",
        "uuid": "u1",
        "parentUuid": None,
        "sessionId": "f2f20000-0000-4000-8000-00000000000f",
        "cwd": "C:\\work\\lighthouse",
        "timestamp": "2026-11-01T10:00:00.000Z",
        "message": {"role": "user", "content": "Where are we?"},
    }
    (place / "f2f20000-0000-4000-8000-00000000000f.jsonl").write_text(json.dumps(record) + "\n", "utf-8")
    library = Library.open(
        find_paths(tmp_path / "holdfast"),
        agents_home=tmp_path / "home",
        environment={},
        settings=Settings(extra_homes=(str(other),)),
    )
    try:
        await library.update()
        (entry,) = await library.recent(9)
        assert entry.project_path == "C:\\work\\lighthouse"
        assert len(await library.keys("project:lighthouse")) == 1
        with pytest.raises(Refused, match="another home"):
            await library.resume_plan(entry.id)
        kept = await library.held.archive(entry.id)
        assert kept.project_path == "C:\\work\\lighthouse"
    finally:
        await library.close()
