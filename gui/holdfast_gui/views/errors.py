"""The page about one incident: what happened, the redacted details, a report to copy."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.views.controls import Button, Label


class ReportDialog(QDialog):
    """Shows one incident at a time; `show_incident` again replaces what is shown."""

    copy_wanted = Signal(str)
    logs_wanted = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("What went wrong")
        self.resize(720, 460)
        self._count = 0
        self._report = ""
        self._message = Label(font="strong", wraps=True)
        self._note = Label(font="small", colour="text2", wraps=True)
        self._details = QPlainTextEdit()
        self._details.setReadOnly(True)
        self._details.setFont(theme().font("code_small"))
        self._details.setAccessibleName("Details")
        copy, logs, close = Button("Copy report"), Button("Open logs folder"), Button("Close", kind="primary")
        copy.clicked.connect(lambda: self.copy_wanted.emit(self._report))
        logs.clicked.connect(self.logs_wanted)
        close.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.addWidget(copy)
        buttons.addWidget(logs)
        buttons.addStretch(1)
        buttons.addWidget(close)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(20, 18, 20, 16)
        whole.setSpacing(10)
        whole.addWidget(self._message)
        whole.addWidget(self._note)
        whole.addWidget(self._details, 1)
        whole.addLayout(buttons)

    def show_incident(self, message: str, details: str, report: str, *, is_bug: bool) -> None:
        """Show what happened; one that comes while the page is open only raises the count."""
        if self.isVisible():
            self._count += 1
            self._note.setText(f"It happened {self._count} times since this page opened.")
            return
        self._count = 1
        self._report = report
        self._message.setText(text.clean(message))
        self._note.setText(
            "This is a fault of ours. The application goes on; the report names no home directory and no secrets, "
            "and is sent to nobody unless you do."
            if is_bug
            else "The details are for a report; they name no home directory and no secrets."
        )
        self._details.setPlainText(text.clean(details))
        self.open()
