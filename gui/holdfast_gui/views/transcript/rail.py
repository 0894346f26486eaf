"""The rail: the whole session as a column of ticks, with the place, the prompts, hits and errors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from holdfast_gui.theme import theme
from holdfast_gui.theme.tokens import mix
from holdfast_gui.views.transcript.chunk import fill_round

STEP, TICK, TOP, FOOT = 8, 3, 18, 76  # below the ticks is room for the tools


@dataclass(slots=True)
class RailMarks:
    """What there is to mark, as indices of messages."""

    count: int = 0
    prompts: frozenset[int] = frozenset()
    errors: frozenset[int] = frozenset()
    hits: frozenset[int] = frozenset()


class Rail(QWidget):
    """One tick a message while they fit, else one for several. A click or drag asks to go to a message."""

    message_wanted = Signal(int)
    scrolled = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._marks = RailMarks()
        self._first = self._last = 0
        self._buckets: dict[str, set[int]] = {}
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(self.tr("Position in the session"))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        theme().changed.connect(self.updateGeometry)
        theme().changed.connect(self._sort)

    def sizeHint(self) -> QSize:
        """As wide as a tick and its margin."""
        return QSize(theme().px(20), 100)

    @property
    def ticks(self) -> int:
        """How many ticks are drawn."""
        fitting = max(1, (self.height() - theme().px(TOP + FOOT)) // theme().px(STEP))
        return min(self._marks.count, fitting)

    def set_marks(self, marks: RailMarks) -> None:
        """Show other marks."""
        self._marks = marks
        self._sort()

    def set_place(self, first: int, last: int) -> None:
        """Say which messages are in the window."""
        if (first, last) != (self._first, self._last):
            self._first, self._last = first, last
            self.setAccessibleDescription(self.tr("Message {0} of {1}").format(first + 1, self._marks.count))
            self.update()

    def message_at(self, y: float) -> int:
        """Return the message whose tick is nearest to a height."""
        ticks = self.ticks
        if not ticks:
            return -1
        tick = min(max(0, round((y - theme().px(TOP)) / theme().px(STEP))), ticks - 1)
        return -(-tick * self._marks.count // ticks)

    def tick_of(self, message: int) -> int:
        """Return the tick that stands for a message."""
        return message * self.ticks // max(1, self._marks.count)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ticks: the place over hits over errors over prompts over the rest."""
        painter = QPainter(self)
        try:
            self._paint(painter, event)
        finally:
            painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to where the mouse is."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._go(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the mouse while it drags."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go(event.position())

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll the transcript as if the wheel turned over it."""
        self.scrolled.emit(-(event.pixelDelta().y() or event.angleDelta().y() // 2))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave keys to the transcript."""
        event.ignore()

    def resizeEvent(self, event: object) -> None:
        """Sort the marks into other ticks."""
        self._sort()

    def _go(self, point: QPointF) -> None:
        message = self.message_at(point.y())
        if message >= 0:
            self.message_wanted.emit(message)

    def _sort(self) -> None:
        marks = self._marks
        named: dict[str, Iterable[int]] = {"prompts": marks.prompts, "errors": marks.errors, "hits": marks.hits}
        ticks, count = self.ticks, max(1, marks.count)
        self._buckets = {name: {index * ticks // count for index in found} for name, found in named.items()}
        self.update()

    def _paint(self, painter: QPainter, event: QPaintEvent) -> None:
        look, tokens = theme(), theme().tokens
        painter.fillRect(event.rect(), tokens.bg2)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ticks = self.ticks
        place = self.tick_of(self._first) if ticks else -1
        prompt = mix(tokens.text2, tokens.bg2, 0.85)
        width = look.px(14)
        for tick in range(ticks):
            top = look.px(TOP) + tick * look.px(STEP)
            colour, height = tokens.line, look.px(TICK)
            if tick in self._buckets["prompts"]:
                colour = prompt
            if tick in self._buckets["errors"]:
                colour = tokens.bad
            if tick in self._buckets["hits"]:
                colour = tokens.wait
            if tick == place:
                colour, height = tokens.accent, look.px(TICK + 2)
            fill_round(painter, QRectF(0, top - height / 2, width, height), height / 2, colour)
