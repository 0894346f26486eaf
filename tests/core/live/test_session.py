"""A live session takes only the steps that there are."""

from __future__ import annotations

import pytest
from holdfast_core.live.session import STATES, STEPS, InvalidTransition, LiveSession
from holdfast_core.model.held import HeldEntry
from hypothesis import given
from hypothesis import strategies as st

# Written down a second time, in the words of the specification.
ALLOWED = {
    ("starting", "active"),
    ("active", "waiting"),
    ("active", "idle"),
    ("waiting", "active"),
    ("idle", "active"),
    *((state, "closing") for state in ("starting", "active", "waiting", "idle")),
    ("closing", "closed"),
    ("closing", "crashed"),
}


def fresh() -> LiveSession:
    return LiveSession("00000000-0000-4000-8000-000000000000", project=None, now_ms=1)


@given(st.lists(st.sampled_from(STATES), max_size=30))
def test_of_any_steps_those_are_taken_that_there_are(wanted):
    session = fresh()
    state = "starting"

    for step in wanted:
        if (state, step) in ALLOWED:
            session.move(step)
            state = step
        else:
            with pytest.raises(InvalidTransition):
                session.move(step)
        assert session.state == state
        assert session.is_open == (state in ("active", "waiting", "idle"))


def test_every_state_is_reached_and_only_ends_are_final():
    reached = {step for steps in STEPS.values() for step in steps}

    assert reached | {"starting"} == set(STATES) == set(STEPS)
    assert {state for state, steps in STEPS.items() if not steps} == {"closed", "crashed"}


def test_what_is_in_the_journal_shows_in_the_entry():
    session = fresh()

    session.know(HeldEntry(id=session.id, title="A title", project_path="/p", agent="one", message_count=2))
    session.touch(7)

    entry = session.entry()
    assert (entry.title, entry.project_path, entry.agent, entry.message_count) == ("A title", "/p", "one", 2)
    assert (entry.started_ms, entry.active_ms, entry.state) == (1, 7, "starting")
