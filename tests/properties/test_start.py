"""Properties of the check at the start: what it finds, does, leaves alone, writes down and tells."""

from __future__ import annotations

import os
import re
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import apsw
import pytest
from holdfast_core.agents.base import Home
from holdfast_core.errors import HoldfastError, SourceError
from holdfast_core.model.held import HeldEntry
from holdfast_core.store.manifest import Manifest
from holdfast_core.store.source import HeldSource
from holdfast_core.store.store import Store
from hypothesis import given
from hypothesis import strategies as st

from tests.core.store.support import a_store, limit, made, said, some_id
from tests.faults.disk import FAULTS, Disk, Plan
from tests.properties.support import EXAMPLES, folder, harm, harms, is_touched, logged, path_of

Harm = tuple[str, int, bytes]
SOME = 4
NUMBERS = range(SOME)
many_harms = st.lists(harms, min_size=SOME, max_size=SOME)


def filled(store: Store, *, has_backups: int = 2) -> dict[str, Any]:
    """Make the sessions; the first have backups. Returns what is in them."""
    for number in NUMBERS:
        made(store, number)
        store.append(some_id(number), [said(2)])
        if number < has_backups:
            store.close(some_id(number))
    return {some_id(number): store.load(some_id(number)) for number in NUMBERS}


def harmed(store: Store, what: list[Harm]) -> None:
    for number, (kind, place, noise) in enumerate(what):
        other = some_id((number + 1) % SOME)
        harm(store, some_id(number), kind, place, noise, other if path_of(store, other).is_file() else "")


def listed(store: Store) -> list[str]:
    return [entry.id for entry in store.entries()]


@EXAMPLES
@given(what=many_harms, damaged=st.lists(st.integers(0, 30), max_size=3), noise=st.binary(min_size=1, max_size=60))
def test_p13_corrupt_and_unreadable_files_never_crash(
    caplog: pytest.LogCaptureFixture, what: list[Harm], damaged: list[int], noise: bytes
):
    """Sessions, backups, the list, trash, keys: whatever is asked then is answered or refused in words."""
    with folder() as top:
        with a_store(top) as store:
            filled(store)
            made(store, 9)
            store.delete([some_id(9)])
            harmed(store, what)
        ours = sorted(path for path in top.rglob("*") if path.is_file() and path.suffix != ".lock")
        for number in damaged:
            path = ours[number % len(ours)]
            path.write_bytes(path.read_bytes()[:number] + noise)
        with ExitStack() as stack:
            try:
                store = stack.enter_context(a_store(top))
            except HoldfastError:
                assert damaged
                logged(caplog)
                return
            untouched = [some_id(number) for number, one in enumerate(what) if one[0] == "none" and not damaged]
            ask_everything(store)
            assert set(untouched) <= set(listed(store))
            for session_id in untouched:
                assert store.load(session_id).messages[:2] == (said(1), said(2))
    logged(caplog)


def ask_everything(store: Store) -> None:
    source = HeldSource(store.site.places.directory, lambda: store.site.keys)
    for ref in source.discover(Home(Path("/nowhere"), {})):
        with suppress(SourceError):
            source.read(ref, Home(Path("/nowhere"), {}))
    for ask in (store.check, store.entries, store.problems, store.unclean, store.trash, store.verify, store.repair):
        with suppress(HoldfastError):
            ask()
    for number in (*NUMBERS, 9):
        name = some_id(number)
        for one in (
            store.load, store.backups, store.close, store.recover, store.discard_recovery, store.restore, store.retry,
            store.fork, store.version, lambda name: store.append(name, [said(5)]),
        ):  # fmt: skip
            with suppress(HoldfastError):
                one(name)
    for last in (store.migrate, lambda: store.retention(apply=True), lambda: store.undelete([some_id(9)])):
        with suppress(HoldfastError):
            last()


@EXAMPLES
@given(what=many_harms, is_full=st.booleans())
def test_q01_every_listed_session_can_be_opened(caplog: pytest.LogCaptureFixture, what: list[Harm], is_full: bool):
    with folder() as top:
        with a_store(top) as store:
            before = filled(store)
            harmed(store, what)
        with a_store(top) as store:
            store.repair() if is_full else store.check()
            problems = {problem.id for problem in store.problems()}
            for session_id in listed(store):
                if store.state(session_id) == "problem":
                    assert session_id in problems  # it says of itself that it is of a newer Holdfast
                    continue
                found = store.load(session_id)
                assert found.id == session_id
                assert found.messages == before[session_id].messages[: len(found.messages)]
            assert not store.check()
    logged(caplog)


@EXAMPLES
@given(what=many_harms, statement=st.integers(0, 25))
def test_q02_the_correction_of_the_list_happens_whole_and_stays(
    caplog: pytest.LogCaptureFixture, what: list[Harm], statement: int
):
    """It is cut off at any of its statements: the list is as it was, or corrected, and so for the next who looks."""

    class CutOff(BaseException):
        pass

    with folder() as top:
        with a_store(top) as store:
            filled(store)
            for number, (kind, place, noise) in enumerate(what):
                if kind in ("unlink", "forget"):
                    harm(store, some_id(number), kind, place, noise)
            old = set(listed(store))
            left = [statement]

            def count_down(cursor: Any, sql: str, bindings: Any) -> bool:
                if not sql.startswith(("INSERT", "DELETE", "UPDATE", "COMMIT")):
                    return True
                left[0] -= 1
                if left[0] < 0:
                    raise CutOff
                return True

            connection: apsw.Connection = store.site.manifest._connection  # the one way to stop it in the middle
            connection.exec_trace = count_down
            with suppress(CutOff):
                store.check()
            connection.exec_trace = None
            there = {some_id(number) for number in NUMBERS if path_of(store, some_id(number)).exists()}
            is_done = left[0] >= 0
            with closing(Manifest.open(store.site.places.manifest)) as another:
                assert {entry.id for entry in another.entries()} == (there if is_done else old)
        with a_store(top) as store:
            assert bool(store.check()) == (not is_done and there != old)
            assert set(listed(store)) == there
        with a_store(top) as store:
            assert not store.check()
            assert set(listed(store)) == there
    logged(caplog)


@EXAMPLES
@given(gone=st.sets(st.sampled_from(NUMBERS)), what=many_harms)
def test_q03_every_missing_file_is_logged(caplog: pytest.LogCaptureFixture, gone: set[int], what: list[Harm]):
    with a_store() as store:
        filled(store)
        harmed(store, [one if one[0] in ("flip", "none") else ("none", 0, b"") for one in what])
        for number in gone:
            path_of(store, some_id(number)).unlink()
        caplog.clear()

        store.check()

        missing = re.findall(r"the file of session (\S+) is missing", logged(caplog))
        assert sorted(missing) == sorted(some_id(number) for number in gone)


@EXAMPLES
@given(what=many_harms)
def test_q07_entries_without_a_file_go(caplog: pytest.LogCaptureFixture, what: list[Harm]):
    with a_store() as store:
        filled(store)
        harmed(store, what)
        there = {some_id(number) for number in NUMBERS if path_of(store, some_id(number)).is_file()}
        known = set(listed(store))
        strange = {some_id(number) for number, one in enumerate(what) if one[0] in ("directory", "link", "pipe")}

        found = store.check()

        assert set(found.orphaned_entries) == known - (there - strange)
        assert not set(listed(store)) - (there - strange)
        assert not any(os.path.lexists(path_of(store, name)) for name in strange)
    logged(caplog)


@EXAMPLES
@given(what=many_harms, is_list_lost=st.booleans())
def test_q08_files_without_an_entry_come_in(caplog: pytest.LogCaptureFixture, what: list[Harm], is_list_lost: bool):
    with folder() as top:
        with a_store(top) as store:
            filled(store)
            entries = {entry.id: entry for entry in store.entries()}
            harmed(store, what)
        if is_list_lost:
            for path in (top / "sessions").glob("manifest.db*"):
                path.unlink()
        sound = {some_id(number) for number, one in enumerate(what) if not is_touched(one[0])}
        forgotten = {some_id(number) for number, one in enumerate(what) if one[0] == "forget"}
        with a_store(top) as store:
            found = store.check()

            assert sound <= set(listed(store))
            assert (sound if is_list_lost else forgotten) <= set(found.orphaned_files)
            assert {name: store.entry(name) for name in sound} == {name: entries[name] for name in sound}
    logged(caplog)


@EXAMPLES
@given(what=many_harms, at=st.integers(0, 40))
def test_q09_the_list_is_copied_before_it_is_corrected(caplog: pytest.LogCaptureFixture, what: list[Harm], at: int):
    """Any call of the check fails: where the list is another now there is a copy of it as it was."""
    with folder() as top, a_store(top) as store:
        filled(store)
        harmed(store, what)
        before = known(store.site.manifest)
        with Disk(top) as calls:
            pass
        with Disk(top, Plan(at, FAULTS["open"][0])), suppress(HoldfastError):
            found = store.check()
            assert found.index_backup == (known(store.site.manifest) != before)
        assert len(calls.calls) >= 0
        if known(store.site.manifest) != before:
            with closing(Manifest.open(store.site.places.manifest_copy)) as copy:
                assert known(copy) == before
    logged(caplog)


def known(manifest: Manifest) -> tuple[dict[str, HeldEntry], list[Any]]:
    return {entry.id: entry for entry in manifest.entries()}, manifest.troubles()


TOLD = {
    "orphaned_entries": "no file any more",
    "orphaned_files": "not in the list",
    "recovered": "newest valid backup",
    "quarantined": "without a valid backup",
    "unclean": "cut off",
    "truncated": "lost the end",
}


@EXAMPLES
@given(what=many_harms, live=st.sets(st.sampled_from(NUMBERS)), wrong=st.booleans())
def test_q10_the_person_is_told_what_was_found_and_done(
    caplog: pytest.LogCaptureFixture, what: list[Harm], live: set[int], wrong: bool
):
    with a_store() as store:
        filled(store)
        for number in live:
            store.set(some_id(number), is_live=True)
        harmed(store, what)
        if wrong and what[0][0] == "none":
            path_of(store, some_id(0)).chmod(0o644)
        harmful = [one[0] for one in what if one[0] != "none"]

        found = store.check()

        assert bool(found) == bool(found.notes)
        assert bool(found) >= bool(harmful or live)
        for name, words in TOLD.items():
            count = len(getattr(found, name))
            note = next((note for note in found.notes if words in note), "")
            assert (str(count) in note.split()) if count else not note, (name, note)
        assert all(note.endswith((".", "?")) and "/" not in note for note in found.notes)
        gone = {some_id(number) for number, one in enumerate(what) if one[0] == "unlink"}
        back = {some_id(number) for number, one in enumerate(what) if one[0] == "forget"}
        assert gone <= set(found.orphaned_entries) and back == set(found.orphaned_files)
        assert (found.wrong_permissions == 1) == (wrong and what[0][0] == "none")
    logged(caplog)


CLEANINGS = ("check", "repair", "verify", "retention", "expire", "prune", "migrate")


@EXAMPLES
@given(
    what=many_harms,
    cleanings=st.lists(st.sampled_from(CLEANINGS), min_size=1, max_size=5),
    marks=st.lists(st.sampled_from(["", "starred", "keep", "live"]), min_size=SOME, max_size=SOME),
    most=st.integers(0, 3),
    days=st.sampled_from([0, 30]),
)
def test_q13_valid_sessions_survive_every_clean_up_untouched(
    caplog: pytest.LogCaptureFixture, what: list[Harm], cleanings: list[str], marks: list[str], most: int, days: int
):
    """Whole files stay byte for byte; what a limit let go is in the trash byte for byte; what is marked never goes."""
    with a_store() as store:
        filled(store)
        for number, mark in enumerate(marks):
            fields: dict[str, Any] = {"starred": {"starred": True}, "keep": {"tags": ("keep",)}}.get(mark, {})
            store.set(some_id(number), **fields, **({"is_live": True} if mark == "live" else {}))
        harmed(store, what)
        sound = [number for number, one in enumerate(what) if not is_touched(one[0])]
        before = {number: path_of(store, some_id(number)).read_bytes() for number in sound}
        limit(store, stored_sessions=most, stored_age_days=days, at_limit="clean")

        for cleaning in ("check", *cleanings):
            match cleaning:
                case "retention":
                    store.retention(apply=True)
                case "expire":
                    limit(store, trash_days=1)
                    store.retention(apply=True)
                case "prune":
                    store.prune_backups()
                case _:
                    getattr(store, cleaning)()

        thrown = {entry.id for entry in store.trash()}
        for number in sound:
            name = some_id(number)
            assert not (name in thrown and marks[number])
            if name in thrown:
                store.undelete([name])
            assert path_of(store, name).read_bytes() == before[number]
    logged(caplog)
