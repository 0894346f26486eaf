"""How the rows of every list are painted: whatever fails in one leaves the painter as it was for the next."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

Index = QModelIndex | QPersistentModelIndex


class RowDelegate(QStyledItemDelegate):
    """A delegate whose rows are painted by `paint_row`. Qt only prints what is raised there."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """See Qt."""
        painter.save()
        try:
            self.paint_row(painter, option, index)
        finally:
            painter.restore()

    def paint_row(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one row; the painter may be left in any state."""
        raise NotImplementedError
