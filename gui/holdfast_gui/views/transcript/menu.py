"""The menu over the text: copy in its forms, open what is there."""

from __future__ import annotations

from collections.abc import Callable

from holdfast_core.model.message import ToolCall
from PySide6.QtCore import QPoint
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QMenu

from holdfast_gui.theme.icons import icon
from holdfast_gui.views.transcript.chunk import Button
from holdfast_gui.views.transcript.column import Placed
from holdfast_gui.views.transcript.view import TranscriptView


class TranscriptMenu(QMenu):
    """What can be done with the text and the step under the mouse."""

    def __init__(self, view: TranscriptView) -> None:
        super().__init__(view)
        self._view = view
        self._entry: Placed | None = None
        self.copy = self._add("copy", self.tr("Copy"), view.copy)
        self.copy.setShortcut(QKeySequence.StandardKey.Copy)
        self.copy_plain = self._add("", self.tr("Copy as plain text"), lambda: view.copy(as_plain=True))
        self.copy_block = self._add("", self.tr("Copy this block"), self._copy_block)
        self.select_all = self._add("", self.tr("Select all"), view.select_all)
        self.addSeparator()
        self.toggle = self._add("", "", self._toggle)
        self.open_session = self._add("subagent", self.tr("Open session"), self._open_session)

    def open_at(self, at: QPoint) -> None:
        """Open at a point of the screen, with what fits there."""
        view = self._view
        self._entry = view.entry_at(view.viewport().mapFromGlobal(at).toPointF())
        part = self._entry.part if self._entry else -1
        for action in (self.copy, self.copy_plain):
            action.setEnabled(bool(view.selection))
        self.copy_block.setVisible(self._copy_button() is not None)
        is_openable = part >= 0 and view.model.is_openable(part)
        self.toggle.setVisible(is_openable)
        self.toggle.setText(self.tr("Close") if is_openable and view.model.is_open(part) else self.tr("Open"))
        self.open_session.setVisible(bool(self._session_id()))
        self.popup(at)

    def _add(self, name: str, words: str, run: Callable[[], object]) -> QAction:
        action = self.addAction(words)
        if name:
            action.setIcon(icon(name))
        action.triggered.connect(lambda _checked=False: run())
        return action

    def _copy_button(self) -> Button | None:
        """Return the Copy of the card under the mouse, which its first piece has."""
        if self._entry is None:
            return None
        chunks = self._view.column.chunks(self._entry.part)
        for number in range(self._entry.number, -1, -1):
            found = next((button for button in chunks[number].buttons() if button.action == "copy"), None)
            if found is not None or type(chunks[number]) is not type(self._entry.chunk):
                return found
        return None

    def _copy_block(self) -> None:
        button = self._copy_button()
        if button is not None:
            QGuiApplication.clipboard().setText(button.value())

    def _toggle(self) -> None:
        if self._entry is not None:
            self._view.toggle(self._entry.part)

    def _session_id(self) -> str:
        block = self._view.model.block(self._entry.part) if self._entry else None
        return block.session_id or "" if isinstance(block, ToolCall) else ""

    def _open_session(self) -> None:
        if self._session_id():
            self._view.session_wanted.emit(self._session_id())
