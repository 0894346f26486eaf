"""Notifications on the desktop; each kind can be switched off."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from PySide6.QtCore import QCoreApplication


class Kind(StrEnum):
    """What is worth interrupting a person for."""

    LOST = "lost"
    EXPIRING = "expiring"
    SPACE = "space"
    STILL_RUNNING = "still_running"

    @property
    def heading(self) -> str:
        """What the person calls it."""
        match self:
            case Kind.LOST:
                return QCoreApplication.translate("holdfast", "Messages are gone at the source")
            case Kind.EXPIRING:
                return QCoreApplication.translate("holdfast", "An agent is about to delete sessions")
            case Kind.SPACE:
                return QCoreApplication.translate("holdfast", "The vault needs space")
            case Kind.STILL_RUNNING:
                return QCoreApplication.translate("holdfast", "Holdfast goes on in the tray")


class Shower(Protocol):
    """What can show a message on this desktop: the tray icon."""

    def show_message(self, title: str, text: str) -> bool:
        """Show it; False where this desktop cannot."""


@dataclass(slots=True, weakref_slot=True)
class Notifier:
    """Shows what is not switched off, and remembers what a click on the newest message opens."""

    shower: Shower | None = None
    muted: Collection[Kind] = ()
    _on_click: Callable[[], None] | None = None

    def tell(self, kind: Kind, text: str, *, on_click: Callable[[], None] | None = None) -> bool:
        """Show one message; False if its kind is switched off or nothing here can show it."""
        if kind in self.muted or self.shower is None:
            return False
        self._on_click = on_click
        return self.shower.show_message(kind.heading, text)

    def clicked(self) -> None:
        """Go where the newest message points."""
        if self._on_click is not None:
            self._on_click()
