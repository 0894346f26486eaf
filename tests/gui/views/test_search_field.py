"""The search field under a person's hands."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from holdfast_gui.theme import theme
from holdfast_gui.views.search_field import SearchField
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QVBoxLayout, QWidget

Key = Qt.Key
LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def field(qapp, qtbot) -> Iterator[SearchField]:
    theme().apply(qapp, mode="light")
    window = QWidget()
    qtbot.addWidget(window)
    field = SearchField()
    column = QVBoxLayout(window)
    column.addWidget(field)
    column.addStretch(1)
    window.resize(384, 400)
    window.show()
    window.activateWindow()
    qtbot.waitExposed(window)
    field.focus_all()
    yield field


def type_in(field: SearchField, words: str) -> None:
    QTest.keyClicks(field.line, words)


def key(field: SearchField, which: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(field.line, which, modifier)


def test_every_key_is_told(field):
    told = []
    field.text_changed.connect(told.append)

    type_in(field, "abc")

    assert told == ["a", "ab", "abc"]


def test_enter_submits(field, qtbot):
    type_in(field, "pool.lock")

    with qtbot.waitSignal(field.submitted) as submitted:
        key(field, Key.Key_Return)

    assert submitted.args == ["pool.lock"]


def test_escape_clears_first_and_leaves_then(field, qtbot):
    type_in(field, "x")
    with qtbot.assertNotEmitted(field.cancelled):
        key(field, Key.Key_Escape)
    assert field.text == ""

    with qtbot.waitSignal(field.cancelled):
        key(field, Key.Key_Escape)


def test_down_goes_to_the_list(field, qtbot):
    with qtbot.waitSignal(field.list_wanted):
        key(field, Key.Key_Down)


def test_it_behaves_as_a_line_edit(field):
    type_in(field, "project:kelp lock")
    key(field, Key.Key_A, CONTROL)
    assert field.line.selectedText() == "project:kelp lock"

    key(field, Key.Key_Delete)
    key(field, Key.Key_Z, CONTROL)
    assert field.text == "project:kelp lock"

    key(field, Key.Key_End)
    key(field, Key.Key_Backspace)
    assert field.text == "project:kelp loc"


def test_only_plain_text_on_one_line_is_pasted(field):
    data = QMimeData()
    data.setHtml("<b>bold</b>")
    data.setText("plain\nlines")
    QGuiApplication.clipboard().setMimeData(data)

    key(field, Key.Key_V, CONTROL)

    assert field.text == "plain lines"
    assert field.line.cursorPosition() == len("plain lines")


def test_filters_are_marked(field):
    type_in(field, "pool lock words")
    plain = field.grab().toImage()
    key(field, Key.Key_A, CONTROL)
    type_in(field, "tag:lock words")
    marked = field.grab().toImage()

    accent = theme().tokens.accent.name()

    assert accent not in _inner_colours(plain)
    assert accent in _inner_colours(marked)


def test_the_mark_stays_with_its_filter_while_it_is_edited(field):
    type_in(field, "tag:x")
    key(field, Key.Key_Home)
    type_in(field, "a ")

    assert field.text == "a tag:x"
    assert theme().tokens.accent.name() in _inner_colours(field.grab().toImage())


def test_a_link_is_no_filter(field):
    type_in(field, "http://x.example")

    assert theme().tokens.accent.name() not in _inner_colours(field.grab().toImage())


def test_completion_is_asked_for_at_the_cursor(field, qtbot):
    with qtbot.waitSignal(field.completion_wanted) as asked:
        type_in(field, "p")

    assert asked.args == ["p", 1]


def test_tab_takes_the_first_completion(field):
    type_in(field, "lock proj")
    field.set_completions(["project:", "project:kelp-api"])
    assert field.completions.isVisible()

    key(field, Key.Key_Tab)

    assert field.text == "lock project:"
    assert field.line.hasFocus()


def test_arrows_and_enter_take_another(field, qtbot):
    type_in(field, "proj lock")
    field.line.setCursorPosition(4)
    field.set_completions(["project:", "project:kelp-api", 'project:"two words"'])

    key(field, Key.Key_Down)
    key(field, Key.Key_Down)
    with qtbot.assertNotEmitted(field.submitted):
        key(field, Key.Key_Return)

    assert field.text == "project:kelp-api lock"
    assert field.line.cursorPosition() == len("project:kelp-api")


@pytest.mark.parametrize(
    ("typed", "word", "completed"),
    [
        ('project:a,"two wor', 'project:a,"two words"', 'project:a,"two words" '),
        ("(tag:x OR tag:dep", "tag:deploy", "(tag:x OR tag:deploy "),
        ("-age", "-agent:", "-agent:"),
    ],
)
def test_a_completion_replaces_the_whole_word(field, typed, word, completed):
    type_in(field, typed)
    field.set_completions([word])

    key(field, Key.Key_Tab)

    assert field.text == completed


def test_up_goes_to_the_last_and_escape_closes(field):
    type_in(field, "a")
    field.set_completions(["agent:", "after:"])

    key(field, Key.Key_Up)
    key(field, Key.Key_Escape)

    assert not field.completions.isVisible()
    assert field.text == "a"


def test_enter_without_a_choice_searches(field, qtbot):
    type_in(field, "a")
    field.set_completions(["agent:"])

    with qtbot.waitSignal(field.submitted):
        key(field, Key.Key_Return)

    assert not field.completions.isVisible()


def test_a_click_takes_a_completion(field, qtbot):
    type_in(field, "a")
    field.set_completions(["agent:", "after:"])
    view = field.completions.view
    box = view.visualRect(view.model().index(1, 0))

    QTest.mouseClick(view.viewport(), LEFT, pos=box.center())

    assert field.text == "after:"


def test_a_word_that_is_there_already_is_not_offered(field):
    type_in(field, "agent:")

    field.set_completions(["agent:"])

    assert not field.completions.isVisible()


def test_completions_that_come_late_are_not_shown(field, qtbot):
    type_in(field, "a")
    field.line.clearFocus()

    field.set_completions(["agent:"])

    assert not field.completions.isVisible()


def test_what_is_wrong_is_said_in_words(field):
    field.set_error("There is no filter “proj”.")
    assert field.error == "There is no filter “proj”."
    assert field.line.accessibleDescription() == "There is no filter “proj”."

    field.set_error("")
    assert field.error == ""


def test_a_search_can_be_saved_and_cleared(field, qtbot):
    save, clear = field.buttons
    assert not save.isVisible()
    type_in(field, " tag:deploy ")

    with qtbot.waitSignal(field.save_wanted) as saved:
        QTest.mouseClick(save, LEFT)
    QTest.mouseClick(clear, LEFT)

    assert saved.args == ["tag:deploy"]
    assert field.text == ""
    assert field.line.hasFocus()


def test_everything_has_a_name_for_screen_readers(field):
    names = [widget.accessibleName() for widget in (field.line, *field.buttons)]

    assert names == ["Search everything", "Save this search", "Clear the search"]


def _inner_colours(image) -> set[str]:
    """Return the colours inside the frame, right of the icon."""
    return {
        image.pixelColor(x, y).name() for x in range(44, image.width() - 90) for y in range(18, image.height() - 10)
    }
