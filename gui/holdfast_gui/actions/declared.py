"""Every declared action: importing a file of this list declares what is in it, in the order of the menus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from holdfast_gui.actions import application, held, search, session, storage, vault, view
from holdfast_gui.actions.registry import SPECS, ActionSpec

NOUNS: Final = (application, session, held, vault, search, view, storage)


def declared() -> Mapping[str, ActionSpec]:
    """Return all actions by id."""
    return SPECS
