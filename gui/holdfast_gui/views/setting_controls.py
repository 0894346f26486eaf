"""What a setting is changed with: a switch, a choice, a number, lines of text, a place on the disk."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QActionGroup, QFocusEvent, QFontMetrics, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.models.settings import SettingRow, value_name
from holdfast_gui.theme import theme
from holdfast_gui.views.controls import BUTTON_HEIGHT, Button, Label
from holdfast_gui.views.switch import Switch

_NUMBER_WIDTH: Final = 88
_UNIT_WIDTH: Final = 98
_TEXT_WIDTH: Final = 90
_PAGE: Final = 10


class Control(QWidget):
    """The control of one setting: ``chosen`` tells what the person made of it, `set_value` shows what counts."""

    chosen = Signal(object)
    is_wide = False

    def __init__(self, row: SettingRow) -> None:
        super().__init__()
        self._row = row
        self.box = QHBoxLayout(self)
        self.box.setContentsMargins(0, 0, 0, 0)
        self.box.setSpacing(theme().px(8))
        across = QSizePolicy.Policy.Expanding if self.is_wide else QSizePolicy.Policy.Maximum
        self.setSizePolicy(across, QSizePolicy.Policy.Fixed)

    @property
    def stop(self) -> QWidget:
        """What has the keyboard."""
        raise NotImplementedError

    @property
    def stops(self) -> tuple[QWidget, ...]:
        """Everything that can have the keyboard, in order."""
        return (self.stop,)

    def set_value(self, value: Any) -> None:
        """Show a value; tells nobody."""
        raise NotImplementedError

    def set_wrong(self, is_wrong: bool) -> None:
        """Mark what was typed as not allowed."""


class SwitchControl(Control):
    """On or off."""

    def __init__(self, row: SettingRow) -> None:
        super().__init__(row)
        self.switch = Switch(row.title, row.help)
        self.switch.clicked.connect(lambda: self.chosen.emit(self.switch.isChecked()))
        self.box.addWidget(self.switch)
        self.set_value(row.value)

    @property
    def stop(self) -> QWidget:
        """See `Control`."""
        return self.switch

    def set_value(self, value: Any) -> None:
        """See `Control`."""
        self.switch.setChecked(bool(value))


class ChoiceControl(Control):
    """One of a few values, in a menu."""

    def __init__(self, row: SettingRow) -> None:
        super().__init__(row)
        self.button = _MenuButton(max(map(value_name, row.values), key=len, default=""))
        self.button.setAccessibleDescription(row.help)
        self.button.clicked.connect(self._open)
        self._value = row.value
        self._menu: QMenu | None = None
        self.box.addWidget(self.button)
        self.set_value(row.value)

    @property
    def stop(self) -> QWidget:
        """See `Control`."""
        return self.button

    def set_value(self, value: Any) -> None:
        """See `Control`."""
        self._value = value
        self.button.setText(value_name(value))
        self.button.setAccessibleName(f"{self._row.title}: {self.button.text()}")

    def _open(self) -> None:
        self._menu = QMenu(self)
        self._menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        group = QActionGroup(self._menu)
        for value in self._row.values:
            action = self._menu.addAction(text.escaped_mnemonic(value_name(value)))
            action.setCheckable(True)
            action.setChecked(value == self._value)
            action.setData(value)
            group.addAction(action)
            if value == self._value:
                self._menu.setActiveAction(action)
        group.triggered.connect(lambda action: self.chosen.emit(action.data()))
        self._menu.popup(self.button.mapToGlobal(self.button.rect().bottomLeft()))


class NumberControl(Control):
    """A number with its unit and range; arrows change it by a step, Page Up and Down by ten."""

    def __init__(self, row: SettingRow) -> None:
        super().__init__(row)
        self.field = _Field(row)
        self.field.setFixedWidth(theme().px(_NUMBER_WIDTH))
        self.field.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.field.stepped.connect(self._step)
        self.field.left.connect(self.chosen.emit)
        self.field.setAccessibleDescription(f"{row.help} {self._range()}")
        unit = QWidget()
        unit.setFixedWidth(theme().px(_UNIT_WIDTH))
        words = QVBoxLayout(unit)
        words.setContentsMargins(0, 0, 0, 0)
        words.setSpacing(0)
        if row.unit:
            words.addWidget(Label(row.unit, font="small", colour="text2"))
        words.addWidget(Label(self._range(), font="caption", colour="text3"))
        self.box.addWidget(self.field, 0, Qt.AlignmentFlag.AlignTop)
        self.box.addWidget(unit)
        self.set_value(row.value)

    @property
    def stop(self) -> QWidget:
        """See `Control`."""
        return self.field

    def set_value(self, value: Any) -> None:
        """See `Control`."""
        self.field.show_value(f"{value:g}" if isinstance(value, float) else str(value))

    def set_wrong(self, is_wrong: bool) -> None:
        """See `Control`."""
        self.field.set_wrong(is_wrong)

    def _range(self) -> str:
        low, high = (
            text.count(int(end)) if self._row.is_whole else f"{end:g}" for end in (self._row.low, self._row.high)
        )
        return f"{low} {self.tr('to')} {high}"

    def _step(self, steps: int) -> None:
        try:
            now = float(self.field.text())
        except ValueError:
            return
        size = 1.0 if self._row.is_whole else 0.05 if self._row.high <= _PAGE else 0.5
        value = min(self._row.high, max(self._row.low, round(now + steps * size, 2)))
        self.field.setText(str(int(value)) if self._row.is_whole else f"{value:g}")
        self.field.leave()


class PathControl(Control):
    """A place on the disk: typed, or shown in the desktop's own dialog."""

    picking = Signal()
    is_wide = True

    def __init__(self, row: SettingRow) -> None:
        super().__init__(row)
        self.field = _Field(row)
        self.field.setPlaceholderText(self.tr("The usual place"))
        self.field.setMinimumWidth(theme().px(_TEXT_WIDTH))
        self.field.left.connect(self.chosen.emit)
        self.button = Button(self.tr("Choose…"))
        self.button.setAccessibleName(f"{self.tr('Choose')}: {row.title}")
        self.button.clicked.connect(self.picking)
        self.box.addWidget(self.field, 1)
        self.box.addWidget(self.button)
        self.set_value(row.value)

    @property
    def stop(self) -> QWidget:
        """See `Control`."""
        return self.field

    @property
    def stops(self) -> tuple[QWidget, ...]:
        """See `Control`."""
        return self.field, self.button

    def set_value(self, value: Any) -> None:
        """See `Control`."""
        self.field.show_value(str(value))

    def set_wrong(self, is_wrong: bool) -> None:
        """See `Control`."""
        self.field.set_wrong(is_wrong)


class ListControl(Control):
    """Texts, one on each line; kept when the keyboard goes elsewhere."""

    is_wide = True

    def __init__(self, row: SettingRow) -> None:
        super().__init__(row)
        self.field = _Lines(row)
        self.field.left.connect(self._take)
        self._shown = ""
        self.box.addWidget(self.field)
        self.set_value(row.value)

    @property
    def stop(self) -> QWidget:
        """See `Control`."""
        return self.field

    def set_value(self, value: Any) -> None:
        """See `Control`."""
        lines = "\n".join(value)
        if lines != self._shown or not self.field.hasFocus():
            self._shown = lines
            self.field.setPlainText(lines)

    def _take(self) -> None:
        typed = self.field.toPlainText().rstrip("\n")
        if typed != self._shown:
            self._shown = typed
            self.chosen.emit(tuple(typed.split("\n")) if typed else ())


class _MenuButton(Button):
    """A button that opens a menu, as wide as the longest of its values needs."""

    def __init__(self, longest: str) -> None:
        super().__init__("", trailing="chevron-down")
        self._longest = longest

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(theme().font("strong"))
        return QSize(metrics.horizontalAdvance(self._longest) + theme().px(56), theme().px(BUTTON_HEIGHT))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self.click()
        else:
            super().keyPressEvent(event)


class _Field(QLineEdit):
    """Tells what was typed when the person leaves it or presses Return, once."""

    left = Signal(str)
    stepped = Signal(int)

    def __init__(self, row: SettingRow) -> None:
        super().__init__()
        self._shown = ""
        self._takes_steps = row.control == "number"
        self.setAccessibleName(f"{row.title}, {row.unit}" if row.unit else row.title)
        self.setAccessibleDescription(row.help)
        self.setMinimumHeight(theme().px(BUTTON_HEIGHT))
        self.editingFinished.connect(self.leave)

    def show_value(self, words: str) -> None:
        """Show a value, unless something else is being typed."""
        is_typing = self.hasFocus() and self.text().strip() != self._shown
        self._shown = words
        if not is_typing and words != self.text():
            self.setText(words)
            self.setCursorPosition(0)

    def leave(self) -> None:
        """Tell what was typed if it is something else than what counts."""
        if self.text().strip() != self._shown:
            self._shown = self.text().strip()
            self.left.emit(self._shown)

    def set_wrong(self, is_wrong: bool) -> None:
        """Give the field the edge of an error, or its own again."""
        self.setProperty("wrong", is_wrong)
        self.style().unpolish(self)
        self.style().polish(self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Up: 1,
            Qt.Key.Key_Down: -1,
            Qt.Key.Key_PageUp: _PAGE,
            Qt.Key.Key_PageDown: -_PAGE,
        }.get(Qt.Key(event.key()), 0)
        if steps and self._takes_steps:
            self.stepped.emit(steps)
            return
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.accept()  # it is taken; no button of the dialog is pressed by it


class _Lines(QPlainTextEdit):
    left = Signal()

    def __init__(self, row: SettingRow) -> None:
        super().__init__()
        self.setTabChangesFocus(True)
        self.setFont(theme().font("code_small"))
        self.setPlaceholderText(self.tr("One on each line"))
        self.setAccessibleName(row.title)
        self.setAccessibleDescription(row.help)
        self.setMinimumWidth(theme().px(_TEXT_WIDTH))
        self.setFixedHeight(3 * theme().line("code_small") + theme().px(14))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.left.emit()


def control_for(row: SettingRow) -> Control:
    """Return the control for a setting's kind."""
    kinds: dict[str, type[Control]] = {
        "switch": SwitchControl,
        "choice": ChoiceControl,
        "number": NumberControl,
        "list": ListControl,
        "path": PathControl,
    }
    return kinds[row.control](row)
