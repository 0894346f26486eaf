"""What the parts do together, in one process: real library, real index, real window."""

import asyncio
import shutil
from pathlib import Path

from holdfast_core.model.changes import ChangeSet, LostMessages, ScanProgress
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QLineEdit
from pytestqt.qtbot import QtBot

from tests.fakes.desk import on_a_desk
from tests.fakes.homes import Turn
from tests.fakes.waiting import until

DEPLOY = "Why does the nightly deploy time out?"
RETRY = "Retry uploads after a dropped connection"
FLAKY = "Summarise the flaky tests of this week"


def press(desk, key, modifier=Qt.KeyboardModifier.NoModifier, widget=None):
    QtBot.keyClick(widget or desk.window.session_list.table, key, modifier)


def clipboard():
    return QGuiApplication.clipboard().text()


@on_a_desk
async def test_the_list_begins_with_the_newest_under_its_day(desk):
    assert len(desk.titles) == 12
    assert desk.titles[0] == DEPLOY
    assert desk.window.session_list.model.group_at(0).title == "Today"
    assert desk.window.places.status.words.startswith("12 sessions")


@on_a_desk
async def test_a_selected_session_is_read_and_shown(desk):
    await desk.select(DEPLOY)

    assert desk.window.head.title == DEPLOY
    assert desk.window.windowTitle() == DEPLOY
    assert len(desk.context.reading.loaded.session.messages) == 15


@on_a_desk
async def test_typing_finds_and_the_hit_is_gone_to(desk):
    desk.window.search_field.set_text("jitter")
    await desk.listed(RETRY)
    desk.window.search_field.submitted.emit("jitter")
    await until(lambda: desk.context.reading.loaded)

    hit = desk.window.session_list.best_hit(desk.id_of(RETRY))
    assert hit.message_index >= 0
    assert desk.context.transcript.find_bar.field.text() == "jitter"


@on_a_desk
async def test_a_newer_question_ends_the_older(desk):
    for text in ("j", "ji", "jit", "flaky"):
        desk.window.search_field.set_text(text)

    await desk.listed(FLAKY)


@on_a_desk
async def test_a_wrong_filter_is_told_and_the_list_stays(desk):
    desk.window.search_field.set_text("is:purple")
    await until(lambda: desk.window.search_field.error)

    assert "starred" in desk.window.search_field.error and len(desk.titles) == 12


@on_a_desk
async def test_nothing_found_offers_to_clear(desk):
    desk.window.search_field.set_text("zzzunheardof")
    await until(desk.window.session_list.empty.isVisible)
    assert desk.window.session_list.empty.sentence == "Nothing matches"

    desk.window.session_list.empty.action_pressed.emit()
    await until(lambda: len(desk.titles) == 12)


@on_a_desk
async def test_a_place_narrows_the_list(desk):
    kinds = [place.kind for place in desk.window.places.list.model().places()]
    desk.window.places.select_nth(kinds.index("agent") + 1)
    await until(lambda: len(desk.titles) == 7)

    assert desk.context.browser.place.kind == "agent"


@on_a_desk
async def test_other_orders_and_headings(desk):
    desk.window.session_list.group_chosen.emit("project")
    await until(lambda: desk.window.session_list.model.group_at(0).title == "holdfast")
    desk.window.session_list.group_chosen.emit("none")
    desk.window.session_list.sort_chosen.emit("+title")
    await until(lambda: not desk.window.session_list.model.heading_rows)

    assert (desk.titles[0][:4], desk.titles[-1]) == ("<img", "Write the incident report for the outage")


@on_a_desk
async def test_projects_from_the_last_have_their_newest_first_too(desk):
    desk.window.session_list.head.set_order("-project", "project")
    desk.window.session_list.sort_chosen.emit("-project")
    desk.window.session_list.group_chosen.emit("project")
    await until(lambda: desk.window.session_list.model.group_at(0).title == "tidepool-web")

    assert desk.titles[0] == FLAKY
    assert [title for title in desk.titles if "nightly" in title or "incident" in title] == [
        DEPLOY,
        "Write the incident report for the outage",
    ]


@on_a_desk
async def test_a_name_a_star_a_tag_and_a_note_are_kept(desk):
    session = desk.id_of(RETRY)
    desk.window.session_list.rename_finished.emit(session, "Uploads that come back")
    await until_entry(desk, session, lambda entry: entry.title == "Uploads that come back")
    desk.window.session_list.star_toggled.emit(session)
    await until_entry(desk, session, lambda entry: entry.starred)
    desk.window.detail.tags_edited.emit(["net"], session)
    desk.window.detail.note_edited.emit("see RFC", session)

    entry = await until_entry(desk, session, lambda entry: entry.tags and entry.note)
    assert (entry.tags, entry.note) == (("net",), "see RFC")


async def until_entry(desk, session, condition):
    seen = []

    async def look():
        while not condition(entry := await desk.context.library.entry(session)):
            await asyncio.wait({desk.context.browser.ask()})
        seen.append(entry)

    await asyncio.wait_for(look(), 5)
    return seen[0]


@on_a_desk
async def test_what_an_agent_adds_to_the_open_session_is_appended(desk):
    await desk.select(RETRY)
    before = len(desk.context.reading.loaded.session.messages)

    desk.home.append(desk.id_of(RETRY), Turn("One more thing.", "Of course."))
    await desk.context.library.update()
    desk.parts.bridge.changed.emit(ChangeSet(changed=(desk.id_of(RETRY),)))
    await until(lambda: len(desk.context.reading.loaded.session.messages) == before + 2)

    await until(lambda: desk.titles[0] == RETRY)
    assert desk.window.session_list.current_id == desk.id_of(RETRY)


@on_a_desk
async def test_lost_messages_are_told_without_a_promise(desk):
    await desk.select(RETRY)
    session = desk.id_of(RETRY)

    desk.parts.bridge.changed.emit(ChangeSet(changed=(session,), lost=(LostMessages(session, 161, "shrunk"),)))
    await until(lambda: desk.window.notice.words)

    assert "161 messages are gone at the source" in desk.window.notice.words
    assert "safe" not in desk.window.notice.words


@on_a_desk
async def test_a_file_that_is_gone_is_told_in_words(desk):
    session = desk.id_of(RETRY)
    desk.home.written[session].unlink()

    desk.window.session_list.select_session(session)
    await until(lambda: desk.context.transcript._stack.currentIndex() == 1)

    assert desk.context.reading.loaded is None


@on_a_desk
async def test_the_recent_sessions_supersede_no_list(desk):
    listing = desk.context.browser.ask()

    await desk.context.library.recent(10)
    await asyncio.wait({listing})

    assert not listing.cancelled()


@on_a_desk
async def test_copies(desk):
    await desk.select(FLAKY)
    actions = desk.context.actions

    actions.run("session.copy_link")
    link = clipboard()
    actions.run("session.copy_text")
    await until(lambda: "── You" in clipboard())
    plain = clipboard()
    actions.run("session.copy_markdown")
    await until(lambda: clipboard().startswith("#"))

    assert link == f"holdfast:session/{desk.id_of(FLAKY)}"
    assert "Eleven failures" in plain and "**" not in plain
    assert "Eleven failures" in clipboard()


@on_a_desk
async def test_the_transcript_has_a_menu_of_its_own(desk):
    await desk.select(DEPLOY)
    desk.context.transcript.context_menu_wanted.emit(desk.window.mapToGlobal(desk.window.rect().center()))
    menu = desk.parts.menus.transcript_menu

    assert menu.isVisible()
    assert desk.context.actions.live["view.copy_block"] in menu.actions()
    menu.close()


@on_a_desk
async def test_the_context_menu_offers_what_is_possible(desk):
    await desk.select(RETRY)
    desk.window.session_list.context_menu_wanted.emit(desk.window.mapToGlobal(desk.window.rect().center()))
    menu = desk.parts.menus.context_menu

    offered = {item.objectName(): item.isEnabled() for item in menu.actions() if not item.isSeparator()}
    menu.hide()

    assert offered["session.resume"] and offered["session.star"] and offered["session.export"]


@on_a_desk
async def test_a_moved_project_is_asked_for_and_remembered(desk, monkeypatch, tmp_path):
    await desk.select(RETRY)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("xterm", "claude"):
        (programs / name).write_text("#!/bin/sh\nexit 0\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("DISPLAY", ":0")
    old = desk.home.path / "code" / "kelp-api"
    shutil.move(old, desk.home.path / "code" / "kelp-api-2")

    desk.context.actions.run("session.resume")
    dialog = await until(lambda: isinstance(found := QApplication.activeModalWidget(), QDialog) and found, seconds=10)
    assert "gone" in " ".join(label.text() for label in dialog.findChildren(type(desk.window.head._title).__mro__[1]))
    dialog.accept()
    chooser = await until(
        lambda: isinstance(found := QApplication.activeModalWidget(), QFileDialog) and found, seconds=10
    )
    chooser.reject()
    await until(lambda: QApplication.activeModalWidget() is None)


@on_a_desk
async def test_an_agent_that_is_missing_is_told_with_how_to_get_it_and_its_command_offered(desk, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    await desk.select(RETRY)

    desk.context.actions.run("session.resume")
    dialog = await until(lambda: isinstance(found := QApplication.activeModalWidget(), QDialog) and found, seconds=10)
    title = dialog.windowTitle()
    dialog.accept()
    await until(lambda: clipboard().startswith("cd "))

    assert title == "It cannot continue here"
    assert f"claude --resume {desk.id_of(RETRY).partition(':')[2]}" in clipboard()


@on_a_desk
async def test_the_palette_finds_actions_sessions_and_commands(desk):
    await desk.select(DEPLOY)
    desk.context.actions.run("application.palette")
    palette = desk.window.findChild(type(desk.context.commands._palette))
    await until(lambda: desk.context.commands._commands)
    palette.field.setText("re")
    model = palette.list.model()

    kinds = {model.entry(row).kind for row in range(model.rowCount()) if model.entry(row)}
    palette.leave()

    assert kinds == {"action", "session", "command"}


@on_a_desk
async def test_a_chosen_session_of_the_palette_is_opened(desk):
    desk.context.commands.open("flaky tests")
    palette = desk.context.commands._palette
    await until(lambda: palette.list.model().rowCount() > 1)

    press(desk, Qt.Key.Key_Return, widget=palette.field)
    await until(lambda: desk.context.reading.loaded)

    assert desk.context.reading.entry.title == FLAKY
    assert desk.window.session_list.current_id == desk.id_of(FLAKY)


@on_a_desk
async def test_a_link_opens_its_session_and_a_strange_one_is_refused(desk, caplog):
    arrived = desk.parts.context
    from holdfast_gui.actions.opening import carry_out

    await carry_out(arrived, [f"holdfast:session/{desk.id_of(FLAKY)}"], "/")
    await until(lambda: desk.context.reading.loaded)
    desk.context.scope.spawn(carry_out(arrived, ["holdfast:run/rm"], "/"), "a link")
    await until(lambda: desk.incidents)

    assert desk.context.reading.entry.title == FLAKY
    assert "leads to nothing" in desk.context.troubles.bar.words
    caplog.clear()


@on_a_desk
async def test_escape_steps_back_one_thing_at_a_time(desk):
    desk.window.search_field.set_text("jitter")
    await desk.listed(RETRY)
    desk.window.session_list.select_session(desk.id_of(RETRY))
    await until(desk.context.transcript.find_bar.isVisible)

    desk.context.actions.run("view.back")
    assert not desk.context.transcript.find_bar.isVisible()
    desk.context.actions.run("view.back")
    await until(lambda: len(desk.titles) == 12)

    assert desk.context.browser.typed == ""


@on_a_desk
async def test_progress_is_told_in_numbers_and_ends(desk):
    desk.parts.bridge.progressed.emit(ScanProgress(3, 12, 10, 100))
    during = desk.window.places.status.words

    desk.parts.bridge.progressed.emit(ScanProgress(12, 12, 100, 100, is_done=True))
    await until(lambda: desk.window.places.status.words.startswith("12 sessions"))

    assert during.startswith("Reading 3 of 12")


@on_a_desk
async def test_dragged_files_hold_the_sessions(desk):
    from holdfast_gui.dragdrop import Item, SessionFiles

    dragging = desk.parts.dragging
    ids = [desk.id_of(RETRY), desk.id_of(FLAKY)]

    files = SessionFiles(
        [Item(id, id) for id in ids], "md", desk.paths.cache / "drag" / "1", lambda id: dragging._text(id, "md")
    )
    paths = [Path(url.toLocalFile()) for url in files.urls()]

    assert "jitter" in paths[0].read_text() and "Eleven failures" in paths[1].read_text()


@on_a_desk
async def test_closing_without_a_tray_ends_it(desk):
    desk.window.close()

    assert desk.context.scope.stop.is_set()


@on_a_desk
async def test_own_shortcuts_are_kept(desk):
    desk.context.change_keys({"session.export": ["Ctrl+Shift+E"]})

    from holdfast_gui.actions import memory

    assert memory.load(desk.paths.config).keys == {"session.export": ["Ctrl+Shift+E"]}
    assert desk.context.actions.shown_key("session.export") == "Ctrl+Shift+E"


@on_a_desk
async def test_a_selected_session_can_be_resumed_before_it_is_read(desk):
    desk.window.session_list.select_session(desk.id_of(RETRY))

    assert desk.context.reading.loaded is None
    assert desk.context.entry.id == desk.id_of(RETRY)


@on_a_desk
async def test_an_open_session_that_vanishes_is_told(desk):
    await desk.select(RETRY)
    session = desk.id_of(RETRY)
    desk.home.written[session].unlink()

    desk.parts.bridge.changed.emit(ChangeSet(changed=(session,)))
    await until(lambda: desk.context.transcript._stack.currentIndex() == 1)

    assert desk.incidents == []
    assert not desk.window.head.resume_button.isEnabled()
    assert "cannot be resumed" in desk.window.head.resume_button.toolTip()
    assert not desk.context.actions.live["session.resume"].isEnabled()
    assert desk.window.head.title == RETRY


@on_a_desk
async def test_a_file_opens_the_session_that_is_in_it(desk):
    from holdfast_gui.actions.opening import show

    for session, path in list(desk.home.written.items())[:2]:
        await show(desk.context, path.name, str(path.parent))
        await until(lambda session=session: desk.context.reading.session_id == session)

    assert desk.context.reading.session_id == session


@on_a_desk
async def test_the_whole_transcript_can_be_copied_without_markup(desk):
    await desk.select(RETRY)

    desk.context.actions.run("view.select_all")
    desk.context.actions.run("view.copy_plain")

    assert "jitter" in clipboard()


@on_a_desk
async def test_the_return_that_ends_a_new_name_resumes_nothing(desk):
    await desk.select(DEPLOY)
    table = desk.window.session_list.table
    resumed = []
    table.chosen.connect(resumed.append)
    table.setFocus()
    press(desk, Qt.Key.Key_F2)
    editor = await until(lambda: table.viewport().findChild(QLineEdit))
    editor.setText("A better name")

    for key in (Qt.Key.Key_Down, Qt.Key.Key_PageDown, Qt.Key.Key_Return):
        press(desk, key, widget=editor)
    await until_entry(desk, desk.id_of(DEPLOY), lambda entry: entry.title == "A better name")

    assert resumed == []
    assert desk.window.session_list.current_id == desk.id_of(DEPLOY)


@on_a_desk
async def test_the_first_arrow_key_selects_the_first_session(desk):
    press(desk, Qt.Key.Key_Down)

    assert desk.window.session_list.current_id == desk.id_of(DEPLOY)
