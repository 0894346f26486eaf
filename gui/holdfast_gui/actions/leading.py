"""From a figure or a line of a page to the list or the session behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast_core.errors import NotFound

from holdfast_gui.models.places import ALL, Place
from holdfast_gui.text import tr

if TYPE_CHECKING:
    from holdfast_gui.actions.context import Context


def show_list(context: Context, query_text: str, title: str) -> None:
    """Show what the search field would find for this; ``place:all`` is all sessions."""
    kind, _, value = query_text.partition(":")
    if query_text == "place:all":
        place = ALL
    elif kind in ("agent", "project"):
        place = Place("agent" if kind == "agent" else "project", value.strip('"'), query_text, title)
    else:
        place = Place("saved", query_text, query_text, title)
    context.browser.go_to(place)


async def show_session(context: Context, session_id: str) -> None:
    """Open a session, in the place of all sessions."""
    try:
        entry = await context.library.entry(session_id)
    except NotFound:
        context.toast.say(tr("This session is not listed any more"))
        return
    context.browser.reveal(entry.id)
    context.reading.open(entry.id)
