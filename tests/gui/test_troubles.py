"""Failures as a person sees them, and the tray where there is none."""

from holdfast_core.errors import Refused
from holdfast_gui.actions import memory
from holdfast_gui.crash import describe
from holdfast_gui.notify import Kind
from holdfast_gui.tray import Tray
from holdfast_gui.views.about import AboutDialog
from holdfast_gui.views.shortcuts import ShortcutsDialog
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel

from tests.fakes.desk import on_a_desk
from tests.fakes.waiting import until


@on_a_desk
async def test_what_can_be_mended_is_a_bar_with_details_and_a_report(desk, caplog):
    troubles = desk.context.troubles
    troubles.show(describe(Refused("This cannot be done now.", detail="the technical part")))
    words = troubles.bar.words

    troubles.bar.report_wanted.emit()
    report = QGuiApplication.clipboard().text()
    troubles.bar.details_wanted.emit()
    await until(troubles.dialog.isVisible)
    troubles.dialog.accept()

    assert words.startswith("This cannot be done now. (HF-")
    assert "the technical part" in report and not troubles.bar.isVisible()
    caplog.clear()


@on_a_desk
async def test_a_fault_of_ours_opens_one_page_however_often_it_happens(desk, caplog):
    troubles = desk.context.troubles

    for _ in range(3):
        troubles.show(describe(ValueError("boom")))
    await until(troubles.dialog.isVisible)
    note = troubles.dialog._note.text()
    troubles.dialog.accept()

    assert note == "It happened 3 times since this page opened."
    assert "boom" in troubles.last.report
    caplog.clear()


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
