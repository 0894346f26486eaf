"""The search field: a plain line with marked filters, completion below it, and what is wrong in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QInputMethodEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QTextCharFormat,
    QValidator,
)
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import paint_icon
from holdfast_gui.theme.tokens import FOCUS_RING, RADIUS_FIELD
from holdfast_gui.views.completions import Completions
from holdfast_gui.views.controls import IconButton, Label, Pane

LENGTH_LIMIT: Final = 2000
_HEIGHT: Final = 32
_FILTER = re.compile(r'(?<![^\s(])-?([A-Za-z]{2,12}):(?!//)(?:"[^"]*"?|[^\s"()])*')
_BREAK = re.compile(r"[\r\n\t\u2028\u2029]")
_WORD = re.compile(r'(?:"[^"]*"?|[^\s"()])+')


class SearchField(Pane):
    """Emits what is typed as it is typed, what is submitted, and that the person is done with it."""

    text_changed = Signal(str)
    submitted = Signal(str)
    cancelled = Signal()
    completion_wanted = Signal(str, int)
    save_wanted = Signal(str)
    list_wanted = Signal()

    def __init__(self) -> None:
        super().__init__("bg1")
        self.line = _QueryLine()
        self._box = _Box(self.line)
        self._error = Label(font="caption", colour="bad", wraps=True)
        self._error.hide()
        self.completions = Completions(self.line)
        self._arrange()
        self._connect()

    @property
    def text(self) -> str:
        """What is in the field."""
        return self.line.text()

    @property
    def buttons(self) -> tuple[IconButton, IconButton]:
        """To save the search and to clear it; seen while there is one."""
        return self._box.save_button, self._box.clear_button

    @property
    def error(self) -> str:
        """What is said to be wrong, empty if nothing is."""
        return self._error.text() if not self._error.isHidden() else ""

    def set_text(self, content: str) -> None:
        """Put a query into the field; tells `text_changed` as typing does."""
        self.line.setText(content)

    def clear(self) -> None:
        """Empty the field."""
        self.line.clear()

    def focus_all(self) -> None:
        """Put the cursor here with everything selected."""
        self.line.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.line.selectAll()

    def set_completions(self, words: Sequence[str]) -> None:
        """Offer whole words in place of the one at the cursor; none closes the offer."""
        start, end = self._word()
        current = self.line.text()[start:end]
        offered = [word for word in words if word != current]
        self.completions.offer(offered if self.line.hasFocus() else [], under=self._box)

    def set_error(self, words: str) -> None:
        """Say under the field what is wrong with the query; empty says that nothing is."""
        self._error.setText(text.one_line(words))
        self._error.setVisible(bool(words))
        self._box.has_error = bool(words)
        self.line.setAccessibleDescription(words)
        self._box.update()

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(theme().margins(12 - FOCUS_RING, 10 - FOCUS_RING, 12 - FOCUS_RING, 0))
        column.setSpacing(theme().px(2))
        column.addWidget(self._box)
        column.addWidget(self._error)

    def _connect(self) -> None:
        self.line.textChanged.connect(self._on_changed)
        self.line.textEdited.connect(self._on_edited)
        self.line.keys = self._take_key
        self.line.left.connect(self.completions.hide)
        self.completions.chosen.connect(self._complete)
        self._box.clear_button.clicked.connect(self._on_clear)
        self._box.save_button.clicked.connect(lambda: self.save_wanted.emit(self.line.text().strip()))

    def _on_changed(self, content: str) -> None:
        self._box.set_filled(bool(content.strip()))
        self.text_changed.emit(content)
        if not content:
            self.completions.hide()

    def _on_edited(self, content: str) -> None:
        if content:
            self.completion_wanted.emit(content, self.line.cursorPosition())

    def _on_clear(self) -> None:
        self.clear()
        self.line.setFocus(Qt.FocusReason.OtherFocusReason)

    def _take_key(self, event: QKeyEvent) -> bool:
        if self.completions.take_key(event.key()):
            return True
        match event.key():
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self.completions.hide()
                self.submitted.emit(self.line.text())
            case Qt.Key.Key_Escape:
                had_words = bool(self.line.text())
                self.clear()
                if not had_words:
                    self.cancelled.emit()
            case Qt.Key.Key_Down:
                self.list_wanted.emit()
            case _:
                return False
        return True

    def _complete(self, word: str) -> None:
        start, end = self._word()
        content = self.line.text()
        gap = "" if word.endswith(":") or content[end:].startswith(" ") else " "
        self.line.setText(content[:start] + word + gap + content[end:])
        self.line.setCursorPosition(start + len(word) + len(gap))
        self.completion_wanted.emit(self.line.text(), self.line.cursorPosition())

    def _word(self) -> tuple[int, int]:
        at = self.line.cursorPosition()
        for found in _WORD.finditer(self.line.text()):
            if found.start() <= at <= found.end():
                return found.start(), found.end()
        return at, at


class _Box(QWidget):
    """The frame around the line, with the icon before and the buttons behind it."""

    def __init__(self, line: _QueryLine) -> None:
        super().__init__()
        self.has_error = False
        self._line = line
        self._is_filled = False
        self.save_button = IconButton("bookmark", self.tr("Save this search"), side=24)
        self.clear_button = IconButton("close", self.tr("Clear the search"), side=24)
        row = self._row = QHBoxLayout(self)
        row.setSpacing(theme().px(2))
        row.addWidget(line, 1)
        row.addWidget(self.save_button)
        row.addWidget(self.clear_button)
        self.setFixedHeight(theme().px(_HEIGHT + 2 * FOCUS_RING))
        line.focus_changed.connect(self.update)
        self.set_filled(False)

    def set_filled(self, is_filled: bool) -> None:
        """Offer to clear and to save what there is; else show the key that leads here."""
        self._is_filled = is_filled
        self.save_button.setVisible(is_filled)
        self.clear_button.setVisible(is_filled)
        edge = FOCUS_RING + 1
        self._row.setContentsMargins(
            theme().margins(30 + FOCUS_RING, edge, FOCUS_RING + (5 if is_filled else 34), edge)
        )
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        look = theme()
        tokens = look.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        has_focus = self._line.hasFocus()
        edge = tokens.bad if self.has_error else tokens.accent if has_focus else tokens.line
        box = QRectF(self.rect()).adjusted(FOCUS_RING + 0.5, FOCUS_RING + 0.5, -FOCUS_RING - 0.5, -FOCUS_RING - 0.5)
        if has_focus:
            halo = QColor(edge)
            halo.setAlphaF(0.3)
            reach = FOCUS_RING / 2 + 0.5
            painter.setPen(QPen(halo, FOCUS_RING))
            painter.drawRoundedRect(box.adjusted(-reach, -reach, reach, reach), RADIUS_FIELD + 1, RADIUS_FIELD + 1)
        painter.setBrush(tokens.bg2)
        painter.setPen(edge)
        painter.drawRoundedRect(box, RADIUS_FIELD, RADIUS_FIELD)
        ink = tokens.text if has_focus else tokens.text2
        side = look.px(16)
        paint_icon(painter, "search", QRect(look.px(9) + FOCUS_RING, (self.height() - side) // 2, side, side), ink)
        if not self._is_filled:
            self._paint_key(painter)
        painter.end()

    def _paint_key(self, painter: QPainter) -> None:
        look = theme()
        width, height = look.px(16), look.px(17)
        box = QRectF(self.width() - look.px(9) - width - FOCUS_RING - 0.5, (self.height() - height) / 2, width, height)
        painter.setPen(look.tokens.line)
        painter.setBrush(look.tokens.bg1)
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(look.tokens.text3)
        painter.setFont(look.font("caption"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "/")


class _QueryLine(QLineEdit):
    """A line edit that marks filters: each on a ground of its own, its name in accent.

    The colours are the text formats of an input method event, the one way in
    which QLineEdit takes any; undo, selection and cursor stay its own.
    """

    focus_changed = Signal()
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.keys: Callable[[QKeyEvent], bool] = _no_key
        self.setProperty("bare", True)
        self.setMaxLength(LENGTH_LIMIT)
        self.setValidator(_OneLine(self))
        self.setMinimumHeight(theme().px(24))
        self.setPlaceholderText(self.tr("Search everything"))
        self.setAccessibleName(self.tr("Search everything"))
        self.textChanged.connect(self._mark)
        theme().changed.connect(self._mark)

    def minimumSizeHint(self) -> QSize:
        """See Qt."""
        return QSize(60, super().minimumSizeHint().height())

    def event(self, event: QEvent) -> bool:
        """See Qt: Tab may take a completion before it moves the focus."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and self.keys(event):
            return True
        done = super().event(event)
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.focus_changed.emit()
            if event.type() == QEvent.Type.FocusOut:
                self.left.emit()
        return done

    def resizeEvent(self, event: QResizeEvent) -> None:
        """See Qt."""
        super().resizeEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt: the grounds of filters lie under the text."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().tokens.raised)
        metrics = QFontMetrics(self.font())
        height = theme().px(20)
        content = self.text()
        cursor = self.cursorRect().center().x() - metrics.horizontalAdvance(content[: self.cursorPosition()])
        for found in _FILTER.finditer(content):
            left = cursor + metrics.horizontalAdvance(content[: found.start()])
            width = metrics.horizontalAdvance(found.group())
            painter.drawRoundedRect(QRectF(left - 3, (self.height() - height) / 2, width + 6, height), 4, 4)
        painter.end()
        super().paintEvent(event)

    def _mark(self) -> None:
        accent = QTextCharFormat()
        accent.setForeground(theme().tokens.accent)
        cursor = self.cursorPosition()
        kind = QInputMethodEvent.AttributeType.TextFormat
        marks = [
            QInputMethodEvent.Attribute(kind, found.start() - cursor, found.end(1) + 1 - found.start(), accent)
            for found in _FILTER.finditer(self.text())
        ]
        super().inputMethodEvent(QInputMethodEvent("", marks))


class _OneLine(QValidator):
    """Makes one line of what is pasted."""

    def validate(self, content: str, position: int) -> tuple[QValidator.State, str, int]:
        """See Qt."""
        return QValidator.State.Acceptable, _BREAK.sub(" ", content), position


def _no_key(_event: QKeyEvent) -> bool:
    return False
