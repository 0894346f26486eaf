"""The list inside the places pane: its keys and clicks, and how a place looks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from PySide6.QtCore import (
    QItemSelectionModel,
    QModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QFrame, QListView, QMenu, QStyle, QStyleOptionViewItem, QWidget

from holdfast_gui import text
from holdfast_gui.models.places import ALL, Place, PlaceRole, PlacesModel
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import paint_icon
from holdfast_gui.theme.tokens import GROUP_ROW, ICON, PLACE_ROW, RADIUS_SMALL
from holdfast_gui.views.controls import is_by_keyboard
from holdfast_gui.views.marks import paint_dot, paint_ring
from holdfast_gui.views.row_delegate import Index, RowDelegate
from holdfast_gui.views.scroll import OverlayScrollBar

_INSET: Final = 8
_TEXT_LEFT: Final = 40


class PlacesList(QListView):
    """``chosen`` tells of a place that was gone to, ``entered_place`` that it was by a click or Enter."""

    chosen = Signal(object)
    entered_place = Signal()
    more_pressed = Signal()
    remove_wanted = Signal(str)

    def __init__(self, model: PlacesModel, parent: QWidget) -> None:
        super().__init__(parent)
        self.setViewport(QWidget())  # one that Python knows: for Qt's own, all kinds of widgets would be loaded
        self.is_by_keyboard = False
        self.chosen_place = ALL
        self._menu: QMenu | None = None
        self.setModel(model)
        self.setItemDelegate(_PlaceDelegate(self))
        self.setAccessibleName(self.tr("Places"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._open_menu)
        self.viewport().setAutoFillBackground(False)
        self._bar = OverlayScrollBar(self)
        self.setStyleSheet("QListView { background: transparent; border: none; }")
        self.clicked.connect(self._press)

    def set_chosen(self, place: Place) -> None:
        self.chosen_place = place
        row = self._model().row_of(place)
        if row >= 0:
            self.selectionModel().setCurrentIndex(
                self._model().index(row), QItemSelectionModel.SelectionFlag.ClearAndSelect
            )
        else:
            self.selectionModel().clear()
        self.viewport().update()

    @contextmanager
    def staying(self) -> Iterator[None]:
        """Keep the rows where they are while others take their place."""
        scrolled = self.verticalScrollBar().value()
        yield
        self.doItemsLayout()
        self.verticalScrollBar().setValue(scrolled)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.is_by_keyboard = True
        before = self.currentIndex()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._press(before)
            return
        if event.key() in (Qt.Key.Key_J, Qt.Key.Key_K) and not event.modifiers():
            step = Qt.Key.Key_Down if event.key() == Qt.Key.Key_J else Qt.Key.Key_Up
            event = QKeyEvent(event.type(), step, event.modifiers())
        if event.key() == Qt.Key.Key_Delete:
            self._remove(before)
            return
        super().keyPressEvent(event)
        after = self.currentIndex()
        if after != before and after.data(PlaceRole.PLACE):
            self.chosen.emit(after.data(PlaceRole.PLACE))
        self.viewport().update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.is_by_keyboard = False
        super().mousePressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.is_by_keyboard = is_by_keyboard(event.reason())
        super().focusInEvent(event)

    def _press(self, index: QModelIndex) -> None:
        place = index.data(PlaceRole.PLACE)
        if place:
            self.chosen.emit(place)
            self.entered_place.emit()
        elif index.data(PlaceRole.IS_MORE):
            self.more_pressed.emit()

    def _open_menu(self, at: QPoint) -> None:
        index = self.indexAt(at)
        place = index.data(PlaceRole.PLACE)
        if not place or place.kind != "saved":
            return
        self._menu = QMenu(self)
        self._menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._menu.addAction(self.tr("Remove saved search"), lambda: self.remove_wanted.emit(place.value))
        self._menu.popup(self.viewport().mapToGlobal(at))

    def _remove(self, index: QModelIndex) -> None:
        place = index.data(PlaceRole.PLACE)
        if place and place.kind == "saved":
            self.remove_wanted.emit(place.value)

    def _model(self) -> PlacesModel:
        model = self.model()
        assert isinstance(model, PlacesModel)
        return model


class _PlaceDelegate(RowDelegate):
    def __init__(self, view: PlacesList) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        height = GROUP_ROW if index.data(PlaceRole.IS_HEADING) else PLACE_ROW
        return QSize(80, theme().px(height))

    def paint_row(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        if index.data(PlaceRole.IS_HEADING):
            _paint_heading(painter, option.rect, index.data())
        else:
            self._paint_place(painter, option, index)

    def _paint_place(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        look = theme()
        tokens = look.tokens
        place = index.data(PlaceRole.PLACE)
        chosen = self._view.chosen_place
        is_chosen = place is not None and (place.kind, place.value) == (chosen.kind, chosen.value)
        inset = look.px(_INSET)
        box = option.rect.adjusted(inset, 0, -inset, 0)
        is_hot = bool(option.state & QStyle.StateFlag.State_MouseOver)
        if is_chosen or is_hot:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tokens.selection if is_chosen else tokens.hover)
            painter.drawRoundedRect(box, RADIUS_SMALL, RADIUS_SMALL)
        ink = tokens.text if is_chosen else tokens.text2
        _paint_mark(painter, box, index, is_chosen=is_chosen)
        right = _paint_count(painter, box, index.data(PlaceRole.COUNT))
        painter.setPen(ink)
        painter.setFont(look.font("bold" if is_chosen else "body"))
        left = look.px(_TEXT_LEFT)
        room = QRect(left, box.top(), right - left - 8, box.height())
        shown = painter.fontMetrics().elidedText(index.data(), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, shown)
        if self._view.hasFocus() and self._view.is_by_keyboard and self._view.currentIndex() == index:
            paint_ring(painter, QRectF(box), RADIUS_SMALL)


def _paint_heading(painter: QPainter, rect: QRect, title: str) -> None:
    painter.setPen(theme().tokens.text3)
    painter.setFont(theme().font("heading"))
    px = theme().px
    box = rect.adjusted(px(16), px(12), -px(12), -px(4))
    painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, title)


def _paint_mark(painter: QPainter, box: QRect, index: Index, *, is_chosen: bool) -> None:
    tokens = theme().tokens
    hue = index.data(PlaceRole.HUE)
    side = theme().px(ICON)
    square = QRect(box.left() + theme().px(8), box.center().y() - side // 2 + 1, side, side)
    if hue is not None:
        paint_dot(painter, square.center(), theme().px(8), theme().agent_dot(hue))
    elif index.data(PlaceRole.ICON):
        paint_icon(painter, index.data(PlaceRole.ICON), square, tokens.text if is_chosen else tokens.text2)


def _paint_count(painter: QPainter, box: QRect, number: int | None) -> int:
    right = box.right() - theme().px(8)
    if number is None:
        return right
    painter.setPen(theme().tokens.text3)
    painter.setFont(theme().font("small"))
    shown = text.count(number)
    width = painter.fontMetrics().horizontalAdvance(shown)
    painter.drawText(QRect(right - width, box.top(), width + 1, box.height()), Qt.AlignmentFlag.AlignVCenter, shown)
    return right - width
