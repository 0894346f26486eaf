"""The page of figures: what it says, what can be pressed, and what it shows while there is nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from holdfast_core.model.health import AuditRecord, AuditReport, Health, HealthRow, Metrics, Storage
from holdfast_gui import text
from holdfast_gui.theme import theme
from holdfast_gui.views.health import HealthPage
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip

from tests.fakes.health import NOW, WARNING, busy_audit, busy_health

LEFT = Qt.MouseButton.LeftButton
NAMES = {"claude_code": "Claude Code", "codex": "Codex"}
NOTHING = Health(Metrics(0, ()), Storage((), 0, 0, 0, 0, 41_000_000_000), ())


@pytest.fixture
def page(qapp, qtbot) -> Iterator[HealthPage]:
    theme().apply(qapp, mode="light")
    page = HealthPage()
    qtbot.addWidget(page)
    page.resize(1220, 900)
    page.show()
    page.activateWindow()
    qtbot.waitExposed(page)
    yield page
    theme().apply(qapp, mode="light")


def fill(page: HealthPage, health: Health | None = None, **said) -> None:
    page.set_health(health or busy_health(), said.pop("audit", busy_audit()), names=NAMES, now=NOW, **said)


def test_each_card_says_a_figure_and_what_it_means(page):
    fill(page)

    assert page.held.words == "Sessions kept here, 412, of 500 allowed"
    assert page.disk.words == "On the disk, 2.8 GB, of 5.0 GB · 41.0 GB free"
    assert page.saving.words == "Saving a change, 4.1 ms, 1,204 times, none failed"
    assert page.live.words.startswith("Live now, 3, counted since")


def test_timings_are_told_in_words_too(page):
    fill(page)

    rows = {row.words.partition(",")[0]: row.words for row in page.timings.timing_rows()}

    assert rows["Add message"] == "Add message, 4.1 ms, 9.8 ms, 1,204"
    assert rows["Resume"].endswith("9, 1 failed")
    assert "Export" not in rows  # never done


def test_an_operation_that_is_done_no_more_goes_and_the_others_stay(page):
    fill(page)
    kept = page.timings.timing_rows()[0]

    health = busy_health()
    first = Health(Metrics(0, health.metrics.operations[:1]), health.storage, ())
    fill(page, first)

    assert page.timings.timing_rows() == [kept]


def test_the_bar_under_the_pointer_says_its_time(page, qtbot):
    fill(page)
    row = page.timings.timing_rows()[0]
    plot = row._boxes()[1]
    at = QPoint(plot.left() + 1, 10)

    QApplication.sendEvent(row, QHelpEvent(QHelpEvent.Type.ToolTip, at, row.mapToGlobal(at)))

    qtbot.waitUntil(lambda: QToolTip.text() == text.milliseconds(row._shown(plot)[0]))
    QToolTip.hideText()


def test_a_state_has_a_word_and_a_shape(page):
    fill(page, last_problem="This cannot be done now. (HF-ABC234)")

    words = [row.words for row in page.states.state_rows()]

    assert "Check at the start: All was well., fine" in words
    assert "Cut off: 1 waits for your decision, needs attention" in words
    assert "Problems: 2 cannot be used as they are, not well" in words
    assert words[-1] == "Last problem: This cannot be done now. (HF-ABC234), needs attention"
    assert page.states.report_button.isVisible()


def test_figures_with_a_list_behind_them_lead_there_by_click_and_by_key(page, qtbot):
    fill(page)
    agent = page.sources.bars.rows()[1]

    with qtbot.waitSignal(page.list_wanted) as by_click:
        QTest.mouseClick(agent, LEFT)
    with qtbot.waitSignal(page.list_wanted) as by_key:
        page.held.setFocus(Qt.FocusReason.TabFocusReason)
        QTest.keyClick(page.held, Qt.Key.Key_Return)

    assert by_click.args == ["agent:claude_code", "Claude Code"]
    assert by_key.args[0] == "is:held"


def test_a_state_with_sessions_behind_it_leads_to_them(page, qtbot):
    fill(page)
    rows = {row.name: row for row in page.states.state_rows()}

    with qtbot.waitSignal(page.list_wanted) as held:
        QTest.mouseClick(rows["Held sessions"], LEFT)
    with qtbot.waitSignal(page.place_wanted) as problems:
        QTest.mouseClick(rows["Problems"], LEFT)
    with qtbot.waitSignal(page.place_wanted) as trash:
        QTest.mouseClick(next(row for row in page.parts.bars.rows() if row.bar.key == "trash"), LEFT)

    assert (held.args[0], problems.args, trash.args) == ("is:held", ["problems"], ["trash"])


def test_where_there_is_nothing_there_is_no_way(page, qtbot):
    health = busy_health()
    fine = Health(health.metrics, health.storage, (HealthRow("Problems", "None", "good"),))
    fill(page, fine)

    with qtbot.assertNotEmitted(page.place_wanted):
        QTest.mouseClick(page.states.state_rows()[0], LEFT)


def test_a_line_about_a_session_leads_to_it(page, qtbot):
    fill(page)

    with qtbot.waitSignal(page.session_wanted) as wanted:
        QTest.mouseClick(page.records._lines[0], LEFT)
    with qtbot.assertNotEmitted(page.session_wanted):
        QTest.mouseClick(page.records._lines[3], LEFT)  # of the whole store

    assert wanted.args == ["4f1c"]


def test_what_has_no_list_behind_it_is_no_stop_of_the_keyboard(page, qtbot):
    fill(page)

    with qtbot.assertNotEmitted(page.list_wanted):
        QTest.mouseClick(page.disk, LEFT)
        QTest.mouseClick(page.parts.bars.rows()[0], LEFT)

    assert page.disk.focusPolicy() == Qt.FocusPolicy.NoFocus


def test_a_warning_says_what_can_be_done_and_leads_to_the_limits(page, qtbot):
    fill(page)
    (card,) = page.warnings.cards

    with qtbot.waitSignal(page.settings_wanted) as wanted:
        QTest.mouseClick(card.button, LEFT)

    assert card.words == " ".join([WARNING.message, *WARNING.suggestions])
    assert wanted.args == ["limit"]
    fill(page, busy_health(warnings=()))
    assert not page.warnings.isVisible()


def test_a_chain_that_was_changed_is_told(page):
    fill(page, audit=busy_audit(is_intact=False))

    assert page.records.words()[0] == "Audit log: was changed from outside at line 97, not well"
    assert "Today 11:00" not in page.records.words()[0]


def test_what_was_refused_or_failed_says_so(page):
    fill(page)

    words = " | ".join(page.records.words())
    assert "Session resumed · refused" in words and "Key changed · failed" in words


def test_the_same_thing_many_times_in_a_row_is_one_line(page):
    records = tuple(AuditRecord(90 - number, 0, "session.append", "4f1c") for number in range(40))
    other = AuditRecord(1, 0, "odd.event_of_another_version", "4f1c")

    fill(page, audit=AuditReport((*records, other), is_intact=True))

    assert "Message added · 40 times" in page.records.words()[1]
    assert "odd event of another version" in page.records.words()[2]
    assert len(page.records.words()) == 3


def test_nothing_kept_and_nothing_measured_is_said_in_words(page):
    fill(page, NOTHING, audit=AuditReport((), is_intact=True))

    assert page.saving.words == "Saving a change, –, nothing was saved yet"
    assert page.held.words.endswith("0, no limit is set")
    assert page.timings.timing_rows() == [] and page.timings._nothing.isVisible()
    assert page.parts.total.text() == "Nothing is kept here yet."
    assert page.sources.total.text() == "No agent's sessions were found yet."


def test_before_the_first_figures_their_shape_is_shown_and_trouble_is_a_sentence_with_a_way_out(page, qtbot):
    assert page._skeleton.isVisible() and not page._content.isVisible()

    page.fail("The directory cannot be read.")
    assert page.state.sentence == "The figures cannot be read"
    with qtbot.waitSignal(page.state.action_pressed):
        QTest.mouseClick(page.state.button, LEFT)

    fill(page)
    assert page._content.isVisible() and not page.state.isVisible()


def test_figures_stay_while_newer_ones_cannot_be_read(page):
    fill(page)

    page.fail("The directory cannot be read.")

    assert page.updated.text() == "not up to date" and "directory" in page.updated.toolTip()
    assert page._content.isVisible()


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize(("width", "scale"), [(1220, 1.0), (640, 1.0), (420, 1.0), (1220, 2.0), (900, 2.0)])
def test_nothing_stands_outside_the_page(page, qapp, qtbot, mode, width, scale):
    theme().apply(qapp, mode=mode, scale=scale)
    narrow = HealthPage()
    qtbot.addWidget(narrow)
    narrow.resize(width, 900)
    narrow.show()
    fill(narrow)
    qtbot.waitUntil(lambda: narrow.records.width() <= width)
    narrow.grab()

    cards = (narrow.held, narrow.live, narrow.timings, narrow.states, narrow.parts, narrow.sources, narrow.records)
    assert all(card.mapTo(narrow, card.rect().bottomRight()).x() <= width for card in cards)


def test_the_vault_has_a_line_and_a_way(page, qtbot):
    page.set_health(
        busy_health(), busy_audit(), names={}, now=NOW, vault=("31,877 versions, verified 2 hours ago", "good")
    )
    row = page.states.state_rows()[0]

    assert row.words == "Vault: 31,877 versions, verified 2 hours ago, fine"
    with qtbot.waitSignal(page.place_wanted) as heard:
        QTest.mouseClick(row, LEFT)
    assert heard.args == ["storage"]
    with qtbot.waitSignal(page.verify_wanted):
        QTest.mouseClick(page.states.verify_button, LEFT)


def test_what_was_done_with_the_vault_stands_in_words_and_leads_to_its_session(page, qtbot):
    records = (AuditRecord(9, 0, "vault.restore", "codex:1"), AuditRecord(8, 0, "vault.forget", ""))
    page.set_health(busy_health(), AuditReport(records, True), names={}, now=NOW)
    given, forgotten = page.records._lines[:2]

    assert "Given back to its agent" in given.words and "Versions let go of" in forgotten.words
    assert not forgotten.isEnabled()
    with qtbot.waitSignal(page.session_wanted) as heard:
        QTest.mouseClick(given, LEFT)
    assert heard.args == ["codex:1"]
