"""What an agent writes is noticed: by events, by the poll where there are none, and below roots that appear later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from holdfast_core import clock
from holdfast_core.agents.base import Home, SourceRef
from holdfast_core.scan.watch import Rhythm, Watcher

from tests.fakes.agent import FakeAgent, append, write_session

LIMIT_SECONDS = 20
POLL_ONLY = Rhythm(poll_seconds=0.02, rescan_seconds=1000, use_events=False)
EVENTS_ONLY = Rhythm(poll_seconds=1000, rescan_seconds=1000)


class Heard:
    """Collects what a watcher tells, and can be waited for."""

    def __init__(self) -> None:
        self.paths: set[str] = set()
        self.rescans = 0
        self._news = asyncio.Event()

    def take_paths(self, paths: Sequence[str]) -> None:
        self.paths.update(paths)
        self._news.set()

    def take_rescan(self) -> None:
        self.rescans += 1
        self._news.set()

    async def until(self, is_met: Callable[[], bool]) -> None:
        async with asyncio.timeout(LIMIT_SECONDS):
            while not is_met():
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def watching(home: Path, rhythm: Rhythm) -> AsyncIterator[tuple[Watcher, Heard]]:
    agent, heard = FakeAgent(), Heard()
    watcher = Watcher(
        lambda: agent.roots(Home(home, {})), on_paths=heard.take_paths, on_rescan=heard.take_rescan, rhythm=rhythm
    )
    task = asyncio.create_task(watcher.run())
    try:
        yield watcher, heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def events_are_on(home: Path, heard: Heard) -> None:
    """Return when the system's events come through: touches a file of its own until one does."""
    probe = home / ".fake" / "probe"
    async with asyncio.timeout(LIMIT_SECONDS):
        while not heard.paths:
            probe.write_text("x")
            try:
                async with asyncio.timeout(0.05):
                    await heard.until(lambda: bool(heard.paths))
            except TimeoutError:
                continue
    heard.paths.clear()


def refs(home: Path) -> list[SourceRef]:
    return list(FakeAgent().discover(Home(home, {})))


async def test_an_appended_line_is_an_event(tmp_path: Path) -> None:
    path = write_session(tmp_path, "one", "hello")

    async with watching(tmp_path, EVENTS_ONLY) as (_, heard):
        await events_are_on(tmp_path, heard)
        append(path, "more")

        await heard.until(lambda: str(path) in heard.paths)


async def test_a_file_in_a_new_directory_is_an_event(tmp_path: Path) -> None:
    write_session(tmp_path, "one", "hello")

    async with watching(tmp_path, EVENTS_ONLY) as (_, heard):
        await events_are_on(tmp_path, heard)
        path = write_session(tmp_path, "two", "hello", directory="other")

        await heard.until(lambda: any(str(path).startswith(told) for told in heard.paths))


async def test_without_events_the_poll_notices_growth(tmp_path: Path) -> None:
    path = write_session(tmp_path, "one", "hello")

    async with watching(tmp_path, POLL_ONLY) as (watcher, heard):
        watcher.remember(refs(tmp_path), looked_ms=clock.now_ms(), replace=True)
        append(path, "more")

        await heard.until(lambda: str(path) in heard.paths)


async def test_without_events_the_poll_notices_new_and_deleted_files(tmp_path: Path) -> None:
    path = write_session(tmp_path, "one", "hello")

    async with watching(tmp_path, POLL_ONLY) as (watcher, heard):
        watcher.remember(refs(tmp_path), looked_ms=clock.now_ms(), replace=True)
        write_session(tmp_path, "two", "hello")
        await heard.until(lambda: str(path.parent) in heard.paths)
        path.unlink()

        await heard.until(lambda: str(path) in heard.paths)


async def test_a_change_is_told_once(tmp_path: Path) -> None:
    path = write_session(tmp_path, "one", "hello")
    other = write_session(tmp_path, "two", "hello")

    async with watching(tmp_path, POLL_ONLY) as (watcher, heard):
        watcher.remember(refs(tmp_path), looked_ms=clock.now_ms(), replace=True)
        append(path, "more")
        await heard.until(lambda: str(path) in heard.paths)
        heard.paths.clear()
        append(other, "more")

        await heard.until(lambda: str(other) in heard.paths)
        assert str(path) not in heard.paths


async def test_a_root_that_appears_later_is_looked_through_and_watched(tmp_path: Path) -> None:
    rhythm = Rhythm(poll_seconds=0.02, rescan_seconds=1000)

    async with watching(tmp_path, rhythm) as (_, heard):
        path = write_session(tmp_path, "one", "hello")
        await heard.until(lambda: heard.rescans > 0)
        await events_are_on(tmp_path, heard)
        append(path, "more")

        await heard.until(lambda: str(path) in heard.paths)


async def test_a_root_that_is_replaced_is_watched_again(tmp_path: Path) -> None:
    write_session(tmp_path, "one", "hello")
    rhythm = Rhythm(poll_seconds=0.02, rescan_seconds=1000)

    async with watching(tmp_path, rhythm) as (_, heard):
        await events_are_on(tmp_path, heard)
        (tmp_path / ".fake").rename(tmp_path / "away")
        path = write_session(tmp_path, "one", "hello")
        await heard.until(lambda: heard.rescans > 0)
        await events_are_on(tmp_path, heard)
        append(path, "more")

        await heard.until(lambda: str(path) in heard.paths)


async def test_a_flood_of_events_is_one_look_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_session(tmp_path, "one", "hello")

    async with watching(tmp_path, EVENTS_ONLY) as (_, heard):
        await events_are_on(tmp_path, heard)
        monkeypatch.setattr("holdfast_core.scan.watch._MANY_PATHS", 5)
        for number in range(50):
            write_session(tmp_path, f"s{number}", "hello")

        await heard.until(lambda: heard.rescans > 0)


async def test_everything_is_looked_through_now_and_then(tmp_path: Path) -> None:
    async with watching(tmp_path, Rhythm(poll_seconds=1000, rescan_seconds=0.01)) as (_, heard):
        await heard.until(lambda: heard.rescans > 1)


async def test_a_pause_is_made_up_for(tmp_path: Path) -> None:
    path = write_session(tmp_path, "one", "hello")

    async with watching(tmp_path, POLL_ONLY) as (watcher, heard):
        watcher.remember(refs(tmp_path), looked_ms=clock.now_ms(), replace=True)
        watcher.pause(True)
        append(path, "more")
        async with asyncio.timeout(LIMIT_SECONDS):
            while not watcher.missed:
                await asyncio.to_thread(path.stat)
        assert not heard.paths
        assert heard.rescans == 0

        watcher.pause(False)

        assert heard.rescans == 1


async def test_watching_changes_nothing_below_the_root(tmp_path: Path) -> None:
    write_session(tmp_path, "one", "hello")
    root = tmp_path / ".fake"
    before = {path: path.stat() for path in [root, *root.rglob("*")]}

    async with watching(tmp_path, Rhythm(poll_seconds=0.01, rescan_seconds=0.01)) as (watcher, heard):
        watcher.remember(refs(tmp_path), looked_ms=clock.now_ms(), replace=True)
        await heard.until(lambda: heard.rescans > 3)

    assert {path: path.stat() for path in [root, *root.rglob("*")]} == before
