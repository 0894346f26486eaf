"""Several processes and one store: nothing is lost, nothing waits for what is not its own, a kill costs nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from holdfast_core.errors import Refused
from holdfast_core.sealed.locks import lock

from tests.core.store.support import a_store, made, said, some_id

ROOT = Path(__file__).parents[3]
ONE, TWO = some_id(1), some_id(2)


@contextmanager
def another(folder: Path, task: str, *, first: int = 0, count: int = 10) -> Iterator[subprocess.Popen[str]]:
    """Another process that does a task to the first session; it has opened the store."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "core")))}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.core.store.child", str(folder), task, ONE, str(first), str(count)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=ROOT,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_processes_that_append_to_one_session_lose_nothing(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1, messages=())
        with another(tmp_path, "append", first=100) as one, another(tmp_path, "append", first=200) as other:
            for number in range(10):
                store.append(ONE, [said(number)])
            assert (one.wait(60), other.wait(60)) == (0, 0)

        found = store.load(ONE).messages
        assert sorted(message.id for message in found) == sorted(
            f"m{start + number}" for start in (0, 100, 200) for number in range(10)
        )
        for start in (0, 100, 200):  # each in its own order
            own = [int(message.id[1:]) for message in found if start <= int(message.id[1:]) < start + 10]
            assert own == sorted(own)
        assert store.entry(ONE).message_count == 30
        assert not store.check()


def test_the_later_of_two_whole_saves_wins_and_nothing_is_corrupt(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        with another(tmp_path, "save", first=100) as one, another(tmp_path, "save", first=200) as other:
            for number in range(10):
                store.rename(ONE, f"Title {number}")
            assert (one.wait(60), other.wait(60)) == (0, 0)

        assert store.load(ONE).messages in ((said(109),), (said(209),))
        assert store.verify().bad == ()
        assert not store.check()


def test_another_process_cannot_open_what_is_live_here(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        with another(tmp_path, "live", count=10_000) as live:
            assert live.stdout is not None
            live.stdout.readline()
            with pytest.raises(Refused, match="already open"):
                store.open_journal(ONE)
            assert store.unclean() == []
            assert store.check().unclean == ()


def test_a_session_that_is_being_written_does_not_keep_others_waiting(tmp_path: Path):
    with a_store(tmp_path, lock_seconds=0.1) as store:
        made(store, 1), made(store, 2)
        with lock(store.site.places.lock(ONE), timeout_seconds=1), a_store(tmp_path, lock_seconds=0.1) as other:
            assert other.append(TWO, [said(2)]).message_count == 2


@pytest.mark.parametrize("after", range(8))
def test_all_that_was_acknowledged_is_back_after_a_kill(tmp_path: Path, after: int):
    with a_store(tmp_path) as store:
        made(store, 1, messages=())
    with another(tmp_path, "live", count=10_000) as live:
        assert live.stdout is not None
        done = [live.stdout.readline() for _ in range(after + 1)]
        live.send_signal(signal.SIGKILL)
        live.wait()
        done += live.stdout.readlines()

    with a_store(tmp_path) as store:
        found = store.check()
        assert found.unclean == (ONE,)
        assert found.truncated == found.recovered == found.quarantined == ()
        kept = store.load(ONE).messages
        acknowledged = len([line for line in done if line.endswith("\n")])
        assert kept == tuple(said(number) for number in range(len(kept)))
        assert acknowledged <= len(kept) <= acknowledged + 1
        assert store.recover(ONE).state == "closed"
        assert store.load(ONE).messages == kept
        assert not list(store.site.places.directory.rglob(".holdfast-*"))
        assert not store.check()
