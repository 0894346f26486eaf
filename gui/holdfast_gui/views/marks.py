"""What delegates and small widgets paint alike: avatars, dots, badges, the focus ring."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen

from holdfast_gui.theme import theme
from holdfast_gui.theme.tokens import FOCUS_RING, RADIUS_SMALL


def paint_ring(painter: QPainter, box: QRectF, radius: float) -> None:
    """Paint the focus ring just inside ``box``: a halo of the accent with a sharp inner edge."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    halo = QColor(theme().tokens.accent)
    halo.setAlphaF(0.4)
    for colour, width, inset in ((halo, FOCUS_RING, FOCUS_RING / 2), (theme().tokens.accent, 1.4, FOCUS_RING - 0.5)):
        painter.setPen(QPen(colour, width))
        painter.drawRoundedRect(box.adjusted(inset, inset, -inset, -inset), radius, radius)


def paint_avatar(painter: QPainter, box: QRect, mark: str, hue: int) -> None:
    """Paint an agent's letter on its tinted ground."""
    look = theme()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(look.agent_ground(hue))
    painter.drawRoundedRect(box, RADIUS_SMALL - 1, RADIUS_SMALL - 1)
    painter.setPen(look.agent_ink(hue))
    painter.setFont(look.font("heading"))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, mark[:2])


def paint_dot(painter: QPainter, centre: QPoint, side: int, colour: QColor, *, roundness: float = 0.3) -> None:
    """Paint a mark of colour: a square with round corners, at 0.5 a circle."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    box = QRectF(centre.x() - side / 2, centre.y() - side / 2, side, side)
    painter.drawRoundedRect(box, side * roundness, side * roundness)


def paint_badge(painter: QPainter, box: QRect, content: str, *, ink: QColor, ground: QColor, font: QFont) -> None:
    """Paint a word on a ground of its own."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawRoundedRect(box, 4, 4)
    painter.setPen(ink)
    painter.setFont(font)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, content)
