"""Which messages a source still holds, and one session out of two versions of it."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast_core.agents.base import SessionRead
from holdfast_core.model.message import Compaction, Message, Text, ToolCall, ToolResult
from holdfast_core.model.session import FileTouched, SessionFacts
from holdfast_core.model.usage import ResponseUsage, Usage
from holdfast_core.scan.losses import gone_since, matches, only_grew, tip_of
from holdfast_core.scan.merging import merged
from hypothesis import given
from hypothesis import strategies as st


def _message(name: str, text: str = "", role: str = "user") -> Message:
    return Message(name, role, (Text(text or f"says {name}"),))


def _read(messages: Sequence[Message], *responses: str, **facts: object) -> SessionRead:
    told = {"title": "a title", "message_count": len(messages)} | facts
    usage = [ResponseUsage(key, Usage(output_tokens=1), cost_usd=1.0) for key in responses]
    found = SessionFacts(agent="fake", native_id="one", usage=Usage(output_tokens=len(usage)), **told)
    return SessionRead(found, list(messages), 0, usage)


ABC = [_message("ua"), _message("ub"), _message("uc")]


def test_what_was_cut_off_is_gone():
    assert gone_since(ABC, ABC[:1]) == 2


def test_what_was_only_added_or_changed_under_its_id_is_not_gone():
    assert gone_since(ABC, [*ABC[:2], _message("uc", "edited"), _message("ud")]) == 0


def test_a_message_of_which_nothing_is_left_is_gone():
    assert gone_since(ABC, [*ABC[:2], Message("uc", "user", ())]) == 1


def test_numbers_that_shift_take_nothing_away():
    before = [_message(f"line-{number}", text) for number, text in ((2, "apple"), (3, "pear"), (4, "pear"))]
    now = [_message(f"line-{number}", text) for number, text in ((1, "apple"), (2, "pear"), (3, "pear"))]

    assert matches(before, now) == {0: 0, 1: 1, 2: 2}


def test_other_words_under_the_same_number_are_another_message():
    assert gone_since([_message("line-1", "apple")], [_message("line-1", "pear")]) == 1


def test_a_numbered_message_that_is_being_written_goes_on():
    assert gone_since([_message("line-1", "app")], [_message("line-1", "apple")]) == 0


def test_ids_of_calls_that_a_reader_makes_up_do_not_count():
    before = [Message("line-3", "assistant", (ToolCall("call-3-0", "read", {"a": 1}, session_id="x"),))]
    before += [Message("line-4", "tool", (ToolResult("call-3-0", "text"),))]
    now = [Message("line-2", "assistant", (ToolCall("call-2-0", "read", {"a": 1}),))]
    now += [Message("line-3", "tool", (ToolResult("call-2-0", "text"),))]

    assert gone_since(before, now) == 0


def test_what_the_agent_itself_replaced_by_a_summary_is_not_lost():
    assert gone_since(ABC, [Message("ud", "system", (Compaction("a summary"),)), ABC[2]]) == 0


def test_a_tip_tells_growth_from_change():
    tip = tip_of(ABC)

    assert only_grew(3, tip, [*ABC, _message("ud")])
    assert not only_grew(3, tip, ABC[:2])
    assert not only_grew(3, tip, [ABC[0], ABC[2], ABC[1]])
    assert not only_grew(3, b"", ABC)


def test_a_cut_session_that_went_on_stands_whole_with_what_is_new_at_its_end():
    new = _message("ux")

    whole, lost = merged(_read(ABC), _read([ABC[0], new]))

    assert (whole.messages, lost, whole.facts.message_count) == ([*ABC, new], 2, 4)


def test_what_is_new_in_the_middle_stays_there():
    new = _message("ux")

    whole, _ = merged(_read(ABC), _read([ABC[0], new, ABC[2]]))

    assert [message.id for message in whole.messages] == ["ua", "ub", "ux", "uc"]


def test_facts_of_both_are_told_once():
    earlier = _read(ABC, "r1", "r2", cost_usd=2.0, created_ms=10, updated_ms=20, prompt_count=3, last_text="c")
    later = _read([_message("ux")], "r2", "r3", cost_usd=2.0, created_ms=15, updated_ms=30, title="", last_text="x")

    facts = merged(earlier, later).session.facts

    assert (facts.usage, facts.cost_usd, facts.prompt_count) == (Usage(output_tokens=3), 3.0, 4)
    assert (facts.created_ms, facts.updated_ms, facts.title, facts.last_text) == (10, 30, "a title", "x")


def test_files_that_either_changed_are_told_with_the_most():
    earlier = _read(ABC, files_touched=(FileTouched("/a", 5, 1), FileTouched("/b", 1, 1)))
    later = _read(ABC[:1], files_touched=(FileTouched("/a", 2, 2),))

    assert merged(earlier, later).session.facts.files_touched == (FileTouched("/a", 5, 2), FileTouched("/b", 1, 1))


def test_a_message_that_lost_a_part_is_shown_whole():
    whole_message = Message("ub", "assistant", (Text("text"), ToolCall("c", "read", {})))
    cut = Message("ub", "assistant", (Text("text"),))

    whole, lost = merged(_read([ABC[0], whole_message, ABC[2]]), _read([ABC[0], cut]))

    assert (whole.messages[1], lost) == (whole_message, 1)


NAMES = st.lists(st.sampled_from("abcdefgh"), max_size=8, unique=True)


@given(NAMES, NAMES)
def test_a_merged_session_holds_everything_of_both_once_in_the_earlier_order(one: list[str], other: list[str]):
    earlier, later = ([_message(f"u{name}") for name in names] for names in (one, other))

    whole, lost = merged(_read(earlier), _read(later))

    assert sorted(message.id for message in whole.messages) == sorted({f"u{name}" for name in (*one, *other)})
    assert [message for message in whole.messages if message in earlier] == earlier
    assert lost == len(set(one) - set(other)) == gone_since(earlier, later)


@given(NAMES, st.integers(0, 8))
def test_growth_never_counts_as_a_loss(names: list[str], cut: int):
    messages = [_message(f"u{name}") for name in names]

    assert gone_since(messages[:cut], messages) == 0
    assert only_grew(len(messages[:cut]), tip_of(messages[:cut]), messages)
