"""The icon in the desktop's tray: the last sessions, search, pause, open, quit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QIcon
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from holdfast_gui import text
from holdfast_gui.theme.icons import MARK, icon

_SHOWN_MS: Final = 8000


@dataclass(frozen=True, slots=True)
class TraySession:
    """A session in the tray's menu, in the words that it shows."""

    id: str
    title: str
    project: str
    age: str

    @property
    def line(self) -> str:
        """The entry's text, fit for a menu."""
        parts = (text.one_line(self.title, limit=60), self.project, self.age)
        return text.escaped_mnemonic(" · ".join(part for part in parts if part))


class Tray(QObject):
    """One icon and its menu, which is rebuilt when it is about to be seen.

    On a desktop without a tray everything here does nothing.
    """

    session_wanted = Signal(str)
    lost_wanted = Signal()
    open_wanted = Signal()
    search_wanted = Signal()
    message_clicked = Signal()

    def __init__(self, actions: Sequence[QAction], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._actions = tuple(actions)
        self._sessions: tuple[TraySession, ...] = ()
        self._lost = ""
        self._is_stale = True
        self.menu = QMenu()
        self.menu.aboutToShow.connect(self._rebuild)
        self._icon = QSystemTrayIcon(_icon(), self)
        self._icon.setToolTip("Holdfast")
        self._icon.setContextMenu(self.menu)
        self._icon.activated.connect(self._activated)
        self._icon.messageClicked.connect(self.message_clicked)

    @property
    def is_available(self) -> bool:
        """Whether this desktop has a tray now."""
        return QSystemTrayIcon.isSystemTrayAvailable()

    def show(self) -> None:
        """Put the icon into the tray, now or as soon as there is one."""
        self._rebuild()
        self._icon.show()

    def hide(self) -> None:
        """Take the icon out of the tray."""
        self._icon.hide()

    def set_sessions(self, sessions: Sequence[TraySession]) -> None:
        """Offer these for a quick resume, newest first."""
        self._sessions = tuple(sessions)
        self._is_stale = True

    def set_lost(self, words: str) -> None:
        """Offer above all to see what was lost at the source, in these words; empty for nothing."""
        if words != self._lost:
            self._lost = words
            self._is_stale = True

    def show_message(self, title: str, content: str) -> bool:
        """Show a notification; False where this desktop cannot."""
        if not (self._icon.isVisible() and self.is_available and QSystemTrayIcon.supportsMessages()):
            return False
        self._icon.showMessage(title, content, _icon(), _SHOWN_MS)
        return True

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason == QSystemTrayIcon.ActivationReason.MiddleClick:
            self.search_wanted.emit()
        elif reason in (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick):
            self.open_wanted.emit()

    def _rebuild(self) -> None:
        if not self._is_stale:
            return
        self._is_stale = False
        self.menu.clear()
        if self._lost:
            entry = self.menu.addAction(icon("problem", "text"), text.escaped_mnemonic(self._lost))
            entry.setObjectName("lost")
            entry.triggered.connect(lambda _checked=False: self.lost_wanted.emit())
            self.menu.addSeparator()
        for session in self._sessions:
            entry = self.menu.addAction(session.line)
            entry.setObjectName(session.id)
            entry.triggered.connect(lambda _checked=False, id=session.id: self.session_wanted.emit(id))
        if self._sessions:
            self.menu.addSeparator()
        self.menu.addActions(self._actions)


def _icon() -> QIcon:
    return icon(MARK, "accent")
