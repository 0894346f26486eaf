"""A text document that opens nothing, and where its text lies once it is laid out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from PySide6.QtCore import QByteArray, QRectF, QUrl
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QColor,
    QFont,
    QFontMetricsF,
    QImage,
    QPainter,
    QPalette,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextOption,
)

from holdfast_gui.theme import theme

HITS_PER_DOCUMENT = 500
HANGING_FROM = 30  # characters of a line: a shorter one is never wrapped
HANGING_MOST = 16  # columns
CHIP_SPACE = 4  # px at each side of inline code
Decoration = Literal["chip", "quote", "code", "rule", "bullet"]


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of a document that is drawn with a ground, a bar or a dot; ``depth`` is that of a quote or list."""

    kind: Decoration
    start: int
    end: int
    depth: int = 0


class SafeDocument(QTextDocument):
    """A document without undo, margin or resources; ``marks`` are drawn below its text.

    ``lift`` is by how much its lines are to be drawn higher: Qt puts all the
    room of a fixed line height above the letters.
    """

    def __init__(self, font: QFont) -> None:
        super().__init__()
        self.setUndoRedoEnabled(False)
        self.setDocumentMargin(0)
        self.setDefaultFont(font)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        option.setTabStopDistance(4 * theme().px(8))
        self.setDefaultTextOption(option)
        self.marks: list[Mark] = []
        self.lift = 0.0
        self._metrics = QFontMetricsF(font)

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """Return an empty picture or nothing: what text names is never opened (Qt falls back to opening on None)."""
        if kind == QTextDocument.ResourceType.ImageResource.value:
            return QImage(1, 1, QImage.Format.Format_ARGB32)
        return QByteArray(b"\0")

    @property
    def x_height(self) -> float:
        """How high the small letters of the document's font are."""
        return self._metrics.xHeight()

    def text_between(self, start: int, end: int) -> str:
        """Return the text of a stretch, lines ended by newlines."""
        cursor = QTextCursor(self)
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        return cursor.selectedText().replace("\u2029", "\n").replace("\u2028", "\n")

    @property
    def length(self) -> int:
        """How many positions there are, in UTF-16 units."""
        return self.characterCount() - 1

    def range_rects(self, start: int, end: int) -> list[QRectF]:
        """Return a rectangle for every line that a stretch touches, in the document's coordinates."""
        rects: list[QRectF] = []
        block = self.findBlock(start)
        while block.isValid() and block.position() < end:
            rects.extend(self._block_rects(block, start, end))
            block = block.next()
        return rects

    def block_rect(self, block: QTextBlock) -> QRectF:
        """Return where a block is laid out."""
        return self.documentLayout().blockBoundingRect(block)

    def occurrences(self, words: Sequence[str]) -> list[tuple[int, int]]:
        """Return where any of ``words`` stands, letter case aside, at most 500 places, in order."""
        found: list[tuple[int, int]] = []
        for word in words:
            cursor = self.find(word)
            while not cursor.isNull() and len(found) < HITS_PER_DOCUMENT:
                found.append((cursor.selectionStart(), cursor.selectionEnd()))
                cursor = self.find(word, cursor)
        return sorted(set(found))

    def draw(self, painter: QPainter, *, colour: QColor, clip: QRectF, selection: tuple[int, int] | None) -> None:
        """Draw the text at the painter's origin; ``selection`` is a stretch that gets the selection's ground."""
        context = QAbstractTextDocumentLayout.PaintContext()
        palette = QPalette()
        palette.setColor(QPalette.ColorRole.Text, colour)
        context.palette = palette
        context.clip = clip
        if selection is not None:
            context.selections = [self._selection(*selection)]
        self.documentLayout().draw(painter, context)

    def _selection(self, start: int, end: int) -> QAbstractTextDocumentLayout.Selection:
        selection = QAbstractTextDocumentLayout.Selection()
        cursor = QTextCursor(self)
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        selected = QTextCharFormat()
        ground = QColor(theme().tokens.accent)
        ground.setAlphaF(0.28)
        selected.setBackground(ground)
        selection.cursor = cursor
        selection.format = selected
        return selection

    def _block_rects(self, block: QTextBlock, start: int, end: int) -> list[QRectF]:
        rects: list[QRectF] = []
        layout = block.layout()
        origin = self.block_rect(block).topLeft()
        ascent, height = self._metrics.ascent(), self._metrics.height()
        for number in range(layout.lineCount()):
            line = layout.lineAt(number)
            first = max(start - block.position(), line.textStart())
            last = min(end - block.position(), line.textStart() + line.textLength())
            if first < last:
                left, right = sorted((_x(line.cursorToX(first)), _x(line.cursorToX(last))))
                top = line.y() + line.ascent() - ascent
                rects.append(QRectF(origin.x() + left, origin.y() + top, right - left, height))
        return rects


def plain_document(text: str, *, font: QFont, line: int) -> SafeDocument:
    """Return a document of plain text with lines of ``line`` px."""
    document = SafeDocument(font)
    document.setPlainText(text)
    set_line_height(document, line)
    return document


def set_line_height(document: SafeDocument, line: int) -> None:
    """Give every line of a document the same height, whatever fonts its characters fall back to."""
    document.lift = lift(document.defaultFont(), line)
    cursor = QTextCursor(document)
    cursor.select(QTextCursor.SelectionType.Document)
    height = QTextBlockFormat()
    height.setLineHeight(line, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
    cursor.mergeBlockFormat(height)


def hang(document: SafeDocument) -> None:
    """Let what is wrapped of a line of code go on below its own beginning, a little further right."""
    column = QFontMetricsF(document.defaultFont()).horizontalAdvance(" ")
    cursor = QTextCursor(document)
    cursor.beginEditBlock()
    block = document.begin()
    while block.isValid():
        if block.length() > HANGING_FROM:
            words = block.text()
            blank = len(words) - len(words.lstrip(" "))
            made = block.blockFormat()
            made.setLeftMargin(column * (min(blank, HANGING_MOST) + 2))
            made.setTextIndent(-made.leftMargin())
            cursor.setPosition(block.position())
            cursor.setBlockFormat(made)
        block = block.next()
    cursor.endEditBlock()


def lift(font: QFont, line: int) -> float:
    """Return by how much text in lines of ``line`` px is to be drawn higher to stand in their middle."""
    return max(0.0, round((line - QFontMetricsF(font).height()) / 2))


def _x(value: Any) -> float:
    """`QTextLine.cursorToX` gives a pair in some versions."""
    return float(value[0] if isinstance(value, tuple) else value)
