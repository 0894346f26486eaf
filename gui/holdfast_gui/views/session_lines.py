"""Sessions as lines on a card: whose, what, where, and what is said of each at the right; some can be ticked."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy

from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.theme.tokens import RADIUS_SMALL, mix
from holdfast_gui.views.controls import Pressable
from holdfast_gui.views.marks import paint_avatar
from holdfast_gui.views.plots import paint_hover, paint_words

_ROW: Final = 44
_RIGHT: Final = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight


class Told(NamedTuple):
    """What a line says. ``figure`` and ``note`` stand at the right; ``colour`` is that of the note."""

    session_id: str
    title: str
    facts: str
    figure: str
    note: str = ""
    mark: str = ""
    hue: int = 220
    colour: Literal["text3", "live", "wait"] = "text3"


class SessionLine(Pressable):
    """One session; ticked if it can be, else it leads somewhere. Foreign words are plain text."""

    def __init__(self, told: Told, *, is_tickable: bool = False) -> None:
        super().__init__()
        self.told = told
        self._title = text.title(told.title)
        self._facts = text.one_line(told.facts)
        self.setCheckable(is_tickable)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(", ".join(part for part in (self._title, told.figure, told.note, self._facts) if part))
        self.setToolTip(text.tooltip(f"{self._title}\n{self._facts}"))

    @property
    def words(self) -> str:
        """Everything the line says."""
        return self.accessibleName()

    def sizeHint(self) -> QSize:
        """See Qt."""
        look = theme()
        return QSize(look.px(240), max(look.px(_ROW), look.line("strong") + look.line("small") + look.px(8)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        look, told = theme(), self.told
        px = look.px
        painter = QPainter(self)
        paint_hover(painter, self)
        left = px(6)
        if self.isCheckable():
            side = px(16)
            self._paint_tick(painter, QRectF(left, (self.height() - side) / 2, side, side))
            left += side + px(12)
        side = px(24)
        paint_avatar(painter, QRect(left, (self.height() - side) // 2, side, side), told.mark, told.hue)
        left += side + px(12)
        width = min(max(px(96), self._right_width()), self.width() // 2)
        right = self.width() - width - px(6)
        first, second = look.line("strong"), look.line("small")
        top = (self.height() - first - second) // 2
        room = right - left - px(10)
        paint_words(painter, QRect(left, top, room, first), self._title, "strong", "text")
        paint_words(painter, QRect(left, top + first, room, second), self._facts, "small", "text3")
        figure = QRect(right, top, width, first) if told.note else QRect(right, 0, width, self.height())
        paint_words(painter, figure, told.figure, "body", "text", flags=_RIGHT)
        paint_words(painter, QRect(right, top + first, width, second), told.note, "small", told.colour, flags=_RIGHT)
        painter.end()

    def _right_width(self) -> int:
        look = theme()
        return theme().px(4) + max(
            QFontMetrics(look.font("body")).horizontalAdvance(self.told.figure),
            QFontMetrics(look.font("small")).horizontalAdvance(self.told.note),
        )

    def _paint_tick(self, painter: QPainter, box: QRectF) -> None:
        tokens, is_on = theme().tokens, self.isChecked()
        ground = tokens.accent if is_on else tokens.bg2
        painter.setPen(QPen(tokens.accent if is_on else tokens.text3, 1.2 * theme().scale))
        painter.setBrush(mix(tokens.text, ground, 0.08) if self.is_hot else ground)
        painter.drawRoundedRect(box, RADIUS_SMALL - 2, RADIUS_SMALL - 2)
        if is_on:
            painter.setPen(QPen(tokens.on_accent, 1.7 * theme().scale, c=Qt.PenCapStyle.RoundCap))
            reach = box.width() / 4
            points = ((-1.0, 0.1), (-0.3, 0.8), (1.1, -0.75))
            painter.drawPolyline([box.center() + QPointF(x * reach, y * reach) for x, y in points])
