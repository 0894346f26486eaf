import pytest
from holdfast_gui.actions.keyboard import PlainKeys
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QLineEdit, QListWidget, QPlainTextEdit, QVBoxLayout, QWidget


class Bench:
    def __init__(self, qtbot):
        self.window = QWidget()
        self.line, self.note, self.list = QLineEdit(), QPlainTextEdit(), QListWidget()
        column = QVBoxLayout(self.window)
        for widget in (self.line, self.note, self.list):
            column.addWidget(widget)
        self.fired = []
        for keys in ("J", "Return", "Esc", "Ctrl+E", "F1"):
            shortcut = QShortcut(QKeySequence(keys), self.window)
            shortcut.activated.connect(lambda keys=keys: self.fired.append(keys))
        qtbot.addWidget(self.window)
        self.window.show()
        self.window.activateWindow()
        qtbot.waitUntil(self.window.isActiveWindow)


@pytest.fixture
def bench(qtbot):
    guard = PlainKeys(QApplication.instance())
    yield Bench(qtbot)
    guard.deleteLater()


def press(qtbot, widget):
    for key, modifier in (
        (Qt.Key.Key_J, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier),
        (Qt.Key.Key_F1, Qt.KeyboardModifier.NoModifier),
    ):
        qtbot.keyClick(widget, key, modifier)


@pytest.mark.parametrize("field", ["line", "note"])
def test_plain_keys_belong_to_a_text_field(bench, qtbot, field):
    getattr(bench, field).setFocus()

    press(qtbot, getattr(bench, field))

    assert bench.fired == ["Ctrl+E", "F1"]


def test_elsewhere_they_are_shortcuts(bench, qtbot):
    bench.list.setFocus()

    press(qtbot, bench.list)

    assert bench.fired == ["J", "Return", "Esc", "Ctrl+E", "F1"]


def test_a_field_that_was_left_or_deleted_claims_nothing(bench, qtbot):
    bench.line.setFocus()
    bench.list.setFocus()
    bench.line.deleteLater()
    qtbot.waitUntil(lambda: bench.window.layout().count() == 2)

    press(qtbot, bench.list)

    assert bench.fired == ["J", "Return", "Esc", "Ctrl+E", "F1"]
