"""Properties of what happens at once, and of disks that fail: threads begin at barriers, faults come at any call."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from holdfast_core.errors import HoldfastError, NotNow
from holdfast_core.live.host import Host, HostLimits
from holdfast_core.model.held import HeldSession
from holdfast_core.store import claims
from holdfast_core.store.store import Store
from hypothesis import given
from hypothesis import strategies as st

from tests.core.live.test_concurrency import Desk
from tests.core.live.world import said as says
from tests.core.store.support import a_store, made, said, some_id
from tests.fakes.timer import FakeTimer
from tests.fakes.waiting import until
from tests.faults.disk import FAULTS, Disk, Plan
from tests.properties.support import EXAMPLES, folder, in_threads, logged, stored_as
from tests.properties.test_keeping import CHANGES

ONE = some_id(1)


@EXAMPLES
@given(
    savers=st.lists(
        st.lists(st.sampled_from(["save", "append", "rename", "close"]), min_size=1, max_size=4), min_size=2, max_size=4
    ),
    is_apart=st.booleans(),
)
def test_q17_concurrent_saves_never_corrupt(savers: list[list[str]], is_apart: bool):
    """All end, no error surfaces, the last whole save of somebody is what stands, and nothing after it is lost."""

    def saving(store: Store, place: int, steps: list[str]) -> Callable[[], None]:
        def run() -> None:
            for number, step in enumerate(steps):
                mark = f"{place}.{number}"
                match step:
                    case "save":
                        store.save(HeldSession(id=ONE, title=mark, messages=(says(mark),)))
                    case "append":
                        store.append(ONE, [says(mark)])
                    case "rename":
                        store.rename(ONE, mark)
                    case "close":
                        store.close(ONE)

        return run

    with folder() as top, a_store(top) as store, a_store(top) as other:
        made(store, 1, messages=())
        stores = [store if not is_apart or place % 2 else other for place in range(len(savers))]

        results = in_threads([saving(stores[place], place, steps) for place, steps in enumerate(savers)])

        assert results == [None] * len(savers)
        now = store.load(ONE)
        assert other.load(ONE) == now
        texts = [message.id for message in now.messages]
        wholes = {
            f"{place}.{len(steps) - 1 - steps[::-1].index('save')}"
            for place, steps in enumerate(savers)
            if "save" in steps
        }
        assert not wholes or texts[0] in wholes
        for place, steps in enumerate(savers):
            mine = [int(text.partition(".")[2]) for text in texts if text.startswith(f"{place}.")]
            added = [number for number, step in enumerate(steps) if step == "append"]
            assert mine == sorted(mine)
            assert set(added) <= set(mine) or wholes
        assert store.verify().bad == ()
        assert not store.check() and store.entry(ONE).message_count == len(texts)


@EXAMPLES
@given(st.integers(2, 4), st.lists(st.sampled_from("abcdef"), max_size=4))
def test_q18_of_concurrent_resumes_one_wins(count: int, texts: list[str]):
    """Each thread has a loop and a host of its own; who lost leaves nothing, who won has everything."""
    with a_store() as store, pytest.MonkeyPatch.context() as patch:
        patch.setattr(claims, "_TRY_SECONDS", 0)
        session = store.create(messages=tuple(map(says, texts)))
        refused = threading.Semaphore(0)

        async def resume() -> str:
            host = Host(store, HostLimits(), FakeTimer(), locks=store.site.places.locks)
            try:
                entry = await host.resume(session.id)
            except NotNow:
                refused.release()
                assert host.entries() == []
                return "refused"
            for _ in range(count - 1):
                assert refused.acquire(timeout=20)  # it stays live until all others have asked
            assert [message.id for message in (await host.document(entry.id)).messages] == texts
            await host.close_all()
            return "won"

        results = in_threads([lambda: asyncio.run(resume())] * count)

        assert sorted(results) == ["refused"] * (count - 1) + ["won"]
        now = store.load(session.id)
        assert not now.is_live and [message.id for message in now.messages] == texts


class Content(NamedTuple):
    """What of a session a resume or a save says, but for times."""

    title: str = "Old"
    notes: str = ""
    messages: tuple[str, ...] = ("a",)
    is_live: bool = False
    was_resumed: bool = False


SAVES: dict[str, tuple[Callable[[Store, str], object], Callable[[Content], Content]]] = {
    "append": (
        lambda store, name: store.append(name, [says("b")]),
        lambda before: before._replace(messages=(*before.messages, "b")),
    ),
    "set": (lambda store, name: store.set(name, notes="New"), lambda before: before._replace(notes="New")),
    "rename": (lambda store, name: store.rename(name, "New"), lambda before: before._replace(title="New")),
    "save": (
        lambda store, name: store.save(HeldSession(id=name, title="Whole", messages=(says("c"),))),
        lambda before: Content("Whole", "", ("c",)),
    ),
}


def in_order(saves: list[str], *, resumed_first: bool) -> Content:
    """Return what a session is after these saves and a resume, one after the other."""
    content = Content(is_live=resumed_first, was_resumed=resumed_first)
    for name in saves:
        content = SAVES[name][1](content)
    return content if resumed_first else content._replace(is_live=True, was_resumed=True)


@EXAMPLES
@given(
    st.lists(st.sampled_from(sorted(SAVES)), min_size=1, max_size=3),
    st.sampled_from(["open_journal", "read", "set", "during the saves"]),
)
def test_q19_saves_during_a_resume_and_a_resume_during_saves_end_in_one_of_the_two_orders(saves: list[str], step: str):
    """The saves come when the resume stands at a step of its own, or the resume while the saves hold the session."""

    async def meet(desk: Desk) -> Content:
        session = desk.stored(title="Old", messages=(says("a"),))
        host = desk.host()

        def save() -> None:
            for name in saves:
                SAVES[name][0](desk.store, session.id)

        def save_at_the_gate() -> None:
            assert gate.arrived.wait(20)
            save()
            gate.open()

        def save_and_hold() -> None:
            with desk.store.site.lock(session.id):
                is_saving.set()
                save()
                assert go_on.wait(20)

        if step == "during the saves":
            is_saving, go_on = threading.Event(), threading.Event()
            saving = asyncio.create_task(asyncio.to_thread(save_and_hold))
            await until(is_saving.is_set)
            resume = asyncio.create_task(host.resume(session.id))
            await asyncio.sleep(0)
            assert not resume.done()
            go_on.set()
            await asyncio.gather(saving, resume)
        else:
            gate = desk.gate(step)
            await asyncio.gather(asyncio.to_thread(save_at_the_gate), host.resume(session.id))
        now = desk.store.load(session.id)
        desk.gated.gates.clear()
        await host.close_all()
        texts = tuple(message.id for message in now.messages)
        return Content(now.title, now.notes, texts, now.is_live, now.last_resumed_ms is not None)

    with a_store() as store:
        found = asyncio.run(meet(Desk(store)))

        assert found in (in_order(saves, resumed_first=False), in_order(saves, resumed_first=True))
        assert store.verify().bad == ()


def live(store: Store) -> None:
    journal = store.open_journal(ONE)
    try:
        journal.append([said(8)])
        journal.flush()
        journal.fold(always=True)
    finally:
        journal.close()


STEPS: dict[str, Callable[[Store], object]] = {
    **{name: (lambda store, change=change: change(store, ONE)) for name, change in CHANGES.items()},
    "create": lambda store: store.create(title="created"),
    "fork": lambda store: store.fork(ONE),
    "delete": lambda store: store.delete([ONE]),
    "undelete": lambda store: store.undelete([some_id(2)]),
    "empty": lambda store: store.empty_trash([some_id(2)]),
    "prune": lambda store: store.prune_backups(),
    "adopt": lambda store: store.adopt(ONE),
    "failed": lambda store: store.failed(ONE),
    "verify": lambda store: store.verify(),
    "live": live,
}


def state_of(store: Store) -> tuple[list[dict[str, Any]], list[str]]:
    """All that there is, but for ids that are new each time, and moments."""
    sessions = []
    for entry in store.entries():
        plain = stored_as(store.load(entry.id)) | {"closed_ms": None}
        if entry.id != ONE:
            plain |= {"id": "", "created_ms": 0}
        sessions.append(plain)
    return sorted(sessions, key=str), sorted(entry.id for entry in store.trash())


def after(top: Path, step: str, plan: Plan, *, is_gone: bool) -> tuple[list[Any], bool]:
    """Do one thing while the disk fails; return what there is then and when it is started anew, and if it was done."""
    is_done = False
    with a_store(top) as store:
        if is_gone:
            store.site.places.directory.rename(top / "away")
        with Disk(top, plan):
            try:
                STEPS[step](store)
                is_done = True
            except HoldfastError as error:
                assert str(error).endswith(".") and str(top) not in str(error)
        if is_gone:
            (top / "away").rename(store.site.places.directory)
        found = [state_of(store)]
    with a_store(top) as store:
        store.check()
        found.append(state_of(store))
        assert store.verify().bad == ()
        assert not [path for path in top.rglob("*") if path.name.endswith(".tmp")]
        if ONE in {entry.id for entry in store.entries()}:
            store.append(ONE, [said(9)])
            assert store.load(ONE).messages[-1] == said(9)
    return found, is_done


@EXAMPLES
@given(
    step=st.sampled_from(sorted(STEPS)),
    faults=st.lists(
        st.tuples(st.integers(0, 1 << 20), st.integers(0, 9), st.booleans()), min_size=4, max_size=4, unique=True
    ),
    is_gone=st.sampled_from([False] * 9 + [True]),
)
def test_q20_a_disk_that_fails_leaves_the_old_or_the_new_state(
    caplog: pytest.LogCaptureFixture, step: str, faults: list[tuple[int, int, bool]], is_gone: bool
):
    """Full, not permitted, broken, or gone: at any call of anything that changes a store."""
    with folder() as top:
        with a_store(top / "before") as store:
            made(store, 1), made(store, 2)
            store.close(ONE)
            store.append(ONE, [said(3)])
            store.delete([some_id(2)])
            old = state_of(store)
        shutil.copytree(top / "before", top / "well", symlinks=True)
        with a_store(top / "well") as store, Disk(top / "well") as disk:
            STEPS[step](store)
            new = state_of(store)
        for number, (at, which, persists) in enumerate(faults):
            place = top / f"failing {number}"
            shutil.copytree(top / "before", place, symlinks=True)
            call = at % max(1, len(disk.calls))
            possible = [one for one in FAULTS[disk.calls[call] if disk.calls else "open"] if one != "die"]
            plan = Plan() if is_gone else Plan(call, possible[which % len(possible)], persists)

            found, is_done = after(place, step, plan, is_gone=is_gone)

            assert all(state in (old, new) for state in found)
            assert not is_done or found == [new] * len(found)
    logged(caplog)
