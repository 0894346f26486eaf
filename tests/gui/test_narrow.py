"""A window with room for one pane alone, in the whole application: in and back by keys and mouse."""

from __future__ import annotations

import pytest
from holdfast_gui.theme import theme
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.fakes.desk import on_a_desk
from tests.fakes.waiting import until

DEPLOY = "Why does the nightly deploy time out?"
Key = Qt.Key


@pytest.fixture(autouse=True)
def _usual_size_afterwards(qapp):
    yield
    theme().apply(qapp, mode="light")


def narrow(desk, qapp):
    theme().apply(qapp, mode="light", scale=2.0)
    desk.window.resize(900, 800)
    desk.window.activateWindow()


def click_on(table, row):
    """Press and release on a row. The events are sent and not played: that would nest a loop in a coroutine."""
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    at = QPointF(table.visualRect(table.model().index(row, 0)).center())
    everywhere = table.viewport().mapToGlobal(at)
    table.setFocus(Qt.FocusReason.MouseFocusReason)
    for kind, held in ((QEvent.Type.MouseButtonPress, left), (QEvent.Type.MouseButtonRelease, none)):
        event = QMouseEvent(kind, at, everywhere, left, held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(table.viewport(), event)


@on_a_desk
async def test_enter_shows_the_session_and_escape_the_list_again(desk, qapp):
    narrow(desk, qapp)
    table = desk.window.session_list.table
    await desk.select(DEPLOY)
    first = table.isVisible()

    QtBot.keyClick(table, Key.Key_Return)
    await until(desk.context.transcript.view.isVisible)
    hidden = not table.isVisible()
    QtBot.keyClick(desk.window.focusWidget(), Key.Key_Escape)
    await until(table.isVisible)

    assert first
    assert hidden
    assert table.hasFocus()
    assert desk.window.head.title == DEPLOY


@on_a_desk
async def test_a_click_on_a_row_shows_the_session(desk, qapp):
    narrow(desk, qapp)
    table = desk.window.session_list.table

    click_on(table, desk.window.session_list.model.row_of(desk.id_of(DEPLOY)))

    await until(desk.context.transcript.view.hasFocus)
    assert desk.context.transcript.view.isVisible()
    assert not table.isVisible()


@on_a_desk
async def test_a_window_made_narrow_goes_on_with_what_was_clicked(desk, qapp):
    table = desk.window.session_list.table
    click_on(table, desk.window.session_list.model.row_of(desk.id_of(DEPLOY)))
    await until(lambda: desk.context.reading.loaded)

    narrow(desk, qapp)

    assert not table.isVisible()
    assert desk.context.transcript.view.hasFocus()


@on_a_desk
async def test_a_search_begins_in_the_list(desk, qapp):
    narrow(desk, qapp)
    await desk.select(DEPLOY)
    desk.window.read()

    desk.context.actions.run("search.focus")

    assert desk.window.search_field.line.isVisible()
    assert not desk.context.transcript.view.isVisible()
