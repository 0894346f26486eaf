"""What a screen reader hears of the transcript."""

from __future__ import annotations

import gc

from holdfast_gui.models.parts import Kind
from holdfast_gui.views.transcript.accessibility import spoken
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest

from tests.gui.transcripts import answer, day_at_sea, long_session, prompt, run, session

NAME = QAccessible.Text.Name


def names(pane) -> list[str]:
    interface = QAccessible.queryAccessibleInterface(pane.view)
    return [interface.child(index).text(NAME) for index in range(interface.childCount())]


def test_the_transcript_is_a_list_of_what_is_in_sight(pane, show):
    show(day_at_sea())

    interface = QAccessible.queryAccessibleInterface(pane.view)

    assert interface.role() == QAccessible.Role.List
    assert interface.text(NAME) == "Transcript"
    assert interface.child(0).role() == QAccessible.Role.ListItem
    assert interface.indexOfChild(interface.child(3)) == 3
    assert interface.child(0).parent().text(NAME) == "Transcript"


def test_messages_and_steps_read_sensibly(pane, show):
    show(day_at_sea())

    said = names(pane)

    assert said[1] == "You: Why does the anchor drag?"
    assert said[3] == "Thought for 60 s, collapsed" or said[3].startswith("Thought")
    assert said[4] == "Run sound --depth (1 min · 2 lines), collapsed"
    assert said[5].startswith("Pilot: The chain is too short")
    assert said[6].endswith("expanded")


def test_opening_changes_what_is_said(pane, show, sight):
    show(day_at_sea())
    item = QAccessible.queryAccessibleInterface(pane.view).child(4)

    pane.view.toggle(sight.part(Kind.TOOL))

    assert item.text(NAME).endswith("expanded")
    assert item.state().expanded


def test_items_stand_where_their_parts_are(pane, show):
    show(day_at_sea())
    interface = QAccessible.queryAccessibleInterface(pane.view)

    rect = interface.child(1).rect()

    assert rect.contains(pane.view.viewport().mapToGlobal(QPoint(100, pane.view.placed()[1].y + 5)))
    assert interface.childAt(rect.center().x(), rect.center().y()).text(NAME) == interface.child(1).text(NAME)


def test_the_keyboard_moves_the_focus_of_the_reader(pane, show):
    QAccessible.setActive(True)
    show(day_at_sea())

    QTest.keyClick(pane.view, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    QTest.keyClick(pane.view, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)

    focused = QAccessible.queryAccessibleInterface(pane.view).focusChild()
    assert focused.text(NAME) == "You: Why does the anchor drag?"
    assert focused.state().focused


def test_items_of_a_session_that_is_gone_say_nothing(pane, show):
    show(long_session(100))
    items = [QAccessible.queryAccessibleInterface(pane.view).child(n) for n in range(5)]

    show(session(prompt("short")))
    gc.collect()

    assert [item.text(NAME) for item in items[2:]] == ["", "", ""]


def test_every_kind_of_part_has_words(pane, show):
    calls = [answer(run(f"c{n}", "ls")) for n in range(6)]
    show(session(prompt("go"), *calls, answer("done")))

    said = [spoken(pane.view, part) for part in range(len(pane.view.model.parts))]

    assert all(said)
    assert any(line.startswith("6 steps") for line in said)
