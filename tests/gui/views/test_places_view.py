"""The places pane under a person's hands."""

from __future__ import annotations

import pytest
from holdfast_core.model.changes import ScanProgress
from holdfast_core.model.places import Places
from holdfast_gui.models.places import STARRED, Place, SavedSearch
from holdfast_gui.models.vault import StatusLines
from holdfast_gui.theme import theme
from holdfast_gui.views.places import PlacesView
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from tests.gui import invented

Key = Qt.Key
LEFT = Qt.MouseButton.LeftButton
NO_MODIFIER = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def view(qapp, qtbot) -> PlacesView:
    theme().apply(qapp, mode="light")
    view = PlacesView()
    qtbot.addWidget(view)
    view.resize(216, 900)
    view.set_places(invented.places(), invented.agents())
    view.set_saved([SavedSearch("Failing deploys", "tag:deploy has:error")])
    view.show()
    qtbot.waitExposed(view)
    return view


def place_of(view: PlacesView, title: str) -> QPoint:
    model = view.list.model()
    row = next(row for row in range(model.rowCount()) if model.index(row, 0).data() == title)
    view.list.scrollTo(model.index(row, 0))
    return view.list.visualRect(model.index(row, 0)).center()


def click(view: PlacesView, title: str) -> None:
    QTest.mouseClick(view.list.viewport(), LEFT, NO_MODIFIER, place_of(view, title))


def titles(view: PlacesView) -> list[str]:
    model = view.list.model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def test_a_click_chooses_a_place(view, qtbot):
    with qtbot.waitSignal(view.place_selected) as chosen:
        click(view, "Codex")

    assert chosen.args == [Place("agent", "codex", "agent:codex", "Codex")]
    assert view.chosen.value == "codex"


def test_a_heading_cannot_be_chosen(view, qtbot):
    with qtbot.assertNotEmitted(view.place_selected):
        click(view, "Agents")


@pytest.mark.parametrize("key", [Key.Key_Down, Key.Key_J])
def test_keys_walk_over_headings(view, qtbot, key):
    view.list.setFocus()
    click(view, "Health")

    with qtbot.waitSignal(view.place_selected) as chosen:
        QTest.keyClick(view.list, key)

    assert chosen.args[0].title == "Claude Code"


def test_places_are_chosen_by_number(view, qtbot):
    with qtbot.waitSignal(view.place_selected) as chosen:
        assert view.select_nth(3)

    assert chosen.args == [STARRED]
    assert not view.select_nth(0)
    assert not view.select_nth(999)


def test_marking_a_place_tells_nobody(view, qtbot):
    with qtbot.assertNotEmitted(view.place_selected):
        view.select(STARRED)

    assert view.chosen == STARRED


def test_the_chosen_place_stays_when_counts_change(view):
    click(view, "Codex")

    view.set_places(invented.places(), invented.agents())

    assert view.list.currentIndex().data() == "Codex"


def test_the_pane_stays_where_it_was_scrolled_when_counts_change(view, qtbot):
    view.resize(216, 300)
    bar = view.list.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 100)
    bar.setValue(90)

    view.set_places(Places(1, projects=invented.places().projects, agents=invented.places().agents), invented.agents())

    assert bar.value() == 90


def test_all_projects_unfold_and_are_narrowed_by_typing(view):
    click(view, "All projects…")
    assert view.filter.isVisible()
    assert "project-29" in titles(view)

    QTest.keyClicks(view.filter, "tide")
    assert "project-29" not in titles(view)
    assert "tidepool-web" in titles(view)

    click(view, "Fewer projects")
    assert not view.filter.isVisible()
    assert "All projects…" in titles(view)


@pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")
def test_a_saved_search_is_removed_from_its_menu(view, qtbot):
    view.list.customContextMenuRequested.emit(place_of(view, "Failing deploys"))
    menu = view.list.findChild(QMenu)

    with qtbot.waitSignal(view.saved_changed) as told:
        menu.actions()[0].trigger()
    menu.close()

    assert told.args == [[]]
    assert "Failing deploys" not in titles(view)


def test_a_saved_search_is_removed_by_its_key(view):
    click(view, "Failing deploys")

    QTest.keyClick(view.list, Key.Key_Delete)

    assert view.saved_searches == ()


def test_a_search_is_kept_once(view):
    view.add_saved(SavedSearch("Deploys", "tag:deploy has:error"))

    assert view.saved_searches == (SavedSearch("Deploys", "tag:deploy has:error"),)


def test_the_foot_tells_how_the_index_stands(view):
    view.status.set_idle(12418)
    assert view.status.words == "12,418 sessions\nindex up to date"

    view.status.set_progress(ScanProgress(3104, 12418, 1_200_000_000, 3_100_000_000))
    assert view.status.words == "Reading 3,104 of 12,418\n1.2 GB of 3.1 GB"

    view.status.set_paused()
    assert view.status.words == "Scanning is paused"

    view.status.set_problem("The index cannot be written", "The disk is full")
    assert view.status.accessibleDescription() == "The index cannot be written\nThe disk is full"


def test_the_foot_tells_how_safe_the_sessions_are_and_leads_to_more(view, qtbot):
    pressed = []
    view.status.clicked.connect(lambda: pressed.append(True))
    view.status.set_idle(12418)
    view.status.set_vault(
        lambda listed: StatusLines("shield-check", "live", (f"All {listed} are safe", "verified", ""))
    )
    known = view.status.words
    view.status.set_paused()
    paused = view.status.words
    view.status.set_idle(12419)
    view.status.setFocus()
    QTest.keyClick(view.status, Key.Key_Return)

    assert (known, paused) == ("All 12418 are safe\nverified", "Scanning is paused")
    assert view.status.words == "All 12419 are safe\nverified"
    assert pressed == [True]


def test_keyboard_focus_is_seen(view, qtbot):
    view.activateWindow()
    view.list.clearFocus()
    view.list.setFocus(Qt.FocusReason.TabFocusReason)
    by_keyboard = view.list.grab().toImage()

    click(view, "All sessions")

    assert view.list.grab().toImage() != by_keyboard
