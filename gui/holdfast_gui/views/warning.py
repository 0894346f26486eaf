"""Limits that are near: what is so, what can be done, and the way to do it."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast_core.model.health import StorageWarning
from PySide6.QtCore import QRect, QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import paint_icon
from holdfast_gui.theme.tokens import RADIUS_CARD, mix
from holdfast_gui.views.controls import Button, Label


class WarningBox(QWidget):
    """All warnings, one below the other; hidden while there is none."""

    settings_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._warnings: tuple[StorageWarning, ...] = ()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme().px(8))
        self.cards: list[WarningCard] = []
        self.hide()

    def set_warnings(self, warnings: Sequence[StorageWarning]) -> None:
        """Show these; the same again changes nothing."""
        if tuple(warnings) == self._warnings:
            return
        self._warnings = tuple(warnings)
        while self.cards:
            gone = self.cards.pop()
            gone.hide()
            gone.deleteLater()
        for warning in warnings:
            card = WarningCard(warning)
            card.button.clicked.connect(lambda: self.settings_wanted.emit("limit"))
            self.cards.append(card)
            self._column.addWidget(card)
        self.setVisible(bool(warnings))


class WarningCard(QWidget):
    """One warning with what it suggests."""

    def __init__(self, warning: StorageWarning) -> None:
        super().__init__()
        self._colour = "bad" if warning.code.endswith("_full") else "wait"
        message = text.clean(warning.message)
        suggestions = [text.one_line(each) for each in warning.suggestions]
        self.setAccessibleName(" ".join([message, *suggestions]))
        self.button = Button(self.tr("Change limits…"))
        words = QVBoxLayout()
        words.setSpacing(theme().px(1))
        words.addWidget(Label(message, font="bold", colour=self._colour, wraps=True))
        for suggestion in suggestions:
            words.addWidget(Label(suggestion, font="small", wraps=True))
        row = QHBoxLayout(self)
        row.setContentsMargins(theme().margins(46, 12, 14, 12))
        row.setSpacing(theme().px(12))
        row.addLayout(words, 1)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignVCenter)

    @property
    def words(self) -> str:
        """What is said, the suggestions too."""
        return self.accessibleName()

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        tokens, px = theme().tokens, theme().px
        ground, colour = getattr(tokens, f"{self._colour}_ground"), getattr(tokens, self._colour)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(mix(colour, ground, 0.3))
        painter.setBrush(ground)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS_CARD, RADIUS_CARD)
        side = px(16)
        paint_icon(painter, "problem", QRect(px(16), px(14), side, side), colour)
        painter.end()
