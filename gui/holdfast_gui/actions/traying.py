"""The tray's part: which sessions it offers, what closing the window means, what is worth a notification."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast_core import clock
from holdfast_core.errors import HoldfastError, IndexBroken
from PySide6.QtCore import QObject

from holdfast_gui.actions import resuming
from holdfast_gui.actions.memory import save
from holdfast_gui.notify import Kind
from holdfast_gui.tasks import Latest
from holdfast_gui.text import age, counted, project_name, title, tr
from holdfast_gui.tray import Tray, TraySession

if TYPE_CHECKING:
    from holdfast_core.model.changes import ChangeSet

    from holdfast_gui.actions.context import Context

DEFAULT_SESSIONS: Final = 10


class Traying(QObject):
    """Keeps the tray in line with the index, and decides between closing and going on there."""

    def __init__(self, context: Context, tray: Tray) -> None:
        super().__init__(context.window)
        self._context = context
        self._tray = tray
        self._filling = Latest(context.scope, "fill the tray")
        self.notifier = context.notifier
        self.notifier.shower = tray
        self.notifier.muted = {kind for kind in Kind if kind in context.memory.muted}

    @property
    def _limit(self) -> int:
        settings = self._context.settings
        return DEFAULT_SESSIONS if settings is None else settings.tray_sessions

    def refill(self) -> None:
        """Offer the newest sessions as they are now."""
        if not self._filling.is_running:
            self._filling.start(self._fill())

    def close_window(self) -> None:
        """End the application, or only hide its window where the person wants it to go on in the tray."""
        wants_tray = self._context.settings is not None and self._context.settings.close_to_tray
        if not wants_tray:
            self._context.start_stopping()
        elif self._tray.is_available:
            self._context.window.hide()
            self._say_still_running()
        else:
            self._say_no_tray()
            self._context.start_stopping()

    def say_what_is_missing(self) -> None:
        """Say once that closing to the tray is wanted where there is none."""
        wants_tray = self._context.settings is not None and self._context.settings.close_to_tray
        if wants_tray and not self._tray.is_available:
            self._say_no_tray()

    def hear(self, change: ChangeSet) -> None:
        """Tell of messages that are gone at the source."""
        if not change.lost:
            return
        messages = sum(lost.messages for lost in change.lost)
        sessions = counted(len(change.lost), "session", "sessions")
        words = tr("{messages} of {sessions} are no longer in the agent's files.").format(
            messages=counted(messages, "message", "messages"), sessions=sessions
        )
        first = change.lost[0].id
        self.notifier.tell(Kind.LOST, words, on_click=lambda: self._go_to(first))

    async def resume(self, session_id: str) -> None:
        """Continue a session from the tray; the window comes to the front only to say what is wrong."""
        try:
            await resuming.resume(self._context, session_id)
        except HoldfastError:
            self._context.raise_window()
            raise

    def _go_to(self, session_id: str) -> None:
        self._context.raise_window()
        self._context.browser.reveal(session_id)

    async def _fill(self) -> None:
        now = clock.now()
        try:
            recent = await self._context.library.recent(self._limit)
        except IndexBroken:  # it is built again; what is offered stays
            return
        self._tray.set_sessions(
            [
                TraySession(entry.id, title(entry.title), project_name(entry.project_path), age(entry.updated_ms, now))
                for entry in recent
            ]
        )

    def _say_still_running(self) -> None:
        memory = self._context.memory
        if not memory.said_still_running:
            memory.said_still_running = True
            save(self._context.paths.config, memory)
            self.notifier.tell(Kind.STILL_RUNNING, tr("Its icon is in the tray; quit it there."))

    def _say_no_tray(self) -> None:
        memory = self._context.memory
        if not memory.said_no_tray:
            memory.said_no_tray = True
            save(self._context.paths.config, memory)
            self._context.toast.say(tr("This desktop has no tray: closing the window ends Holdfast"))
