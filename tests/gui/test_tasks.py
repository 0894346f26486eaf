import asyncio

import pytest
from holdfast_gui.tasks import Latest, Scope, ask
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QDialog

from tests.fakes.waiting import until


class Told:
    def __init__(self):
        self.failures = []

    def __call__(self, name, error):
        self.failures.append((name, str(error)))


async def test_a_failing_task_is_reported_and_its_sibling_goes_on():
    told = Told()
    scope = Scope(told)
    survived = asyncio.Event()

    async def fail():
        raise ValueError("boom")

    async def survive():
        await asyncio.sleep(0)
        survived.set()

    scope.spawn(fail(), "the failing one")
    scope.spawn(survive(), "the other")
    await asyncio.wait_for(survived.wait(), 5)

    assert told.failures == [("the failing one", "boom")]


async def test_stop_cancels_what_runs_and_lets_it_clean_up():
    scope = Scope(Told())
    cleaned = []

    async def forever():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append("up")

    scope.spawn(forever(), "forever")
    running = asyncio.ensure_future(scope.run())
    await asyncio.sleep(0)
    scope.stop.set()
    await asyncio.wait_for(running, 5)

    assert cleaned == ["up"]


async def test_nothing_starts_after_stop():
    scope = Scope(Told())
    scope.stop.set()
    started = []

    async def start():
        started.append(1)

    task = scope.spawn(start(), "late")
    with pytest.raises(asyncio.CancelledError):
        await task

    assert started == []


class Button(QObject):
    clicked = Signal(bool, str)


async def test_a_slot_takes_only_the_arguments_it_wants():
    scope = Scope(Told())
    button = Button()
    seen = []

    async def nothing():
        seen.append(())

    async def one(first):
        seen.append((first,))

    button.clicked.connect(scope.slot(nothing))
    button.clicked.connect(scope.slot(one))
    button.clicked.emit(True, "x")
    await until(lambda: len(seen) == 2)

    assert seen == [(), (True,)]


async def test_newer_work_ends_the_older():
    scope = Scope(Told())
    latest = Latest(scope, "search")
    ended = []

    async def work(name, gate):
        await gate.wait()
        ended.append(name)

    never, now = asyncio.Event(), asyncio.Event()
    latest.start(work("old", never))
    await asyncio.sleep(0)
    latest.start(work("new", now))
    never.set()
    now.set()
    await until(lambda: not latest.is_running)

    assert ended == ["new"]


async def test_a_dialog_is_waited_for_without_a_loop_of_its_own(qtbot):
    dialog = QDialog()
    ticks = []

    async def tick():
        while True:
            ticks.append(1)
            await asyncio.sleep(0)

    ticking = asyncio.ensure_future(tick())
    asking = asyncio.ensure_future(ask(dialog))
    await until(lambda: dialog.isVisible() and len(ticks) > 3)
    dialog.accept()
    result = await asyncio.wait_for(asking, 5)
    ticking.cancel()

    assert result == QDialog.DialogCode.Accepted


async def test_a_dialog_closes_with_the_task_that_asked(qtbot):
    dialog = QDialog()
    results = []
    dialog.finished.connect(results.append)

    asking = asyncio.ensure_future(ask(dialog))
    await until(dialog.isVisible)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    assert results == [QDialog.DialogCode.Rejected]


async def test_work_that_is_replaced_before_it_began_is_put_away():
    begun: list[str] = []
    scope = Scope(lambda name, error: None)
    latest = Latest(scope, "typing")

    async def work(text: str) -> None:
        begun.append(text)

    for text in ("d", "de", "dep"):
        last = latest.start(work(text))
    await last

    assert begun == ["dep"]
