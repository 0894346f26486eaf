"""The one object that both faces use: every question answered from real files through a real index."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from holdfast_core.errors import NotFound, ProjectGone, Refused, SourceError, WrongUsage
from holdfast_core.index.writer import IndexWriter
from holdfast_core.library import Library
from holdfast_core.model.changes import ChangeSet, ScanProgress
from holdfast_core.paths import find_paths

from tests.fakes.agent import FakeAgent, append, write_session

LIMIT_SECONDS = 30


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
async def library(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Library]:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    library = Library.open(
        find_paths(tmp_path / "holdfast"),
        agents_home=home,
        environment={"PATH": str(tmp_path / "bin")},
        agents={"fake": FakeAgent()},
        indexer_command=[sys.executable, "-m", "tests.fakes.indexer"],
    )
    yield library
    await library.close()


async def listed(library: Library, query: str = "") -> list[str]:
    return [entry.id for entry in await library.entries(await library.keys(query))]


async def test_before_any_update_there_is_nothing_and_no_error(library: Library) -> None:
    assert await listed(library) == []
    assert (await library.places()).total == 0
    assert (await library.search("apple")).hits == ()


async def test_an_update_lists_what_is_there_newest_first(library: Library, home: Path) -> None:
    write_session(home, "one", "apple")
    write_session(home, "two", "pear", "plum")

    report = await library.update()

    assert (report.sessions, report.messages, report.new) == (2, 3, 2)
    assert await listed(library) == ["fake:two", "fake:one"]
    assert await listed(library, "pear") == ["fake:two"]


async def test_progress_of_an_update_comes_in_the_loops_thread(library: Library, home: Path) -> None:
    write_session(home, "one", "apple")
    seen: list[ScanProgress] = []
    loops: list[object] = []

    def note(progress: ScanProgress) -> None:
        seen.append(progress)
        loops.append(asyncio.get_running_loop())

    await library.update(on_progress=note)
    await asyncio.to_thread(int)  # the last calls are on their way

    assert seen[-1].is_done
    assert set(loops) == {asyncio.get_running_loop()}


async def test_a_search_finds_and_counts(library: Library, home: Path) -> None:
    write_session(home, "one", "apple", "apple tart")
    await library.update()

    found = await library.search("apple")

    assert {hit.message_index for hit in found.hits} >= {0, 1}
    assert await library.count("tart") == (1, 1)


async def test_a_wrong_filter_is_wrong_usage(library: Library) -> None:
    with pytest.raises(WrongUsage):
        await library.keys("is:nonsense")
    with pytest.raises(WrongUsage):
        await library.search("is:nonsense")


async def test_of_many_searches_the_newest_is_answered(library: Library, home: Path) -> None:
    write_session(home, "one", "apple")
    await library.update()

    older = [asyncio.create_task(library.search("apple")) for _ in range(50)]
    newest = asyncio.create_task(library.search("apple"))
    results = await asyncio.gather(*older, return_exceptions=True)

    assert {hit.session_id for hit in (await newest).hits} == {"fake:one"}
    assert sum(isinstance(result, asyncio.CancelledError) for result in results) > 0


async def test_the_newest_sessions_do_not_take_the_lists_place(library: Library, home: Path) -> None:
    write_session(home, "one", "apple")
    await library.update()

    keys, newest, found = await asyncio.gather(library.keys(""), library.recent(1), library.find("app"))

    assert len(keys) == 1
    assert [entry.id for entry in (*newest, *found)] == ["fake:one", "fake:one"]


async def test_a_cancelled_search_leaves_the_next_one_alone(library: Library, home: Path) -> None:
    write_session(home, "one", "apple")
    await library.update()

    for _ in range(50):
        task = asyncio.create_task(library.search("apple"))
        await asyncio.to_thread(int)  # it may have begun by now
        task.cancel()
        assert (await library.count("apple"))[0] == 1


async def test_a_session_is_loaded_whole(library: Library, home: Path) -> None:
    write_session(home, "one", "apple", "pear")
    await library.update()

    loaded = await library.load("fake:one")

    assert [message.blocks[0].text for message in loaded.session.messages] == ["apple", "pear"]
    assert loaded.entry.id == loaded.session.id == "fake:one"


async def test_a_session_that_is_not_there_is_not_found(library: Library) -> None:
    with pytest.raises(NotFound):
        await library.load("fake:none")
    with pytest.raises(NotFound):
        await library.entry("fake:none")


async def test_a_file_that_is_gone_since_the_list_is_told_in_plain_words(library: Library, home: Path) -> None:
    path = write_session(home, "one", "apple")
    await library.update()
    path.unlink()

    with pytest.raises(SourceError) as error:
        await library.load("fake:one")

    assert str(home) not in str(error.value)


async def test_a_session_that_left_its_file_is_told_in_plain_words(library: Library, home: Path) -> None:
    path = write_session(home, "one", "apple")
    await library.update()
    write_session(home, "two", "pear").replace(path)

    with pytest.raises(SourceError, match="no longer"):
        await library.load("fake:one")


async def test_following_a_session_gives_what_was_added(library: Library, home: Path) -> None:
    path = write_session(home, "one", "apple")
    await library.update()
    loaded = await library.load("fake:one")
    append(path, "pear")

    now, first = await library.follow(loaded)

    assert first == 1
    assert [message.blocks[0].text for message in now.session.messages] == ["apple", "pear"]
    assert now.session.facts.message_count == 2


async def test_following_a_session_that_did_not_change_gives_the_same(library: Library, home: Path) -> None:
    write_session(home, "one", "apple")
    await library.update()
    loaded = await library.load("fake:one")

    now, first = await library.follow(loaded)

    assert now is loaded
    assert first == 1


async def test_following_a_session_that_was_rewritten_says_from_where_it_differs(library: Library, home: Path) -> None:
    write_session(home, "one", "apple", "pear", "plum")
    await library.update()
    loaded = await library.load("fake:one")
    write_session(home, "one", "apple", "quince")

    now, first = await library.follow(loaded)

    assert first == 1
    assert [message.blocks[0].text for message in now.session.messages] == ["apple", "quince"]


async def test_following_a_session_whose_file_is_gone_is_an_error(library: Library, home: Path) -> None:
    path = write_session(home, "one", "apple")
    await library.update()
    loaded = await library.load("fake:one")
    path.unlink()

    with pytest.raises(SourceError):
        await library.follow(loaded)


async def test_what_a_person_says_is_listed_searched_and_kept(library: Library, home: Path, tmp_path: Path) -> None:
    write_session(home, "one", "apple")
    await library.update()

    changes = await library.annotate(["fake:one"], title="Mine", add_tags=["Fruit"], starred=True, note="quince")

    assert changes == ChangeSet(annotated=("fake:one",))
    entry = await library.entry("fake:one")
    assert (entry.title, entry.tags, entry.starred, entry.note) == ("Mine", ("fruit",), True, "quince")
    assert await listed(library, "tag:fruit") == ["fake:one"]
    assert [hit.session_id for hit in (await library.search("quince")).hits] == ["fake:one"]
    await library.annotate(["fake:one"], title=None, add_tags=["b"], remove_tags=["fruit"], starred=False)
    entry = await library.entry("fake:one")
    assert (entry.title, entry.tags, entry.starred, entry.note) == ("apple", ("b",), False, "quince")


async def test_what_a_person_said_outlives_the_index(library: Library, home: Path, tmp_path: Path) -> None:
    write_session(home, "one", "apple")
    await library.update()
    await library.annotate(["fake:one"], starred=True)
    paths = find_paths(tmp_path / "holdfast")
    for file in paths.index.iterdir():
        file.unlink()

    await library.update()

    assert (await library.entry("fake:one")).starred


async def test_notes_are_kept_while_another_process_writes_to_the_index(
    library: Library, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast_core.library._ANSWER_SECONDS", 0.05)
    write_session(home, "one", "apple")
    await library.update()
    with IndexWriter.open(find_paths(tmp_path / "holdfast").index, timeout_seconds=5):
        await library.annotate(["fake:one"], starred=True)

    await library.annotate(["fake:one"], note="also")

    assert (await library.entry("fake:one")).starred


async def test_every_way_to_name_a_session_is_resolved(library: Library, home: Path) -> None:
    write_session(home, "abc-1", "apple")
    write_session(home, "xyz-2", "pear", "plum")
    await library.update()

    for target in ("2", "fake:abc-1", "abc-1", "abc", "apple", "app"):
        assert (await library.resolve(target)).id == "fake:abc-1"
    with pytest.raises(NotFound):
        await library.resolve("quince")


async def test_the_agents_say_what_they_are_and_have(library: Library, home: Path) -> None:
    write_session(home, "one", "apple")
    await library.update()

    (agent,) = await library.agents()

    assert (agent.agent, agent.sessions, agent.installed) == ("fake", 1, False)
    assert agent.roots == (str(home / ".fake"),)


async def test_sessions_are_exported_to_files_and_as_text(library: Library, home: Path, tmp_path: Path) -> None:
    write_session(home, "one", "apple")
    write_session(home, "two", "pear")
    await library.update()
    place = tmp_path / "exports"
    place.mkdir()

    paths = await library.export(["fake:one", "fake:two"], place)

    assert sorted(place.iterdir()) == sorted(paths)
    assert "apple" in paths[0].read_text()
    assert await library.export_text("fake:one") == paths[0].read_text()
    with pytest.raises(Refused):
        await library.export(["fake:one"], place)
    assert await library.export(["fake:one"], paths[0], "json", overwrite=True) == [paths[0]]


async def test_several_sessions_exported_again_get_names_that_are_free(
    library: Library, home: Path, tmp_path: Path
) -> None:
    write_session(home, "one", "apple")
    write_session(home, "two", "pear")
    await library.update()
    before = await library.export(["fake:one", "fake:two"], tmp_path)

    again = await library.export(["fake:one", "fake:two"], tmp_path)

    assert [path.with_name(f"{path.stem} (2).md") for path in before] == again
    assert [path.read_text() for path in before] == [path.read_text() for path in again]


async def test_a_moved_project_is_asked_for_once(library: Library, home: Path, tmp_path: Path) -> None:
    write_session(home, "one", "apple")
    program = tmp_path / "bin" / FakeAgent.program
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    project = tmp_path / "moved"
    project.mkdir(mode=0o700)
    await library.update()

    with pytest.raises(ProjectGone):
        await library.resume_plan("fake:one")
    done = await library.resume("fake:one", project=project, terminal="copy")

    assert (done.argv, done.cwd, done.method) == ((FakeAgent.program, "--resume", "one"), str(project), "copy")
    assert (await library.resume_plan("fake:one", terminal="copy")).cwd == str(project)


async def test_with_a_window_changes_come_by_themselves(library: Library, home: Path) -> None:
    path = write_session(home, "one", "apple")
    heard = Heard(library)
    await library.start()
    await heard.until(lambda: "fake:one" in heard.changes.added)

    append(path, "quince")
    await heard.until(lambda: "fake:one" in heard.changes.changed)

    assert await listed(library, "quince") == ["fake:one"]


async def test_with_a_window_what_a_person_says_is_there_when_it_returns(library: Library, home: Path) -> None:
    write_session(home, "one", "apple")
    heard = Heard(library)
    await library.start()
    await heard.until(lambda: "fake:one" in heard.changes.added)

    await library.annotate(["fake:one"], title="Mine")

    assert (await library.entry("fake:one")).title == "Mine"


async def test_a_pause_and_a_rescan_reach_the_indexer(library: Library, home: Path) -> None:
    heard = Heard(library)
    await library.start()
    await heard.until(lambda: heard.reports > 0)
    await library.pause(True)
    write_session(home, "one", "apple")
    await library.pause(False)
    await heard.until(lambda: "fake:one" in heard.changes.added)

    before = heard.reports
    await library.rescan()

    await heard.until(lambda: heard.reports > before)


async def test_with_a_window_an_update_is_the_indexers_work(library: Library, home: Path) -> None:
    path = write_session(home, "one", "apple")
    await library.start()

    report = await library.update(full=True)

    assert (report.sessions, report.bytes_read) == (1, path.stat().st_size)


async def test_during_a_pause_an_update_is_refused(library: Library) -> None:
    await library.start()
    await library.pause(True)

    with pytest.raises(Refused):
        await library.update()


async def test_closing_ends_the_indexer(library: Library) -> None:
    heard = Heard(library)
    await library.start()
    await heard.until(lambda: heard.reports > 0)
    process = library._indexer
    assert process is not None
    pid = process.pid
    assert pid is not None

    await library.close()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_importing_it_is_cheap_and_brings_no_qt_and_no_settings() -> None:
    code = (
        "import sys, holdfast_core.library;"
        "print([name for name in sys.modules if name.split('.')[0] in ('PySide6', 'pydantic', 'watchfiles')])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)

    assert out.stdout.strip() == "[]"


class Heard:
    """Collects what a library tells, and can be waited for."""

    def __init__(self, library: Library) -> None:
        self.changes = ChangeSet()
        self.reports = 0
        self._news = asyncio.Event()
        library.changes.add(self._take)
        library.reports.add(self._count)

    def _take(self, changes: ChangeSet) -> None:
        self.changes += changes
        self._news.set()

    def _count(self, _report: object) -> None:
        self.reports += 1
        self._news.set()

    async def until(self, is_met: Callable[[], bool]) -> None:
        async with asyncio.timeout(LIMIT_SECONDS):
            while not is_met():
                self._news.clear()
                await self._news.wait()
