"""What the transcript shows of a session, and that following it gives what opening it anew would."""

from __future__ import annotations

from typing import Any

import pytest
from holdfast_core.model.message import Compaction, Error, Image, Message, Text, Thinking, ToolCall, ToolResult
from holdfast_core.model.session import Session
from holdfast_core.model.usage import Usage
from holdfast_gui.models.parts import Group, Kind
from holdfast_gui.models.transcript import TranscriptModel
from hypothesis import given
from hypothesis import strategies as st

from tests.gui.transcripts import answer, day_at_sea, edit, prompt, result, run, session

CALL_IDS = st.sampled_from(["", "c1", "c2", "c3"])
BLOCKS = st.one_of(
    st.sampled_from(["text", " ", "more text"]).map(Text),
    st.sampled_from(["", "thought"]).map(Thinking),
    CALL_IDS.map(lambda call: run(call, "ls")),
    CALL_IDS.map(lambda call: edit(call, "a", "b")),
    CALL_IDS.map(lambda call: ToolCall(call, "todo_write", {"todos": [{"content": "x", "status": "pending"}]})),
    st.tuples(CALL_IDS, st.sampled_from(["", "out"]), st.booleans()).map(lambda made: ToolResult(*made)),
    st.just(Error("went wrong")),
    st.just(Compaction("summary")),
    st.just(Image("image/png", 3, "eA==")),
)
MESSAGES = st.lists(
    st.builds(
        lambda role, blocks, model: Message("", role, tuple(blocks), model=model),
        st.sampled_from(["user", "assistant", "assistant", "tool", "system"]),
        st.lists(BLOCKS, max_size=3),
        st.sampled_from([None, "keel-1", "keel-2"]),
    ),
    max_size=24,
)


def built(shown: Session) -> TranscriptModel:
    model = TranscriptModel()
    model.set_session(shown)
    while not model.build(seconds=1):
        pass
    return model


def state(model: TranscriptModel) -> dict[str, Any]:
    columns = dict(vars(model.parts))
    columns["shown"] = [model.heights[part] for part in range(len(model.parts))]
    return columns


def kinds(model: TranscriptModel) -> list[str]:
    return [model.kind(part).name for part in range(len(model.parts)) if model.is_visible(part)]


@given(MESSAGES, st.data())
def test_following_gives_what_opening_anew_would(messages: list[Message], data: st.DataObject):
    cut = data.draw(st.integers(0, len(messages)))
    first_changed = data.draw(st.integers(0, cut))
    earlier = messages[:first_changed] + [prompt("was replaced")] * (cut - first_changed)
    model = built(session(*earlier))

    model.append(session(*messages), first_changed)
    while not model.build(seconds=1):
        pass

    assert state(model) == state(built(session(*messages)))


@given(MESSAGES)
def test_building_in_slices_gives_what_building_at_once_would(messages: list[Message]):
    many = session(*(messages * 60))
    model = TranscriptModel()
    model.set_session(many)
    slices = 0
    while not model.build(seconds=0):
        slices += 1

    assert state(model) == state(built(many))
    assert slices == max(0, -(-len(many.messages) // 200) - 1)


def test_a_day_is_shown_as_prompts_steps_and_answers():
    assert kinds(built(day_at_sea())) == (
        ["HEAD", "PROMPT", "HEAD", "THOUGHT", "TOOL", "PROSE", "TOOL", "HEAD", "PROMPT", "HEAD", "TOOL", "PROSE"]
    )


def test_records_of_one_answer_stand_under_one_head():
    model = built(session(prompt("a"), answer("b"), answer("c"), answer("d", model="other"), prompt("e"), prompt("f")))

    assert kinds(model).count("HEAD") == 5


def test_a_result_belongs_to_its_call():
    model = built(session(answer(run("c1", "one"), run("c2", "two")), result("c2", "second"), result("c1", "first")))

    answers = [model.result(part) for part in range(len(model.parts)) if model.kind(part) == Kind.TOOL]

    assert [found and found.text for found in answers] == ["first", "second"]


def test_a_result_without_a_call_is_shown_by_itself():
    model = built(session(result("lost", "found\nagain")))

    assert kinds(model) == ["OUTPUT"]
    assert model.sections(1)[0].text == "found\nagain"


def test_a_long_run_of_steps_folds_and_unfolds():
    calls = [answer(run(f"c{n}", "ls")) for n in range(7)]
    model = built(session(prompt("go"), *calls, result("c3", "", is_error=True), answer("done")))
    steps = model.parts.kinds.find(Kind.STEPS)

    assert kinds(model) == ["HEAD", "PROMPT", "HEAD", "STEPS", "PROSE"]
    assert model.run_summary(steps).verb == "7 steps"
    assert model.run_summary(steps).argument == "Run 7"
    assert [part.text for part in model.run_summary(steps).outcome] == ["1 error"]

    model.set_open(steps, True)

    assert kinds(model) == ["HEAD", "PROMPT", "HEAD", "STEPS", *["TOOL"] * 7, "PROSE"]


def test_the_run_at_the_end_stays_open_while_it_grows():
    model = built(session(prompt("go"), *[answer(run(f"c{n}", "ls")) for n in range(7)]))

    assert kinds(model).count("TOOL") == 7


def test_what_was_opened_stays_open_when_the_session_grows():
    first = session(prompt("go"), answer(run("c1", "ls")))
    model = built(first)
    tool = model.parts.kinds.find(Kind.TOOL)
    model.set_open(tool, True)

    model.append(session(*first.messages, result("c1", "a")), 2)
    model.build(seconds=1)

    assert model.is_open(tool)


def test_short_edits_stand_open_and_are_shown_as_diffs():
    model = built(session(answer(edit("c1", "a\nb", "a\nc")), result("c1", "ok")))
    part = model.parts.kinds.find(Kind.TOOL)

    assert model.is_open(part)
    assert [section.text for section in model.sections(part)] == [" a\n-b\n+c\n"]


def test_an_edit_that_failed_shows_what_was_asked_and_answered():
    model = built(session(answer(edit("c1", "a", "b")), result("c1", "not found", is_error=True)))
    part = model.parts.kinds.find(Kind.TOOL)

    assert [section.role for section in model.sections(part)] == ["input", "output"]


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (Group.PROMPTS, ["HEAD", "PROMPT", "HEAD", "PROMPT"]),
        (Group.ERRORS, ["HEAD", "TOOL"]),
        (Group.THINKING, ["HEAD", "THOUGHT"]),
        (Group.ANSWERS, ["HEAD", "PROSE", "HEAD", "PROSE"]),
        (Group.TOOLS, ["HEAD", "TOOL", "TOOL", "HEAD", "TOOL"]),
    ],
)
def test_a_filter_shows_one_kind_with_its_heads(groups: Group, expected: list[str]):
    model = built(day_at_sea())

    model.show_groups(groups)

    assert kinds(model) == expected


def test_words_are_found_in_what_is_closed_too():
    model = built(day_at_sea())

    found = [hit for hits in model.find(["DEPTH"]) for hit in hits]

    where = [(model.kind(hit.part).name, model.sections(hit.part)[hit.section].role) for hit in found]
    assert where == [
        ("TOOL", "input"), ("TOOL", "output"), ("TOOL", "output"), ("PROSE", "text"), ("PROSE", "text"),
    ]  # fmt: skip


def test_revealing_unfolds_and_drops_a_filter_that_hides():
    calls = [answer(run(f"c{n}", "ls")) for n in range(7)]
    model = built(session(prompt("go"), *calls, answer("done")))
    tool = model.parts.kinds.find(Kind.TOOL)
    model.show_groups(Group.PROMPTS)

    model.reveal(tool)

    assert model.is_visible(tool)


def test_a_message_is_found_at_its_own_part_or_at_its_calls():
    model = built(day_at_sea())

    assert model.kind(model.part_of_message(2)) == Kind.TOOL
    assert model.kind(model.part_of_message(3)) == Kind.TOOL
    assert model.kind(model.part_of_message(7)) == Kind.HEAD
    assert model.part_of_message(99) == len(model.parts) - 1


def test_usage_is_that_of_all_records_under_a_head():
    model = built(session(prompt("a"), answer("b", usage=Usage(1, 2)), answer("c", usage=Usage(10, 20)), prompt("d")))
    head = model.parts.kinds.find(Kind.HEAD, 1)

    assert model.usage(head) == Usage(11, 22)


def test_what_was_said_of_a_step_changes_when_its_result_comes():
    calls = [answer(run(f"c{n}", "ls")) for n in range(200)]
    model = TranscriptModel()
    model.set_session(session(*calls, result("c199", "", is_error=True)))
    model.build(seconds=0)
    last = len(model.parts) - 1
    before = model.step(last)

    model.build(seconds=0)

    assert (before.is_error, model.step(last).is_error) == (False, True)
    assert model.changed_from <= last
