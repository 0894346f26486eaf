"""Every reader stands spoilt files: the same ones each time, few enough for every run of the tests."""

from __future__ import annotations

import pytest
from holdfast_core.agents import all_agents

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
