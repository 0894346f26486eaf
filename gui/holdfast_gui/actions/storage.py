"""What can be done to the vault as a whole: see what it takes, and what agents are about to delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast_gui.actions.registry import action
from holdfast_gui.models.places import STORAGE

if TYPE_CHECKING:
    from holdfast_gui.actions.context import Context
    from holdfast_gui.models.places import Place


@action("storage.open", "S&torage", menu="&Go", group=2, icon="shield")
def open_storage(context: Context) -> None:
    """See what takes space, at the agents and here, and free it where it is safe."""
    _go_to(context, STORAGE)


def _go_to(context: Context, place: Place) -> None:
    from holdfast_gui.actions.pages import Pages

    pages = context.window.findChild(Pages)
    if pages is not None:
        pages.go_to(place)
