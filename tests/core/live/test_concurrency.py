"""Many at once, on a real store: threads, processes and tasks meet at gates, never by the clock."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from holdfast_core.errors import HoldfastError, NotNow
from holdfast_core.live.host import Host, HostLimits
from holdfast_core.live.limits import RateLimits
from holdfast_core.model.held import HeldSession
from holdfast_core.resume.held import HeldResume
from holdfast_core.store.store import Store

from tests.core.live.world import Directory, said
from tests.core.store.support import a_store
from tests.fakes.gated import Gate, Gated
from tests.fakes.timer import FakeTimer
from tests.fakes.waiting import until

CHILD = """
import asyncio, sys
from pathlib import Path
from holdfast_core.errors import NotNow
from holdfast_core.live.host import Host, HostLimits
from holdfast_core.sealed.keys import Keys
from holdfast_core.store import claims
from holdfast_core.store.store import Store

async def main():
    top, session_id = Path(sys.argv[1]), sys.argv[2]
    store = Store.open(top / "sessions", Keys.open(top / "keys"))
    host = Host(store, HostLimits(), locks=store.site.places.locks)
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        await host.resume(session_id)
        print("won", flush=True)
    except NotNow:
        print("refused", flush=True)
    sys.stdin.readline()
    await host.close_all()

asyncio.run(main())
"""


class Desk:
    """A real store with gates, and hosts on it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.gated = Gated(store)
        self.timer = FakeTimer()
        self.hosts: list[Host] = []

    def host(self, **limits: Any) -> Host:
        host = Host(self.gated, HostLimits(**limits), self.timer, locks=self.store.site.places.locks)
        self.hosts.append(host)
        return host

    def stored(self, **fields: Any) -> HeldSession:
        return self.store.create(**fields)

    def gate(self, name: str) -> Gate:
        gate = Gate(name)
        self.gated.gates.append(gate)
        return gate

    def texts(self, session_id: str) -> list[str]:
        return [message.id for message in self.store.load(session_id).messages]


@contextmanager
def a_desk(folder: Path | None = None) -> Iterator[Desk]:
    with a_store(folder) as store:
        yield Desk(store)


@asynccontextmanager
async def closing_hosts(desk: Desk) -> AsyncIterator[Desk]:
    try:
        yield desk
    finally:
        desk.gated.gates.clear()
        for host in desk.hosts:
            await host.close_all()


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    with a_desk() as made:
        async with closing_hosts(made):
            yield made


def in_threads(calls: list[Callable[[], Any]]) -> list[Any]:
    """Return what each call returned or raised, all begun at once in threads of their own."""
    barrier = threading.Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def run(place: int) -> None:
        barrier.wait()
        try:
            results[place] = calls[place]()
        except HoldfastError as error:
            results[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


async def outcomes(*steps: Coroutine[Any, Any, Any]) -> tuple[list[Any], list[NotNow]]:
    """Return what was done and what was refused for now; nothing else may happen."""
    results = await asyncio.gather(*steps, return_exceptions=True)
    refused = [result for result in results if isinstance(result, NotNow)]
    done = [result for result in results if not isinstance(result, BaseException)]
    assert len(done) + len(refused) == len(results), results
    return done, refused


# One winner


async def test_of_simultaneous_resumes_in_one_host_one_wins(desk: Desk):
    host = desk.host()
    session = desk.stored(messages=(said("a"),))

    won, refused = await outcomes(*(host.resume(session.id) for _ in range(8)))

    assert (len(won), len(refused)) == (1, 7)
    assert [entry.state for entry in host.entries()] == ["active"]
    assert desk.store.load(session.id).is_live


@contextmanager
def children(store: Store, session_id: str, count: int) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that have opened the store and wait for a line before they resume; they end with their input."""
    command = [sys.executable, "-c", CHILD, str(store.site.places.directory.parent), session_id]
    with ExitStack() as running:
        started = [
            running.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            for _ in range(count)
        ]
        for child in started:
            assert read_line(child) == "ready"
        yield started


def read_line(child: subprocess.Popen[str]) -> str:
    assert child.stdout
    return child.stdout.readline().strip()


def go(child: subprocess.Popen[str]) -> None:
    assert child.stdin
    child.stdin.write("\n")
    child.stdin.flush()


def test_of_simultaneous_resumes_in_two_processes_one_wins(tmp_path: Path):
    with a_store(tmp_path) as store:
        session = store.create(messages=(said("a"),))
        with children(store, session.id, 2) as started:
            for child in started:
                go(child)

            assert sorted(map(read_line, started)) == ["refused", "won"]

        assert not store.load(session.id).is_live


def test_a_session_whose_host_was_killed_is_free_at_once_and_known_as_cut_off(tmp_path: Path):
    with a_store(tmp_path) as store:
        session = store.create(messages=(said("a"),))
        with children(store, session.id, 1) as (child,):
            go(child)
            assert read_line(child) == "won"

            async def attempt() -> None:
                host = Host(store, HostLimits(), FakeTimer(), locks=store.site.places.locks)
                with pytest.raises(NotNow):
                    await host.resume(session.id)
                assert store.check().unclean == ()
                child.kill()
                child.wait(20)
                assert store.check().unclean == (session.id,)
                assert (await host.resume(session.id)).message_count == 1
                await host.close_all()

            asyncio.run(attempt())


async def test_of_racing_starts_as_many_win_as_the_limit_allows(desk: Desk):
    host = desk.host(live=5)
    sessions = [desk.stored() for _ in range(12)]

    won, refused = await outcomes(*(host.start(session.id) for session in sessions))

    assert (len(won), len(refused), len(host.entries())) == (5, 7, 5)
    live = [session for session in sessions if desk.store.load(session.id).is_live]
    assert len(live) == 5


async def test_of_racing_starts_in_one_project_one_wins(desk: Desk):
    host = desk.host()
    sessions = [desk.stored() for _ in range(6)]

    won, refused = await outcomes(*(host.start(session.id, project=Directory(7)) for session in sessions))

    assert (len(won), len(refused)) == (1, 5)


async def test_a_project_is_open_once_over_all_hosts(desk: Desk):
    first, second = desk.host(), desk.host()
    one, other = desk.stored(), desk.stored()
    await first.start(one.id, project=Directory(7))

    with pytest.raises(NotNow, match="another window"):
        await second.start(other.id, project=Directory(7))
    await first.close(one.id)

    assert (await second.start(other.id, project=Directory(7))).state == "active"


async def test_simultaneous_resumes_by_a_person_are_one_resume_and_no_failure(desk: Desk, tmp_path: Path):
    project = tmp_path / "project"
    project.mkdir()
    session = desk.stored(project_path=str(project))
    resumes = [HeldResume(desk.gated, desk.host(), RateLimits()) for _ in range(4)]

    won, refused = await outcomes(*(one.resume(session.id) for one in resumes))

    assert (len(won), len(refused)) == (1, 3)
    assert desk.store.entry(session.id).failures == 0


# Saves that meet a resume


async def test_a_resume_during_a_save_waits_for_it_and_has_it_and_the_loop_goes_on(desk: Desk):
    host = desk.host()
    session, other = desk.stored(), desk.stored()
    is_saving, go_on = threading.Event(), threading.Event()

    def save() -> None:
        with desk.store.site.lock(session.id):
            is_saving.set()
            assert go_on.wait(20)
            desk.store.append(session.id, [said("saved")])

    saving = asyncio.create_task(asyncio.to_thread(save))
    await until(is_saving.is_set)
    resume = asyncio.create_task(host.resume(session.id))
    await host.start(other.id)  # nothing of this waits
    assert not resume.done()
    go_on.set()

    assert (await resume).message_count == 1
    await saving


async def test_saves_of_one_session_from_everywhere_are_all_there(desk: Desk):
    """A live session gets messages from its host and, at the same time, from commands in other threads."""
    host = desk.host()
    session = desk.stored()
    await host.start(session.id)

    def command(number: int) -> Callable[[], object]:
        return lambda: [desk.store.append(session.id, [said(f"command {number}.{step}")]) for step in range(5)]

    others = asyncio.create_task(asyncio.to_thread(in_threads, [command(number) for number in range(3)]))
    await asyncio.gather(*(host.append(session.id, said(f"host {number}")) for number in range(15)))
    assert not any(isinstance(result, HoldfastError) for result in await others)
    await host.close(session.id)

    texts = desk.texts(session.id)
    assert [text for text in texts if text.startswith("host")] == [f"host {number}" for number in range(15)]
    for number in range(3):
        mine = [text for text in texts if text.startswith(f"command {number}")]
        assert mine == [f"command {number}.{step}" for step in range(5)]
    assert desk.store.verify([session.id]).bad == ()


# Closing that meets something else


@pytest.mark.parametrize("step", ["flush", "fold"])
async def test_closing_during_an_automatic_save_comes_after_it_and_loses_nothing(desk: Desk, step: str):
    host = desk.host(autosave_seconds=5)
    session = desk.stored()
    await host.start(session.id)
    await host.append(session.id, said("a"))
    gate = desk.gate(step)
    await desk.timer.advance(0.1 if step == "flush" else 5)
    await until(gate.arrived.is_set)

    closing = asyncio.create_task(host.close(session.id))
    await asyncio.sleep(0)
    assert host.entries() != []
    gate.open()

    assert (await closing).save_error == ""
    stored = desk.store.load(session.id)
    assert ([message.id for message in stored.messages], stored.is_live) == (["a"], False)


async def test_messages_that_come_while_it_closes_are_there_or_refused(desk: Desk):
    host = desk.host()
    session = desk.stored()
    await host.start(session.id)
    gate = desk.gate("append")

    first = asyncio.create_task(host.append(session.id, said("first")))
    await until(gate.arrived.is_set)
    closing = asyncio.create_task(host.close(session.id))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    with pytest.raises(NotNow):
        await host.append(session.id, said("late"))
    gate.open()
    await asyncio.gather(first, closing)

    assert desk.texts(session.id) == ["first"]


async def test_a_resume_while_it_closes_is_refused_and_works_afterwards(desk: Desk):
    host, other = desk.host(), desk.host()
    session = desk.stored()
    await host.start(session.id)
    gate = desk.gate("fold")
    closing = asyncio.create_task(host.close(session.id))
    await until(gate.arrived.is_set)

    _, refused = await outcomes(host.resume(session.id), other.resume(session.id))
    assert len(refused) == 2
    gate.open()
    await closing

    assert (await other.resume(session.id)).state == "active"


async def test_closing_while_it_starts_waits_for_the_start_and_then_closes(desk: Desk):
    host = desk.host()
    session = desk.stored()
    gate = desk.gate("set")
    start = asyncio.create_task(host.start(session.id))
    await until(gate.arrived.is_set)

    closing = asyncio.create_task(host.close_all())
    await asyncio.sleep(0)
    gate.open()

    assert [entry.state for entry in await closing] == ["closed"]
    assert (await start).id == session.id
    assert not desk.store.load(session.id).is_live


async def test_an_end_that_is_observed_while_it_closes_is_one_end(desk: Desk):
    host = desk.host()
    session = desk.stored()
    await host.start(session.id)
    gate = desk.gate("fold")
    closing = asyncio.create_task(host.close(session.id))
    await until(gate.arrived.is_set)

    observed = asyncio.create_task(host.observe_end(session.id, "killed"))
    await asyncio.sleep(0)
    gate.open()

    assert await observed == await closing
    assert [entry.state for entry in host.ended()] == ["closed"]


async def test_a_resume_whose_asker_goes_away_is_whole_all_the_same(desk: Desk):
    host = desk.host()
    session = desk.stored(messages=(said("a"),))
    gate = desk.gate("set")
    resume = asyncio.create_task(host.resume(session.id))
    await until(gate.arrived.is_set)

    resume.cancel()
    with pytest.raises(asyncio.CancelledError):
        await resume
    gate.open()
    await until(lambda: [entry.state for entry in host.entries()] == ["active"])

    await host.append(session.id, said("b"))
    assert desk.texts(session.id) == ["a", "b"]
