"""What pages and sheets of held sessions show and tell, with invented sessions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from holdfast_core.model.held import HeldEntry
from holdfast_core.model.keeping import (
    Backup,
    Choice,
    FieldNotice,
    HeldProblem,
    Imported,
    ImportReport,
    StartSummary,
    TrashEntry,
    Unclean,
)
from holdfast_core.model.live import LiveEntry
from holdfast_gui.models.trash import days_left, deleted, expires, is_soon, loss_of
from holdfast_gui.views.choice_bar import ChoiceBar
from holdfast_gui.views.choice_rows import ChoiceRows
from holdfast_gui.views.held_section import HeldSection
from holdfast_gui.views.import_preview import ImportSheet
from holdfast_gui.views.live import LivePage
from holdfast_gui.views.new_session import NewSessionSheet
from holdfast_gui.views.problems import ProblemsPage, Way
from holdfast_gui.views.recovery import CARDS, RecoveryPage
from holdfast_gui.views.summary import SummarySheet
from holdfast_gui.views.toast import Toast
from holdfast_gui.views.trash import TrashPage
from holdfast_gui.views.versions import VersionsSheet
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget

NOW = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
NOW_MS = round(NOW.timestamp() * 1000)
HOSTILE = "<b>Bold</b> \u202eobratno\u202c & more"
CHOICES = (Choice("retry", "Try again", "Opens it once more."), Choice("skip", "Skip", "Leaves it as it is."))
DAY_MS = 86_400_000


def unclean(number: int, **facts) -> Unclean:
    given = {
        "id": f"id-{number}", "title": f"Session {number}", "project_path": "/home/ada/code/kelp-api",
        "updated_ms": NOW_MS, "message_count": 5, "journal_messages": 2, "dropped_bytes": 0, "failures": 0,
        "choices": CHOICES,
    } | facts  # fmt: skip
    return Unclean(**given)


def trash_entry(number: int, **facts) -> TrashEntry:
    given = {
        "id": f"id-{number}", "title": f"Session {number}", "project_path": "/home/ada/code/kelp-api",
        "deleted_ms": NOW_MS, "expires_ms": NOW_MS + 30 * DAY_MS, "message_count": 5, "size_bytes": 1000,
        "reason": "person",
    } | facts  # fmt: skip
    return TrashEntry(**given)


def live(session_id: str = "id", **facts) -> LiveEntry:
    given = {
        "id": session_id, "title": "Plan the move", "project_path": "/home/ada/code/kelp-api", "agent": "holdfast",
        "state": "active", "started_ms": NOW_MS, "active_ms": NOW_MS, "message_count": 3, "saved_ms": NOW_MS,
    } | facts  # fmt: skip
    return LiveEntry(**given)


def shown(qtbot, widget: QWidget, width: int = 900, height: int = 700) -> QWidget:
    qtbot.addWidget(widget)
    widget.resize(width, height)
    widget.show()
    return widget


def test_every_choice_has_its_consequence_beside_it_and_below_it_without_room(qtbot):
    rows = shown(qtbot, ChoiceRows(CHOICES, about="Plan the move"), 700, 200)
    wide = [label.y() - button.y() for button, label in rows._pairs]
    rows.resize(300, 300)
    rows.layout().activate()
    narrow = [label.y() >= button.y() + button.height() for button, label in rows._pairs]
    with qtbot.waitSignal(rows.chosen) as chosen:
        qtbot.keyClick(rows.button("skip"), Qt.Key.Key_Return)

    assert all(abs(offset) < 12 for offset in wide) and all(narrow)
    assert rows.button("retry").accessibleDescription() == "Opens it once more. Plan the move"
    assert chosen.args == ["skip"]


def test_choices_that_need_more_room_than_there_is_are_scrolled_to(qtbot):
    host = QWidget()
    bar = ChoiceBar()
    bar.setParent(host)
    shown(qtbot, host, 320, 400)
    many = [Choice("retry", f"Choice {number}", "What it will do, in a whole sentence.") for number in range(9)]
    bar.ask("id", "It was not resumed.", "Its directory is gone.", many, code="HF-ABC123")
    bar.resize(320, 380)

    assert bar._area.height() <= 160
    assert bar._area.verticalScrollBar().maximum() > 0
    assert "HF-ABC123" in bar.words


def test_what_is_chosen_in_the_bar_is_told_with_its_session(qtbot):
    bar = shown(qtbot, ChoiceBar())
    bar.ask("first", "It was not resumed.", "Why.", CHOICES)
    bar.ask("second", HOSTILE, "Why.", CHOICES)
    with qtbot.waitSignal(bar.chosen) as chosen:
        qtbot.mouseClick(bar.rows.button("retry"), Qt.MouseButton.LeftButton)

    assert chosen.args == ["second", "retry"] and not bar.isVisible()


def test_the_recovery_page_says_how_much_is_in_the_journal_and_what_was_torn(qtbot):
    page = shown(qtbot, RecoveryPage())
    page.set_sessions([unclean(1, dropped_bytes=300, failures=2, title=HOSTILE), unclean(2, journal_messages=0)], NOW)
    first, second = (card.words for card in page.cards)

    assert "2 messages of it came after the last whole save" in first
    assert "300 bytes at its end" in first and "failed 2 times" in first
    assert "\u202e" not in first and "<b>Bold</b>" in first
    assert "Everything of it is in the last whole save." in second
    assert page.all_button.isVisible()


def test_more_sessions_than_cards_are_told_and_taken_by_recover_all(qtbot):
    page = shown(qtbot, RecoveryPage())
    page.set_sessions([unclean(number) for number in range(CARDS + 7)], NOW)

    assert len(page.cards) == CARDS
    assert page._more.text().startswith("7 more") and page._more.isVisible()


def test_a_single_session_needs_no_recover_all(qtbot):
    page = shown(qtbot, RecoveryPage())
    page.set_sessions([unclean(1)], NOW)

    assert not page.all_button.isVisible() and page.skip_button.isVisible()


def test_problems_of_ours_and_of_agents_stand_apart(qtbot):
    page = shown(qtbot, ProblemsPage())
    problem = HeldProblem("id", HOSTILE, "quarantined", "It is damaged.", NOW_MS, 2000, CHOICES)
    page.set_problems([problem], [Way("list", "4 sessions cannot be read", "The rest is shown.", "Show")], NOW)
    with qtbot.waitSignal(page.way_wanted) as wanted:
        qtbot.mouseClick(page.ways[0].button, Qt.MouseButton.LeftButton)

    assert "code quarantined" in page.cards[0].words and "It is damaged." in page.cards[0].words
    assert wanted.args == ["list"]
    page.set_problems([], [], NOW)
    assert page.state.sentence == "No problems"


@pytest.mark.parametrize(
    ("expires_ms", "words", "soon"),
    [
        (NOW_MS + 30 * DAY_MS, "goes for good in 30 days", False),
        (NOW_MS + DAY_MS // 2, "goes for good in 1 day", True),
        (NOW_MS - 1, "goes for good today", True),
        (None, "stays until you empty the trash", False),
    ],
)
def test_how_long_something_stays_in_the_trash(expires_ms, words, soon):
    entry = trash_entry(1, expires_ms=expires_ms)

    assert (expires(entry, NOW), is_soon(entry, NOW)) == (words, soon)
    assert days_left(entry, NOW + timedelta(days=90)) in (0, None)


def test_what_a_limit_removed_is_said_otherwise():
    assert deleted(trash_entry(1, reason="retention"), NOW).startswith("cleaned up")
    assert loss_of([trash_entry(1), trash_entry(2)]).messages == 10


def test_the_selection_in_the_trash_stays_with_its_sessions(qtbot):
    page = shown(qtbot, TrashPage())
    page.set_entries([trash_entry(number) for number in range(5)], days=30)
    page.list.setCurrentIndex(page.list.rows.index(2))
    page.set_entries([trash_entry(number) for number in (9, 0, 2, 3)], days=30)
    with qtbot.waitSignal(page.restore_wanted) as wanted:
        qtbot.keyClick(page.list, Qt.Key.Key_Return)

    assert wanted.args == [["id-2"]]


def test_ten_thousand_rows_of_the_trash_open_at_once(qtbot):
    page = shown(qtbot, TrashPage())
    page.set_entries([trash_entry(number) for number in range(10_000)], days=0)
    page.list.selectAll()

    assert len(page.list.selected_ids()) == 10_000
    assert "until you empty it" in page.summary.text()


def test_a_live_session_says_when_it_was_saved_or_why_not(qtbot):
    page = shown(qtbot, LivePage())
    page.set_live([live("a"), live("b", state="idle", save_error="The disk is full.")], [HeldEntry(id="c")], NOW)
    with qtbot.waitSignal(page.wanted) as wanted:
        qtbot.mouseClick(page.cards["b"].buttons["keep"], Qt.MouseButton.LeftButton)

    assert "Saved " in page.cards["a"].words and not page.cards["a"].buttons["keep"].isVisible()
    assert "The disk is full." in page.cards["b"].words
    assert wanted.args == ["b", "keep"]
    assert "Live in another program" in page._elsewhere.text()


def test_cards_of_what_is_live_stay_so_that_the_keyboard_does(qtbot):
    page = shown(qtbot, LivePage())
    page.set_live([live("a")], [], NOW)
    card = page.cards["a"]
    page.set_live([live("a", message_count=4)], [], NOW)

    assert page.cards["a"] is card and "4 messages" in card.words


def test_a_damaged_version_cannot_be_chosen(qtbot):
    parent = shown(qtbot, QWidget())
    bad = Backup("id", 3, NOW_MS, 100, "save", is_valid=False)
    good = Backup("id", 2, NOW_MS - DAY_MS, 100, "restore", is_valid=True)
    sheet = VersionsSheet(parent, HOSTILE, [bad, good], NOW)

    assert sheet.chosen == good
    assert not sheet.rows[0].isEnabled() and "damaged" in sheet.rows[0].words
    assert not VersionsSheet(parent, "x", [bad], NOW).accept_button.isEnabled()
    assert not VersionsSheet(parent, "x", [], NOW).accept_button.isVisible()


def test_an_unproven_import_is_marked_and_nothing_gives_nothing(qtbot):
    parent = shown(qtbot, QWidget())
    report = ImportReport((Imported("a", "a.json", HOSTILE, is_verified=False),), ("b.json: It is damaged.",))

    words = ImportSheet(parent, [report]).words

    assert "read-only until you adopt it" in words and "It is damaged." in words
    assert "Nothing here can be imported" in ImportSheet(parent, [ImportReport((), ())]).words


def test_a_new_session_may_have_no_project(qtbot):
    parent = shown(qtbot, QWidget())
    sheet = NewSessionSheet(parent, ["/home/ada/code/kelp-api"], home="/home/ada")

    assert (sheet.chosen_project, sheet.project.words) == ("", "No project")
    sheet.set_project("/home/ada/code/new")
    assert sheet.project.accessibleName() == "Project: new  ·  ~/code/new"


def test_the_summary_of_the_check_has_sentences_and_figures(qtbot):
    found = StartSummary(checked=7, recovered=("a",), notes=("1 session was damaged.",), index_backup=True)
    parent = shown(qtbot, QWidget())
    sheet = SummarySheet(parent, found)

    assert "7 sessions were checked." in sheet.words and "1 session was damaged." in sheet.words
    assert sheet.facts.values == {"From a backup": "1", "Former list": "kept as a backup"}


def test_the_details_show_an_error_of_saving_and_take_it_back(qtbot):
    section = shown(qtbot, HeldSection())
    entry = HeldEntry(id="id", state="live", is_verified=False)
    section.set_held(entry, live(save_error="The disk is full."), NOW)
    told = section.error.isVisible(), section.error.text()
    section.set_live(live(), NOW)

    assert told == (True, "The disk is full.")
    assert not section.error.isVisible() and section.facts.values["Auto-save"].startswith("Saved")
    assert section.facts.values["Signature"] == "not proven, read-only"


def test_tools_without_room_beside_the_heading_stand_below_it(qtbot):
    page = shown(qtbot, TrashPage())
    page.set_entries([trash_entry(3)], days=30)
    page.resize(900, 600)
    QApplication.processEvents()
    beside = page.restore_button.mapTo(page, page.restore_button.rect().topLeft()).y()
    page.resize(440, 600)
    QApplication.processEvents()
    below = page.restore_button.mapTo(page, page.restore_button.rect().topLeft()).y()

    assert below > beside + 20
    assert page.empty_button.mapTo(page, page.empty_button.rect().bottomRight()).x() < 440


def test_the_details_tell_what_was_made_good(qtbot):
    section = shown(qtbot, HeldSection())
    section.set_held(HeldEntry(id="id"), None, NOW)
    section.set_notices([FieldNotice("id", "title", "coerced"), FieldNotice("id", "notes", "default")])
    told = [row.values for row in section.made_good.rows()]
    section.set_notices([])

    assert told == [
        {"title": "was of another type; it was read all the same"},
        {"notes": "was missing; the usual value stands for it"},
    ]
    assert not section.made_good.isVisible()


def test_a_toast_with_an_action_does_it_once_and_takes_no_clicks_without(qtbot):
    parent = shown(qtbot, QWidget())
    toast, done = Toast(parent), []
    toast.say("1 session moved to the trash", "Undo", lambda: done.append(1))
    takes_clicks = not toast.testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    qtbot.mouseClick(toast.button, Qt.MouseButton.LeftButton)
    toast.say("Saved")

    assert done == [1] and takes_clicks
    assert not toast.button.isVisible() and toast.testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
