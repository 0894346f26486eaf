"""The page on which two versions of a session are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast_core import clock
from holdfast_core.errors import HoldfastError
from PySide6.QtCore import QObject

from holdfast_gui.actions.vault_work import open_version
from holdfast_gui.views.comparison import ComparisonPage

if TYPE_CHECKING:
    from holdfast_gui.actions.context import Context


class Comparing(QObject):
    """The page on which two versions of a session are compared."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.window)
        self._context = context
        self._session_id = ""
        self.page = ComparisonPage()
        slot = context.scope.slot
        self.page.versions_wanted.connect(slot(self._compare))
        self.page.message_wanted.connect(slot(self._read))
        self.page.back_wanted.connect(self._leave)

    @classmethod
    def of(cls, context: Context) -> Comparing:
        """Return the one of this window."""
        return context.window.findChild(cls) or cls(context)

    async def open(self, session_id: str, number: int | None = None) -> None:
        """Compare a version, the fullest without a number, with what is there now."""
        self._session_id = session_id
        self.page.say_loading()
        self._context.window.show_page(self.page)
        self.page.take_focus()
        try:
            await self._show(number, None)
        except HoldfastError:
            self._leave()
            raise

    async def _compare(self, old: int, new: int) -> None:
        await self._show(old, new)

    async def _show(self, old: int | None, new: int | None) -> None:
        session_id, vaulted = self._session_id, self._context.library.vaulted
        entry = await self._context.library.entry(session_id)
        versions = await vaulted.versions(session_id)
        found = await vaulted.compare(session_id, old, new)
        if session_id == self._session_id:
            self.page.set_comparison(entry.title, versions, found, clock.now())
            if self._context.window.page is self.page:
                self.page.take_focus()

    async def _read(self, number: int, message_index: int) -> None:
        context, session_id = self._context, self._session_id
        self._leave()
        if context.reading.session_id == session_id:
            await open_version(context, session_id, number, message_index=message_index)

    def _leave(self) -> None:
        context = self._context
        if context.window.page is not self.page:
            return
        context.browser.come_back()
        context.window.read()
        context.window.focus_reader()
