"""Sessions of OpenCode that stand in both generations of its tables."""

from __future__ import annotations

from holdfast_core.agents._opencode_records import Info, Part, Time, Whole
from holdfast_core.agents._opencode_rows import Row, merged, whole_of


def said(name: str, moment: int) -> Whole:
    return Whole(
        Info(id=name, role="user", time=Time(created=1_790_000_000_000 + moment)), [Part(type="text", text=name)]
    )


def names(messages: list[Whole]) -> list[str | None]:
    return [whole.info.id for whole in messages]


def test_what_was_taken_over_is_there_once() -> None:
    first = [said("a", 1), said("b", 2), said("c", 3)]

    assert names(merged(first, [said("a", 1), said("other", 2), said("c", 3)])) == ["a", "other", "c"]


def test_what_stands_in_one_generation_alone_stays_in_its_place() -> None:
    first = [said("before", 1), said("taken", 5), said("after", 9)]

    assert names(merged(first, [said("x", 5), said("y", 7)])) == ["before", "x", "y", "after"]


def test_one_generation_alone_is_all_there_is() -> None:
    assert names(merged([said("a", 1)], [])) == ["a"]
    assert names(merged([], [said("b", 1)])) == ["b"]


def test_a_message_without_a_moment_is_not_lost() -> None:
    timeless = Whole(Info(id="t", role="user"), [Part(type="text", text="t")])

    assert names(merged([said("a", 1)], [timeless])) == ["a", "t"]


def test_an_unknown_kind_is_shown_as_what_the_program_says() -> None:
    found = whole_of("foghorn", Row(text="Hoo."))

    assert found is not None
    assert [(part.text, part.synthetic) for part in found.parts] == [("Hoo.", True)]
