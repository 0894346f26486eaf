"""Sessions that are dropped on the window or protected by a passphrase, over the real library."""

from __future__ import annotations

import json
from pathlib import Path

from holdfast_core.errors import Locked
from holdfast_core.settings import load_settings
from holdfast_gui.views.import_preview import ImportSheet
from holdfast_gui.views.passphrase import PassphraseSheet, RecoverySheet, UnlockSheet
from holdfast_gui.views.sheet import Sheet
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.fakes.desk import Desk, started
from tests.fakes.waiting import until
from tests.gui.test_held import SECONDS, choose, click, keep, press, said, sheet

COPY = Qt.DropAction.CopyAction
LEFT = Qt.MouseButton.LeftButton
PLAIN = Qt.KeyboardModifier.NoModifier


async def exported(desk: Desk, directory: Path, title: str) -> Path:
    """Return an exported JSON of a session that is not here any more."""
    held = desk.context.library.held
    session = await held.create(title=title)
    await held.append_text(session.id, "user", "What can wait?")
    text = await desk.context.library.export_text(session.id, "json")
    await held.delete([session.id])
    await held.empty_trash()
    path = directory / "exported.json"
    path.write_text(text)
    return path


def drag(desk: Desk, data: QMimeData) -> QDragEnterEvent:
    event = QDragEnterEvent(QPoint(300, 300), COPY, data, LEFT, PLAIN)
    QApplication.sendEvent(desk.window, event)
    return event


def drop(desk: Desk, data: QMimeData) -> None:
    drag(desk, data)
    QApplication.sendEvent(desk.window, QDropEvent(QPointF(300, 300), COPY, data, LEFT, PLAIN))


def files(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


async def test_a_dropped_export_is_shown_first_and_kept_then(tmp_path, qapp):
    async with started(tmp_path) as desk:
        data = files(await exported(desk, tmp_path, "Plan the move"))
        is_taken = drag(desk, data).isAccepted()
        is_veiled = desk.parts.dropping.veil.isVisible()
        drop(desk, data)
        preview = await sheet(desk, ImportSheet)
        words = preview.words
        before = len(await desk.context.library.held.entries())
        click(preview.accept_button)
        await said(desk, "1 session imported")
        await until(lambda: "Plan the move" in desk.titles, seconds=SECONDS)
        [entry] = await desk.context.library.held.entries()

        assert (is_taken, is_veiled, desk.parts.dropping.veil.isVisible()) == (True, True, False)
        assert "Import 1 session?" in words and "Plan the move" in words
        assert (before, entry.message_count) == (0, 1)


async def test_what_is_no_session_is_not_taken_in_and_told(tmp_path, qapp, caplog):
    async with started(tmp_path) as desk:
        strange = tmp_path / "strange.json"
        strange.write_text('{"a": 1}')
        drop(desk, files(strange))
        await until(desk.context.troubles.bar.isVisible, seconds=SECONDS)

        assert await desk.context.library.held.entries() == []
        assert len(desk.incidents) == 1
        desk.incidents.clear()
        caplog.clear()


def codex_of_another_machine(home: Path) -> Path:
    """Write a session of Codex in another home, and return the agent's directory there."""
    path = home / ".codex" / "sessions" / "2026" / "11" / "01" / "rollout-2026-11-01T10-00-00-x.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text('{"timestamp":"2026-11-01T10:00:00Z","type":"session_meta","payload":{"id":"x","cwd":"/w"}}\n')
    return home / ".codex"


async def test_an_agents_folder_that_is_dropped_is_offered_to_be_looked_in(tmp_path, qapp):
    async with started(tmp_path) as desk:
        folder = codex_of_another_machine(tmp_path / "laptop")
        drop(desk, files(folder))
        question = await sheet(desk, Sheet)
        words = (question.windowTitle(), question.message.text())
        click(question.accept_button)
        await said(desk, "Sessions of Codex are looked for there")

        assert words[0] == "This looks like Codex"
        assert str(folder.parent) in words[1]
        assert load_settings(desk.paths).extra_homes == (str(folder.parent),)


async def test_an_offered_home_that_is_declined_changes_nothing(tmp_path, qapp):
    async with started(tmp_path) as desk:
        transcript = next(codex_of_another_machine(tmp_path / "laptop").rglob("*.jsonl"))
        drop(desk, files(transcript))
        press(await sheet(desk, Sheet), Qt.Key.Key_Escape)
        await until(lambda: desk.window.findChild(Sheet) is None or not desk.window.findChild(Sheet).isVisible())

        assert load_settings(desk.paths).extra_homes == ()


async def test_cancelling_the_preview_keeps_nothing(tmp_path, qapp):
    async with started(tmp_path) as desk:
        drop(desk, files(await exported(desk, tmp_path, "Plan the move")))
        press(await sheet(desk, ImportSheet), Qt.Key.Key_Escape)
        await until(lambda: not desk.window.progress.isVisible(), seconds=SECONDS)

        assert await desk.context.library.held.entries() == []


async def test_words_that_are_dragged_over_the_window_are_not_for_it(tmp_path, qapp):
    async with started(tmp_path) as desk:
        words = QMimeData()
        words.setText("only words")
        event = drag(desk, words)
        QApplication.sendEvent(desk.window, QDragLeaveEvent())

        assert not event.isAccepted() and not desk.parts.dropping.veil.isVisible()


async def test_a_file_of_a_broken_session_says_what_is_wrong_in_the_preview(tmp_path, qapp):
    async with started(tmp_path) as desk:
        path = await exported(desk, tmp_path, "Plan the move")
        broken = json.loads(path.read_text())
        broken["messages"] = 7
        (tmp_path / "broken.json").write_text(json.dumps(broken))
        drop(desk, files(path, tmp_path / "broken.json"))
        preview = await sheet(desk, ImportSheet)

        assert "broken.json" in preview.words and "Import 1 session?" in preview.words
        preview.reject()


async def test_encrypting_shows_the_recovery_code_once_and_it_unlocks_the_next_start(tmp_path, qapp):
    async with started(tmp_path) as desk:
        session_id = await keep(desk, "Plan the move")
        desk.context.actions.run("held.encrypt")
        question = await sheet(desk, PassphraseSheet)
        QTest.keyClicks(question.field, "correct horse")
        can_begin = [question.accept_button.isEnabled()]
        QTest.keyClicks(question.again, "correct horse")
        can_begin.append(question.accept_button.isEnabled())
        click(question.accept_button)
        shown = await sheet(desk, RecoverySheet)
        code = shown.code.text()
        press(shown, Qt.Key.Key_Escape)
        is_still_there = shown.isVisible()
        click(shown.kept)
        click(shown.accept_button)
        await said(desk, "Held sessions are encrypted")

    async with started(tmp_path) as desk:
        locked = desk.context.keeping.bar.words
        failed = False
        try:
            await desk.context.library.held.load(session_id)
        except Locked:
            failed = True
        click(next(button for button in desk.context.keeping.bar._actions if button.text() == "Unlock…"))
        unlocking = await sheet(desk, UnlockSheet)
        QTest.keyClicks(unlocking.field, "wrong")
        press(unlocking.field, Qt.Key.Key_Return)
        await until(unlocking.error.isVisible, seconds=SECONDS)
        unlocking.field.clear()
        await until(unlocking.field.isEnabled, seconds=SECONDS)
        QTest.keyClicks(unlocking.field, code)
        press(unlocking.field, Qt.Key.Key_Return)
        await said(desk, "Unlocked")
        kept = await desk.context.library.held.load(session_id)

    assert can_begin == [False, True] and is_still_there
    assert "Your held sessions are locked." in locked and failed
    assert kept.title == "Plan the move"


async def test_the_encryption_is_removed_with_a_question(tmp_path, qapp):
    from holdfast_gui.views.confirm import ConfirmSheet

    async with started(tmp_path) as desk:
        held = desk.context.library.held
        session_id = await keep(desk, "Plan the move")
        await held.set_passphrase("correct horse")
        desk.context.keeping.look()
        await until(desk.context.actions.live["held.decrypt"].isEnabled, seconds=SECONDS)
        desk.context.actions.run("held.lock")
        await until(lambda: desk.context.keeping.is_locked, seconds=SECONDS)
        desk.context.actions.run("held.decrypt")
        unlocking = await sheet(desk, UnlockSheet)
        QTest.keyClicks(unlocking.field, "correct horse")
        click(unlocking.accept_button)
        click((await sheet(desk, ConfirmSheet)).confirm_button)
        await said(desk, "1 session written without encryption")

        assert not (await held.keys()).is_encrypted
        assert (await held.load(session_id)).title == "Plan the move"


async def test_a_locked_session_asks_for_the_passphrase_when_it_is_resumed(tmp_path, qapp):
    async with started(tmp_path) as desk:
        held = desk.context.library.held
        session_id = await keep(desk, "Plan the move")
        await choose(desk, session_id)
        await held.set_passphrase("correct horse")
        await held.lock()
        desk.context.actions.run("session.resume")
        unlocking = await sheet(desk, UnlockSheet)
        QTest.keyClicks(unlocking.field, "correct horse")
        click(unlocking.accept_button)

        await until(held.live, seconds=SECONDS)
