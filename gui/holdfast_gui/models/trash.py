"""What is in the trash, as rows; and how a row is said."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import IntEnum
from typing import Any

from holdfast_core import clock
from holdfast_core.model.keeping import Loss, TrashEntry
from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt

from holdfast_gui import text
from holdfast_gui.text import tr

Index = QModelIndex | QPersistentModelIndex
_DAY_MS = 86_400_000
_SOON_DAYS = 4


class TrashRole(IntEnum):
    """What a row says beside its title."""

    ENTRY = Qt.ItemDataRole.UserRole + 1


class TrashModel(QAbstractListModel):
    """Rows of the trash, the last deleted first."""

    def __init__(self) -> None:
        super().__init__()
        self._entries: Sequence[TrashEntry] = ()

    @property
    def entries(self) -> Sequence[TrashEntry]:
        """What is shown, from the top."""
        return self._entries

    def set_entries(self, entries: Sequence[TrashEntry]) -> None:
        """Show these rows in place of the former ones."""
        self.beginResetModel()
        self._entries = tuple(entries)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """See Qt."""
        return 0 if parent.isValid() else len(self._entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """See Qt."""
        if not index.isValid():
            return None
        entry = self._entries[index.row()]
        if role == TrashRole.ENTRY:
            return entry
        if role == Qt.ItemDataRole.DisplayRole:
            return text.title(entry.title)
        if role == Qt.ItemDataRole.ToolTipRole:
            return text.tooltip(f"{text.title(entry.title)}\n{entry.project_path}")
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return spoken(entry, clock.now())
        return None


def facts(entry: TrashEntry) -> str:
    """Return where it was and how large it is."""
    messages = text.counted(entry.message_count, "message", "messages")
    parts = (text.project_name(entry.project_path), messages, text.size(entry.size_bytes))
    return " · ".join(part for part in parts if part)


def deleted(entry: TrashEntry, now: datetime) -> str:
    """Return when it was deleted, and by what if by a limit."""
    when = text.when(entry.deleted_ms, now)
    if entry.reason == "retention":
        return tr("cleaned up {when}").format(when=when)
    return tr("deleted {when}").format(when=when)


def expires(entry: TrashEntry, now: datetime) -> str:
    """Return how long it stays."""
    days = days_left(entry, now)
    if days is None:
        return tr("stays until you empty the trash")
    if days < 1:
        return tr("goes for good today")
    return tr("goes for good in {days}").format(days=text.counted(days, "day", "days"))


def is_soon(entry: TrashEntry, now: datetime) -> bool:
    """Return whether it goes for good within a few days."""
    days = days_left(entry, now)
    return days is not None and days < _SOON_DAYS


def days_left(entry: TrashEntry, now: datetime) -> int | None:
    """Return for how many days at most it stays, None for as long as it is not removed by hand."""
    if entry.expires_ms is None:
        return None
    return max(0, math.ceil((entry.expires_ms - now.timestamp() * 1000) / _DAY_MS))


def spoken(entry: TrashEntry, now: datetime) -> str:
    """Return the whole row for a screen reader."""
    return ", ".join((text.title(entry.title), facts(entry), deleted(entry, now), expires(entry, now)))


def loss_of(entries: Iterable[TrashEntry]) -> Loss:
    """Return what is lost with entries of the trash."""
    gone = list(entries)
    messages, size = sum(one.message_count for one in gone), sum(one.size_bytes for one in gone)
    return Loss(len(gone), messages, size, tuple(one.title for one in gone))
