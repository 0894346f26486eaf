"""Carries what the library observes into the window's thread, as Qt signals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from holdfast_core.model.changes import ChangeSet, ScanProgress, ScanReport
from holdfast_core.observe import Observers
from PySide6.QtCore import QObject, Qt, QTimer, Signal

BATCH_MS: Final = 200


class Observed(Protocol):
    """What has changes, progress, results, and sentences about what fails: the library."""

    changes: Observers[ChangeSet]
    progress: Observers[ScanProgress]
    reports: Observers[ScanReport]
    failures: Observers[str]


class Bridge(QObject):
    """Tells of changes at most every `BATCH_MS`, all that came since then in one, and of progress at once."""

    changed = Signal(object)
    progressed = Signal(object)
    reported = Signal(object)
    failed = Signal(str)

    _change_came = Signal(object)
    _progress_came = Signal(object)
    _report_came = Signal(object)
    _failure_came = Signal(str)

    def __init__(self, library: Observed, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting = ChangeSet()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(BATCH_MS)
        self._timer.timeout.connect(self._tell)
        self._change_came.connect(self._collect, Qt.ConnectionType.QueuedConnection)
        self._progress_came.connect(self.progressed, Qt.ConnectionType.QueuedConnection)
        self._report_came.connect(self.reported, Qt.ConnectionType.QueuedConnection)
        self._failure_came.connect(self.failed, Qt.ConnectionType.QueuedConnection)
        self._ends: list[Callable[[], None]] = [
            library.changes.add(self._change_came.emit),
            library.progress.add(self._progress_came.emit),
            library.reports.add(self._report_came.emit),
            library.failures.add(self._failure_came.emit),
        ]

    def close(self) -> None:
        """Stop listening."""
        while self._ends:
            self._ends.pop()()
        self._timer.stop()

    def _collect(self, change: ChangeSet) -> None:
        self._waiting += change
        if not self._timer.isActive():
            self._timer.start()

    def _tell(self) -> None:
        change, self._waiting = self._waiting, ChangeSet()
        if change:
            self.changed.emit(change)
