"""A live session takes only the steps that there are, and holds what was stored."""

from __future__ import annotations

import pytest
from holdfast_core.live.session import STATES, STEPS, InvalidTransition, LiveSession
from holdfast_core.model.held import HeldSession, SessionConfig
from holdfast_core.model.message import Todo
from hypothesis import given
from hypothesis import strategies as st

from tests.core.live.world import said
from tests.fakes.store import new_id

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
    return LiveSession(new_id(), project=None, now_ms=1)


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


def test_everything_that_was_stored_is_there_again():
    stored = HeldSession(
        id=new_id(),
        title="A title",
        project_path="/p",
        messages=(said("a"), said("b")),
        todos=(Todo("wash", "in_progress"),),
        config=SessionConfig(agent="one", model="m"),
        context_files=("/p/a.py",),
    )
    session = LiveSession(stored.id, project=None, now_ms=1)

    session.restore(stored)

    assert session.document == stored
    entry = session.entry()
    assert (entry.title, entry.project_path, entry.agent, entry.message_count) == ("A title", "/p", "one", 2)


def test_what_is_added_and_set_shows_in_document_and_entry():
    session = fresh()

    session.add([said("a")], now_ms=5)
    session.set({"title": "New"}, now_ms=7)

    assert [message.id for message in session.document.messages] == ["a"]
    assert (session.document.title, session.document.updated_ms) == ("New", 7)
    assert (session.entry().message_count, session.entry().active_ms) == (1, 7)
