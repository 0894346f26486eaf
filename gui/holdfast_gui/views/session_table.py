"""The table under the list's head: selection, keys, the mouse, and staying where it was when rows change."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from holdfast_core.model.agent import AgentInfo
from holdfast_core.model.search import Hit
from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    Qt,
    Signal,
)
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QAbstractItemView, QApplication, QFrame, QHeaderView, QTableView, QWidget

from holdfast_gui.models.session_list import SessionListModel
from holdfast_gui.theme import theme
from holdfast_gui.theme.tokens import GROUP_ROW, SESSION_ROW
from holdfast_gui.views.controls import is_by_keyboard
from holdfast_gui.views.scroll import OverlayScrollBar
from holdfast_gui.views.session_row import SessionDelegate

Index = QModelIndex | QPersistentModelIndex
LOW_HEADINGS: Final = 4000
_SELECT = QItemSelectionModel.SelectionFlag


class SessionTable(QTableView):
    """One column of cards. Selection, current row and scroll position are kept by session over resets.

    ``pointed`` tells of a plain click, ``chosen`` of Enter and of a double click.
    """

    chosen = Signal(str)
    pointed = Signal(str)
    current_changed = Signal(str)
    selection_changed = Signal(list)
    context_menu_wanted = Signal(QPoint)
    star_toggled = Signal(str)
    drag_wanted = Signal(list)
    delete_wanted = Signal(list)

    def __init__(self, model: SessionListModel) -> None:
        super().__init__()
        self.setViewport(QWidget())  # one that Python knows: for Qt's own, all kinds of widgets would be loaded
        self.is_by_keyboard = False
        self.agents: Mapping[str, AgentInfo] = {}
        self._list = model
        self._pressed_at: QPoint | None = None
        self._is_dragging = False
        self._low_rows: list[int] = []
        self._kept: _Kept | None = None
        self._current_id = ""
        self._current_hit: Hit | None = None
        self._missing_id = ""
        self._delegate = SessionDelegate(self, self)
        self.setItemDelegate(self._delegate)
        self._dress()
        self._bar = OverlayScrollBar(self)
        self.setModel(model)
        model.modelAboutToBeReset.connect(self._keep)
        model.modelReset.connect(self._restore)
        model.dataChanged.connect(self._on_entries)
        self.selectionModel().selectionChanged.connect(self._tell_selection)
        self.selectionModel().currentRowChanged.connect(self._tell_current)

    # What the person has chosen.

    @property
    def is_by_day(self) -> bool:
        """Whether the headings over the rows are days."""
        return self._list.is_by_day

    @property
    def current_id(self) -> str:
        """The session that the keyboard stands on, empty for none."""
        entry = self._list.entry_at(self.currentIndex().row()) if self.currentIndex().isValid() else None
        return entry.id if entry else ""

    def selected_ids(self) -> list[str]:
        """Return the selected sessions whose rows have been loaded, in the list's order."""
        return self._list.known_ids(self.selected_keys())

    def selected_keys(self) -> array[int]:
        """Return the keys of all selected sessions, loaded or not, in the list's order."""
        keys: array[int] = array("q")
        for first, last in self._selected_spans():
            keys.extend(self._list.keys_between(first, last))
        return keys

    def select_session(self, session_id: str) -> bool:
        """Go to a session's row; False if it is not listed."""
        row = self._list.row_of(session_id)
        if row < 0:
            return False
        self._go_to(row)
        return True

    def step(self, rows: int) -> None:
        """Go that many sessions down, or up if negative; headings are passed over."""
        at = self.currentIndex().row()
        last = self._list.rowCount() - 1
        row = min(max(0, at + rows), last) if at >= 0 else 0
        if row >= 0 and self._list.group_at(row):
            # No heading stands above another, and none at the end.
            row += -1 if rows < 0 and row > 0 else 1
        if 0 <= row <= last:
            self._go_to(row)

    def edit_current(self) -> None:
        """Open the field for a new name on the current row."""
        if self.current_id:
            self.scrollTo(self.currentIndex())
            self.edit(self.currentIndex())

    def size_rows(self) -> None:
        """Give rows and headings the heights of the text size of now."""
        header = self.verticalHeader()
        header.blockSignals(True)
        # While it may not paint, the header does not look for a section's place: that costs all rows each time.
        header.setUpdatesEnabled(False)
        header.setDefaultSectionSize(theme().px(SESSION_ROW))
        for row in self._low_rows:
            header.resizeSection(row, header.defaultSectionSize())
        headings = self._list.heading_rows
        # Past that number low headings would cost more than they are worth.
        if len(headings) <= LOW_HEADINGS:
            height = theme().px(GROUP_ROW)
            for row in headings:
                header.resizeSection(row, height)
            self._low_rows = list(headings)
        header.setUpdatesEnabled(True)
        header.blockSignals(False)
        self.updateGeometries()

    # Keys and mouse.

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See Qt: what the field for a new name leaves over, as the Return that ends it, is not for the list."""
        if self.state() == QAbstractItemView.State.EditingState:
            return
        self.is_by_keyboard = True
        self.viewport().update()
        is_bare = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        key = event.key()
        if key in (Qt.Key.Key_Down, Qt.Key.Key_Up) and not self.currentIndex().isValid():
            key = Qt.Key.Key_Home  # Qt would go to the first row, which is a heading
        if is_bare and self._take_key(key):
            return
        super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        """See Qt: typing does not search here, for that would read every row."""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """See Qt: the star is a target of its own; a press on a selected row may become a drag."""
        self.is_by_keyboard = False
        index = self.indexAt(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and self._is_on_star(index, event.position().toPoint()):
            entry = self._list.entry_at(index.row())
            if entry:
                self.star_toggled.emit(entry.id)
            return
        self._pressed_at = event.position().toPoint() if event.button() == Qt.MouseButton.LeftButton else None
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """See Qt: a drag is asked for, not made here."""
        at = event.position().toPoint()
        if not event.buttons() & Qt.MouseButton.LeftButton:
            self._pressed_at, self._is_dragging = None, False
            super().mouseMoveEvent(event)
            return
        if self._pressed_at is None or self._is_dragging:
            return
        if (at - self._pressed_at).manhattanLength() < QApplication.startDragDistance():
            return
        self._pressed_at, self._is_dragging = None, True
        ids = self.selected_ids()
        if ids:
            self.drag_wanted.emit(ids)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """See Qt."""
        was_dragging, was_pressed = self._is_dragging, self._pressed_at is not None
        self._is_dragging, self._pressed_at = False, None
        if was_dragging:
            return
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        is_plain = event.button() == Qt.MouseButton.LeftButton and not event.modifiers()
        if was_pressed and is_plain and index == self.currentIndex() and self.current_id:
            self.pointed.emit(self.current_id)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """See Qt."""
        at = event.position().toPoint()
        entry = self._list.entry_at(self.indexAt(at).row()) if self.indexAt(at).isValid() else None
        if entry and event.button() == Qt.MouseButton.LeftButton and not self._is_on_star(self.indexAt(at), at):
            self.chosen.emit(entry.id)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """See Qt."""
        at, index = event.globalPos(), self.indexAt(event.pos())
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            index = self.currentIndex()
            at = self.viewport().mapToGlobal(self.visualRect(index).center())
        if self._list.key_at(index.row()) is not None and self.current_id:
            self.context_menu_wanted.emit(at)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """See Qt."""
        self.is_by_keyboard = is_by_keyboard(event.reason())
        super().focusInEvent(event)
        if self.is_by_keyboard and not self.currentIndex().isValid():
            self.step(1)

    # Helpers.

    def _dress(self) -> None:
        self.setAccessibleName(self.tr("Sessions"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.setDragEnabled(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setMinimumSectionSize(1)
        self.verticalHeader().setDefaultSectionSize(theme().px(SESSION_ROW))
        self.horizontalHeader().hide()
        self.horizontalHeader().setStretchLastSection(True)
        self.setStyleSheet("QTableView { background: transparent; border: none; }")
        self.viewport().setAutoFillBackground(False)

    def _take_key(self, key: int) -> bool:
        match key:
            case Qt.Key.Key_J | Qt.Key.Key_K:
                self.step(1 if key == Qt.Key.Key_J else -1)
            case Qt.Key.Key_PageDown | Qt.Key.Key_PageUp:
                self.step(self._rows_on_page() if key == Qt.Key.Key_PageDown else -self._rows_on_page())
            case Qt.Key.Key_Home:
                self._go_to_edge(range(self._list.rowCount()))
            case Qt.Key.Key_End:
                self._go_to_edge(range(self._list.rowCount() - 1, -1, -1))
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                if self.current_id:
                    self.chosen.emit(self.current_id)
            case Qt.Key.Key_S:
                if self.current_id:
                    self.star_toggled.emit(self.current_id)
            case Qt.Key.Key_Delete:
                if self.selected_ids():
                    self.delete_wanted.emit(self.selected_ids())
            case Qt.Key.Key_F2:
                self.edit_current()
            case _:
                return False
        return True

    def _rows_on_page(self) -> int:
        return max(1, self.viewport().height() // theme().px(SESSION_ROW) - 1)

    def _go_to_edge(self, rows: Sequence[int]) -> None:
        row = next((row for row in rows if not self._list.group_at(row)), None)
        if row is not None:
            self._go_to(row)

    def _go_to(self, row: int) -> None:
        index = self._list.index(row, 0)
        self.selectionModel().setCurrentIndex(index, _SELECT.ClearAndSelect | _SELECT.Rows)
        above = self._list.group_at(row - 1) if row else None
        if above:
            self.scrollTo(self._list.index(row - 1, 0))
        self.scrollTo(index)

    def _is_on_star(self, index: QModelIndex, at: QPoint) -> bool:
        if not index.isValid() or self._list.group_at(index.row()):
            return False
        box: QRect = self._delegate.star_box(self.visualRect(index))
        return box.contains(at)

    def _selected_spans(self) -> list[tuple[int, int]]:
        selection = self.selectionModel().selection()
        return sorted((span.top(), span.bottom()) for span in map(selection.at, range(selection.count())))

    def _tell_selection(self) -> None:
        if self._kept is None:
            self.selection_changed.emit(self.selected_ids())

    def _tell_current(self) -> None:
        found = self._list.hit_of(self.current_id)
        hit = found.best if found else None
        if self._kept is not None or (self.current_id, hit) == (self._current_id, self._current_hit):
            return
        self._missing_id = "" if self.currentIndex().isValid() else self._current_id
        self._current_id, self._current_hit = self.current_id, hit
        self.current_changed.emit(self._current_id)

    def _on_entries(self) -> None:
        """Take up again a session that had left the list, as long as no other was chosen."""
        if self._missing_id and not self.currentIndex().isValid():
            self.select_session(self._missing_id)
        self._tell_current()

    def _keep(self) -> None:
        top = max(0, self.rowAt(0))
        if self._list.group_at(top):
            top += 1
        current = self.currentIndex().row()
        selected = self.selected_keys()
        self._kept = _Kept(
            selected=selected,
            has_all=len(selected) == self._list.session_count > 1,
            current=self._list.key_at(current) if current >= 0 else None,
            top=self._list.key_at(top) if self.verticalScrollBar().value() > 0 else None,
            offset=self.rowViewportPosition(top),
            draft=self._delegate.draft() if self.state() == QAbstractItemView.State.EditingState else None,
        )

    def _restore(self) -> None:
        kept = self._kept
        self.size_rows()
        if kept is not None:
            self._restore_selection(kept)
            row = self._list.row_of_key(kept.top) if kept.top is not None else -1
            if row >= 0:
                bar = self.verticalScrollBar()
                bar.setValue(bar.value() + self.rowViewportPosition(row) - kept.offset)
        self._kept = None
        if kept is not None and kept.draft is not None and self.current_id == self._current_id:
            self.edit_current()
            self._delegate.set_draft(kept.draft)
        self._tell_current()
        if kept is not None and len(kept.selected) != len(self.selected_keys()):
            self._tell_selection()

    def _restore_selection(self, kept: _Kept) -> None:
        last = self._list.rowCount() - 1
        has_all = kept.has_all and last >= 0
        selection = QItemSelection()
        for first, end in [(0, last)] if has_all else self._list.spans_of_keys(kept.selected):
            selection.select(self._list.index(first, 0), self._list.index(end, 0))
        self.selectionModel().select(selection, _SELECT.ClearAndSelect | _SELECT.Rows)
        row = self._list.row_of_key(kept.current) if kept.current is not None else -1
        if row >= 0:
            self.selectionModel().setCurrentIndex(self._list.index(row, 0), _SELECT.NoUpdate)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """Where the person was before the rows changed."""

    selected: array[int]
    has_all: bool
    current: int | None
    top: int | None
    offset: int
    draft: str | None
