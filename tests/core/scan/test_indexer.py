"""The indexer, a real process: it follows files, obeys, survives, and ends with its window."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from holdfast_core.errors import HoldfastError
from holdfast_core.index.reader import IndexReader
from holdfast_core.index.writer import IndexWriter
from holdfast_core.model.annotation import Annotation
from holdfast_core.model.query import parse
from holdfast_core.paths import Paths, find_paths, self_command
from holdfast_core.scan.process import IndexerProcess
from holdfast_core.scan.protocol import (
    Annotate,
    Answered,
    Changed,
    Event,
    Failed,
    Pause,
    Progressed,
    Reported,
    Rescan,
    Start,
    decode_event,
    encode,
)
from holdfast_core.store.annotations import Annotations

from tests.core.scan.answers import NOW
from tests.fakes.agent import append, write_session

LIMIT_SECONDS = 30
COMMAND = [sys.executable, "-m", "tests.fakes.indexer"]


class Window:
    """Stands at the other end of the pipes and remembers what was said."""

    def __init__(self, top: Path, command: list[str] | None = None, **start: object) -> None:
        self.home = top / "home"
        self.home.mkdir(exist_ok=True)
        self.paths: Paths = find_paths(top / "holdfast")
        self.events: list[Event] = []
        self._news = asyncio.Event()
        first = Start(
            data=str(self.paths.data),
            config=str(self.paths.config),
            cache=str(self.paths.cache),
            log=str(self.paths.log),
            agents_home=str(self.home),
            environment={},
        )
        first = msgspec.structs.replace(first, **start)
        self.process = IndexerProcess(command or COMMAND, first, self._heard)

    def _heard(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    async def until(self, is_met: Callable[[], bool]) -> None:
        async with asyncio.timeout(LIMIT_SECONDS):
            while not is_met():
                self._news.clear()
                await self._news.wait()

    async def until_reported(self, times: int = 1) -> None:
        await self.until(lambda: sum(isinstance(event, Reported) for event in self.events) >= times)

    def changed(self, name: str, kind: str) -> bool:
        return any(isinstance(event, Changed) and name in getattr(event.changes, kind) for event in self.events)

    def found(self, word: str) -> set[str]:
        with closing(IndexReader.open(self.paths.index)) as reader:
            return {hit.session_id for hit in reader.search(parse(word, now=NOW), limit=10, sort="time").hits}


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))


@pytest.fixture
async def window(tmp_path: Path) -> AsyncIterator[Window]:
    window = Window(tmp_path)
    yield window
    await window.process.close()


async def test_sessions_that_are_there_are_listed_and_reported(window: Window) -> None:
    write_session(window.home, "one", "apple")
    window.process.start()

    await window.until_reported()

    assert window.found("apple") == {"fake:one"}
    assert window.changed("fake:one", "added")
    report = next(event.report for event in window.events if isinstance(event, Reported))
    assert (report.sessions, report.new, report.problems) == (1, 1, 0)
    assert any(isinstance(event, Progressed) and event.progress.is_done for event in window.events)


async def test_an_appended_line_becomes_searchable_by_itself(window: Window) -> None:
    path = write_session(window.home, "one", "apple")
    window.process.start()
    await window.until_reported()

    append(path, "quince")
    await window.until(lambda: window.changed("fake:one", "changed"))

    assert window.found("quince") == {"fake:one"}


async def test_without_file_events_the_poll_does_it(tmp_path: Path) -> None:
    window = Window(tmp_path, use_events=False, poll_seconds=0.05)
    path = write_session(window.home, "one", "apple")
    window.process.start()
    await window.until_reported()

    append(path, "quince")
    write_session(window.home, "two", "pear")
    await window.until(lambda: window.changed("fake:one", "changed") and window.changed("fake:two", "added"))
    await window.process.close()

    assert window.found("quince") == {"fake:one"}


async def test_an_agent_that_appears_later_is_found(tmp_path: Path) -> None:
    window = Window(tmp_path, poll_seconds=0.05)
    window.process.start()
    await window.until_reported()

    write_session(window.home, "one", "apple")
    await window.until(lambda: window.changed("fake:one", "added"))

    await window.process.close()


async def test_what_the_person_says_is_in_the_index_when_it_answers(window: Window) -> None:
    write_session(window.home, "one", "apple")
    window.process.start()
    await window.until_reported()

    with Annotations.open(window.paths.annotations) as notes:
        notes.change(["fake:one"], lambda one: msgspec.structs.replace(one, title="Mine"), now_ms=1)
    await window.process.annotate(timeout_seconds=LIMIT_SECONDS)

    with closing(IndexReader.open(window.paths.index)) as reader:
        entry = reader.entry("fake:one")
    assert entry is not None
    assert entry.title == "Mine"


async def test_what_a_command_line_says_is_taken_in_too(tmp_path: Path) -> None:
    window = Window(tmp_path, poll_seconds=0.05)
    write_session(window.home, "one", "apple")
    window.process.start()
    await window.until_reported()

    with Annotations.open(window.paths.annotations) as notes:
        notes.change(["fake:one"], lambda one: msgspec.structs.replace(one, starred=True), now_ms=1)
    await window.until(lambda: window.changed("fake:one", "annotated"))

    await window.process.close()


async def test_notes_come_back_when_the_index_is_gone(tmp_path: Path) -> None:
    window = Window(tmp_path)
    write_session(window.home, "one", "apple")
    with Annotations.open(window.paths.annotations) as notes:
        said: list[Annotation] = notes.change(
            ["fake:one"], lambda one: msgspec.structs.replace(one, starred=True, note="keep"), now_ms=1
        )
    window.process.start()
    await window.until_reported()

    with closing(IndexReader.open(window.paths.index)) as reader:
        entry = reader.entry("fake:one")
    await window.process.close()

    assert entry is not None
    assert (entry.starred, entry.note) == (said[0].starred, said[0].note)


async def test_a_pause_holds_until_it_ends(tmp_path: Path) -> None:
    window = Window(tmp_path, is_paused=True)
    write_session(window.home, "one", "apple")
    window.process.start()
    await window.process.annotate(timeout_seconds=LIMIT_SECONDS)  # it is up, and did only this
    assert not window.changed("fake:one", "added")

    window.process.send(Pause(False))
    await window.until(lambda: window.changed("fake:one", "added"))

    await window.process.close()


async def test_a_full_rescan_reads_all_again(window: Window) -> None:
    path = write_session(window.home, "one", "apple")
    window.process.start()
    await window.until_reported()

    window.process.send(Rescan(full=True))
    await window.until_reported(2)

    reports = [event.report for event in window.events if isinstance(event, Reported)]
    assert reports[-1].bytes_read == path.stat().st_size


async def test_a_command_line_can_write_while_it_runs(window: Window) -> None:
    write_session(window.home, "one", "apple")
    window.process.start()
    await window.until_reported()

    writer = await asyncio.to_thread(IndexWriter.open, window.paths.index, timeout_seconds=LIMIT_SECONDS)

    writer.close()


async def test_a_killed_indexer_is_started_again(window: Window, caplog: pytest.LogCaptureFixture) -> None:
    write_session(window.home, "one", "apple")
    window.process.start()
    await window.until_reported()
    assert window.process.pid is not None

    os.kill(window.process.pid, signal.SIGKILL)
    await window.until_reported(2)
    write_session(window.home, "two", "pear")

    await window.until(lambda: window.changed("fake:two", "added"))
    caplog.clear()


async def test_an_indexer_that_keeps_dying_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    window = Window(tmp_path, command=[sys.executable, "-c", "raise SystemExit(3)"])
    window.process.start()

    await window.until(lambda: any(isinstance(event, Failed) for event in window.events))

    await window.process.close()
    assert len(window.events) == 1
    caplog.clear()


async def test_an_index_that_cannot_be_written_is_told_once_and_costs_no_process(tmp_path: Path) -> None:
    window = Window(tmp_path, poll_seconds=0.05, rescan_seconds=0.05)
    window.paths.create()
    window.paths.index.write_text("a file where a directory should be")
    window.process.start()
    await window.until(lambda: any(isinstance(event, Failed) for event in window.events))
    pid = window.process.pid

    with pytest.raises(HoldfastError):
        await window.process.rescan(full=False)

    assert window.process.pid == pid
    assert sum(isinstance(event, Failed) for event in window.events) == 1
    await window.process.close()


async def test_it_ends_when_its_window_is_gone(tmp_path: Path) -> None:
    window = Window(tmp_path)
    process = await asyncio.create_subprocess_exec(
        *COMMAND, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(encode(window.process.first))
    await process.stdin.drain()
    assert process.stdout is not None
    await process.stdout.readline()

    process.stdin.close()

    async with asyncio.timeout(LIMIT_SECONDS):
        await process.stdout.read()
        assert await process.wait() == 0


async def test_a_broken_index_is_built_again(window: Window) -> None:
    write_session(window.home, "one", "apple")
    window.process.start()
    await window.until_reported()
    await window.process.close()
    for file in window.paths.index.glob("*.db*"):
        file.write_bytes(b"nonsense" * 1000)

    again = Window(window.home.parent)
    again.process.start()
    await again.until_reported()
    await again.process.close()

    assert again.found("apple") == {"fake:one"}


async def test_the_product_itself_has_it_as_a_hidden_command(tmp_path: Path) -> None:
    window = Window(tmp_path, command=[*self_command(), "_indexer"])
    path = window.home / ".claude" / "projects" / "-p" / "0190a000-0000-7000-8000-000000000001.jsonl"
    path.parent.mkdir(parents=True)
    record = {"type": "user", "uuid": "u1", "sessionId": path.stem, "message": {"role": "user", "content": "quince"}}
    path.write_text(json.dumps(record) + "\n")
    window.process.start()

    await window.until_reported()

    await window.process.close()
    assert window.found("quince") == {f"claude_code:{path.stem}"}


async def test_nonsense_between_the_commands_is_passed_over(tmp_path: Path) -> None:
    window = Window(tmp_path)
    process = await asyncio.create_subprocess_exec(
        *COMMAND, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None

    process.stdin.write(encode(window.process.first) + b'nonsense\n{"type": "\xff"}\n' + encode(Annotate(7)))

    async with asyncio.timeout(LIMIT_SECONDS):
        while decode_event(await process.stdout.readline()) != Answered(7):
            continue
        process.stdin.close()
        await process.stdout.read()
        assert await process.wait() == 0


async def test_it_imports_no_qt_and_no_settings() -> None:
    code = (
        "import sys, holdfast_core.scan.indexer;"
        "print([name for name in sys.modules if name.split('.')[0] in ('PySide6', 'pydantic')])"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()

    assert out.strip() == b"[]"


async def test_an_index_that_somebody_removes_is_built_again(tmp_path: Path) -> None:
    window = Window(tmp_path, poll_seconds=0.05, rescan_seconds=3600.0)
    write_session(window.home, "one", "apple")
    window.process.start()
    await window.until_reported()

    window.paths.index.rename(tmp_path / "thrown away")
    await window.until_reported(2)
    await window.process.close()

    assert window.found("apple") == {"fake:one"}


async def test_an_index_that_is_damaged_while_it_rests_is_built_again_with_the_next_change(tmp_path: Path) -> None:
    window = Window(tmp_path, poll_seconds=0.05, rescan_seconds=3600.0)
    write_session(window.home, "one", "apple")
    window.process.start()
    await window.until_reported()

    os.truncate(window.paths.index / "catalog.db", 5000)
    window.process.send(Annotate(0))
    await window.until_reported(2)
    await window.process.close()

    assert window.found("apple") == {"fake:one"}
