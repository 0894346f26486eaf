"""Real sessions of other people, where there are any: exported whole, contained, and read back the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Home
from holdfast_core.export import json, markdown, text
from holdfast_core.export.plain import plain_text
from holdfast_core.model.export import ExportOptions
from holdfast_core.model.session import Session

from tests.core.export.test_markdown import headings_of, tags_of
from tests.corpus import Recorded, put_into_home, recorded

RECORDED = [session for name in all_agents() for session in recorded(name) if session.bytes < 2_000_000]


@pytest.mark.parametrize("session", RECORDED, ids=str)
def test_a_recorded_session_is_exported_whole_and_contained(session: Recorded, tmp_path: Path):
    put_into_home(session, tmp_path)
    agent, home = all_agents()[session.agent], Home(tmp_path, {})

    for ref in agent.discover(home):
        reading = agent.read(ref, home)
        for read in reading.sessions:
            whole = Session(read.facts, tuple(read.messages), tuple(reading.problems), reading.unknown_records)
            _assert_exported(whole)


def _assert_exported(session: Session) -> None:
    assert json.parse("".join(json.render(session)))[0] == session

    page = "".join(markdown.render(session, ExportOptions(images=False)))
    tags = tags_of(page)
    assert (tags.foreign, tags.open, tags.is_balanced) == ([], [], True)
    assert all(heading.startswith(("You", "Assistant", "Context")) for heading in headings_of(page)[1:])

    plain = "".join(text.render(session))
    assert plain_text(plain) == plain
