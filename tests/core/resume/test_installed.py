"""What is said of an agent."""

from __future__ import annotations

from pathlib import Path

from holdfast_core.agents.base import Home
from holdfast_core.resume.installed import agent_info

from tests.fakes.agent import FakeAgent


class TwoRoots(FakeAgent):
    """An agent that may keep its sessions in either of two directories."""

    def roots(self, home: Home) -> list[Path]:
        return [home.path / "first", home.path / "second"]


def test_only_roots_that_are_there_are_named(tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()

    info = agent_info(TwoRoots(), Home(tmp_path, {}), sessions=0)

    assert info.roots == (str(tmp_path / "second"),)


def test_where_no_root_is_there_the_first_is_named(tmp_path: Path) -> None:
    info = agent_info(TwoRoots(), Home(tmp_path, {}), sessions=0)

    assert info.roots == (str(tmp_path / "first"),)
