"""What is left out of the vault, in words: each can be taken off the list, and something put on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.models.settings import SettingRow
from holdfast_gui.text import tr
from holdfast_gui.theme import theme
from holdfast_gui.views.controls import Button, ElidedLabel, IconButton
from holdfast_gui.views.setting_controls import Control


class LeftOutControl(Control):
    """Lines with a way to take each off; ``adding`` tells that something is to be put on the list."""

    adding = Signal()
    is_wide = True

    def __init__(self, row: SettingRow) -> None:
        super().__init__(row)
        self._value: tuple[str, ...] = ()
        self._names: Mapping[str, str] = {}
        self.lines: list[_Line] = []
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        self.button = Button(self.tr("Leave something out…"), icon="plus")
        self.button.clicked.connect(self.adding)
        column = QVBoxLayout()
        column.setSpacing(theme().px(6))
        column.addLayout(self._rows)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        self.box.addLayout(column, 1)
        self.set_value(row.value)

    @property
    def stop(self) -> QWidget:
        """See `Control`."""
        return self.button

    @property
    def stops(self) -> tuple[QWidget, ...]:
        """See `Control`."""
        return (*(line.button for line in self.lines), self.button)

    def set_names(self, names: Mapping[str, str]) -> None:
        """Call agents by these names."""
        self._names = names
        self._fill()

    def set_value(self, value: Any) -> None:
        """See `Control`."""
        if tuple(value) != self._value:
            self._value = tuple(value)
            self._fill()

    def add(self, what: str) -> None:
        """Put something on the list."""
        if what not in self._value:
            self.chosen.emit((*self._value, what))

    def _take_off(self, what: str) -> None:
        self.button.setFocus()
        self.chosen.emit(tuple(one for one in self._value if one != what))

    def _fill(self) -> None:
        for line in self.lines:
            self._rows.removeWidget(line)
            line.hide()
            line.deleteLater()
        self.lines = [_Line(one, left_out_words(one, self._names)) for one in self._value]
        for line in self.lines:
            line.button.clicked.connect(lambda _=False, made=line: self._take_off(made.what))
            self._rows.addWidget(line)


class _Line(QWidget):
    def __init__(self, what: str, words: str) -> None:
        super().__init__()
        self.what, self.words = what, words
        self.button = IconButton("close", tr("Keep it again: {what}").format(what=words))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme().px(6))
        row.addWidget(ElidedLabel(words), 1)
        row.addWidget(self.button)


def left_out_words(what: str, names: Mapping[str, str]) -> str:
    """Return what is left out as a person calls it; ``names`` are the agents'."""
    kind, _, value = what.partition(":")
    if kind == "agent":
        return tr("All sessions of {agent}").format(agent=text.one_line(names.get(value, value)))
    if kind == "project":
        return tr("{path} and all below it").format(path=text.one_line(value))
    if what == "kind:subagent":
        return tr("Subagents")
    return text.one_line(what)
