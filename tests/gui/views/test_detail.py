"""The detail pane: what is known of a session and what the person says of it."""

from __future__ import annotations

import pytest
from holdfast_core.model.message import Todo
from holdfast_core.model.session import FileTouched, Problem
from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.views.controls import Button
from holdfast_gui.views.detail import DetailPane
from holdfast_gui.views.detail_parts import FileRow, SubagentRow, TodoRow
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from tests.gui import invented

Key = Qt.Key
LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def pane(qapp, qtbot) -> DetailPane:
    theme().apply(qapp, mode="light")
    pane = DetailPane(home=invented.HOME)
    qtbot.addWidget(pane)
    pane.resize(268, 900)
    pane.show()
    pane.activateWindow()
    qtbot.waitExposed(pane)
    show(pane)
    return pane


def show(pane: DetailPane, number: int = 2, **facts) -> None:
    entry = invented.entry(number, **facts)
    pane.set_entry(entry, f"claude --resume {entry.native_id}", agent=invented.agents()[0], now=invented.NOW)


def test_facts_are_shown(pane):
    entry = invented.entry(2)

    assert pane.facts.values == {
        "Agent": "Claude Code 2.1.207",
        "Model": "opus-4.5",
        "Folder": "~/code/kelp-api",
        "Branch": "main",
        "Started": text.when(entry.created_ms, invented.NOW),
        "Size": "3.1 MB",
        "Source": "~/.claude_code/sessions/2.jsonl",
        "Resume": "claude --resume session-2",
    }
    assert pane.usage.values == {"Input": "38,204", "Cached": "1,121,880", "Output": "42,310", "Cost": "$2.84"}


def test_what_is_not_known_has_no_row(pane):
    show(pane, model="", branch="", usage=invented.Usage(), cost_usd=None, files_touched=(), todos=())

    assert "Model" not in pane.facts.values
    assert not pane.usage.isVisible()
    assert not pane.files.isVisible()
    assert not pane.todos.isVisible()


def test_values_can_be_copied_whole(pane):
    value = pane.facts.value("Source")
    QTest.mouseClick(value, LEFT)
    QTest.keyClick(value, Key.Key_A, CONTROL)
    QTest.keyClick(value, Key.Key_C, CONTROL)

    assert QGuiApplication.clipboard().text() == "~/.claude_code/sessions/2.jsonl"


def test_values_are_reached_and_copied_by_keys_alone(pane):
    pane.facts.value("Agent").setFocus(Qt.FocusReason.TabFocusReason)

    for _ in range(2):
        QTest.keyClick(pane.focusWidget(), Key.Key_Tab)
    QTest.keyClick(pane.focusWidget(), Key.Key_C, CONTROL)

    assert QGuiApplication.clipboard().text() == "~/code/kelp-api"


def test_values_cannot_be_changed(pane):
    value = pane.facts.value("Branch")

    QTest.keyClicks(value, "x")

    assert value.text() == "main"


def test_files_are_shown_within_their_project_and_can_be_pressed(pane, qtbot):
    rows = [row for row in pane.files.rows() if isinstance(row, FileRow)]

    with qtbot.waitSignal(pane.file_clicked) as pressed:
        QTest.mouseClick(rows[0], LEFT)

    assert [row.accessibleName() for row in rows] == [
        "src/deploy/health.py +4 \N{MINUS SIGN}2",
        "tests/deploy/test_health.py +31",
    ]
    assert pressed.args == [f"{invented.HOME}/code/kelp-api/src/deploy/health.py"]


def test_many_files_fold_until_they_are_asked_for(pane):
    show(pane, files_touched=tuple(FileTouched(f"/x/{number}", 1) for number in range(700)))
    rows = pane.files.rows()
    assert len(rows) == 9
    assert isinstance(rows[-1], Button)
    assert rows[-1].text() == "All 700…"

    QTest.mouseClick(rows[-1], LEFT)

    assert len(pane.files.rows()) == 500


def test_todos_say_their_state_in_words_too(pane):
    spoken = [row.accessibleName() for row in pane.todos.rows() if isinstance(row, TodoRow)]

    assert spoken[0] == "Find what the probe waits for, completed"
    assert spoken[2] == "Watch one nightly run, in progress"


def test_subagents_can_be_opened(pane, qtbot):
    pane.set_subagents([invented.entry(7, kind="subagent")])
    (row,) = (row for row in pane.subagents.rows() if isinstance(row, SubagentRow))

    with qtbot.waitSignal(pane.subagent_clicked) as opened:
        QTest.mouseClick(row, LEFT)

    assert opened.args == [invented.entry(7).id]


def test_problems_name_line_and_reason(pane):
    pane.set_problems([Problem(12, "not_json"), Problem(40, "odd_thing")])
    shown = [label.text() for label in pane.problems.findChildren(QLabel)]

    assert "Line 12" in shown
    assert [row.values for row in pane.problems.rows()] == [
        {"Line 12": "cannot be understood: it is no JSON"},
        {"Line 40": "odd thing"},
    ]


def test_another_session_has_no_subagents_or_problems_of_the_one_before(pane):
    pane.set_subagents([invented.entry(7)])
    pane.set_problems([Problem(1, "x")])

    show(pane, 3)

    assert pane.subagents.rows() == []
    assert pane.problems.rows() == []


def test_a_note_is_told_when_it_is_left(pane, qtbot):
    pane.note.setFocus()
    pane.note.selectAll()
    QTest.keyClicks(pane.note, "Look at the probe")

    with qtbot.waitSignal(pane.note_edited) as told:
        pane.note.clearFocus()

    assert told.args == ["Look at the probe", invented.entry(2).id]


def test_a_note_is_told_a_moment_after_the_last_key(pane, qtbot):
    pane.note.setFocus()

    with qtbot.waitSignal(pane.note_edited, timeout=3000) as told:
        QTest.keyClicks(pane.note, "x")

    assert told.args[1] == invented.entry(2).id


def test_a_note_belongs_to_the_session_it_was_written_for(pane, qtbot):
    pane.note.setFocus()
    pane.note.selectAll()
    QTest.keyClicks(pane.note, "For two")

    with qtbot.waitSignal(pane.note_edited) as told:
        show(pane, 3)

    assert told.args == ["For two", invented.entry(2).id]
    assert pane.note.toPlainText() == ""


def test_what_is_being_typed_survives_a_refresh(pane, qtbot):
    pane.note.setFocus()
    QTest.keyClicks(pane.note, "new ")

    show(pane, 2, message_count=144)

    assert "new " in pane.note.toPlainText()


def test_an_unchanged_note_is_not_told(pane, qtbot):
    pane.note.setFocus()

    with qtbot.assertNotEmitted(pane.note_edited):
        pane.note.clearFocus()


def test_notes_take_plain_text_only(pane):
    data = QMimeData()
    data.setHtml("<img src='file:///nowhere'><b>bold</b>")
    data.setText("<b>bold</b>")
    QGuiApplication.clipboard().setMimeData(data)
    pane.note.setFocus()
    pane.note.selectAll()

    QTest.keyClick(pane.note, Key.Key_V, CONTROL)

    assert pane.note.toPlainText() == "<b>bold</b>"


def test_tab_leaves_the_note(pane):
    pane.note.setFocus()

    QTest.keyClick(pane.note, Key.Key_Tab)

    assert not pane.note.hasFocus()


def test_tags_are_added_by_typing(pane, qtbot):
    QTest.mouseClick(pane.tags.add_button, LEFT)
    QTest.keyClicks(pane.tags.field, "urgent, deploy, later")

    with qtbot.waitSignal(pane.tags_edited) as told:
        QTest.keyClick(pane.tags.field, Key.Key_Return)

    assert told.args == [["deploy", "incident", "urgent", "later"], invented.entry(2).id]
    assert [chip.text() for chip in pane.tags.chips()] == ["deploy", "incident", "urgent", "later"]


def test_tags_can_still_be_added_to_the_next_session(pane):
    show(pane, 3)
    show(pane, 2)
    pane.grab()

    boxes = [widget.geometry() for widget in (*pane.tags.chips(), pane.tags.add_button)]

    assert not any(one.intersects(other) for one in boxes for other in boxes if one is not other)


def test_an_empty_or_known_tag_changes_nothing(pane, qtbot):
    QTest.mouseClick(pane.tags.add_button, LEFT)
    QTest.keyClicks(pane.tags.field, " , deploy")

    with qtbot.assertNotEmitted(pane.tags_edited):
        QTest.keyClick(pane.tags.field, Key.Key_Return)


def test_escape_ends_adding_a_tag(pane):
    QTest.mouseClick(pane.tags.add_button, LEFT)
    QTest.keyClicks(pane.tags.field, "x")

    QTest.keyClick(pane.tags.field, Key.Key_Escape)

    assert not pane.tags.field.isVisible()
    assert pane.tags.tags == ("deploy", "incident")


@pytest.mark.parametrize("key", [Key.Key_Delete, Key.Key_Backspace, Key.Key_Space])
def test_a_tag_is_removed_by_keys(pane, qtbot, key):
    chip = pane.tags.chips()[0]
    chip.setFocus()

    with qtbot.waitSignal(pane.tags_edited) as told:
        QTest.keyClick(chip, key)

    assert told.args == [["incident"], invented.entry(2).id]


def test_nothing_is_shown_without_a_session(pane):
    pane.set_entry(None, "")

    assert not pane.facts.isVisible()


def test_hostile_values_are_plain_and_fit(pane):
    for entry in invented.hard_entries():
        pane.set_entry(entry, "x" * 5000, agent=invented.agent_info("claude_code", name=entry.title), now=invented.NOW)
        pane.tags.set_tags([entry.title[:60]])
        pane.todos.set_items([Todo(entry.title)], TodoRow)
        pane.grab()

        assert "\u202e" not in pane.facts.values["Folder"]
        assert pane.tags.chips()[0].geometry().right() < pane.width()


def test_the_words_of_an_empty_note_follow_the_text_size(qapp, pane):
    theme().apply(qapp, mode="light", scale=1.75)
    theme().apply(qapp, mode="light")

    assert pane.note.viewport().font() == pane.note.font()
