"""What the person says of sessions: names, stars, tags, notes; and what they press in the details."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices

from holdfast_gui.actions.opening import SCHEME, linked_session
from holdfast_gui.text import tr

if TYPE_CHECKING:
    from holdfast_gui.actions.context import Context


class Saying(QObject):
    """Carries words of the window to the library; the list hears of them from there."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.window)
        self._context = context

    async def rename(self, session_id: str, name: str) -> None:
        """Give a session a name of the person's; an empty one gives the agent's back."""
        await self._context.library.annotate([session_id], title=name or None)

    async def toggle_star(self, session_id: str) -> None:
        """Star a session, or no longer."""
        entry = await self._context.library.entry(session_id)
        await self._context.library.annotate([session_id], starred=not entry.starred)

    async def note(self, note: str, session_id: str) -> None:
        """Keep a note."""
        await self._context.library.annotate([session_id], note=note)

    async def tag(self, tags: Sequence[str], session_id: str) -> None:
        """Keep tags in place of the former ones."""
        await self._context.library.annotate([session_id], tags=tags)

    def open_file(self, path: str) -> None:
        """Show where a touched file is; a file that a transcript names is never started."""
        entry = self._context.reading.entry
        place = (Path(entry.project_path) / path if entry else Path(path)).parent
        if place.is_absolute() and place.is_dir():
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(place)))
        else:
            self._context.toast.say(tr("The folder of this file is not here any more"))

    def open_link(self, url: str) -> None:
        """Follow a link of a transcript: to the web, or to another session; to nothing else."""
        if url.startswith(SCHEME):
            self._context.reading.open(linked_session(url))
        elif QUrl(url).scheme() in ("http", "https"):
            QDesktopServices.openUrl(QUrl(url))
        else:
            self._context.toast.say(tr("Only links to the web are opened"))
