"""The trash: sessions go into it with a question before and a way back after, and leave it either way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from holdfast_core.errors import HoldfastError
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QDialog

from holdfast_gui.models.held import held_ids
from holdfast_gui.models.places import ALL
from holdfast_gui.models.trash import loss_of
from holdfast_gui.tasks import ask
from holdfast_gui.text import counted, tr
from holdfast_gui.views.confirm import for_ever, to_the_trash

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast_gui.actions.context import Context
    from holdfast_gui.views.trash import TrashPage

TRASH_DAYS = 30


async def delete_sessions(context: Context, session_ids: Sequence[str]) -> None:
    """Move those of the sessions that Holdfast keeps to the trash, if the person says so; it can be undone at once."""
    ids = held_ids(session_ids)
    if not ids:
        context.toast.say(tr("Only sessions that Holdfast keeps can be deleted; agents' files stay as they are"))
        return
    held = context.library.held
    # The store hears of what became live just now a little later than the window.
    live = {entry.id for entry in held.live()}.intersection(ids)
    ids = [session_id for session_id in ids if session_id not in live]
    loss = await held.loss(ids)
    loss = msgspec.structs.replace(loss, kept=loss.kept + len(live))
    sheet = to_the_trash(context.window, loss, trash_days=days_kept(context))
    if await ask(sheet) != QDialog.DialogCode.Accepted:
        return
    _go_beside(context, set(ids))
    gone = await held.delete(ids)
    context.keeping.deleted = [entry.id for entry in gone]
    context.refresh()
    words = tr("{sessions} moved to the trash").format(sessions=counted(len(gone), "session", "sessions"))
    context.toast.say(words, tr("Undo"), lambda: context.actions.run("held.undo"))


def _go_beside(context: Context, ids: set[str]) -> None:
    """Open the next session of the list that stays, before those of ``ids`` go; none if there is none."""
    sessions = context.window.session_list
    at = sessions.table.currentIndex().row()
    rows = [*range(at, sessions.model.rowCount()), *range(at - 1, -1, -1)]
    entries = (sessions.model.entry_at(row) for row in rows)
    stays = next((entry for entry in entries if entry and entry.id not in ids), None)
    if stays is None or not sessions.select_session(stays.id):
        context.reading.open("")


async def undo_deletion(context: Context) -> None:
    """Put back what was deleted last."""
    ids, context.keeping.deleted = context.keeping.deleted, []
    context.refresh()
    await put_back(context, ids)
    if len(ids) == 1 and context.window.page is None:
        context.browser.reveal(ids[0])


async def put_back(context: Context, session_ids: Sequence[str]) -> None:
    """Bring sessions back from the trash."""
    count = await context.library.held.undelete(session_ids)
    context.keeping.deleted = [one for one in context.keeping.deleted if one not in session_ids]
    context.keeping.look()
    context.toast.say(tr("{sessions} put back").format(sessions=counted(count, "session", "sessions")))


class Trashing(QObject):
    """Keeps the page of the trash in line with it."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.window)
        from holdfast_gui.views.trash import TrashPage

        self._context = context
        self.page: TrashPage = TrashPage()
        slot = context.scope.slot
        self.page.restore_wanted.connect(slot(self.restore))
        self.page.delete_wanted.connect(slot(self.delete))
        self.page.empty_wanted.connect(slot(self.empty))
        self.page.state.action_pressed.connect(lambda: context.browser.go_to(ALL))
        context.keeping.changed.connect(self._show)
        self._show()
        context.scope.spawn(self._read(), "read the trash")

    async def restore(self, session_ids: list[str]) -> None:
        """Put sessions back."""
        await put_back(self._context, session_ids)

    async def delete(self, session_ids: list[str]) -> None:
        """Delete sessions for ever, if the person says so."""
        chosen = [entry for entry in self.page.entries if entry.id in session_ids]
        sheet = for_ever(self._context.window, loss_of(chosen))
        if await ask(sheet) != QDialog.DialogCode.Accepted:
            return
        count = await self._context.library.held.empty_trash([entry.id for entry in chosen])
        self._gone(count)

    async def empty(self) -> None:
        """Delete for ever all that was seen in the trash, if the person says so."""
        await self.delete([entry.id for entry in self.page.entries])

    def _gone(self, count: int) -> None:
        keeping = self._context.keeping
        keeping.deleted = []
        keeping.look()
        self._context.toast.say(
            tr("{sessions} deleted for ever").format(sessions=counted(count, "session", "sessions"))
        )

    async def _read(self) -> None:
        try:
            self._context.keeping.trash = await self._context.library.held.trash()
        except HoldfastError as error:
            self.page.say("problem", tr("The trash cannot be read"), str(error))
            return
        self._show()

    def _show(self) -> None:
        self.page.set_entries(self._context.keeping.trash, days=days_kept(self._context))


def days_kept(context: Context) -> int:
    """Return for how many days what is deleted can be put back; 0 is until the trash is emptied."""
    return context.settings.trash_days if context.settings else TRASH_DAYS
