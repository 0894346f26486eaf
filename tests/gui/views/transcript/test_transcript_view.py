"""Reading with mouse and keyboard: scrolling, opening, moving between parts."""

from __future__ import annotations

import os

import pytest
from holdfast_core.model.message import Compaction, Error, File, Image, Message, Text, Thinking, ToolCall
from holdfast_core.model.session import Session, SessionFacts
from holdfast_core.model.usage import Usage
from holdfast_gui.models.parts import Kind
from holdfast_gui.theme import theme
from PySide6 import QtGui
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QKeyEvent, QWheelEvent
from PySide6.QtTest import QTest

from tests.gui.transcripts import AGENT, answer, day_at_sea, edit, long_session, prompt, result, run, session

Key = Qt.Key
LEFT = Qt.MouseButton.LeftButton


def keys(pane, *pressed):
    for key in pressed:
        QTest.keyClick(pane.view, key)


def click(pane, point, modifier=Qt.KeyboardModifier.NoModifier):
    QTest.mouseClick(pane.view.viewport(), LEFT, modifier, point)


def wheel(pane, notches):
    at = QPointF(100, 100)
    event = QWheelEvent(
        at, at, QPoint(), QPoint(0, 120 * notches), Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QGuiApplication.sendEvent(pane.view.viewport(), event)


def top_message(pane):
    return pane.view.model.parts.messages[pane.view.placed()[0].part]


def test_a_session_is_shown_from_its_beginning(pane, show, sight):
    show(day_at_sea())

    assert sight.kinds()[:5] == ["HEAD", "PROMPT", "HEAD", "THOUGHT", "TOOL"]


def test_a_click_opens_a_step_and_closes_it(pane, show, sight):
    show(day_at_sea())
    line = sight.entry(Kind.TOOL)

    click(pane, sight.point(line, 100, 15))

    opened = [entry for entry in pane.view.placed() if entry.part == line.part]
    assert [entry.chunk.plain for entry in opened[1:]] == ["sound --depth", "depth 12 m\ndepth 13 m\n"]
    assert opened[0].y == line.y

    click(pane, sight.point(line, 100, 15))

    assert len([entry for entry in pane.view.placed() if entry.part == line.part]) == 1


def test_the_keyboard_reaches_opens_and_closes_a_step(pane, show, sight):
    show(day_at_sea())

    for _ in range(5):
        QTest.keyClick(pane.view, Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert pane.view.current_part == sight.part(Kind.TOOL)
    keys(pane, Key.Key_Return)

    assert pane.view.model.is_open(pane.view.current_part)

    keys(pane, Key.Key_Left)

    assert not pane.view.model.is_open(pane.view.current_part)


def test_enter_is_left_to_others_until_a_part_was_chosen(pane, show):
    show(day_at_sea())
    event = QKeyEvent(QEvent.Type.KeyPress, Key.Key_Return, Qt.KeyboardModifier.NoModifier)

    pane.view.keyPressEvent(event)

    assert not event.isAccepted()


def test_a_long_run_opens_by_a_click_on_its_line(pane, show, sight):
    show(session(prompt("go"), *[answer(run(f"c{n}", f"step {n}")) for n in range(9)], answer("done")))

    click(pane, sight.point(sight.entry(Kind.STEPS), 50, 15))

    assert sight.kinds().count("TOOL") == 9


@pytest.mark.parametrize(
    ("key", "moved"), [(Key.Key_Down, 60), (Key.Key_PageDown, 790), (Key.Key_Space, 790)], ids=["down", "page", "space"]
)
def test_keys_scroll(pane, show, key, moved):
    show(long_session(200))
    before = pane.view.column.position

    keys(pane, key)

    assert pane.view.column.position - before == moved


def test_home_and_end_reach_the_ends(pane, show):
    show(long_session(3_000))

    keys(pane, Key.Key_End)

    assert top_message(pane) > 2_950
    assert pane.view.is_at_end()

    keys(pane, Key.Key_Home)

    assert top_message(pane) == 0


def test_nothing_jumps_while_scrolling_back_up(pane, show):
    show(long_session(600))
    pane.scroll_to_message(400)

    for _ in range(60):
        seen = {entry.place: entry.y for entry in pane.view.placed()}
        wheel(pane, 1)
        now = {entry.place: entry.y for entry in pane.view.placed()}

        shared = seen.keys() & now.keys()
        assert shared
        assert {now[place] - seen[place] for place in shared} == {66}


def test_down_and_up_again_is_where_it_was(pane, show):
    show(long_session(400))
    pane.scroll_to_message(200)
    start = [(entry.place, entry.y) for entry in pane.view.placed()]

    for distance in (1_111, 777, -1_888):
        pane.view.scroll_by(distance)

    assert [(entry.place, entry.y) for entry in pane.view.placed()] == start


def test_the_hidden_scroll_bar_tells_and_obeys(pane, show):
    show(long_session(400))
    bar = pane.view.verticalScrollBar()

    bar.setValue(bar.maximum() // 2)

    assert abs(pane.view.column.position - bar.value()) < 50
    assert 100 < top_message(pane) < 300


def test_prompts_are_reached_one_after_the_other(pane, show):
    show(long_session(100))
    reached = []

    for _ in range(3):
        pane.next_prompt()
        reached.append(top_message(pane))
    pane.previous_prompt()

    assert reached == [2, 4, 6]
    assert top_message(pane) == 4


def test_a_message_is_shown_as_soon_as_it_is_built(pane, qtbot):
    pane.set_session(long_session(9_000), AGENT)
    pane.scroll_to_message(8_000)

    qtbot.waitUntil(lambda: pane.view.model.is_built)

    assert top_message(pane) == 8_000


def test_a_resize_keeps_what_is_read(pane, show, qapp):
    show(long_session(300))
    pane.scroll_to_message(150)

    pane.resize(600, 500)
    qapp.processEvents()

    assert top_message(pane) == 150


def test_light_and_dark_change_while_it_is_open(pane, show, qapp):
    show(day_at_sea())
    light = pane.view.viewport().grab().toImage().pixelColor(2, 2)

    theme().apply(qapp, mode="dark")

    assert light.lightness() > 200
    assert pane.view.viewport().grab().toImage().pixelColor(2, 2).lightness() < 60


def test_larger_text_makes_larger_lines(pane, show, qapp):
    show(day_at_sea())
    before = sum(entry.chunk.height for entry in pane.view.placed()[:4])

    theme().apply(qapp, mode="light", scale=2)

    assert sum(entry.chunk.height for entry in pane.view.placed()[:4]) > 1.7 * before


def test_a_subagents_session_is_asked_for(pane, show, sight, qtbot):
    show(session(answer(ToolCall("c", "Task", {"description": "Look"}, session_id="pilot:child"))))
    line = sight.entry(Kind.TOOL)
    button = line.chunk.buttons()[0]

    with qtbot.waitSignal(pane.session_wanted) as wanted:
        click(pane, sight.point(line, button.rect.center().x(), button.rect.center().y()))

    assert wanted.args == ["pilot:child"]


def test_a_subagents_session_is_shown_in_place_where_it_is_at_hand(pane, sight):
    child = session(prompt("Look for leaks"), answer("Dry as a bone."), kind="subagent")
    parent = session(answer(ToolCall("c", "Task", {"description": "Look"}, session_id="pilot:child")))
    pane.set_session(parent, AGENT, {"pilot:child": child})

    pane.view.toggle(sight.part(Kind.TOOL))

    said = [entry.chunk.plain for entry in pane.view.placed()]
    assert {"Look for leaks", "Dry as a bone."} <= set(said)


def test_a_link_is_told_with_its_real_target(pane, show, sight, qtbot):
    show(session(answer("Look [here](https://example.org/real).")))
    entry = sight.entry(Kind.PROSE)

    with qtbot.waitSignal(pane.link_clicked) as clicked:
        click(pane, sight.point_of(entry, 6))

    assert clicked.args == ["https://example.org/real"]


def test_copy_puts_a_blocks_code_on_the_clipboard(pane, show, sight):
    show(day_at_sea())
    card = sight.entry(Kind.PROSE, chunk=1)
    (button,) = card.chunk.buttons()

    click(pane, sight.point(card, button.rect.center().x(), button.rect.center().y()))

    assert QGuiApplication.clipboard().text() == "length = 5 * depth\n"


def test_an_edit_shows_its_lines(pane, show, sight):
    show(session(answer(edit("c", "a\nold\n", "a\nnew\n"))))

    assert sight.entry(Kind.TOOL, chunk=1).chunk.plain == " a\n-old\n+new\n"


def test_every_kind_of_block_can_be_shown_open_and_closed(pane, show):
    show(
        session(
            Message("", "system", (Text("remember the tide"), Compaction("what was said"), Error("lost at sea"))),
            prompt("p"),
            answer(Image("image/png", 3, "####"), File("a.txt", text="inside"), File("b.txt"), Error("\x1b[31mred")),
            answer(ToolCall("t", "todo", {"todos": [{"content": "x", "status": "completed"}]})),
            result("orphan", "\x1b[1;31mcolour\x1b[0m\r\n" * 20),
            answer(ToolCall("n", "nothing")),
            answer(ToolCall("s", "Task", {}, session_id="x")),
        )
    )

    for part in range(len(pane.view.model.parts)):
        pane.view.toggle(part)
    pane.view.scroll_by(-5_000)
    pane.grab()
    pane.view.scroll_by(700)

    assert not pane.grab().isNull()


def test_a_session_of_nothing_but_silence_says_so(pane):
    pane.set_session(session(), AGENT)

    assert pane._state.state == "empty"


def test_two_megabytes_without_a_space_are_shown(pane, show):
    show(session(answer("x" * 2_000_000), answer(run("c", "y")), result("c", "z" * 2_000_000)))
    pane.view.toggle(pane.view.model.parts.kinds.find(Kind.TOOL))

    pane.scroll_to_end()
    pane.view.viewport().repaint()

    assert pane.view.column.height > 100_000


def test_a_step_is_under_a_hand(pane, show, sight):
    show(day_at_sea())

    QTest.mouseMove(pane.view.viewport(), sight.point(sight.entry(Kind.TOOL), 100, 15))

    assert pane.view.viewport().cursor().shape() == Qt.CursorShape.PointingHandCursor


def test_hovering_shows_what_an_answer_cost(pane, show, sight):
    show(session(prompt("a"), answer("b", usage=Usage(1_200, 842, 40_000))))
    head = sight.entry(Kind.HEAD, 1)
    before = pane.view.viewport().grab().toImage()

    QTest.mouseMove(pane.view.viewport(), sight.point(head, 30, 25))

    assert pane.view.viewport().grab().toImage() != before
    assert "1.2 k in · 40 k cached · 842 out" in pane.view.tip(head)


def test_a_tip_tells_a_steps_whole_line_and_its_message(pane, show, sight):
    show(session(answer(run("c", "x" * 500), usage=Usage(1, 2))))

    *line, caption = pane.view.tip(sight.entry(Kind.TOOL)).split("\n")

    assert "x" * 200 in "".join(line)
    assert caption.startswith("keel-2 · ")
    assert caption.endswith("1 in · 2 out")


def test_a_tip_cannot_become_markup(pane, show, sight):
    show(session(answer(run("c", "<img src='file:///x'>"), model="<b>keel</b>")))

    assert not QtGui.Qt.mightBeRichText(pane.view.tip(sight.entry(Kind.TOOL)))


def test_the_keyboard_opens_a_subagents_session_and_copies_a_part(pane, show, qtbot):
    show(session(answer(ToolCall("c", "Task", {"description": "Look"}, session_id="pilot:child")), prompt("mine")))
    for _ in range(2):
        QTest.keyClick(pane.view, Key.Key_Down, Qt.KeyboardModifier.AltModifier)

    with qtbot.waitSignal(pane.session_wanted) as wanted:
        QTest.keyClick(pane.view, Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    for _ in range(2):
        QTest.keyClick(pane.view, Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    QTest.keyClick(pane.view, Key.Key_C, Qt.KeyboardModifier.ControlModifier)

    assert wanted.args == ["pilot:child"]
    assert QGuiApplication.clipboard().text() == "mine"


HOSTILE = (
    "![x](file://{0}) <img src='file://{0}'> [x](javascript:1) //host/share/x.png",
    "\x1b]52;c;eA==\x07\x1b[2J\u202etxt.exe\u2066 \ufdd0\ufffc\ud800 " + "z\u0337\u0322" * 4_000,
    "> " * 5_000 + "deep",
    "<table background='{0}'><style>@import '{0}'</style>",
    "\x00\x01\x7f\x9b31m" * 100,
)


@pytest.mark.parametrize("text", HOSTILE, ids=["resources", "characters", "depth", "html", "controls"])
def test_hostile_text_of_every_kind_is_drawn_and_opens_nothing(pane, show, tmp_path, text):
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    text = text.replace("{0}", str(pipe))
    name = text[:200]
    show(
        session(
            prompt(text),
            answer(text, Thinking(text), Error(text), File(name, text=text), Image(name, 1, "eA==", path=str(pipe))),
            answer(edit("e", text, text + "!", name), run("r", text), ToolCall(name, name, {name: text}), model=name),
            answer(ToolCall("t", "todo", {"todos": [{"content": text, "status": text}]})),
            result("r", text, is_error=True),
            Message("", "system", (Text(text), Compaction(text))),
        )
    )

    for part in range(len(pane.view.model.parts)):
        pane.view.toggle(part, opens=True)
    pane.view.scroll_to_start()
    for _ in range(30):
        assert not pane.grab().isNull()
        pane.view.scroll_by(700)
    pane.select_all()

    assert pane.selected_text(as_plain=True)


def test_keys_of_every_keyboard_are_taken_or_left(pane, show):
    show(day_at_sea())

    for code in (0x0444, 0x3042, 0x01FFFFFF, 0x2D):
        event = QKeyEvent(QEvent.Type.KeyPress, code, Qt.KeyboardModifier.NoModifier)
        pane.view.keyPressEvent(event)

        assert not event.isAccepted()


@pytest.mark.qt_log_ignore("does not support")  # what the offscreen platform says of the tip that pops up meanwhile
def test_a_copy_is_confirmed_for_a_moment(pane, show, sight, qtbot):
    show(day_at_sea())
    card = sight.entry(Kind.PROSE, chunk=1)
    (button,) = card.chunk.buttons()
    before = pane.view.viewport().grab().toImage()

    click(pane, sight.point(card, button.rect.center().x(), button.rect.center().y()))
    QTest.mouseMove(pane.view.viewport(), QPoint(5, 5))

    assert pane.view.viewport().grab().toImage() != before
    qtbot.waitUntil(lambda: pane.view._copied is None)


def test_an_opened_call_asks_for_its_subagents_session_and_shows_it(pane, show, sight, qtbot):
    child = Session(SessionFacts(agent="pilot", native_id="child", kind="subagent"), (answer("Dry as a bone."),))
    show(session(answer(ToolCall("c", "Task", {"description": "Look"}, session_id="pilot:child"))))

    with qtbot.waitSignal(pane.child_wanted) as wanted:
        pane.view.toggle(sight.part(Kind.TOOL))
    pane.add_child(child)

    assert wanted.args == ["pilot:child"]
    assert "Dry as a bone." in [entry.chunk.plain for entry in pane.view.placed()]


def test_a_menu_is_asked_for_and_copies_the_block_that_was_pointed_at(pane, show, sight, qtbot):
    show(day_at_sea())
    viewport = pane.view.viewport()
    point = sight.point(sight.entry(Kind.PROSE, chunk=1), 50, 50)

    with qtbot.waitSignal(pane.context_menu_wanted) as wanted:
        QGuiApplication.sendEvent(viewport, menu_event(viewport, point))

    assert wanted.args == [viewport.mapToGlobal(point)]
    assert pane.copy_block()
    assert QGuiApplication.clipboard().text() == "length = 5 * depth\n"

    QGuiApplication.sendEvent(viewport, menu_event(viewport, sight.point(sight.entry(Kind.PROMPT), 50, 15)))

    assert not pane.copy_block()


def menu_event(viewport, point):
    return QContextMenuEvent(QContextMenuEvent.Reason.Mouse, point, viewport.mapToGlobal(point))
