"""The one reporter of everything that goes wrong, whichever way it arrives."""

from __future__ import annotations

import asyncio
import getpass
import logging
import platform
import secrets
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
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
_CODE_LETTERS: Final = "ABCDEFGHJKMNPQRSTVWXYZ23456789"


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that went wrong, told for the person; ``details`` name no home, user or host.

    ``code`` stands in the log too. ``is_bug`` is False for what a person can do something about.
    """

    code: str
    message: str
    details: str
    is_bug: bool

    @property
    def report(self) -> str:
        """The text that a person may send us."""
        return f"{self.message}\n\nIncident {self.code}\n{_versions()}\n\n{self.details}\n"


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
        incident = describe(error)
        if incident.is_bug:
            log.error("incident %s in %s", incident.code, where, exc_info=error)
        else:
            log.info("incident %s in %s: %s %s", incident.code, where, type(error).__name__, _detail_of(error))
        self._came.emit(incident)

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


def describe(error: BaseException, *, code: str | None = None) -> Incident:
    """Return what to tell of an error."""
    details = redacted("".join(traceback.format_exception(error)))
    if isinstance(error, HoldfastError):
        detail = redacted(_detail_of(error))
        return Incident(code or new_code(), str(error), f"{detail}\n\n{details}".strip(), is_bug=False)
    message = "Something in Holdfast went wrong. Your sessions are untouched, and you can go on working."
    return Incident(code or new_code(), message, details, is_bug=True)


def new_code() -> str:
    """Return a short code that finds an incident in the log and is easy to read aloud."""
    return "".join(secrets.choice(_CODE_LETTERS) for _ in range(6))


def redacted(text: str) -> str:
    """Return ``text`` without this person's home directory, user name and host name."""
    for value, placeholder in _private_words():
        text = text.replace(value, placeholder)
    return text


def _private_words() -> Iterator[tuple[str, str]]:
    yield str(Path.home()), "~"
    for find, placeholder in ((getpass.getuser, "<user>"), (platform.node, "<host>")):
        value = _found(find)
        if len(value) > 3:
            yield value, placeholder


def _found(find: Callable[[], str]) -> str:
    try:
        return find()
    except (OSError, KeyError):
        return ""


def _detail_of(error: BaseException) -> str:
    return error.detail if isinstance(error, HoldfastError) else ""


def _versions() -> str:
    moment = clock.now().strftime("%Y-%m-%d %H:%M UTC")
    return f"Holdfast {__version__}, Python {platform.python_version()}, Qt {qVersion()}, {platform.system()}, {moment}"


def _log_qt_message(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    qt_log.log(_QT_LEVELS.get(kind, logging.WARNING), "%s: %s", context.category or "qt", redacted(message))
