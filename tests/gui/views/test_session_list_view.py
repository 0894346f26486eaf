"""The session list under a person's hands."""

from __future__ import annotations

import statistics
import time
from array import array
from datetime import UTC

import pytest
from holdfast_core.model.search import Hit, SearchResult
from holdfast_gui.models.session_list import Group, day_groups, hit_groups
from holdfast_gui.theme import theme
from holdfast_gui.theme.tokens import GROUP_ROW, SESSION_ROW
from holdfast_gui.views.scroll import OverlayScrollBar
from holdfast_gui.views.session_list import SessionListView
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QContextMenuEvent, QHoverEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu

from tests.gui import invented

Key = Qt.Key
NO_MODIFIER = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton
# What the offscreen platform says of every popup.
POPS_UP = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")


@pytest.fixture
def view(qapp, qtbot) -> SessionListView:
    theme().apply(qapp, mode="light")
    view = SessionListView()
    qtbot.addWidget(view)
    view.resize(384, 700)
    view.set_agents(invented.agents())
    show(view, list(range(10)))
    view.show()
    view.activateWindow()
    qtbot.waitExposed(view)
    view.table.setFocus()
    return view


def show(view: SessionListView, numbers: list[int], *, groups: bool = True) -> None:
    entries = [invented.entry(number) for number in numbers]
    times = [entry.updated_ms or 0 for entry in entries]
    keys = array("q", numbers)
    view.model.set_keys(keys, day_groups(times, invented.NOW, zone=UTC) if groups else ())
    for page in range(view.model.page_count):
        view.model.set_page(page, [invented.entry(key) for key in view.model.page_keys(page)])


def press(view: SessionListView, key: Qt.Key, modifier: Qt.KeyboardModifier = NO_MODIFIER) -> None:
    QTest.keyClick(view.table, key, modifier)


def place_of(view: SessionListView, number: int) -> QPoint:
    row = view.model.row_of(invented.entry(number).id)
    return view.table.visualRect(view.model.index(row, 0)).center()


def click(view: SessionListView, number: int, modifier: Qt.KeyboardModifier = NO_MODIFIER) -> None:
    QTest.mouseClick(view.table.viewport(), LEFT, modifier, place_of(view, number))


def names(*numbers: int) -> list[str]:
    return [invented.entry(number).id for number in numbers]


def test_a_click_opens_a_session(view, qtbot):
    with qtbot.waitSignal(view.current_changed) as opened:
        click(view, 2)

    assert opened.args == names(2)
    assert view.selected_ids() == names(2)


@pytest.mark.parametrize(("down", "up"), [(Key.Key_J, Key.Key_K), (Key.Key_Down, Key.Key_Up)])
def test_keys_walk_over_headings(view, down, up):
    click(view, 3)
    press(view, down)
    assert view.current_id == names(4)[0]

    press(view, up)
    assert view.current_id == names(3)[0]


def test_keys_reach_both_ends_and_pages(view):
    click(view, 3)
    press(view, Key.Key_End)
    assert view.current_id == names(9)[0]

    press(view, Key.Key_Home)
    assert view.current_id == names(0)[0]

    for _ in range(5):
        press(view, Key.Key_PageDown)
    assert view.current_id == names(9)[0]

    for _ in range(5):
        press(view, Key.Key_PageUp)
    assert view.current_id == names(0)[0]


def test_the_first_key_goes_to_the_first_session(view):
    press(view, Key.Key_J)

    assert view.current_id == names(0)[0]


@pytest.mark.parametrize("key", [Key.Key_Return, Key.Key_Enter])
def test_enter_activates(view, qtbot, key):
    click(view, 2)

    with qtbot.waitSignal(view.activated) as activated:
        press(view, key)

    assert activated.args == names(2)


def test_a_double_click_activates(view, qtbot):
    with qtbot.waitSignal(view.activated) as activated:
        QTest.mouseDClick(view.table.viewport(), LEFT, NO_MODIFIER, place_of(view, 5))

    assert activated.args == names(5)


def test_several_sessions_are_selected_by_shift_and_control(view):
    click(view, 1)
    click(view, 4, SHIFT)
    assert view.selected_ids() == names(1, 2, 3, 4)

    click(view, 2, CONTROL)
    assert view.selected_ids() == names(1, 3, 4)

    press(view, Key.Key_A, CONTROL)
    assert view.selected_ids() == names(*range(10))
    assert list(view.selected_keys()) == list(range(10))


def test_shift_and_arrows_extend_the_selection(view):
    click(view, 1)
    press(view, Key.Key_Down, SHIFT)
    press(view, Key.Key_Down, SHIFT)

    assert view.selected_ids() == names(1, 2, 3)


def test_selection_is_told(view, qtbot):
    click(view, 1)

    with qtbot.waitSignal(view.selection_changed) as told:
        click(view, 2, CONTROL)

    assert told.args == [names(1, 2)]


def test_a_session_is_renamed_in_its_row(view, qtbot):
    click(view, 2)
    press(view, Key.Key_F2)
    field = view.table.findChild(QLineEdit)
    assert field is not None
    assert field.text() == invented.entry(2).title

    field.selectAll()
    QTest.keyClicks(field, "Deploys")
    with qtbot.waitSignal(view.rename_finished) as renamed:
        QTest.keyClick(field, Key.Key_Return)

    assert renamed.args == [names(2)[0], "Deploys"]


def test_escape_leaves_the_name_as_it_was(view, qtbot):
    click(view, 2)
    view.edit_current()
    field = view.table.findChild(QLineEdit)

    QTest.keyClicks(field, "x")
    with qtbot.assertNotEmitted(view.rename_finished):
        QTest.keyClick(field, Key.Key_Escape)


def test_a_name_that_is_being_typed_survives_a_refresh(view, qtbot):
    click(view, 2)
    press(view, Key.Key_F2)
    QTest.keyClicks(view.table.findChild(QLineEdit), "Dep")

    show(view, [7, 2, 1], groups=False)
    show(view, [2], groups=False)
    field = view.table.focusWidget()
    QTest.keyClicks(field, "loys")
    with qtbot.waitSignal(view.rename_finished) as renamed:
        QTest.keyClick(field, Key.Key_Return)

    assert renamed.args == [names(2)[0], "Deploys"]


def test_letters_do_not_search_through_every_row(view):
    view.model.set_keys(array("q", range(100_000)))
    wanted = []
    view.model.page_wanted.connect(wanted.append)

    press(view, Key.Key_X)
    press(view, Key.Key_Q)

    assert len(wanted) <= 1


def test_a_session_that_comes_back_is_current_again(view, qtbot):
    click(view, 2)
    show(view, [0, 1], groups=False)
    assert view.current_id == ""

    show(view, [0, 1, 2], groups=False)

    assert view.current_id == names(2)[0]


def test_a_session_that_comes_back_does_not_push_another_away(view):
    click(view, 2)
    show(view, [0, 1], groups=False)
    click(view, 1)

    show(view, [0, 1, 2], groups=False)

    assert view.current_id == names(1)[0]


def test_a_heading_has_no_context_menu(view, qtbot):
    click(view, 2)
    heading = view.table.visualRect(view.model.index(0, 0)).center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, heading, view.table.viewport().mapToGlobal(heading))

    with qtbot.assertNotEmitted(view.context_menu_wanted):
        QApplication.sendEvent(view.table.viewport(), event)


def test_the_star_is_toggled_by_key_and_by_click(view, qtbot):
    click(view, 2)
    with qtbot.waitSignal(view.star_toggled) as by_key:
        press(view, Key.Key_S)
    row = view.table.visualRect(view.model.index(view.model.row_of(names(5)[0]), 0))
    with qtbot.waitSignal(view.star_toggled) as by_click:
        QTest.mouseClick(view.table.viewport(), LEFT, NO_MODIFIER, QPoint(row.right() - 18, row.top() + 41))

    assert by_key.args == names(2)
    assert by_click.args == names(5)
    assert view.current_id == names(2)[0]


def test_a_drag_takes_all_that_is_selected(view, qtbot):
    click(view, 1)
    click(view, 2, CONTROL)
    viewport = view.table.viewport()

    with qtbot.waitSignal(view.drag_wanted) as dragged:
        QTest.mousePress(viewport, LEFT, NO_MODIFIER, place_of(view, 2))
        QTest.mouseMove(viewport, place_of(view, 2) + QPoint(4, 2))
        QTest.mouseMove(viewport, place_of(view, 2) + QPoint(30, 30))
    QTest.mouseRelease(viewport, LEFT, NO_MODIFIER, place_of(view, 3))

    assert dragged.args == [names(1, 2)]
    assert view.selected_ids() == names(1, 2)


def test_the_row_under_the_pointer_shows_its_star(view):
    before = view.table.viewport().grab().toImage()

    QTest.mouseMove(view.table.viewport(), place_of(view, 3))
    QApplication.sendEvent(
        view.table.viewport(),
        QHoverEvent(QEvent.Type.HoverMove, place_of(view, 3), view.mapToGlobal(place_of(view, 3)), QPointF(0, 0)),
    )
    after = view.table.viewport().grab().toImage()

    corner = place_of(view, 3) + QPoint(100, 25)
    assert before.pixelColor(corner) != after.pixelColor(corner)
    assert after.pixelColor(corner) == theme().tokens.hover


def test_a_context_menu_is_asked_for_where_the_session_is(view, qtbot):
    click(view, 2)
    by_keyboard = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(0, 0), QPoint(0, 0))

    with qtbot.waitSignal(view.context_menu_wanted) as asked:
        QApplication.sendEvent(view.table.viewport(), by_keyboard)

    assert asked.args == [view.table.viewport().mapToGlobal(place_of(view, 2))]


def test_headings_are_low_and_sessions_high(view):
    heights = [view.table.rowHeight(row) for row in range(view.model.rowCount())]

    assert heights[:3] == [GROUP_ROW, SESSION_ROW, SESSION_ROW]

    show(view, list(range(10)), groups=False)

    assert {view.table.rowHeight(row) for row in range(10)} == {SESSION_ROW}


def test_selection_stays_with_the_sessions_when_the_order_changes(view, qtbot):
    click(view, 1)
    click(view, 2, CONTROL)

    with qtbot.assertNotEmitted(view.current_changed), qtbot.assertNotEmitted(view.selection_changed):
        show(view, [5, 2, 7, 1], groups=False)

    assert view.current_id == names(2)[0]
    assert view.selected_ids() == names(2, 1)


def test_a_session_that_left_the_list_is_no_longer_current(view, qtbot):
    click(view, 2)

    with qtbot.waitSignal(view.current_changed) as told:
        show(view, [0, 1], groups=False)

    assert told.args == [""]
    assert view.selected_ids() == []


def test_everything_selected_stays_everything(view):
    press(view, Key.Key_A, CONTROL)

    show(view, list(range(5)), groups=False)

    assert view.selected_ids() == names(*range(5))


def test_the_list_stays_where_it_was_when_new_sessions_come_above(view):
    show(view, list(range(100, 200)), groups=False)
    view.table.verticalScrollBar().setValue(1215)
    top = view.table.indexAt(QPoint(5, 1)).data()
    offset = view.table.rowViewportPosition(view.table.rowAt(1))

    show(view, list(range(90, 200)), groups=False)

    assert view.table.indexAt(QPoint(5, 1)).data() == top
    assert view.table.rowViewportPosition(view.table.rowAt(1)) == offset


def test_at_the_top_new_sessions_are_seen(view):
    show(view, list(range(100, 200)), groups=False)

    show(view, list(range(90, 200)), groups=False)

    assert view.table.verticalScrollBar().value() == 0


def test_the_scroll_bar_lies_over_the_rows_and_moves_them(view):
    show(view, list(range(100, 200)), groups=False)
    bars = [bar for bar in view.table.findChildren(OverlayScrollBar) if bar.isVisible()]

    bars[0].setValue(600)

    assert view.table.viewport().width() == view.table.width()
    assert view.table.rowAt(1) == 10

    show(view, [1], groups=False)

    assert not bars[0].isVisible()


def test_going_to_a_session_selects_and_shows_it(view):
    show(view, list(range(100, 200)), groups=False)

    assert view.select_session(names(180)[0])
    assert not view.select_session("nobody")

    assert view.current_id == names(180)[0]
    assert view.table.viewport().rect().contains(place_of(view, 180))


@POPS_UP
def test_order_and_grouping_are_chosen_in_menus(view, qtbot):
    QTest.mouseClick(view.head.sort_button, LEFT)
    menu = view.head.findChildren(QMenu)[-1]
    with qtbot.waitSignal(view.sort_chosen) as sorted_by:
        next(action for action in menu.actions() if action.text() == "Title").trigger()
    menu.close()
    QTest.mouseClick(view.head.group_button, LEFT)
    menu = view.head.findChildren(QMenu)[-1]
    with qtbot.waitSignal(view.group_chosen) as grouped_by:
        next(action for action in menu.actions() if action.text() == "Project").trigger()
    menu.close()

    assert sorted_by.args == ["+title"]
    assert grouped_by.args == ["project"]
    assert view.head.order == ("+title", "project")
    assert (view.head.sort_button.text(), view.head.group_button.text()) == ("Title", "Group: project")


def search(view: SessionListView, *hits: Hit) -> None:
    view.model.set_hits(hit_groups(hits, {entry.key: entry for entry in invented.entries()}))


def test_a_hit_in_a_message_is_better_than_one_in_the_facts(view):
    entry = invented.entries()[2]
    title = invented.hit(entry, "pool.lock", "pool.lock", message_index=-1)
    message = invented.hit(entry, "takes pool.lock before", "pool.lock")

    search(view, title, message)
    assert view.best_hit(entry.id) == message

    search(view, title)
    assert view.best_hit(entry.id) == title


def test_another_search_opens_the_same_session_at_its_new_hit(view, qtbot):
    entry = invented.entries()[2]
    search(view, invented.hit(entry, "takes pool.lock before", "pool.lock"))
    view.select_session(entry.id)
    opened = []
    view.current_changed.connect(opened.append)

    search(view, invented.hit(entry, "takes pool.lock before", "before"))
    search(view, invented.hit(entry, "takes pool.lock before", "before"))

    assert opened == [entry.id]


def test_a_search_says_what_it_found_and_how_fast(view):
    entries = invented.entries()
    hits = [invented.hit(entries[2], "takes pool.lock before", "pool.lock")]
    view.model.set_hits(hit_groups(hits, {entry.key: entry for entry in entries}))
    view.set_result(SearchResult(tuple(hits), 8, 34, 0.002))

    assert view.head.found.text() == "8 sessions · 34 messages · 2 ms"
    assert view.best_hit(names(2)[0]) == hits[0]
    assert not view.head.group_button.isVisible()

    show(view, [0, 1])

    assert not view.head.found.isVisible()
    assert view.head.sort_button.isVisible()


def test_an_empty_list_says_what_to_do(view, qtbot):
    show(view, [])
    view.show_empty("search", "Nothing was found", "Try fewer words.", "Clear the search")

    with qtbot.waitSignal(view.empty.action_pressed):
        QTest.mouseClick(view.empty.button, LEFT)

    assert view.empty.isVisible()

    show(view, [1])

    assert view.table.isVisible()


def test_rows_have_a_name_for_screen_readers(view):
    table = QAccessible.queryAccessibleInterface(view.table)
    parts = [table.child(number) for number in range(8)]
    spoken = [part.text(QAccessible.Text.Name) for part in parts if part.role() == QAccessible.Role.Cell]

    assert table.text(QAccessible.Text.Name) == "Sessions"
    assert spoken[:2] == ["Today", "Retry uploads after a dropped connection, kelp-api, 143 messages"]


def test_the_focus_goes_to_the_rows(view):
    view.table.clearFocus()

    view.setFocus()

    assert view.table.hasFocus()


def test_keyboard_focus_is_seen_and_the_mouse_leaves_no_ring(view):
    click(view, 2)
    assert not view.table.is_by_keyboard

    press(view, Key.Key_J)
    assert view.table.is_by_keyboard


def test_rows_that_have_not_come_are_painted_and_asked_for(view):
    wanted = []
    view.model.page_wanted.connect(wanted.append)

    view.model.set_keys(array("q", range(10_000, 20_000)))
    picture = view.grab()

    assert not picture.isNull()
    assert wanted == [0]


def test_hostile_rows_are_painted(view):
    hard = invented.hard_entries()
    view.model.set_keys(array("q", (entry.key for entry in hard)), [Group("<b>x</b>", 0, len(hard))])
    view.model.set_page(0, hard)

    assert not view.grab().isNull()


def test_a_million_sessions_open_and_scroll_at_once(view):
    started = time.process_time()
    view.model.set_keys(array("q", range(1_000_000)), [Group(str(day), day * 1000, 1000) for day in range(1000)])
    QApplication.processEvents()
    opened = time.process_time() - started
    bar = view.table.verticalScrollBar()
    frames = []
    for step in range(60):
        bar.setValue(bar.maximum() // 3 + step * 17)
        before = time.process_time()
        view.table.viewport().repaint()
        frames.append(time.process_time() - before)

    assert opened < 0.15
    assert statistics.median(frames) < 0.008
