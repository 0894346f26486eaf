"""What the sheets over the window have in common: a heading, words, a column for fields, buttons at the right."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.views.controls import Button, Label

_FRAME = 48


class Sheet(QDialog):
    """Opened, never executed. ``column`` is where the fields go; Return accepts if ``accept_button`` is enabled."""

    def __init__(self, parent: QWidget, *, title: str, message: str = "", accept: str, width: int = 468) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setMinimumWidth(min(theme().px(width), max(320, parent.window().width() - _FRAME)))
        self.setMaximumHeight(max(320, parent.window().height() - _FRAME))
        self.column = QVBoxLayout()
        self.column.setSpacing(theme().px(6))
        self.error = Label(font="small", colour="bad", wraps=True)
        self.error.hide()
        self.cancel_button = Button(self.tr("Cancel") if accept else self.tr("Close"))
        self.accept_button = Button(text.escaped_mnemonic(accept), kind="primary")
        self.accept_button.setVisible(bool(accept))
        self.cancel_button.clicked.connect(self.reject)
        self.accept_button.clicked.connect(self.accept)
        self.tools = QHBoxLayout()
        self.tools.setSpacing(theme().px(8))
        buttons = QHBoxLayout()
        buttons.setSpacing(theme().px(8))
        buttons.addLayout(self.tools)
        buttons.addStretch(1)
        buttons.addWidget(self.cancel_button)
        buttons.addWidget(self.accept_button)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(theme().margins(24, 20, 24, 18))
        whole.setSpacing(theme().px(14))
        whole.addWidget(Label(title, font="bold", wraps=True))
        self.message = Label(text.clean(message), wraps=True)
        self.message.setVisible(bool(message))
        whole.addWidget(self.message)
        whole.addLayout(self.column, 1)
        whole.addWidget(self.error)
        whole.addLayout(buttons)
        self.setAccessibleName(title)
        self.setAccessibleDescription(message)

    def fail(self, words: str) -> None:
        """Say why it cannot be done, and let the person try again; nothing takes that away."""
        self.error.setText(text.clean(words))
        self.error.setVisible(bool(words))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See Qt: Return presses the button that has the keyboard, else the one that goes on."""
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
        elif isinstance(focused := self.focusWidget(), Button):
            focused.click()
        elif not isinstance(focused, QPlainTextEdit) and self.accept_button.isEnabled():
            self.accept_button.click()


def field_label(words: str, field: QWidget) -> Label:
    """Return a label over a field, which the field is known by."""
    label = Label(words, font="small", colour="text2")
    label.setBuddy(field)
    field.setAccessibleName(words)
    return label
