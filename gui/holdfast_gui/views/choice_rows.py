"""What a person may do now: one button for each, and beside it what it will do."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast_core.model.keeping import Choice
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.views.controls import Button, Label

_NARROW = 420


class ChoiceRows(QWidget):
    """Tells ``chosen`` with the kind of the choice. The first one is the loudest if ``has_primary``."""

    chosen = Signal(str)

    def __init__(self, choices: Sequence[Choice], *, about: str = "", has_primary: bool = True) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme().px(12))
        self._grid.setVerticalSpacing(theme().px(6))
        self._grid.setColumnStretch(1, 1)
        self._pairs: list[tuple[Button, Label]] = []
        self._is_narrow = False
        for number, choice in enumerate(choices):
            self._add(choice, about, is_primary=has_primary and number == 0)
        self._place()

    def button(self, kind: str) -> Button:
        """Return the button of a choice."""
        return next(button for button, _ in self._pairs if button.objectName() == kind)

    @property
    def buttons(self) -> list[Button]:
        """The buttons, from the top."""
        return [button for button, _ in self._pairs]

    @property
    def words(self) -> str:
        """Everything that is said, for a screen reader."""
        return " ".join(f"{button.text()}: {label.text()}" for button, label in self._pairs)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """See Qt: without room the consequence stands below its button."""
        super().resizeEvent(event)
        is_narrow = self.width() < theme().px(_NARROW)
        if is_narrow != self._is_narrow:
            self._is_narrow = is_narrow
            self._place()
            self.updateGeometry()

    def _add(self, choice: Choice, about: str, *, is_primary: bool) -> None:
        button = Button(text.escaped_mnemonic(choice.label), kind="primary" if is_primary else "plain")
        button.setObjectName(choice.kind)
        button.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        button.setAccessibleDescription(f"{choice.consequence} {about}".strip())
        button.clicked.connect(lambda _checked=False, kind=choice.kind: self.chosen.emit(kind))
        self._pairs.append((button, Label(text.one_line(choice.consequence), font="small", colour="text2", wraps=True)))

    def _place(self) -> None:
        for number, (button, label) in enumerate(self._pairs):
            self._grid.removeWidget(button)
            self._grid.removeWidget(label)
            if self._is_narrow:
                self._grid.addWidget(button, 2 * number, 0, 1, 2, Qt.AlignmentFlag.AlignLeft)
                self._grid.addWidget(label, 2 * number + 1, 0, 1, 2)
            else:
                self._grid.addWidget(button, number, 0)
                self._grid.addWidget(label, number, 1, Qt.AlignmentFlag.AlignVCenter)
