"""Figures, bars and states on cards, painted in the colours of the theme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, Literal

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QHelpEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QGridLayout, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import paint_icon
from holdfast_gui.theme.tokens import RADIUS_CARD, RADIUS_SMALL, FontName, mix
from holdfast_gui.views.controls import Label, Pressable

State = Literal["good", "wait", "bad"]
_SIGNS: Final[dict[State, tuple[str, str]]] = {
    "good": ("check", "live"),
    "wait": ("clock", "wait"),
    "bad": ("problem", "bad"),
}
_PADDING: Final = 16
_ROW: Final = 28
_BAR: Final = 8
_LEFT: Final = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
_RIGHT: Final = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight


class Card(QWidget):
    """A heading over content, on a ground with one line around it."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setAccessibleName(title)
        self.rows = QVBoxLayout()
        self.rows.setSpacing(0)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme().margins(_PADDING, 12, _PADDING, 14))
        column.setSpacing(theme().px(8))
        column.addWidget(Label(title, font="small_strong", colour="text2"))
        column.addLayout(self.rows)
        column.addStretch(1)

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        painter = QPainter(self)
        paint_card(painter, self.rect())
        painter.end()


class FigureCard(Pressable):
    """One figure under its name, with a line of what it means; ``share`` (0-1) is how much of a limit it is.

    It can be pressed where there is a list behind the figure.
    """

    def __init__(self, name: str, *, is_way: bool = False) -> None:
        super().__init__()
        self._name = name
        self._figure = self._caption = ""
        self._share: float | None = None
        self._state: State = "good"
        _set_way(self, is_way=is_way)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def words(self) -> str:
        """Everything the card says."""
        return ", ".join(part for part in (self._name, self._figure, self._caption) if part)

    def set_figure(self, figure: str, caption: str = "", *, share: float | None = None, state: State = "good") -> None:
        """Show a figure."""
        self._figure, self._caption, self._share, self._state = figure, caption, share, state
        self.setAccessibleName(self.words)
        self.update()

    def sizeHint(self) -> QSize:
        """See Qt."""
        look = theme()
        height = look.line("small_strong") + look.line("figure") + look.line("small") + look.px(30)
        return QSize(look.px(200), height)

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        look = theme()
        painter = QPainter(self)
        paint_card(painter, self.rect(), is_hot=self.is_hot)
        padding, top = look.px(_PADDING), look.px(13)
        lines: tuple[tuple[str, FontName, str], ...] = (
            (self._name, "small_strong", "text2"),
            (self._figure, "figure", "text"),
            (self._caption, "small", "text3" if self._state == "good" else self._state),
        )
        for words, font, colour in lines:
            box = QRect(padding, top, self.width() - 2 * padding, look.line(font))
            paint_words(painter, box, words, font, colour)
            top += box.height() + look.px(1)
        if self._share is not None:
            colour = "accent" if self._state == "good" else self._state
            track = QRectF(padding, self.height() - look.px(9), self.width() - 2 * padding, look.px(3))
            paint_bar(painter, track, self._share, colour, has_track=True)
        painter.end()


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: how much of the longest it is (0-1), and what it says. ``key`` is told when it is pressed."""

    key: str
    name: str
    figure: str
    share: float
    colour: str = "accent"
    is_way: bool = False


class Bars(QWidget):
    """Names with bars and figures, one below the other."""

    pressed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[_BarRow] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)

    def rows(self) -> list[_BarRow]:
        """Return the rows that are shown, from the top."""
        return [row for row in self._rows if not row.isHidden()]

    def set_bars(self, bars: Sequence[Bar]) -> None:
        """Show these bars; rows are used again, so that the keyboard stays where it is."""
        while len(self._rows) < len(bars):
            row = _BarRow()
            row.clicked.connect(lambda _=False, made=row: self.pressed.emit(made.bar.key))
            self._rows.append(row)
            self._column.addWidget(row)
        for row, bar in zip_longest(self._rows, bars):
            row.setVisible(bar is not None)
            if bar is not None:
                row.set_bar(bar)


class _BarRow(Pressable):
    def __init__(self) -> None:
        super().__init__()
        self.bar = Bar("", "", "", 0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_bar(self, bar: Bar) -> None:
        self.bar = bar
        _set_way(self, is_way=bar.is_way)
        self.setAccessibleName(f"{bar.name}, {bar.figure}")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme().px(200), theme().px(_ROW))

    def paintEvent(self, event: QPaintEvent) -> None:
        px = theme().px
        painter = QPainter(self)
        paint_hover(painter, self)
        name_width = min(px(132), self.width() // 3)
        figure_width = px(80)
        paint_words(painter, QRect(0, 0, name_width - px(8), self.height()), self.bar.name, "body", "text")
        right = self.width() - figure_width
        paint_words(
            painter, QRect(right, 0, figure_width, self.height()), self.bar.figure, "body", "text2", flags=_RIGHT
        )
        track = QRectF(name_width, (self.height() - px(_BAR)) / 2, right - name_width - px(8), px(_BAR))
        paint_bar(painter, track, self.bar.share, self.bar.colour)
        painter.end()


@dataclass(frozen=True, slots=True)
class Timing:
    """How long an operation took: words for its figures, and the last ones in ms, oldest first."""

    name: str
    median: str
    slow: str
    times: str
    failed: str
    recent_ms: tuple[float, ...]


class TimingRow(QWidget):
    """An operation with its last timings as small bars; the tooltip says each."""

    _STEP: Final = 5

    def __init__(self, timing: Timing, *, is_head: bool = False) -> None:
        super().__init__()
        self._timing = timing
        self._is_head = is_head
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.set_timing(timing)

    def set_timing(self, timing: Timing) -> None:
        """Show newer figures of the same operation."""
        self._timing = timing
        parts = (timing.name, timing.median, timing.slow, timing.times, timing.failed)
        self.setAccessibleName(", ".join(part for part in parts if part))
        self.update()

    @property
    def words(self) -> str:
        """What a screen reader says."""
        return self.accessibleName()

    def sizeHint(self) -> QSize:
        """See Qt."""
        return QSize(theme().px(280), theme().px(20 if self._is_head else 32))

    def event(self, event: QEvent) -> bool:
        """See Qt: the tooltip is that of the bar under the pointer."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            value = self._value_at(event.pos().x())
            QToolTip.showText(event.globalPos(), "" if value is None else text.milliseconds(value), self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        name, plot, columns = self._boxes()
        font: FontName = "caption" if self._is_head else "body"
        paint_words(painter, name, self._timing.name, font, "text3" if self._is_head else "text")
        figures = (self._timing.median, self._timing.slow, self._timing.times, self._timing.failed)
        for number, (box, words) in enumerate(zip(columns, figures, strict=False)):
            colour = "text3" if self._is_head else "text" if number == 0 else "text2"
            if number == 3 and not self._is_head and words:
                colour = "bad"
            paint_words(painter, box, words, font, colour, flags=_RIGHT)
        self._paint_plot(painter, plot)
        painter.end()

    def _paint_plot(self, painter: QPainter, plot: QRect) -> None:
        shown = self._shown(plot)
        if not shown:
            return
        px, tokens = theme().px, theme().tokens
        longest = max(shown) or 1.0
        room = plot.height() - px(10)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.fillRect(QRect(plot.left(), plot.bottom() - px(5), plot.width(), 1), tokens.line)
        painter.setBrush(mix(tokens.accent, tokens.bg1, 0.75))
        for number, value in enumerate(shown):
            height = max(px(1.5), round(room * value / longest))
            bar = QRectF(plot.left() + number * px(self._STEP), plot.bottom() - px(5) - height, px(3), height)
            painter.drawRoundedRect(bar, 1, 1)

    def _shown(self, plot: QRect) -> tuple[float, ...]:
        return self._timing.recent_ms[-max(1, plot.width() // theme().px(self._STEP)) :]

    def _value_at(self, x: int) -> float | None:
        plot = self._boxes()[1]
        shown = self._shown(plot)
        number = (x - plot.left()) // theme().px(self._STEP)
        return shown[number] if 0 <= number < len(shown) and x >= plot.left() else None

    def _boxes(self) -> tuple[QRect, QRect, list[QRect]]:
        """Return where name, plot and figures stand; without room the last figures go first, then the plot."""
        px, height = theme().px, self.height()
        figure = px(78)
        columns = max(1, min(4, (self.width() - px(190)) // figure))
        name_width = px(92)
        right = self.width() - columns * figure
        boxes = [QRect(right + number * figure, 0, figure, height) for number in range(columns)]
        return QRect(0, 0, name_width, height), QRect(name_width, 0, max(0, right - name_width), height), boxes


class StateRow(Pressable):
    """What, how it is, and a sign whose shape says whether that is fine; pressed where a list is behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.name = self.key = self._said = ""
        self._state: State = "good"
        _set_way(self, is_way=False)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def words(self) -> str:
        """What the row says, its state in a word."""
        return self.accessibleName()

    def set_state(self, name: str, said: str, state: State, *, key: str = "") -> None:
        """Show how something is; ``key`` is what is behind it, empty for nothing."""
        _set_way(self, is_way=bool(key))
        self.key = key
        self.name, self._said, self._state = text.one_line(name), text.one_line(said), state
        state_words = {"good": self.tr("fine"), "wait": self.tr("needs attention"), "bad": self.tr("not well")}
        self.setAccessibleName(f"{self.name}: {self._said}, {state_words[state]}")
        self.setToolTip(text.tooltip(said))
        self.update()

    def sizeHint(self) -> QSize:
        """See Qt."""
        return QSize(theme().px(200), theme().px(_ROW))

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        px, side = theme().px, theme().px(15)
        painter = QPainter(self)
        paint_hover(painter, self)
        sign, colour = _SIGNS[self._state]
        box = QRect(0, (self.height() - side) // 2, side, side)
        paint_icon(painter, sign, box, getattr(theme().tokens, colour))
        left = side + px(9)
        width = min(px(132), self.width() // 3)
        paint_words(painter, QRect(left, 0, width - px(8), self.height()), self.name, "body", "text2")
        ink = "text" if self._state == "good" else colour
        rest = QRect(left + width, 0, self.width() - left - width, self.height())
        paint_words(painter, rest, self._said, "body", ink)
        painter.end()


class Tiles(QWidget):
    """Widgets in as many equal columns as there is room for."""

    def __init__(self, tiles: Sequence[QWidget], *, least: int) -> None:
        super().__init__()
        self._tiles = list(tiles)
        self._least = least
        self._columns = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(theme().px(14))
        self._place(len(self._tiles))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """See Qt."""
        super().resizeEvent(event)
        fitting = max(1, self.width() // theme().px(self._least))
        self._place(next(number for number in (4, 2, 1) if number <= fitting))

    def _place(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        for number, tile in enumerate(self._tiles):
            self._grid.addWidget(tile, number // columns, number % columns)
        for column in range(len(self._tiles)):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)
        self.updateGeometry()


class Pair(QWidget):
    """Two cards side by side, one below the other where there is no room."""

    def __init__(self, left: QWidget, right: QWidget, *, shares: tuple[int, int], least: int) -> None:
        super().__init__()
        self._least = least
        self._box = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(theme().px(14))
        for card, share in zip((left, right), shares, strict=True):
            card.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            self._box.addWidget(card, share)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """See Qt."""
        super().resizeEvent(event)
        is_narrow = self.width() < theme().px(self._least)
        direction = QBoxLayout.Direction.TopToBottom if is_narrow else QBoxLayout.Direction.LeftToRight
        if direction != self._box.direction():
            self._box.setDirection(direction)
            self.updateGeometry()


class Skeleton(QWidget):
    """The shape of cards that have not come yet."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(self.tr("Loading"))
        self.setMinimumHeight(theme().px(420))

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        px, gap = theme().px, theme().px(14)
        painter = QPainter(self)
        columns = 4 if self.width() >= px(760) else 2
        width = (self.width() - (columns - 1) * gap) // columns
        for number in range(columns):
            _paint_bones(painter, QRect(number * (width + gap), 0, width, px(96)), 2)
        top = px(96) + gap
        _paint_bones(painter, QRect(0, top, self.width(), max(px(120), self.height() - top)), 7)
        painter.end()


def paint_hover(painter: QPainter, row: Pressable) -> None:
    """Paint the ground of a row under the pointer that can be pressed."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if row.is_hot:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().tokens.hover)
        painter.drawRoundedRect(row.rect(), RADIUS_SMALL, RADIUS_SMALL)


def paint_card(painter: QPainter, box: QRect, *, is_hot: bool = False) -> None:
    """Paint the ground of a card with its line."""
    tokens = theme().tokens
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(tokens.line)
    painter.setBrush(tokens.hover if is_hot else tokens.bg1)
    painter.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS_CARD, RADIUS_CARD)


def paint_bar(painter: QPainter, track: QRectF, share: float, colour: str, *, has_track: bool = False) -> None:
    """Paint a bar with round ends that fills a share (0-1) of its track; what is more than nothing is seen."""
    tokens = theme().tokens
    radius = track.height() / 2
    painter.setPen(Qt.PenStyle.NoPen)
    if has_track:
        painter.setBrush(tokens.raised)
        painter.drawRoundedRect(track, radius, radius)
    if share > 0:
        filled = QRectF(track)
        filled.setWidth(max(theme().px(3), track.width() * min(1.0, share)))
        ink: QColor = getattr(tokens, colour)
        painter.setBrush(mix(ink, tokens.bg1, 0.66) if colour == "info" else ink)
        painter.drawRoundedRect(filled, min(radius, filled.width() / 2), radius)


def paint_words(
    painter: QPainter, box: QRect, words: str, font: FontName, colour: str, *, flags: Qt.AlignmentFlag = _LEFT
) -> None:
    """Paint words on one line, with an ellipsis where there is no room."""
    role = theme().font(font)
    painter.setFont(role)
    painter.setPen(getattr(theme().tokens, colour))
    painter.drawText(box, flags, QFontMetrics(role).elidedText(words, Qt.TextElideMode.ElideRight, max(0, box.width())))


def _set_way(row: Pressable, *, is_way: bool) -> None:
    """Let a row be pressed and reached by keys, or be only read."""
    row.setEnabled(is_way)
    row.setFocusPolicy(Qt.FocusPolicy.TabFocus if is_way else Qt.FocusPolicy.NoFocus)
    row.setCursor(Qt.CursorShape.PointingHandCursor if is_way else Qt.CursorShape.ArrowCursor)


def _paint_bones(painter: QPainter, box: QRect, lines: int) -> None:
    paint_card(painter, box)
    px = theme().px
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme().tokens.raised)
    for number in range(lines):
        width = (0.3, 0.62, 0.5, 0.7, 0.44, 0.58, 0.36)[number % 7]
        line = QRectF(box.left() + px(16), box.top() + px(18 + 30 * number), (box.width() - px(32)) * width, px(11))
        if line.bottom() < box.bottom():
            painter.drawRoundedRect(line, px(5), px(5))
