"""The rows of the trash: chosen by mouse and keyboard, several at once."""

from __future__ import annotations

from typing import Final

from holdfast_core import clock
from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QFontMetrics, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QFrame, QListView, QStyle, QStyleOptionViewItem

from holdfast_gui.models.trash import TrashModel, TrashRole, deleted, expires, facts, is_soon
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import paint_icon
from holdfast_gui.theme.tokens import RADIUS_FIELD, FontName
from holdfast_gui.views.controls import is_by_keyboard
from holdfast_gui.views.marks import paint_ring
from holdfast_gui.views.row_delegate import Index, RowDelegate
from holdfast_gui.views.scroll import OverlayScrollBar

ROW: Final = 56
_INSET: Final = 16
_TEXT_LEFT: Final = 48
_SELECT = QItemSelectionModel.SelectionFlag


class TrashList(QListView):
    """Tells what the keys and clicks want; selection is kept by session when the rows change."""

    restore_wanted = Signal()
    delete_wanted = Signal()
    selection_changed = Signal()
    menu_wanted = Signal(QPoint)

    def __init__(self) -> None:
        super().__init__()
        self.rows = TrashModel()
        self.is_by_keyboard = False
        self.setModel(self.rows)
        self.setItemDelegate(_TrashDelegate(self))
        self.setAccessibleName(self.tr("Trash"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)
        self.setStyleSheet("QListView { background: transparent; border: none; }")
        self._bar = OverlayScrollBar(self)
        self.selectionModel().selectionChanged.connect(self._tell)

    def _tell(self) -> None:
        self.selection_changed.emit()

    def selected_ids(self) -> list[str]:
        """Return the selected sessions, from the top."""
        rows = sorted(index.row() for index in self.selectionModel().selectedIndexes())
        return [self.rows.entries[row].id for row in rows]

    def restore_selection(self, ids: set[str], current_row: int) -> None:
        """Select these sessions again where they are still there, and put the keyboard on a row."""
        selection = QItemSelection()
        for row, entry in enumerate(self.rows.entries):
            if entry.id in ids:
                selection.select(self.rows.index(row), self.rows.index(row))
        last = self.rows.rowCount() - 1
        if last >= 0:
            current = self.rows.index(min(max(0, current_row), last))
            self.selectionModel().setCurrentIndex(current, _SELECT.NoUpdate)
            if selection.isEmpty() and current_row >= 0:
                selection.select(current, current)
        self.selectionModel().select(selection, _SELECT.ClearAndSelect)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See Qt: Return puts back, Delete deletes for ever, J and K move."""
        self.is_by_keyboard = True
        match event.key():
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self.restore_wanted.emit()
            case Qt.Key.Key_Delete:
                self.delete_wanted.emit()
            case Qt.Key.Key_J | Qt.Key.Key_K if not event.modifiers():
                step = Qt.Key.Key_Down if event.key() == Qt.Key.Key_J else Qt.Key.Key_Up
                super().keyPressEvent(QKeyEvent(event.type(), step, event.modifiers()))
            case _:
                super().keyPressEvent(event)
        self.viewport().update()

    def keyboardSearch(self, search: str) -> None:
        """See Qt: letters are keys here."""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """See Qt."""
        self.is_by_keyboard = False
        super().mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """See Qt."""
        if self.selectionModel().hasSelection():
            self.menu_wanted.emit(event.globalPos())

    def focusInEvent(self, event: QFocusEvent) -> None:
        """See Qt."""
        self.is_by_keyboard = is_by_keyboard(event.reason())
        super().focusInEvent(event)
        self._select_current()

    def _select_current(self) -> None:
        """Select the row of the keyboard where none is: Qt only stands on it."""
        if self.rows.rowCount() and not self.selectionModel().hasSelection():
            row = max(0, self.currentIndex().row())
            self.selectionModel().setCurrentIndex(self.rows.index(row), _SELECT.ClearAndSelect)


class _TrashDelegate(RowDelegate):
    def __init__(self, view: TrashList) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(200, theme().px(ROW))

    def paint_row(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        look, entry, now = theme(), index.data(TrashRole.ENTRY), clock.now()
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        is_hot = bool(option.state & QStyle.StateFlag.State_MouseOver)
        box = option.rect.adjusted(0, 1, 0, -1)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if is_selected or is_hot:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.tokens.selection if is_selected else look.tokens.hover)
            painter.drawRoundedRect(box, look.px(RADIUS_FIELD), look.px(RADIUS_FIELD))
        side = look.px(16)
        at = QRect(box.left() + look.px(_INSET), box.top() + look.px(9), side, side)
        paint_icon(painter, "trash", at, look.tokens.text3)
        soon = "wait" if is_soon(entry, now) else "text3"
        half = box.height() // 2
        first = QRect(box.left() + look.px(_TEXT_LEFT), box.top() + look.px(5), 0, half - look.px(4))
        first.setRight(box.right() - look.px(_INSET))
        second = first.translated(0, half - look.px(3))
        _paint_line(painter, first, (index.data(), "strong", "text"), (expires(entry, now), "caption", soon))
        _paint_line(painter, second, (facts(entry), "small", "text2"), (deleted(entry, now), "caption", "text3"))
        if self._view.hasFocus() and self._view.is_by_keyboard and index == self._view.currentIndex():
            paint_ring(painter, QRectF(box), look.px(RADIUS_FIELD))


Words = tuple[str, FontName, str]


def _paint_line(painter: QPainter, line: QRect, left: Words, right: Words) -> None:
    """Paint words at both ends of a line; without room for both, the left ones count."""
    look = theme()
    words, font, colour = right
    width = QFontMetrics(look.font(font)).horizontalAdvance(words)
    room = line.width() - width - look.px(16)
    if room < line.width() * 0.45:
        room = line.width()
    else:
        painter.setFont(look.font(font))
        painter.setPen(getattr(look.tokens, colour))
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, words)
    words, font, colour = left
    painter.setFont(look.font(font))
    painter.setPen(getattr(look.tokens, colour))
    shown = QFontMetrics(look.font(font)).elidedText(words, Qt.TextElideMode.ElideRight, room)
    flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute
    painter.drawText(line, flags, shown)
