"""What a chunk of the transcript is: something with a height that can be laid out, drawn, hit and let go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from holdfast_gui.theme import theme
from holdfast_gui.theme.tokens import RADIUS_SMALL
from holdfast_gui.views.transcript.document import CHIP_SPACE, Mark, SafeDocument

Action = Literal["toggle", "copy", "open_session"]


@dataclass(frozen=True, slots=True)
class Button:
    """A place in a chunk that does something when it is clicked; ``value`` is what to copy or open."""

    action: Action
    text: str
    rect: QRectF
    value: Callable[[], str] = str


@dataclass(frozen=True, slots=True)
class PaintState:
    """What the moment adds to a chunk: found words, selection, mouse, keyboard, a copy just made."""

    clip: QRectF
    words: Sequence[str] = ()
    current_hit: int = -1
    selection: tuple[int, int] | None = None
    mouse: QPointF | None = None
    has_focus: bool = False
    was_copied: bool = False


class Chunk:
    """A piece of a part. Its left edge is where text begins; avatars and grounds may reach further left.

    ``text[start:end]`` of section ``section`` is what it shows; section -1
    means that it shows no source text of its own.
    """

    def __init__(self, height: int) -> None:
        self.height = height
        self.is_laid_out = False
        self.indent = 0
        self.section = -1
        self.text = ""
        self.start = 0
        self.end = 0
        self.document: SafeDocument | None = None
        self.width = 0

    def of(self, section: int, text: str, start: int, end: int) -> None:
        """Say which stretch of which section this chunk shows."""
        self.section, self.text, self.start, self.end = section, text, start, end

    @property
    def source(self) -> str:
        """The stretch of the source that this chunk shows."""
        return self.text[self.start : self.end]

    @property
    def plain(self) -> str:
        """What this chunk shows, as plain text."""
        return self.source

    def lay_out(self, width: int) -> None:
        """Find out the height at ``width`` px; ``is_laid_out`` and ``height`` are right afterwards."""
        self.width = width
        self.is_laid_out = True

    def release(self) -> None:
        """Let go of what can be made again."""
        self.document = None

    def paint(self, painter: QPainter, state: PaintState) -> None:
        """Draw the chunk with its top left corner at the painter's origin."""

    def buttons(self) -> Sequence[Button]:
        """Return the places that can be clicked, the most important first."""
        return ()

    def position_at(self, point: QPointF) -> int:
        """Return the position in the document nearest to a point; 0 without a document."""
        return 0

    def link_at(self, point: QPointF) -> str:
        """Return the target of the link at a point."""
        return ""

    def rect_of(self, start: int, end: int) -> QRectF:
        """Return where a stretch of the document begins."""
        return QRectF(0, 0, self.width, self.height)


class TextChunk(Chunk):
    """A chunk with a document: its subclass makes it and draws the ground below."""

    colour = "text"

    def __init__(self, height: int) -> None:
        super().__init__(height)
        self._hits: tuple[tuple[str, ...], list[tuple[int, int]]] = ((), [])

    def make_document(self) -> SafeDocument:
        """Make the document, not yet laid out."""
        raise NotImplementedError

    def margins(self) -> tuple[int, int, int, int]:
        """Return the space around the text: left, top, right, bottom, in px."""
        return 0, theme().px(4), 0, theme().px(4)

    def paint_ground(self, painter: QPainter, state: PaintState) -> None:
        """Draw what lies below the text."""

    @property
    def origin(self) -> QPointF:
        """Where the document's top left corner is."""
        left, top, _, _ = self.margins()
        return QPointF(left, top - (self.document.lift if self.document else 0))

    @property
    def plain(self) -> str:
        """What is shown, as plain text."""
        self.ensure_document()
        return self.document.toPlainText() if self.document else ""

    def ensure_document(self) -> SafeDocument:
        """Return the laid-out document, made again if it was let go."""
        if self.document is None:
            self.document = self.make_document()
            left, _, right, _ = self.margins()
            self.document.setTextWidth(max(40, self.width - left - right))
            self._hits = ((), [])
        return self.document

    def lay_out(self, width: int) -> None:
        """Make the document and take its height."""
        super().lay_out(width)
        self.document = None
        document = self.ensure_document()
        _, top, _, bottom = self.margins()
        self.height = round(document.size().height()) + top + bottom

    def occurrences(self, words: Sequence[str]) -> list[tuple[int, int]]:
        """Return where words stand in the document; remembered until they change."""
        document = self.ensure_document()
        if self._hits[0] != tuple(words):
            self._hits = (tuple(words), document.occurrences(words))
        return self._hits[1]

    def paint(self, painter: QPainter, state: PaintState) -> None:
        """Draw ground, marks, hits and text."""
        document = self.ensure_document()
        self.paint_ground(painter, state)
        painter.save()
        painter.translate(self.origin)
        clip = state.clip.translated(-self.origin)
        paint_marks(painter, document, clip)
        if state.words:
            self._paint_hits(painter, document, state)
        colour: QColor = getattr(theme().tokens, self.colour)
        document.draw(painter, colour=colour, clip=clip, selection=state.selection)
        painter.restore()

    def position_at(self, point: QPointF) -> int:
        """Return the position in the document nearest to a point."""
        document = self.ensure_document()
        at = document.documentLayout().hitTest(point - self.origin, Qt.HitTestAccuracy.FuzzyHit)
        return max(0, min(at, document.length))

    def link_at(self, point: QPointF) -> str:
        """Return the http(s) address at a point."""
        return self.ensure_document().documentLayout().anchorAt(point - self.origin)

    def rect_of(self, start: int, end: int) -> QRectF:
        """Return where a stretch of the document begins."""
        rects = self.ensure_document().range_rects(start, end)
        return rects[0].translated(self.origin) if rects else super().rect_of(start, end)

    def _paint_hits(self, painter: QPainter, document: SafeDocument, state: PaintState) -> None:
        tokens = theme().tokens
        for number, (start, end) in enumerate(self.occurrences(state.words)):
            for rect in document.range_rects(start, end):
                if rect.intersects(state.clip.translated(-self.origin)):
                    shown = rect.adjusted(-2, 0, 2, 1)
                    fill_round(painter, shown, 3, tokens.hit_ground)
                    if number == state.current_hit:
                        outline_round(painter, shown, 3, tokens.wait, 1.5)


def paint_marks(painter: QPainter, document: SafeDocument, clip: QRectF) -> None:
    """Draw chips, quote bars, code grounds and rules below a document's text."""
    tokens = theme().tokens
    for mark in document.marks:
        if mark.kind == "chip":
            for rect in document.range_rects(mark.start, mark.end):
                if rect.intersects(clip):
                    fill_round(painter, rect.adjusted(-CHIP_SPACE, 0, 0, 1), 4, tokens.raised)
            continue
        first = document.block_rect(document.findBlock(mark.start))
        last = document.block_rect(document.findBlock(mark.end))
        width = document.textWidth()
        if mark.kind == "bullet":
            _paint_bullet(painter, document, mark)
        elif mark.kind == "quote":
            left: float = theme().px(16) * mark.depth
            if document.findBlock(mark.start).textDirection() == Qt.LayoutDirection.RightToLeft:
                left = width + theme().px(6 + 5 * mark.depth)  # in the margin: Qt indents such lines at the left
            bar = QRectF(left, first.top() + document.lift, 3, last.bottom() - first.top())
            fill_round(painter, bar, 1.5, tokens.line)
        elif mark.kind == "code":
            left = document.findBlock(mark.start).layout().lineAt(0).x() - theme().px(10)
            ground = QRectF(left, first.top() - 4 + document.lift, width - left, last.bottom() - first.top() + 8)
            fill_round(painter, ground, RADIUS_SMALL, tokens.code_ground)
            outline_round(painter, ground, RADIUS_SMALL, tokens.line, 1)
        else:
            painter.fillRect(QRectF(0, first.center().y(), width, 1), tokens.line)


def _paint_bullet(painter: QPainter, document: SafeDocument, mark: Mark) -> None:
    """Draw the dot of a list's item in the middle of its first line; Qt's own stands too high."""
    block = document.findBlock(mark.start)
    line = block.layout().lineAt(0)
    if not line.isValid():
        return
    middle = document.block_rect(block).top() + line.y() + line.ascent() - document.x_height / 2
    gap, radius = theme().px(12), theme().px(5) / 2
    shown = line.naturalTextRect()
    is_rtl = block.textDirection() == Qt.LayoutDirection.RightToLeft
    centre = QPointF(shown.right() + gap if is_rtl else shown.left() - gap, middle)
    painter.setPen(QPen(theme().tokens.text2, 1.2) if mark.depth % 2 else Qt.PenStyle.NoPen)
    painter.setBrush(Qt.BrushStyle.NoBrush if mark.depth % 2 else theme().tokens.text2)
    painter.drawEllipse(centre, radius, radius)


def fill_round(painter: QPainter, rect: QRectF, radius: float, colour: QColor) -> None:
    """Fill a rounded rectangle."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawRoundedRect(rect, radius, radius)


def outline_round(painter: QPainter, rect: QRectF, radius: float, colour: QColor, width: float) -> None:
    """Draw the outline of a rounded rectangle inside its bounds."""
    painter.setPen(QPen(colour, width))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    half = width / 2
    painter.drawRoundedRect(rect.adjusted(half, half, -half, -half), radius, radius)


def card_path(rect: QRectF, radius: float, *, is_first: bool, is_last: bool) -> QPainterPath:
    """Return the outline of one piece of a card: rounded where the card begins or ends.

    A piece that is not the last reaches below its rectangle, so that a clip
    cuts its lower edge away, and likewise above.
    """
    reach = radius * 2
    path = QPainterPath()
    path.addRoundedRect(rect.adjusted(0, 0 if is_first else -reach, 0, 0 if is_last else reach), radius, radius)
    return path
