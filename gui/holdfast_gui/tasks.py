"""Background work of the window: every task has an owner, every failure a listener."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

from PySide6.QtWidgets import QDialog

log = logging.getLogger(__name__)

Work = Coroutine[Any, Any, Any]
Report = Callable[[str, BaseException], None]

GRACE_SECONDS: Final = 3.0


class Scope:
    """Owns the tasks of one run of the application.

    A task that fails is reported by name and does not end its siblings. When
    ``stop`` is set, the tasks are cancelled and get `GRACE_SECONDS` to end.
    """

    def __init__(self, report: Report) -> None:
        self.stop = asyncio.Event()
        self._report = report
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Work, name: str) -> asyncio.Task[Any]:
        """Start a coroutine; after ``stop`` it is dropped unstarted and the task is already cancelled."""
        task = asyncio.get_running_loop().create_task(self._guarded(work, name), name=name)
        if self.stop.is_set():
            task.cancel()
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # A task that is cancelled before its first step never comes to what it was to guard.
        task.add_done_callback(lambda _: work.close())
        return task

    def slot(self, function: Callable[..., Work]) -> Callable[..., None]:
        """Return what a signal can call: starts ``function`` with as many of its arguments as it takes."""
        count = len(inspect.signature(function).parameters)
        name = getattr(function, "__qualname__", "slot")

        def start(*arguments: object) -> None:
            if not self.stop.is_set():
                self.spawn(function(*arguments[:count]), name)

        return start

    async def run(self) -> None:
        """Return when ``stop`` was set and every task has ended or used up its grace."""
        await self.stop.wait()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            _, pending = await asyncio.wait(tasks, timeout=GRACE_SECONDS)
            for task in pending:
                log.error("task %s did not end in time", task.get_name())

    async def _guarded(self, work: Work, name: str) -> Any:
        try:
            return await work
        except Exception as error:  # noqa: BLE001 - a task of the window: whatever failed is shown, the window goes on
            self._report(name, error)
            return None


class Latest:
    """Runs one piece of work at a time, where a newer one makes the older pointless."""

    def __init__(self, scope: Scope, name: str) -> None:
        self._scope = scope
        self._name = name
        self._task: asyncio.Task[Any] | None = None

    @property
    def is_running(self) -> bool:
        """Whether the newest work has not ended yet."""
        return self._task is not None and not self._task.done()

    def start(self, work: Work) -> asyncio.Task[Any]:
        """Cancel what still runs and start this instead."""
        self.cancel()
        self._task = self._scope.spawn(work, self._name)
        return self._task

    def cancel(self) -> None:
        """End what runs, without a replacement."""
        if self._task is not None:
            self._task.cancel()
            self._task = None


async def ask(dialog: QDialog) -> int:
    """Open a dialog and return its result when it is closed; it is rejected if the waiting task ends first."""
    finished: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    dialog.finished.connect(lambda result: None if finished.done() else finished.set_result(result))
    dialog.open()
    try:
        return await finished
    except asyncio.CancelledError:
        dialog.reject()
        raise
    finally:
        dialog.deleteLater()
