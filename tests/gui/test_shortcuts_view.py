import pytest
from holdfast_gui.theme import theme
from holdfast_gui.views.shortcuts import Row, ShortcutsDialog
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication, QWidget

ROWS = [
    Row("export", "Export", "Write to a file.", ("Ctrl+E",)),
    Row("palette", "Palette", "Do anything.", ("Ctrl+K",)),
    Row("star", "Star", "Keep it.", (), ("S",)),
]


@pytest.fixture
def dialog(qtbot):
    theme().apply(QApplication.instance())
    parent = QWidget()
    qtbot.addWidget(parent)
    made = ShortcutsDialog(parent, ROWS, {row.id: row.keys for row in ROWS})
    made.show()
    yield made


def shown(dialog):
    model = dialog.table.model()
    return [(model.index(row, 0).data(), model.index(row, 1).data()) for row in range(model.rowCount())]


def test_every_action_is_listed_with_its_keys(dialog):
    assert shown(dialog) == [("Export", "Ctrl+E"), ("Palette", "Ctrl+K"), ("Star", "S")]


@pytest.mark.parametrize(("words", "found"), [("ctrl+k", ["Palette"]), ("file", ["Export"]), ("keep STAR", ["Star"])])
def test_words_find_actions_by_name_help_and_keys(dialog, qtbot, words, found):
    qtbot.keyClicks(dialog.search, words)

    assert [title for title, _ in shown(dialog)] == found


def test_new_keys_are_told(dialog, qtbot):
    told = []
    dialog.changed.connect(told.append)

    dialog.table.selectRow(0)
    dialog.editor.setKeySequence(QKeySequence("Ctrl+Shift+E"))
    qtbot.mouseClick(dialog._change, Qt.MouseButton.LeftButton)

    assert told == [{"export": ["Ctrl+Shift+E"]}]
    assert shown(dialog)[0] == ("Export", "Ctrl+Shift+E")


@pytest.mark.parametrize("keys", ["Ctrl+K", "S"])
def test_keys_of_another_action_are_refused_by_name(dialog, qtbot, keys):
    told = []
    dialog.changed.connect(told.append)

    dialog.table.selectRow(0)
    dialog.editor.setKeySequence(QKeySequence(keys))
    qtbot.mouseClick(dialog._change, Qt.MouseButton.LeftButton)

    assert told == []
    assert dialog.conflict.text().startswith(f"{keys} is taken by ")


def test_keys_can_be_removed_and_given_back(dialog, qtbot):
    told = []
    dialog.changed.connect(told.append)

    dialog.table.selectRow(1)
    qtbot.mouseClick(dialog._clear, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(dialog._reset, Qt.MouseButton.LeftButton)

    assert told == [{"palette": []}, {}]
