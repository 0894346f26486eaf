"""Plain SVG icons, tinted as they are painted: one drawing serves both themes and every size."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Final

from PySide6.QtCore import QByteArray, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from holdfast_gui.resources import resources
from holdfast_gui.theme import theme

MARK: Final = "mark"


def icon(name: str, colour: str = "text2") -> QIcon:
    """Return an icon in a colour of the table, always that of the current theme.

    Raises:
        FileNotFoundError: there is no drawing of that name.
    """
    _renderer(name)
    return QIcon(_TintedEngine(name, colour))


def paint_icon(painter: QPainter, name: str, rect: QRect, colour: QColor) -> None:
    """Paint an icon into the square middle of ``rect``, sharp at the device's ratio."""
    side = min(rect.width(), rect.height())
    left = rect.left() + (rect.width() - side) // 2
    top = rect.top() + (rect.height() - side) // 2
    ratio = painter.device().devicePixelRatioF() if painter.device() else 1.0
    painter.drawPixmap(QPoint(left, top), pixmap(name, side, colour, ratio))


def pixmap(name: str, side: int, colour: QColor, ratio: float = 1.0) -> QPixmap:
    """Return an icon as a pixmap of ``side`` px at a device pixel ratio, tinted; drawn once."""
    return _drawn(name, side, colour.rgba(), ratio)


@lru_cache(maxsize=512)
def _drawn(name: str, side: int, rgba: int, ratio: float) -> QPixmap:
    drawn = QPixmap(QSize(round(side * ratio), round(side * ratio)))
    drawn.setDevicePixelRatio(ratio)
    drawn.fill(Qt.GlobalColor.transparent)
    painter = QPainter(drawn)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _renderer(name).render(painter, QRectF(0, 0, side, side))
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
    painter.fillRect(QRectF(0, 0, side, side), QColor.fromRgba(rgba))
    painter.end()
    return drawn


@cache
def _renderer(name: str) -> QSvgRenderer:
    path = resources() / "icons" / f"{name}.svg"
    return QSvgRenderer(QByteArray(path.read_bytes()))


class _TintedEngine(QIconEngine):
    def __init__(self, name: str, colour: str) -> None:
        super().__init__()
        self._name = name
        self._colour = colour

    def clone(self) -> QIconEngine:
        return _TintedEngine(self._name, self._colour)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        tokens = theme().tokens
        colour: QColor = getattr(tokens, "text3" if mode == QIcon.Mode.Disabled else self._colour)
        paint_icon(painter, self._name, rect, colour)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        drawn = QPixmap(size)
        drawn.fill(Qt.GlobalColor.transparent)
        painter = QPainter(drawn)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return drawn
