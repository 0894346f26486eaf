"""Properties of what goes: for good and without a trace, the oldest first, by the limits that a person set."""

from __future__ import annotations

import asyncio
import os
import stat
from contextlib import suppress
from pathlib import Path

import apsw
import pytest
from holdfast_core import clock
from holdfast_core.errors import HoldfastError, Refused
from holdfast_core.library.parts import Parts
from holdfast_core.library.storage import NEAR, measure
from holdfast_core.model.held import HeldEntry
from holdfast_core.model.message import Message, Text
from holdfast_core.paths import find_paths
from holdfast_core.settings import Settings
from holdfast_core.store.places import digest
from holdfast_core.store.retention import is_protected
from holdfast_core.store.store import Store
from hypothesis import given
from hypothesis import strategies as st

from tests.core.store.support import DAY_MS, a_store, made, said, some_id
from tests.properties.support import EXAMPLES, everything_below, folder, logged, open_library, path_of

WORD = "unmistakable"
NOW_MS = clock.now_ms()
STEPS = ("append", "close", "backup", "tag", "live", "cut", "damage", "check", "update", "retry")


def lived(store: Store, name: str, steps: list[str]) -> None:
    """Let a session have a history: journal, backups, damage, what was put aside, an entry among the problems."""
    for step in steps:
        with suppress(HoldfastError, FileNotFoundError):
            match step:
                case "append":
                    store.append(name, [Message("m", "user", (Text(f"{WORD} words"),))])
                case "close":
                    store.close(name)
                case "backup":
                    store.backup([name])
                case "tag":
                    store.tag(name, add=[WORD])
                case "live":
                    store.set(name, is_live=True)
                case "cut":
                    os.truncate(path_of(store, name), path_of(store, name).stat().st_size - 3)
                case "damage":
                    path_of(store, name).write_bytes(path_of(store, name).read_bytes()[:200])
                case "check":
                    store.check()
                case "retry":
                    store.failed(name)


@EXAMPLES
@given(steps=st.lists(st.sampled_from(STEPS), max_size=6), others=st.integers(0, 2), is_indexed=st.booleans())
def test_p07_deletion_leaves_nothing(caplog: pytest.LogCaptureFixture, steps: list[str], others: int, is_indexed: bool):
    """Neither id nor name nor words: in no file of ours, in no search, in no list; others stay as they are."""

    async def live_and_go(top: Path) -> None:
        library = open_library(top, audit_log=False)
        held = library.held
        store = held.parts.store()
        kept = [(await held.create(title=f"Other {number}")).id for number in range(others)]
        name = (await held.create(title=f"Very {WORD}", notes=WORD)).id
        if is_indexed:
            await library.update()
        lived(store, name, steps)
        if is_indexed:
            await library.update()
            is_listed = name in {entry.id for entry in store.entries()}
            assert (await library.search(WORD)).hits or not is_listed
        before = {one: path_of(store, one).read_bytes() for one in kept}
        with suppress(HoldfastError):  # what was put aside is no session to be deleted any more
            store.set(name, is_live=False)
        is_there = path_of(store, name).exists()
        if is_there:
            store.delete([name])
            await held.empty_trash([name])
            if kept:
                await held.append_text(kept[0], "user", "shown")
            if is_indexed:
                await library.update()
                assert (await library.search(WORD)).hits == (await library.search(name)).hits == ()
            assert {one: path_of(store, one).read_bytes()[: len(before[one])] for one in kept} == before
        await library.close()
        if is_there:
            gone.append(name)

    gone: list[str] = []
    with folder() as top:
        asyncio.run(live_and_go(top))
        for name in gone:
            assert traces(top, [name, digest(name), WORD]) == []
    logged(caplog)


def traces(top: Path, needles: list[str]) -> list[tuple[str, str]]:
    """Where one of these stands: in a name, in a file, in a row of the index."""
    found = [(place, needle) for place in map(str, top.rglob("*")) for needle in needles if needle in place]
    for place, data in everything_below(top).items():
        if "/index/" not in place:
            found += [(place, needle) for needle in needles if needle.encode() in data]
    for path in top.rglob("catalog.db"):
        catalog = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        tables = [str(name) for (name,) in catalog.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        cells = [str(cell) for table in tables for row in catalog.execute(f'SELECT * FROM "{table}"') for cell in row]
        found += [("catalog", needle) for needle in needles if any(needle in cell for cell in cells)]
        catalog.close()
    return found


marks = st.sampled_from(["", "", "", "starred", "keep", "live"])


def marked(store: Store, number: int, mark: str, age_days: int) -> None:
    fields = {"starred": {"starred": True}, "keep": {"tags": ("keep",)}, "live": {"is_live": True}}.get(mark, {})
    made(store, number, updated_ms=NOW_MS - age_days * DAY_MS - DAY_MS // 2 + number, **fields)


@EXAMPLES
@given(
    given_marks=st.lists(st.tuples(marks, st.integers(0, 300)), min_size=1, max_size=10),
    most=st.integers(1, 6),
    kind=st.sampled_from(["clean", "refuse"]),
)
def test_p09_the_limit_of_number_holds_and_the_oldest_go_first(
    given_marks: list[tuple[str, int]], most: int, kind: str
):
    with a_store(stored_sessions=most, at_limit=kind) as store:
        for number, (mark, age) in enumerate(given_marks):
            before = {entry.id: entry for entry in store.entries()}
            free = sorted(
                (entry for entry in before.values() if not is_protected(entry)),
                key=lambda one: (one.updated_ms, one.id),
            )
            over = len(before) + 1 - most
            try:
                marked(store, number, mark, age)
            except Refused:
                assert len(before) >= most and (kind == "refuse" or len(free) < over)
                assert {entry.id for entry in store.entries()} >= before.keys() - {entry.id for entry in free}
                assert kind == "clean" or {entry.id: entry for entry in store.entries()} == before
                continue
            now = {entry.id for entry in store.entries()}
            gone = [entry.id for entry in free[: max(over, 0)]]
            assert now == (before.keys() | {some_id(number)}) - set(gone)
            assert len(now) <= most
            assert set(gone) <= {entry.id for entry in store.trash()}


@EXAMPLES
@given(
    place=st.sampled_from(["mine", "my sessions", "ÄÖ/日本", "a/b/c", ""]),
    ages=st.lists(st.tuples(marks, st.sampled_from([0, 1, 29, 30, 31, 364, 365]) | st.integers(0, 400)), max_size=6),
    days=st.sampled_from([0, 1, 30, 365]),
    most=st.sampled_from([0, 1, 3]),
    kind=st.sampled_from(["refuse", "clean"]),
)
def test_p23_the_chosen_directory_and_the_limits_are_respected(
    place: str, ages: list[tuple[str, int]], days: int, most: int, kind: str
):
    with folder() as top:
        chosen = str(top / "elsewhere" / place) if place else ""
        paths = find_paths(top / "holdfast")
        given_settings = Settings(sessions_directory=chosen, use_keyring=False)
        parts = Parts(paths, lambda: given_settings)
        store = parts.store()
        for number, (mark, age) in enumerate(ages):
            marked(store, number, mark, age)
        directory = Path(chosen) if place else paths.sessions

        assert {path.name for path in directory.glob("*.hold")} == {
            f"{digest(some_id(number))}.hold" for number in range(len(ages))
        }
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        assert not place or not [path for path in paths.data.rglob("*.hold") if path.is_file()]
        entries = store.entries()
        given_settings = Settings(
            sessions_directory=chosen,
            use_keyring=False,
            stored_age_days=days,
            stored_sessions_limit=most,
            at_limit=kind,
        )
        parts.use_settings()
        store.retention(apply=True)

        assert {entry.id for entry in store.entries()} == staying(entries, days, most if kind == "clean" else 0)
        parts.close()


def staying(entries: list[HeldEntry], days: int, most: int) -> set[str]:
    """Who stays by the limits of age and number, counted by hand."""
    left = sorted(entries, key=lambda one: (one.updated_ms, one.id))
    for entry in list(left):
        is_old = days and entry.updated_ms < NOW_MS - days * DAY_MS
        if not is_protected(entry) and (is_old or (most and len(left) > most)):
            left.remove(entry)
    return {entry.id for entry in left}


@EXAMPLES
@given(
    counts=st.lists(st.integers(0, 2_000), max_size=8),
    limit_sessions=st.integers(0, 10),
    limit_share=st.sampled_from([0.0, 0.5, 0.99, 1.0, 1.2, 1.26, 3.0]),
    thrown=st.integers(0, 2),
)
def test_p25_a_storage_limit_notifies_and_suggests(
    counts: list[int], limit_sessions: int, limit_share: float, thrown: int
):
    """From 80 % on, by number and by size; each with what could be freed, and never without a reason."""
    with folder() as top, a_store(top / "data") as store:
        paths = find_paths(top)
        for number, size in enumerate(counts):
            made(store, number, messages=(said(1, "x" * size),))
        store.delete([some_id(number) for number in range(min(thrown, len(counts)))])
        entries = store.entries()
        directory = store.site.places.directory
        used = measure(
            paths, directory, paths.audit, sessions=0, limit_sessions=0, limit_bytes=0, by_agent={}
        ).total_bytes
        limit_bytes = int(used * limit_share)

        found = measure(
            paths, directory, paths.audit, sessions=len(entries), limit_sessions=limit_sessions,
            limit_bytes=limit_bytes, by_agent={},
        )  # fmt: skip
        told = {warning.code for warning in found.warnings if not warning.code.startswith("disk")}
        states = {"sessions": level(len(entries), limit_sessions), "bytes": level(used, limit_bytes)}
        assert told == {f"{name}_{state}" for name, state in states.items() if state}
        assert all(warning.message.endswith(".") and warning.suggestions for warning in found.warnings)

        store.site.limits = store.site.limits.__class__(stored_sessions=limit_sessions)
        report = store.retention(apply=False)
        assert (report.is_near, report.is_full) == (states["sessions"] != "", states["sessions"] == "full")
        assert bool(store.trash()) == any("trash" in sentence for sentence in report.suggestions)
        assert all(sentence.endswith(".") for sentence in report.suggestions)


def level(used: int, limit: int) -> str:
    """How near a limit is, counted by hand."""
    return "" if not limit else "full" if used >= limit else "near" if used >= NEAR * limit else ""
