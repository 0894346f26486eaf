"""The sliding window admits what a walk over all that ever happened would admit, in bounded memory."""

from __future__ import annotations

import threading

from holdfast_core.live.limits import RateLimits
from hypothesis import given
from hypothesis import strategies as st

MOMENTS = st.lists(
    st.tuples(st.sampled_from("abcde"), st.sampled_from([0, 0, 0.5, 1, 3, 9, 10, 11, 40])), min_size=1, max_size=80
)


class Remembered:
    """Everything that was admitted, for ever."""

    def __init__(self, limit: int, limit_all: int, seconds: float) -> None:
        self.limit, self.limit_all, self.seconds = limit, limit_all, seconds
        self.admitted: list[tuple[str, float]] = []

    def wait(self, key: str, now: float) -> float:
        recent = [(name, moment) for name, moment in self.admitted if moment > now - self.seconds]
        own = [moment for name, moment in recent if name == key]
        waits = [0.0]
        if len(own) >= self.limit:
            waits.append(own[-self.limit] + self.seconds - now)
        if len(recent) >= self.limit_all:
            waits.append(recent[-self.limit_all][1] + self.seconds - now)
        if max(waits) == 0:
            self.admitted.append((key, now))
        return max(waits)


@given(MOMENTS, st.integers(1, 5), st.integers(1, 8))
def test_it_equals_the_walk_over_everything(moments, limit, limit_all):
    limits = RateLimits(limit=limit, limit_all=limit_all, seconds=10)
    remembered = Remembered(limit, limit_all, 10)
    now = 0.0

    for key, later in moments:
        now += later
        assert limits.admit(key, now) == remembered.wait(key, now)


@given(MOMENTS, st.integers(1, 5), st.integers(1, 8))
def test_memory_is_bounded_whatever_is_asked(moments, limit, limit_all):
    limits = RateLimits(limit=limit, limit_all=limit_all, seconds=10)
    now = 0.0

    for key, later in moments:
        now += later
        limits.admit(key, now)
        assert all(len(own) <= limit for own in limits._keys.values())
        assert len(limits._all) <= limit_all
        assert len(limits._keys) <= limit_all
        # No key is kept whose last moment has left the window.
        assert all(now - own[-1] < 10 for own in limits._keys.values())


def test_after_the_time_that_was_told_it_goes_on():
    limits = RateLimits(limit=5, limit_all=100, seconds=60)
    assert [limits.admit("a", float(second)) for second in range(5)] == [0] * 5

    wait = limits.admit("a", 10.0)

    assert wait == 50.0
    assert limits.admit("a", 10.0 + wait - 0.001) > 0
    assert limits.admit("a", 10.0 + wait) == 0


def test_one_key_does_not_hold_up_another_but_all_together_do():
    limits = RateLimits(limit=2, limit_all=3, seconds=60)
    assert [limits.admit(key, 0) for key in "aab"] == [0, 0, 0]

    assert limits.admit("a", 1) > 0
    assert limits.admit("c", 1) == 59


def test_many_keys_leave_nothing_behind():
    limits = RateLimits(limit=5, limit_all=1_000, seconds=1)

    for number in range(20_000):
        limits.admit(f"key {number}", number * 0.01)

    assert len(limits._keys) <= 101
    assert len(limits._all) <= 100


def test_of_many_threads_no_more_than_the_limit_come_through():
    limits = RateLimits(limit=5, limit_all=100, seconds=60)
    barrier = threading.Barrier(20)
    admitted: list[float] = []

    def ask() -> None:
        barrier.wait()
        admitted.append(limits.admit("a", 0))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert admitted.count(0) == 5
