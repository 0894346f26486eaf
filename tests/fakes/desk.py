"""The whole window in the test's own process: every real part, over a home with a dozen invented sessions."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from holdfast_core.model.start import WindowStart
from holdfast_core.paths import Paths, find_paths
from holdfast_gui.actions.context import Context
from holdfast_gui.actions.desktop import Application
from holdfast_gui.app import Program
from holdfast_gui.app.parts import Parts, assemble, assemble_front
from holdfast_gui.app.wires import connect
from holdfast_gui.crash import Incident, Reporter
from holdfast_gui.single_instance import Instance
from holdfast_gui.tasks import Scope
from holdfast_gui.views.window import MainWindow
from PySide6.QtWidgets import QApplication

from tests.fakes.homes import FakeHome, a_dozen
from tests.fakes.waiting import until


@dataclass(slots=True)
class Desk:
    """One window and what stands behind it."""

    parts: Parts
    home: FakeHome
    paths: Paths
    incidents: list[Incident]

    @property
    def context(self) -> Context:
        """What the actions are given."""
        return self.parts.context

    @property
    def window(self) -> MainWindow:
        """The window."""
        return self.parts.context.window

    @property
    def titles(self) -> list[str]:
        """The titles in the list, from the top."""
        model = self.window.session_list.model
        entries = (model.entry_at(row) for row in range(model.rowCount()))
        return [entry.title for entry in entries if entry]

    def id_of(self, title: str) -> str:
        """Return the id of the session that was written under this title."""
        return next(id for id, path in self.home.written.items() if title in path.read_text("utf-8"))

    async def select(self, title: str) -> None:
        """Select a session and wait until it is read."""
        assert self.window.session_list.select_session(self.id_of(title))
        await until(lambda: self.context.reading.loaded and self.context.reading.entry.title == title, what=title)

    async def listed(self, *titles: str) -> None:
        """Wait until exactly these sessions are listed, in this order."""
        await until(lambda: self.titles == list(titles), what=f"{titles} listed")


class _Ground:
    """What a window stands on: a home, our directories, a reporter whose incidents are kept, a scope that runs."""

    def __init__(self, directory: Path) -> None:
        application = QApplication.instance()
        assert isinstance(application, Application)
        self.application = application
        self.home = a_dozen(directory / "person", datetime.now(UTC))
        self.paths = find_paths(str(directory / "home"))
        self.paths.create()
        self.instance = Instance(self.paths.data)
        self.start = WindowStart(home=str(directory / "home"), agents_home=str(self.home.path))
        self.incidents: list[Incident] = []
        self.reporter = Reporter()
        self.reporter.happened.connect(self.incidents.append)
        self.scope = Scope(self.reporter.report)
        self._running = asyncio.ensure_future(self.scope.run())

    def desk(self, parts: Parts) -> Desk:
        """Return the desk over this ground."""
        return Desk(parts, self.home, self.paths, self.incidents)

    async def stop(self) -> None:
        """End every task of the scope."""
        self.scope.stop.set()
        await self._running


@asynccontextmanager
async def open_desk(directory: Path) -> AsyncIterator[Desk]:
    """Open the window over an index that is up to date; nothing else runs."""
    ground = _Ground(directory)
    front = assemble_front(ground.application, ground.paths, ground.start, ground.scope)
    await front.library.update()
    parts = await assemble(front, ground.application, ground.reporter)
    connect(parts, ground.application, ground.instance, ground.reporter)
    front.browser.restore_order()
    await front.browser.ask()
    await front.indexing.count()
    await parts.context.take_settings()
    front.window.show()
    yield ground.desk(parts)
    await ground.stop()
    parts.put_away()
    front.window.hide()
    front.window.deleteLater()
    await front.library.close()


@asynccontextmanager
async def started(directory: Path) -> AsyncIterator[Desk]:
    """Start the window as the program does, with an indexer that runs, over whatever index there is."""
    ground = _Ground(directory)
    program = Program(ground.application, ground.instance, ground.paths, ground.start, ground.scope, ground.reporter)
    await program.begin()
    assert program.parts is not None and program.front is not None
    try:
        yield ground.desk(program.parts)
    finally:
        await ground.stop()
        await program.end()
        program.front.window.deleteLater()
    assert [incident.message for incident in ground.incidents] == []


def on_a_desk(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Run a test with an open desk as its first argument, all in one run of the loop; a fault of ours fails it.

    A fixture would not do: between the phases of a test Qt's events are
    handled while no loop runs, and tasks must not go on then.
    """
    wanted = list(inspect.signature(test).parameters.values())[1:]
    names = {parameter.name for parameter in wanted}

    async def run(**given: Any) -> None:
        async with open_desk(given["tmp_path"]) as desk:
            await test(desk, **{name: value for name, value in given.items() if name in names})
        assert [incident.details for incident in desk.incidents if incident.is_bug] == []

    more = [name for name in ("tmp_path", "qapp") if name not in names]
    added = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in more]
    run.__name__, run.__doc__, run.__module__ = test.__name__, test.__doc__, test.__module__
    run.__signature__ = inspect.Signature([*wanted, *added])  # type: ignore[attr-defined]  # what pytest reads
    return run
