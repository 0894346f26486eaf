"""The one reporter of everything that goes wrong, whichever way it arrives.

What writes the log is loaded when it is needed: the window is painted before.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from holdfast_core import __version__, clock
from holdfast_core.errors import HoldfastError
from PySide6.QtCore import QMessageLogContext, QObject, Qt, QtMsgType, Signal, qInstallMessageHandler, qVersion

log = logging.getLogger(__name__)
qt_log = logging.getLogger("holdfast_gui.qt")

_QT_LEVELS: Final = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that went wrong, told for the person; ``details`` are redacted, ``code`` finds it in the log.

    ``is_bug`` is False for what a person can do something about, ``kept`` is
    what is safe all the same.
    """

    code: str
    message: str
    details: str
    is_bug: bool
    kept: str = ""

    @property
    def words(self) -> str:
        """What happened and what to do, without the code."""
        return self.message.removesuffix(f" ({self.code})")

    @property
    def report(self) -> str:
        """The text that a person may send us; shown before it is copied, and redacted as a whole."""
        from holdfast_core.log import redact

        return redact(f"{self.message}\n{_versions()}\n\n{self.details}\n")


class Reporter(QObject):
    """Logs every failure under an incident code and tells the window in its own thread."""

    happened = Signal(object)

    _came = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._came.connect(self.happened, Qt.ConnectionType.AutoConnection)

    def report(self, where: str, error: BaseException) -> None:
        """Log ``error`` and emit ``happened``; from any thread. The end of a task or program is no failure."""
        if isinstance(error, (asyncio.CancelledError, KeyboardInterrupt, SystemExit)):
            return
        log.info("something failed in %s", where)
        self._came.emit(describe(error))

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Receive what nobody catches: in the main thread, in other threads, and Qt's own messages."""
        hook, thread_hook = sys.excepthook, threading.excepthook
        sys.excepthook = lambda _kind, error, _trace: self.report("a slot", error)
        threading.excepthook = lambda caught: self.report(
            f"thread {caught.thread.name if caught.thread else '?'}", caught.exc_value or caught.exc_type()
        )
        qt_handler = qInstallMessageHandler(_log_qt_message)
        try:
            yield
        finally:
            qInstallMessageHandler(qt_handler)
            sys.excepthook, threading.excepthook = hook, thread_hook

    def handle_loop(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Be an event loop's exception handler."""
        error = context.get("exception")
        self.report("the event loop", error if error else RuntimeError(str(context.get("message"))))


def describe(error: BaseException) -> Incident:
    """Log an error under a new code and return what to tell of it."""
    from holdfast_core.log import incident

    logged = incident(log, error)
    is_bug, kept = not isinstance(error, HoldfastError), getattr(error, "kept", "")
    return Incident(logged.code, logged.message, logged.details, is_bug=is_bug, kept=kept)


def _versions() -> str:
    import platform

    moment = clock.now().strftime("%Y-%m-%d %H:%M UTC")
    return f"Holdfast {__version__}, Python {platform.python_version()}, Qt {qVersion()}, {platform.system()}, {moment}"


def _log_qt_message(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    from holdfast_core.log import redact

    qt_log.log(_QT_LEVELS.get(kind, logging.WARNING), "%s: %s", context.category or "qt", redact(message))
