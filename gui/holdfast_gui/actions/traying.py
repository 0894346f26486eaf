"""The tray's part: which sessions it offers, what closing the window means, what is worth a notification."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast_core import clock
from holdfast_core.errors import HoldfastError, IndexBroken
from PySide6.QtCore import QObject

from holdfast_gui.actions import resuming
from holdfast_gui.actions.memory import save
from holdfast_gui.models.places import EXPIRING
from holdfast_gui.models.vault import days_words, is_lost
from holdfast_gui.notify import Kind
from holdfast_gui.tasks import Latest
from holdfast_gui.text import age, counted, project_name, size, title, tr
from holdfast_gui.tray import Tray, TraySession

if TYPE_CHECKING:
    from holdfast_core.model.changes import ChangeSet, LostMessages
    from holdfast_core.model.vault import Expiring

    from holdfast_gui.actions.context import Context

DEFAULT_SESSIONS: Final = 10


class Traying(QObject):
    """Keeps the tray in line with the index, and decides between closing and going on there."""

    def __init__(self, context: Context, tray: Tray) -> None:
        super().__init__(context.window)
        self._context = context
        self._tray = tray
        self._said_no_space = False
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
        """Tell of messages that are gone at the source, unless the person had them go."""
        undone = self._context.guarding.undone
        lost = [one for one in change.lost if one.id not in undone]
        undone.difference_update(one.id for one in change.lost)
        if lost and (self._context.settings is None or self._context.settings.notify_lost):
            self._context.scope.spawn(self._tell_lost(lost), "tell of lost messages")

    async def _tell_lost(self, lost: list[LostMessages]) -> None:
        """Say what is gone, and that it is safe if all of it is."""
        entries = {entry.id: entry for entry in await self._context.library.vaulted.entries([one.id for one in lost])}
        is_safe = all(one.id in entries and is_lost(entries[one.id]) for one in lost)
        gone = counted(sum(one.messages for one in lost), "message", "messages")
        of = counted(len(lost), "session", "sessions")
        if len(lost) == 1 and lost[0].id in entries:
            of = f"“{title(entries[lost[0].id].title)}”"
        words = tr("{messages} of {sessions} are gone at the source, they are safe here.")
        if not is_safe:
            words = tr("{messages} of {sessions} are no longer in the agent's files.")
        first = lost[0].id
        go = self.show_lost if is_safe and len(lost) > 1 else lambda: self._go_to(first)
        self.notifier.tell(Kind.LOST, words.format(messages=gone, sessions=of), on_click=go)

    def watch_vault(self) -> None:
        """Offer in the menu to see what was lost, and tell once when there is too little space."""
        guarding = self._context.guarding
        sessions = counted(guarding.lost, "session", "sessions")
        words = tr("{sessions} lost at the source, safe here…").format(sessions=sessions)
        self._tray.set_lost(words if guarding.lost else "")
        status = guarding.status
        is_short = status is not None and status.is_enabled and status.is_paused_for_space
        if status is not None and is_short and not self._said_no_space:
            free = tr("Only {size} are free: nothing new is kept. What is kept stays.")
            self.notifier.tell(Kind.SPACE, free.format(size=size(status.free_bytes)), on_click=self._show_storage)
        self._said_no_space = is_short

    def warn_of_deletions(self) -> None:
        """Tell of sessions that their agents delete within the days of the setting, the same ones once a day."""
        settings, memory = self._context.settings, self._context.memory
        days = settings.warn_deletion_days if settings is not None else 0
        soon = [one for one in self._context.guarding.expiring.values() if days and one.days_left <= days]
        today = f"{clock.now().astimezone():%Y-%m-%d}"
        told = set(memory.warned_of) if memory.warned_on == today else set[str]()
        ids = {one.session_id for one in soon}
        if ids - told and self.notifier.tell(Kind.EXPIRING, _deletion_words(soon), on_click=self._show_expiring):
            memory.warned_on, memory.warned_of = today, sorted(ids | told)
            save(self._context.paths.config, memory)

    def show_lost(self) -> None:
        """Show in the window what was lost at the source."""
        self._context.raise_window()
        self._context.actions.run("view.lost")

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

    def _show_expiring(self) -> None:
        self._context.raise_window()
        self._context.window.places.choose(EXPIRING)

    def _show_storage(self) -> None:
        self._context.raise_window()
        self._context.actions.run("storage.open")

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


def _deletion_words(soon: list[Expiring]) -> str:
    sessions = counted(len(soon), "session", "sessions")
    words = tr("{sessions} will be deleted, the first {when}.") if len(soon) > 1 else tr("A session is deleted {when}.")
    unsafe = sum(not one.is_safe for one in soon)
    if unsafe:
        safe = tr("Not kept yet: {count}.").format(count=unsafe)
    else:
        safe = tr("All of them are safe here.") if len(soon) > 1 else tr("It is safe here.")
    return f"{words.format(sessions=sessions, when=days_words(soon[0]))} {safe}"
