"""What floats over the lower edge of the window: a short confirmation."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.theme.tokens import RADIUS_CARD
from holdfast_gui.views.controls import Label

_SHOWN_MS: Final = 4000
_BOTTOM: Final = 24
_WIDTH: Final = 560


class _Floating(QWidget):
    """A card that stays in the middle of its parent's lower edge."""

    def __init__(self, parent: QWidget, *, ground: str, edge: str) -> None:
        super().__init__(parent)
        self._ground = ground
        self._edge = edge
        parent.installEventFilter(self)
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """See Qt: follows the parent's size."""
        if watched is self.parent() and event.type() == QEvent.Type.Resize and self.isVisible():
            self.place()
        return False

    def place(self) -> None:
        """Move to the middle of the parent's lower edge, as large as the words need."""
        parent = self.parentWidget()
        if parent is None:
            return
        self.setMaximumWidth(min(theme().px(_WIDTH), parent.width() - 32))
        self.adjustSize()
        self.move((parent.width() - self.width()) // 2, parent.height() - self.height() - theme().px(_BOTTOM))

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        tokens = theme().tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(getattr(tokens, self._edge))
        painter.setBrush(getattr(tokens, self._ground))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS_CARD, RADIUS_CARD)
        painter.end()


class Toast(_Floating):
    """One sentence that goes by itself."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, ground="text", edge="text")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._words = Label(font="body", colour="bg2")
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 9, 14, 9)
        row.addWidget(self._words)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SHOWN_MS)
        self._timer.timeout.connect(self.hide)

    @property
    def words(self) -> str:
        """What it says, empty while it is hidden."""
        return self._words.text() if self.isVisible() else ""

    def say(self, words: str) -> None:
        """Show ``words`` for a few seconds, in place of earlier ones."""
        self._words.setText(text.one_line(words, limit=120))
        self.setAccessibleName(self._words.text())
        self.place()
        self.show()
        self.raise_()
        self._timer.start()
