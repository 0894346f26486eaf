"""The page about one incident: what happened, what is safe, and the whole report as it will be copied."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.views.controls import Button, IconButton, Label


class ReportDialog(QDialog):
    """Shows one incident at a time; nothing is copied that is not seen here first."""

    copy_wanted = Signal(str)
    logs_wanted = Signal()
    step_wanted = Signal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("What went wrong"))
        self.resize(theme().px(720), theme().px(480))
        self._message = Label(font="bold", wraps=True)
        self._kept = Label(font="body", wraps=True)
        self._note = Label(font="small", colour="text2", wraps=True)
        self.counter = Label(font="small", colour="text2")
        self.previous_button = IconButton("chevron-left", self.tr("Previous problem"))
        self.next_button = IconButton("chevron-right", self.tr("Next problem"))
        self.previous_button.clicked.connect(lambda: self.step_wanted.emit(-1))
        self.next_button.clicked.connect(lambda: self.step_wanted.emit(1))
        self.report = QPlainTextEdit()
        self.report.setReadOnly(True)
        self.report.setTabChangesFocus(True)
        self.report.setFont(theme().font("code_small"))
        self.report.setAccessibleName(self.tr("Report, as it will be copied"))
        self.copy_button = Button(self.tr("Copy report"), icon="copy")
        self.logs_button = Button(self.tr("Open logs folder"))
        self.close_button = Button(self.tr("Close"), kind="primary")
        self.copy_button.clicked.connect(lambda: self.copy_wanted.emit(self.report.toPlainText()))
        self.logs_button.clicked.connect(self.logs_wanted)
        self.close_button.clicked.connect(self.accept)
        self._arrange()

    @property
    def words(self) -> str:
        """What is said over the report."""
        labels = (self._message, self._kept, self._note)
        return " ".join(label.text() for label in labels if not label.isHidden())

    def show_incident(
        self, message: str, report: str, *, is_bug: bool, kept: str = "", times: int = 1, for_copy: bool = False
    ) -> None:
        """Show what happened and the report; with ``for_copy`` the keyboard stands on the button that copies."""
        self._message.setText(text.clean(message))
        self._kept.setText(text.clean(kept))
        self._kept.setVisible(bool(kept))
        self._note.setText(self._note_words(is_bug=is_bug, times=times))
        report = text.clean(report)
        if report != self.report.toPlainText():
            self.report.setPlainText(report)
        self.setAccessibleName(self._message.text())
        self.setAccessibleDescription(self.words)
        if not self.isVisible():
            self.open()
            (self.copy_button if for_copy else self.close_button).setFocus(Qt.FocusReason.TabFocusReason)

    def set_place(self, number: int, total: int) -> None:
        """Say which of how many this is."""
        self.counter.setText(f"{number} {self.tr('of')} {total}")
        for part in (self.counter, self.previous_button, self.next_button):
            part.setVisible(total > 1)
        self.previous_button.setEnabled(number > 1)
        self.next_button.setEnabled(number < total)

    def _note_words(self, *, is_bug: bool, times: int) -> str:
        safe = self.tr(
            "This is the whole report. It names no home directory and no secrets, and is sent to nobody by us."
        )
        fault = self.tr("This is a fault of ours; the application goes on.") if is_bug else ""
        often = self.tr("It happened %n times.", "", times) if times > 1 else ""
        return " ".join(part for part in (fault, often, safe) if part)

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(theme().px(2))
        head.addWidget(self._message, 1)
        for part in (self.counter, self.previous_button, self.next_button):
            head.addWidget(part, 0, Qt.AlignmentFlag.AlignTop)
        buttons = QHBoxLayout()
        buttons.setSpacing(theme().px(8))
        buttons.addWidget(self.copy_button)
        buttons.addWidget(self.logs_button)
        buttons.addStretch(1)
        buttons.addWidget(self.close_button)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(theme().margins(20, 18, 20, 16))
        whole.setSpacing(theme().px(8))
        whole.addLayout(head)
        whole.addWidget(self._kept)
        whole.addWidget(self._note)
        whole.addWidget(self.report, 1)
        whole.addLayout(buttons)
