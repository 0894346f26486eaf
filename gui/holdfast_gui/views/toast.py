"""What floats over the lower edge of the window: a short confirmation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.theme.tokens import HIT_TARGET, RADIUS_CARD, RADIUS_SMALL, mix
from holdfast_gui.views.controls import Label, Pressable

_SHOWN_MS: Final = 4000
_OFFERED_MS: Final = 10_000
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
    """One sentence that goes by itself, with one action at most; it waits while pointer or keyboard is on it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, ground="text", edge="text")
        self._words = Label(font="body", colour="bg2")
        self._then: Callable[[], None] | None = None
        self.button = _ToastButton()
        self.button.clicked.connect(self._act)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 9, 14, 9)
        row.setSpacing(theme().px(10))
        row.addWidget(self._words)
        row.addWidget(self.button)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SHOWN_MS)
        self._timer.timeout.connect(self._go)

    @property
    def words(self) -> str:
        """What it says, empty while it is hidden."""
        return self._words.text() if self.isVisible() else ""

    def say(self, words: str, action: str = "", then: Callable[[], None] | None = None) -> None:
        """Show ``words`` for a few seconds, in place of earlier ones; with an ``action`` for longer."""
        self._words.setText(text.one_line(words, limit=120))
        self._then = then
        self.button.setText(action)
        self.button.setVisible(bool(action))
        self.button.updateGeometry()
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, not action)
        self.setAccessibleName(self._words.text())
        self.place()
        self.show()
        self.raise_()
        self._timer.start(_OFFERED_MS if action else _SHOWN_MS)

    def _act(self) -> None:
        self.hide()
        if self._then is not None:
            self._then()

    def _go(self) -> None:
        if self.button.isVisible() and (self.underMouse() or self.button.hasFocus()):
            self._timer.start()
        else:
            self.hide()


class _ToastButton(Pressable):
    """An action on the dark ground of a toast."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        look = theme()
        width = QFontMetrics(look.font("bold")).horizontalAdvance(self.text())
        return QSize(width + look.px(16), look.px(HIT_TARGET))

    def paintEvent(self, event: QPaintEvent) -> None:
        look = theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        ground = mix(look.tokens.bg2, look.tokens.text, 0.26 if self.is_hot else 0.14)
        painter.setBrush(ground)
        painter.drawRoundedRect(self.rect(), look.px(RADIUS_SMALL), look.px(RADIUS_SMALL))
        painter.setPen(look.tokens.bg2)
        painter.setFont(look.font("bold"))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())
        painter.end()
