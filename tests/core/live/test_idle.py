"""Only what happens in a session keeps it open; before it is closed the person is warned once."""

from __future__ import annotations

from holdfast_core.live.idle import Idle
from hypothesis import given
from hypothesis import strategies as st


def test_first_it_warns_then_it_closes():
    idle = Idle(after_seconds=100, warning_seconds=20, now=0)

    assert [idle.step(now) for now in (0, 79.9, 80, 80.1, 99.9, 100)] == ["", "", "warn", "", "", "close"]


def test_activity_and_keeping_begin_anew():
    idle = Idle(after_seconds=100, warning_seconds=20, now=0)
    assert idle.step(80) == "warn"

    idle.touch(90)

    assert [idle.step(now) for now in (100, 169, 170, 190)] == ["", "", "warn", "close"]


def test_whoever_slept_through_the_warning_still_has_its_time():
    idle = Idle(after_seconds=100, warning_seconds=20, now=0)

    assert [idle.step(now) for now in (5_000, 5_019, 5_020)] == ["warn", "", "close"]


def test_without_a_limit_it_never_ends():
    idle = Idle(after_seconds=0, warning_seconds=20, now=0)

    assert idle.step(1e9) == ""
    assert idle.wait_seconds(1e9) is None


@given(
    st.floats(1, 1e6),
    st.floats(0, 1e6),
    st.lists(st.tuples(st.sampled_from(["touch", "wait", "late"]), st.floats(0, 1e5)), max_size=40),
)
def test_never_closed_before_its_time_and_never_without_a_warning(after, warning, steps):
    now = last = 0.0
    idle = Idle(after_seconds=after, warning_seconds=warning, now=0)
    warned_at: float | None = None

    for kind, seconds in steps:
        if kind == "touch":
            now = last = now + seconds
            idle.touch(now)
            warned_at = None
            continue
        now += seconds if kind == "late" else idle.wait_seconds(now)
        step = idle.step(now)
        tolerance = 1e-6 * max(now, after, 1)
        if step == "warn":
            assert warned_at is None
            warned_at = now
            assert now - last >= after - min(warning, after) - tolerance
        elif step == "close":
            assert warned_at is not None
            assert now - last >= after - tolerance
            assert now - warned_at >= min(warning, after) - tolerance
            return
