"""Questions to the index do not block a loop, and end when nobody wants the answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from holdfast_core.index.lane import Lane
from holdfast_core.index.reader import IndexReader, Interrupted

LIMIT_SECONDS = 20


@pytest.fixture
def lane(tmp_path: Path) -> Iterator[Lane]:
    lane = Lane(tmp_path / "index", "test")
    yield lane
    lane.close()


class Endless:
    """Work that ends only by being interrupted."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.was_interrupted = False

    def __call__(self, reader: IndexReader) -> None:
        self.begun.set()
        try:
            while True:
                reader._check()
        except Interrupted:
            self.was_interrupted = True
            raise

    async def until_begun(self) -> None:
        async with asyncio.timeout(LIMIT_SECONDS):
            await asyncio.to_thread(self.begun.wait)


async def test_a_newer_question_ends_a_running_one_of_its_topic(lane: Lane) -> None:
    endless = Endless()
    older = asyncio.create_task(lane.ask(endless, topic="search"))
    await endless.until_begun()

    assert await lane.ask(lambda reader: "new", topic="search") == "new"

    with pytest.raises(asyncio.CancelledError):
        await older
    assert endless.was_interrupted


async def test_a_newer_question_keeps_a_waiting_one_from_being_asked(lane: Lane) -> None:
    gate, asked = threading.Event(), []
    first = asyncio.create_task(lane.ask(lambda reader: gate.wait(LIMIT_SECONDS)))
    waiting = asyncio.create_task(lane.ask(lambda reader: asked.append("waiting"), topic="search"))
    newest = asyncio.create_task(lane.ask(lambda reader: asked.append("newest"), topic="search"))
    await asyncio.sleep(0)
    gate.set()

    await asyncio.gather(first, newest)

    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert asked == ["newest"]


async def test_topics_leave_each_other_alone(lane: Lane) -> None:
    answers = await asyncio.gather(
        lane.ask(lambda reader: 1, topic="search"),
        lane.ask(lambda reader: 2, topic="count"),
        lane.ask(lambda reader: 3),
        lane.ask(lambda reader: 4),
    )

    assert answers == [1, 2, 3, 4]


async def test_a_waiter_that_is_cancelled_ends_its_question(lane: Lane) -> None:
    endless = Endless()
    task = asyncio.create_task(lane.ask(endless))
    await endless.until_begun()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert await lane.ask(lambda reader: "next") == "next"
    assert endless.was_interrupted


async def test_an_interruption_that_comes_too_late_does_not_hit_the_next_question(lane: Lane) -> None:
    calls = []

    def work(reader: IndexReader) -> str:
        calls.append(1)
        if len(calls) == 1:
            raise Interrupted
        return "answer"

    assert await lane.ask(work) == "answer"


async def test_what_a_question_raises_rises_where_it_was_asked(lane: Lane) -> None:
    def fail(reader: IndexReader) -> None:
        raise KeyError("it")

    with pytest.raises(KeyError):
        await lane.ask(fail)


async def test_closing_ends_what_runs(tmp_path: Path) -> None:
    lane, endless = Lane(tmp_path / "index", "test"), Endless()
    task = asyncio.create_task(lane.ask(endless))
    await endless.until_begun()

    await asyncio.to_thread(lane.close)

    assert endless.was_interrupted
    with pytest.raises(asyncio.CancelledError):
        await task
