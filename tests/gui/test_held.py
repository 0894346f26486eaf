"""Held sessions in the whole window, by keys and clicks, over the real library."""

from __future__ import annotations

from pathlib import Path

from holdfast_core.errors import HoldfastError
from holdfast_gui.views.choice import ChoiceDialog
from holdfast_gui.views.choice_bar import ChoiceBar
from holdfast_gui.views.confirm import ConfirmSheet
from holdfast_gui.views.controls import Button, Label
from holdfast_gui.views.new_session import NewSessionSheet
from holdfast_gui.views.versions import VersionsSheet
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QFileDialog, QWidget

from tests.fakes.desk import Desk, started
from tests.fakes.waiting import until

SECONDS = 20
LEFT = Qt.MouseButton.LeftButton
DEPLOY = "Why does the nightly deploy time out?"


async def keep(desk: Desk, title: str, *said: str, project: str | None = None) -> str:
    """Keep a session of our own and wait until it is listed."""
    held = desk.context.library.held
    place = str(desk.home.project("kelp-api")) if project is None else project
    session = await held.create(place, title=title)
    for words in said or ("Hello",):
        await held.append_text(session.id, "user", words)
    await until(lambda: title in desk.titles, seconds=SECONDS)
    return session.id


async def choose(desk: Desk, session_id: str) -> None:
    """Select a session and wait until it is open."""
    await until(lambda: desk.window.session_list.select_session(session_id), seconds=SECONDS)
    await until(lambda: desk.context.reading.session_id == session_id and desk.context.reading.loaded, seconds=SECONDS)
    desk.context.refresh()


async def sheet(desk: Desk, kind: type[QDialog]) -> QDialog:
    """Wait for a sheet over the window."""

    def seen() -> QDialog | None:
        return next((found for found in desk.window.findChildren(kind) if found.isVisible()), None)

    return await until(seen, seconds=SECONDS, what=kind.__name__)


def press(widget: QWidget, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(widget, key, modifier)


def click(button: QWidget) -> None:
    QTest.mouseClick(button, LEFT)


async def said(desk: Desk, words: str) -> None:
    """Wait for a toast."""
    await until(lambda: words in desk.context.toast.words, seconds=SECONDS, what=words)


async def test_a_held_session_opens_with_its_details_and_is_renamed_and_starred(tmp_path, qapp):
    async with started(tmp_path) as desk:
        session_id = await keep(desk, "Plan the move")
        await choose(desk, session_id)
        await until(lambda: desk.window.detail.held.facts.values.get("State") == "closed", seconds=SECONDS)
        shown = desk.window.head.title, desk.window.head.facts.partition(" ")[0]
        press(desk.window.session_list.table, Qt.Key.Key_S)
        desk.window.session_list.rename_finished.emit(session_id, "Plan the great move")
        await until(lambda: "Plan the great move" in desk.titles, seconds=SECONDS)

        kept = await desk.context.library.held.load(session_id)

    assert shown == ("Plan the move", "Holdfast")
    assert (kept.title, kept.starred) == ("Plan the great move", True)


async def test_delete_asks_says_what_is_lost_and_undo_puts_it_back(tmp_path, qapp):
    async with started(tmp_path) as desk:
        session_id = await keep(desk, "Plan the move", "one", "two")
        await choose(desk, session_id)
        press(desk.window.session_list.table, Qt.Key.Key_Delete)
        question = await sheet(desk, ConfirmSheet)
        words = question.words
        click(question.confirm_button)
        await said(desk, "1 session moved to the trash")
        await until(lambda: "Plan the move" not in desk.titles, seconds=SECONDS)
        beside = desk.context.reading.session_id
        click(desk.context.toast.button)
        await until(lambda: "Plan the move" in desk.titles, seconds=SECONDS)
        await said(desk, "1 session put back")

        kept = await desk.context.library.held.load(session_id)

    assert "messages: 2" in words and "Plan the move" in words
    assert beside not in ("", session_id)
    assert len(kept.messages) == 2


async def test_delete_leaves_agents_sessions_alone_and_says_so(tmp_path, qapp):
    async with started(tmp_path) as desk:
        await until(lambda: DEPLOY in desk.titles, seconds=SECONDS)
        await choose(desk, desk.id_of(DEPLOY))
        is_offered = desk.context.actions.live["held.delete"].isEnabled()

        press(desk.window.session_list.table, Qt.Key.Key_Delete)

        await said(desk, "Only sessions that Holdfast keeps can be deleted")
        assert not is_offered


async def test_a_deletion_is_undone_by_keys_too(tmp_path, qapp):
    async with started(tmp_path) as desk:
        await choose(desk, await keep(desk, "Plan the move"))
        desk.context.actions.run("held.delete")
        press(await sheet(desk, ConfirmSheet), Qt.Key.Key_Escape)
        await choose(desk, await keep(desk, "Another"))
        desk.context.actions.run("held.delete")
        question = await sheet(desk, ConfirmSheet)
        question.confirm_button.setFocus()
        press(question.confirm_button, Qt.Key.Key_Space)
        await said(desk, "1 session moved to the trash")
        press(desk.window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)

        await until(lambda: "Another" in desk.titles and "Plan the move" in desk.titles, seconds=SECONDS)


async def test_return_makes_a_held_session_live_with_its_saving_in_sight_and_close_ends_it(tmp_path, qapp):
    async with started(tmp_path) as desk:
        session_id = await keep(desk, "Plan the move", project=str(desk.home.project("kelp-api")))
        await choose(desk, session_id)
        press(desk.window.session_list.table, Qt.Key.Key_Return)
        facts = desk.window.detail.held.facts
        await until(lambda: facts.values.get("Auto-save", "").startswith("Saved "), seconds=SECONDS)
        live = facts.values["State"], desk.window.head.resume_button.isEnabled()
        await until(desk.context.actions.live["held.close"].isEnabled, seconds=SECONDS)
        click(desk.window.detail.held.buttons["held.close"])
        await until(lambda: facts.values["State"] == "closed", seconds=SECONDS)

        assert live[0] == "live"
        assert "Auto-save" not in facts.values
        assert desk.context.library.held.live() == []
        assert desk.context.troubles.waiting == 0


async def test_a_folder_that_others_can_change_is_used_when_the_person_trusts_it(tmp_path, qapp):
    async with started(tmp_path) as desk:
        project = desk.home.project("kelp-api")
        project.chmod(0o777)
        session_id = await keep(desk, "Plan the move", project=str(project))
        await choose(desk, session_id)
        desk.context.actions.run("session.resume")
        question = await sheet(desk, ChoiceDialog)
        words = " ".join(label.text() for label in question.findChildren(Label))
        click(next(button for button in question.findChildren(Button) if "Continue" in button.text()))
        await said(desk, "is live")
        live = desk.context.library.held.live()
        project.chmod(0o755)

        assert "Everybody on this computer can change this folder" in words and str(project) in words
        assert [entry.id for entry in live] == [session_id]


async def test_save_now_writes_a_live_session_whole(tmp_path, qapp):
    async with started(tmp_path) as desk:
        held = desk.context.library.held
        session_id = await keep(desk, "Plan the move")
        await choose(desk, session_id)
        desk.context.actions.run("session.resume")
        await said(desk, "is live")
        await held.append_text(session_id, "user", "And then?")
        press(desk.window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
        await said(desk, "Saved")
        await held.append_text(session_id, "user", "Then the reader.")
        await held.close(session_id)

        kept = await held.load(session_id)
        assert [message.blocks[0].text for message in kept.messages] == ["Hello", "And then?", "Then the reader."]


async def test_a_refused_resume_offers_choices_with_their_consequences_and_does_what_is_chosen(tmp_path, qapp, caplog):
    async with started(tmp_path) as desk:
        project = desk.home.project("short-lived")
        session_id = await keep(desk, "Plan the move", project=str(project))
        project.rmdir()
        await choose(desk, session_id)
        press(desk.window.session_list.table, Qt.Key.Key_Return)
        bar = await until(lambda: desk.window.findChild(ChoiceBar), seconds=SECONDS)
        await until(bar.isVisible, seconds=SECONDS)
        words = bar.words
        project.mkdir()
        press(desk.window, Qt.Key.Key_F8)
        await until(lambda: bar.rows.button("project").hasFocus(), seconds=SECONDS)
        click(bar.rows.button("retry"))
        await until(desk.context.library.held.live, seconds=SECONDS)

        assert "was not resumed" in words and "is gone" in words and "as it was" in words and "HF-" in words
        assert "Try again: The session is resumed once more." in words
        assert "Start a new session: A new, empty session starts" in words
        assert "Skip restoring: Nothing is resumed." in words
        assert not bar.isVisible()
        caplog.clear()


async def test_after_a_refusal_a_new_session_in_the_same_project_always_works(tmp_path, qapp, caplog):
    async with started(tmp_path) as desk:
        held = desk.context.library.held
        project = str(desk.home.project("kelp-api"))
        first = await held.start(project, title="First")
        session_id = await keep(desk, "Second", project=project)
        await choose(desk, session_id)
        desk.context.actions.run("session.resume")
        bar = await until(lambda: desk.window.findChild(ChoiceBar), seconds=SECONDS)
        await until(bar.isVisible, seconds=SECONDS)
        is_told = "open in another live session" in bar.words
        click(bar.rows.button("new"))
        await said(desk, "Session kept; it cannot be live now")

        assert is_told
        assert [entry.id for entry in held.live()] == [first.id]
        assert len(await held.entries()) == 3
        caplog.clear()


async def test_escape_puts_the_choices_away(tmp_path, qapp, caplog):
    async with started(tmp_path) as desk:
        session_id = await keep(desk, "Plan the move", project=str(tmp_path / "nowhere"))
        await choose(desk, session_id)
        desk.context.actions.run("session.resume")
        bar = await until(lambda: desk.window.findChild(ChoiceBar), seconds=SECONDS)
        await until(bar.isVisible, seconds=SECONDS)

        press(desk.window, Qt.Key.Key_Escape)

        assert not bar.isVisible()
        caplog.clear()


async def test_a_session_without_a_directory_offers_to_choose_one(tmp_path, qapp, caplog):
    async with started(tmp_path) as desk:
        session_id = await keep(desk, "Plan the move", project="")
        await choose(desk, session_id)
        desk.context.actions.run("session.resume")
        bar = await until(lambda: desk.window.findChild(ChoiceBar), seconds=SECONDS)
        await until(bar.isVisible, seconds=SECONDS)
        click(bar.rows.button("project"))
        picker = await sheet(desk, QFileDialog)
        picker.setDirectory(str(desk.home.project("kelp-api")))
        picker.accept()
        await said(desk, "is live")
        [live] = desk.context.library.held.live()

        assert Path(live.project_path).name == "kelp-api"
        caplog.clear()


async def test_a_new_session_is_begun_in_a_project_under_a_title(tmp_path, qapp):
    async with started(tmp_path) as desk:
        await until(lambda: DEPLOY in desk.titles, seconds=SECONDS)
        press(desk.window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
        question = await sheet(desk, NewSessionSheet)
        QTest.keyClicks(question.title, "What to say")
        question.set_project(str(desk.home.project("kelp-api")))
        press(question.title, Qt.Key.Key_Return)
        await until(lambda: "What to say" in desk.titles, seconds=SECONDS)
        [live] = await until(desk.context.library.held.live, seconds=SECONDS)

        assert (live.title, Path(live.project_path).name) == ("What to say", "kelp-api")


async def test_an_agents_session_goes_on_as_a_held_copy(tmp_path, qapp):
    async with started(tmp_path) as desk:
        await until(lambda: DEPLOY in desk.titles, seconds=SECONDS)
        agent_file = desk.home.written[desk.id_of(DEPLOY)]
        before = agent_file.read_bytes()
        await choose(desk, desk.id_of(DEPLOY))
        press(desk.window, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
        [live] = await until(desk.context.library.held.live, seconds=SECONDS)
        await until(lambda: desk.context.reading.session_id == live.id, seconds=SECONDS)
        kept = await desk.context.library.held.load(live.id)

        assert (kept.origin.kind, kept.origin.agent, len(kept.messages)) == ("archived", "claude_code", 15)
        assert agent_file.read_bytes() == before


async def test_an_earlier_version_comes_back_and_the_present_one_is_kept(tmp_path, qapp):
    async with started(tmp_path) as desk:
        held = desk.context.library.held
        session_id = await keep(desk, "Plan the move", "one")
        await held.backup([session_id])
        await held.append_text(session_id, "user", "two")
        await choose(desk, session_id)
        await until(lambda: len(desk.window.detail.held.versions.rows()) == 1, seconds=SECONDS)
        click(desk.window.detail.held.versions.rows()[0])
        versions = await sheet(desk, VersionsSheet)
        words = [row.words for row in versions.rows]
        click(versions.accept_button)
        await said(desk, "Went back")
        kept = await held.load(session_id)

        assert len(words) == 1 and "kept as you asked, whole and signed" in words[0]
        assert len(kept.messages) == 1
        assert next(backup.reason for backup in await held.backups(session_id)) == "restore"
        click(desk.context.toast.button)
        await said(desk, "as it was before")
        assert len((await held.load(session_id)).messages) == 2
        assert not desk.context.actions.live["held.undo"].isEnabled()


async def test_what_cannot_be_done_is_told_and_nothing_is_lost(tmp_path, qapp):
    async with started(tmp_path) as desk:
        session_id = await keep(desk, "Plan the move")
        await desk.context.library.held.resume(session_id)
        await choose(desk, session_id)
        desk.context.actions.run("held.delete")
        question = await sheet(desk, ConfirmSheet)
        words = question.words
        question.reject()

        assert "There is nothing to delete" in words and "1 session stays" in words


async def test_only_what_makes_sense_is_enabled(tmp_path, qapp):
    def enabled(desk: Desk) -> set[str]:
        desk.context.refresh()
        return {id for id, item in desk.context.actions.live.items() if id.startswith("held.") and item.isEnabled()}

    async with started(tmp_path) as desk:
        await until(lambda: DEPLOY in desk.titles, seconds=SECONDS)
        await choose(desk, desk.id_of(DEPLOY))
        of_agent = enabled(desk)
        session_id = await keep(desk, "Plan the move")
        await choose(desk, session_id)
        of_held = enabled(desk)
        await desk.context.library.held.resume(session_id)
        of_live = enabled(desk)
        always = {"held.new", "held.import_files", "held.import_folder", "held.encrypt", "held.repair", "held.summary"}

        assert of_agent == {*always, "held.copy"}
        assert of_held == {*always, "held.copy", "held.delete", "held.versions"}
        assert of_live == {*of_held, "held.save", "held.close"}
        assert not desk.context.actions.live["session.fork"].isEnabled()
        assert not desk.context.actions.live["session.resume"].isEnabled()


async def live_with_idle_time(desk: Desk, title: str, *, minutes: float, warning: float) -> str:
    """Make a session live that ends by itself when nothing happens for that long."""
    from holdfast_core.live.host import HostLimits

    held = desk.context.library.held
    session_id = await keep(desk, title)
    limits = HostLimits(idle_minutes=minutes, idle_warning_minutes=warning)
    (await held._host()).host.use_limits(limits)
    await held.resume(session_id)
    return session_id


async def test_an_idle_session_says_so_and_keep_keeps_it(tmp_path, qapp):
    async with started(tmp_path) as desk:
        await live_with_idle_time(desk, "Plan the move", minutes=0.2, warning=0.19)
        bar = desk.context.keeping.idle_bar
        await until(bar.isVisible, seconds=SECONDS)
        words = bar.words
        click(next(button for button in bar._actions if button.text() == "Keep it open"))
        await until(lambda: not bar.isVisible(), seconds=SECONDS)

        assert "Plan the move" in words and "saved and closed in" in words
        assert desk.context.library.held.live()


async def test_a_session_that_closed_as_nothing_happened_says_so(tmp_path, qapp):
    async with started(tmp_path) as desk:
        await live_with_idle_time(desk, "Plan the move", minutes=0.01, warning=0.005)
        bar = desk.context.keeping.bar
        await until(bar.isVisible, seconds=SECONDS)

        assert "saved and closed because nothing happened" in bar.words
        assert not desk.context.keeping.idle_bar.isVisible()


async def test_that_a_session_was_saved_is_seen_and_never_told(tmp_path, qapp):
    async with started(tmp_path) as desk:
        held = desk.context.library.held
        saved = []
        session_id = await keep(desk, "Plan the move")
        await held.resume(session_id)
        held.events.add(lambda event: saved.append(event.kind) if event.kind == "saved" else None)
        await held.append_text(session_id, "user", "And then?")
        await until(lambda: saved, seconds=SECONDS)

        assert not desk.context.toast.words and not desk.context.keeping.bar.words
        assert desk.context.troubles.waiting == 0


async def test_a_bad_import_is_told_in_the_bar(tmp_path, qapp):
    from holdfast_gui.actions.importing import import_paths

    async with started(tmp_path) as desk:
        strange = tmp_path / "strange.json"
        strange.write_text('{"a": 1}')
        told = ""
        try:
            await import_paths(desk.context, [strange])
        except HoldfastError as error:
            told = str(error)

        assert "format" in told or "session" in told
        assert not desk.window.progress.isVisible()
