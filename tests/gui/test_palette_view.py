import pytest
from holdfast_gui.models.palette import Entry, ranked
from holdfast_gui.theme import theme
from holdfast_gui.views.palette import Palette
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QMainWindow

ENTRIES = [
    Entry("action", "resume", "Resume in terminal", keys="Ctrl+Return"),
    Entry("session", "a:1", "Deploy rest endpoints", "kelp-api", mark="C"),
    Entry("command", "storage", "storage"),
]


@pytest.fixture
def palette(qtbot):
    theme().apply(QApplication.instance())
    window = QMainWindow()
    field = QLineEdit()
    window.setCentralWidget(field)
    qtbot.addWidget(window)
    window.resize(900, 600)
    made = Palette(window)
    made.text_changed.connect(lambda text: made.show_entries(ranked(text, ENTRIES)))
    window.show()
    window.activateWindow()
    field.setFocus()
    yield made


def test_typing_narrows_and_enter_chooses(palette, qtbot):
    chosen = []
    palette.chosen.connect(lambda entry, text: chosen.append((entry.id, text)))

    palette.open()
    qtbot.keyClicks(palette.field, "dep")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)

    assert (chosen, palette.isVisible()) == ([("a:1", "dep")], False)


def test_arrows_go_round_and_over_headings(palette, qtbot):
    chosen = []
    palette.chosen.connect(lambda entry, _text: chosen.append(entry.id))

    for presses in (1, 2, 3):
        palette.open()
        for _ in range(presses):
            qtbot.keyClick(palette.field, Qt.Key.Key_Down)
        qtbot.keyClick(palette.field, Qt.Key.Key_Return)

    assert chosen == ["a:1", "storage", "resume"]


def test_escape_leaves_and_gives_the_keyboard_back(palette, qtbot):
    before = palette.window().focusWidget()

    palette.open("x")
    qtbot.keyClick(palette.field, Qt.Key.Key_Escape)

    assert (palette.isVisible(), palette.window().focusWidget()) == (False, before)


def test_nothing_found_says_so_and_enter_does_nothing(palette, qtbot):
    chosen = []
    palette.chosen.connect(lambda *what: chosen.append(what))

    palette.open()
    qtbot.keyClicks(palette.field, "zzzz")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)

    assert palette.isVisible() and not palette.list.isVisible() and chosen == []


def test_a_command_line_is_handed_over_as_typed(palette, qtbot):
    chosen = []
    palette.chosen.connect(lambda entry, text: chosen.append((entry, text)))

    palette.open("> ")
    qtbot.keyClicks(palette.field, "sessions list")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)

    assert chosen == [(None, "> sessions list")]


def test_it_covers_a_window_that_grows(palette):
    palette.open()

    palette.parentWidget().resize(1300, 800)

    assert palette.size() == palette.parentWidget().size()


def test_hostile_text_is_painted_plain(palette):
    hostile = Entry("session", "a:9", "<img src='file:///dev/zero'>\n" + "x" * 5000, "‮rtl 日本 🚀")

    palette.open()
    palette.show_entries(ranked("", [hostile]))

    assert not palette.grab().isNull()
