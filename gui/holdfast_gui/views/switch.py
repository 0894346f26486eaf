"""On or off, as a knob that stands at one of two ends."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy

from holdfast_gui.theme import theme
from holdfast_gui.theme.tokens import HIT_TARGET, mix
from holdfast_gui.views.controls import Pressable


class Switch(Pressable):
    """A knob that stands at the right, with a tick, while it is on."""

    def __init__(self, name: str, description: str = "") -> None:
        super().__init__()
        self.setCheckable(True)
        self.setAccessibleName(name)
        self.setAccessibleDescription(description)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """See Qt."""
        return QSize(theme().px(40), theme().px(HIT_TARGET))

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        look, tokens, is_on = theme(), theme().tokens, self.isChecked()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(1.0 if self.isEnabled() else 0.5)
        height, width = look.px(20), look.px(36)
        track = QRectF((self.width() - width) / 2, (self.height() - height) / 2, width, height)
        ground = tokens.accent if is_on else tokens.raised
        painter.setPen(Qt.PenStyle.NoPen if is_on else tokens.text3)
        painter.setBrush(mix(tokens.text, ground, 0.1) if self.is_hot else ground)
        painter.drawRoundedRect(track.adjusted(0.5, 0.5, -0.5, -0.5), height / 2, height / 2)
        radius = height / 2 - look.px(3)
        middle = QPointF(track.right() - height / 2 if is_on else track.left() + height / 2, track.center().y())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tokens.on_accent if is_on else tokens.text3)
        painter.drawEllipse(middle, radius, radius)
        if is_on:
            painter.setPen(QPen(tokens.accent, 1.6 * look.scale, c=Qt.PenCapStyle.RoundCap))
            reach = radius / 2
            tick = [middle + QPointF(x * reach, y * reach) for x, y in ((-0.9, 0.1), (-0.25, 0.75), (0.95, -0.7))]
            painter.drawPolyline(tick)
        painter.end()
