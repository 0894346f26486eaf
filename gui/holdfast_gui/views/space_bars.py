"""Names with two bars each: what something takes at its agent, and here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from holdfast_gui.text import tr
from holdfast_gui.theme import theme
from holdfast_gui.theme.tokens import mix
from holdfast_gui.views.controls import Pressable
from holdfast_gui.views.marks import paint_dot
from holdfast_gui.views.plots import paint_bar, paint_hover, paint_words

_ROW: Final = 34
_BAR: Final = 6
_NARROW: Final = 420
_RIGHT: Final = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight


@dataclass(frozen=True, slots=True)
class SpaceBar:
    """One thing: ``there`` and ``here`` are shares (0-1) of the longest bar; ``key`` is told when it is pressed."""

    key: str
    name: str
    figure: str
    there: float
    here: float


class SpaceBars(QWidget):
    """Rows of bars, one below the other; those with a key can be pressed."""

    pressed = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[SpaceRow] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)

    def rows(self) -> list[SpaceRow]:
        """Return the rows that are shown, from the top."""
        return [row for row in self._rows if not row.isHidden()]

    def set_bars(self, bars: Sequence[SpaceBar]) -> None:
        """Show these bars; rows are used again, so that the keyboard stays where it is."""
        while len(self._rows) < len(bars):
            row = SpaceRow()
            row.clicked.connect(lambda _=False, made=row: self.pressed.emit(made.bar.key, made.bar.name))
            self._rows.append(row)
            self._column.addWidget(row)
        for row, bar in zip_longest(self._rows, bars):
            row.setVisible(bar is not None)
            if bar is not None:
                row.set_bar(bar)


class SpaceRow(Pressable):
    """A name, its bars, and the figures in words."""

    def __init__(self) -> None:
        super().__init__()
        self.bar = SpaceBar("", "", "", 0, 0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def words(self) -> str:
        """What a screen reader says."""
        return self.accessibleName()

    def set_bar(self, bar: SpaceBar) -> None:
        """Show something else."""
        self.bar = bar
        is_way = bool(bar.key)
        self.setEnabled(is_way)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if is_way else Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor if is_way else Qt.CursorShape.ArrowCursor)
        self.setAccessibleName(f"{bar.name}, {bar.figure}")
        self.update()

    def sizeHint(self) -> QSize:
        """See Qt: without room beside the name the bars stand below it."""
        look = theme()
        lines = 2 if self._is_narrow else 1
        return QSize(look.px(200), max(look.px(_ROW), lines * look.line("body") + look.px(12)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        look, bar = theme(), self.bar
        px = look.px
        painter = QPainter(self)
        paint_hover(painter, self)
        width = QFontMetrics(look.font("small")).horizontalAdvance(bar.figure) + px(4)
        if self._is_narrow:
            line = look.line("body")
            name_room = max(px(40), self.width() - width - px(8))
            paint_words(painter, QRect(0, px(2), name_room, line), bar.name, "body", "text")
            figure = QRect(self.width() - width, px(2), width, line)
            track = QRect(0, px(2) + line, self.width(), self.height() - line - px(2))
        else:
            name_width = min(px(132), self.width() // 3)
            paint_words(painter, QRect(0, 0, name_width - px(8), self.height()), bar.name, "body", "text")
            width = max(width, px(150))
            figure = QRect(self.width() - width, 0, width, self.height())
            track = QRect(name_width, 0, figure.left() - name_width - px(12), self.height())
        paint_words(painter, figure, bar.figure, "small", "text2", flags=_RIGHT)
        self._paint_bars(painter, track)
        painter.end()

    @property
    def _is_narrow(self) -> bool:
        return self.width() < theme().px(_NARROW)

    def _paint_bars(self, painter: QPainter, track: QRect) -> None:
        px, bar = theme().px, self.bar
        shares = [(bar.there, "info"), (bar.here, "accent")] if bar.here else [(bar.there, "info")]
        height = len(shares) * px(_BAR) + (len(shares) - 1) * px(2)
        top = track.top() + (track.height() - height) / 2
        for share, colour in shares:
            paint_bar(painter, QRectF(track.left(), top, max(0, track.width()), px(_BAR)), share, colour)
            top += px(_BAR + 2)


class Legend(QWidget):
    """Which bar is which."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("The upper bar is at the agent, the lower one here"))

    def sizeHint(self) -> QSize:
        """See Qt."""
        return QSize(theme().px(160), theme().line("caption") + theme().px(2))

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        look, tokens = theme(), theme().tokens
        px = look.px
        painter = QPainter(self)
        left = 0
        for words, ink in ((tr("at the agent"), mix(tokens.info, tokens.bg1, 0.66)), (tr("here"), tokens.accent)):
            paint_dot(painter, QPoint(left + px(4), self.height() // 2), px(8), ink)
            width = QFontMetrics(look.font("caption")).horizontalAdvance(words) + px(2)
            paint_words(painter, QRect(left + px(13), 0, width, self.height()), words, "caption", "text3")
            left += px(13) + width + px(14)
        painter.end()
