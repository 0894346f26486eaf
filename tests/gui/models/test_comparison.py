"""What two versions do not share, as rows; and the changes of a repair."""

from __future__ import annotations

import pytest
from holdfast_core.model.repair import RepairChange
from holdfast_gui.models import mending
from holdfast_gui.models.comparison import ComparedRole, ComparisonModel, place_of, summary
from PySide6.QtCore import Qt

from tests.gui import vaulted


@pytest.fixture
def model(qapp, qtmodeltester) -> ComparisonModel:
    model = ComparisonModel()
    model.set_comparison(vaulted.comparison())
    qtmodeltester.check(model)
    return model


def test_each_row_says_who_where_and_what(model):
    rows = [model.index(row) for row in range(model.rowCount())]

    assert [row.data(ComparedRole.HEADING) for row in rows] == [
        "Agent · only in version 3",
        "Tool output · differs",
        "You · only in version 4",
    ]
    assert rows[2].data() == "<b>Good</b> & on"
    assert rows[2].data(ComparedRole.CAPTION) == "message 16"
    assert "only in version 3" in rows[0].data(Qt.ItemDataRole.AccessibleTextRole)


def test_how_much_is_where(model):
    assert summary(model.comparison) == (
        "1 message only in version 3 · 1 message only in version 4 · 1 differs · 14 the same"
    )


def test_a_message_is_read_in_the_version_that_has_it(model):
    assert [place_of(model.comparison, one) for one in model.comparison.differences] == [(3, 16), (4, 12), (4, 15)]


def test_every_change_of_a_repair_is_told_with_what_was_cut(qapp, qtmodeltester):
    changes = (
        RepairChange(9, "nul_cut"),
        RepairChange(12, "stub_cut", b'{"a\xff":\x00'),
        RepairChange(14, "line_left"),
    )
    model = mending.ChangesModel(changes)
    qtmodeltester.check(model)

    rows = [model.index(row) for row in range(model.rowCount())]

    assert [row.data(mending.LINE_ROLE) for row in rows] == ["Line 9", "Line 12", "Line 14"]
    assert rows[1].data(mending.CUT_ROLE) == '{"a\N{REPLACEMENT CHARACTER}":'
    assert rows[0].data(Qt.ItemDataRole.AccessibleTextRole) == "Line 9, Zeros are cut out"
    assert mending.summary(changes) == "2 changes, 1 line that cannot be read stays"
