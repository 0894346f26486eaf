"""Sheets for what protects held sessions: unlocking them, choosing a passphrase, the recovery code shown once."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from holdfast_gui.text import tr
from holdfast_gui.theme import theme
from holdfast_gui.views.controls import Button, Label, Pane
from holdfast_gui.views.sheet import Sheet, field_label
from holdfast_gui.views.switch import Switch

LEAST: Final = 8


class UnlockSheet(Sheet):
    """Asks for the passphrase or the recovery code; ``wanted`` tells it, and the sheet stays until it was right."""

    wanted = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(
            parent,
            title=tr("Unlock held sessions"),
            message=tr("They are encrypted. Nothing of them can be read until you unlock them."),
            accept=tr("Unlock"),
        )
        self.field = _secret_field()
        self.column.addWidget(field_label(self.tr("Passphrase or recovery code"), self.field))
        self.column.addWidget(self.field)
        self.field.textChanged.connect(self._on_typed)
        self.accept_button.clicked.disconnect(self.accept)
        self.accept_button.clicked.connect(self._go)
        self._on_typed()
        self.field.setFocus()

    def set_busy(self, is_busy: bool) -> None:
        """Wait for the answer, which takes a moment on purpose."""
        self.field.setEnabled(not is_busy)
        self.accept_button.setEnabled(not is_busy and bool(self.field.text()))
        self.accept_button.setText(tr("Unlocking…") if is_busy else tr("Unlock"))
        if not is_busy:
            self.field.setFocus()
            self.field.selectAll()

    def _go(self) -> None:
        self.fail("")
        self.wanted.emit(self.field.text())

    def _on_typed(self) -> None:
        self.accept_button.setEnabled(bool(self.field.text()))


class PassphraseSheet(Sheet):
    """Asks for a new passphrase, twice. ``is_change`` says that there is one already."""

    def __init__(self, parent: QWidget, *, is_change: bool) -> None:
        encrypts = tr(
            "Every held session is written anew, encrypted, with its backups, the trash and what was put aside. "
            "Without the passphrase or the recovery code nobody can read them again, you included."
        )
        changes = tr("The sessions stay as they are. The former passphrase and recovery code count no more.")
        super().__init__(
            parent,
            title=tr("Change the passphrase") if is_change else tr("Encrypt held sessions"),
            message=changes if is_change else encrypts,
            accept=tr("Change") if is_change else tr("Encrypt"),
        )
        self.field, self.again = _secret_field(), _secret_field()
        self.column.addWidget(field_label(self.tr("New passphrase"), self.field))
        self.column.addWidget(self.field)
        self.column.addWidget(field_label(self.tr("The same again"), self.again))
        self.column.addWidget(self.again)
        self.hint = Label(font="small", colour="text2", wraps=True)
        self.column.addWidget(self.hint)
        self.field.textChanged.connect(self._on_typed)
        self.again.textChanged.connect(self._on_typed)
        self._on_typed()
        self.field.setFocus()

    @property
    def passphrase(self) -> str:
        """What was typed, twice."""
        return self.field.text()

    def _on_typed(self) -> None:
        is_long, is_same = len(self.field.text()) >= LEAST, self.field.text() == self.again.text()
        if not is_long:
            self.hint.setText(self.tr("At least %n characters; several words are best.", "", LEAST))
        elif not is_same:
            self.hint.setText(self.tr("The two are not the same yet."))
        else:
            self.hint.setText(self.tr("The two are the same."))
        self.accept_button.setEnabled(is_long and is_same)


class RecoverySheet(Sheet):
    """Shows the recovery code, this once; it closes when the person says that it is written down."""

    copy_wanted = Signal(str)

    def __init__(self, parent: QWidget, code: str) -> None:
        super().__init__(
            parent,
            title=tr("Your recovery code"),
            message=tr(
                "It unlocks your sessions if you forget the passphrase. It is shown this once and kept nowhere: "
                "write it down, or keep it in a password manager."
            ),
            accept=tr("Done"),
        )
        self.code = Label(code, font="code", wraps=True)
        self.code.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.code.setAccessibleName(self.tr("Recovery code"))
        self.copy_button = Button(self.tr("Copy"), icon="copy")
        self.copy_button.clicked.connect(lambda: self.copy_wanted.emit(code))
        sentence = self.tr("I have put it in a safe place")
        self.kept = Switch(sentence)
        self.kept.toggled.connect(self.accept_button.setEnabled)
        ground = Pane("code_ground")
        row = QHBoxLayout(ground)
        row.setContentsMargins(theme().margins(12, 8, 8, 8))
        row.addWidget(self.code, 1)
        row.addWidget(self.copy_button)
        switch = QHBoxLayout()
        switch.setSpacing(theme().px(8))
        switch.addWidget(self.kept)
        switch.addWidget(Label(sentence), 1)
        self.column.addWidget(ground)
        self.column.addSpacing(theme().px(6))
        self.column.addLayout(switch)
        self.accept_button.setEnabled(False)
        self.cancel_button.hide()

    def reject(self) -> None:
        """See Qt: Escape does not lose the code."""
        if self.kept.isChecked():
            super().reject()
        else:
            self.fail(self.tr("Keep the code first: it is not shown again."))


def _secret_field() -> QLineEdit:
    field = QLineEdit()
    field.setEchoMode(QLineEdit.EchoMode.Password)
    field.setInputMethodHints(Qt.InputMethodHint.ImhSensitiveData | Qt.InputMethodHint.ImhNoPredictiveText)
    return field
