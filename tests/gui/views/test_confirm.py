"""The sheet before something is taken away."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from holdfast_core.model.keeping import Loss
from holdfast_gui.theme import theme
from holdfast_gui.views.confirm import ConfirmSheet, for_ever, to_the_trash
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QLabel, QWidget

from tests.gui import invented

Key = Qt.Key
LOSS = Loss(14, 1_204, 31_400_000, tuple(invented.entry(number).title for number in range(10)), kept=2)
Make = Callable[..., ConfirmSheet]


@pytest.fixture
def parent(qapp, qtbot) -> Iterator[QWidget]:
    theme().apply(qapp, mode="light")
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.resize(1200, 800)
    parent.show()
    yield parent
    theme().apply(qapp, mode="light")


@pytest.fixture
def opened(parent, qtbot) -> Make:
    def make(sheet: ConfirmSheet) -> ConfirmSheet:
        qtbot.addWidget(sheet)
        sheet.open()
        qtbot.waitExposed(sheet)
        qtbot.waitUntil(sheet.cancel_button.hasFocus)
        return sheet

    return make


def test_it_says_how_much_will_go_and_which(opened, parent):
    sheet = opened(to_the_trash(parent, LOSS, trash_days=30))

    assert sheet.windowTitle() == "Move 14 sessions to the trash?"
    assert "sessions: 14. messages: 1,204. on the disk: 31.4 MB." in sheet.words
    assert all(title in sheet.words for title in LOSS.titles[:5])
    assert "and 9 more" in sheet.words
    assert sheet.accessibleDescription() == sheet.words


def test_it_says_what_stays_and_for_how_long_it_can_be_undone(opened, parent):
    sheet = opened(to_the_trash(parent, LOSS, trash_days=30))

    assert "2 sessions stay: live, starred or tagged “keep”." in sheet.words
    assert "What is in the trash can be put back for 30 days." in sheet.words


@pytest.mark.parametrize(
    ("sheet", "said"),
    [
        (lambda parent: to_the_trash(parent, LOSS, trash_days=0), "put back until you empty it"),
        (lambda parent: to_the_trash(parent, LOSS, trash_days=1), "put back for 1 day."),
        (lambda parent: for_ever(parent, LOSS), "This cannot be undone."),
        (lambda parent: for_ever(parent, Loss(1, 1, 10, ("Only one",))), "session: 1. message: 1. on the disk: 10"),
    ],
)
def test_every_case_has_its_own_words(parent, sheet, said):
    assert said in sheet(parent).words


@pytest.mark.parametrize("key", [Key.Key_Return, Key.Key_Enter, Key.Key_Escape, Key.Key_Space])
def test_no_key_pressed_by_habit_takes_anything_away(opened, parent, qtbot, key):
    sheet = opened(for_ever(parent, LOSS))
    with qtbot.assertNotEmitted(sheet.confirmed), qtbot.waitSignal(sheet.rejected):
        QTest.keyClick(sheet.focusWidget(), key)

    assert sheet.result() == QDialog.DialogCode.Rejected


@pytest.mark.parametrize("key", [Key.Key_Return, Key.Key_Space])
def test_the_keyboard_reaches_the_other_button(opened, parent, qtbot, key):
    sheet = opened(to_the_trash(parent, LOSS, trash_days=30))

    QTest.keyClick(sheet.focusWidget(), Key.Key_Tab)
    assert sheet.confirm_button.hasFocus()
    with qtbot.waitSignal(sheet.confirmed):
        QTest.keyClick(sheet.confirm_button, key)

    assert sheet.result() == QDialog.DialogCode.Accepted


def test_a_click_on_the_button_is_yes(opened, parent, qtbot):
    sheet = opened(to_the_trash(parent, LOSS, trash_days=30))

    with qtbot.waitSignal(sheet.confirmed):
        QTest.mouseClick(sheet.confirm_button, Qt.MouseButton.LeftButton)


def test_if_all_stays_there_is_nothing_to_say_yes_to(opened, parent):
    sheet = opened(to_the_trash(parent, Loss(0, 0, 0, (), kept=1), trash_days=30))

    assert sheet.words == "There is nothing to delete 1 session stays: live, starred or tagged “keep”."
    assert not sheet.confirm_button.isVisible() and sheet.cancel_button.text() == "Close"


@pytest.mark.parametrize("scale", [1.0, 2.0])
@pytest.mark.parametrize("width", [640, 900, 1440])
def test_hostile_titles_stay_plain_and_within_the_sheet(opened, parent, qapp, scale, width):
    theme().apply(qapp, mode="dark", scale=scale)
    parent.resize(width, 800)
    titles = tuple(entry.title for entry in invented.hard_entries())
    sheet = opened(for_ever(parent, Loss(len(titles), 9, 9, titles)))
    sheet.grab()

    labels = [label for label in sheet.findChildren(QLabel) if label.isVisible()]
    assert sheet.width() <= width
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in labels)
    assert all(label.mapTo(sheet, label.rect().bottomRight()).x() <= sheet.width() for label in labels)
    assert all(label.height() >= label.heightForWidth(label.width()) for label in labels if label.wordWrap())


def test_others_words_can_be_asked_with_the_same_sheet(opened, parent):
    sheet = opened(
        ConfirmSheet(
            parent, title="Reset all settings?", message="<b>12</b> have values of yours.", confirm="Reset & go"
        )
    )

    assert sheet.words == "Reset all settings? <b>12</b> have values of yours."
    assert sheet.confirm_button.text() == "Reset && go"
