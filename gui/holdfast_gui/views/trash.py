"""The trash: what was deleted and can still be put back, until when, and how much it takes."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast_core.model.keeping import TrashEntry
from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from holdfast_gui import text
from holdfast_gui.text import tr
from holdfast_gui.theme import theme
from holdfast_gui.views.controls import Button, Label
from holdfast_gui.views.page import PlacePage
from holdfast_gui.views.trash_list import TrashList


class TrashPage(PlacePage):
    """Tells what is wanted of which sessions; rows scroll by themselves, however many there are."""

    restore_wanted = Signal(list)
    delete_wanted = Signal(list)
    empty_wanted = Signal()

    def __init__(self) -> None:
        super().__init__(tr("Trash"))
        self.list = TrashList()
        self.restore_button = Button(self.tr("Put back"), kind="primary")
        self.delete_button = Button(self.tr("Delete for ever…"), kind="danger")
        self.empty_button = Button(self.tr("Empty the trash…"))
        for button in (self.restore_button, self.delete_button, self.empty_button):
            self.tools.addWidget(button)
        self.summary = Label(font="small", colour="text2", wraps=True)
        self._menu: QMenu | None = None
        self._arrange()
        self.list.selection_changed.connect(self._on_selection)
        self.list.restore_wanted.connect(self._restore)
        self.list.delete_wanted.connect(self._delete)
        self.list.menu_wanted.connect(self._open_menu)
        self.restore_button.clicked.connect(self._restore)
        self.delete_button.clicked.connect(self._delete)
        self.empty_button.clicked.connect(self.empty_wanted)

    @property
    def entries(self) -> Sequence[TrashEntry]:
        """What is shown, from the top."""
        return self.list.rows.entries

    def set_entries(self, entries: Sequence[TrashEntry], *, days: int) -> None:
        """Show these rows; what is selected stays so. ``days`` is how long sessions stay, 0 for until emptied."""
        if tuple(entries) != self.entries:
            selected, current = set(self.list.selected_ids()), self.list.currentIndex().row()
            had_rows = bool(self.entries)
            self.list.rows.set_entries(entries)
            if had_rows:
                self.list.restore_selection(selected, current)
        size = text.size(sum(entry.size_bytes for entry in entries))
        self.summary.setText(f"{text.counted(len(entries), 'session', 'sessions')} · {size} · {_stay(days)}")
        self.empty_button.setEnabled(bool(entries))
        self._on_selection()
        self._show_rows(is_shown=bool(entries), days=days)

    def take_focus(self) -> None:
        """See `PlacePage`."""
        stop = self.list if self.entries else self.state.button
        stop.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_rows(self, *, is_shown: bool, days: int) -> None:
        for tool in (self.restore_button, self.delete_button, self.empty_button):
            tool.setVisible(is_shown)
        had_focus = self.list.hasFocus()
        self._rows.setVisible(is_shown)
        if is_shown:
            self.state.hide()
        else:
            self.say("trash", self.tr("The trash is empty"), _stay(days), self.tr("Show all sessions"))
            if had_focus:
                self.state.button.setFocus(Qt.FocusReason.OtherFocusReason)
        self.area.hide()

    def _arrange(self) -> None:
        self._rows = QWidget()
        column = QVBoxLayout(self._rows)
        column.setContentsMargins(theme().margins(28, 0, 20, 12))
        column.setSpacing(theme().px(10))
        column.addWidget(self.summary)
        column.addWidget(self.list, 1)
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.addWidget(self._rows, 1)

    def _on_selection(self) -> None:
        has_any = self.list.selectionModel().hasSelection()
        self.restore_button.setEnabled(has_any)
        self.delete_button.setEnabled(has_any)

    def _restore(self) -> None:
        if ids := self.list.selected_ids():
            self.restore_wanted.emit(ids)

    def _delete(self) -> None:
        if ids := self.list.selected_ids():
            self.delete_wanted.emit(ids)

    def _open_menu(self, at: QPoint) -> None:
        self._menu = QMenu(self)
        self._menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._menu.addAction(self.tr("Put back"), self._restore)
        self._menu.addAction(self.tr("Delete for ever…"), self._delete)
        self._menu.popup(at)


def _stay(days: int) -> str:
    if not days:
        return tr("What is deleted stays here until you empty it.")
    words = tr("What is deleted stays here for {days}, then it goes for good.")
    return words.format(days=text.counted(days, "day", "days"))
