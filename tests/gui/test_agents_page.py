"""The page of agents in the whole window: what it says of each, where it leads, and homes that are added."""

from __future__ import annotations

import json
from pathlib import Path

from holdfast_core.errors import HoldfastError
from holdfast_core.settings import change_setting, load_settings
from holdfast_gui.models.places import AGENTS
from holdfast_gui.views.agents import AgentCard, AgentsPage
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from tests.fakes.desk import on_a_desk
from tests.fakes.waiting import until

LEFT = Qt.MouseButton.LeftButton


async def go(desk) -> AgentsPage:
    """Go to the page by the menu's action and wait until it is filled."""
    desk.context.actions.run("view.agents")
    page = desk.window.page
    assert isinstance(page, AgentsPage)
    await until(lambda: page.cards or page.state.isVisible())
    return page


def card_of(page: AgentsPage, agent: str) -> AgentCard:
    return next(card for card in page.cards if card.agent == agent)


def write_unknown(home: Path, *kinds: str) -> None:
    """Let Claude Code write records of kinds that nobody knows."""
    path = next((home / ".claude" / "projects").rglob("*.jsonl"))
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps({"type": kind, "uuid": kind, "sessionId": path.stem}) + "\n" for kind in kinds)


@on_a_desk
async def test_the_page_says_who_is_here_with_what(desk):
    page = await go(desk)

    assert desk.window.places.chosen == AGENTS
    assert [card.agent for card in page.cards] == ["claude_code", "codex"]
    words = card_of(page, "claude_code").words
    assert words.startswith("Claude Code. 7 sessions · in ")
    assert "deletes sessions after 30 days" in words
    assert "~/.claude/projects" in words
    assert card_of(page, "codex").accessibleName() == "Codex"
    assert "Gemini CLI" in page.missing.words[0]
    assert not page.homes.isVisible()


@on_a_desk
async def test_what_is_not_known_is_named(desk):
    write_unknown(desk.home.path, "hologram", "hologram", "tachyon")
    await desk.context.library.update()

    page = await go(desk)

    words = card_of(page, "claude_code").words
    assert "writes 2 kinds of record that this version of Holdfast does not know" in words
    assert "hologram ×2, tachyon ×1" in words


@on_a_desk
async def test_new_fields_are_named(desk):
    path = next((desk.home.path / ".claude" / "projects").rglob("*.jsonl"))
    path.write_text(path.read_text("utf-8").replace('"uuid"', '"hue": 7, "uuid"', 1), "utf-8")
    await desk.context.library.update()

    page = await go(desk)

    words = card_of(page, "claude_code").words
    assert "writes 1 field that this version of Holdfast does not know" in words
    assert "New fields, in a sample: user/hue ×1" in words


@on_a_desk
async def test_an_agent_that_fell_silent_stands_first_and_on_the_health_page(desk):
    for path in (desk.home.path / ".codex" / "sessions").rglob("*.jsonl"):
        path.write_text('{"hologram": 1}\n')
    await desk.context.library.update()

    page = await go(desk)

    assert page.cards[0].agent == "codex"
    assert "Codex had 5 sessions and has none now" in page.cards[0].words
    rows = {row.name: row for row in (await desk.context.library.held.health()).rows}
    assert rows["Agents"].state == "bad"


@on_a_desk
async def test_keys_lead_from_an_agent_to_its_sessions(desk):
    page = await go(desk)
    button = card_of(page, "codex").button
    button.setFocus(Qt.FocusReason.TabFocusReason)

    QTest.keyClick(button, Qt.Key.Key_Return)
    await until(desk.window.session_list.isVisible)

    assert desk.context.browser.query_text == "agent:codex"


async def choose(desk, page: AgentsPage, folder: Path) -> None:
    """Press the button by keys and choose a directory."""
    page.add_button.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(page.add_button, Qt.Key.Key_Space)
    dialog = await until(lambda: desk.window.findChild(QFileDialog))
    dialog.setDirectory(str(folder.parent))
    dialog.fileSelected.emit(str(folder))
    dialog.selectedFiles = lambda: [str(folder)]
    dialog.accept()


@on_a_desk
async def test_a_home_is_added_and_taken_away(desk, tmp_path):
    other = tmp_path / "other"
    path = other / ".codex" / "sessions" / "2026" / "01" / "01"
    path.mkdir(parents=True)
    page = await go(desk)

    await choose(desk, page, other / ".codex")
    await until(page.homes.isVisible)

    assert load_settings(desk.paths).extra_homes == (str(other),)
    assert [row.words for row in page.homes.home_rows] == [f"{other}: is looked through"]
    button = page.homes.home_rows[0].button
    button.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(button, Qt.Key.Key_Return)
    await until(lambda: not page.homes.isVisible())
    assert load_settings(desk.paths).extra_homes == ()


@on_a_desk
async def test_a_home_that_is_away_says_that_its_sessions_stay(desk, tmp_path):
    change_setting(desk.paths, "extra_homes", [str(tmp_path / "away")])
    await desk.context.follow_settings()

    page = await go(desk)
    await until(page.homes.isVisible)

    assert page.homes.home_rows[0].words.endswith("cannot be reached now; its sessions stay")


@on_a_desk
async def test_sessions_where_no_agent_is_looked_for_are_told(desk):
    place = desk.home.path / ".openclone" / "projects" / "-work"
    place.mkdir(parents=True)
    record = {"parentUuid": None, "sessionId": "x", "isSidechain": False, "uuid": "y", "type": "user"}
    (place / "one.jsonl").write_text(json.dumps(record) + "\n")

    page = await go(desk)
    await until(lambda: page.strangers.words)

    assert page.strangers.words == ("~/.openclone: looks like Claude Code, 1 file",)


@on_a_desk
async def test_what_cannot_be_read_is_told_and_tried_again(desk):
    survey = desk.context.library.survey
    failing = [True]
    real = survey.drift

    async def drift():
        if failing:
            failing.clear()
            raise HoldfastError("The disk does not answer.")
        return await real()

    survey.drift = drift
    page = await go(desk)
    assert page.state.isVisible() and "The disk does not answer." in page.state.accessibleDescription()

    QTest.mouseClick(page.state.button, LEFT)
    await until(lambda: page.cards)

    assert not page.state.isVisible()
