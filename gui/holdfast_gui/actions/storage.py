"""What can be done to all that is kept: see what it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast_gui.actions.registry import action
from holdfast_gui.models.places import STORAGE

if TYPE_CHECKING:
    from holdfast_gui.actions.context import Context


@action("storage.open", "S&torage", menu="&Go", group=2, icon="shield")
def open_storage(context: Context) -> None:
    """See what takes space, at the agents and here, and free it where it is safe."""
    context.window.places.choose(STORAGE)
