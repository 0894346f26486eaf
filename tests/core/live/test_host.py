"""The host: one place where sessions become live, are saved as they go on, and end."""

from __future__ import annotations

import asyncio
import errno
import threading

import pytest
from holdfast_core.errors import HoldfastError, NotFound, NotNow, Refused, WrongUsage
from holdfast_core.live.host import HostLimits
from holdfast_core.live.timer import LoopTimer
from holdfast_core.model.held import SessionConfig
from holdfast_core.model.message import Todo

from tests.core.live.world import Directory, World, entry_of, said
from tests.fakes.gated import Failure, Gate
from tests.fakes.waiting import until

FULL = OSError(errno.ENOSPC, "no space")


async def test_a_started_session_is_live_and_marked(world: World):
    host = world.host()

    session = await world.started(host, title="A title", project_path="/p", config=SessionConfig(agent="one"))

    entry = entry_of(host, session.id)
    assert (entry.state, entry.title, entry.project_path, entry.agent) == ("active", "A title", "/p", "one")
    assert world.inner.load(session.id).is_live
    assert world.kinds == ["created"]


async def test_a_resumed_session_has_everything_that_was_stored(world: World):
    host = world.host()
    stored = world.inner.create(messages=(said("a"),), todos=(Todo("wash"),), context_files=("/a",), closed_ms=5)

    entry = await host.resume(stored.id)

    document = await host.document(stored.id)
    assert (document.messages, document.todos, document.context_files) == (stored.messages, stored.todos, ("/a",))
    assert entry.message_count == 1
    written = world.inner.load(stored.id)
    assert (written.is_live, written.closed_ms, written.last_resumed_ms) == (True, None, world.timer.now_ms())
    assert world.kinds == ["resumed"]


async def test_a_message_is_in_the_journal_before_anybody_is_told(world: World):
    host = world.host()
    session = await world.started(host)
    written: list[int] = []
    host.events.add(lambda event: written.append(len(world.inner.load(session.id).messages)))

    await host.append(session.id, said("a"), said("b"))

    assert written == [2]
    assert entry_of(host, session.id).message_count == 2


async def test_changes_are_committed_together_within_a_moment(world: World):
    host = world.host()
    session = await world.started(host)
    await asyncio.gather(*(host.append(session.id, said(str(number))) for number in range(50)))
    await host.set(session.id, title="New")

    entry = await world.pass_until_saved(host, session.id, seconds=0.2)

    assert world.store.steps.count("flush") == 1
    assert entry.saved_ms is not None
    assert [message.id for message in world.inner.load(session.id).messages] == list(map(str, range(50)))
    assert world.inner.load(session.id).title == "New"


async def test_by_the_real_clock_a_change_is_durable_within_five_seconds(world: World):
    world.timer = LoopTimer()
    host = world.host()
    session = await world.started(host)

    await host.append(session.id, said("a"))

    await until(lambda: world.is_durable, seconds=5)
    assert entry_of(host, session.id).started_ms <= world.timer.now_ms()


async def test_nothing_is_written_where_nothing_happens(world: World):
    host = world.host(autosave_seconds=300)
    session = await world.started(host)
    await world.pass_until_saved(host, session.id)
    before = list(world.store.steps)

    await world.timer.advance(299)

    assert world.store.steps == before


@pytest.mark.parametrize("seconds", [5, 30, 300])
async def test_the_journal_is_folded_at_the_interval_and_not_before(world: World, seconds: int):
    host = world.host(autosave_seconds=seconds)
    await world.started(host)

    await world.timer.advance(seconds - 0.01)
    assert "fold" not in world.store.steps
    await world.timer.advance(0.01)

    await until(lambda: "fold" in world.store.steps)


@pytest.mark.parametrize("seconds", [0, 4.9, 301, -1])
async def test_other_intervals_are_refused(world: World, seconds: float):
    host = world.host(autosave_seconds=seconds)
    session = world.inner.create()

    with pytest.raises(WrongUsage):
        await host.start(session.id)
    assert host.entries() == []


async def test_a_commit_that_fails_is_told_once_and_tried_again_until_it_is_done(world: World, caplog):
    host = world.host()
    session = await world.started(host)
    await world.pass_until_saved(host, session.id)
    failure = Failure("flush", FULL)
    world.store.gates.append(failure)

    await host.append(session.id, said("a"))
    await world.timer.advance(0.2)
    await until(lambda: failure.count == 1)
    await until(lambda: entry_of(host, session.id).save_error)
    for count in (2, 3):
        await world.timer.advance(1)
        await until(lambda count=count: failure.count == count)

    assert "cannot be saved" in entry_of(host, session.id).save_error
    assert world.kinds.count("failed") == 1
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert session.id in caplog.text
    caplog.clear()

    failure.is_on = False
    await world.timer.advance(1)
    await until(lambda: entry_of(host, session.id).save_error == "")
    assert world.is_durable
    assert world.inner.load(session.id).messages == (said("a"),)


async def test_what_cannot_be_written_is_refused_and_not_shown(world: World, caplog):
    host = world.host()
    session = await world.started(host)
    world.store.gates.append(Failure("append", FULL))

    with pytest.raises(HoldfastError, match="cannot be saved"):
        await host.append(session.id, said("a"))

    assert entry_of(host, session.id).message_count == 0
    assert entry_of(host, session.id).save_error
    assert "message" not in world.kinds
    caplog.clear()


async def test_a_change_that_is_wrong_is_no_failure_to_save(world: World):
    host = world.host()
    session = await world.started(host)

    for wrong in ({"no_such_field": 1}, {"id": "x"}):
        with pytest.raises(WrongUsage):
            await host.set(session.id, **wrong)

    assert entry_of(host, session.id).save_error == ""
    assert "failed" not in world.kinds


async def test_a_fold_that_fails_is_told_and_ends_with_the_next_commit(world: World, caplog):
    host = world.host(autosave_seconds=5)
    session = await world.started(host)
    world.store.gates.append(Failure("fold", FULL))

    await world.timer.advance(5)
    await until(lambda: "failed" in world.kinds)
    await world.timer.advance(1)
    await until(lambda: entry_of(host, session.id).save_error == "")

    world.store.gates.clear()
    caplog.clear()


async def test_closing_saves_folds_and_lets_go(world: World):
    host = world.host()
    session = await world.started(host)
    await host.append(session.id, said("a"))

    entry = await host.close(session.id, "person")

    assert (entry.state, entry.reason, entry.save_error) == ("closed", "person", "")
    stored = world.inner.load(session.id)
    assert (stored.is_live, stored.closed_ms, stored.messages) == (False, world.timer.now_ms(), (said("a"),))
    assert world.store.steps[-4:] == ["set", "flush", "fold", "close"]
    assert not world.is_open(session.id)
    assert host.entries() == []
    assert host.ended() == [entry]
    assert world.kinds[-3:] == ["state", "saved", "closed"]
    await host.resume(session.id)


@pytest.mark.parametrize("step", ["set", "flush", "fold", "close"])
async def test_closing_goes_on_if_saving_fails_and_the_journal_has_the_data(world: World, caplog, step: str):
    host = world.host()
    session = await world.started(host)
    await host.append(session.id, said("a"))
    failure = Failure(step, FULL)
    world.store.gates.append(failure)

    entry = await host.close(session.id)

    assert entry.state == "closed"
    assert "cannot be saved" in entry.save_error
    assert host.ended()[0].save_error == entry.save_error
    assert [event.message for event in world.events if event.kind in ("failed", "closed")] == [entry.save_error] * 2
    assert world.inner.load(session.id).messages == (said("a"),)
    assert not world.is_open(session.id)
    assert session.id in caplog.text
    caplog.clear()
    failure.is_on = False
    assert (await host.resume(session.id)).message_count == 1


async def test_who_closes_twice_gets_the_same_end(world: World):
    host = world.host()
    session = await world.started(host)

    first, second = await asyncio.gather(host.close(session.id, "one"), host.close(session.id, "two"))

    assert first == second
    assert world.kinds.count("closed") == 1


async def test_what_ended_by_itself_is_saved_and_says_why_and_nothing_else_notices(world: World, caplog):
    host = world.host()
    session, other = await world.started(host), await world.started(host)
    await host.append(session.id, said("a"))

    entry = await host.observe_end(session.id, "killed by signal 9")

    assert (entry.state, entry.reason) == ("crashed", "killed by signal 9")
    stored = world.inner.load(session.id)
    assert (stored.is_live, stored.messages) == (False, (said("a"),))
    assert [live.id for live in host.entries()] == [other.id]
    assert world.kinds[-1] == "crashed"
    assert session.id in caplog.text
    caplog.clear()


async def test_an_ended_or_unknown_session_takes_nothing(world: World):
    host = world.host()
    session = await world.started(host)
    await host.close(session.id)

    for attempt in (
        host.append(session.id, said("a")),
        host.set(session.id, title="x"),
        host.document(session.id),
        host.close(session.id),
    ):
        with pytest.raises(NotFound):
            await attempt
    with pytest.raises(NotFound):
        host.keep(session.id)


async def test_a_session_that_is_being_closed_takes_nothing(world: World):
    host = world.host()
    session = await world.started(host)
    gate = Gate("fold")
    world.store.gates.append(gate)
    closing = asyncio.create_task(host.close(session.id))
    await until(gate.arrived.is_set)

    with pytest.raises(NotNow):
        await host.append(session.id, said("late"))
    with pytest.raises(NotNow):
        host.keep(session.id)
    with pytest.raises(NotNow):
        await host.resume(session.id)

    gate.open()
    await closing
    assert world.inner.load(session.id).messages == ()


async def test_no_more_than_the_limit_are_live(world: World):
    host = world.host(live=2)
    first = await world.started(host)
    await world.started(host)
    third = world.inner.create()

    with pytest.raises(NotNow, match="2 sessions are live"):
        await host.start(third.id)
    await host.close(first.id)

    assert (await host.start(third.id)).state == "active"


async def test_other_limits_hold_from_then_on(world: World):
    host = world.host(live=1)
    await world.started(host)

    host.use_limits(HostLimits(live=2))

    await world.started(host)
    assert len(host.entries()) == 2


async def test_the_interval_of_saving_follows_the_settings_at_once(world: World):
    host = world.host(autosave_seconds=300)
    session = await world.started(host)
    await world.timer.advance(10)
    world.store.steps.clear()

    host.use_limits(HostLimits(autosave_seconds=5))

    await world.timer.advance(6)
    await until(lambda: "fold" in world.store.steps)
    assert entry_of(host, session.id).state == "active"


@pytest.mark.parametrize("before", [0, 30])
async def test_the_idle_time_follows_the_settings_at_once(world: World, before: int):
    host = world.host(idle_minutes=before, autosave_seconds=300)
    await world.started(host)
    await world.timer.advance(60)

    host.use_limits(HostLimits(idle_minutes=5, idle_warning_minutes=1, autosave_seconds=300))

    await world.timer.advance(190)
    assert "idle_warning" in world.kinds
    await world.timer.advance(70)
    await until(lambda: not host.entries())


async def test_who_turns_the_idle_time_off_is_not_closed(world: World):
    host = world.host(idle_minutes=5, idle_warning_minutes=1)
    await world.started(host)
    await world.timer.advance(250)
    assert "idle_warning" in world.kinds

    host.use_limits(HostLimits(idle_minutes=0))

    await world.timer.advance(1000)
    assert len(host.entries()) == 1


async def test_a_project_is_open_in_one_session_only(world: World):
    host = world.host()
    first, second = world.inner.create(), world.inner.create()
    await host.start(first.id, project=Directory(7))

    with pytest.raises(NotNow, match="project"):
        await host.start(second.id, project=Directory(7))
    await host.close(first.id)

    assert (await host.start(second.id, project=Directory(7))).state == "active"


async def test_a_live_session_is_not_started_again(world: World):
    host = world.host()
    session = await world.started(host)

    with pytest.raises(NotNow, match="live already"):
        await host.resume(session.id)


@pytest.mark.parametrize("step", ["open_journal", "read", "set"])
@pytest.mark.parametrize("error", [FULL, Refused("No."), ValueError("a mistake of ours")])
async def test_a_start_that_fails_leaves_nothing_behind(world: World, step: str, error: Exception):
    host = world.host()
    session = world.inner.create(messages=(said("a"),), closed_ms=3)
    failure = Failure(step, error)
    world.store.gates.append(failure)

    with pytest.raises(type(error)):
        await host.resume(session.id, project=Directory(7))

    assert host.entries() == []
    assert world.inner.load(session.id) == session
    assert not world.is_open(session.id)
    assert world.events == []
    failure.is_on = False
    assert (await host.resume(session.id, project=Directory(7))).state == "active"


async def test_what_is_not_confirmed_is_not_written(world: World):
    host = world.host()
    session = world.inner.create()

    def confirm(document: object) -> None:
        assert document == session
        raise Refused("Not the same directory.")

    with pytest.raises(Refused, match="Not the same"):
        await host.resume(session.id, confirm=confirm)

    assert world.inner.load(session.id) == session
    assert "set" not in world.store.steps


async def test_an_idle_session_is_warned_of_and_closed(world: World):
    host = world.host(idle_minutes=30, idle_warning_minutes=2)
    session = await world.started(host)

    await world.timer.advance(28 * 60 - 1)
    assert entry_of(host, session.id).state == "active"
    await world.timer.advance(1)
    assert entry_of(host, session.id).state == "idle"
    assert "2 minutes" in world.events[-1].message
    await world.timer.advance(2 * 60)
    await until(lambda: host.entries() == [])

    assert host.ended()[0].reason == "idle"
    assert "nothing happened" in world.events[-1].message
    assert not world.inner.load(session.id).is_live


async def test_a_kept_session_stays(world: World):
    host = world.host(idle_minutes=30, idle_warning_minutes=2)
    session = await world.started(host)
    await world.timer.advance(28 * 60)

    host.keep(session.id)
    assert entry_of(host, session.id).state == "active"
    await world.timer.advance(27 * 60)

    assert entry_of(host, session.id).state == "active"


async def test_activity_keeps_a_session(world: World):
    host = world.host(idle_minutes=30, idle_warning_minutes=2)
    session = await world.started(host)

    for number in range(5):
        await world.timer.advance(29 * 60)
        assert entry_of(host, session.id).state == "idle"
        await host.append(session.id, said(str(number)))
        assert entry_of(host, session.id).state == "active"


async def test_without_an_idle_time_a_session_stays_for_ever(world: World):
    host = world.host(idle_minutes=0)
    session = await world.started(host)

    await world.timer.advance(90 * 60)

    assert entry_of(host, session.id).state == "active"


async def test_waiting_for_permission_is_a_state_of_its_own(world: World):
    host = world.host(idle_minutes=30, idle_warning_minutes=2)
    session = await world.started(host)

    host.mark(session.id, "waiting")
    assert entry_of(host, session.id).state == "waiting"
    await world.timer.advance(28 * 60)
    assert entry_of(host, session.id).state == "waiting"
    assert world.kinds[-1] == "idle_warning"
    host.mark(session.id, "active")
    assert entry_of(host, session.id).state == "active"
    await world.timer.advance(28 * 60)
    host.mark(session.id, "waiting")

    assert entry_of(host, session.id).state == "waiting"


async def test_all_work_on_files_is_done_in_other_threads_and_the_loop_goes_on(world: World):
    host = world.host()
    session = await world.started(host)
    gate = Gate("flush")
    world.store.gates.append(gate)
    await host.append(session.id, said("a"))
    await world.timer.advance(0.2)
    await until(gate.arrived.is_set)

    other = await world.started(host)
    await host.append(other.id, said("b"))

    assert entry_of(host, other.id).message_count == 1
    gate.open()
    await host.close_all()
    assert threading.get_ident() not in world.store.threads


async def test_closing_all_closes_all_and_starts_none_any_more(world: World):
    host = world.host()
    sessions = [await world.started(host) for _ in range(3)]

    entries = await host.close_all("quit")

    assert [(entry.id, entry.state, entry.reason) for entry in entries] == [
        (session.id, "closed", "quit") for session in sessions
    ]
    assert not any(world.inner.load(session.id).is_live for session in sessions)
    with pytest.raises(NotNow):
        await host.start(world.inner.create().id)


async def test_what_happened_is_counted(world: World):
    host = world.host()
    session = await world.started(host)
    await host.append(session.id, said("a"))
    await host.close(session.id)

    snapshot = world.metrics.snapshot()
    assert {kind: snapshot.events[kind] for kind in ("created", "message", "closed")} == {
        "created": 1,
        "message": 1,
        "closed": 1,
    }
    assert {operation.name for operation in snapshot.operations} == {"append", "save"}


async def test_saving_on_request_does_not_wait_for_the_next_commit(world: World):
    host = world.host()
    session = await world.started(host)
    await host.append(session.id, said("a"))

    await host.save(session.id)

    assert world.is_durable
    assert entry_of(host, session.id).saved_ms == world.timer.now_ms()


async def test_saving_on_request_says_why_it_cannot(world: World, caplog):
    host = world.host()
    session = await world.started(host)
    failure = Failure("flush", FULL)
    world.store.gates.append(failure)

    with pytest.raises(HoldfastError, match="cannot be saved"):
        await host.save(session.id)

    failure.is_on = False
    await host.save(session.id)
    assert entry_of(host, session.id).save_error == ""
    with pytest.raises(NotFound):
        await host.save("no session")
    caplog.clear()
