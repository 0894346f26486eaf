"""The fault programme finds what it is for."""

from __future__ import annotations

import pytest

from tests.faults.programme import Report, every_fault, every_power_cut
from tests.faults.seeded import WRONG, Right
from tests.faults.story import Writer


def everything(writer: Writer) -> Report:
    """Return what all faults and all power cuts break."""
    return every_fault(writer) + every_power_cut(writer)


def test_a_right_writer_breaks_nothing():
    report = everything(Right())

    assert report.broken == []
    assert report.runs > 200


@pytest.mark.parametrize("writer", WRONG, ids=lambda writer: writer.__name__)
def test_a_wrong_writer_is_caught(writer: type[Writer]):
    report = everything(writer())

    assert report.broken
