"""What a person sees where there is nothing yet."""

from __future__ import annotations

import pytest
from holdfast_core.model.changes import ScanProgress
from holdfast_core.model.places import Count
from holdfast_core.model.vault import VaultEstimate
from holdfast_gui.theme import theme
from holdfast_gui.views.empty import EmptyState
from holdfast_gui.views.first_run import FirstRunPage
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.gui import invented

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def page(qapp, qtbot) -> FirstRunPage:
    theme().apply(qapp, mode="light")
    page = FirstRunPage()
    qtbot.addWidget(page)
    page.resize(840, 900)
    page.show()
    return page


def test_the_first_page_shows_which_agents_are_where(page):
    page.set_agents(invented.agents(), home=invented.HOME)
    rows = [row.words for row in page.agent_rows()]

    assert page.words == "6 agents are on this machine"
    assert rows[0] == "Claude Code · ~/.claude_code/sessions · 7,204 sessions"
    assert rows[-1] == "Aider · ~/.aider/sessions · 197 sessions"
    assert page.missing_words == "Not on this machine: Goose"
    assert page.agent_rows()[0].accessibleName() == "Claude Code, 7,204 sessions, ~/.claude_code/sessions"


def test_an_agent_without_sessions_is_told_apart_from_one_that_is_not_there(page):
    page.set_agents([invented.agent_info("codex", sessions=0)], home=invented.HOME)

    assert page.words == "1 agent is on this machine"
    assert page.agent_rows()[0].words.endswith("no sessions yet")


def test_agents_that_are_not_here_share_one_line(page):
    page.set_agents(
        [invented.agent_info("codex", sessions=0, installed=False), invented.agent_info("claude_code", sessions=3)],
        home=invented.HOME,
    )

    assert page.words == "1 agent is on this machine"
    assert len(page.agent_rows()) == 1
    assert page.missing_words == "Not on this machine: Codex"


def test_a_machine_without_agents_is_told_so(page):
    page.set_agents([], home=invented.HOME)

    assert page.words == "No coding agent was found on this machine"


def test_the_scan_is_told_in_numbers(page):
    page.set_progress(ScanProgress(3104, 12418, 1_200_000_000, 3_100_000_000))
    assert page.progress_words == "3,104 of 12,418 read · 1.2 GB"

    page.set_progress(ScanProgress(12418, 12418, 3, 3, is_done=True))
    assert page.progress_words == "Everything has been read"


def test_without_sessions_the_first_page_says_how_there_will_be_some(page):
    page.set_agents([invented.agent_info("codex", sessions=0)], home=invented.HOME)
    assert not page.done_button.isVisible()

    page.set_progress(ScanProgress(0, 10, 0, 100))
    assert page.done_button.isVisible()


def test_the_first_page_is_left_by_its_button(page, qtbot):
    page.set_agents(invented.agents(), home=invented.HOME)
    with qtbot.waitSignal(page.done_pressed):
        QTest.mouseClick(page.done_button, LEFT)


def test_agents_that_come_later_replace_the_rows(page):
    page.set_agents(invented.agents(), home=invented.HOME)
    page.set_agents(invented.agents()[:2], home=invented.HOME)

    assert len(page.agent_rows()) == 2


def test_an_empty_state_has_one_sentence_and_one_action(qapp, qtbot):
    empty = EmptyState("search", "Nothing was found", "Try fewer words.", "Clear the search")
    qtbot.addWidget(empty)
    empty.show()

    with qtbot.waitSignal(empty.action_pressed):
        QTest.mouseClick(empty.button, LEFT)

    assert empty.sentence == "Nothing was found"
    assert empty.accessibleName() == "Nothing was found"


def test_without_an_action_there_is_no_button(qapp, qtbot):
    empty = EmptyState("sessions", "No session is open")
    qtbot.addWidget(empty)
    empty.show()

    assert not empty.button.isVisible()


ESTIMATE = VaultEstimate(
    12, 10_000_000_000, 1_000_000_000, 38_000_000_000, {"codex": 4_000_000_000, "kimi": 6_000_000_000}
)


def test_the_first_page_says_how_much_keeping_takes(page):
    page.set_agents(invented.agents(), home=invented.HOME)
    assert page.keeping.words == "Looking how much that takes …"

    page.set_estimate(ESTIMATE)

    assert page.keeping.words.endswith("Takes about 1.0 GB for 10.0 GB; 38.0 GB are free.")


def test_what_an_agent_takes_is_left_out_of_the_sum_with_it(page, qtbot):
    page.set_agents(invented.agents(), home=invented.HOME)
    page.set_estimate(ESTIMATE)
    codex = next(row for row in page.agent_rows() if row.agent == "codex")

    with qtbot.waitSignal(page.keeping_changed) as heard:
        QTest.mouseClick(codex.switch, LEFT)

    assert heard.args == [True, ("agent:codex",)]
    assert page.keeping.words.endswith("Takes about 600 MB for 6.0 GB; 38.0 GB are free.")

    QTest.keyClick(codex.switch, Qt.Key.Key_Space)
    assert page.keeping.left_out == ()


def test_keeping_is_switched_off_as_a_whole_with_what_that_means(page, qtbot):
    page.set_agents(invented.agents(), home=invented.HOME)

    with qtbot.waitSignal(page.keeping_changed) as heard:
        QTest.mouseClick(page.keeping.switch, LEFT)

    assert heard.args == [False, ()]
    assert page.keeping.words == "Nothing is kept: what an agent deletes or cuts is gone for good."
    assert not any(row.switch.isEnabled() for row in page.agent_rows())


def test_projects_and_subagents_can_be_left_out(page):
    page.set_agents(invented.agents(), home=invented.HOME)
    page.set_projects([Count("", 3), Count("/home/ada/code/kelp-api", 7), Count("/home/ada/code/holdfast", 2)])
    assert not page.keeping.projects[0].isVisible()

    QTest.mouseClick(page.keeping.projects_button, LEFT)
    QTest.mouseClick(page.keeping.projects[1].switch, LEFT)
    QTest.mouseClick(page.keeping.subagents.switch, LEFT)

    assert page.keeping.left_out == ("project:/home/ada/code/holdfast", "kind:subagent")


def test_what_the_settings_leave_out_stays_left_out(page):
    page.set_agents(invented.agents(), home=invented.HOME)
    page.set_kept(is_on=True, left_out=["project:/elsewhere", "agent:kimi"])
    rows = {row.agent: row for row in page.agent_rows()}
    assert not rows["kimi"].switch.isChecked() and rows["codex"].switch.isChecked()

    QTest.mouseClick(rows["kimi"].switch, LEFT)

    assert page.keeping.left_out == ("project:/elsewhere",)


def test_what_is_decided_elsewhere_cannot_be_changed_here(page):
    page.set_agents(invented.agents(), home=invented.HOME)
    page.set_kept(is_on=True, left_out=[], can_change=False)

    assert not page.keeping.switch.isEnabled() and not page.agent_rows()[0].switch.isEnabled()


def test_too_small_a_disk_is_told(page):
    page.set_agents(invented.agents(), home=invented.HOME)
    page.set_estimate(VaultEstimate(1, 90, 9_000_000_000, 8_000_000_000, {"codex": 90}))

    assert page.keeping.words.endswith("That is too little: what does not fit is not kept.")


def test_rows_of_agents_keep_the_keyboard_while_sessions_are_counted(page):
    page.set_agents(invented.agents(), home=invented.HOME)
    row = page.agent_rows()[1]
    row.switch.setFocus()
    page.set_agents(invented.agents(), home=invented.HOME)

    assert page.agent_rows()[1] is row and row.switch.hasFocus()


def test_many_agents_without_sessions_share_a_line_too(page):
    names = ("codex", "kimi", "aider", "gemini", "opencode", "goose", "claude_code")
    found = [invented.agent_info(name, sessions=0) for name in names]
    page.set_agents([*found[:-1], invented.agent_info("claude_code", sessions=3)], home=invented.HOME)

    assert page.words == "7 agents are on this machine"
    assert len(page.agent_rows()) == 6 and page.agent_rows()[0].agent == "claude_code"
    assert page.missing_words.startswith("Here too, without sessions yet: ")


def test_without_sessions_keeping_takes_nothing_yet(page):
    page.set_agents([invented.agent_info("codex", sessions=0)], home=invented.HOME)
    page.set_estimate(VaultEstimate(0, 0, 0, 38_000_000_000, {}))

    assert page.keeping.words.endswith("what they write is kept from the first line.")


def test_the_keyboard_goes_as_the_eye_does(page, qapp):
    page.set_agents(invented.agents(), home=invented.HOME)
    page.set_projects([Count("/home/ada/code/kelp-api", 7)])
    QTest.mouseClick(page.keeping.projects_button, LEFT)
    qapp.processEvents()  # what was added is shown
    page.agent_rows()[0].switch.setFocus()

    met = [page.focusWidget()]
    while met[-1] is not page.done_button and len(met) < 20:
        QTest.keyClick(met[-1], Qt.Key.Key_Tab)
        met.append(page.focusWidget())

    switches = [row.switch for row in page.agent_rows()]
    keeping = page.keeping
    rest = [keeping.switch, keeping.subagents.switch, keeping.projects[0].switch, keeping.projects_button]
    assert met == [*switches, *rest, keeping.settings_button, page.done_button]
