"""The chunks with text: prompts, answers, thoughts, code, output, diffs, plans and errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from holdfast_core.model.message import Todo
from PySide6.QtCore import QCoreApplication, QRect, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPainterPath,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
)

from holdfast_gui.models import ansi
from holdfast_gui.models.diff import DiffLine
from holdfast_gui.text import clean
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import paint_icon
from holdfast_gui.theme.tokens import RADIUS_CARD, RADIUS_FIELD, mix
from holdfast_gui.views.transcript import highlight
from holdfast_gui.views.transcript.chunk import (
    Button,
    PaintState,
    TextChunk,
    card_path,
    fill_round,
)
from holdfast_gui.views.transcript.document import SafeDocument, hang, lift, plain_document, set_line_height
from holdfast_gui.views.transcript.lines import draw_text
from holdfast_gui.views.transcript.markdown import prompt_document, prose_document
from holdfast_gui.views.transcript.worker import Worker

CARD_HEAD = 26


class ProseChunk(TextChunk):
    """A piece of an answer, as Markdown."""

    def make_document(self) -> SafeDocument:
        """Make rich text of the source."""
        return prose_document(self.source)


class ThoughtChunk(ProseChunk):
    """A piece of the model's reasoning, or of context: quieter, beside a bar."""

    colour = "text2"

    def margins(self) -> tuple[int, int, int, int]:
        """Leave room for the bar."""
        return theme().px(23), theme().px(2), 0, theme().px(4)

    def paint_ground(self, painter: QPainter, state: PaintState) -> None:
        """Draw the bar."""
        painter.fillRect(QRectF(theme().px(7), 0, 2, self.height), theme().tokens.line)


class ContextChunk(ThoughtChunk):
    """A piece of what was injected beside the conversation: as written."""

    def make_document(self) -> SafeDocument:
        """Make plain text of the source."""
        return prompt_document(self.source)


class PromptChunk(TextChunk):
    """A piece of what the person wrote, on its own ground."""

    def __init__(self, height: int, *, is_first: bool, is_last: bool) -> None:
        super().__init__(height)
        self._is_first = is_first
        self._is_last = is_last

    def make_document(self) -> SafeDocument:
        """Make text as it was typed."""
        return prompt_document(self.source)

    def margins(self) -> tuple[int, int, int, int]:
        """Leave room inside the ground, and below it after the last piece."""
        look = theme()
        return look.px(12), look.px(9 if self._is_first else 0), look.px(12), look.px(13 if self._is_last else 0)

    def paint_ground(self, painter: QPainter, state: PaintState) -> None:
        """Draw this piece's share of the ground."""
        bottom = self.height - (theme().px(4) if self._is_last else 0)
        path = card_path(QRectF(0, 0, self.width, bottom), RADIUS_CARD, is_first=self._is_first, is_last=self._is_last)
        painter.fillPath(path, theme().tokens.prompt_ground)


class CardChunk(TextChunk):
    """A piece of a card: the first has the head with a title and Copy, the last the lower edge."""

    def __init__(self, height: int, *, title: str, copied: Callable[[], str], is_first: bool, is_last: bool) -> None:
        super().__init__(height)
        self._title = title
        self._copied = copied
        self.is_first = is_first
        self.is_last = is_last

    def margins(self) -> tuple[int, int, int, int]:
        """Leave room for the head and inside the edges."""
        look = theme()
        top = look.px(4 + CARD_HEAD + 7) if self.is_first else 0
        return look.px(12), top, look.px(12), look.px(7 + 8) if self.is_last else 0

    def buttons(self) -> Sequence[Button]:
        """Return Copy, which stands in the head."""
        if not self.is_first:
            return ()
        look = theme()
        text = QCoreApplication.translate("transcript", "Copy")
        width = QFontMetricsF(look.font("small")).horizontalAdvance(text) + look.px(24)
        rect = QRectF(self.width - width - 1, look.px(4), width, look.px(CARD_HEAD))
        return (Button("copy", text, rect, self._copied),)

    def paint_ground(self, painter: QPainter, state: PaintState) -> None:
        """Draw edge, ground and head."""
        tokens = theme().tokens
        card = self.card_rect()
        path = card_path(card, RADIUS_FIELD, is_first=self.is_first, is_last=self.is_last)
        painter.fillPath(path, tokens.code_ground)
        self.paint_lines(painter, path, state)
        if self.is_first:
            self._paint_head(painter, card, state)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(tokens.line)
        painter.drawPath(path)

    def paint_lines(self, painter: QPainter, path: QPainterPath, state: PaintState) -> None:
        """Draw what lies behind single lines."""

    def card_rect(self) -> QRectF:
        """Return the card's bounds in this piece."""
        top = theme().px(4) if self.is_first else 0
        bottom = theme().px(8) if self.is_last else 0
        return QRectF(0.5, top + 0.5, self.width - 1, self.height - top - bottom - 1)

    def _paint_head(self, painter: QPainter, card: QRectF, state: PaintState) -> None:
        look, tokens = theme(), theme().tokens
        head = QRectF(card.left(), card.top(), card.width(), look.px(CARD_HEAD))
        painter.save()
        painter.setClipRect(head, Qt.ClipOperation.IntersectClip)
        painter.fillPath(card_path(card, RADIUS_FIELD, is_first=True, is_last=self.is_last), tokens.raised)
        painter.restore()
        (copy,) = self.buttons()
        is_hovered = state.mouse is not None and copy.rect.contains(state.mouse)
        colour = tokens.accent if state.was_copied else tokens.text if is_hovered else tokens.text3
        shown = QCoreApplication.translate("transcript", "Copied") if state.was_copied else copy.text
        draw_text(painter, copy.rect, shown, look.font("small"), colour, is_centred=True)
        title = head.adjusted(look.px(11), 0, -copy.rect.width(), 0)
        draw_text(painter, title, self._title, look.font("small"), tokens.text2)


class CodeChunk(CardChunk):
    """A piece of code; its colours come from a thread, a moment later."""

    def __init__(
        self, height: int, *, title: str, language: str, worker: Worker, copied: Callable[[], str],
        is_first: bool, is_last: bool,
    ) -> None:  # fmt: skip
        super().__init__(height, title=title, copied=copied, is_first=is_first, is_last=is_last)
        self._language = language
        self._worker = worker
        self._code: tuple[int, int] | None = None
        self._is_coloured = False

    def shows(self, start: int, end: int) -> None:
        """Say which stretch of the section is code; the rest of the chunk's stretch are the fences."""
        self._code = (start, end)

    @property
    def code(self) -> str:
        """The code alone."""
        start, end = self._code or (self.start, self.end)
        return self.text[start:end]

    @property
    def plain(self) -> str:
        """The code alone."""
        return self.code

    def make_document(self) -> SafeDocument:
        """Make plain text, coloured if the colours are there already."""
        self._is_coloured = False
        shown = clean(self.code.removesuffix("\n"))
        document = plain_document(shown, font=theme().font("code"), line=theme().line("code"))
        hang(document)
        return document

    def paint(self, painter: QPainter, state: PaintState) -> None:
        """Draw the card; ask for colours when it is first seen."""
        document = self.ensure_document()
        if not self._is_coloured and self._language:
            code, language = clean(self.code), self._language
            lines = self._worker.result(("code", language, code), lambda: highlight.stretches(code, language))
            if lines is not None:
                self._is_coloured = True
                highlight.apply(document, lines)
        super().paint(painter, state)


class OutputChunk(CardChunk):
    """A piece of what a tool printed, with its colours."""

    def make_document(self) -> SafeDocument:
        """Make plain text with the inks of the terminal."""
        text, inks, _ = ansi.parse(self.source.removesuffix("\n"))
        look = theme()
        if not inks:
            document = plain_document(clean(text), font=look.font("code"), line=look.line("code"))
            hang(document)
            return document
        document = SafeDocument(look.font("code"))
        cursor = QTextCursor(document)
        cursor.beginEditBlock()
        position = 0
        for start, end, ink in inks:
            cursor.insertText(clean(text[position:start]), QTextCharFormat())
            cursor.insertText(clean(text[start:end]), _ink_format(ink))
            position = end
        cursor.insertText(clean(text[position:]), QTextCharFormat())
        cursor.endEditBlock()
        set_line_height(document, look.line("code"))
        hang(document)
        return document

    @property
    def plain(self) -> str:
        """The output without escapes."""
        return ansi.stripped(self.source)


class DiffChunk(CardChunk):
    """A piece of a change: line numbers and signs beside the lines, each on its ground."""

    def __init__(
        self, height: int, lines: Sequence[DiffLine], *, title: str, copied: Callable[[], str],
        is_first: bool, is_last: bool,
    ) -> None:  # fmt: skip
        super().__init__(height, title=title, copied=copied, is_first=is_first, is_last=is_last)
        self._lines = lines

    @property
    def plain(self) -> str:
        """The lines with their signs."""
        return self.source

    def make_document(self) -> SafeDocument:
        """Make the lines without their signs, so that selecting gives code."""
        shown = "\n".join(clean(line.text).replace("\n", " ") for line in self._lines)
        document = plain_document(shown, font=theme().font("code"), line=theme().line("code"))
        hang(document)
        return document

    def margins(self) -> tuple[int, int, int, int]:
        """Leave room for numbers and signs."""
        look = theme()
        digits = max((len(str(line.number)) for line in self._lines if line.number), default=2)
        left = look.px(28) + look.px(8) * max(2, digits) + look.px(8)
        return left, look.px(4 + CARD_HEAD) if self.is_first else 0, look.px(8), look.px(8) if self.is_last else 0

    def paint_lines(self, painter: QPainter, path: QPainterPath, state: PaintState) -> None:
        """Draw each line's ground, number and sign."""
        document, tokens, look = self.ensure_document(), theme().tokens, theme()
        painter.save()
        painter.setClipPath(path, Qt.ClipOperation.IntersectClip)
        painter.fillRect(self.card_rect(), tokens.bg2)
        block = document.begin()
        left, top, _, _ = self.margins()
        for line in self._lines:
            rect = document.block_rect(block)
            block = block.next()
            end = document.block_rect(block).top() if block.isValid() else document.size().height()
            first, last = round(rect.top()) + top, round(end) + top
            if last < state.clip.top():
                continue
            if first > state.clip.bottom():
                break
            self._paint_line(painter, line, QRect(0, first, self.width, last - first), left)
        painter.restore()
        painter.setFont(look.font("code"))

    def _paint_line(self, painter: QPainter, line: DiffLine, rect: QRect, left: float) -> None:
        look, tokens = theme(), theme().tokens
        grounds = {"added": tokens.added_ground, "removed": tokens.removed_ground, "gap": tokens.code_ground}
        if line.kind in grounds:
            painter.fillRect(rect, grounds[line.kind])
        first = QRectF(0, rect.top(), left - look.px(22), look.line("code"))
        number = "⋯" if line.kind == "gap" else "" if line.number is None else str(line.number)
        draw_text(painter, first, number, look.font("code"), tokens.text3, at_right=True)
        sign = {"added": "+", "removed": "-"}.get(line.kind, "")
        colour = tokens.added if line.kind == "added" else tokens.removed
        place = QRectF(left - look.px(14), rect.top(), look.px(12), look.line("code"))
        draw_text(painter, place, sign, look.font("code"), colour)


class PlanChunk(TextChunk):
    """A to-do list: done steps struck through, the one that runs half filled."""

    _ICONS: ClassVar = {"completed": "check", "in_progress": "circle-half", "pending": "circle"}

    def __init__(self, height: int, todos: Sequence[Todo]) -> None:
        super().__init__(height)
        self._todos = todos

    @property
    def plain(self) -> str:
        """The list as Markdown's task list."""
        marks = {"completed": "x", "in_progress": "-", "pending": " "}
        return "\n".join(f"- [{marks[todo.status]}] {todo.content}" for todo in self._todos)

    @property
    def source(self) -> str:
        """The list as Markdown's task list."""
        return self.plain

    def make_document(self) -> SafeDocument:
        """Make one block a step."""
        look = theme()
        document = SafeDocument(look.font("body"))
        cursor = QTextCursor(document)
        height = QTextBlockFormat()
        height.setLineHeight(look.px(22), QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        for number, todo in enumerate(self._todos):
            if number:
                cursor.insertBlock()
            cursor.setBlockFormat(height)
            shown = QTextCharFormat()
            if todo.status == "completed":
                shown.setFontStrikeOut(True)
                shown.setForeground(look.tokens.text3)
            cursor.insertText(" ".join(clean(todo.content).split()), shown)
        document.lift = lift(document.defaultFont(), look.px(22))
        return document

    def margins(self) -> tuple[int, int, int, int]:
        """Leave room for the icons and the card's edge."""
        look = theme()
        return look.px(34), look.px(6 + 9), look.px(12), look.px(8 + 8)

    def paint_ground(self, painter: QPainter, state: PaintState) -> None:
        """Draw the card and an icon beside each step."""
        look, tokens = theme(), theme().tokens
        painter.setBrush(tokens.bg2)
        painter.setPen(tokens.line)
        card = QRectF(0.5, look.px(6) + 0.5, self.width - 1, self.height - look.px(14) - 1)
        painter.drawRoundedRect(card, RADIUS_FIELD, RADIUS_FIELD)
        block = self.ensure_document().begin()
        for todo in self._todos:
            top = self.ensure_document().block_rect(block).top() + self.margins()[1]
            colour = tokens.accent if todo.status == "in_progress" else tokens.text3
            icon = QRect(look.px(12), round(top) + look.px(4), look.px(14), look.px(14))
            paint_icon(painter, self._ICONS[todo.status], icon, colour)
            block = block.next()


class ErrorChunk(TextChunk):
    """Something that went wrong, on its own ground, with a shape beside its colour."""

    def make_document(self) -> SafeDocument:
        """Make plain text of the source."""
        look = theme()
        shown = clean(ansi.stripped(self.source)).strip("\n")
        return plain_document(shown, font=look.font("body"), line=look.px(20))

    def margins(self) -> tuple[int, int, int, int]:
        """Leave room for the icon and inside the ground."""
        look = theme()
        return look.px(34), look.px(4 + 8), look.px(12), look.px(8 + 8)

    def paint_ground(self, painter: QPainter, state: PaintState) -> None:
        """Draw ground and icon."""
        look, tokens = theme(), theme().tokens
        ground = QRectF(0, look.px(4), self.width, self.height - look.px(12))
        fill_round(painter, ground, RADIUS_FIELD, tokens.bad_ground)
        paint_icon(painter, "problem", QRect(look.px(11), look.px(14), look.px(15), look.px(15)), tokens.bad)


class NoteChunk(TextChunk):
    """A quiet sentence of our own: what is not shown, and why."""

    colour = "text3"

    def __init__(self, text: str) -> None:
        super().__init__(30)
        self._note = text

    @property
    def source(self) -> str:
        """Nothing of the session."""
        return ""

    def make_document(self) -> SafeDocument:
        """Make plain text of the sentence."""
        look = theme()
        return plain_document(self._note, font=look.font("small"), line=look.px(20))


def _ink_format(ink: ansi.Ink) -> QTextCharFormat:
    tokens = theme().tokens
    made = QTextCharFormat()
    front, back = _ink_colour(ink.foreground), _ink_colour(ink.background)
    if ink.is_inverse:
        front, back = back or tokens.code_ground, front or tokens.text
    if front is not None or ink.is_dim:
        front = front or tokens.text
        made.setForeground(mix(front, tokens.code_ground, 0.7) if ink.is_dim else front)
    if back is not None:
        made.setBackground(back)
    if ink.is_bold:
        made.setFontWeight(QFont.Weight.Bold)
    made.setFontItalic(ink.is_italic)
    made.setFontUnderline(ink.is_underlined)
    return made


def _ink_colour(colour: int | tuple[int, int, int] | None) -> QColor | None:
    """Return a terminal's colour: the named ones from our table, so that they are readable on our ground."""
    if colour is None:
        return None
    if isinstance(colour, tuple):
        return QColor(*colour)
    tokens = theme().tokens
    if colour < 16:
        named = ("text2", "bad", "live", "wait", "info", "accent", "info", "text2")
        return QColor(tokens.text3) if colour == 8 else QColor(getattr(tokens, named[colour % 8]))
    if colour >= 232:
        return QColor(*[8 + 10 * (colour - 232)] * 3)
    levels = (0, 95, 135, 175, 215, 255)
    place = colour - 16
    return QColor(levels[place // 36], levels[place // 6 % 6], levels[place % 6])
