"""Whatever is done with live sessions in whatever order: what was acknowledged is stored, every step is a valid one."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from holdfast_core.errors import NotFound, NotNow
from holdfast_core.live.session import STEPS
from hypothesis import given
from hypothesis import strategies as st

from tests.core.live.world import World, said
from tests.core.store.support import a_store

OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(
            ["resume", "append", "set", "waiting", "active", "keep", "close", "end", "later", "much later"]
        ),
        st.integers(0, 2),
    ),
    max_size=25,
)


def test_what_was_acknowledged_is_stored_and_every_step_is_valid(caplog):
    async def live(world: World, operations: list[tuple[str, int]]) -> None:
        host = world.host(live=2, idle_minutes=30, idle_warning_minutes=2)
        ids = [world.inner.create().id for _ in range(3)]
        acknowledged: dict[str, list[str]] = defaultdict(list)
        titles = dict.fromkeys(ids, "")
        for number, (operation, which) in enumerate(operations):
            name = ids[which]
            try:
                match operation:
                    case "resume":
                        await host.resume(name)
                    case "append":
                        await host.append(name, said(str(number)))
                        acknowledged[name].append(str(number))
                    case "set":
                        await host.set(name, title=f"Title {number}")
                        titles[name] = f"Title {number}"
                    case "waiting" | "active":
                        host.mark(name, operation)
                    case "keep":
                        host.keep(name)
                    case "close":
                        await host.close(name)
                    case "end":
                        await host.observe_end(name, "killed")
                    case "later":
                        await world.timer.advance(28 * 60)
                    case "much later":
                        await world.timer.advance(31 * 60)
            except (NotNow, NotFound):
                continue
            assert len(host.entries()) <= 2
        await host.close_all()

        for name in ids:
            stored = world.inner.load(name)
            assert [message.id for message in stored.messages] == acknowledged[name]
            assert (stored.title, stored.is_live, world.is_open(name)) == (titles[name], False, False)
        for name in ids:
            check_steps([event.entry.state for event in world.events if event.entry.id == name])

    with a_store() as store:

        @given(OPERATIONS)
        def hold(operations: list[tuple[str, int]]) -> None:
            asyncio.run(live(World(store), operations))

        hold()
    caplog.clear()


def check_steps(states: list[str]) -> None:
    """Every state that was told follows from the one told before; after an end comes a new beginning."""
    before = "starting"
    for state in states:
        if before in ("closed", "crashed"):
            before = "starting"
        assert state == before or state in STEPS[before], states
        before = state
    assert not states or before in ("closed", "crashed")
