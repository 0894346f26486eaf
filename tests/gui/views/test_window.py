"""The window as a whole: what stands where, what is remembered, what fits."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from holdfast_gui.models.places import SavedSearch
from holdfast_gui.theme import theme
from holdfast_gui.views.window import MainWindow
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAccessible, QCloseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QLineEdit,
    QPlainTextEdit,
    QSplitter,
    QWidget,
)
from shiboken6 import isValid

from tests.gui import gallery, invented

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def window(qapp, qtbot) -> Iterator[MainWindow]:
    theme().apply(qapp, mode="light")
    window = gallery.window_with_sessions()
    window.show()
    window.activateWindow()
    qtbot.waitExposed(window)
    yield window
    if isValid(window):
        bury(window)


def bury(window: MainWindow) -> None:
    window.hide()
    window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_panes_stand_as_they_were_drawn(window):
    def left_of(pane: QWidget) -> int:
        return pane.mapTo(window, pane.rect().topLeft()).x()

    lefts = [left_of(pane) for pane in (window.places, window.session_list, window.transcript, window.detail)]

    assert lefts == [0, 216, 600, 1172]
    assert window.head.height() == 72


@pytest.fixture
def large_text(window, qapp) -> Iterator[MainWindow]:
    """A window 900 px wide with text of twice the size."""
    theme().apply(qapp, mode="light", scale=2.0)
    window.resize(900, 800)
    yield window
    theme().apply(qapp, mode="light")


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("width", [640, 900, 1200, 1600])
@pytest.mark.parametrize("pane", ["", "places", "detail"])
def test_no_pane_lies_over_another_or_beyond_the_edge(window, qapp, width, scale, pane):
    theme().apply(qapp, mode="light", scale=scale)
    window.resize(width, 800)
    if pane == "places" and not window.places.isVisible():
        window.toggle_places()
    if pane == "detail" and not window.detail.isVisible():
        window.read()
        window.toggle_detail()
    QApplication.processEvents()

    seen = [each for each in (window.places, window.session_list, window.transcript, window.detail) if each.isVisible()]
    edges = [(each.mapTo(window, each.rect().topLeft()).x(), each.width()) for each in seen]
    theme().apply(qapp, mode="light")

    assert seen
    assert all(left + across <= right for (left, across), (right, _) in pairwise(edges))
    assert sum(edges[-1]) <= window.width() == width
    assert all(across >= 160 * scale for _, across in edges)


def test_list_and_session_take_turns_where_one_has_room(large_text):
    at_first = (large_text.session_list.isVisible(), large_text.transcript.isVisible())

    assert large_text.read()

    assert at_first == (True, False)
    assert (large_text.session_list.isVisible(), large_text.transcript.isVisible()) == (False, True)
    assert large_text.head.back_button.isVisible()
    QApplication.processEvents()

    QTest.mouseClick(large_text.head.back_button, LEFT)

    assert (large_text.session_list.isVisible(), large_text.transcript.isVisible()) == (True, False)
    assert large_text.session_list.table.hasFocus()
    assert not large_text.step_back()


def test_details_stand_alone_where_they_have_no_room_beside(large_text):
    large_text.read()

    large_text.toggle_detail()
    QApplication.processEvents()

    assert large_text.detail.width() == 900
    assert not large_text.transcript.isVisible()
    assert large_text.step_back()
    assert large_text.transcript.isVisible()


def test_places_stand_alone_until_one_was_chosen(large_text):
    large_text.toggle_places()
    alone = (large_text.places.isVisible(), large_text.session_list.isVisible(), large_text.transcript.isVisible())
    large_text.places.list.setFocus()

    QTest.keyClick(large_text.places.list, Qt.Key.Key_Down)
    still = large_text.places.isVisible()
    QTest.keyClick(large_text.places.list, Qt.Key.Key_Return)

    assert alone == (True, False, False)
    assert still
    assert not large_text.places.isVisible()
    assert large_text.session_list.table.hasFocus()


def test_a_notice_is_seen_over_whichever_stands_alone(large_text):
    large_text.notice.show_notice("The check found a thing.", "All that was saved is here.")
    over_the_list = large_text.notice.isVisible()
    large_text.read()

    assert over_the_list
    assert large_text.notice.isVisible()


def test_both_come_back_with_the_room_in_their_widths(large_text):
    before = large_text.findChild(QSplitter).sizes()
    large_text.read()

    large_text.resize(2600, 800)
    QApplication.processEvents()

    assert before[1] in (0, 900)
    assert large_text.session_list.isVisible()
    assert large_text.transcript.isVisible()
    assert large_text.session_list.width() == pytest.approx(766, abs=2)


def test_closing_is_only_asked_for(window, qtbot):
    event = QCloseEvent()

    with qtbot.waitSignal(window.close_requested):
        QApplication.sendEvent(window, event)

    assert not event.isAccepted()
    assert window.isVisible()


@pytest.mark.parametrize("width", [1440, 1100, 900, 700])
def test_panes_without_room_go_details_first(window, qtbot, width):
    window.resize(width, 700)

    assert window.detail.isVisible() == (width >= 1160)
    assert window.places.isVisible() == (width >= 984)
    assert window.head.detail_button.isVisible() != window.detail.isVisible()
    assert window.places_button.isVisible() != window.places.isVisible()
    assert window.width() == width
    qtbot.waitUntil(lambda: window.transcript.width() >= 340)


def test_panes_come_back_with_the_room(window):
    window.resize(800, 700)
    window.resize(1440, 900)

    assert window.places.isVisible()
    assert window.detail.isVisible()
    assert window.places.width() == 215


def test_a_hidden_pane_is_shown_by_its_button(window):
    window.resize(900, 700)

    QTest.mouseClick(window.places_button, LEFT)
    QTest.mouseClick(window.head.detail_button, LEFT)

    assert window.places.isVisible()
    assert window.detail.isVisible()


def test_a_pane_that_the_person_hid_stays_hidden(window):
    window.toggle_detail()
    window.toggle_places()
    window.resize(800, 700)
    window.resize(1440, 900)

    assert not window.detail.isVisible()
    assert not window.places.isVisible()

    window.toggle_detail()

    assert window.detail.isVisible()


def test_a_pane_that_was_looked_at_without_room_comes_back_with_the_room(window):
    window.resize(800, 700)
    window.toggle_places()
    window.toggle_places()

    window.resize(1440, 900)

    assert window.places.isVisible()


def test_details_are_hidden_while_no_session_is_shown(window):
    window.show_nothing()

    window.toggle_detail()
    window.show_session()

    assert not window.detail.isVisible()


def test_the_window_is_remembered(window, qapp):
    window.toggle_detail()
    window.session_list.head.set_order("+title", "project")
    window.places.add_saved(SavedSearch("Mine", "tag:mine"))
    window.resize(700, 500)  # smaller than any screen
    other = MainWindow(QWidget())

    other.restore_state(window.save_state())
    other.show()

    assert other.size() == window.size()
    other.resize(1440, 900)
    assert not other.detail.isVisible()
    assert other.places.isVisible()
    assert other.session_list.head.order == ("+title", "project")
    assert SavedSearch("Mine", "tag:mine") in other.places.saved_searches
    bury(other)


def test_panes_come_back_as_wide_as_they_were(window):
    window.resize(1300, 600)
    window.findChild(QSplitter).setSizes([215, 420, 665])
    other = MainWindow(QWidget())

    other.restore_state(window.save_state())
    other.resize(1300, 600)
    other.show()

    assert other.findChild(QSplitter).sizes() == window.findChild(QSplitter).sizes()
    bury(other)


def test_a_pane_that_was_hidden_comes_back_in_its_width(window):
    window.resize(900, 700)
    state = window.save_state()
    window.resize(1440, 900)

    window.restore_state(state)
    window.resize(1440, 900)

    assert window.places.isVisible()
    assert window.places.width() >= 200


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"[" * 100_000,
        b'{"version": 99}',
        b'{"version": 1}',
        b'{"version": 1, "geometry": 7, "splitter": ["a"], "wanted": [], "sort": null, "saved": [[1, 2], 3]}',
        b'{"version": 1, "geometry": "!!", "splitter": [-5, 0, 1000000000000], "wanted": {"places": 0}}',
    ],
)
def test_a_broken_memory_does_no_harm(window, state):
    window.restore_state(state)

    assert window.places.isVisible()
    assert window.session_list.head.order == ("-updated", "day")


def test_pages_of_the_right_side(window):
    window.show_first_run()
    assert window.first_run.isVisible()
    assert not window.head.isVisible()

    window.show_nothing("search", "Nothing here", "Try this.", "Do it")
    assert window.nothing.isVisible()
    assert window.nothing.sentence == "Nothing here"

    window.show_session()
    assert window.transcript.isVisible()
    assert window.head.isVisible()


def test_focus_follows_the_eye(window):
    window.places.list.setFocus()
    order = [window.focusWidget()]
    for _ in range(40):
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        order.append(window.focusWidget())
        if order[-1] is order[0]:
            break
    stops = [
        window.places.list,
        window.search_field.line,
        window.session_list.head.sort_button,
        window.session_list.head.group_button,
        window.session_list.table,
        window.head.export_button,
        window.head.resume_button,
        window.detail.note,
        window.detail.tags.add_button,
    ]

    assert [widget for widget in order if widget in stops][: len(stops)] == stops


def test_the_search_is_reached_with_all_of_it_selected(window):
    window.search_field.set_text("pool")

    window.focus_search()

    assert window.search_field.line.hasFocus()
    assert window.search_field.line.selectedText() == "pool"


def test_every_control_has_a_name(window):
    kinds = (QAbstractButton, QAbstractItemView, QLineEdit, QPlainTextEdit)
    nameless = []
    for widget in window.findChildren(QWidget):
        if isinstance(widget, kinds) and widget.isVisible():
            interface = QAccessible.queryAccessibleInterface(widget)
            if not interface.text(QAccessible.Text.Name):
                nameless.append((type(widget).__name__, widget.parentWidget().objectName()))

    assert nameless == []


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("name", gallery.PICTURES)
def test_every_picture_of_the_gallery_can_be_drawn(qapp, tmp_path, mode, name):
    gallery.draw(tmp_path, names=[name], mode=mode)
    theme().apply(qapp, mode="light")

    assert [path.stem for path in tmp_path.iterdir()] == [f"{name}-{mode}"]


def test_a_change_of_theme_reaches_every_pane(window, qapp):
    light = window.grab().toImage()
    theme().apply(qapp, mode="dark")
    dark = window.grab().toImage()
    theme().apply(qapp, mode="light")

    for x, y in ((100, 700), (400, 800), (800, 500), (1300, 800), (800, 10)):
        assert light.pixelColor(x, y).lightness() > 200
        assert dark.pixelColor(x, y).lightness() < 60


@pytest.mark.parametrize("scale", [0.75, 1.25, 1.5, 2.0])
def test_a_new_text_size_gives_the_window_that_it_would_have_been_built_with(window, qapp, scale):
    theme().apply(qapp, mode="light", scale=scale)
    window.resize(2400, 1300)
    grown = gallery.sizes(window)
    bury(window)
    built = gallery.window_with_sessions()
    built.show()
    built.resize(2400, 1300)

    expected = gallery.sizes(built)
    bury(built)
    theme().apply(qapp, mode="light")

    assert {
        name: (size, expected[name])
        for name, size in grown.items()
        if abs(size - expected[name]) > max(3, expected[name] / 40)
    } == {}


def test_half_a_second_of_work_is_far_more_than_the_window_needs(qapp):
    before = time.process_time()
    window = gallery.window_with_sessions()
    window.grab()
    spent = time.process_time() - before
    bury(window)

    assert spent < 0.5


def test_the_window_starts_without_heavy_modules():
    code = (
        "import sys; import holdfast_gui.views.window; "
        "print(*sorted({'pydantic', 'pygments', 'markdown_it', 'cryptography', 'apsw', 'asyncio'} & set(sys.modules)))"
    )
    paths = [str(Path(part).resolve()) for part in ("core", "gui")]
    run = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": ":".join(paths)}, capture_output=True, text=True, check=True
    )

    assert run.stdout.strip() == ""


def test_the_invented_person_has_no_real_home(window):
    assert window.detail.facts.values["Folder"].startswith("~/")
    assert invented.HOME not in window.detail.facts.values["Source"]
