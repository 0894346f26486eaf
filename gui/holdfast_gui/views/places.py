"""The places pane: what can be looked at, how much of it there is, and how the index stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from holdfast_core.model.agent import AgentInfo
from holdfast_core.model.changes import ScanProgress
from holdfast_core.model.places import Places
from PySide6.QtCore import (
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from holdfast_gui import text
from holdfast_gui.models.places import ALL, Place, PlaceRole, PlacesModel, SavedSearch
from holdfast_gui.theme import theme
from holdfast_gui.theme.icons import MARK, paint_icon
from holdfast_gui.theme.tokens import GROUP_ROW, ICON, PLACE_ROW, PLACES_WIDTH, RADIUS_SMALL
from holdfast_gui.views.controls import Label, OverlayScrollBar, Pane, is_by_keyboard, paint_dot, paint_ring

Index = QModelIndex | QPersistentModelIndex
FILTER_FROM: Final = 12
_INSET: Final = 8
_TEXT_LEFT: Final = 40


class PlacesView(Pane):
    """Emits the place that the person chose; shows no place that cannot be gone to."""

    place_selected = Signal(object)
    saved_changed = Signal(list)

    def __init__(self) -> None:
        super().__init__("bg0")
        self.setAccessibleName(self.tr("Places"))
        self._model = PlacesModel()
        self._chosen = ALL
        self.list = _PlacesList(self._model, self)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(self.tr("Filter projects"))
        self.filter.setAccessibleName(self.tr("Filter projects"))
        self.filter.hide()
        self.status = IndexStatus()
        self._arrange()
        self.list.chosen.connect(self._on_chosen)
        self.list.more_pressed.connect(self._on_more)
        self.list.remove_wanted.connect(self.remove_saved)
        self.filter.textChanged.connect(lambda typed: self._rebuild(matching=typed))
        self.select(ALL)

    @property
    def chosen(self) -> Place:
        """The place that is shown."""
        return self._chosen

    @property
    def saved_searches(self) -> tuple[SavedSearch, ...]:
        """The person's searches."""
        return self._model.saved_searches

    def set_places(self, places: Places, agents: Sequence[AgentInfo]) -> None:
        """Show these counts; the chosen place stays."""
        self._model.set_places(places, agents)
        self._mark()

    def set_saved(self, searches: Iterable[SavedSearch]) -> None:
        """Show these saved searches."""
        self._model.set_saved(searches)
        self._mark()

    def add_saved(self, search: SavedSearch) -> None:
        """Keep a search, in place of one with the same text; tells `saved_changed`."""
        others = [each for each in self._model.saved_searches if each.query_text != search.query_text]
        self.set_saved([*others, search])
        self.saved_changed.emit(list(self._model.saved_searches))

    def remove_saved(self, query_text: str) -> None:
        """Forget a saved search; tells `saved_changed`."""
        self.set_saved(each for each in self._model.saved_searches if each.query_text != query_text)
        self.saved_changed.emit(list(self._model.saved_searches))

    def select(self, place: Place) -> None:
        """Mark a place as the one that is shown, without telling anyone."""
        self._chosen = place
        self._mark()

    def select_nth(self, number: int) -> bool:
        """Choose the ``number``-th place from the top, counted from 1; False if there is none."""
        places = self._model.places()
        if not 1 <= number <= len(places):
            return False
        self._on_chosen(places[number - 1])
        return True

    def sizeHint(self) -> QSize:
        """See Qt."""
        return QSize(theme().px(PLACES_WIDTH), 600)

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(_Brand())
        column.addWidget(self.list, 1)
        filter_row = QHBoxLayout()
        filter_row.setContentsMargins(theme().margins(12, 0, 12, 0))
        filter_row.addWidget(self.filter)
        column.addLayout(filter_row)
        column.addWidget(self.status)
        self.setMinimumWidth(theme().px(160))

    def _mark(self) -> None:
        self.list.set_chosen(self._chosen)

    def _on_chosen(self, place: Place) -> None:
        self._chosen = place
        self._mark()
        self.place_selected.emit(place)

    def _on_more(self) -> None:
        is_shown = not self._model.shows_all_projects
        self.filter.setVisible(is_shown and self._model.project_count >= FILTER_FROM)
        self.filter.blockSignals(True)
        self.filter.clear()
        self.filter.blockSignals(False)
        self._model.show_all_projects(is_shown)
        self._mark()
        if self.filter.isVisible():
            self.filter.setFocus(Qt.FocusReason.OtherFocusReason)

    def _rebuild(self, *, matching: str) -> None:
        self._model.show_all_projects(self._model.shows_all_projects, matching=matching)
        self._mark()


class IndexStatus(QWidget):
    """The foot of the pane: how many sessions the index has, or how far a scan has come."""

    def __init__(self) -> None:
        super().__init__()
        self._icon, self._colour = "shield", "live"
        self._share: float | None = None
        self._first = Label(font="caption", colour="text2")
        self._second = Label(font="caption", colour="text3")
        column = QVBoxLayout(self)
        column.setContentsMargins(theme().margins(_TEXT_LEFT, 10, 12, 8))
        column.setSpacing(0)
        column.addWidget(self._first)
        column.addWidget(self._second)
        self.setAccessibleName(self.tr("State of the index"))

    @property
    def words(self) -> str:
        """What is said, both lines."""
        return f"{self._first.text()}\n{self._second.text()}".strip()

    def set_idle(self, sessions: int, detail: str = "") -> None:
        """Say that nothing is left to read."""
        self._icon, self._colour, self._share = "shield-check", "live", None
        self._say(text.counted(sessions, "session", "sessions"), detail or self.tr("index up to date"))

    def set_progress(self, progress: ScanProgress) -> None:
        """Say how far the scan has come, in numbers."""
        total = max(progress.sources_total, progress.sources_done)
        self._icon, self._colour = "refresh", "accent"
        self._share = progress.sources_done / total if total else 0.0
        done, of_all = text.count(progress.sources_done), text.count(total)
        detail = f"{text.size(progress.bytes_done)} of {text.size(progress.bytes_total)}"
        self._say(f"{self.tr('Reading')} {done} {self.tr('of')} {of_all}", detail if progress.bytes_total else "")

    def set_paused(self, detail: str = "") -> None:
        """Say that scanning is paused."""
        self._icon, self._colour, self._share = "pause", "wait", None
        self._say(self.tr("Scanning is paused"), detail)

    def set_problem(self, words: str, detail: str = "") -> None:
        """Say what keeps the index from being up to date."""
        self._icon, self._colour, self._share = "problem", "bad", None
        self._say(words, detail)

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        tokens = theme().tokens
        painter = QPainter(self)
        track = QRect(_INSET, 0, self.width() - 2 * _INSET, 1 if self._share is None else 2)
        painter.fillRect(track, tokens.line)
        if self._share is not None:
            track.setWidth(round(track.width() * min(1.0, self._share)))
            painter.fillRect(track, tokens.accent)
        px = theme().px
        paint_icon(painter, self._icon, QRect(px(18), px(11), px(ICON), px(ICON)), getattr(tokens, self._colour))
        painter.end()

    def _say(self, first: str, second: str) -> None:
        self._first.setText(first)
        self._second.setText(second)
        self._second.setVisible(bool(second))
        self.setAccessibleDescription(self.words)
        self.update()


class _Brand(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(theme().px(46))

    def paintEvent(self, event: QPaintEvent) -> None:
        look = theme()
        painter = QPainter(self)
        side = look.px(20)
        middle = self.height() // 2 + 1
        paint_icon(painter, MARK, QRect(look.px(16), middle - side // 2, side, side), look.tokens.accent)
        painter.setPen(look.tokens.text)
        painter.setFont(look.font("brand"))
        painter.drawText(
            QRect(look.px(44), 2, self.width() - look.px(44), self.height()), Qt.AlignmentFlag.AlignVCenter, "Holdfast"
        )
        painter.end()


class _PlacesList(QListView):
    chosen = Signal(object)
    more_pressed = Signal()
    remove_wanted = Signal(str)

    def __init__(self, model: PlacesModel, parent: QWidget) -> None:
        super().__init__(parent)
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


class _PlaceDelegate(QStyledItemDelegate):
    def __init__(self, view: _PlacesList) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        height = GROUP_ROW if index.data(PlaceRole.IS_HEADING) else PLACE_ROW
        return QSize(80, theme().px(height))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        try:
            if index.data(PlaceRole.IS_HEADING):
                _paint_heading(painter, option.rect, index.data())
            else:
                self._paint_place(painter, option, index)
        finally:
            painter.restore()

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
