"""A sentence that stands out with others after it, in one paragraph; plain text, whatever it holds."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QSize
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent, QTextCharFormat, QTextLayout, QTextOption
from PySide6.QtWidgets import QSizePolicy, QWidget

from holdfast_gui.theme import theme

_LEAST = 120


class Paragraph(QWidget):
    """As high as its words need in the width that it gets."""

    def __init__(self) -> None:
        super().__init__()
        self._headline = self._detail = ""
        self._colour = "text"
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme().changed.connect(self.updateGeometry)

    def set_words(self, headline: str, detail: str, *, colour: str) -> None:
        """Show these; ``colour`` is that of the headline."""
        self._headline, self._detail, self._colour = headline, detail, colour
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """See Qt."""
        width = self.width() if self.width() > _LEAST else theme().px(3 * _LEAST)
        return QSize(theme().px(_LEAST), self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        """See Qt."""
        return QSize(theme().px(_LEAST), theme().line("body"))

    def hasHeightForWidth(self) -> bool:
        """See Qt."""
        return True

    def heightForWidth(self, width: int) -> int:
        """See Qt."""
        return self._laid_out(width)[1]

    def resizeEvent(self, event: QResizeEvent) -> None:
        """See Qt."""
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self.updateGeometry()

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        layout, height = self._laid_out(self.width())
        painter = QPainter(self)
        painter.setPen(theme().tokens.text)
        layout.draw(painter, QPointF(0, max(0, (self.height() - height) // 2)))
        painter.end()

    def _laid_out(self, width: int) -> tuple[QTextLayout, int]:
        look = theme()
        layout = QTextLayout(f"{self._headline} {self._detail}".strip(), look.font("body"))
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(option)
        strong = QTextLayout.FormatRange()
        strong.start, strong.length = 0, len(self._headline.encode("utf-16-le")) // 2
        form = QTextCharFormat()
        form.setFont(look.font("bold"))
        form.setForeground(getattr(look.tokens, self._colour))
        strong.format = form
        layout.setFormats([strong])
        layout.beginLayout()
        top, step = 0.0, look.line("body")
        while (line := layout.createLine()).isValid():
            line.setLineWidth(max(1, width))
            line.setPosition(QPointF(0, top + (step - line.height()) / 2))
            top += step
        layout.endLayout()
        return layout, math.ceil(top)
