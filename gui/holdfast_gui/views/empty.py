"""What stands where nothing can be shown: one icon, one sentence, one action."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import paint_icon
from holdfast_gui.views.controls import Button, Label


class EmptyState(QWidget):
    """Says why nothing is here and what to do."""

    action_pressed = Signal()

    def __init__(self, icon: str = "sessions", sentence: str = "", detail: str = "", action: str = "") -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._icon = Picture(icon)
        self._sentence = _centred(Label(font="bold", wraps=True))
        self._detail = _centred(Label(font="small", colour="text2", wraps=True))
        self.button = Button("")
        self.button.clicked.connect(self.action_pressed)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme().margins(32, 24, 32, 64))
        column.setSpacing(theme().px(6))
        column.addStretch(1)
        column.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(theme().px(6))
        column.addWidget(self._sentence)
        column.addWidget(self._detail)
        column.addSpacing(theme().px(8))
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        self.set(icon, sentence, detail, action)

    @property
    def sentence(self) -> str:
        """What is said first."""
        return self._sentence.text()

    def set(self, icon: str, sentence: str, detail: str = "", action: str = "") -> None:
        """Say something else; without ``action`` there is no button."""
        self._icon.set(icon)
        self._sentence.setText(sentence)
        self._detail.setText(detail)
        self._detail.setVisible(bool(detail))
        self.button.setText(action)
        self.button.setVisible(bool(action))
        self.button.updateGeometry()
        self.setAccessibleName(sentence)
        self.setAccessibleDescription(detail)


class Picture(QWidget):
    """An icon on a quiet ground."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self.setFixedSize(48, 48)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set(self, name: str) -> None:
        """Show another icon."""
        self._name = name
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        tokens = theme().tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tokens.raised)
        painter.drawRoundedRect(self.rect(), 14, 14)
        paint_icon(painter, self._name, QRect(12, 12, 24, 24), tokens.text3)
        painter.end()


def _centred(label: Label) -> Label:
    label.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
    return label
