"""A session that its agent finds only from its own directory gets a copy in another one, if the person says so."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from holdfast_core import resume
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home
from holdfast_core.errors import NeedsCopy, Refused
from holdfast_core.resume.copying import missing_copy, put_copy
from holdfast_core.settings import Settings

from tests.core.resume.world import World

SESSION = "a1a10000-0000-4000-8000-00000000000a"
AGENT = all_agents()["claude_code"]


class Moved:
    """A session of a project that stands in another place now, in a world of its own."""

    def __init__(self, top: Path) -> None:
        self.world = World(top)
        self.home = Home(self.world.user, self.world.environment)
        self.projects = self.world.user / ".claude" / "projects"
        self.source = self.projects / "-old-place" / f"{SESSION}.jsonl"
        self.source.parent.mkdir(parents=True)
        self.source.write_text('{"type":"user","cwd":"/old/place","message":{"content":"hi"}}\n', "utf-8")
        self.place = top / "new.place"
        self.place.mkdir()
        self.copy = self.projects / re.sub(r"[^A-Za-z0-9]", "-", str(self.place)) / self.source.name
        self.world.write_agent(name="claude")

    def entry(self, **changed: Any) -> Any:
        told = {"agent": "claude_code", "native_id": SESSION, "project_path": "/old/place", **changed}
        return self.world.entry(source_path=str(self.source), **told)

    def plan(self, **more: Any) -> Any:
        settings = Settings.model_validate({})
        return resume.plan(self.entry(), AGENT, self.home, settings, project=self.place, **more)


@pytest.fixture
def moved(tmp_path: Path) -> Moved:
    return Moved(tmp_path)


def test_the_person_is_asked_before_anything_is_put_anywhere(moved: Moved) -> None:
    with pytest.raises(NeedsCopy) as refused:
        moved.plan()

    assert refused.value.path == str(moved.copy)
    assert not moved.copy.parent.exists()


def test_with_their_word_the_plan_says_where_the_copy_goes_and_nothing_has_happened(moved: Moved) -> None:
    plan = moved.plan(with_copy=True)

    assert plan.copy_to == str(moved.copy)
    assert plan.cwd == str(moved.place)
    assert not moved.copy.parent.exists()


def test_a_copy_has_all_that_the_session_needs_and_then_none_is_needed(moved: Moved) -> None:
    results = moved.source.with_suffix("") / "tool-results"
    results.mkdir(parents=True)
    (results / "t.txt").write_text("long", "utf-8")
    (moved.source.parent / "sessions-index.json").write_text('{"entries":[{"sessionId":"another"}]}', "utf-8")

    written = put_copy(AGENT, moved.entry(), moved.home, moved.copy)

    assert written == [moved.copy.with_suffix("") / "tool-results" / "t.txt", moved.copy]
    assert moved.copy.read_bytes() == moved.source.read_bytes()
    assert written[0].read_text("utf-8") == "long"
    if os.name == "posix":
        assert moved.copy.stat().st_mode & 0o777 == 0o600
    assert moved.plan().copy_to == ""
    assert {ref.path for ref in AGENT.discover(moved.home)} == {str(moved.source), str(moved.copy)}


def test_what_is_there_is_never_replaced(moved: Moved) -> None:
    moved.copy.parent.mkdir()
    moved.copy.write_text("mine", "utf-8")

    with pytest.raises(Refused, match="already"):
        put_copy(AGENT, moved.entry(), moved.home, moved.copy)

    assert moved.copy.read_text("utf-8") == "mine"


def test_a_folder_that_is_a_link_gets_no_copy(moved: Moved, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    moved.copy.parent.symlink_to(tmp_path / "elsewhere")
    results = moved.source.with_suffix("") / "tool-results"
    results.mkdir(parents=True)
    (results / "t.txt").write_text("long", "utf-8")

    with pytest.raises(Refused, match="link"):
        put_copy(AGENT, moved.entry(), moved.home, moved.copy)

    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_an_agent_does_not_start_where_its_copy_is_missing(moved: Moved) -> None:
    moved.world.write_terminal("xterm")
    plan = moved.plan(with_copy=True, terminal_name="xterm")

    with pytest.raises(Refused, match="not there"):
        resume.start(plan, moved.home, Settings.model_validate({}))


def test_from_its_own_directory_and_for_agents_that_look_everywhere_no_copy_is_needed(moved: Moved) -> None:
    entry = moved.entry()

    assert missing_copy(AGENT, entry, moved.home, "/old/place") is None
    assert missing_copy(all_agents()["codex"], entry, moved.home, "/new") is None
    assert missing_copy(all_agents()["kode"], entry, moved.home, "/new") is None  # it is not in its directories
