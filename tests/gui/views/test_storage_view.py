"""The page of what takes space, and the page of what agents delete, with invented figures."""

from __future__ import annotations

import msgspec
import pytest
from holdfast_core.model.vault import PartShares, Removed, VaultReport, VaultStatus
from holdfast_gui.models.storage import by_agent, by_kind, by_project, rest_of, share_words, total, vault_state
from holdfast_gui.theme import theme
from holdfast_gui.views.expiring import ExpiringPage, Going, Rule
from holdfast_gui.views.storage import Freeable, StoragePage
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.fakes import vault
from tests.fakes.health import NOW

LEFT = Qt.MouseButton.LeftButton
NAMES = {"codex": "Codex", "claude_code": "Claude Code", "opencode": "OpenCode", "gemini": "Gemini CLI"}


def freeable(number: int, *, size: int = 1_000_000_000, title: str = "A session") -> Freeable:
    return Freeable(f"codex:{number}", title, "Codex · kelp-api", size, "X", 230)


@pytest.fixture
def page(qapp, qtbot) -> StoragePage:
    theme().apply(qapp, mode="light")
    page = StoragePage()
    qtbot.addWidget(page)
    page.resize(1180, 1400)
    page.show()
    return page


@pytest.fixture
def expiring_page(qapp, qtbot) -> ExpiringPage:
    theme().apply(qapp, mode="light")
    page = ExpiringPage()
    qtbot.addWidget(page)
    page.resize(900, 700)
    page.show()
    return page


def filled(page: StoragePage, **changes) -> StoragePage:
    page.set_usage(vault.uses(), msgspec.structs.replace(vault.STATUS, **changes), NAMES, now=NOW)
    return page


def test_figures_are_added_up_by_agent_project_and_kind():
    uses = vault.uses()
    agents, projects, kinds = by_agent(uses, NAMES), by_project(uses), by_kind(uses)

    assert [one.name for one in agents] == ["Codex", "Claude Code", "OpenCode", "Gemini CLI"]
    assert agents[0].words == "41.2 GB there · 1.8 GB here"
    assert [one.query_text for one in projects][-1] == "" and projects[-1].name == "No project"
    assert [one.query_text for one in kinds] == ["place:all", "is:subagent", ""]
    assert total(uses).there == sum(one.there for one in agents) == sum(one.there for one in kinds)


def test_what_has_no_room_is_told_in_a_line():
    sums = by_agent(vault.uses(), NAMES)

    assert rest_of(sums, 2) == "and 2 more, 3.0 GB at the agents"
    assert rest_of(sums, 4) == ""


def test_a_share_of_a_sample_is_rounded_honestly():
    assert share_words(PartShares(1, 36, 4, 60), 36) == "36 %"
    assert share_words(PartShares(1, 1, 4, 9995), 1) == "under 1 %"
    assert share_words(PartShares(), 0) == "0 %"


def test_the_page_says_what_is_where(page):
    filled(page)

    assert page.there.words == "At the agents, 58.1 GB, 11,902 sources, as they are now"
    assert page.here.words.startswith("Kept here, 3.5 GB, 31,877 versions")
    assert page.free.words == "Of it verified here, 46.5 GB, 2 hours ago"
    assert page.disk.words == "Free on the disk, 38.0 GB, 2.1 GB stay free"
    assert page.agents.bars.rows()[0].words == "Codex, 41.2 GB there · 1.8 GB here"


def test_every_figure_leads_to_the_list_behind_it(page, qtbot):
    filled(page)

    with qtbot.waitSignal(page.list_wanted) as heard:
        QTest.mouseClick(page.agents.bars.rows()[1], LEFT)
    assert heard.args == ["agent:claude_code", "Claude Code"]
    with qtbot.waitSignal(page.list_wanted) as heard:
        QTest.keyClick(page.kinds.bars.rows()[1], Qt.Key.Key_Return)
    assert heard.args == ["is:subagent", "Subagents"]


def test_what_is_too_full_is_told(page):
    filled(page, is_paused_for_space=True)

    assert page.disk.words.endswith("nothing new is kept until there is more")


def test_nothing_is_freed_before_something_is_chosen(page, qtbot):
    filled(page).set_freeable([freeable(1), freeable(2)], unproved=0)
    assert not page.freeing.button.isEnabled()

    QTest.mouseClick(page.freeing.lines[1], LEFT)

    assert page.freeing.words == "1 chosen, 1.0 GB"
    with qtbot.waitSignal(page.free_wanted) as heard:
        QTest.mouseClick(page.freeing.button, LEFT)
    assert heard.args == [["codex:2"]]


def test_all_and_none_can_be_chosen_at_once(page):
    filled(page).set_freeable([freeable(1), freeable(2)], unproved=0)

    QTest.mouseClick(page.freeing.all_button, LEFT)
    both = page.freeing.chosen_ids
    QTest.mouseClick(page.freeing.all_button, LEFT)

    assert both == ["codex:1", "codex:2"] and page.freeing.chosen_ids == []


def test_what_is_ticked_stays_ticked_when_the_figures_come_again(page):
    filled(page).set_freeable([freeable(1), freeable(2)], unproved=0)
    page.freeing.lines[1].setChecked(True)

    filled(page).set_freeable([freeable(2), freeable(3)], unproved=0)

    assert page.freeing.chosen_ids == ["codex:2"]


def test_while_something_is_done_nothing_else_can_be_begun(page):
    filled(page).set_freeable([freeable(1)], unproved=0)
    page.freeing.lines[0].setChecked(True)
    page.set_busy("Comparing")

    assert page.freeing.words == "Comparing"
    assert not page.freeing.button.isEnabled() and not page.freeing.lines[0].isEnabled()

    page.set_busy("")
    assert page.freeing.button.isEnabled() and page.verify_button.isEnabled()


def test_what_is_not_verified_yet_is_not_offered_and_said_so(page):
    filled(page).set_freeable([], unproved=4_000_000_000)

    assert page.freeing.words.startswith("4.0 GB were not verified yet") and not page.freeing.button.isVisible()


def test_a_sample_is_named_as_one_and_what_is_not_measured_too(page, qtbot):
    filled(page)
    assert not page.kinds.parts.isVisible()
    with qtbot.waitSignal(page.measure_wanted):
        QTest.mouseClick(page.kinds.measure_button, LEFT)

    page.set_parts(None)
    assert not page.kinds.measure_button.isEnabled()
    page.set_parts(PartShares(48, 12, 36, 52, repeated=7))

    assert "from a sample of 48 sessions" in page.kinds.words and "7 % of it repeats" in page.kinds.words
    assert [row.words for row in page.kinds.parts.rows()] == ["Tool output, 36 %", "Images, 12 %", "All else, 52 %"]
    with qtbot.waitSignal(page.list_wanted) as heard:
        QTest.mouseClick(page.kinds.parts.rows()[1], LEFT)
    assert heard.args == ["has:image", "Images"]


def test_a_vault_without_anything_says_why(page):
    page.set_usage([], VaultStatus(is_enabled=False), NAMES, now=NOW)
    assert page.state.sentence == "Nothing is kept here" and page.state.button.text() == "Open settings…"

    page.set_usage([], VaultStatus(), NAMES, now=NOW)
    assert page.state.sentence == "Nothing is kept yet"

    filled(page)
    assert page.area.isVisible() and not page.state.isVisible()


def test_figures_that_cannot_be_read_are_told_once_there_are_none(page):
    page.fail("The list of the vault cannot be opened.")
    assert page.state.sentence == "The figures cannot be read"

    filled(page)
    page.fail("The list of the vault cannot be opened.")
    assert page.area.isVisible()


def test_a_title_of_foreign_origin_is_plain_text(page):
    filled(page).set_freeable([freeable(1, title="<b>x</b>\x1b[31m\nnext")], unproved=0)

    assert page.freeing.lines[0].words.startswith("<b>x</b> next, 1.0 GB")


def going(number: int, **changes) -> Going:
    return Going(vault.expiring(number, **changes), "A session", "Claude Code · kelp-api", "C", 15)


def test_what_goes_next_is_listed_with_its_days_and_whether_it_is_safe(expiring_page, qtbot):
    expiring_page.set_expiring(
        [going(1, days=-1), going(2, days=3.5, is_safe=False)],
        [Rule("Claude Code", 30, "cleanupPeriodDays")],
        Removed(),
    )

    assert [line.words.split(", ")[1:3] for line in expiring_page.lines] == [
        ["when it starts next", "safe here"],
        ["in 3 days", "not kept yet"],
    ]
    with qtbot.waitSignal(expiring_page.session_wanted) as heard:
        QTest.mouseClick(expiring_page.lines[0], LEFT)
    assert heard.args == ["claude_code:1"]
    with qtbot.waitSignal(expiring_page.keep_wanted):
        QTest.mouseClick(expiring_page.keep_button, LEFT)


def test_the_rules_stand_in_words_with_proof(expiring_page):
    expiring_page.set_expiring([], [Rule("Claude Code", 30, "cleanupPeriodDays"), Rule("Other", 0)], vault.REMOVED)

    assert expiring_page.rule_words == [
        "Claude Code deletes what was not written to for 30 days: cleanupPeriodDays in its settings.",
        "Other keeps no sessions at all.",
        "So far: 12 sessions were removed, 12 are here, fine",
    ]
    assert not expiring_page.keep_button.isVisible()


def test_sessions_that_are_not_all_here_are_no_proof(expiring_page):
    expiring_page.set_expiring([], [Rule("Claude Code", 30)], Removed(12, 11))

    assert expiring_page.rule_words[-1] == "So far: 12 sessions were removed, 11 are here, needs attention"


def test_a_machine_without_rules_is_told_so(expiring_page):
    expiring_page.set_expiring([], [], Removed())

    assert expiring_page.state.sentence == "No agent on this machine deletes sessions"


def test_what_cannot_be_found_out_is_told(expiring_page, qtbot):
    expiring_page.fail("A directory cannot be read.")

    assert expiring_page.state.sentence == "What agents delete cannot be found out"
    with qtbot.waitSignal(expiring_page.state.action_pressed):
        QTest.mouseClick(expiring_page.state.button, LEFT)


@pytest.mark.parametrize(
    ("changes", "report", "expected"),
    [
        ({}, None, ("31,877 versions, verified 2 hours ago", "good")),
        ({}, VaultReport(5, repaired=3), ("31,877 versions, verified 2 hours ago, 3 mended", "good")),
        ({"last_verified_ms": 0}, None, ("31,877 versions, not verified yet", "good")),
        ({"damaged": 2}, None, ("2 sources are not whole here", "bad")),
        ({"is_locked": True}, None, ("locked, nothing new is kept", "wait")),
        ({"is_enabled": False}, None, ("switched off, nothing new is kept", "wait")),
        ({"free_bytes": 5_000_000}, None, ("5.0 MB free, nothing new is kept", "wait")),
        ({"versions": 0}, None, ("nothing is kept yet", "good")),
    ],
)
def test_how_the_vault_is_stands_in_one_line(changes, report, expected):
    status = msgspec.structs.replace(vault.STATUS, **changes)

    assert expected == vault_state(status, report, NOW)
