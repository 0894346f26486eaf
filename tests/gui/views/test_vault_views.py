"""The versions in the details, the page of a comparison, the sheets."""

from __future__ import annotations

import pytest
from holdfast_core.model.repair import RepairChange, Repaired
from holdfast_core.model.vault import Comparison
from holdfast_gui.theme import theme
from holdfast_gui.views.comparison import ComparisonPage
from holdfast_gui.views.detail import DetailPane
from holdfast_gui.views.vault_sheets import TAG_LIMIT, NameSheet, RepairSheet, RestoreSheet
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu, QWidget

from tests.gui import invented, vaulted

Key = Qt.Key
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def pane(qapp, qtbot) -> DetailPane:
    theme().apply(qapp, mode="light")
    pane = DetailPane(home=invented.HOME)
    qtbot.addWidget(pane)
    pane.resize(268, 900)
    pane.show()
    pane.activateWindow()
    qtbot.waitExposed(pane)
    entry = vaulted.cut_entry()
    pane.set_entry(entry, "", now=invented.NOW)
    pane.set_versions(entry, vaulted.versions(), invented.NOW)
    return pane


@pytest.fixture
def page(qapp, qtbot) -> ComparisonPage:
    theme().apply(qapp, mode="light")
    page = ComparisonPage()
    qtbot.addWidget(page)
    page.resize(900, 700)
    page.show()
    page.activateWindow()
    qtbot.waitExposed(page)
    page.set_comparison("A <b>session</b>", vaulted.versions(), vaulted.comparison(), invented.NOW)
    page.take_focus()
    return page


@pytest.fixture
def window(qapp, qtbot) -> QWidget:
    theme().apply(qapp, mode="light")
    window = QWidget()
    window.resize(1000, 700)
    qtbot.addWidget(window)
    window.show()
    return window


def test_versions_stand_above_all_else_where_something_is_lost(pane, qtbot):
    qtbot.waitUntil(pane.vault.isVisible)

    assert pane.vault.y() < pane.facts.mapTo(pane, pane.facts.rect().topLeft()).y()
    assert [row.version.number for row in pane.vault.rows] == [3, 4, 2, 1]


def test_versions_stand_below_the_facts_of_a_whole_session(pane, qtbot):
    whole = invented.entry(5)
    pane.set_entry(whole, "", now=invented.NOW)
    hidden = pane.vault.isHidden()
    pane.set_versions(whole, vaulted.versions()[1:], invented.NOW)

    assert hidden
    qtbot.waitUntil(lambda: pane.vault.y() > pane.facts.mapTo(pane, pane.facts.rect().topLeft()).y())


def test_a_press_and_a_key_open_a_version(pane):
    wanted = []
    pane.vault.wanted.connect(lambda what, number: wanted.append((what, number)))

    QTest.mouseClick(pane.vault.rows[1], LEFT)
    pane.vault.rows[2].setFocus()
    QTest.keyClick(pane.vault.rows[2], Key.Key_Return)

    assert wanted == [("open", 4), ("open", 2)]


def test_the_menu_opens_by_keys_and_tells_what_is_wanted(pane):
    wanted = []
    pane.vault.wanted.connect(lambda what, number: wanted.append((what, number)))
    QTest.keyClick(pane.vault.rows[1], Key.Key_F10, Qt.KeyboardModifier.ShiftModifier)
    menu = pane.vault.findChild(QMenu)

    for item in menu.actions():
        if item.objectName() in ("compare", "agent", "held", "file", "name", "export"):
            item.trigger()
    menu.close()

    assert wanted == [(what, 4) for what in ("compare", "agent", "held", "file", "name", "export")]


def test_of_a_version_without_a_file_nothing_can_be_given_back(pane):
    gone = [vaulted.version(5, reason="deleted", messages=0, size_bytes=0), *vaulted.versions()]
    pane.set_versions(vaulted.cut_entry(is_gone=True), gone, invented.NOW)
    QTest.keyClick(pane.vault.rows[1], Key.Key_Menu)
    menu = pane.vault.findChild(QMenu)

    enabled = [item.objectName() for item in menu.actions() if item.isEnabled() and item.objectName()]
    menu.close()

    assert enabled == ["compare", "name"]


def test_the_version_that_is_read_is_marked_by_more_than_colour(pane):
    before = pane.vault.rows[1].grab().toImage()
    pane.set_versions(vaulted.cut_entry(), vaulted.versions(), invented.NOW, read=4)

    assert [row.is_read for row in pane.vault.rows] == [False, True, False, False]
    assert pane.vault.rows[1].accessibleName().endswith(", open now")
    assert pane.vault.rows[1].grab().toImage() != before


def test_a_folded_row_shows_each_version_when_it_is_pressed(pane, qtbot):
    many = [vaulted.version(number) for number in range(20, 0, -1)]
    pane.set_versions(invented.entry(5), many, invented.NOW)
    head = pane.vault.stops[1]
    qtbot.waitUntil(head.isVisible)

    QTest.mouseClick(head, LEFT)
    seen = [row.version.number for row in pane.vault.stops if row.isVisible()]
    pane.set_versions(invented.entry(5), [vaulted.version(21), *many], invented.NOW)
    qtbot.waitUntil(pane.vault.stops[-1].isVisible)

    assert seen == list(range(20, 0, -1))
    assert [row.version.number for row in pane.vault.stops] == list(range(21, 0, -1))


def test_the_keyboard_stays_on_its_row_while_the_session_grows(pane, qtbot):
    pane.vault.rows[2].setFocus()
    grown = [vaulted.version(5), *vaulted.versions()]

    pane.set_versions(vaulted.cut_entry(), grown, invented.NOW)

    assert [row.version.number for row in pane.vault.rows if row.hasFocus()] == [2]


def test_all_of_many_versions_stay_unfolded(pane):
    many = [vaulted.version(number, tag=f"name {number}") for number in range(30, 0, -1)]
    pane.set_versions(invented.entry(5), many, invented.NOW)
    few = len(pane.vault.rows)
    pane.vault.stops[-1].click()
    pane.set_versions(invented.entry(5), [vaulted.version(31), *many], invented.NOW)

    assert (few, len(pane.vault.rows)) == (8, 31)


def test_rows_are_painted_in_both_themes(pane, qapp):
    light = pane.vault.grab().toImage()
    theme().apply(qapp, mode="dark")

    assert pane.vault.grab().toImage() != light


def test_a_comparison_is_gone_through_and_left_by_keys(page):
    read, left = [], []
    page.message_wanted.connect(lambda number, index: read.append((number, index)))
    page.back_wanted.connect(lambda: left.append(True))

    QTest.keyClick(page.list, Key.Key_Return)
    QTest.keyClick(page.list, Key.Key_J)
    QTest.keyClick(page.list, Key.Key_Return)
    QTest.keyClick(page.list, Key.Key_Escape)

    assert read == [(3, 16), (4, 12)]
    assert left == [True]


def test_other_versions_can_be_chosen_and_turned_round(page):
    wanted = []
    page.versions_wanted.connect(lambda old, new: wanted.append((old, new)))

    QTest.mouseClick(page.swap_button, LEFT)
    QTest.mouseClick(page.old_button, LEFT)
    menu = page.findChild(QMenu)
    checked = [item.isChecked() for item in menu.actions()]
    menu.actions()[2].trigger()
    menu.close()

    assert wanted == [(4, 3), (2, 4)]
    assert checked == [False, True, False, False]


def test_without_room_the_versions_stand_below_each_other(page, qtbot):
    beside = page.old_button.y() == page.new_button.y()
    page.resize(460, 700)

    qtbot.waitUntil(lambda: page.old_button.y() < page.new_button.y())
    assert beside
    assert page.new_button.geometry().right() <= page.width()


def test_a_comparison_without_a_difference_says_so(page):
    page.set_comparison("A session", vaulted.versions(), Comparison(3, 2, 175), invented.NOW)

    assert not page.list.isVisible()
    assert page.summary.text() == "175 the same"


def test_any_number_of_differences_opens_at_once(page):
    one = vaulted.comparison().differences[0]
    page.set_comparison("Long", vaulted.versions(), Comparison(3, 4, 0, (one,) * 50_000), invented.NOW)

    QTest.keyClick(page.list, Key.Key_End)

    assert page.list.currentIndex().row() == 49_999


def test_the_sheet_before_a_restoring_says_what_gives_way(window, qtbot):
    sheet = RestoreSheet(
        window,
        title="<i>A</i> session",
        agent="Codex",
        comes="Version 3 is written.",
        gives_way="16 messages give way.",
    )
    sheet.open()
    qtbot.waitUntil(sheet.isVisible)
    with qtbot.waitSignal(sheet.accepted):
        QTest.keyClick(sheet, Key.Key_Return)

    assert sheet.windowTitle() == "Restore “<i>A</i> session” to Codex?"
    assert sheet.message.text() == "Version 3 is written."


def test_the_sheet_before_a_repair_lists_every_change(window, qtbot):
    plan = Repaired(b"{}", tuple(RepairChange(line, "nul_cut") for line in range(1, 2001)))
    sheet = RepairSheet(window, title="A session", agent="Codex", plan=plan)
    sheet.open()
    qtbot.waitUntil(sheet.isVisible)

    assert sheet.list.changes.rowCount() == 2000
    assert sheet.summary.text() == "2,000 changes"
    assert sheet.height() <= window.height()
    sheet.reject()


def test_where_nothing_has_to_be_mended_there_is_nothing_to_say_yes_to(window, qtbot):
    sheet = RepairSheet(window, title="A session", agent="Codex", plan=Repaired(b"{}", ()))
    sheet.open()
    qtbot.waitUntil(sheet.isVisible)

    assert "needs no repair" in sheet.windowTitle()
    assert not sheet.accept_button.isVisible()
    sheet.reject()


def test_a_name_is_one_short_line(window, qtbot):
    sheet = NameSheet(window, version="Version 3", name="old")
    sheet.open()
    qtbot.waitUntil(sheet.isVisible)

    QTest.keyClicks(sheet.field, "n" * 200)

    assert sheet.name == "n" * TAG_LIMIT
    sheet.reject()
