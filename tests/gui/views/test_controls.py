"""Buttons, labels and the focus ring."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from holdfast_gui.theme import theme
from holdfast_gui.views.controls import Button, ElidedLabel, FocusRing, IconButton, Label
from holdfast_gui.views.flow import FlowLayout
from PySide6 import QtGui
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QVBoxLayout, QWidget

Key = Qt.Key


@pytest.fixture
def window(qapp, qtbot) -> Iterator[QWidget]:
    theme().apply(qapp, mode="light")
    window = QWidget()
    qtbot.addWidget(window)
    QVBoxLayout(window)
    window.resize(300, 200)
    window.show()
    window.activateWindow()
    qtbot.waitExposed(window)
    yield window


def put(window: QWidget, widget: QWidget) -> None:
    window.layout().addWidget(widget)
    widget.show()
    window.layout().activate()


@pytest.mark.parametrize("key", [Key.Key_Space, Key.Key_Return, Key.Key_Enter])
def test_keys_press_a_button(window, qtbot, key):
    button = Button("Export", icon="export")
    put(window, button)
    button.setFocus(Qt.FocusReason.TabFocusReason)

    with qtbot.waitSignal(button.clicked):
        QTest.keyClick(button, key)


def test_a_disabled_button_does_nothing(window, qtbot):
    button = Button("Resume", kind="primary")
    put(window, button)
    button.setEnabled(False)

    with qtbot.assertNotEmitted(button.clicked):
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.mark.parametrize("kind", ["primary", "plain", "flat"])
def test_a_button_is_large_enough_to_hit_and_for_its_words(window, kind):
    button = Button("A && B", kind=kind, icon="export", trailing="enter")
    put(window, button)

    assert button.sizeHint().height() >= 28
    assert button.sizeHint().width() > button.fontMetrics().horizontalAdvance("A & B") + 32


def test_the_ring_goes_where_the_focus_goes(window):
    one, two = Button("One"), IconButton("close", "Two")
    for each in (one, two):
        put(window, each)

    one.setFocus(Qt.FocusReason.TabFocusReason)
    (ring,) = window.findChildren(FocusRing)
    assert ring.geometry() == one.geometry().adjusted(-3, -3, 3, 3)

    two.setFocus(Qt.FocusReason.TabFocusReason)
    rings = [ring for ring in window.findChildren(FocusRing) if ring.isVisible()]
    assert [ring.geometry().center() for ring in rings] == [two.geometry().center()]


def test_the_ring_follows_what_it_surrounds(window):
    button = Button("One")
    put(window, button)
    button.setFocus(Qt.FocusReason.TabFocusReason)

    button.move(40, 50)

    (ring,) = window.findChildren(FocusRing)
    assert ring.geometry().topLeft() == button.geometry().adjusted(-3, -3, 0, 0).topLeft()


def test_labels_show_markup_as_it_was_written(window):
    label = Label("<b>bold</b> <img src='file:///nowhere'>")
    put(window, label)

    assert label.textFormat() == Qt.TextFormat.PlainText


def test_a_label_that_is_cut_tells_the_rest_in_a_tooltip(window):
    label = ElidedLabel("<b>" + "very long " * 50)
    put(window, label)
    assert label.toolTip()
    assert not QtGui.Qt.mightBeRichText(label.toolTip())

    label.setText("short")
    assert not label.toolTip()


def test_letters_of_another_font_do_not_push_what_is_below(qapp, qtbot):
    plain, other = ElidedLabel("deploy", font="title"), ElidedLabel("日本語 👩🏽‍🚀 مرحبا", font="title")
    qtbot.addWidget(plain)
    qtbot.addWidget(other)

    assert plain.sizeHint().height() == other.sizeHint().height()


def test_an_icon_button_has_a_name(window):
    button = IconButton("close", "Dismiss")
    put(window, button)

    assert QAccessible.queryAccessibleInterface(button).text(QAccessible.Text.Name) == "Dismiss"
    assert QAccessible.queryAccessibleInterface(button).role() == QAccessible.Role.Button


def test_labels_take_the_colours_of_a_new_theme(window, qapp):
    label = Label("words", colour="text3")
    put(window, label)

    theme().apply(qapp, mode="dark")
    ink = label.palette().color(label.foregroundRole())
    theme().apply(qapp, mode="light")

    assert ink.name() == "#949caa"


def test_what_has_no_room_flows_to_the_next_line(window):
    flow = FlowLayout(spacing=4)
    holder = QWidget()
    holder.setLayout(flow)
    put(window, holder)
    buttons = [Button(f"Button {number}") for number in range(6)]
    for button in buttons:
        flow.addWidget(button)
    for each in (*buttons, holder):
        each.show()
    window.grab()

    tops = {button.geometry().top() for button in buttons}

    assert len(tops) > 1
    assert all(button.geometry().right() <= holder.width() for button in buttons)
    assert flow.heightForWidth(10_000) < flow.heightForWidth(120)
