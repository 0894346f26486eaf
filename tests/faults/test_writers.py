"""Every writer keeps what it acknowledged, whatever call fails and whenever the power goes."""

from __future__ import annotations

import pytest

from tests.faults.long_use import LongUse
from tests.faults.programme import every_fault, every_power_cut
from tests.faults.story import Writer
from tests.faults.writers import WRITERS


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.__name__)
def test_no_failing_call_breaks_a_promise(writer: type[Writer]):
    report = every_fault(writer())

    assert report.broken == []
    assert report.runs > 50


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.__name__)
def test_no_power_cut_breaks_a_promise(writer: type[Writer]):
    report = every_power_cut(writer())

    assert report.broken == []
    assert report.runs > 10


def test_no_power_cut_breaks_a_promise_of_a_long_use():
    report = every_power_cut(LongUse(0), most=200)

    assert report.broken == []
    assert report.runs == 200
