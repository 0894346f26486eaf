"""The changes of a repair as rows: where, what, and what was taken away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from holdfast_core.model.repair import RepairChange
from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt

from holdfast_gui import text
from holdfast_gui.text import later, tr

Index = QModelIndex | QPersistentModelIndex
CUT_ROLE: Final = Qt.ItemDataRole.UserRole + 1
LINE_ROLE: Final = Qt.ItemDataRole.UserRole + 2

_CHANGES: Final = later(
    {
        "nul_cut": "Zeros are cut out",
        "records_split": "Records that stick together are split",
        "stub_cut": "The beginning of a torn record is cut out",
        "last_record_cut": "The last record, which was never finished, is cut off",
        "record_rewritten": "A record is written in a form that can be read",
        "line_dropped": "A line that cannot be read is left out",
        "line_left": "This line cannot be read. It stays as it is",
        "newline_added": "The missing end of the last line is added",
        "call_ended": "A tool call that never ended is ended",
        "record_linked": "A record is linked to the one before it again",
        "part_cut": "A part that cannot be read is cut out",
    }
)


class ChangesModel(QAbstractListModel):
    """Every change of a repair, from the top of the file."""

    def __init__(self, changes: Sequence[RepairChange]) -> None:
        super().__init__()
        self._changes = tuple(changes)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """See Qt."""
        return 0 if parent.isValid() else len(self._changes)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """See Qt."""
        if not index.isValid():
            return None
        change = self._changes[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return tr(_CHANGES[change.what])
        if role == LINE_ROLE:
            return tr("Line {number}").format(number=text.count(change.line)) if change.line else ""
        if role == CUT_ROLE:
            return cut_words(change)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            parts = (index.data(LINE_ROLE), index.data(), index.data(CUT_ROLE))
            return ", ".join(part for part in parts if part)
        return text.tooltip(cut_words(change)) if role == Qt.ItemDataRole.ToolTipRole and change.cut else None


def cut_words(change: RepairChange) -> str:
    """Return what was taken away, fit to be shown."""
    return text.one_line(change.cut.decode("utf-8", "replace"))


def summary(changes: Sequence[RepairChange]) -> str:
    """Return how much is changed, and how much cannot be."""
    left = sum(change.what == "line_left" for change in changes)
    words = text.counted(len(changes) - left, "change", "changes")
    if left:
        stay = text.counted(left, "line that cannot be read stays", "lines that cannot be read stay")
        words = f"{words}, {stay}"
    return words
