"""What can be done to find sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast_gui.actions.registry import action
from holdfast_gui.models.places import SavedSearch
from holdfast_gui.text import tr

if TYPE_CHECKING:
    from holdfast_gui.actions.context import Context


def _has_query(context: Context) -> bool:
    return bool(context.browser.typed.strip())


@action("search.focus", "&Search sessions", menu="&Edit", group=2, keys=("/",), icon="search", in_tray=True)
def focus(context: Context) -> None:
    """Type what to look for in all sessions."""
    context.raise_window()
    context.browser.come_back()
    context.window.focus_search()


@action("search.clear", "C&lear search", menu="&Edit", group=2, icon="close", enabled=_has_query)
def clear(context: Context) -> None:
    """List all sessions of this place again."""
    context.window.search_field.clear()


@action("search.save", "Sa&ve search", menu="&Edit", group=2, icon="bookmark", enabled=_has_query)
def save(context: Context) -> None:
    """Keep what is typed among the places."""
    typed = context.browser.query_text
    context.window.places.add_saved(SavedSearch(typed, typed))
    context.toast.say(tr("Search saved"))
