"""Properties of finding: filters, search, highlights, and the first list."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec
import pytest
from holdfast_core.agents.base import Home
from holdfast_core.index.reader import IndexReader
from holdfast_core.index.writer import IndexWriter
from holdfast_core.library import Library
from holdfast_core.model.held import HELD_AGENT, HeldSession, Origin, SessionConfig
from holdfast_core.model.keeping import StartSummary
from holdfast_core.model.message import Message, Text, Thinking, ToolCall, ToolResult
from holdfast_core.model.query import parse
from holdfast_core.model.session import FileTouched
from holdfast_core.paths import find_paths
from holdfast_core.scan.ingest import update
from holdfast_core.settings import Settings
from holdfast_core.store.places import Places
from holdfast_core.store.source import HeldSource
from hypothesis import given
from hypothesis import strategies as st

from tests.core.store.support import a_store, some_id
from tests.properties.support import EXAMPLES

MEMORY: Final = Path("/dev/shm")  # a sync costs nothing there
NOW: Final = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOW_MS: Final = int(NOW.timestamp() * 1000)
DAY_MS: Final = 86_400_000

names = st.sampled_from(["apple", "pear", "quince", "medlar"])


@dataclass(frozen=True)
class Facts:
    """What the filters of these tests look at."""

    agent: str
    model: str
    project: str
    branch: str
    tags: tuple[str, ...]
    starred: bool
    age_days: int
    note: str


facts = st.builds(
    Facts,
    agent=st.sampled_from(["", "alpha"]),
    model=st.sampled_from(["big-1", "small-2"]),
    project=names,
    branch=names,
    tags=st.lists(names, unique=True, max_size=2).map(tuple),
    starred=st.booleans(),
    age_days=st.integers(0, 40),
    note=st.sampled_from(["", "remember"]),
)


def session(number: int, given: Facts) -> HeldSession:
    return HeldSession(
        id=some_id(number),
        title=f"Session {number}",
        project_path=f"/work/{given.project}",
        created_ms=NOW_MS - 50 * DAY_MS,
        updated_ms=NOW_MS - given.age_days * DAY_MS,
        config=SessionConfig(agent=given.agent, model=given.model),
        messages=(Message("m", "user", (Text("hello"),)),),
        tags=given.tags,
        starred=given.starred,
        notes=given.note,
        origin=Origin(branch=given.branch),
    )


@contextmanager
def indexed(sessions: list[HeldSession]) -> Iterator[IndexReader]:
    """Yield a reader of an index that took these sessions in from a real store."""
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder, a_store(Path(folder)) as store:
        for one in sessions:
            store.create(one)
        source = HeldSource(store.site.places.directory, lambda: store.site.keys)
        with IndexWriter.open(Path(folder) / "index", timeout_seconds=5) as writer:
            update(writer, {HELD_AGENT: source}, Home(Path(folder), {}))
        reader = IndexReader.open(Path(folder) / "index")
        try:
            yield reader
        finally:
            reader.close()


def found(reader: IndexReader, query: str) -> set[str]:
    keys = reader.keys(parse(query, now=NOW, agents=("alpha", HELD_AGENT)))
    return {entry.id for entry in reader.entries(keys)}


FILTERS: Final[dict[str, Callable[[Facts], bool]]] = {
    "is:held": lambda one: True,
    "-is:held": lambda one: False,
    "is:live": lambda one: False,
    "is:starred": lambda one: one.starred,
    "-is:starred": lambda one: not one.starred,
    "agent:alpha": lambda one: one.agent == "alpha",
    "agent:holdfast": lambda one: one.agent == "",
    "model:big-1": lambda one: one.model == "big-1",
    "project:apple": lambda one: one.project == "apple",
    "branch:pear": lambda one: one.branch == "pear",
    "tag:quince": lambda one: "quince" in one.tags,
    "tag:quince tag:medlar": lambda one: {"quince", "medlar"} <= set(one.tags),
    "tag:quince OR is:starred": lambda one: "quince" in one.tags or one.starred,
    "has:note": lambda one: one.note != "",
    "after:2026-11-10": lambda one: one.age_days <= 10,
    "project:apple -tag:pear is:starred": lambda one: one.project == "apple" and "pear" not in one.tags and one.starred,
}


@EXAMPLES
@given(st.lists(facts, max_size=6))
def test_p15_a_filter_gives_exactly_the_sessions_that_meet_it(given_facts: list[Facts]) -> None:
    with indexed([session(number, one) for number, one in enumerate(given_facts)]) as reader:
        answers = {query: found(reader, query) for query in FILTERS}

    assert answers == {
        query: {some_id(number) for number, one in enumerate(given_facts) if meets(one)}
        for query, meets in FILTERS.items()
    }


PLACES: Final[dict[str, Callable[[str], dict[str, Any]]]] = {
    "title": lambda word: {"title": f"About {word}"},
    "text": lambda word: {"messages": (Message("m", "user", (Text(f"say {word} now"),)),)},
    "tool": lambda word: {"messages": (Message("m", "assistant", (ToolCall("c", "run", {"line": f"do {word}"}),)),)},
    "thinking": lambda word: {"messages": (Message("m", "assistant", (Thinking(f"is it {word}"),)),)},
    "result": lambda word: {"messages": (Message("m", "tool", (ToolResult("c", f"gave {word}"),)),)},
    "model": lambda word: {"config": SessionConfig(model=word)},
    "context": lambda word: {"context_files": (f"/src/{word}.py",)},
    "touched": lambda word: {"files_accessed": (FileTouched(f"/src/{word}.rs"),)},
    "tag": lambda word: {"tags": (word,)},
    "note": lambda word: {"notes": f"think of {word}"},
    "project": lambda word: {"project_path": f"/home/{word}"},
    "branch": lambda word: {"origin": Origin(branch=word)},
}
words = st.integers(0, 10**9).map(lambda number: f"needle{number}x")


@EXAMPLES
@given(words, st.sampled_from(sorted(PLACES)), st.integers(0, 3))
def test_p14_what_stands_anywhere_in_a_session_is_found(word: str, place: str, which: int) -> None:
    plain = Facts("", "m", "apple", "main", (), False, 0, "")
    sessions = [session(number, plain) for number in range(4)]
    sessions[which] = msgspec.structs.replace(sessions[which], **PLACES[place](word))

    with indexed(sessions) as reader:
        hits = reader.search(parse(word, now=NOW), limit=10).hits

    assert {hit.session_id for hit in hits} == {some_id(which)}


@EXAMPLES
@given(words, st.text(max_size=40), st.text(max_size=40))
def test_p16_what_is_highlighted_is_what_was_looked_for(word: str, before: str, after: str) -> None:
    text = f"{before} {word} {after}".encode("utf-8", "replace").decode()
    one = HeldSession(id=some_id(1), messages=(Message("m", "user", (Text(text),)),))

    with indexed([one]) as reader:
        hits = reader.search(parse(word, now=NOW), limit=10).hits

    assert hits
    assert all(hit.highlights and hit.score > 0 for hit in hits)
    for hit in hits:
        assert all(hit.snippet[slice(*span)].casefold() == word for span in hit.highlights)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


Fate = st.sampled_from(["well", "missing", "damaged", "unknown"])


def after(fates: list[str], ask: Callable[[Library], Awaitable[Any]]) -> Any:
    """Return what a new library answers first when this happened to the files of a store in the meantime."""
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        paths = find_paths(folder)
        paths.create()
        _happen(paths.data, fates)

        async def first() -> Any:
            library = Library.open(paths, environment={}, settings=Settings(use_keyring=False), agents={})
            try:
                return await ask(library)
            finally:
                await library.close()

        return asyncio.run(first())


def _happen(data: Path, fates: list[str]) -> None:
    with a_store(data) as store:
        for number, _ in enumerate(fates):
            store.create(session(number, Facts("", "m", "apple", "main", (), False, number, "")))
        store.site.manifest.remove([some_id(number) for number, fate in enumerate(fates) if fate == "unknown"])
    for number, fate in enumerate(fates):
        path = Places(data / "sessions").session(some_id(number))
        if fate == "missing":
            path.unlink()
        elif fate == "damaged":
            content = bytearray(path.read_bytes())
            content[len(content) // 2] ^= 1
            path.write_bytes(content)


def ids(fates: list[str], *wanted: str) -> set[str]:
    return {some_id(number) for number, fate in enumerate(fates) if fate in wanted}


LISTS: Final[dict[str, Callable[[Library], Awaitable[list[str]]]]] = {
    "entries": lambda library: _ids(library.held.entries()),
    "resumable": lambda library: _ids(library.held.resumable()),
    "overdue": lambda library: library.held.overdue(),
}


async def _ids(entries: Awaitable[list[Any]]) -> list[str]:
    return [entry.id for entry in await entries]


@EXAMPLES
@given(st.lists(Fate, max_size=5), st.sampled_from(sorted(LISTS)))
def test_q06_the_check_comes_before_the_first_list(
    caplog: pytest.LogCaptureFixture, fates: list[str], first: str
) -> None:
    """Whichever list is asked for first: what is wrong was found, put right and told before it is there."""

    async def look(library: Library) -> tuple[list[str], list[StartSummary]]:
        told: list[StartSummary] = []
        library.held.summaries.add(told.append)
        return await LISTS[first](library), list(told)

    listed, told = after(fates, look)

    caplog.clear()
    assert set(listed) == (set() if first == "overdue" else ids(fates, "well", "unknown"))
    assert [bool(summary) for summary in told] == [any(fate != "well" for fate in fates)]
