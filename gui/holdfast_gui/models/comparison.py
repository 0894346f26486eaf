"""What two versions of a session do not share, message by message, as rows."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any, Final

from holdfast_core import clock
from holdfast_core.model.vault import Compared, Comparison
from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt

from holdfast_gui import text
from holdfast_gui.text import later, tr

Index = QModelIndex | QPersistentModelIndex

_ROLES: Final = later(
    {"user": "You", "assistant": "Agent", "tool": "Tool output", "system": "System", "developer": "System"}
)


class ComparedRole(IntEnum):
    """What a row says."""

    COMPARED = Qt.ItemDataRole.UserRole + 1
    HEADING = Qt.ItemDataRole.UserRole + 2
    CAPTION = Qt.ItemDataRole.UserRole + 3


class ComparisonModel(QAbstractListModel):
    """The messages that differ, in the order of time."""

    def __init__(self) -> None:
        super().__init__()
        self.comparison = Comparison(0, 0, 0)

    def set_comparison(self, comparison: Comparison) -> None:
        """Show this in place of what was compared before."""
        self.beginResetModel()
        self.comparison = comparison
        self.endResetModel()

    def compared(self, row: int) -> Compared | None:
        """Return the message of a row."""
        differences = self.comparison.differences
        return differences[row] if 0 <= row < len(differences) else None

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """See Qt."""
        return 0 if parent.isValid() else len(self.comparison.differences)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """See Qt."""
        if not index.isValid():
            return None
        answer = _ANSWERS.get(role)
        return answer(self.comparison, self.comparison.differences[index.row()]) if answer else None


def summary(comparison: Comparison) -> str:
    """Return how many messages are where."""
    kinds = [one.kind for one in comparison.differences]
    parts = []
    if only_old := kinds.count("only_old"):
        parts.append(tr("{count} only in version {number}").format(count=_messages(only_old), number=comparison.old))
    if only_new := kinds.count("only_new"):
        parts.append(tr("{count} only in version {number}").format(count=_messages(only_new), number=comparison.new))
    if differs := kinds.count("differs"):
        parts.append(text.counted(differs, "differs", "differ"))
    parts.append(tr("{count} the same").format(count=text.count(comparison.same)))
    return " · ".join(parts)


def place_of(comparison: Comparison, compared: Compared) -> tuple[int, int]:
    """Return the version in which a message is read, and its place in it."""
    return comparison.old if compared.kind == "only_old" else comparison.new, compared.index


def _messages(number: int) -> str:
    return text.counted(number, "message", "messages")


def _heading(comparison: Comparison, compared: Compared) -> str:
    who = tr(_ROLES[compared.role]) if compared.role in _ROLES else text.one_line(compared.role, limit=40)
    number = comparison.old if compared.kind == "only_old" else comparison.new
    where = tr("differs") if compared.kind == "differs" else tr("only in version {number}").format(number=number)
    return f"{who} · {where}"


def _caption(_comparison: Comparison, compared: Compared) -> str:
    when = text.when(compared.timestamp_ms, clock.now()) if compared.timestamp_ms else ""
    number = tr("message {number}").format(number=text.count(compared.index + 1))
    return f"{number} · {when}" if when else number


def _said(_comparison: Comparison, compared: Compared) -> str:
    return text.one_line(compared.text) or tr("no text")


def _spoken(comparison: Comparison, compared: Compared) -> str:
    return ", ".join(part(comparison, compared) for part in (_heading, _caption, _said))


_ANSWERS: Final[dict[int, Callable[[Comparison, Compared], Any]]] = {
    Qt.ItemDataRole.DisplayRole: _said,
    Qt.ItemDataRole.AccessibleTextRole: _spoken,
    Qt.ItemDataRole.ToolTipRole: lambda _comparison, compared: text.tooltip(compared.text),
    ComparedRole.COMPARED: lambda _comparison, compared: compared,
    ComparedRole.HEADING: _heading,
    ComparedRole.CAPTION: _caption,
}
