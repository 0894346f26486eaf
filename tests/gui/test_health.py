"""The health page in the whole window: where it stands, when it asks, and where it leads."""

from __future__ import annotations

import asyncio

from holdfast_core.settings import change_setting
from holdfast_gui.actions.health import Checkup
from holdfast_gui.models.places import HEALTH
from holdfast_gui.views.health import HealthPage
from holdfast_gui.views.settings import SettingsDialog
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.fakes.desk import on_a_desk
from tests.fakes.waiting import until

LEFT = Qt.MouseButton.LeftButton
NO_MODIFIER = Qt.KeyboardModifier.NoModifier


async def keep(desk, *titles: str) -> None:
    """Keep sessions of our own."""
    for title in titles:
        session = await desk.context.library.held.create(title=title)
        await desk.context.library.held.append_text(session.id, "user", "Hello")


async def go(desk) -> HealthPage:
    """Click the place."""
    places = desk.window.places.list
    index = places.model().index(places.model().row_of(HEALTH), 0)
    QTest.mouseClick(places.viewport(), LEFT, NO_MODIFIER, places.visualRect(index).center())
    return await until(lambda: desk.window.page)


@on_a_desk
async def test_the_place_shows_the_page_in_the_room_of_list_and_session(desk):
    await keep(desk, "One", "Two")
    page = await go(desk)
    await until(lambda: page.held.words.startswith("Sessions kept here, 2"))

    assert page.isVisible() and not desk.window.session_list.isVisible() and not desk.window.head.isVisible()
    assert desk.window.places.chosen == HEALTH
    assert "Claude Code" in [row.bar.name for row in page.sources.bars.rows()]
    assert "Add message" in [row.words.partition(",")[0] for row in page.timings.timing_rows()]
    assert any("Message added" in words for words in page.records.words())


@on_a_desk
async def test_the_action_goes_there_too(desk):

    desk.context.actions.run("view.health")

    assert isinstance(desk.window.page, HealthPage)


@on_a_desk
async def test_another_place_or_escape_brings_the_list_back_as_it_was(desk):
    widths = desk.window._splitter.sizes()
    await go(desk)

    desk.window.places.select_nth(1)
    await until(desk.window.session_list.isVisible)
    by_place = desk.window._splitter.sizes()
    await go(desk)
    desk.context.actions.run("view.back")

    assert desk.window.session_list.isVisible() and desk.window.page is None
    assert desk.window.places.chosen.kind == "all"
    assert widths == by_place == desk.window._splitter.sizes()


@on_a_desk
async def test_the_width_of_the_list_is_remembered_from_the_page(desk):
    before = desk.window._sizes()[1]
    await go(desk)

    assert desk.window._sizes()[1] == before


@on_a_desk
async def test_figures_are_asked_for_only_while_the_page_is_in_sight(desk):
    page = await go(desk)
    checkup = desk.window.findChild(Checkup)
    await until(lambda: page.held.words.startswith("Sessions kept here, 0"))
    is_watching = checkup.is_watching
    await keep(desk, "One")
    checkup._timer.timeout.emit()
    await until(lambda: page.held.words.startswith("Sessions kept here, 1"))

    desk.context.browser.come_back()

    assert (is_watching, checkup.is_watching, checkup._timer.isActive()) == (True, False, False)


@on_a_desk
async def test_a_figure_leads_to_the_list_behind_it(desk):
    page = await go(desk)
    await until(lambda: len(page.sources.bars.rows()) > 1)
    row = next(row for row in page.sources.bars.rows() if row.bar.key == "codex")

    QTest.mouseClick(row, LEFT)
    await until(desk.window.session_list.isVisible)

    assert desk.context.browser.query_text == "agent:codex"
    assert desk.window.places.chosen.value == "codex"


@on_a_desk
async def test_a_line_of_what_was_done_opens_its_session(desk):
    await keep(desk, "Of our own")
    await desk.context.library.update()
    page = await go(desk)
    line = page.records._lines[0]
    await until(lambda: line.key)

    QTest.mouseClick(line, LEFT)
    await until(lambda: desk.context.reading.loaded and desk.context.reading.entry.title == "Of our own")

    assert desk.window.session_list.isVisible()


@on_a_desk
async def test_a_session_that_is_gone_is_said_to_be(desk):
    page = await go(desk)

    page.session_wanted.emit("4f1c0000-0000-4000-8000-000000000000")
    await until(lambda: desk.context.toast.words)

    assert desk.context.toast.words == "This session is not listed any more" and page.isVisible()


@on_a_desk
async def test_a_warning_opens_the_settings_at_the_limits(desk):
    await asyncio.to_thread(change_setting, desk.paths, "stored_sessions_limit", 1)
    await desk.context.follow_settings()
    await keep(desk, "One")
    page = await go(desk)
    card = await until(lambda: page.warnings.cards and page.warnings.cards[0])

    QTest.mouseClick(card.button, LEFT)
    dialog = await until(lambda: (found := desk.window.findChild(SettingsDialog)) and found.isVisible() and found)

    assert "stored_sessions_limit" in dialog.shown_keys()


@on_a_desk
async def test_trouble_is_told_on_the_page_and_can_be_tried_again(desk):
    (desk.paths.data / "sessions").write_text("no directory")
    page = await go(desk)
    await until(page.state.isVisible)
    said = page.state.accessibleDescription()

    QTest.mouseClick(page.state.button, LEFT)
    is_tried = not page.state.isVisible()
    await until(page.state.isVisible)

    assert "What was saved before stays." in said and is_tried
    assert desk.incidents == []


@on_a_desk
async def test_searching_leaves_the_page(desk):
    await go(desk)

    desk.context.actions.run("search.focus")

    assert desk.window.session_list.isVisible() and desk.window.places.chosen.kind == "all"


@on_a_desk
async def test_a_narrow_window_has_a_way_to_the_places_on_the_page(desk):
    page = await go(desk)
    desk.window.resize(900, 700)
    await until(desk.window.places.isHidden)

    QTest.mouseClick(page.places_button, LEFT)

    assert desk.window.places.isVisible() and not page.places_button.isVisible()


@on_a_desk
async def test_a_state_leads_to_its_place_or_says_that_there_is_nothing_any_more(desk):
    page = await go(desk)

    page.place_wanted.emit("starred")
    chosen = desk.window.places.chosen.kind
    page.place_wanted.emit("recovery")

    assert chosen == "starred"
    assert desk.context.toast.words == "There is nothing there any more"
