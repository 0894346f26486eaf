"""Drag sessions out of the list: their texts are prepared while the pointer is on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from holdfast_core.errors import HoldfastError
from PySide6.QtCore import QObject, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QPainter, QPixmap

from holdfast_gui.crash import Reporter
from holdfast_gui.dragdrop import DragDirectory, Item, SessionFiles, drag
from holdfast_gui.tasks import Latest
from holdfast_gui.text import counted, title
from holdfast_gui.theme import theme
from holdfast_gui.theme.tokens import RADIUS_SMALL

if TYPE_CHECKING:
    from holdfast_gui.actions.context import Context

PATIENCE_SECONDS: Final = 20.0
OTHER_FORM: Final = {"md": "json", "json": "md", "txt": "md"}


class Dragging(QObject):
    """Starts drags; Markdown or JSON as the setting says, the other one with Shift."""

    def __init__(self, context: Context, reporter: Reporter) -> None:
        super().__init__(context.window)
        self._context = context
        self._reporter = reporter
        self._directory = DragDirectory(context.paths.cache / "drag")
        self._directory.empty()
        self._prepared: dict[str, str] = {}
        self._preparing = Latest(context.scope, "prepare a drag")

    def start(self, session_ids: Sequence[str]) -> Qt.DropAction:
        """Drag sessions until they are dropped; to be called from the mouse handler."""
        form = self._form()
        items = [self._item(id) for id in session_ids]
        self._prepared = {}
        self._preparing.start(self._prepare(session_ids, form))
        files = SessionFiles(items, form, self._directory.next(), lambda id: self._text(id, form))
        try:
            return drag(self._context.window.session_list, files, _picture(items))
        finally:
            self._preparing.cancel()

    def close(self) -> None:
        """Remove every file that was dragged."""
        self._directory.empty()

    def _form(self) -> str:
        form = self._context.settings.drag_format if self._context.settings else "md"
        shift = QGuiApplication.keyboardModifiers() & Qt.KeyboardModifier.ShiftModifier
        return OTHER_FORM[form] if shift else form

    def _item(self, session_id: str) -> Item:
        entry = self._context.window.session_list.model.entry_of(session_id)
        return Item(session_id, title(entry.title) if entry else session_id)

    async def _prepare(self, session_ids: Sequence[str], form: str) -> None:
        for id in session_ids:
            self._prepared[id] = await self._context.library.export_text(id, form)

    def _text(self, session_id: str, form: str) -> str | None:
        """Return what was prepared; else make it now, in a thread that this one waits for.

        The target asks from within the drag: there is no other moment to answer.
        """
        if session_id in self._prepared:
            return self._prepared[session_id]
        with ThreadPoolExecutor(1, "drag") as executor:
            text = executor.submit(asyncio.run, self._context.library.export_text(session_id, form))
            try:
                return text.result(PATIENCE_SECONDS)
            except (HoldfastError, TimeoutError) as error:
                self._reporter.report("a drag", error)
                return None


def _picture(items: Sequence[Item]) -> QPixmap:
    """Return what follows the pointer: the title, or how many there are."""
    look = theme()
    words = items[0].title if len(items) == 1 else counted(len(items), "session", "sessions")
    ratio = QGuiApplication.primaryScreen().devicePixelRatio()
    width, height = look.px(240), look.px(30)
    picture = QPixmap(round(width * ratio), round(height * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(look.tokens.accent)
    painter.setBrush(look.tokens.selection)
    painter.drawRoundedRect(QRectF(0.5, 0.5, width - 1, height - 1), RADIUS_SMALL, RADIUS_SMALL)
    painter.setPen(look.tokens.text)
    painter.setFont(look.font("body"))
    shown = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, width - 24)
    painter.drawText(QRectF(12, 0, width - 24, height), Qt.AlignmentFlag.AlignVCenter, shown)
    painter.end()
    return picture
