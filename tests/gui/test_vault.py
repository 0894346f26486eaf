"""The vault in the whole window, by keys and clicks, over the real library and an indexer that captures."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path

from holdfast_core.model.changes import ChangeSet
from holdfast_gui.models.places import LOST, PlaceRole
from holdfast_gui.notify import Kind
from holdfast_gui.views.choice import ChoiceDialog
from holdfast_gui.views.comparison import ComparisonPage
from holdfast_gui.views.controls import Button
from holdfast_gui.views.notice import TaskProgress
from holdfast_gui.views.vault_sheets import NameSheet, RepairSheet, RestoreSheet
from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QLineEdit, QMenu, QWidget

from tests.fakes.desk import Desk, started
from tests.fakes.homes import Turn
from tests.fakes.waiting import until

SECONDS = 30
LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier
DEPLOY = "Why does the nightly deploy time out?"
KEPT_LINES = 6


class Shower:
    """What a desktop's notifications are shown by."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, str]] = []

    def show_message(self, title: str, text: str) -> bool:
        self.shown.append((title, text))
        return True


async def captured(desk: Desk) -> tuple[str, Path]:
    """Wait until all sessions are in the vault; return the id of one and its file."""
    guarding = desk.context.guarding
    await until(lambda: guarding.status and guarding.status.sessions == 12, seconds=SECONDS, what="12 kept")
    session_id = desk.id_of(DEPLOY)
    return session_id, desk.home.written[session_id]


async def opened(desk: Desk, session_id: str) -> None:
    await until(lambda: desk.window.session_list.select_session(session_id), seconds=SECONDS)
    reading = desk.context.reading
    await until(lambda: reading.session_id == session_id and reading.loaded, seconds=SECONDS, what="opened")
    await until(lambda: desk.context.guarding.versions, seconds=SECONDS, what="versions")
    desk.context.refresh()


async def cut(desk: Desk) -> tuple[str, Path, bytes]:
    """Cut the file of a session that is kept, open it, and wait until its loss is told with its time."""
    session_id, path = await captured(desk)
    before = path.read_bytes()
    path.write_text("".join(path.read_text("utf-8").splitlines(keepends=True)[:KEPT_LINES]), "utf-8")
    await desk.context.library.update()
    await opened(desk, session_id)
    await until(lambda: "cut its file today" in desk.window.notice.words, seconds=SECONDS, what="told")
    return session_id, path, before


async def sheet(desk: Desk, kind: type[QDialog]) -> QDialog:
    def seen() -> QDialog | None:
        return next((found for found in desk.window.findChildren(kind) if found.isVisible()), None)

    return await until(seen, seconds=SECONDS, what=kind.__name__)


async def said(desk: Desk, words: str) -> None:
    await until(lambda: words in desk.context.toast.words, seconds=SECONDS, what=words)


def button_of(place: QWidget, words: str) -> Button:
    return next(found for found in place.findChildren(Button) if found.text() == words and not found.isHidden())


def press(place: QWidget, words: str) -> None:
    QTest.mouseClick(button_of(place, words), LEFT)


def versions(desk: Desk) -> list[str]:
    return [row.words for row in desk.window.detail.vault.rows]


async def test_lost_messages_are_told_in_the_list_the_transcript_the_details_and_the_places(tmp_path, qapp):
    async with started(tmp_path) as desk:
        session_id, _path, _ = await cut(desk)
        sessions, places = desk.window.session_list.model, desk.window.places.list.model()

        def spoken() -> str:
            return sessions.index(sessions.row_of(session_id), 0).data(Qt.ItemDataRole.AccessibleTextRole)

        await until(lambda: places.index(places.row_of(LOST)).data(PlaceRole.COUNT) == 1, seconds=SECONDS)
        await until(lambda: "lost at the source, safe here" in spoken(), seconds=SECONDS)
        await until(lambda: "1 lost at the source" in desk.window.places.status.words, seconds=SECONDS)
        entry = desk.context.reading.entry

        assert desk.window.notice.words.startswith(f"{entry.lost_messages} messages are gone at the source.")
        assert desk.window.notice.words.endswith(f"All {entry.message_count} are safe here.")
        assert f"{entry.lost_messages} messages lost at the source, safe here" in spoken()
        assert len(desk.context.reading.loaded.session.messages) == entry.message_count
        assert "shown" in versions(desk)[0] and f"{entry.message_count} messages" in versions(desk)[0]
        assert "truncated by the agent" in versions(desk)[1]
        assert desk.window.places.status.words.startswith("All 12 sessions are safe")


async def test_growth_is_told_nowhere(tmp_path, qapp):
    async with started(tmp_path) as desk:
        session_id, _ = await captured(desk)
        await opened(desk, session_id)
        count = desk.context.reading.entry.message_count
        desk.home.append(session_id, Turn("And the rest?", "Done."))
        await desk.context.library.update()

        await until(lambda: desk.context.reading.entry.message_count > count, seconds=SECONDS)
        await until(lambda: not desk.context.guarding._detailing.is_running, seconds=SECONDS)

        assert desk.window.notice.words == ""
        assert desk.context.guarding.lost == 0


async def test_restoring_asks_gives_the_agent_its_file_back_and_ctrl_z_undoes_it(tmp_path, qapp):
    async with started(tmp_path) as desk:
        _, path, before = await cut(desk)
        after = path.read_bytes()
        press(desk.window.notice, "Restore to Claude Code")
        question = await sheet(desk, RestoreSheet)
        words = " ".join(label.text() for label in question.findChildren(QWidget) if hasattr(label, "text"))
        QTest.keyClick(question, Qt.Key.Key_Return)
        await said(desk, "Restored to Claude Code")
        restored = path.read_bytes()
        await until(lambda: desk.window.notice.words == "", seconds=SECONDS, what="no loss any more")
        desk.context.refresh()
        desk.window.activateWindow()
        await until(desk.window.isActiveWindow, seconds=SECONDS, what="the window has the keyboard")
        QTest.keyClick(desk.window, Qt.Key.Key_Z, CONTROL)
        await said(desk, "The agent has again what it had before")

        assert "gives way. It is kept as a version" in words
        assert (restored, path.read_bytes()) == (before, after)
        await until(lambda: "gone at the source" in desk.window.notice.words, seconds=SECONDS)


async def test_the_toast_offers_to_undo_and_an_undone_loss_is_no_news(tmp_path, qapp):
    async with started(tmp_path) as desk:
        await captured(desk)
        shower = desk.context.notifier.shower = Shower()
        _, path, _ = await cut(desk)
        after = path.read_bytes()
        await until(lambda: shower.shown, seconds=SECONDS)
        shower.shown.clear()
        press(desk.window.notice, "Restore to Claude Code")
        (await sheet(desk, RestoreSheet)).accept_button.click()
        await said(desk, "Restored to Claude Code")
        QTest.mouseClick(desk.context.toast.button, LEFT)
        await said(desk, "The agent has again what it had before")
        await until(lambda: "gone at the source" in desk.window.notice.words, seconds=SECONDS)

        assert path.read_bytes() == after
        assert shower.shown == []


async def test_a_restoring_that_is_cancelled_changes_nothing(tmp_path, qapp):
    async with started(tmp_path) as desk:
        _, path, _ = await cut(desk)
        after = path.read_bytes()
        press(desk.window.notice, "Restore to Claude Code")

        QTest.keyClick(await sheet(desk, RestoreSheet), Qt.Key.Key_Escape)

        assert path.read_bytes() == after
        assert not desk.context.keeping.given_back


async def test_what_the_agent_has_open_is_not_replaced_and_the_bar_says_what_to_do(tmp_path, qapp):
    async with started(tmp_path) as desk:
        _, path, _ = await cut(desk)
        holds = [sys.executable, "-c", "import sys; file = open(sys.argv[1], 'a'); print(flush=True); sys.stdin.read()"]
        agent = subprocess.Popen([*holds, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: ASYNC220 - it answers at once
        with agent:
            assert agent.stdout is not None and agent.stdin is not None
            agent.stdout.readline()
            desk.context.actions.run("vault.restore")
            (await sheet(desk, RestoreSheet)).accept_button.click()
            await until(lambda: desk.context.troubles.waiting, seconds=SECONDS)
            words = desk.context.troubles.bar.words
            agent.stdin.close()
        press(desk.context.troubles.bar, "Try again")
        (await sheet(desk, RestoreSheet)).accept_button.click()
        await said(desk, "Restored to Claude Code")

        assert "Claude Code has this session open. End it there, then try again." in words
        assert "Nothing was changed." in words


async def test_a_version_is_read_in_the_transcript_and_left_again(tmp_path, qapp):
    async with started(tmp_path) as desk:
        await cut(desk)
        whole = len(desk.context.transcript.view.model.messages)
        QTest.mouseClick(desk.window.detail.vault.rows[1], LEFT)
        await until(lambda: desk.context.reading.version, seconds=SECONDS)
        bar = desk.context.guarding.version_bar
        await until(bar.isVisible, seconds=SECONDS)
        read = len(desk.context.transcript.view.model.messages)
        words, notice = bar.words, desk.window.notice.words
        marked = [row.is_read for row in desk.window.detail.vault.rows]
        press(bar, "Back to now")
        await until(lambda: desk.context.reading.version is None, seconds=SECONDS)

        assert words.startswith("Version 2 of 2, from Today")
        assert (read, notice) == (KEPT_LINES, "")
        await until(lambda: len(desk.context.transcript.view.model.messages) == whole, seconds=SECONDS)
        assert "gone at the source" in desk.window.notice.words
        await until(lambda: [row.is_read for row in desk.window.detail.vault.rows] == [False, False], seconds=SECONDS)
        assert marked in ([False, True], [False, False])


async def test_escape_leaves_a_version(tmp_path, qapp):
    async with started(tmp_path) as desk:
        await cut(desk)
        desk.window.detail.vault.wanted.emit("open", 2)
        await until(lambda: desk.context.reading.version, seconds=SECONDS)

        desk.context.actions.run("view.back")

        assert desk.context.reading.version is None


async def test_a_version_that_is_read_stays_while_the_session_grows(tmp_path, qapp):
    async with started(tmp_path) as desk:
        _, path, _ = await cut(desk)
        QTest.mouseClick(desk.window.detail.vault.rows[1], LEFT)
        await until(lambda: desk.context.reading.version, seconds=SECONDS)
        count = desk.context.reading.entry.message_count
        last = json.loads(path.read_text("utf-8").splitlines()[-1])
        said_next = last | {"uuid": str(uuid.uuid4()), "parentUuid": last["uuid"], "type": "user"}
        with path.open("a") as file:
            file.write(json.dumps(said_next | {"message": {"role": "user", "content": "And the rest?"}}) + "\n")
        await desk.context.library.update()
        await until(lambda: desk.context.reading.entry.message_count > count, seconds=SECONDS)

        assert len(desk.context.transcript.view.model.messages) == KEPT_LINES
        assert desk.context.guarding.version_bar.isVisible()


async def test_two_versions_are_compared_and_a_message_is_jumped_to(tmp_path, qapp):
    async with started(tmp_path) as desk:
        session_id, _, _ = await cut(desk)
        press(desk.window.notice, "Compare")
        await until(lambda: isinstance(desk.window.page, ComparisonPage), seconds=SECONDS)
        page = desk.window.page
        await until(page.list.rows.rowCount, seconds=SECONDS)
        lost = desk.context.reading.entry.lost_messages
        rows, words, focused = page.list.rows.rowCount(), page.summary.text(), page.list.hasFocus()
        QTest.keyClick(page.list, Qt.Key.Key_J)
        second = page.list.rows.compared(1).index
        QTest.keyClick(page.list, Qt.Key.Key_Return)
        await until(lambda: desk.context.reading.version, seconds=SECONDS)

        assert (rows, desk.window.page) == (lost, None)
        assert words.startswith(f"{lost} messages only in version 1")
        assert focused
        assert second == KEPT_LINES + 1
        assert desk.context.reading.version.number == 1
        assert desk.context.reading.session_id == session_id


async def test_comparing_is_left_by_escape(tmp_path, qapp):
    async with started(tmp_path) as desk:
        await cut(desk)
        desk.context.actions.run("vault.compare")
        await until(lambda: isinstance(desk.window.page, ComparisonPage), seconds=SECONDS)
        page = desk.window.page
        await until(page.list.isVisible, seconds=SECONDS)

        QTest.keyClick(page.list, Qt.Key.Key_Escape)

        assert desk.window.page is None
        assert desk.context.reading.version is None


async def test_the_menu_of_a_version_names_it(tmp_path, qapp):
    async with started(tmp_path) as desk:
        await cut(desk)
        row = desk.window.detail.vault.rows[1]
        event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, QPoint(5, 5), row.mapToGlobal(QPoint(5, 5)))
        QApplication.sendEvent(row, event)
        menu = await until(lambda: next(iter(desk.window.detail.vault.findChildren(QMenu)), None), seconds=SECONDS)
        offered = [item.objectName() for item in menu.actions() if item.objectName()]
        next(item for item in menu.actions() if item.objectName() == "name").trigger()
        menu.close()
        question = await sheet(desk, NameSheet)
        QTest.keyClicks(question.field, "<b>before</b> & after")
        QTest.keyClick(question.field, Qt.Key.Key_Return)

        await until(lambda: any("“<b>before</b> & after”" in words for words in versions(desk)), seconds=SECONDS)
        assert offered == ["open", "compare", "agent", "held", "file", "name", "export"]


async def test_a_version_is_written_to_a_file_never_over_another(tmp_path, qapp):
    async with started(tmp_path) as desk:
        _, _, before = await cut(desk)
        target = tmp_path / "back.jsonl"
        for _ in range(2):
            desk.context.actions.run("vault.restore_file")
            dialog = await sheet(desk, QFileDialog)
            dialog.setDirectory(str(tmp_path))
            dialog.findChild(QLineEdit).setText(target.name)
            dialog.done(QDialog.DialogCode.Accepted)
            await until(target.exists, seconds=SECONDS)
        await until(lambda: desk.context.troubles.waiting, seconds=SECONDS)

        assert target.read_bytes() == before
        assert "There is a file of this name already." in desk.context.troubles.bar.words


async def test_a_version_becomes_a_held_session(tmp_path, qapp):
    async with started(tmp_path) as desk:
        await cut(desk)
        count = desk.context.reading.entry.message_count

        desk.context.actions.run("vault.restore_held")
        await said(desk, "Kept as a held session")

        held = await desk.context.library.held.entries()
        assert [entry.message_count for entry in held] == [count]


async def test_a_damaged_transcript_is_mended_after_every_change_was_listed(tmp_path, qapp):
    async with started(tmp_path) as desk:
        session_id, path = await captured(desk)
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2] + b"\0" * 600)
        await desk.context.library.update()
        await opened(desk, session_id)
        await until(lambda: "file of this session is damaged" in desk.window.notice.words, seconds=SECONDS)
        press(desk.window.notice, "Repair…")
        question = await sheet(desk, RepairSheet)
        model = question.list.changes
        listed = [model.index(row).data() for row in range(model.rowCount())]
        untouched = path.read_bytes()
        question.accept_button.click()
        await said(desk, "Repaired for Claude Code")

        assert "Zeros are cut out" in listed
        assert untouched.count(b"\0") == 600
        assert b"\0" not in path.read_bytes()
        assert all(json.loads(line) for line in path.read_text("utf-8").splitlines())


async def test_a_session_that_is_gone_is_restored_before_it_is_resumed(tmp_path, qapp, monkeypatch):
    async with started(tmp_path) as desk:
        session_id, path = await captured(desk)
        before = path.read_bytes()
        path.unlink()
        await desk.context.library.update()
        await opened(desk, session_id)
        await until(lambda: "The file of this session is gone." in desk.window.notice.words, seconds=SECONDS)
        monkeypatch.setenv("PATH", str(tmp_path))
        desk.context.actions.run("session.resume")
        question = await sheet(desk, ChoiceDialog)
        title = question.windowTitle()
        QTest.keyClick(question, Qt.Key.Key_Return)
        await until(path.exists, seconds=SECONDS)
        cannot = await sheet(desk, ChoiceDialog)
        await until(lambda: cannot.windowTitle() == "It cannot continue here" or cannot is not question)
        for left in desk.window.findChildren(ChoiceDialog):
            left.reject()

        assert title == "Restore it first?"
        assert path.read_bytes() == before


async def test_messages_that_are_gone_are_notified_once_with_the_way_to_them(tmp_path, qapp):
    async with started(tmp_path) as desk:
        await captured(desk)
        shower = desk.context.notifier.shower = Shower()
        await cut(desk)
        await until(lambda: shower.shown, seconds=SECONDS)
        desk.parts.traying.notifier.clicked()

        assert [heading for heading, _ in shower.shown] == [Kind.LOST.heading]
        assert "are gone at the source, they are safe here." in shower.shown[0][1]
        assert f"“{desk.context.reading.entry.title}”" in shower.shown[0][1]


async def test_who_does_not_want_to_hear_of_losses_does_not(tmp_path, qapp):
    config = tmp_path / "home" / "config"
    config.mkdir(parents=True)
    (config / "settings.toml").write_text("notify_lost = false\n")
    async with started(tmp_path) as desk:
        await captured(desk)
        shower = desk.context.notifier.shower = Shower()

        await cut(desk)

        assert shower.shown == []


async def test_the_tray_offers_what_was_lost(tmp_path, qapp):
    async with started(tmp_path) as desk:
        await cut(desk)
        await until(lambda: desk.context.guarding.lost, seconds=SECONDS)
        tray = desk.parts.tray
        await until(lambda: tray._lost, seconds=SECONDS)
        tray.menu.aboutToShow.emit()
        item = tray.menu.actions()[0]
        item.trigger()

        assert item.text() == "1 session lost at the source, safe here…"
        assert desk.context.browser.place == LOST


async def test_the_vault_is_verified_with_progress(tmp_path, qapp):
    async with started(tmp_path) as desk:
        await captured(desk)
        desk.context.actions.run("vault.verify")

        await said(desk, "Every version is whole: 12 session files")
        await until(lambda: "verified just now" in desk.window.places.status.words, seconds=SECONDS)
        assert not desk.window.progress.isVisible()


async def test_sessions_that_agents_will_delete_are_told_once_a_day(tmp_path, qapp):
    config = tmp_path / "home" / "config"
    config.mkdir(parents=True)
    (config / "settings.toml").write_text("warn_deletion_days = 365\n")
    async with started(tmp_path) as desk:
        session_id, _ = await captured(desk)
        shower = desk.context.notifier.shower = Shower()
        desk.context.guarding.look(expiring=True)
        await until(lambda: desk.context.guarding.expiring.get(session_id), seconds=SECONDS)
        await until(lambda: shower.shown, seconds=SECONDS)
        desk.context.guarding.expiring_found.emit()
        await opened(desk, session_id)
        await until(lambda: "deletes this session in" in desk.window.notice.words, seconds=SECONDS)

        assert [heading for heading, _ in shower.shown] == [Kind.EXPIRING.heading]
        assert "7 sessions will be deleted, the first in 29 days. All of them are safe here." in shower.shown[0][1]
        assert "It is safe here, and stays." in desk.window.notice.words


async def test_too_little_space_is_told_once_and_stands_in_the_foot(tmp_path, qapp):
    config = tmp_path / "home" / "config"
    config.mkdir(parents=True)
    (config / "settings.toml").write_text("vault_reserve_mb = 10000000\n")
    async with started(tmp_path) as desk:
        shower = desk.context.notifier.shower = Shower()
        desk.parts.traying._said_no_space = False
        desk.context.guarding.look()
        await until(lambda: shower.shown, seconds=SECONDS)
        desk.context.guarding.hear(ChangeSet())
        desk.context.guarding.changed.emit()

        assert [heading for heading, _ in shower.shown] == [Kind.SPACE.heading]
        await until(lambda: "The vault needs space" in desk.window.places.status.words, seconds=SECONDS)


class CancelsAtOnce(QObject):
    """Presses a button as soon as what it is on is shown."""

    def __init__(self, progress: TaskProgress) -> None:
        super().__init__()
        progress.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show and isinstance(watched, TaskProgress):
            watched.cancelled.emit()
        return False


async def test_verifying_can_be_stopped(tmp_path, qapp):
    async with started(tmp_path) as desk:
        await captured(desk)
        impatient = CancelsAtOnce(desk.window.progress)
        desk.context.actions.run("vault.verify")

        await said(desk, "Stopped: ")
        assert not desk.window.progress.isVisible()
        assert desk.context.actions.live["vault.verify"].isEnabled()
        desk.window.progress.removeEventFilter(impatient)


async def test_a_version_is_exported(tmp_path, qapp):
    async with started(tmp_path) as desk:
        await cut(desk)
        target = tmp_path / "two.md"
        desk.window.detail.vault.wanted.emit("export", 2)
        dialog = await sheet(desk, QFileDialog)
        dialog.setDirectory(str(tmp_path))
        dialog.findChild(QLineEdit).setText(target.name)
        dialog.done(QDialog.DialogCode.Accepted)
        await said(desk, "Version 2 exported to two.md")

        assert "The nightly deploy has timed out" in target.read_text("utf-8")
        assert "leave VACUUM out of it" not in target.read_text("utf-8")


async def test_a_session_is_kept_now(tmp_path, qapp):
    async with started(tmp_path) as desk:
        session_id, _ = await captured(desk)
        await opened(desk, session_id)
        desk.home.append(session_id, Turn("And the rest?", "Done."))

        desk.context.actions.run("vault.keep_now")

        await said(desk, "Kept: 17 messages")


async def test_what_cannot_be_kept_says_why(tmp_path, qapp):
    config = tmp_path / "home" / "config"
    config.mkdir(parents=True)
    (config / "settings.toml").write_text("vault_enabled = false\n")
    async with started(tmp_path) as desk:
        await until(lambda: desk.window.session_list.select_session(desk.id_of(DEPLOY)), seconds=SECONDS)
        await until(lambda: desk.context.reading.loaded, seconds=SECONDS)
        await until(lambda: "switched off" in desk.window.places.status.words, seconds=SECONDS)
        desk.context.refresh()
        desk.context.actions.run("vault.keep_now")
        await until(lambda: desk.context.troubles.waiting, seconds=SECONDS)

        words = desk.context.troubles.bar.words
        assert "The vault is switched off: nothing new is kept." in words


async def test_what_is_left_out_of_the_vault_is_not_called_safe(tmp_path, qapp):
    config = tmp_path / "home" / "config"
    config.mkdir(parents=True)
    (config / "settings.toml").write_text('vault_left_out = ["agent:codex"]\n')
    async with started(tmp_path) as desk:
        await until(lambda: "7 of 12 sessions are safe" in desk.window.places.status.words, seconds=SECONDS)


async def test_what_is_about_to_be_deleted_and_not_kept_is_told_as_that(tmp_path, qapp):
    config = tmp_path / "home" / "config"
    config.mkdir(parents=True)
    (config / "settings.toml").write_text('vault_left_out = ["agent:claude_code"]\nwarn_deletion_days = 365\n')
    async with started(tmp_path) as desk:
        session_id = desk.id_of(DEPLOY)
        await until(lambda: desk.window.session_list.select_session(session_id), seconds=SECONDS)
        desk.context.guarding.look(expiring=True)
        await until(lambda: "It is not kept here yet" in desk.window.notice.words, seconds=SECONDS)

        assert not desk.context.guarding.expiring[session_id].is_safe
        assert button_of(desk.window.notice, "Keep now").isVisible()
