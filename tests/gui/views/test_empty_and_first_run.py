"""What a person sees where there is nothing yet."""

from __future__ import annotations

import pytest
from holdfast_core.model.changes import ScanProgress
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
