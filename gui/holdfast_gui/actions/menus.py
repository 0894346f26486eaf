"""The menu bar and the context menu, made of the declared actions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from holdfast_gui.actions.registry import MENUS
from holdfast_gui.text import tr

if TYPE_CHECKING:
    from holdfast_gui.actions.context import Context


class Menus(QObject):
    """Fills menus once; enabled and checked follow the actions by themselves."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.window)
        self._context = context
        bar = context.window.menuBar()
        for name in MENUS:
            menu = bar.addMenu(tr(name))
            _fill(menu, context.actions.of_menu(name))
            menu.aboutToShow.connect(context.refresh)
        # Everything is in the palette, the context menu and under F1: the bar is shown to those who want it.
        bar.setVisible(bar.isNativeMenuBar() or context.memory.shows_menu_bar)
        self.context_menu = QMenu(context.window)
        _fill(self.context_menu, context.actions.in_context_menu())
        self.transcript_menu = QMenu(context.window)
        edit = context.actions.of_menu("&Edit")
        _fill(self.transcript_menu, (item for item in edit if item is None or item.objectName().startswith("view.")))

    def open_context_menu(self, at: QPoint) -> None:
        """Open what can be done to the selected sessions, at a place on the screen."""
        self._context.refresh()
        self.context_menu.popup(at)

    def open_transcript_menu(self, at: QPoint) -> None:
        """Open what can be done with the words of the open session, at a place on the screen."""
        self._context.refresh()
        self.transcript_menu.popup(at)


def _fill(menu: QMenu, actions: Iterable[QAction | None]) -> None:
    for action in actions:
        if action is None:
            menu.addSeparator()
        else:
            menu.addAction(action)
