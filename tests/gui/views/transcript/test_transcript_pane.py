"""The pane: states, filter, rail, outline, and a session that grows."""

from __future__ import annotations

import pytest
from holdfast_core.model.session import Session
from holdfast_gui.models.parts import Kind
from holdfast_gui.views.transcript.floating import JumpPill, Tools
from holdfast_gui.views.transcript.outline import OutlinePanel
from holdfast_gui.views.transcript.rail import Rail, RailMarks
from holdfast_gui.views.transcript.states import StateView
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.gui.transcripts import AGENT, answer, day_at_sea, long_session, prompt, session

LEFT = Qt.MouseButton.LeftButton
NO_MODIFIER = Qt.KeyboardModifier.NoModifier
# What the offscreen platform says of every popup.
POPS_UP = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")


def grown(shown: Session, *more) -> Session:
    return Session(shown.facts, (*shown.messages, *more))


def state(pane) -> StateView:
    return pane.findChild(StateView)


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (lambda pane: pane.show_loading(), "loading"),
        (lambda pane: pane.show_error("It is gone. Choose another."), "error"),
        (lambda pane: pane.clear(), "empty"),
    ],
)
def test_states_take_the_transcripts_place(pane, show, act, expected):
    show(day_at_sea())

    act(pane)

    assert state(pane).isVisible()
    assert state(pane).state == expected
    assert not pane.grab().isNull()
    assert not pane.view.isVisible()


def test_a_session_takes_the_place_of_a_state(pane, show):
    pane.show_loading()

    show(day_at_sea())

    assert pane.view.isVisible()


def test_the_end_stays_in_sight_while_the_session_grows(pane, show, qtbot):
    first = long_session(50)
    show(first)
    pane.scroll_to_end()

    pane.append(grown(first, prompt("And now?"), answer("Now too.\n\n" + "line\n\n" * 30)), 50)

    assert pane.view.is_at_end()
    assert not pane.findChild(JumpPill).isVisible()


def test_the_place_stays_while_the_session_grows_below(pane, show):
    first = long_session(50)
    show(first)
    pane.scroll_to_message(10)
    before = [(entry.place, entry.y) for entry in pane.view.placed()]

    pane.append(grown(first, answer("More.")), 50)

    assert [(entry.place, entry.y) for entry in pane.view.placed()] == before


def test_a_pill_leads_to_what_is_new(pane, show):
    first = long_session(50)
    show(first)

    pane.append(grown(first, answer("The newest.")), 50)
    pill = pane.findChild(JumpPill)
    assert pill.isVisible()
    QTest.mouseClick(pill, LEFT)

    assert pane.view.is_at_end()
    assert not pill.isVisible()


def test_a_session_that_began_empty_grows(pane):
    pane.set_session(session(), AGENT)

    pane.append(session(prompt("First")), 0)

    assert pane.view.isVisible()
    assert len(pane.view.model.parts) == 2


def test_the_filter_is_chosen_from_its_menu(pane, show, sight, qtbot):
    show(day_at_sea())
    action = next(action for action in pane.findChild(Tools).menu.actions() if action.text() == "Prompts")

    with qtbot.waitSignal(pane.filter_changed) as changed:
        action.trigger()

    assert changed.args == [["prompts"]]
    assert sight.kinds() == ["HEAD", "PROMPT", "HEAD", "PROMPT"]


def test_kinds_add_up_and_none_means_all(pane, show, sight):
    show(day_at_sea())
    everything = sight.kinds()

    pane.set_filter(["prompts", "errors", "no such kind"])
    some = sight.kinds()
    pane.set_filter([])

    assert some == ["HEAD", "PROMPT", "HEAD", "PROMPT", "HEAD", "TOOL"]
    assert sight.kinds() == everything


def test_a_filter_that_nothing_meets_shows_nothing_and_does_not_fail(pane, show):
    show(session(prompt("a")))

    pane.set_filter(["errors"])
    pane.view.scroll_by(50)
    pane.scroll_to_end()

    assert pane.view.placed() == []
    assert not pane.grab().isNull()


@POPS_UP
def test_the_outline_lists_prompts_and_goes_to_one(pane, show, qtbot):
    show(long_session(60))
    panel = pane.findChild(OutlinePanel)

    pane.open_outline()
    qtbot.waitUntil(panel.isVisible)
    rows = [panel.list.model().index(row, 0).data() for row in range(3)]
    QTest.keyClick(panel.list, Qt.Key.Key_Down)
    QTest.keyClick(panel.list, Qt.Key.Key_Down)
    assert not panel.grab().isNull()
    QTest.keyClick(panel.list, Qt.Key.Key_Return)

    assert rows == ["Question 0", "Question 2", "Question 4"]
    assert not panel.isVisible()
    assert pane.view.model.parts.messages[pane.view.placed()[0].part] == 4


def test_a_click_on_the_rail_goes_there_and_a_drag_follows(pane, show):
    show(long_session(2_000))
    rail = pane.rail
    messages = pane.view.model.parts.messages

    QTest.mouseClick(rail, LEFT, NO_MODIFIER, QPoint(8, rail.height() // 2 - 29))
    middle = messages[pane.view.placed()[0].part]
    QTest.mousePress(rail, LEFT, NO_MODIFIER, QPoint(8, 40))
    QTest.mouseMove(rail, QPoint(8, rail.height() - 90))
    QTest.mouseRelease(rail, LEFT, NO_MODIFIER, QPoint(8, rail.height() - 90))

    assert 900 < middle < 1_100
    assert messages[pane.view.placed()[0].part] > 1_800


def test_the_rail_has_a_tick_for_each_message_while_they_fit(qapp: QApplication, qtbot):
    rail = Rail()
    qtbot.addWidget(rail)
    rail.resize(20, 18 + 8 * 10 + 76)

    rail.set_marks(RailMarks(7))
    few = rail.ticks
    rail.set_marks(RailMarks(5_000))

    assert (few, rail.ticks) == (7, 10)
    assert [rail.tick_of(message) for message in (0, 2_500, 4_999)] == [0, 5, 9]
    assert [rail.message_at(y) for y in (-50, 18, 58, 9_999)] == [0, 0, 2_500, 4_500]


def test_marks_and_place_are_drawn_on_the_rail(qapp: QApplication, qtbot):
    rail = Rail()
    qtbot.addWidget(rail)
    rail.resize(20, 400)
    rail.set_marks(RailMarks(20))
    plain = rail.grab().toImage()

    rail.set_marks(RailMarks(20, prompts=frozenset({3}), errors=frozenset({5}), hits=frozenset({7})))

    assert rail.grab().toImage() != plain
    assert rail.accessibleName()


def test_an_empty_rail_asks_for_nothing(qapp: QApplication, qtbot):
    rail = Rail()
    qtbot.addWidget(rail)
    asked = []
    rail.message_wanted.connect(asked.append)

    QTest.mouseClick(rail, LEFT, NO_MODIFIER, QPoint(5, 50))

    assert asked == []


def test_every_control_has_a_name(pane, show):
    show(day_at_sea())
    tools = pane.findChild(Tools)

    named = [pane.view, pane.rail, pane.find_bar.field, tools.outline, tools.filter, pane.findChild(JumpPill)]

    assert all(control.accessibleName() for control in named)


def test_another_session_begins_without_the_last_ones_filter_and_place(pane, show, sight):
    show(long_session(300))
    pane.set_filter(["prompts"])
    pane.scroll_to_end()

    show(day_at_sea())

    assert pane.filter == frozenset()
    assert sight.kinds()[:2] == [Kind.HEAD.name, Kind.PROMPT.name]


def test_a_session_that_was_rewritten_shorter_is_shown_as_it_is_now(pane, show, qtbot, sight):
    whole = day_at_sea()
    show(whole)
    pane.set_hits(["mast"])
    qtbot.waitUntil(lambda: len(pane.view.finder.hits) == 3)
    pane.scroll_to_end()
    pane.find_previous()

    pane.append(session(*whole.messages[:3], prompt("Never mind.")), 3)
    qtbot.waitUntil(lambda: pane.view.finder.is_complete)
    pane.find_next()

    assert sight.kinds() == ["HEAD", "PROMPT", "HEAD", "THOUGHT", "TOOL", "HEAD", "PROMPT"]
    assert pane.find_bar.count_text == "No hits"
