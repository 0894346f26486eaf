"""Places that are pages of their own, each made when it is first gone to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject

from holdfast_gui.models.places import AGENTS, EXPIRING, HEALTH, LIVE, PROBLEMS, RECOVERY, STORAGE, TRASH, Place

if TYPE_CHECKING:
    from holdfast_gui.actions.context import Context
    from holdfast_gui.views.page import PlacePage


def _agents(context: Context) -> PlacePage:
    from holdfast_gui.actions.agents import Surveying

    return Surveying(context).page


def _expiring(context: Context) -> PlacePage:
    from holdfast_gui.actions.expecting import Expecting

    return Expecting(context).page


def _health(context: Context) -> PlacePage:
    from holdfast_gui.actions.health import Checkup

    return Checkup(context).page


def _live(context: Context) -> PlacePage:
    from holdfast_gui.actions.held_pages import Living

    return Living(context).page


def _problems(context: Context) -> PlacePage:
    from holdfast_gui.actions.held_pages import Solving

    return Solving(context).page


def _recovery(context: Context) -> PlacePage:
    from holdfast_gui.actions.held_pages import Recovering

    return Recovering(context).page


def _storage(context: Context) -> PlacePage:
    from holdfast_gui.actions.freeing import Freeing

    return Freeing(context).page


def _trash(context: Context) -> PlacePage:
    from holdfast_gui.actions.trashing import Trashing

    return Trashing(context).page


MAKERS: Final[dict[str, Callable[[Context], PlacePage]]] = {
    AGENTS.kind: _agents,
    EXPIRING.kind: _expiring,
    HEALTH.kind: _health,
    LIVE.kind: _live,
    PROBLEMS.kind: _problems,
    RECOVERY.kind: _recovery,
    STORAGE.kind: _storage,
    TRASH.kind: _trash,
}


class Pages(QObject):
    """Leads to a place: a page of its own, or a list."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.window)
        self._context = context
        self._made: dict[str, PlacePage] = {}

    def go_to(self, place: Place) -> None:
        """Show a place, whichever kind it is."""
        make = MAKERS.get(place.kind)
        if make is None:
            self._context.browser.go_to(place)
            return
        if place.kind not in self._made:
            self._made[place.kind] = make(self._context)
        # Where the arrow keys go through the places they go on doing so.
        is_among_places = self._context.window.places.list.hasFocus()
        self._context.window.places.select(place)
        self._context.window.show_page(self._made[place.kind])
        if not is_among_places:
            self._made[place.kind].take_focus()
