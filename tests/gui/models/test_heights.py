"""The tree of heights gives what adding them up would."""

from __future__ import annotations

from itertools import accumulate

from holdfast_gui.models.heights import Heights
from hypothesis import given
from hypothesis import strategies as st

HEIGHTS = st.lists(st.integers(0, 500), max_size=200)


@given(HEIGHTS, HEIGHTS)
def test_sums_are_those_of_a_plain_list(first: list[int], more: list[int]):
    heights = Heights(first)

    heights.extend(more)

    sums = [0, *accumulate(first + more)]
    assert [heights.before(index) for index in range(len(sums))] == sums


@given(HEIGHTS.filter(bool), st.data())
def test_changing_heights_changes_the_sums_after_them(start: list[int], data: st.DataObject):
    heights = Heights(start)
    for _ in range(5):
        index = data.draw(st.integers(0, len(start) - 1))
        start[index] = data.draw(st.integers(0, 500))
        heights.set(index, start[index])

    assert [heights.before(index) for index in range(len(start) + 1)] == [0, *accumulate(start)]


@given(HEIGHTS, st.integers(0, 200), HEIGHTS)
def test_truncating_and_adding_is_like_adding_alone(start: list[int], length: int, more: list[int]):
    heights = Heights(start)

    heights.truncate(length)
    heights.extend(more)

    kept = start[:length] + more
    assert [heights.before(index) for index in range(len(kept) + 1)] == [0, *accumulate(kept)]


@given(HEIGHTS.filter(any))
def test_every_position_belongs_to_the_part_that_covers_it(start: list[int]):
    heights = Heights(start)

    for position in range(0, sum(start), 7):
        index, offset = heights.at(position)

        assert heights.before(index) + offset == position
        assert offset < start[index]


def test_positions_outside_are_moved_inside():
    heights = Heights([10, 0, 5])

    assert heights.at(-3) == (0, 0)
    assert heights.at(99) == (2, 4)
    assert Heights().at(5) == (0, 0)
