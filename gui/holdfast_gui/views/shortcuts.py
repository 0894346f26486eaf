"""Every action with its keys: read as help, searched by words, changed by pressing new ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QKeySequence, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLineEdit,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from holdfast_gui.text import later, tr
from holdfast_gui.theme import theme
from holdfast_gui.theme.tokens import PLACE_ROW
from holdfast_gui.views.controls import Button, Label

Index = QModelIndex | QPersistentModelIndex
_COLUMNS: Final = later(("Action", "Keys", "What it does"))


@dataclass(frozen=True, slots=True)
class Row:
    """One action as the dialog shows it. ``fixed`` are keys that cannot be changed."""

    id: str
    title: str
    help: str
    keys: tuple[str, ...]
    fixed: tuple[str, ...] = ()


class _Model(QAbstractTableModel):
    def __init__(self, rows: Sequence[Row]) -> None:
        super().__init__()
        self._all = list(rows)
        self._shown = list(rows)
        self._shared: set[str] = set()
        self._find_shared()

    def row(self, number: int) -> Row | None:
        return self._shown[number] if 0 <= number < len(self._shown) else None

    def filter(self, words: str) -> None:
        wanted = words.casefold().split()
        self.beginResetModel()
        self._shown = [row for row in self._all if all(word in _searched(row) for word in wanted)]
        self.endResetModel()

    def set_keys(self, id: str, keys: tuple[str, ...]) -> None:
        self._all = [_with_keys(row, keys) if row.id == id else row for row in self._all]
        self._shown = [_with_keys(row, keys) if row.id == id else row for row in self._shown]
        self._find_shared()
        self.dataChanged.emit(self.index(0, 0), self.index(max(0, len(self._shown) - 1), 2))

    def owners(self, keys: str, but: str) -> list[Row]:
        """Return the other actions that have these keys."""
        return [row for row in self._all if row.id != but and keys in row.keys + row.fixed]

    def keys(self) -> dict[str, tuple[str, ...]]:
        return {row.id: row.keys for row in self._all}

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(_COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        is_title = orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole
        return tr(_COLUMNS[section]) if is_title else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.row(index.row())
        if row is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return (row.title, native(row.fixed + row.keys), row.help)[index.column()]
        if role == Qt.ItemDataRole.ForegroundRole:
            if index.column() == 1 and self._shared.intersection(row.keys):
                return theme().tokens.bad
            return (theme().tokens.text, theme().tokens.text, theme().tokens.text2)[index.column()]
        return None

    def _find_shared(self) -> None:
        seen: set[str] = set()
        self._shared = set()
        for row in self._all:
            for keys in row.keys + row.fixed:
                (self._shared if keys in seen else seen).add(keys)


class ShortcutsDialog(QDialog):
    """``changed`` gives the keys of every action that has others than it was declared with."""

    changed = Signal(dict)

    def __init__(self, parent: QWidget, rows: Sequence[Row], defaults: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Shortcuts"))
        self.resize(820, 560)
        self._defaults = dict(defaults)
        self._model = _Model(rows)
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Search actions and keys"))
        self.search.setAccessibleName(tr("Search actions and keys"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.table = _table(self._model)
        self.table.selectionModel().currentRowChanged.connect(self._show_current)
        self.editor = QKeySequenceEdit()
        self.editor.setMaximumSequenceLength(1)
        self.editor.setAccessibleName(tr("New keys"))
        self.editor.editingFinished.connect(self._take)
        self.conflict = Label(font="small", colour="bad", wraps=True)
        self._change = Button(tr("Change"), kind="primary")
        self._change.clicked.connect(self._apply)
        self._clear = Button(tr("Remove"))
        self._clear.clicked.connect(lambda: self._set(()))
        self._reset = Button(tr("Default"))
        self._reset.clicked.connect(self._set_default)
        self._lay_out()
        self.table.selectRow(0)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(Label(tr("New keys"), font="small", colour="text2"))
        row.addWidget(self.editor)
        row.addWidget(self._change)
        row.addWidget(self._clear)
        row.addWidget(self._reset)
        row.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(20, 16, 20, 16)
        whole.setSpacing(10)
        whole.addWidget(self.search)
        whole.addWidget(self.table, 1)
        whole.addLayout(row)
        whole.addWidget(self.conflict)

    def _filter(self, words: str) -> None:
        self._model.filter(words)
        self.table.selectRow(0)
        self._show_current()

    def _current(self) -> Row | None:
        return self._model.row(self.table.currentIndex().row())

    def _show_current(self) -> None:
        row = self._current()
        for widget in (self.editor, self._change, self._clear, self._reset):
            widget.setEnabled(row is not None)
        self.editor.setKeySequence(QKeySequence(row.keys[0]) if row and row.keys else QKeySequence())
        self.conflict.setText("")

    def _take(self) -> None:
        row = self._current()
        keys = self.editor.keySequence().toString()
        owners = self._model.owners(keys, row.id) if row and keys else []
        titles = tr(" and ").join(owner.title for owner in owners)
        self.conflict.setText(
            tr("{native} is taken by {titles}. Change it there first.").format(native=native((keys,)), titles=titles)
            if owners
            else ""
        )

    def _apply(self) -> None:
        self._take()
        keys = self.editor.keySequence().toString()
        if keys and not self.conflict.text():
            self._set((keys,))

    def _set_default(self) -> None:
        row = self._current()
        if row:
            self._set(self._defaults[row.id])

    def _set(self, keys: tuple[str, ...]) -> None:
        row = self._current()
        if row is None:
            return
        self._model.set_keys(row.id, keys)
        self._show_current()
        self.changed.emit({id: list(now) for id, now in self._model.keys().items() if now != self._defaults[id]})


def native(keys: Sequence[str]) -> str:
    """Return keys as this platform writes them."""
    return ", ".join(QKeySequence(each).toString(QKeySequence.SequenceFormat.NativeText) for each in keys)


def _searched(row: Row) -> str:
    return f"{row.title} {row.help} {native(row.fixed + row.keys)}".casefold()


def _with_keys(row: Row, keys: tuple[str, ...]) -> Row:
    return Row(row.id, row.title, row.help, keys, row.fixed)


def _table(model: _Model) -> QTableView:
    table = QTableView()
    table.setModel(model)
    table.verticalHeader().hide()
    table.setShowGrid(False)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setTabKeyNavigation(False)
    table.setAccessibleName(tr("Actions and their keys"))
    table.setFrameShape(QFrame.Shape.NoFrame)
    table.verticalHeader().setDefaultSectionSize(theme().px(PLACE_ROW))
    palette = table.palette()
    palette.setColor(QPalette.ColorRole.Base, theme().tokens.bg1)
    palette.setColor(QPalette.ColorRole.Highlight, theme().tokens.selection)
    palette.setColor(QPalette.ColorRole.HighlightedText, theme().tokens.text)
    table.setPalette(palette)
    header = table.horizontalHeader()
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
    header.setHighlightSections(False)
    header.setFont(theme().font("heading"))
    header.setStyleSheet("QHeaderView::section { border: none; background: transparent; padding: 4px 3px; }")
    return table
