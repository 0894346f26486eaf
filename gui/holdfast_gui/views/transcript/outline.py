"""The outline: every prompt of the session in a list, to go to one."""

from __future__ import annotations

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QFrame,
    QListView,
    QStyle,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from holdfast_gui.models.transcript import TranscriptModel
from holdfast_gui.text import clock, one_line
from holdfast_gui.theme import theme
from holdfast_gui.theme.tokens import RADIUS_SMALL
from holdfast_gui.views.row_delegate import RowDelegate
from holdfast_gui.views.transcript.chunk import fill_round
from holdfast_gui.views.transcript.lines import draw_text

_Index = QModelIndex | QPersistentModelIndex
TIME_ROLE = Qt.ItemDataRole.UserRole
WIDTH, ROW, MOST_ROWS = 380, 30, 14


class OutlineModel(QAbstractListModel):
    """One row a prompt; its text is read when the row is seen."""

    def __init__(self, transcript: TranscriptModel) -> None:
        super().__init__()
        self._transcript = transcript
        self._parts: list[int] = []

    def update(self) -> None:
        """Take the prompts anew."""
        self.beginResetModel()
        self._parts = self._transcript.prompts()
        self.endResetModel()

    def part_at(self, row: int) -> int:
        """Return the part of a row."""
        return self._parts[row]

    def row_before(self, part: int) -> int:
        """Return the row of the last prompt at or before a part."""
        return max(0, sum(known <= part for known in self._parts) - 1)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default, never changed
        """Return the number of prompts."""
        return 0 if parent.isValid() else len(self._parts)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a prompt's first words, or its time."""
        if not index.isValid():
            return None
        part = self._parts[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return one_line(self._transcript.sections(part)[0].text, limit=160)
        return clock(self._transcript.message(part).timestamp_ms) if role == TIME_ROLE else None


class OutlinePanel(QFrame):
    """A list that opens beside the rail and closes when a prompt is chosen."""

    part_chosen = Signal(int)

    def __init__(self, transcript: TranscriptModel, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._model = OutlineModel(transcript)
        self.list = QListView(self)
        self.list.setModel(self._model)
        self.list.setUniformItemSizes(True)
        self.list.setItemDelegate(_PromptDelegate(self.list))
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setMouseTracking(True)
        self.list.setAccessibleName(self.tr("Prompts of this session"))
        self.list.clicked.connect(self._choose)
        self.list.activated.connect(self._choose)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addWidget(self.list)
        self.setFrameShape(QFrame.Shape.StyledPanel)

    def open_at(self, corner: QPoint, current_part: int) -> None:
        """Open with the lower right corner at a point of the screen, at the prompt that is read now."""
        self._model.update()
        look = theme()
        rows = max(1, min(MOST_ROWS, self._model.rowCount()))
        self.resize(look.px(WIDTH), rows * look.px(ROW) + 10)
        self.move(corner.x() - self.width(), corner.y() - self.height())
        if self._model.rowCount():
            self.list.setCurrentIndex(self._model.index(self._model.row_before(current_part), 0))
        self.show()
        self.list.setFocus(Qt.FocusReason.PopupFocusReason)

    def _choose(self, index: QModelIndex) -> None:
        part = self._model.part_at(index.row())
        self.close()
        self.part_chosen.emit(part)


class _PromptDelegate(RowDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(theme().px(100), theme().px(ROW))

    def paint_row(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        look, tokens = theme(), theme().tokens
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        state: QStyle.StateFlag = option.state
        rect = option.rect.toRectF()
        if state & QStyle.StateFlag.State_Selected:
            fill_round(painter, rect, RADIUS_SMALL, tokens.selection)
        elif state & QStyle.StateFlag.State_MouseOver:
            fill_round(painter, rect, RADIUS_SMALL, tokens.hover)
        inner = rect.adjusted(look.px(10), 0, -look.px(10), 0)
        time = str(index.data(TIME_ROLE) or "")
        taken = draw_text(painter, inner, time, look.font("caption"), tokens.text3, at_right=True)
        room = inner.adjusted(0, 0, -taken - look.px(10), 0)
        draw_text(painter, room, str(index.data()), look.font("body"), tokens.text)
