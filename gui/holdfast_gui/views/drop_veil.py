"""What lies over the window while files are dragged over it: that they can be dropped, and what happens then."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import paint_icon
from holdfast_gui.theme.tokens import RADIUS_PALETTE

_COVER = 0.92


class DropVeil(QWidget):
    """Takes no events itself; as large as its window."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.words = self.tr("Drop to import")
        self.more = self.tr("You see what is in it before anything is kept.")
        self.setAccessibleName(f"{self.words}. {self.more}")
        self.hide()

    def cover(self) -> None:
        """Lie over the whole window."""
        self.setGeometry(self._window.rect())
        self.show()
        self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        look, tokens = theme(), theme().tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = QColor(tokens.bg2)
        ground.setAlphaF(_COVER)
        painter.fillRect(self.rect(), ground)
        inset = look.px(16)
        painter.setPen(QPen(tokens.accent, 2, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(
            QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), RADIUS_PALETTE, RADIUS_PALETTE
        )
        side, middle = look.px(28), self.rect().center()
        icon = QRect(middle.x() - side // 2, middle.y() - side - look.px(16), side, side)
        paint_icon(painter, "import", icon, tokens.accent)
        painter.setFont(look.font("title"))
        painter.setPen(tokens.text)
        box = QRect(0, middle.y() - look.px(4), self.width(), look.line("title"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self.words)
        painter.setFont(look.font("small"))
        painter.setPen(tokens.text2)
        box.translate(0, box.height() + look.px(2))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self.more)
        painter.end()
