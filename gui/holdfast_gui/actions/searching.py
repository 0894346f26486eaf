"""The search field and the list beside it: completing, entering the hits, opening one at its message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from holdfast_gui.tasks import Latest

if TYPE_CHECKING:
    from holdfast_gui.actions.context import Context


class Searching(QObject):
    """What the person does in the field, and what a chosen row opens."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.window)
        self._context = context
        self._completing = Latest(context.scope, "complete")

    def complete(self, text: str, position: int) -> None:
        """Offer how the word at the cursor may go on."""
        self._completing.start(self._complete(text, position))

    def submit(self, _text: str) -> None:
        """Open the best hit as soon as it is listed."""
        browser = self._context.browser
        browser.when_listed(browser.open_first)

    def open(self, session_id: str) -> None:
        """Show a session, at its best hit where the list is one of hits."""
        if not session_id:
            return
        hit = self._context.window.session_list.best_hit(session_id)
        index = hit.message_index if hit else -1
        self._context.reading.open(session_id, message_index=index, terms=self._context.browser.terms if hit else ())

    def step_in(self) -> bool:
        """Show the session in place of the list, in a window with room for one of them; False if both are seen."""
        return self._context.window.read()

    def enter(self) -> None:
        """Resume the session, or show it first where it is not seen beside the list."""
        if not self.step_in():
            self._context.actions.run("session.resume")

    async def _complete(self, text: str, position: int) -> None:
        self._context.window.search_field.set_completions(await self._context.library.complete(text, position))
