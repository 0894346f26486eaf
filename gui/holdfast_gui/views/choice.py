"""A question with a few answers: what happened, what can be done, one button that does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QDialog, QHBoxLayout, QRadioButton, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.views.controls import Button, Label


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer: what it stands for, its words, and a second line."""

    value: str
    title: str
    detail: str = ""


class ChoiceDialog(QDialog):
    """Shows foreign text as plain text only; ``chosen`` is the answer after it was accepted."""

    def __init__(
        self,
        parent: QWidget,
        *,
        title: str,
        message: str,
        detail: str,
        choices: Sequence[Choice],
        accept: str,
        leave: str = "",
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setMinimumWidth(theme().px(460))
        self._choices = tuple(choices)
        self._group = QButtonGroup(self)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(24, 20, 24, 18)
        whole.setSpacing(8)
        whole.addWidget(Label(title, font="bold"))
        whole.addWidget(Label(text.clean(message), font="body", wraps=True))
        if detail:
            whole.addWidget(Label(text.one_line(detail), font="code_small", colour="text2", wraps=True))
        whole.addSpacing(4)
        for number, choice in enumerate(choices):
            self._add(whole, number, choice)
        whole.addSpacing(8)
        whole.addLayout(self._buttons(accept, leave or ("Cancel" if choices else "")))

    @property
    def chosen(self) -> str:
        """The value of the answer, empty if there was nothing to choose from."""
        number = self._group.checkedId()
        return self._choices[number].value if 0 <= number < len(self._choices) else ""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See Qt: Return presses the button that has the keyboard, else the one that goes on."""
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
        elif isinstance(focused := self.focusWidget(), Button):
            focused.click()
        else:
            self.accept()

    def _add(self, column: QVBoxLayout, number: int, choice: Choice) -> None:
        button = QRadioButton(text.escaped_mnemonic(choice.title))
        button.setFont(theme().font("body"))
        button.setChecked(number == 0)
        self._group.addButton(button, number)
        column.addWidget(button)
        if choice.detail:
            words = Label(text.one_line(choice.detail), font="small", colour="text2", wraps=True)
            words.setContentsMargins(22, 0, 0, 4)
            column.addWidget(words)

    def _buttons(self, accept: str, leave: str) -> QHBoxLayout:
        go = Button(accept, kind="primary")
        go.clicked.connect(self.accept)
        if not self._choices:
            go.setFocus()
        row = QHBoxLayout()
        row.addStretch(1)
        if leave:
            away = Button(leave)
            away.clicked.connect(self.reject)
            row.addWidget(away)
        row.addWidget(go)
        return row
