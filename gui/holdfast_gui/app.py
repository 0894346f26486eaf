"""The window's program: hands over to a running one, else constructs the parts, connects them and puts them away.

Nothing behaves here. The order of imports is the order of the start: what a
second start needs, then what the first paint needs, then the rest.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from holdfast_core.model.start import WindowStart
from holdfast_core.paths import find_paths

from holdfast_gui.single_instance import Handover, Instance, forward

if TYPE_CHECKING:
    from holdfast_core.paths import Paths

    from holdfast_gui.actions.context import Context
    from holdfast_gui.actions.desktop import Application
    from holdfast_gui.actions.dragging import Dragging
    from holdfast_gui.actions.menus import Menus
    from holdfast_gui.actions.saying import Saying
    from holdfast_gui.actions.searching import Searching
    from holdfast_gui.actions.traying import Traying
    from holdfast_gui.bridge import Bridge
    from holdfast_gui.crash import Reporter
    from holdfast_gui.tasks import Scope
    from holdfast_gui.tray import Tray

HANDOVER_SECONDS: Final = 3.0
THREADS: Final = 8
ROWS_BEFORE_PAINT_SECONDS: Final = 0.2


def main(start: WindowStart) -> int:
    """Run the window until it is closed and return the exit code; a running window takes ``start`` over instead."""
    paths = find_paths(start.home)
    if forward(paths.data, start.opened):
        return 0
    paths.create()
    os.environ["QT_API"] = "pyside6"
    from holdfast_gui.actions.desktop import Application

    application = Application()
    instance = Instance(paths.data)
    if not instance.claim():
        if forward(paths.data, start.opened, timeout_seconds=HANDOVER_SECONDS):
            return 0
        sys.stderr.write("Holdfast is already running, but does not answer. End it and start it again.\n")
        return 1
    from qasync import QEventLoop

    try:
        with asyncio.Runner(loop_factory=lambda: QEventLoop(application)) as runner:
            runner.run(run(application, instance, paths, start))
    finally:
        instance.close()
    return 0


async def run(application: Application, instance: Instance, paths: Paths, start: WindowStart) -> None:
    """Show the window, let it work until it is to stop, and put everything away."""
    from holdfast_core.log import open_logs

    from holdfast_gui.crash import Reporter
    from holdfast_gui.tasks import Scope

    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(THREADS, "work"))
    close_logs = open_logs(paths)
    reporter = Reporter(application)
    loop.set_exception_handler(reporter.handle_loop)
    with reporter.installed():
        scope = Scope(reporter.report)
        _listen_to_signals(loop, scope)
        application.quit_wanted.connect(scope.stop.set)
        parts = assemble(application, paths, start, scope, reporter)
        connect(parts, application, instance, reporter)
        scope.spawn(_begin(parts, start), "the start")
        await scope.run()
        await _put_away(parts)
    close_logs()


@dataclass(slots=True, kw_only=True)
class Parts:
    """Everything that one window is made of."""

    context: Context
    bridge: Bridge
    dragging: Dragging
    menus: Menus
    saying: Saying
    searching: Searching
    tray: Tray
    traying: Traying


def assemble(application: Application, paths: Paths, start: WindowStart, scope: Scope, reporter: Reporter) -> Parts:
    """Make the parts, none of which does anything yet."""
    from holdfast_core.library import Library

    from holdfast_gui.actions import memory
    from holdfast_gui.actions.browse import Browser
    from holdfast_gui.actions.commands import CommandLine, Commands
    from holdfast_gui.actions.context import Context
    from holdfast_gui.actions.declared import declared
    from holdfast_gui.actions.dragging import Dragging
    from holdfast_gui.actions.indexing import Indexing
    from holdfast_gui.actions.keyboard import PlainKeys
    from holdfast_gui.actions.menus import Menus
    from holdfast_gui.actions.reading import Reading
    from holdfast_gui.actions.registry import Actions
    from holdfast_gui.actions.saying import Saying
    from holdfast_gui.actions.searching import Searching
    from holdfast_gui.actions.traying import Traying
    from holdfast_gui.actions.troubles import Troubles
    from holdfast_gui.bridge import Bridge
    from holdfast_gui.theme import theme
    from holdfast_gui.tray import Tray
    from holdfast_gui.views.palette import Palette
    from holdfast_gui.views.toast import Toast
    from holdfast_gui.views.transcript.pane import TranscriptPane
    from holdfast_gui.views.window import MainWindow

    remembered = memory.load(paths.config)
    theme().apply(application, mode=remembered.theme, scale=remembered.font_scale)
    agents_home = Path(start.agents_home) if start.agents_home else None
    library = Library.open(paths, agents_home=agents_home)
    transcript = TranscriptPane()
    window = MainWindow(transcript)
    window.restore_state(remembered.window)
    toast = Toast(window)
    context = Context(
        paths=paths,
        overrides=start.overrides,
        window=window,
        transcript=transcript,
        library=library,
        scope=scope,
        memory=remembered,
        browser=Browser(window, library, scope),
        reading=Reading(window, transcript, library, scope),
        indexing=Indexing(window, library, scope, home=agents_home or Path.home()),
        troubles=Troubles(window, toast, paths),
        toast=toast,
    )
    actions = Actions(context, declared())
    actions.set_keys(remembered.keys)
    context.complete(actions, Commands(context, Palette(window), CommandLine.of(start)))
    PlainKeys(application)
    tray = Tray(actions.in_tray(), window)
    return Parts(
        context=context,
        bridge=Bridge(library, window),
        dragging=Dragging(context, reporter),
        menus=Menus(context),
        saying=Saying(context),
        searching=Searching(context),
        tray=tray,
        traying=Traying(context, tray),
    )


def connect(parts: Parts, application: Application, instance: Instance, reporter: Reporter) -> None:
    """Lead every signal to what answers it."""
    context = parts.context
    reporter.happened.connect(context.troubles.show)
    slot = context.scope.slot

    async def arrived(handover: Handover) -> None:
        os.environ["XDG_ACTIVATION_TOKEN"] = handover.activation_token
        await _opening(context, handover.arguments, handover.directory)

    instance.arrived.connect(slot(arrived))
    application.open_wanted.connect(slot(lambda target: _opening(context, (target,), "")))
    context.window.close_requested.connect(parts.traying.close_window)
    _connect_index(parts)
    _connect_list(parts)
    _connect_session(parts)
    _connect_tray(parts)


def _connect_index(parts: Parts) -> None:
    context, bridge = parts.context, parts.bridge
    bridge.changed.connect(context.indexing.hear)
    bridge.changed.connect(context.browser.hear)
    bridge.changed.connect(context.reading.hear)
    bridge.changed.connect(parts.traying.hear)
    bridge.changed.connect(parts.traying.refill)
    bridge.progressed.connect(context.indexing.progress)
    bridge.failed.connect(context.indexing.fail)
    context.indexing.counted.connect(context.take_agents)
    context.window.first_run.done_pressed.connect(context.browser.open_first)


def _connect_list(parts: Parts) -> None:
    context, searching = parts.context, parts.searching
    slot, window, browser = context.scope.slot, context.window, context.browser
    window.places.place_selected.connect(browser.go_to)
    window.search_field.text_changed.connect(browser.type)
    window.search_field.submitted.connect(searching.submit)
    window.search_field.list_wanted.connect(browser.open_first)
    window.search_field.cancelled.connect(browser.open_first)
    window.search_field.save_wanted.connect(lambda: context.actions.run("search.save"))
    window.search_field.completion_wanted.connect(searching.complete)
    sessions = window.session_list
    sessions.activated.connect(lambda: context.actions.run("session.resume"))
    sessions.current_changed.connect(searching.open)
    sessions.selection_changed.connect(context.refresh)
    sessions.context_menu_wanted.connect(parts.menus.open_context_menu)
    sessions.rename_finished.connect(slot(parts.saying.rename))
    sessions.star_toggled.connect(slot(parts.saying.toggle_star))
    sessions.drag_wanted.connect(parts.dragging.start)
    sessions.sort_chosen.connect(browser.order_by)
    sessions.group_chosen.connect(browser.group)
    sessions.empty.action_pressed.connect(browser.do_empty_action)


def _connect_session(parts: Parts) -> None:
    context, saying = parts.context, parts.saying
    slot, window = context.scope.slot, context.window
    context.reading.turned.connect(context.refresh)
    window.head.resume_clicked.connect(lambda: context.actions.run("session.resume"))
    window.head.export_clicked.connect(lambda: context.actions.run("session.export"))
    window.detail.note_edited.connect(slot(saying.note))
    window.detail.tags_edited.connect(slot(saying.tag))
    window.detail.subagent_clicked.connect(context.reading.open)
    window.detail.file_clicked.connect(saying.open_file)
    context.transcript.session_wanted.connect(context.reading.open)
    context.transcript.link_clicked.connect(saying.open_link)


def _connect_tray(parts: Parts) -> None:
    context, tray = parts.context, parts.tray
    tray.session_wanted.connect(context.scope.slot(parts.traying.resume))
    tray.open_wanted.connect(context.raise_window)
    tray.search_wanted.connect(lambda: context.actions.run("search.focus"))
    tray.message_clicked.connect(parts.traying.notifier.clicked)


async def _opening(context: Context, arguments: tuple[str, ...], directory: str) -> None:
    from holdfast_gui.actions.opening import carry_out

    await carry_out(context, arguments, directory)


async def _begin(parts: Parts, start: WindowStart) -> None:
    """Paint what the index knows at once; what takes longer comes after that."""
    from holdfast_gui.actions.desktop import PaintWatch

    context = parts.context
    painted = asyncio.Event()
    PaintWatch(context.window).painted.connect(painted.set)
    context.browser.restore_order()
    listing = context.browser.ask()
    await asyncio.wait({listing}, timeout=ROWS_BEFORE_PAINT_SECONDS)
    context.show_window()
    await painted.wait()
    await context.indexing.count()
    context.indexing.welcome()
    await context.take_settings()
    parts.tray.show()
    parts.traying.refill()
    parts.traying.say_what_is_missing()
    await context.library.start()
    if start.opened:
        await _opening(context, start.opened, str(Path.cwd()))


async def _put_away(parts: Parts) -> None:
    """Remember the window, end the indexer, leave nothing behind."""
    context = parts.context
    context.remember()
    parts.tray.hide()
    context.window.hide()
    parts.bridge.close()
    await context.library.close()
    parts.dragging.close()


def _listen_to_signals(loop: asyncio.AbstractEventLoop, scope: Scope) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        _on_signal(loop, number, scope.stop.set)


def _on_signal(loop: asyncio.AbstractEventLoop, number: int, stop: Callable[[], None]) -> None:
    try:
        loop.add_signal_handler(number, stop)
    except NotImplementedError:  # Windows
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
