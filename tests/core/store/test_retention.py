"""Which sessions go when there are too many or they are too old, which never do, and what the person is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from holdfast_core.errors import Refused
from holdfast_core.model.held import HeldEntry
from holdfast_core.model.keeping import TrashEntry
from holdfast_core.store.cleaning import clean, make_room
from holdfast_core.store.limits import Limits
from holdfast_core.store.retention import choose, is_protected, report, require_room, suggestions
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.store.support import DAY_MS, NOW_MS, a_store, files, limit, made, some_id

entries_of = st.lists(
    st.builds(
        HeldEntry,
        id=st.integers(0, 1 << 30).map(some_id),
        updated_ms=st.integers(NOW_MS - 400 * DAY_MS, NOW_MS),
        size_bytes=st.integers(0, 1 << 24),
        starred=st.booleans(),
        tags=st.lists(st.sampled_from(["keep", "keeper", "bees"]), max_size=2).map(tuple),
        state=st.sampled_from(["closed", "closed", "live"]),
    ),
    max_size=20,
    unique_by=lambda entry: entry.id,
)


def closed(number: int, **fields: Any) -> HeldEntry:
    return HeldEntry(**{"id": some_id(number), "updated_ms": NOW_MS + number, "size_bytes": 1 << 20} | fields)


@settings(max_examples=200)
@given(entries=entries_of, limit=st.integers(1, 20), incoming=st.integers(0, 2))
def test_the_count_limit_holds_oldest_first(entries: list[HeldEntry], limit: int, incoming: int):
    limits = Limits(stored_sessions=limit, at_limit="clean")

    going = choose(entries, limits, now_ms=NOW_MS, incoming=incoming)

    free = sorted((one for one in entries if not is_protected(one)), key=lambda one: (one.updated_ms, one.id))
    too_many = max(0, len(entries) + incoming - limit)
    assert going == free[:too_many]


@settings(max_examples=100)
@given(entries=entries_of, days=st.integers(1, 400))
def test_what_was_not_changed_for_as_long_as_is_set_goes(entries: list[HeldEntry], days: int):
    going = choose(entries, Limits(stored_age_days=days), now_ms=NOW_MS)

    old = {one.id for one in entries if one.updated_ms < NOW_MS - days * DAY_MS and not is_protected(one)}
    assert {one.id for one in going} == old


@given(entries=entries_of, limit=st.integers(1, 1 << 26))
def test_a_limit_of_size_holds_oldest_first(entries: list[HeldEntry], limit: int):
    going = choose(entries, Limits(stored_bytes=limit, at_limit="clean"), now_ms=NOW_MS)

    left = [one for one in entries if one not in going]
    assert sum(one.size_bytes for one in left) <= limit or all(map(is_protected, left))
    assert [one.updated_ms for one in going] == sorted(one.updated_ms for one in going)


@given(entries=entries_of, incoming=st.integers(0, 5))
def test_without_limits_nothing_goes(entries: list[HeldEntry], incoming: int):
    assert choose(entries, Limits(), now_ms=NOW_MS, incoming=incoming) == []
    require_room(entries, Limits(), incoming=incoming)


@pytest.mark.parametrize(
    ("count", "near", "full"), [(7, False, False), (8, True, False), (9, True, False), (10, True, True)]
)
def test_the_person_is_warned_at_four_fifths(count: int, near: bool, full: bool):
    told = report([closed(number) for number in range(count)], Limits(stored_sessions=10), now_ms=NOW_MS)

    assert (told.sessions, told.limit_sessions, told.is_near, told.is_full) == (count, 10, near, full)


def test_at_the_limit_one_more_is_refused_with_what_can_be_done():
    entries = [closed(number) for number in range(3)]

    require_room(entries, Limits(stored_sessions=4))
    with pytest.raises(Refused, match=r"3 sessions are stored, the limit is 3\. Delete some, raise the limit"):
        require_room(entries, Limits(stored_sessions=3))
    with pytest.raises(Refused, match=r"take 3\.0 MB, the limit is 2\.0 MB"):
        require_room(entries, Limits(stored_bytes=2 << 20))


@settings(max_examples=100)
@given(entries=entries_of, limit=st.integers(1, 1 << 26), gone=st.integers(0, 3))
def test_a_storage_limit_notifies_and_suggests(entries: list[HeldEntry], limit: int, gone: int):
    bin_ = [TrashEntry(some_id(number), "", "", 0, None, 1, 1 << 20, "person") for number in range(gone)]

    told = report(entries, Limits(stored_bytes=limit), now_ms=NOW_MS, trash=bin_)

    used = sum(one.size_bytes for one in entries)
    assert told.is_near == (used * 100 // limit >= 80)
    assert told.is_full == (used >= limit)
    if gone or any(one.size_bytes >= 10 << 20 and not is_protected(one) for one in entries):
        assert told.suggestions
    assert all(sentence.endswith(".") for sentence in told.suggestions)


def test_suggestions_say_what_each_frees():
    entries = [
        closed(1, updated_ms=NOW_MS - 100 * DAY_MS),
        closed(2, size_bytes=12 << 20),
        closed(3, starred=True, size_bytes=80 << 20),
    ]
    bin_ = [TrashEntry(some_id(9), "", "", 0, None, 1, 3 << 20, "person")]

    assert list(suggestions(entries, now_ms=NOW_MS, trash=bin_, backup_bytes=2 << 20)) == [
        "Emptying the trash removes 1 session for good and frees 3.0 MB.",
        "1 session was not changed for 90 days and could go; that frees 1.0 MB.",
        "1 session of more than 10.0 MB takes 12.0 MB.",
        "Keeping fewer backups of each session frees up to 2.0 MB.",
    ]
    assert list(suggestions([closed(1, starred=True)], now_ms=NOW_MS)) == [
        "Every session is live, starred or tagged “keep”: none of them goes by itself."
    ]


def test_cleaning_without_applying_changes_nothing(tmp_path: Path):
    with a_store(tmp_path) as store:
        for number in range(3):
            made(store, number)
        limit(store, stored_sessions=1, at_limit="clean")
        before = files(store)

        told = clean(store.site, now_ms=NOW_MS, apply=False)

        assert (told.sessions, told.is_full, told.removed, files(store)) == (3, True, (), before)


def test_room_is_made_or_refused_as_set(tmp_path: Path):
    with a_store(tmp_path / "clean", stored_sessions=2, at_limit="clean") as store:
        made(store, 1)
        made(store, 2)
        assert [entry.id for entry in make_room(store.site, now_ms=NOW_MS)] == [some_id(1)]
        limit(store, stored_sessions=0)
        made(store, 3, starred=True)
        limit(store, stored_sessions=2)
        store.star(some_id(2))
        with pytest.raises(Refused, match="2 sessions are stored"):
            make_room(store.site, now_ms=NOW_MS)

    with a_store(tmp_path / "refuse", stored_sessions=1) as store:
        made(store, 1)
        with pytest.raises(Refused):
            make_room(store.site, now_ms=NOW_MS)
        assert len(store.entries()) == 1


def test_an_open_session_stays_whatever_the_list_says(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        made(store, 2)
        limit(store, stored_sessions=1, at_limit="clean")
        journal = store.open_journal(some_id(1))

        told = clean(store.site, now_ms=NOW_MS, apply=True)

        journal.close()
        assert told.removed == ()


def test_an_encrypted_session_that_is_tagged_keep_stays(tmp_path: Path):
    with a_store(tmp_path) as store:
        store.site.keys.set_passphrase("correct horse battery")
        made(store, 1, tags=("keep",))
        made(store, 2)
        made(store, 3)
        limit(store, stored_sessions=1, at_limit="clean")

        told = clean(store.site, now_ms=NOW_MS, apply=True)
        store.site.keys.lock()
        made_locked = clean(store.site, now_ms=NOW_MS, apply=True)

        assert (told.removed, made_locked.removed) == ((some_id(2), some_id(3)), ())
