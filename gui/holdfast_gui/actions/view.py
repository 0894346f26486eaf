"""What can be done to the window and within the open session."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from holdfast_gui.actions.registry import action
from holdfast_gui.models.places import AGENTS, HEALTH
from holdfast_gui.text import tr
from holdfast_gui.views.choice_bar import ChoiceBar

if TYPE_CHECKING:
    from holdfast_gui.actions.context import Context

PLACES: Final = 9


def _is_open(context: Context) -> bool:
    return context.reading.loaded is not None


def _shows_places(context: Context) -> bool:
    return not context.window.places.isHidden()


def _shows_detail(context: Context) -> bool:
    return not context.window.detail.isHidden()


@action("view.copy", "&Copy", menu="&Edit", keys=("Ctrl+C",), icon="copy", enabled=_is_open)
def copy(context: Context) -> None:
    """Put the selected part of the transcript on the clipboard, as Markdown."""
    if not context.transcript.copy_selection():
        context.toast.say(tr("Nothing is selected in the transcript"))


@action("view.copy_plain", "Copy without &markup", menu="&Edit", icon="copy", enabled=_is_open)
def copy_plain(context: Context) -> None:
    """Put the selected part of the transcript on the clipboard, as plain text."""
    if not context.transcript.copy_selection(as_plain=True):
        context.toast.say(tr("Nothing is selected in the transcript"))


@action("view.copy_block", "Copy &block", menu="&Edit", icon="copy", enabled=_is_open)
def copy_block(context: Context) -> None:
    """Put the code, output or change that was last pointed at on the clipboard."""
    if not context.transcript.copy_block():
        context.toast.say(tr("There is no code, output or change here"))


@action("view.select_all", "Select &whole session", menu="&Edit", icon="sessions", enabled=_is_open)
def select_all(context: Context) -> None:
    """Select everything in the open session."""
    context.transcript.select_all()


@action("view.find", "&Find in session", menu="&Edit", group=1, keys=("Ctrl+F",), icon="search", enabled=_is_open)
def find(context: Context) -> None:
    """Look for words in the open session."""
    context.transcript.open_find()


@action("view.find_next", "Find &next", menu="&Edit", group=1, keys=("F3",), icon="chevron-down", enabled=_is_open)
def find_next(context: Context) -> None:
    """Go to the next place that was found."""
    context.transcript.find_next()


@action(
    "view.find_previous",
    "Find &previous",
    menu="&Edit",
    group=1,
    keys=("Shift+F3",),
    icon="chevron-up",
    enabled=_is_open,
)
def find_previous(context: Context) -> None:
    """Go to the former place that was found."""
    context.transcript.find_previous()


@action(
    "view.next_prompt", "&Next prompt", menu="&Go", group=1, keys=("Ctrl+Down",), icon="chevron-down", enabled=_is_open
)
def next_prompt(context: Context) -> None:
    """Go to the next thing that was asked in the open session."""
    context.transcript.next_prompt()


@action(
    "view.previous_prompt",
    "&Previous prompt",
    menu="&Go",
    group=1,
    keys=("Ctrl+Up",),
    icon="chevron-up",
    enabled=_is_open,
)
def previous_prompt(context: Context) -> None:
    """Go to the former thing that was asked in the open session."""
    context.transcript.previous_prompt()


@action("view.next_session", "Next &session", menu="&Go", group=2, list_keys=("J",), icon="chevron-down")
def next_session(context: Context) -> None:
    """Go down in the list."""
    context.window.session_list.step(1)


@action("view.previous_session", "Previous sessio&n", menu="&Go", group=2, list_keys=("K",), icon="chevron-up")
def previous_session(context: Context) -> None:
    """Go up in the list."""
    context.window.session_list.step(-1)


@action("view.places", "&Places", menu="&View", keys=("Ctrl+B",), icon="sidebar-left", checked=_shows_places)
def places(context: Context) -> None:
    """Show or hide the places."""
    context.window.toggle_places()


@action("view.detail", "&Details", menu="&View", keys=("Ctrl+I",), icon="sidebar-right", checked=_shows_detail)
def detail(context: Context) -> None:
    """Show or hide the details of the open session."""
    context.window.toggle_detail()


@action(
    "view.menu_bar",
    "&Menu bar",
    menu="&View",
    keys=("F10",),
    icon="more",
    checked=lambda context: context.memory.shows_menu_bar,
)
def menu_bar(context: Context) -> None:
    """Show or hide the menus above the window; everything in them is in the palette too."""
    context.memory.shows_menu_bar = not context.memory.shows_menu_bar
    bar = context.window.menuBar()
    bar.setVisible(bar.isNativeMenuBar() or context.memory.shows_menu_bar)
    context.refresh()


@action(
    "view.subagents",
    "&Subagents in the list",
    menu="&View",
    group=1,
    icon="subagent",
    checked=lambda context: context.browser.shows_subagents,
)
def subagents(context: Context) -> None:
    """List the sessions that other sessions started, too."""
    context.browser.shows_subagents = not context.browser.shows_subagents
    context.browser.ask()


@action("view.agents", "&Agents", menu="&Go", group=2, icon="terminal")
def agents(context: Context) -> None:
    """See which agents are here, how well their sessions are understood, and where else to look."""
    context.window.places.choose(AGENTS)


@action("view.health", "&Health", menu="&Go", group=2, icon="health")
def health(context: Context) -> None:
    """See how fast Holdfast is, what it takes on the disk, and whether all is well."""
    context.window.places.choose(HEALTH)


@action("view.back", "Step &back", menu="&Go", group=3, keys=("Esc",), icon="chevron-left", in_palette=False)
def back(context: Context) -> None:
    """Leave what is open for what was before it: trouble, a page, find, a version, the typed search, the list."""
    window = context.window
    choices = window.findChild(ChoiceBar)
    if context.troubles.bar.isVisible():
        context.troubles.dismiss()
    elif choices is not None and choices.isVisible():
        choices.hide()
    elif window.page is not None:
        context.browser.come_back()
        window.session_list.setFocus()
    elif context.transcript.find_bar.isVisible():
        context.transcript.close_find()
    elif context.reading.version is not None:
        context.reading.back_to_now()
    elif window.step_back():
        context.refresh()
    elif context.browser.typed:
        window.search_field.clear()
    else:
        window.session_list.setFocus()


def _declare_place(number: int) -> None:
    run = _goes_to(number)
    run.__doc__ = f"Show place number {number} of the places pane."
    action(f"view.place_{number}", f"Go to place &{number}", menu="&Go", keys=(f"Ctrl+{number}",), in_palette=False)(
        run
    )


def _goes_to(number: int) -> Callable[[Context], None]:
    def run(context: Context) -> None:
        context.window.places.select_nth(number)

    return run


for _number in range(1, PLACES + 1):
    _declare_place(_number)
