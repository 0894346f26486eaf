"""What can be done to the application as a whole."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

import holdfast_core
from PySide6.QtCore import qVersion

from holdfast_gui.actions.registry import action
from holdfast_gui.notify import Kind
from holdfast_gui.tasks import ask
from holdfast_gui.text import tr
from holdfast_gui.views.about import AboutDialog
from holdfast_gui.views.choice_bar import ChoiceBar
from holdfast_gui.views.shortcuts import Row, ShortcutsDialog

if TYPE_CHECKING:
    from holdfast_gui.actions.context import Context


@action("application.palette", "Command &palette", menu="&View", group=2, keys=("Ctrl+K",), in_palette=False)
def palette(context: Context) -> None:
    """Do, open or run anything by a few letters of its name."""
    context.commands.open()


@action("application.open", "&Open Holdfast", icon="sessions", in_tray=True, in_palette=False)
def open_window(context: Context) -> None:
    """Bring the window to the front."""
    context.raise_window()


@action("application.rescan", "&Look for new sessions", menu="&File", keys=("F5",), icon="refresh")
async def rescan(context: Context) -> None:
    """Look through the files of all agents now."""
    await context.library.rescan()
    context.toast.say(tr("Looking for new sessions"))


@action(
    "application.pause",
    "Pause &scanning",
    menu="&File",
    icon="pause",
    in_tray=True,
    checked=lambda context: context.indexing.is_paused,
)
async def pause(context: Context) -> None:
    """Leave the agents' files alone until scanning goes on."""
    await context.indexing.pause(is_paused=not context.indexing.is_paused)
    context.refresh()


@action("application.settings", "Se&ttings…", menu="&File", group=8, keys=("Ctrl+,",), icon="settings")
async def settings(context: Context) -> None:
    """Choose how Holdfast looks, keeps, limits and protects; every change counts at once where it can."""
    await open_settings(context)


async def open_settings(context: Context, words: str = "") -> None:
    """Show the settings that hold ``words``, or all; the dialog is made when it is first asked for."""
    from holdfast_gui.actions.choosing import Choosing

    choosing = context.window.findChild(Choosing) or Choosing(context)
    await choosing.open(words)


@action("application.quit", "&Quit", menu="&File", group=9, keys=("Ctrl+Q",), icon="close", in_tray=True)
def leave(context: Context) -> None:
    """End Holdfast, and with it the watch over new sessions."""
    context.start_stopping()


@action("application.shortcuts", "&Shortcuts", menu="&Help", keys=("F1",), icon="info")
async def shortcuts(context: Context) -> None:
    """See every action with its keys, and change them."""
    actions = context.actions
    assert actions is not None
    rows = [
        Row(spec.id, spec.title.rstrip("…"), spec.help, actions.keys(spec.id), spec.list_keys)
        for spec in actions.specs.values()
    ]
    dialog = ShortcutsDialog(context.window, rows, {spec.id: spec.keys for spec in actions.specs.values()})
    dialog.changed.connect(context.change_keys)
    await ask(dialog)


@action("application.logs", "Open &logs folder", menu="&Help", group=1, icon="folder")
def logs(context: Context) -> None:
    """See what Holdfast wrote about its own work."""
    context.troubles.open_logs()


@action("application.trouble", "Go to the &problem", menu="&Help", group=1, keys=("F8",), icon="problem")
def trouble(context: Context) -> None:
    """Move the keyboard to the bar that says what went wrong."""
    choices = context.window.findChild(ChoiceBar)
    if choices is not None and choices.isVisible():
        choices.take_focus()
    elif context.troubles.waiting:
        context.troubles.bar.take_focus()
    else:
        context.toast.say(tr("Nothing went wrong"))


@action(
    "application.report",
    "Show last &report",
    menu="&Help",
    group=1,
    icon="problem",
    enabled=lambda context: context.troubles.last is not None,
)
def report(context: Context) -> None:
    """See what went wrong last, and copy a report of it."""
    context.troubles.show_details()


@action("application.about", "&About Holdfast", menu="&Help", group=2, icon="info")
async def about(context: Context) -> None:
    """See the version and where the files are."""
    facts = [
        ("Data", str(context.paths.data)),
        ("Settings", str(context.paths.settings)),
        ("Index", str(context.paths.index)),
        ("Logs", str(context.paths.log)),
        (tr("Python, Qt"), f"{platform.python_version()}, {qVersion()}"),
    ]
    await ask(AboutDialog(context.window, holdfast_core.__version__, facts))


def _declare_notification(kind: Kind) -> None:
    def is_wanted(context: Context) -> bool:
        return kind not in context.notifier.muted

    def switch(context: Context) -> None:
        context.notify(kind, is_wanted=not is_wanted(context))

    switch.__doc__ = f"Show a notification of the desktop, or none: {kind.heading}."
    action(f"application.notify_{kind}", f"Notify: {kind.heading}", menu="&View", group=3, checked=is_wanted)(switch)


for _kind in Kind:
    _declare_notification(_kind)
