"""Every reader stands spoilt files: the same ones each time, few enough for every run of the tests."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Checkpoint, Home, Reading, SourceRef
from holdfast_core.agents.codex import Codex

from tests.fuzz.programme import Report, break_lines, cases, spoil

every_agent = pytest.mark.parametrize("agent", all_agents())


@every_agent
def test_no_spoilt_file_breaks_a_reader(agent: str) -> None:
    report = Report()
    found = list(cases(agent))

    for case in found:
        spoil(case, seed=1, times=max(2, 60 // len(found)), report=report)

    assert report.broken == []
    assert report.runs >= len(found)


@every_agent
def test_a_broken_line_costs_itself_alone(agent: str) -> None:
    report = Report()

    for case in cases(agent):
        break_lines(case, seed=1, lines=3, report=report)

    assert report.broken == []


class Careless(Codex):
    """Falls over what is no text, and gives up at the first broken line."""

    def read(self, ref: SourceRef, home: Home, *, checkpoint: Checkpoint | None = None) -> Reading:
        reading = super().read(ref, home, checkpoint=checkpoint)
        Path(ref.path).read_text("utf-8")
        if reading.problems:
            reading.sessions = [msgspec.structs.replace(session, messages=[]) for session in reading.sessions]
        return reading


def test_a_careless_reader_is_found_out() -> None:
    report = Report()

    for case in cases("codex"):
        spoil(case._replace(reader=Careless()), seed=1, times=10, report=report)
        break_lines(case._replace(reader=Careless()), seed=1, lines=3, report=report)

    assert any("UnicodeDecodeError" in broken for broken in report.broken)
    assert any("cost more than itself" in broken for broken in report.broken)
