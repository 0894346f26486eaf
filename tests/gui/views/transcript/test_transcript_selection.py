"""Selecting and copying, by mouse and by keyboard."""

from __future__ import annotations

import pytest
from holdfast_gui.models.parts import Kind
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from tests.gui.transcripts import AGENT, answer, day_at_sea, long_session, prompt, result, run, session

Key = Qt.Key
LEFT = Qt.MouseButton.LeftButton
NO_MODIFIER = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
SAME_PANE = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
PROSE = st.text(alphabet="ab *_`#>-\n1.|", min_size=1, max_size=300).filter(lambda text: not text.isspace())


def drag(pane, start: QPoint, end: QPoint):
    viewport = pane.view.viewport()
    QTest.mousePress(viewport, LEFT, NO_MODIFIER, start)
    QTest.mouseMove(viewport, (start + end) / 2)
    QTest.mouseMove(viewport, end)
    QTest.mouseRelease(viewport, LEFT, NO_MODIFIER, end)


def test_a_drag_selects_from_letter_to_letter(pane, show, sight):
    show(session(answer("The chain is too short.")))
    prose = sight.entry(Kind.PROSE)

    drag(pane, sight.point_of(prose, 4), sight.point_of(prose, 9))

    assert pane.selected_text() == "chain"


def test_a_drag_over_several_messages_selects_all_between(pane, show, sight):
    show(session(prompt("First words"), answer("Some **bold** answer"), prompt("Last words")))

    drag(pane, sight.point_of(sight.entry(Kind.PROMPT), 6), sight.point_of(sight.entry(Kind.PROMPT, 1), 4))

    lines = pane.selected_text().split("\n\n")
    assert [lines[0], lines[2], lines[-1]] == ["words", "Some **bold** answer", "Last"]
    assert "Some bold answer" in pane.selected_text(as_plain=True)


def test_a_double_click_selects_a_word_and_a_third_the_paragraph(pane, show, sight):
    show(session(answer("The chain is short.\n\nBuy another.")))
    point = sight.point_of(sight.entry(Kind.PROSE), 6)
    viewport = pane.view.viewport()

    QTest.mouseClick(viewport, LEFT, NO_MODIFIER, point)
    QTest.mouseDClick(viewport, LEFT, NO_MODIFIER, point)
    word = pane.selected_text()
    QTest.mouseClick(viewport, LEFT, NO_MODIFIER, point)

    assert word == "chain"
    assert pane.selected_text() == "The chain is short."


def test_shift_and_a_click_extend(pane, show, sight):
    show(session(answer("The chain is too short.")))
    prose = sight.entry(Kind.PROSE)

    QTest.mouseClick(pane.view.viewport(), LEFT, NO_MODIFIER, sight.point_of(prose, 4))
    QTest.mouseClick(pane.view.viewport(), LEFT, SHIFT, sight.point_of(prose, 12))

    assert pane.selected_text() == "chain is"


def test_shift_and_arrows_extend_over_the_end_of_a_message(pane, show, sight):
    show(session(answer("ab"), prompt("cd")))
    QTest.mouseClick(pane.view.viewport(), LEFT, NO_MODIFIER, sight.point_of(sight.entry(Kind.PROSE), 1))

    for _ in range(4):
        QTest.keyClick(pane.view, Key.Key_Right, SHIFT)

    assert pane.selected_text().startswith("b\n\n")
    assert pane.selected_text().endswith("c")


def test_a_drag_below_the_edge_scrolls_on(pane, show, qtbot):
    show(long_session(200))
    viewport = pane.view.viewport()
    before = pane.view.column.position
    QTest.mousePress(viewport, LEFT, NO_MODIFIER, QPoint(100, 300))
    QTest.mouseMove(viewport, QPoint(100, 500))
    QTest.mouseMove(viewport, QPoint(100, viewport.height() + 60))

    qtbot.waitUntil(lambda: pane.view.column.position > before + 200)
    QTest.mouseRelease(viewport, LEFT, NO_MODIFIER, QPoint(100, viewport.height() + 60))

    assert pane.view.selection.ends[1][0] > 10


def test_keys_select_all_and_copy(pane, show):
    show(session(prompt("one"), answer("**two**")))

    QTest.keyClick(pane.view, Key.Key_A, CONTROL)
    QTest.keyClick(pane.view, Key.Key_C, CONTROL)

    copied = QGuiApplication.clipboard().text().split("\n\n")
    assert copied[1::2] == ["one", "**two**"]
    assert copied[0].startswith("**You")


def test_escape_selects_nothing(pane, show):
    show(session(prompt("one")))
    pane.select_all()

    QTest.keyClick(pane.view, Key.Key_Escape)

    assert pane.selected_text() == ""
    assert not pane.copy_selection()


@SAME_PANE
@given(text=PROSE)
def test_a_copy_of_a_whole_answer_is_its_source(pane, text: str):
    pane.set_session(session(answer(text)), AGENT)
    part = pane.view.model.parts.kinds.find(Kind.PROSE)

    pane.view.selection.set((part, 0, 0), (part, 1 << 30, 1 << 30))

    assert pane.selected_text() == text


@SAME_PANE
@given(texts=st.lists(PROSE, min_size=1, max_size=6))
def test_a_copy_of_everything_is_the_source_of_every_message(pane, texts: list[str]):
    said = [prompt(text) if number % 2 else answer(text) for number, text in enumerate(texts)]
    pane.set_session(session(*said), AGENT)

    pane.select_all()

    model, column = pane.view.model, pane.view.column
    heads = [f"**{column.chunks(p)[0].plain}**" for p in range(len(model.parts)) if model.kind(p) == Kind.HEAD]
    expected = [piece for pair in zip(heads, texts, strict=True) for piece in pair]
    assert pane.selected_text() == "\n\n".join(expected)


def test_a_copy_has_closed_steps_as_lines_and_open_ones_whole(pane, show, sight):
    show(day_at_sea())
    pane.view.toggle(sight.part(Kind.TOOL))

    pane.select_all()

    copied = pane.selected_text()
    assert "```\nsound --depth\n```\n\n```\ndepth 12 m\ndepth 13 m\n```" in copied
    assert "- Run inspect mast (error)" in copied
    assert " chain = 20" not in copied
    assert "-chain = 20\n+chain = 60" in copied


def test_a_fence_in_what_is_copied_is_fenced_longer(pane, show, sight):
    show(session(answer(run("c", "x")), result("c", "```\ninner\n```")))
    pane.view.toggle(sight.part(Kind.TOOL))

    pane.select_all()

    assert "````\n```\ninner\n```\n````" in pane.selected_text()


def test_everything_of_a_very_long_session_can_be_copied(pane, show):
    show(long_session(5_000))

    pane.select_all()

    copied = pane.selected_text()
    assert copied.count("Question") == 2_500
    assert "Answer 4999." in copied


@pytest.mark.parametrize("as_plain", [False, True])
def test_a_part_of_code_is_copied_as_it_is_shown(pane, show, sight, as_plain):
    show(session(answer("```\nlength = 5\n```")))
    card = sight.entry(Kind.PROSE)

    drag(pane, sight.point_of(card, 0), sight.point_of(card, 6))

    assert pane.selected_text(as_plain=as_plain) == "length"
