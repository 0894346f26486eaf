"""Failures as a person sees them, and the tray where there is none."""

from pathlib import Path

from holdfast_core.errors import Refused
from holdfast_gui.actions import memory
from holdfast_gui.crash import describe
from holdfast_gui.notify import Kind
from holdfast_gui.tray import Tray
from holdfast_gui.views.about import AboutDialog
from holdfast_gui.views.confirm import ConfirmSheet
from holdfast_gui.views.settings import SettingsDialog
from holdfast_gui.views.shortcuts import ShortcutsDialog
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from tests.fakes.desk import on_a_desk
from tests.fakes.waiting import until

LEFT = Qt.MouseButton.LeftButton


def press(widget, key, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    QtBot.keyClick(widget, key, modifier)


def refuse(desk, words: str = "This cannot be done now. Try again later.", **said):
    incident = describe(Refused(words, **said))
    desk.context.troubles.show(incident)
    return incident


@on_a_desk
async def test_what_can_be_mended_is_a_bar_that_says_what_is_safe_what_to_do_and_the_code(desk, caplog):
    incident = refuse(desk, detail="the technical part")
    bar = desk.context.troubles.bar

    expected = f"This cannot be done now. What was saved before is safe. Try again later. {incident.code}"
    assert bar.words == expected and bar.isVisible()
    assert bar.accessibleName() == "This cannot be done now."
    assert bar.mapTo(desk.window, bar.rect().topLeft()).y() < 120
    caplog.clear()


@on_a_desk
async def test_an_error_may_say_better_what_is_safe(desk, caplog):
    refuse(desk, kept="The session stands as it was.")

    assert "The session stands as it was." in desk.context.troubles.bar.words
    caplog.clear()


@on_a_desk
async def test_the_report_is_seen_before_it_is_copied(desk, caplog):
    troubles = desk.context.troubles
    refuse(desk, detail="the technical part")
    QGuiApplication.clipboard().setText("before")

    QtBot.mouseClick(troubles.bar.button("report"), LEFT)
    await until(troubles.dialog.isVisible)
    seen, untouched = troubles.dialog.report.toPlainText(), QGuiApplication.clipboard().text()
    await until(troubles.dialog.copy_button.hasFocus)
    press(troubles.dialog.copy_button, Qt.Key.Key_Return)
    copied = QGuiApplication.clipboard().text()
    troubles.dialog.accept()

    assert "the technical part" in seen and untouched == "before"
    assert copied == seen and not troubles.bar.isVisible()
    caplog.clear()


@on_a_desk
async def test_details_name_no_home_and_no_secret(desk, caplog):
    troubles = desk.context.troubles
    refuse(desk, detail=f"{Path.home()}/x with password=hunter22222")

    QtBot.mouseClick(troubles.bar.button("details"), LEFT)
    await until(troubles.dialog.isVisible)
    seen = troubles.dialog.report.toPlainText()
    troubles.dialog.accept()

    assert f"{Path.home()}/" not in seen and "hunter22222" not in seen
    caplog.clear()


@on_a_desk
async def test_several_troubles_wait_for_each_other(desk, caplog):
    desk.window.activateWindow()
    await until(desk.window.isActiveWindow)
    bar = desk.context.troubles.bar
    for words in ("First trouble.", "Second trouble.", "Third trouble."):
        refuse(desk, words)

    newest, place = bar.words, bar.counter.text()
    QtBot.mouseClick(bar.previous_button, LEFT)
    second = bar.words
    QtBot.mouseClick(bar._close, LEFT)
    after = bar.words, bar.counter.text()
    press(desk.window, Qt.Key.Key_F8)
    press(desk.window.focusWidget(), Qt.Key.Key_Escape)

    assert newest.startswith("Third") and place == "3 of 3" and second.startswith("Second")
    assert after[0].startswith("Third") and after[1] == "2 of 2"
    assert bar.words.startswith("First") and not bar.counter.isVisible()
    caplog.clear()


@on_a_desk
async def test_the_same_again_is_counted(desk, caplog):
    for _ in range(3):
        refuse(desk)

    assert desk.context.troubles.waiting == 1 and "3 times." in desk.context.troubles.bar.words
    caplog.clear()


@on_a_desk
async def test_very_many_troubles_are_bounded(desk, caplog):
    for number in range(50):
        refuse(desk, f"Trouble number {number}.")

    assert desk.context.troubles.waiting == 20
    assert desk.context.troubles.bar.words.startswith("Trouble number 49.")
    caplog.clear()


@on_a_desk
async def test_keys_reach_the_bar_and_escape_puts_it_away(desk, caplog):
    desk.window.activateWindow()
    await until(desk.window.isActiveWindow)
    refuse(desk)
    bar = desk.context.troubles.bar

    press(desk.window.session_list.table, Qt.Key.Key_F8)
    focused = bar.isAncestorOf(desk.window.focusWidget())
    press(desk.window.focusWidget(), Qt.Key.Key_Escape)

    assert focused and not bar.isVisible()
    caplog.clear()


@on_a_desk
async def test_a_fault_of_ours_opens_one_page_however_often_it_happens(desk, caplog):
    troubles = desk.context.troubles

    for _ in range(3):
        troubles.show(describe(ValueError("boom")))
    await until(troubles.dialog.isVisible)
    words = troubles.dialog.words
    troubles.dialog.accept()

    assert "This is a fault of ours; the application goes on. It happened 3 times." in words
    assert "boom" in troubles.last.report and troubles.waiting == 0
    caplog.clear()


@on_a_desk
async def test_what_comes_while_the_page_is_read_waits_its_turn(desk, caplog):
    troubles = desk.context.troubles
    troubles.show(describe(ValueError("boom")))
    await until(troubles.dialog.isVisible)
    before = troubles.dialog.report.toPlainText()

    refuse(desk)
    during = troubles.dialog.report.toPlainText(), troubles.dialog.counter.text()
    troubles.dialog.accept()

    assert during == (before, "1 of 2")
    assert troubles.bar.words.startswith("This cannot be done now.")
    caplog.clear()


@on_a_desk
async def test_a_page_never_opens_over_another_dialog(desk, caplog):
    asked = ConfirmSheet(desk.window, title="Really?", confirm="Yes")
    asked.open()
    await until(asked.isVisible)

    desk.context.troubles.show(describe(ValueError("boom")))

    assert not desk.context.troubles.dialog.isVisible()
    assert desk.context.troubles.bar.words.startswith("Something went wrong inside Holdfast.")
    asked.reject()
    caplog.clear()


@on_a_desk
async def test_settings_that_cannot_be_read_lead_to_the_settings(desk):
    desk.paths.settings.parent.mkdir(parents=True, exist_ok=True)
    desk.paths.settings.write_text('theme = "purple"\n')
    await desk.context.take_settings()
    bar = desk.context.troubles.bar

    words = bar.words
    QtBot.mouseClick(bar.button("application.settings"), LEFT)
    dialog = await until(lambda: (found := desk.window.findChild(SettingsDialog)) and found.isVisible() and found)

    assert "theme cannot be 'purple'" in words and "What was saved" not in words
    dialog.reject()


@on_a_desk
async def test_the_window_goes_on_after_a_fault(desk, caplog):
    async def fail():
        raise ValueError("boom")

    desk.context.scope.spawn(fail(), "a fault")
    await until(lambda: desk.incidents)
    desk.context.troubles.dialog.accept()
    desk.window.search_field.set_text("jitter")
    await until(lambda: len(desk.titles) == 1)

    assert [incident.is_bug for incident in desk.incidents] == [True]
    desk.incidents.clear()
    caplog.clear()


@on_a_desk
async def test_without_a_tray_the_window_cannot_close_to_it_and_says_so_once(desk):
    desk.context.settings = desk.context.settings.model_copy(update={"close_to_tray": True})
    traying = desk.parts.traying

    traying.say_what_is_missing()
    first = desk.context.toast.words
    desk.context.toast.hide()
    traying.say_what_is_missing()

    assert first.startswith("This desktop has no tray")
    assert desk.context.toast.words == ""
    traying.close_window()
    assert desk.context.scope.stop.is_set()


@on_a_desk
async def test_the_tray_offers_the_ten_newest_sessions(desk):
    desk.parts.traying.refill()
    tray: Tray = desk.parts.tray
    await until(lambda: len(tray._sessions) == 10)
    tray.menu.aboutToShow.emit()

    lines = [item.text() for item in tray.menu.actions() if item.text()]
    assert lines[0].startswith("Why does the nightly deploy time out? · kelp-api · ")
    assert lines[10:] == ["Open Holdfast", "Pause scanning", "Quit", "Search sessions"] or len(lines) == 14


@on_a_desk
async def test_pausing_is_shown_in_the_footer_and_the_menus(desk):
    desk.context.actions.run("application.pause")
    await until(lambda: "paused" in desk.window.places.status.words)
    paused = desk.context.actions.live["application.pause"].isChecked()

    desk.context.actions.run("application.pause")
    await until(lambda: "12 sessions" in desk.window.places.status.words)

    assert (paused, desk.context.actions.live["application.pause"].isChecked()) == (True, False)


@on_a_desk
async def test_the_help_lists_every_action_and_closes(desk):
    desk.context.actions.run("application.shortcuts")
    dialog = await until(lambda: desk.window.findChild(ShortcutsDialog))

    rows = dialog.table.model().rowCount()
    dialog.accept()

    assert rows == len(desk.context.actions.specs)


@on_a_desk
async def test_about_says_where_the_files_are(desk):
    desk.context.actions.run("application.about")
    dialog = await until(lambda: desk.window.findChild(AboutDialog))
    words = " ".join(label.text() for label in dialog.findChildren(QLabel))
    dialog.accept()

    assert str(desk.paths.data) in words and "Version" in words


@on_a_desk
async def test_a_kind_of_notification_can_be_switched_off_for_good(desk):
    actions = desk.context.actions
    actions.refresh()
    before = actions.live["application.notify_lost"].isChecked()

    actions.run("application.notify_lost")

    assert (before, actions.live["application.notify_lost"].isChecked()) == (True, False)
    assert Kind.LOST in desk.context.notifier.muted
    assert memory.load(desk.paths.config).muted == ["lost"]
