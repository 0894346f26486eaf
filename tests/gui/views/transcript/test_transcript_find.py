"""Finding words in a session."""

from __future__ import annotations

from itertools import pairwise

import pytest
from holdfast_gui.models.parts import Kind
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.gui.transcripts import AGENT, answer, day_at_sea, long_session, prompt, result, run, session

Key = Qt.Key
SHIFT = Qt.KeyboardModifier.ShiftModifier


def find(pane, qtbot, text):
    pane.open_find()
    pane.find_bar.field.selectAll()
    QTest.keyClicks(pane.find_bar.field, text)
    QTest.keyClick(pane.find_bar.field, Key.Key_Return)
    qtbot.waitUntil(lambda: pane.view.finder.words == (text,) and pane.view.finder.is_complete)


def test_typing_finds_and_counts(pane, show, qtbot):
    show(day_at_sea())

    find(pane, qtbot, "DEPTH")

    assert pane.find_bar.count_text == "1 of 5"


def test_typing_alone_finds_after_a_moment(pane, show, qtbot):
    show(day_at_sea())
    pane.open_find()

    QTest.keyClicks(pane.find_bar.field, "mast")

    qtbot.waitUntil(lambda: pane.find_bar.count_text == "1 of 3")


def test_keys_step_through_the_hits_and_round(pane, show, qtbot):
    show(day_at_sea())
    find(pane, qtbot, "depth")
    seen = []

    for key, modifier in ((Key.Key_F3, SHIFT), (Key.Key_F3, SHIFT.__class__.NoModifier), (Key.Key_Return, SHIFT)):
        QTest.keyClick(pane.find_bar.field, key, modifier)
        seen.append(pane.find_bar.count_text)

    assert seen == ["5 of 5", "1 of 5", "5 of 5"]


def test_a_hit_in_a_closed_step_opens_it_and_is_in_sight(pane, show, qtbot, sight):
    calls = [answer(run(f"c{n}", "ls")) for n in range(9)]
    results = [result(f"c{n}", "line\n" * 4_000 + ("treasure" if n == 7 else "")) for n in range(9)]
    show(session(prompt("go"), *calls, *results, answer("done")))

    find(pane, qtbot, "treasure")

    part = pane.view.finder.hit.part
    assert pane.view.model.is_open(part)
    entries = [entry for entry in pane.view.placed() if entry.part == part and "treasure" in entry.chunk.plain]
    (hit,) = entries[0].chunk.occurrences(["treasure"])
    y = entries[0].y + entries[0].chunk.rect_of(*hit).top()
    assert 0 < y < pane.view.viewport().height()


def test_each_hit_of_one_text_is_gone_to(pane, show, qtbot):
    show(session(answer("tide " + "word " * 4_000 + "tide " + "word " * 4_000 + "tide")))
    find(pane, qtbot, "tide")
    places = [pane.view.column.position]

    for _ in range(2):
        pane.find_next()
        places.append(pane.view.column.position)

    assert places == sorted(set(places))


def test_words_of_a_search_are_marked_each_for_itself(pane, show, qtbot):
    show(day_at_sea())

    pane.set_hits(["chain", "mast"])
    qtbot.waitUntil(lambda: pane.view.finder.is_complete)

    assert pane.find_bar.field.text() == "chain mast"
    assert pane.find_bar.isVisible()
    assert pane.find_bar.count_text == "7 hits"


def test_no_words_hide_the_bar(pane, show):
    show(day_at_sea())
    pane.set_hits(["chain"])

    pane.set_hits([])

    assert not pane.find_bar.isVisible()


def test_escape_closes_and_gives_the_keyboard_back(pane, show, qtbot):
    show(day_at_sea())
    find(pane, qtbot, "chain")

    QTest.keyClick(pane.find_bar.field, Key.Key_Escape)

    assert not pane.find_bar.isVisible()
    assert pane.view.words == ()
    assert pane.view.hasFocus()


def test_nothing_found_is_said(pane, show, qtbot):
    show(day_at_sea())

    find(pane, qtbot, "submarine")

    assert pane.find_bar.count_text == "No hits"


@pytest.mark.parametrize("text", ["pool.lock", "(a|b)*", "\\", "<b>", "🙂", "é"])
def test_what_is_typed_is_taken_literally(pane, show, qtbot, text):
    show(session(answer(f"before {text} after"), answer("nothing")))

    pane.find(text)

    qtbot.waitUntil(lambda: pane.find_bar.count_text == "1 of 1")


def test_a_filter_that_hides_the_hit_is_dropped(pane, show, qtbot):
    show(day_at_sea())
    pane.set_filter(["prompts"])

    find(pane, qtbot, "too short")

    assert pane.view.model.is_visible(pane.view.finder.hit.part)
    assert pane.filter == frozenset()


def test_hits_are_counted_on_while_the_session_grows(pane, show, qtbot):
    first = day_at_sea()
    show(first)
    find(pane, qtbot, "mast")

    pane.append(session(*first.messages, answer("The mast again.")), len(first.messages))
    qtbot.waitUntil(lambda: pane.view.finder.is_complete)

    assert pane.find_bar.count_text == "1 of 4"


def test_hits_of_a_long_session_are_looked_for_in_slices(pane, qtbot):
    pane.set_session(long_session(20_000), AGENT)
    qtbot.waitUntil(lambda: pane.view.model.is_built)

    pane.find("Answer 19999")
    qtbot.waitUntil(lambda: pane.view.finder.is_complete)

    assert len(pane.view.finder.hits) == 1
    assert any(entry.chunk.plain.startswith("Answer 19999") for entry in pane.view.placed())


def test_hits_are_drawn(pane, show, qtbot, sight):
    show(day_at_sea())
    before = pane.view.viewport().grab().toImage()

    find(pane, qtbot, "chain")

    assert pane.view.viewport().grab().toImage() != before
    assert pane.view.current_hit == (sight.part(Kind.THOUGHT), 1, 0)


def test_a_search_hit_is_gone_to_in_its_message_and_opened(pane, qtbot):
    calls = [answer(run(f"c{n}", "ls")) for n in range(2_000)]
    results = [result(f"c{n}", "a chest of gold" if n in (3, 1_500) else "sand") for n in range(2_000)]
    said = [message for pair in zip(calls, results, strict=True) for message in pair]
    pane.set_session(session(prompt("dig"), *said, answer("done")), AGENT)

    pane.set_hits(["gold"])
    pane.scroll_to_message(1 + 2 * 1_500 + 1)
    qtbot.waitUntil(lambda: pane.view.model.is_built and pane.view.finder.is_complete)

    hit = pane.view.finder.hit
    assert pane.find_bar.count_text == "2 of 2"
    assert pane.view.model.is_open(hit.part)
    assert hit.part in {entry.part for entry in pane.view.placed()}


def test_a_message_without_a_hit_is_gone_to_itself(pane, show, qtbot):
    show(long_session(100))
    pane.set_hits(["Answer 91"])

    pane.scroll_to_message(50)
    qtbot.waitUntil(lambda: pane.view.finder.is_complete)

    assert pane.view.model.parts.messages[pane.view.placed()[0].part] == 50
    assert pane.find_bar.count_text == "1 hit"


@pytest.mark.parametrize(("steps", "count"), [([1], "2 of 3"), ([-1], "1 of 3"), ([1, 1], "3 of 3")])
def test_from_a_message_without_a_hit_the_nearest_are_next(pane, show, qtbot, steps, count):
    show(session(prompt("gold"), answer("nothing"), prompt("gold, I said"), answer("gold!")))
    pane.set_hits(["gold"])
    pane.scroll_to_message(1)
    qtbot.waitUntil(lambda: pane.view.finder.is_complete)

    for step in steps:
        pane.view.finder.step(step)

    assert pane.find_bar.count_text == count


def test_a_search_that_has_no_message_goes_to_the_first_of_its_words(pane, show, qtbot, sight):
    show(session(*long_session(40).messages, answer(run("c1", "ls"), model="keel-2"), result("c1", "a chest of gold")))

    pane.set_hits(["gold"], jumps=True)
    qtbot.waitUntil(lambda: pane.view.finder.is_complete)

    assert pane.find_bar.count_text == "1 of 1"
    assert pane.view.finder.hit.part in {entry.part for entry in pane.view.placed()}


def test_a_narrow_find_bar_hides_nothing_behind_its_field(pane, show):
    show(day_at_sea())
    pane.resize(420, 400)
    pane.open_find()
    pane.find_bar.set_text("a")
    pane.find_bar.set_count(905, 20_000, is_complete=True, is_capped=True)

    pane.find_bar.layout().activate()

    shown = [pane.find_bar.layout().itemAt(number).geometry() for number in range(pane.find_bar.layout().count())]
    assert all(left.right() < right.left() or right.width() <= 0 for left, right in pairwise(shown))
