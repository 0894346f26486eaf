"""Any number of sessions: keys at once, entries by the page, headings between them."""

from __future__ import annotations

import time
from array import array
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from holdfast_gui.models.session_list import (
    PAGE,
    PAGES_KEPT,
    Group,
    HitGroup,
    HitRow,
    SessionListModel,
    SessionRole,
    day_groups,
    groups_of,
    hit_groups,
)
from hypothesis import given
from hypothesis import strategies as st
from PySide6 import QtGui
from PySide6.QtCore import Qt

from tests.gui import invented

NOW = invented.NOW


@pytest.fixture
def model(qapp) -> SessionListModel:
    return SessionListModel()


def _keys(number: int) -> array[int]:
    return array("q", range(number))


def _titles(model: SessionListModel) -> list[str]:
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def test_the_model_keeps_qts_rules(model, qtmodeltester):
    model.set_keys(_keys(10), [Group("One", 0, 4), Group("Two", 4, 6)])
    model.set_page(0, invented.entries())

    qtmodeltester.check(model)


def test_rows_are_headings_and_sessions(model):
    model.set_keys(_keys(3), [Group("Today", 0, 1), Group("Yesterday", 1, 2)])
    model.set_page(0, invented.entries(3))

    assert _titles(model) == [
        "Today", invented.entry(0).title,
        "Yesterday", invented.entry(1).title, invented.entry(2).title,
    ]  # fmt: skip
    assert [model.key_at(row) for row in range(5)] == [None, 0, None, 1, 2]
    assert [model.row_of_key(key) for key in range(3)] == [1, 3, 4]
    assert model.index(0, 0).data(SessionRole.GROUP).title == "Today"
    assert not model.flags(model.index(0, 0)) & Qt.ItemFlag.ItemIsSelectable


@given(st.lists(st.integers(1, 5), max_size=8), st.integers(0, 40), st.integers(0, 40))
def test_keys_between_two_rows_are_those_of_the_rows(sizes, one, other):
    model = SessionListModel()
    groups = groups_of([(str(number), size) for number, size in enumerate(sizes)], str)
    model.set_keys(_keys(sum(sizes)), groups)
    first, last = sorted((min(one, model.rowCount() - 1), min(other, model.rowCount() - 1)))

    expected = [key for row in range(max(first, 0), last + 1) if (key := model.key_at(row)) is not None]

    assert list(model.keys_between(max(first, 0), last) if model.rowCount() else []) == expected


def test_a_page_is_asked_for_once_and_then_shown(model):
    wanted = []
    model.page_wanted.connect(wanted.append)
    model.set_keys(_keys(PAGE * 3))

    assert model.entry_at(PAGE + 1) is None
    assert model.entry_at(PAGE + 2) is None
    assert wanted == [1]

    model.set_page(1, [invented.entry(key) for key in model.page_keys(1)])

    assert model.entry_at(PAGE + 1) == invented.entry(PAGE + 1)
    assert wanted == [1]


def test_a_session_that_vanished_meanwhile_leaves_its_row_empty(model):
    model.set_keys(_keys(3))
    wanted = []
    model.page_wanted.connect(wanted.append)

    model.set_page(0, [invented.entry(0), invented.entry(2)])

    assert model.entry_at(1) is None
    assert wanted == []


def test_an_answer_for_pages_that_are_gone_does_no_harm(model):
    model.set_keys(_keys(PAGE * 3))
    model.set_keys(_keys(2))

    model.set_page(2, [invented.entry(300)])

    assert model.entry_at(0) is None


def test_a_refresh_shows_the_old_entries_until_the_new_ones_come(model):
    model.set_keys(_keys(3))
    model.set_page(0, invented.entries(3))
    wanted = []
    model.page_wanted.connect(wanted.append)

    model.set_keys(array("q", [2, 0, 1]))

    assert model.entry_at(0) == invented.entry(2)
    assert wanted == [0]


def test_only_so_many_pages_are_kept(model):
    model.set_keys(_keys(PAGE * (PAGES_KEPT + 2)))
    for page in range(PAGES_KEPT + 2):
        model.set_page(page, [invented.entry(key) for key in model.page_keys(page)])
    wanted = []
    model.page_wanted.connect(wanted.append)

    assert model.entry_at(0) is None
    assert wanted == [0]
    assert model.entry_of(invented.entry(0).id) is None


def test_a_million_rows_open_at_once(model):
    keys = _keys(1_000_000)
    times = [1_790_000_000_000 - number * 60_000 for number in range(1_000_000)]
    groups = day_groups(times, NOW, zone=UTC)
    before = time.process_time()

    model.set_keys(keys, groups)
    rows = model.rowCount()
    last = model.row_of_key(999_999)

    assert time.process_time() - before < 0.1
    assert rows == 1_000_000 + len(groups)
    assert last == rows - 1


def test_a_new_name_is_asked_for_and_not_stored(model):
    model.set_keys(_keys(1))
    model.set_page(0, invented.entries(1))
    asked = []
    model.rename_wanted.connect(lambda *what: asked.append(what))

    assert model.setData(model.index(0, 0), "  Better  ")
    assert not model.setData(model.index(0, 0), invented.entry(0).title)

    assert asked == [(invented.entry(0).id, "Better")]
    assert model.index(0, 0).data() == invented.entry(0).title


def test_a_screen_reader_hears_a_sentence(model):
    model.set_keys(_keys(3))
    model.set_page(0, [invented.entry(2), invented.entry(1)])
    role = Qt.ItemDataRole.AccessibleTextRole

    assert model.index(2, 0).data(role) == "Why does the nightly deploy time out?, starred, kelp-api, 143 messages"
    assert model.index(1, 0).data(role) == "Migrate the session index to contentless FTS, live, holdfast, 143 messages"
    assert model.index(0, 0).data(role) == "Loading"


def test_tooltips_of_hostile_titles_are_plain(model):
    hard = invented.hard_entries()
    model.set_keys(array("q", (entry.key for entry in hard)))
    model.set_page(0, hard)

    for row in range(model.rowCount()):
        assert not QtGui.Qt.mightBeRichText(model.index(row, 0).data(Qt.ItemDataRole.ToolTipRole))


def test_ids_are_told_without_asking_for_pages(model):
    model.set_keys(_keys(PAGE * 4))
    model.set_page(0, [invented.entry(key) for key in model.page_keys(0)])
    wanted = []
    model.page_wanted.connect(wanted.append)

    assert model.known_ids(_keys(PAGE * 4)) == [invented.entry(key).id for key in range(PAGE)]
    assert wanted == []


@given(st.lists(st.integers(0, 99), unique=True), st.lists(st.integers(0, 120), unique=True))
def test_spans_hold_the_keys_that_are_listed(listed, asked):
    model = SessionListModel()
    model.set_keys(array("q", listed), [Group("One", 0, len(listed) // 2), Group("Two", len(listed) // 2, len(listed))])

    spans = model.spans_of_keys(array("q", asked))

    found = [key for first, last in spans for key in model.keys_between(first, last)]
    assert found == [key for key in listed if key in asked]


def test_a_run_of_a_hundred_thousand_is_found_at_once(model):
    model.set_keys(_keys(1_000_000))
    before = time.process_time()

    spans = model.spans_of_keys(array("q", range(500_000, 600_000)))

    assert time.process_time() - before < 0.1
    assert spans == [(500_000, 599_999)]


# Searching.


def test_hits_are_rows_of_sessions_under_their_projects(model):
    one, two, three = (invented.entry(number) for number in (2, 4, 1))
    hits = [
        invented.hit(one, "the pool.lock is", "pool.lock"),
        invented.hit(three, "a pool.lock too", "pool.lock"),
        invented.hit(one, "again pool.lock", "pool.lock", message_index=9),
        invented.hit(two, "pool.lock", "pool.lock"),
    ]

    model.set_hits(hit_groups(hits, {entry.key: entry for entry in (one, two, three)}))

    assert _titles(model) == [
        "kelp-api · 2 sessions, 3 messages", one.title, two.title,
        "holdfast · 1 session, 1 message", three.title,
    ]  # fmt: skip
    assert model.is_search
    assert model.hit_at(1).hits == (hits[0], hits[2])
    assert model.hit_of(two.id).hits == (hits[3],)
    assert model.hit_at(0) is None


def test_leaving_the_search_forgets_the_hits(model):
    entry = invented.entry(2)
    model.set_hits([HitGroup("kelp-api", (HitRow(entry, (invented.hit(entry, "x", "x"),)),))])

    model.set_keys(array("q", [2]))

    assert not model.is_search
    assert model.hit_at(0) is None
    assert model.entry_at(0) == entry


def test_a_hit_in_a_session_that_is_gone_is_left_out():
    assert hit_groups([invented.hit(invented.entry(1), "x", "x")], {}) == []


def test_found_sessions_need_no_page(model):
    entry = invented.entry(2)
    wanted = []
    model.page_wanted.connect(wanted.append)

    model.set_hits([HitGroup("kelp-api", (HitRow(entry, (invented.hit(entry, "x", "x"),)),))])

    assert model.entry_at(1) == entry
    assert wanted == []


# Headings.


def test_days_are_headings():
    times = [
        int((NOW - back).timestamp() * 1000)
        for back in (timedelta(), timedelta(hours=2), timedelta(days=1), timedelta(days=4))
    ]

    assert day_groups(times, NOW, zone=UTC) == [
        Group("Today", 0, 2, is_day=True),
        Group("Yesterday", 2, 1, is_day=True),
        Group("Monday 16 November", 3, 1, is_day=True),
    ]  # fmt: skip
    assert [group.title for group in day_groups(times[::-1], NOW, descending=False, zone=UTC)] == [
        "Monday 16 November", "Yesterday", "Today",
    ]  # fmt: skip


def test_sessions_without_a_date_come_under_one_heading():
    now_ms = int(NOW.timestamp() * 1000)

    assert day_groups([now_ms, 0, 0], NOW, zone=UTC) == [
        Group("Today", 0, 1, is_day=True),
        Group("Unknown date", 1, 2, is_day=True),
    ]
    assert day_groups([], NOW, zone=UTC) == []


@pytest.mark.parametrize("descending", [True, False])
def test_days_of_a_clock_change_are_whole(descending):
    zone = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 10, 24, 0, 0, tzinfo=zone)
    times = [int(start.timestamp() * 1000) + hour * 3_600_000 for hour in range(73)]
    times = times[::-1] if descending else times

    groups = day_groups(times, datetime(2027, 1, 1, tzinfo=UTC), descending=descending, zone=zone)

    assert sorted(group.count for group in groups) == [24, 24, 25]


@given(st.lists(st.integers(0, 2_000_000_000_000), max_size=60), st.booleans())
def test_headings_cover_every_session_once(times, descending):
    ordered = sorted(times, reverse=descending)

    groups = day_groups(ordered, NOW, descending=descending, zone=UTC)

    assert [group.first for group in groups] == [sum(each.count for each in groups[:at]) for at in range(len(groups))]
    assert sum(group.count for group in groups) == len(ordered)
