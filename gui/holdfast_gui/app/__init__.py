"""The window's program: hands over to a running one, else makes the parts, connects them and puts them away.

Nothing behaves here. The order of imports is the order of the start: what a
second start needs (this file), what the first paint needs (`parts`), the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from holdfast_core.model.start import WindowStart
from holdfast_core.paths import find_paths

from holdfast_gui.single_instance import Instance, forward

if TYPE_CHECKING:
    from holdfast_core.paths import Paths

    from holdfast_gui.actions.desktop import Application
    from holdfast_gui.app.parts import Front, Parts
    from holdfast_gui.crash import Incident, Reporter
    from holdfast_gui.tasks import Scope

HANDOVER_SECONDS: Final = 3.0
THREADS: Final = 8
ROWS_BEFORE_PAINT_SECONDS: Final = 0.2
PAINT_SECONDS: Final = 1.0
LOG_LEVEL: Final = "info"


def main(start: WindowStart) -> int:
    """Run the window until it is closed and return the exit code; a running window takes ``start`` over instead."""
    paths = find_paths(start.home)
    if forward(paths.data, start.opened):
        return 0
    gc.disable()  # until all parts are there: nothing that is made before is thrown away
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
            return runner.run(run(application, instance, paths, start))
    finally:
        instance.close()


async def run(application: Application, instance: Instance, paths: Paths, start: WindowStart) -> int:
    """Show the window, let it work until it is to stop, put everything away, and return the exit code."""
    from holdfast_gui.crash import Reporter
    from holdfast_gui.tasks import Scope

    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(THREADS, "work"))
    reporter = Reporter(application)
    loop.set_exception_handler(reporter.handle_loop)
    with reporter.installed():
        scope = Scope(reporter.report)
        _listen_to_signals(loop, scope)
        application.quit_wanted.connect(scope.stop.set)
        program = Program(application, instance, paths, start, scope, reporter)
        scope.spawn(program.begin(), "the start").add_done_callback(program.check_start)
        await scope.run()
        await program.end()
    return program.exit_code


def _nothing_to_close() -> None:
    """Stand for logs that are not open."""


@dataclass(slots=True)
class Program:
    """One run of the window."""

    application: Application
    instance: Instance
    paths: Paths
    start: WindowStart
    scope: Scope
    reporter: Reporter
    front: Front | None = None
    parts: Parts | None = None
    exit_code: int = 0
    early: list[Incident] = field(default_factory=list)
    close_logs: Callable[[], None] = _nothing_to_close
    log_level: str = ""

    async def begin(self) -> None:
        """Paint what the index knows at once; whatever takes longer comes after that."""
        from holdfast_gui.app.parts import assemble_front

        self.reporter.happened.connect(self.early.append)
        self.front = assemble_front(self.application, self.paths, self.start, self.scope)
        await self._paint(self.front)
        self._open_logs(LOG_LEVEL)
        from holdfast_gui.app.parts import assemble
        from holdfast_gui.app.wires import connect

        parts = self.parts = await assemble(self.front, self.application, self.reporter)
        connect(parts, self.application, self.instance, self.reporter)
        self.reporter.happened.disconnect(self.early.append)
        for incident in self.early:
            parts.context.troubles.show(incident)
        await self._go_on(parts)

    async def end(self) -> None:
        """Remember the window, end the indexer, leave nothing behind."""
        if self.parts is not None:
            self.parts.put_away()
        if self.front is not None:
            self.front.window.hide()
            await self.front.library.close()
        self.close_logs()

    def check_start(self, _begun: asyncio.Task[None]) -> None:
        """End the program if its window could not be made: nobody could see it or close it."""
        if self.parts is not None or self.scope.stop.is_set():
            return
        for incident in self.early:
            sys.stderr.write(incident.report)
        self.exit_code = 1
        self.scope.stop.set()

    def _open_logs(self, level: str) -> None:
        from holdfast_core.log import open_logs
        from holdfast_core.redact.at_need import without_secrets

        if level != self.log_level:
            self.close_logs()
            self.close_logs = open_logs(self.paths, level, remove=without_secrets)
            self.log_level = level

    async def _paint(self, front: Front) -> None:
        from holdfast_gui.actions.desktop import PaintWatch, show_first

        front.browser.restore_order()
        known = {front.browser.ask(), self.scope.spawn(front.indexing.count(whole=False), "count")}
        await asyncio.wait(known, timeout=ROWS_BEFORE_PAINT_SECONDS)
        sessions = front.window.session_list
        painted = asyncio.Event()
        PaintWatch(sessions.table.viewport() if sessions.model.session_count else sessions).painted.connect(painted.set)
        show_first(front.window)
        sessions.setFocus()
        # A window that opens as an icon or under others is not painted, but has to work all the same.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(painted.wait(), PAINT_SECONDS)

    async def _go_on(self, parts: Parts) -> None:
        """Start what looks for new sessions, and do what the start asked for."""
        from holdfast_gui.actions.opening import carry_out
        from holdfast_gui.actions.warm import load_soon
        from holdfast_gui.app.collector import Collector

        context = parts.context
        await context.indexing.count()
        context.indexing.welcome()
        await asyncio.get_running_loop().run_in_executor(None, load_soon)
        context.settled.add(lambda settings: self._open_logs(settings.log_level))
        await context.take_settings()
        Collector(self.application, context.window)
        parts.tray.show()
        parts.traying.refill()
        parts.traying.say_what_is_missing()
        await context.library.start()
        kept = self.scope.spawn(context.keeping.begin(), "the check of held sessions")
        self.scope.spawn(context.guarding.begin(), "the vault")
        if self.start.opened:
            await carry_out(context, self.start.opened, str(Path.cwd()))
        await kept


def _listen_to_signals(loop: asyncio.AbstractEventLoop, scope: Scope) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        _on_signal(loop, number, scope.stop.set)


def _on_signal(loop: asyncio.AbstractEventLoop, number: int, stop: Callable[[], None]) -> None:
    try:
        loop.add_signal_handler(number, stop)
    except NotImplementedError:  # Windows
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
