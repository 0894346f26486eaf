"""The page of agents by itself: loading, nothing, trouble, foreign words, and what is the same again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from holdfast_core.model.agent import AgentDrift, Recognised, VersionRead
from holdfast_gui.theme import theme
from holdfast_gui.views.agents import AgentsPage, Found, HomeRow
from holdfast_gui.views.plots import Skeleton
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from tests.gui.invented import agent_info

HOME = "/home/ada"
EVIL = "<b>bold</b> \u202egnp.exe\n" + "x" * 500


@pytest.fixture(params=["light", "dark"])
def page(qapp, qtbot, request) -> Iterator[AgentsPage]:
    theme().apply(qapp, mode=request.param)
    page = AgentsPage()
    qtbot.addWidget(page)
    page.resize(900, 700)
    page.show()
    qtbot.waitExposed(page)
    yield page
    theme().apply(qapp, mode="light")


def found(name: str = "codex", sessions: int = 3, **given) -> Found:
    drift = given.pop("drift", AgentDrift(name, (VersionRead(name, "1.0", sessions, sessions, 0),), sessions))
    return Found(agent_info(name, sessions=sessions), drift, **given)


def test_it_shows_the_shape_of_what_comes(page):
    assert page.findChild(Skeleton).isVisible()

    page.set_agents([found()], home=HOME)

    assert not page.findChild(Skeleton).isVisible()


def test_with_no_agent_it_says_so_and_offers_a_home(page, qtbot):
    nobody = Found(agent_info("codex", sessions=0, installed=False), AgentDrift("codex"))

    page.set_agents([nobody], home=HOME)

    assert page.state.sentence == "No agent was found on this machine"
    with qtbot.waitSignal(page.state.action_pressed):
        page.state.button.setFocus()
        QTest.keyClick(page.state.button, Qt.Key.Key_Return)


def test_trouble_leaves_what_is_shown(page):
    page.fail("The disk does not answer.")
    assert page.state.isVisible() and page.is_failed

    page.set_agents([found()], home=HOME)
    page.fail("Again.")

    assert page.cards and not page.state.isVisible() and not page.is_failed


def test_those_with_an_alarm_stand_first_then_those_with_most(page):
    silent = found("gemini", 0, alarm="Gemini CLI had 3 sessions and has none now.")

    page.set_agents([found("codex", 1), found("claude_code", 9), silent], home=HOME)

    assert [card.agent for card in page.cards] == ["gemini", "claude_code", "codex"]
    assert not page.cards[0].button.isVisible()


def test_the_same_again_leaves_the_keyboard_where_it_is(page):
    page.set_agents([found()], home=HOME)
    page.activateWindow()
    button = page.cards[0].button
    button.setFocus()

    page.set_agents([found()], home=HOME)
    same = page.cards[0].button
    page.set_agents([found(sessions=4)], home=HOME)

    assert same is button
    assert page.cards[0].button is not button
    assert page.focusWidget() is page.cards[0].button


def test_foreign_words_are_plain_text_of_bounded_length(page):
    drift = AgentDrift("codex", (VersionRead("codex", "1", 1, 1, 2, {EVIL: 5, **{f"k{n}": 1 for n in range(20)}}),))
    page.set_agents([found(drift=drift, drifts=(f"Codex {EVIL} writes",))], home=HOME)
    page.set_homes([HomeRow(f"/mnt/{EVIL}", False)], can_change=True)
    page.set_strangers([Recognised(f"{HOME}/{EVIL}", ("codex",), 2)], names={"codex": "Codex"}, home=HOME)

    labels = [label for label in page.findChildren(QLabel) if label.text()]
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in labels)
    assert all("\u202e" not in label.text() for label in labels)
    assert page.cards[0].words.count("×") == 6 and "2 records cannot be read" in page.cards[0].words


def test_homes_that_something_else_names_cannot_be_changed_here(page, qtbot):
    page.set_agents([found()], home=HOME)
    page.set_homes([HomeRow("/mnt/one", True)], can_change=False)

    assert not page.add_button.isEnabled()
    assert not page.homes.home_rows[0].button.isVisible()

    page.set_homes([HomeRow("/mnt/one", True)], can_change=True)
    with qtbot.waitSignal(page.remove_wanted) as wanted:
        QTest.keyClick(page.homes.home_rows[0].button, Qt.Key.Key_Return)

    assert wanted.args == ["/mnt/one"]
    assert page.homes.home_rows[0].button.accessibleName() == "Look no more in /mnt/one"
