"""The journal: changes cost what they are, are there at once, and survive whoever writes beside them."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from holdfast_core.errors import HoldfastError, NotFound, Refused, WrongUsage
from holdfast_core.model.held import HeldSession, Origin, SessionConfig
from holdfast_core.model.message import Message, Text
from holdfast_core.model.usage import Usage
from holdfast_core.store.journal import Journal
from holdfast_core.store.listing import entry_of
from holdfast_core.store.store import Store

from tests.core.store.support import a_store, made, said, some_id
from tests.faults.disk import FAULTS, Disk, Plan

ONE = some_id(1)


def size(store: Store) -> int:
    return store.site.places.session(ONE).stat().st_size


def listed_as_stored(store: Store) -> None:
    """Check that the list says of every session what its file says."""
    for entry in store.site.manifest.entries():
        session = store.load(entry.id)
        stored = store.site.places.session(entry.id).stat().st_size
        wanted = entry_of(session, size_bytes=stored, failures=entry.failures)
        assert wanted == msgspec.structs.replace(
            entry, preview=wanted.preview if not session.messages else entry.preview
        )


def test_messages_are_in_the_file_before_anybody_flushes(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        with closing(Journal(store.site, ONE)) as journal:
            journal.append([said(2), said(3)])

            assert store.load(ONE).messages == (said(1), said(2), said(3))
        listed_as_stored(store)


def test_what_a_change_costs_does_not_grow_with_the_session(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1, messages=tuple(said(number, "x" * 1000) for number in range(2000)))
        before = size(store)
        store.rename(ONE, "Another")
        first = size(store) - before

        store.append(ONE, [said(3000)])

        assert first < 300
        assert size(store) - before - first < 300
        assert store.site.places.backups_of(ONE).exists() is False


def test_usage_of_messages_adds_up(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1, usage=Usage(5))
        spent = Message("m2", "assistant", (Text("x"),), usage=Usage(1, 2, 3, 4, 1))

        entry = store.append(ONE, [spent, spent])

        assert entry.usage == store.load(ONE).usage == Usage(7, 4, 6, 8, 2)


def test_the_time_of_a_change_is_always_later(tmp_path: Path):
    with a_store(tmp_path) as store:
        ahead = made(store, 1, updated_ms=9_000_000_000_000)

        times = [store.star(ONE).updated_ms, store.append(ONE, [said(2)]).updated_ms, store.save(ahead).updated_ms]

        assert times == [9_000_000_000_001, 9_000_000_000_002, 9_000_000_000_003]


def test_messages_take_the_place_of_earlier_ones(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1, messages=(said(1), said(2), said(3)))
        with closing(Journal(store.site, ONE)) as journal:
            journal.replace(1, [said(2, "longer")])
            journal.append([said(4)])

        assert store.load(ONE).messages == (said(1), said(2, "longer"), said(4))
        listed_as_stored(store)


def test_the_list_follows_when_the_first_message_is_another(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1, title="")
        with closing(Journal(store.site, ONE)) as journal:
            journal.replace(0, [said(1, "other words")])

        assert store.entry(ONE).title == "other words"
        listed_as_stored(store)


def test_two_journals_of_one_session_see_each_other(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        with closing(Journal(store.site, ONE)) as one, closing(Journal(store.site, ONE)) as other:
            one.append([said(2)])
            other.append([said(3)])
            one.set(title="Set by one")
            other.fold(always=True)
            one.append([said(4)])

        found = store.load(ONE)
        assert (found.title, found.messages) == ("Set by one", (said(1), said(2), said(3), said(4)))
        listed_as_stored(store)


def test_threads_that_write_one_session_lose_nothing(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1, messages=())
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda number: store.append(ONE, [said(number)]), range(40)))

        assert sorted(message.id for message in store.load(ONE).messages) == sorted(f"m{n}" for n in range(40))
        listed_as_stored(store)


def test_a_live_session_folds_only_what_has_grown_large(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        with closing(store.open_journal(ONE)) as journal:
            journal.set(is_live=True)
            small = journal.fold()
            journal.append([said(number, os.urandom(2000).hex()) for number in range(600)])
            assert journal.needs_fold
            large = journal.fold()

        assert (small.generation, large.generation, large.sequence) == (1, 2, 0)
        assert len(store.load(ONE).messages) == 601


def test_a_session_that_is_not_live_any_more_is_folded(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        with closing(store.open_journal(ONE)) as journal:
            journal.set(is_live=True)
            journal.set(is_live=False)
            assert journal.fold() == (2, 0)
            assert journal.fold() == (2, 0)


def test_only_one_can_have_a_session_open(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        with closing(store.open_journal(ONE)), pytest.raises(Refused, match="already open"):
            store.open_journal(ONE)

        store.open_journal(ONE).close()


def test_a_session_that_was_deleted_meanwhile_is_not_written(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        with closing(Journal(store.site, ONE)) as journal:
            store.site.places.session(ONE).unlink()

            with pytest.raises(NotFound):
                journal.append([said(2)])
        with pytest.raises(NotFound):
            store.open_journal(ONE)
        assert not store.site.places.session(ONE).exists()


def test_a_session_over_its_limit_is_refused_and_stays(tmp_path: Path):
    with a_store(tmp_path, session_bytes=10_000) as store:
        made(store, 1)
        store.append(ONE, [said(2, "x" * 5000)])

        with pytest.raises(Refused, match="limit for one session"):
            store.append(ONE, [said(3, "x" * 5000)])

        assert len(store.load(ONE).messages) == 2
        assert store.rename(ONE, "Still writable").title == "Still writable"


def test_an_unverified_session_is_read_only_until_it_is_adopted(tmp_path: Path):
    with a_store(tmp_path) as store:
        session = made(store, 1, origin=Origin(kind="imported", is_verified=False))
        attempts: Sequence[Callable[[], object]] = (
            lambda: store.append(ONE, [said(2)]),
            lambda: store.rename(ONE, "x"),
            lambda: store.save(session),
        )
        for attempt in attempts:
            with pytest.raises(Refused, match="adopt"):
                attempt()

        assert store.adopt(ONE).is_verified
        assert store.append(ONE, [said(2)]).message_count == 2


def test_setting_an_object_keeps_what_is_unknown_in_it(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1, unknown={"config": {"new": 1}, "other": 2})

        store.set(ONE, config=SessionConfig(agent="alpha"))

        assert store.load(ONE).unknown == {"config": {"new": 1}, "other": 2}
        listed_as_stored(store)


@pytest.mark.parametrize("fields", [{"messages": ()}, {"id": "x"}, {"nonsense": 1}])
def test_a_field_that_is_not_to_be_set_is_refused(tmp_path: Path, fields: dict[str, Any]):
    with a_store(tmp_path) as store:
        made(store, 1)

        with pytest.raises(WrongUsage):
            store.set(ONE, **fields)

        assert store.version(ONE).sequence == 0


CHANGES: dict[str, Callable[[Store], object]] = {
    "append": lambda store: store.append(ONE, [said(2)]),
    "rename": lambda store: store.rename(ONE, "New"),
    "save": lambda store: store.save(msgspec.structs.replace(store.load(ONE), title="New")),
    "close": lambda store: store.close(ONE),
}


def change_in(folder: Path, kind: str, plan: Plan) -> tuple[list[str], HoldfastError | None]:
    """Make one change while the disk fails as planned, check that all is old or new, and that it goes on."""
    with a_store(folder) as store:
        made(store, 1)
        store.tag(ONE, add=["before"])
        old, error = store.load(ONE), None
        with Disk(folder, plan) as disk:
            try:
                CHANGES[kind](store)
            except HoldfastError as caught:
                error = caught
        now = store.load(ONE)
        is_new = (now.title, len(now.messages), now.closed_ms) != (old.title, len(old.messages), old.closed_ms)
        assert is_new or now == old
        assert is_new or error is not None
        store.append(ONE, [said(9)])
        assert store.load(ONE).messages == (*now.messages, said(9))
        listed_as_stored(store)
    return disk.calls, error


@pytest.mark.parametrize("kind", CHANGES)
def test_a_disk_that_fails_at_any_call_leaves_the_old_or_the_new_state(
    tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
):
    calls, error = change_in(tmp_path / "all", kind, Plan())
    assert error is None

    for number, name in enumerate(calls):
        fault = next(fault for fault in FAULTS[name] if isinstance(fault, int))
        folder = tmp_path / f"{number}"
        _, error = change_in(folder, kind, Plan(number, fault, persists=number % 2 == 0))
        assert error is None or str(tmp_path) not in str(error)
        with a_store(folder):  # what could not be removed is when the store is opened again
            assert not list(folder.rglob(".holdfast-*"))
    caplog.clear()


def test_a_file_that_did_not_take_a_sync_is_written_anew(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        with Disk(tmp_path) as seen:
            store.append(ONE, [said(2)])
        with Disk(tmp_path, Plan(seen.calls.index("fdatasync"), errno.EIO)), pytest.raises(HoldfastError):
            store.append(ONE, [said(2)])

        store.append(ONE, [said(3)])

        assert store.version(ONE).generation == 2
        assert store.load(ONE).messages[-1] == said(3)


def test_a_torn_end_is_kept_aside_before_anything_is_appended(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        store.append(ONE, [said(2)])
        path = store.site.places.session(ONE)
        torn = path.read_bytes()[:-5]
        path.write_bytes(torn)

        store.append(ONE, [said(3)])

        assert store.load(ONE).messages == (said(1), said(3))
        assert [kept.read_bytes() for kept in store.site.places.backups_of(ONE).iterdir()] == [torn]


def test_every_prefix_of_the_file_is_a_state_that_was(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        path = store.site.places.session(ONE)
        base = path.stat().st_size
        states: list[HeldSession] = [store.load(ONE)]
        for number in range(3):
            store.append(ONE, [said(number + 2)])
            states.append(store.load(ONE))
        whole = path.read_bytes()

        found = []
        for length in range(base, len(whole) + 1):
            path.write_bytes(whole[:length])
            found.append(states.index(store.load(ONE)))

        assert sorted(found) == found
        assert set(found) == {0, 1, 2, 3}
