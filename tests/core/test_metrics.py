"""Timings are counted truly, in bounded memory, and outlive the run."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from holdfast_core.metrics import NAMES_LIMIT, RECENT_LIMIT, Metrics, Window, percentile
from hypothesis import given
from hypothesis import strategies as st

CORE = str(Path(__file__).parents[2] / "core")
COUNTER = """
import sys
from pathlib import Path
from holdfast_core.metrics import Metrics
metrics = Metrics.open(Path(sys.argv[1]))
for _ in range(20):
    metrics.count("resumed")
    metrics.save(Path(sys.argv[1]))
"""
DURATIONS = st.lists(st.floats(0, 1e6), max_size=80)


@given(DURATIONS, st.floats(0.01, 1))
def test_a_percentile_is_the_least_value_that_enough_do_not_exceed(values, share):
    ordered = sorted(values)

    found = percentile(ordered, share)

    enough = [value for value in ordered if sum(other <= value for other in ordered) >= share * len(ordered)]
    assert found == (min(enough) if values else 0)


@given(st.lists(st.tuples(st.floats(0, 1e4), st.booleans()), max_size=50))
def test_a_window_counts_all(durations):
    window = Window()

    for duration, is_failure in durations:
        window.add(duration, is_failure=is_failure)

    figures = window.figures("save")
    assert figures.count == len(durations)
    assert figures.failures == sum(is_failure for _, is_failure in durations)
    assert figures.max_ms == max((duration for duration, _ in durations), default=0)
    assert figures.recent_ms == tuple(duration for duration, _ in durations)


def test_memory_is_bounded_in_durations_and_names():
    metrics = Metrics()

    for number in range(3 * RECENT_LIMIT):
        metrics.add("save", number)
    for number in range(3 * NAMES_LIMIT):
        metrics.add(f"made up {number}", 1)
        metrics.count(f"made up {number}")

    assert len(metrics._all.windows["save"].recent_ms) == RECENT_LIMIT
    assert len(metrics._all.windows) <= NAMES_LIMIT
    assert len(metrics._all.events) <= NAMES_LIMIT
    snapshot = metrics.snapshot()
    assert sum(one.count for one in snapshot.operations) == 3 * (RECENT_LIMIT + NAMES_LIMIT)
    assert sum(snapshot.events.values()) == 3 * NAMES_LIMIT


def test_what_is_timed_is_a_success_or_a_failure():
    metrics = Metrics()

    with metrics.timed("load"):
        pass
    with pytest.raises(KeyError), metrics.timed("load"):
        raise KeyError

    (load,) = metrics.snapshot().operations
    assert (load.name, load.count, load.failures) == ("load", 2, 1)
    assert load.max_ms >= load.p95_ms >= load.p50_ms >= 0


def test_the_figures_outlive_the_run(tmp_path: Path):
    path = tmp_path / "metrics.json"
    metrics = Metrics(since_ms=7)
    metrics.add("save", 0.25)
    metrics.add("save", 0.5, is_failure=True)
    metrics.count("resumed", 3)

    metrics.save(path)

    kept = Metrics.open(path)
    assert kept.snapshot() == metrics.snapshot()
    kept.add("save", 1)
    assert kept.snapshot().operations[0].count == 3
    assert kept.snapshot().since_ms == 7
    assert path.stat().st_size < 1000


def test_what_several_processes_count_is_added_up(tmp_path: Path):
    path = tmp_path / "metrics.json"
    window, command = Metrics.open(path), Metrics.open(path)
    window.add("save", 0.5)
    window.count("resumed")
    command.add("save", 0.25, is_failure=True)
    command.count("resumed", 2)

    command.save(path)
    window.save(path)
    window.save(path)

    for metrics in (window, Metrics.open(path)):
        snapshot = metrics.snapshot()
        assert [(one.count, one.failures, one.max_ms) for one in snapshot.operations] == [(2, 1, 500)]
        assert snapshot.events == {"resumed": 3}


def test_processes_that_end_at_once_lose_no_count(tmp_path: Path):
    path = tmp_path / "metrics.json"
    ending = [subprocess.Popen([sys.executable, "-c", COUNTER, str(path)], env={"PYTHONPATH": CORE}) for _ in range(4)]

    assert [one.wait() for one in ending] == [0] * 4

    assert Metrics.open(path).snapshot().events == {"resumed": 4 * 20}


def test_without_a_file_counting_begins(tmp_path: Path):
    assert Metrics.open(tmp_path / "none.json").snapshot().operations == ()


@pytest.mark.parametrize(
    "text",
    [
        *("", "nonsense", "[]", "1", '"x"', "{}", '{"format": 2}', '{"format": 1, "since_ms": null}', "[" * 100_000),
        '{"format": 1, "since_ms": 1e999, "operations": {}, "events": {}}',
        '{"format": 1, "since_ms": 1, "operations": [], "events": {}}',
        '{"format": 1, "since_ms": 1, "operations": {"a": {}}, "events": {}}',
        '{"format": 1, "since_ms": 1, "operations": {}, "events": {"a": "b"}}',
        " " * (2 << 20) + "{}",
    ],
)
def test_a_damaged_file_begins_anew(tmp_path: Path, text: str):
    path = tmp_path / "metrics.json"
    path.write_text(text)

    assert Metrics.open(path).snapshot().operations == ()


@pytest.mark.parametrize("value", [math.nan, math.inf, -1])
def test_what_is_no_duration_is_not_taken_over(tmp_path: Path, value: float):
    path = tmp_path / "metrics.json"
    operations = {"save": {"count": 1, "failures": 0, "max_ms": 1, "recent_ms": [value]}}
    path.write_text(json.dumps({"format": 1, "since_ms": 1, "operations": operations, "events": {}}))

    assert Metrics.open(path).snapshot().operations == ()


def test_a_directory_in_its_place_begins_anew(tmp_path: Path):
    assert Metrics.open(tmp_path).snapshot().operations == ()


def test_many_threads_lose_no_count():
    metrics = Metrics()
    barrier = threading.Barrier(8)

    def work() -> None:
        barrier.wait()
        for _ in range(500):
            metrics.count("event")
            metrics.add("save", 0.001)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    snapshot = metrics.snapshot()
    assert (snapshot.events["event"], snapshot.operations[0].count) == (4000, 4000)
