"""What a command of the command line gave back."""

from __future__ import annotations

from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QDialog, QPlainTextEdit, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.text import tr
from holdfast_gui.theme import theme
from holdfast_gui.views.controls import Label

_LIMIT = 1_000_000


class OutputDialog(QDialog):
    """A command and its output as plain text, while it runs and after."""

    def __init__(self, parent: QWidget, command: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Command"))
        self.resize(860, 520)
        self._state = Label(tr("Running…"), font="small", colour="text2")
        self._output = QPlainTextEdit()
        self._output.setReadOnly(True)
        self._output.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._output.setFont(theme().font("code"))
        self._output.setTabStopDistance(8 * QFontMetrics(theme().font("code")).horizontalAdvance(" "))
        self._output.setAccessibleName(tr("Output"))
        whole = QVBoxLayout(self)
        whole.setContentsMargins(20, 16, 20, 16)
        whole.addWidget(Label(text.one_line(command), font="code"))
        whole.addWidget(self._state)
        whole.addWidget(self._output, 1)

    def finish(self, output: str, exit_code: int) -> None:
        """Show the whole output and how it ended."""
        shown = text.clean(output[:_LIMIT])
        self._output.setPlainText(shown)
        self._state.setText(
            tr("Done.") if exit_code == 0 else tr("Ended with code {exit_code}.").format(exit_code=exit_code)
        )
