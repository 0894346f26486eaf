"""The pages of held sessions over the real library: recovery at the start, problems, trash, what is live."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from holdfast_core.library import Library
from holdfast_core.model.changes import ScanFailure, ScanReport
from holdfast_core.model.held import HeldSession
from holdfast_core.paths import find_paths
from holdfast_gui.models.places import LIVE, PROBLEMS, RECOVERY, TRASH, Place, PlaceRole
from holdfast_gui.views.confirm import ConfirmSheet
from holdfast_gui.views.live import LivePage
from holdfast_gui.views.problems import ProblemsPage
from holdfast_gui.views.recovery import RecoveryPage
from holdfast_gui.views.summary import SummarySheet
from holdfast_gui.views.trash import TrashPage
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.fakes.cut_off import SAID, cut_off
from tests.fakes.desk import Desk, started
from tests.fakes.waiting import until
from tests.gui.test_held import SECONDS, click, keep, press, said, sheet

LEFT = Qt.MouseButton.LeftButton


@asynccontextmanager
async def library(directory: Path) -> AsyncIterator[Library]:
    """Open our own sessions without a window."""
    opened = Library.open(find_paths(str(directory / "home")), agents_home=directory / "nobody", environment={})
    try:
        yield opened
    finally:
        await opened.close()


def file_of(directory: Path) -> Path:
    """Return the file of the only session."""
    [file] = find_paths(str(directory / "home")).data.rglob("sessions/*.hold")
    return file


async def go(desk: Desk, place: Place):
    """Click a place and return its page."""
    places = desk.window.places.list
    row = await until(lambda: places.model().row_of(place) + 1, seconds=SECONDS) - 1
    QTest.mouseClick(places.viewport(), LEFT, pos=places.visualRect(places.model().index(row, 0)).center())
    return await until(lambda: desk.window.page, seconds=SECONDS)


def count_of(desk: Desk, place: Place) -> int | None:
    """Return the number beside a place, None for none."""
    model = desk.window.places.list.model()
    row = model.row_of(place)
    return model.index(row, 0).data(PlaceRole.COUNT) if row >= 0 else None


async def states(directory: Path) -> dict[str, str]:
    """Return our sessions with their states, as a later start finds them."""
    async with library(directory) as opened:
        return {entry.title: entry.state for entry in await opened.held.entries()}


async def kept(directory: Path, title: str) -> HeldSession:
    """Return the one session of a title."""
    async with library(directory) as opened:
        [entry] = [entry for entry in await opened.held.entries() if entry.title == title]
        return await opened.held.load(entry.id)


# Recovery


async def test_the_start_after_a_kill_lists_what_can_be_recovered_on_a_page(tmp_path, qapp):
    cut_off(tmp_path / "home", "Migrate the index")
    cut_off(tmp_path / "home", "Plan the move")

    async with started(tmp_path) as desk:
        page = await until(lambda: desk.window.page, seconds=SECONDS)
        assert isinstance(page, RecoveryPage)
        words = [card.words for card in page.cards]
        assert {word.partition(" ·")[0].rstrip() for word in words} == {
            "Migrate the index 5 messages",
            "Plan the move 5 messages",
        }
        assert all("5 messages of it came after the last whole save" in word for word in words)
        assert "Recover: Closes the session with everything that was saved" in page.cards[0].choices.words
        assert count_of(desk, RECOVERY) == 2
        assert qapp.activeModalWidget() is None
        assert desk.window.places.isEnabled()

        click(page.all_button)
        await said(desk, "2 sessions recovered")
        await until(lambda: not page.cards, seconds=SECONDS)
        assert page.state.sentence == "Nothing is left to recover"

    assert await states(tmp_path) == {"Migrate the index": "closed", "Plan the move": "closed"}
    texts = [message.blocks[0].text for message in (await kept(tmp_path, "Plan the move")).messages]
    assert texts == [*SAID, "Then go on."]


async def test_one_session_is_recovered_by_a_key(tmp_path, qapp):
    cut_off(tmp_path / "home", "Migrate the index")

    async with started(tmp_path) as desk:
        page = await until(lambda: desk.window.page, seconds=SECONDS)
        recover = page.cards[0].choices.button("recover")
        assert recover.hasFocus()
        press(recover, Qt.Key.Key_Return)
        await said(desk, "Session recovered")

    assert await states(tmp_path) == {"Migrate the index": "closed"}


async def test_going_back_takes_the_last_whole_save_and_keeps_the_rest_as_a_backup(tmp_path, qapp):
    cut_off(tmp_path / "home", "Migrate the index")

    async with started(tmp_path) as desk:
        page = await until(lambda: desk.window.page, seconds=SECONDS)
        click(page.cards[0].choices.button("discard"))
        await said(desk, "Back at the last whole save")

    session = await kept(tmp_path, "Migrate the index")
    async with library(tmp_path) as opened:
        backups = await opened.held.backups(session.id)
    assert session.messages == () and backups[0].is_valid


async def test_not_now_leaves_everything_as_it_is_and_the_place_stays(tmp_path, qapp):
    cut_off(tmp_path / "home", "Migrate the index")

    async with started(tmp_path) as desk:
        page = await until(lambda: desk.window.page, seconds=SECONDS)
        click(page.skip_button)
        await until(desk.window.session_list.isVisible, seconds=SECONDS)
        assert count_of(desk, RECOVERY) == 1
        assert isinstance(await go(desk, RECOVERY), RecoveryPage)

    async with library(tmp_path) as opened:
        assert [one.title for one in await opened.held.recovery()] == ["Migrate the index"]


async def test_who_is_typing_already_gets_a_bar_and_no_page(tmp_path, qapp):
    cut_off(tmp_path / "home", "Migrate the index")

    async with started(tmp_path) as desk:
        desk.window.show_list()
        desk.window.places.select_nth(1)
        desk.window.search_field.line.setFocus()
        desk.context.browser.typed = "jit"
        desk.context.keeping._welcome()

        assert desk.window.page is None
        assert "1 session was cut off" in desk.context.keeping.bar.words
        click(next(button for button in desk.context.keeping.bar._actions if button.text() == "Recover…"))
        assert isinstance(desk.window.page, RecoveryPage)


async def test_a_clean_start_shows_no_page_and_no_bar(tmp_path, qapp):
    async with library(tmp_path) as opened:
        await opened.held.create(title="All is well")

    async with started(tmp_path) as desk:
        assert desk.window.page is None
        assert count_of(desk, RECOVERY) is None
        assert desk.context.keeping.bar.words == ""


# The check at the start


async def test_what_the_check_found_is_one_notice_with_details(tmp_path, qapp, caplog):
    async with library(tmp_path) as opened:
        session = await opened.held.create(title="Plan the move")
        await opened.held.append_text(session.id, "user", "Hello")
    file_of(tmp_path).unlink()

    async with started(tmp_path) as desk:
        bar = desk.context.keeping.bar
        words = bar.words
        click(next(button for button in bar._actions if button.text() == "Show details"))
        details = await sheet(desk, SummarySheet)
        shown = details.words, details.facts.values
        details.reject()

    assert words.startswith("The check at the start found 1 thing") and "no file any more" in words
    assert "1 session has no file any more" in shown[0]
    assert shown[1]["Left the list"] == "1"
    caplog.clear()


# Problems


async def test_a_damaged_session_is_a_problem_with_its_reason_and_its_choices(tmp_path, qapp, caplog):
    async with library(tmp_path) as opened:
        session = await opened.held.create(title="Plan the move")
        await opened.held.append_text(session.id, "user", "Hello")
    file_of(tmp_path).write_bytes(b"no container at all" * 40)

    async with started(tmp_path) as desk:
        assert count_of(desk, PROBLEMS) == 1
        page = await go(desk, PROBLEMS)
        assert isinstance(page, ProblemsPage)
        [card] = page.cards
        words, choices = card.words, card.choices.words
        click(card.choices.button("new"))
        await until(lambda: desk.window.page is None, seconds=SECONDS)

    assert "Plan the move" in words and "code quarantined" in words
    assert "Start a new session: Starts an empty session. This one stays as it is." in choices
    caplog.clear()


async def test_what_is_left_of_a_damaged_session_is_deleted_after_a_question(tmp_path, qapp, caplog):
    async with library(tmp_path) as opened:
        await opened.held.create(title="Plan the move")
    file_of(tmp_path).write_bytes(b"no container at all" * 40)

    async with started(tmp_path) as desk:
        page = await go(desk, PROBLEMS)
        click(page.cards[0].choices.button("trash"))
        click((await sheet(desk, ConfirmSheet)).confirm_button)
        await said(desk, "Moved to the trash")
        await until(lambda: not page.cards, seconds=SECONDS)
        desk.context.actions.run("held.undo")
        await until(lambda: page.cards, seconds=SECONDS)
        click(page.cards[0].choices.button("delete"))
        refused = await sheet(desk, ConfirmSheet)
        words = refused.words
        click(refused.cancel_button)
        click(page.cards[0].choices.button("delete"))
        click((await sheet(desk, ConfirmSheet)).confirm_button)
        await said(desk, "Deleted for ever")
        await until(lambda: not page.cards, seconds=SECONDS)

    assert "Delete what is left of “Plan the move” for ever?" in words and "cannot be undone" in words
    assert list((tmp_path / "home" / "data" / "sessions").rglob("*.hold")) == []
    caplog.clear()


async def test_an_unproven_import_is_adopted_from_the_page(tmp_path, qapp):
    from holdfast_core.model.held import Origin

    async with library(tmp_path) as opened:
        await opened.held.create(title="Brought along", origin=Origin(kind="imported", is_verified=False))

    async with started(tmp_path) as desk:
        page = await go(desk, PROBLEMS)
        [card] = page.cards
        click(card.choices.button("adopt"))
        await said(desk, "Session adopted")
        await until(lambda: not page.cards, seconds=SECONDS)
        sentence = page.state.sentence

    assert sentence == "No problems"
    assert (await kept(tmp_path, "Brought along")).origin.is_verified


async def test_agents_sources_that_cannot_be_read_stand_on_the_page_too(tmp_path, qapp):
    async with started(tmp_path) as desk:
        failure = ScanFailure("codex", "EACCES")
        desk.parts.bridge.reported.emit(ScanReport(12, 100, 0, 0, 0, 0, (), 0.1, 0.1, 0, (failure,)))
        desk.context.actions.run("view.problems")
        page = desk.window.page
        await until(lambda: page.ways, seconds=SECONDS)

        assert "The sessions of Codex cannot be looked through" in page.ways[0].words
        assert page.ways[0].button.text() == "Look again"


# Trash


async def trashed(directory: Path, *titles: str) -> None:
    """Put sessions into the trash."""
    async with library(directory) as opened:
        for title in titles:
            session = await opened.held.create("/home/ada/code/kelp-api", title=title)
            await opened.held.append_text(session.id, "user", "Hello")
            await opened.held.delete([session.id])


async def test_the_trash_lists_restores_several_and_deletes_for_ever_by_keys(tmp_path, qapp):
    await trashed(tmp_path, "One", "Two", "Three", "Four")

    async with started(tmp_path) as desk:
        assert count_of(desk, TRASH) == 4
        page = await go(desk, TRASH)
        assert isinstance(page, TrashPage)
        rows = page.list.rows
        spoken = rows.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
        page.list.setFocus()
        page.list.setCurrentIndex(rows.index(0))
        press(page.list, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
        press(page.list, Qt.Key.Key_Return)
        await said(desk, "2 sessions put back")
        await until(lambda: rows.rowCount() == 2, seconds=SECONDS)
        press(page.list, Qt.Key.Key_Delete)
        question = await sheet(desk, ConfirmSheet)
        words = question.words
        click(question.confirm_button)
        await said(desk, "1 session deleted for ever")
        await until(lambda: rows.rowCount() == 1, seconds=SECONDS)
        click(page.empty_button)
        click((await sheet(desk, ConfirmSheet)).confirm_button)
        await until(page.state.isVisible, seconds=SECONDS)
        sentence = page.state.sentence

    assert "Four, kelp-api · 1 message" in spoken and "goes for good in 30 days" in spoken
    assert "session: 1" in words and "cannot be undone" in words
    assert sentence == "The trash is empty"
    assert set(await states(tmp_path)) == {"Three", "Four"}


async def test_an_empty_trash_says_so_and_leads_back(tmp_path, qapp):
    async with started(tmp_path) as desk:
        page = await go(desk, TRASH)
        await until(page.state.isVisible, seconds=SECONDS)
        said_there = page.state.sentence, page.empty_button.isVisible()
        click(page.state.button)

        assert said_there == ("The trash is empty", False)
        assert desk.window.page is None


# Live


async def test_what_is_live_stands_there_with_its_saving_and_can_be_closed(tmp_path, qapp):
    async with started(tmp_path) as desk:
        session_id = await keep(desk, "Plan the move")
        page = await go(desk, LIVE)
        assert isinstance(page, LivePage)
        await until(page.state.isVisible, seconds=SECONDS)
        empty = page.state.sentence
        await desk.context.library.held.resume(session_id)
        card = await until(lambda: page.cards.get(session_id), seconds=SECONDS)
        await until(lambda: "Saved " in card.words, seconds=SECONDS)
        await until(lambda: count_of(desk, LIVE) == 1, seconds=SECONDS)
        words = card.words
        click(card.buttons["close"])
        await until(lambda: not page.cards, seconds=SECONDS)

        assert empty == "No session is live"
        assert words.startswith("Plan the move, live, kelp-api · 1 message")
        assert desk.context.library.held.live() == []
