"""The application object: what the desktop asks of the program as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication, QWidget

_FRAME: Final = 32


class Application(QApplication):
    """Ends only when its owner says so: a wish to quit is told, so that everything is put away first."""

    quit_wanted = Signal()
    open_wanted = Signal(str)

    def __init__(self, arguments: Sequence[str] = ("holdfast",)) -> None:
        super().__init__(list(arguments))
        self.setApplicationName("holdfast")
        self.setApplicationDisplayName("Holdfast")
        self.setDesktopFileName("holdfast")
        self.setQuitOnLastWindowClosed(False)

    def event(self, event: QEvent) -> bool:
        """See Qt: a session that ends and links that the desktop opens arrive here."""
        if event.type() == QEvent.Type.Quit:
            event.ignore()
            self.quit_wanted.emit()
            return True
        if isinstance(event, QFileOpenEvent):
            self.open_wanted.emit(event.url().toString() if not event.file() else event.file())
            return True
        return super().event(event)


class PaintWatch(QObject):
    """Tells once that a widget was painted for the first time."""

    painted = Signal()

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """See Qt."""
        if event.type() == QEvent.Type.Paint:
            self._widget.removeEventFilter(self)
            QTimer.singleShot(0, self.painted.emit)
        return False


def show_first(window: QWidget) -> None:
    """Show a window as large as it was left, but never larger than the screen."""
    room = window.screen().availableSize() - QSize(_FRAME, _FRAME)
    if window.width() > room.width() or window.height() > room.height():
        window.resize(window.size().boundedTo(room))
        window.setWindowState(window.windowState() | Qt.WindowState.WindowMaximized)
    window.show()
