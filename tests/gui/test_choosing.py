"""Settings as a person changes them, in the whole window: what is pressed reaches the file and counts."""

from __future__ import annotations

import asyncio
import tomllib

from holdfast_core.settings import Settings, change_setting, setting_infos
from holdfast_gui.actions.choosing import Choosing
from holdfast_gui.theme import theme
from holdfast_gui.views.confirm import ConfirmSheet
from holdfast_gui.views.settings import SettingsDialog
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QLineEdit, QMenu
from pytestqt.qtbot import QtBot

from tests.fakes.desk import on_a_desk
from tests.fakes.waiting import until

Key = Qt.Key
LEFT = Qt.MouseButton.LeftButton


async def opened(desk) -> SettingsDialog:
    desk.window.activateWindow()
    await until(desk.window.isActiveWindow)
    QtBot.keyClick(desk.window.session_list.table, Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    return await until(lambda: (found := desk.window.findChild(SettingsDialog)) and found.isVisible() and found)


def in_file(desk) -> dict:
    path = desk.paths.settings
    return tomllib.loads(path.read_text("utf-8")) if path.exists() else {}


async def kept(desk, key: str, value) -> None:
    await until(lambda: in_file(desk).get(key) == value, what=f"{key} = {value}")
    counts = tuple(value) if isinstance(value, list) else value
    await until(lambda: getattr(desk.context.settings, key) == counts, what=f"{key} counts")


def show(dialog: SettingsDialog, key: str):
    """Go to the section of a setting, and return what stands there."""
    item = dialog.item(key)
    dialog.show_section(item.row.section)
    return item


@on_a_desk
async def test_every_setting_there_is_stands_in_a_section(desk):
    dialog = await opened(desk)
    seen = []
    for section in dict.fromkeys(info.section for info in setting_infos()):
        dialog.show_section(section)
        seen += dialog.shown_keys()

    assert all(info.section for info in setting_infos())
    assert seen == list(Settings.model_fields)


@on_a_desk
async def test_a_switch_that_is_clicked_counts_at_once(desk):
    dialog = await opened(desk)
    item = show(dialog, "show_subagents")

    QTest.mouseClick(item.control.stop, LEFT)
    await kept(desk, "show_subagents", value=True)

    assert desk.context.browser.shows_subagents
    await until(item.reset_button.isVisible)
    QTest.mouseClick(item.reset_button, LEFT)
    await until(lambda: not item.control.stop.isChecked())
    assert in_file(desk) == {}


@on_a_desk
async def test_a_choice_made_by_keys_dresses_the_window(desk, qapp):
    dialog = await opened(desk)
    item = show(dialog, "theme")
    item.control.stop.setFocus()

    QTest.keyClick(item.control.stop, Key.Key_Space)
    menu = await until(lambda: (found := item.control.findChild(QMenu)) and found.isVisible() and found)
    QTest.keyClick(menu, Key.Key_Down)
    QTest.keyClick(menu, Key.Key_Down)
    QTest.keyClick(menu, Key.Key_Return)
    await kept(desk, "theme", "dark")

    assert theme().is_dark
    await until(lambda: item.control.stop.accessibleName() == "Theme: Dark")
    theme().apply(qapp, mode="light")


@on_a_desk
async def test_a_number_is_typed_or_stepped(desk):
    dialog = await opened(desk)
    field = show(dialog, "tray_sessions").control.stop
    field.setFocus()
    field.selectAll()

    QTest.keyClicks(field, "4")
    QTest.keyClick(field, Key.Key_Return)
    await kept(desk, "tray_sessions", 4)
    QTest.keyClick(field, Key.Key_Up)
    await kept(desk, "tray_sessions", 5)
    QTest.keyClick(field, Key.Key_PageUp)
    await kept(desk, "tray_sessions", 15)

    assert dialog.isVisible()


@on_a_desk
async def test_steps_faster_than_the_disk_are_all_counted(desk):
    dialog = await opened(desk)
    field = show(dialog, "tray_sessions").control.stop
    field.setFocus()

    for _ in range(12):
        QTest.keyClick(field, Key.Key_Up)
        await asyncio.sleep(0)
    await kept(desk, "tray_sessions", 22)

    assert field.text() == "22"


@on_a_desk
async def test_what_is_not_allowed_is_said_beside_it_and_changes_nothing(desk):
    dialog = await opened(desk)
    item = show(dialog, "autosave_seconds")
    field = item.control.stop
    field.setFocus()
    field.selectAll()

    QTest.keyClicks(field, "3")
    QTest.keyClick(field, Key.Key_Return)
    await until(lambda: item.error)

    assert "from 5 to 300" in item.error and item.error in field.accessibleDescription()
    assert field.text() == "3" and in_file(desk) == {}

    field.selectAll()
    QTest.keyClicks(field, "30")
    QTest.keyClick(field, Key.Key_Return)
    await kept(desk, "autosave_seconds", 30)
    await until(lambda: not item.error)


@on_a_desk
async def test_what_counts_only_later_says_so(desk):
    dialog = await opened(desk)
    item = show(dialog, "start_paused")

    QTest.mouseClick(item.control.stop, LEFT)
    await until(lambda: item.note)

    assert item.note == "Counts after the next start."
    assert not desk.context.indexing.is_paused


@on_a_desk
async def test_a_list_has_one_text_on_each_line(desk):
    dialog = await opened(desk)
    lines = show(dialog, "terminal_command").control.stop
    lines.setFocus()

    QTest.keyClicks(lines, "myterm")
    QTest.keyClick(lines, Key.Key_Return)
    QTest.keyClicks(lines, "{command}")
    QTest.keyClick(lines, Key.Key_Tab)

    await kept(desk, "terminal_command", ["myterm", "{command}"])


@on_a_desk
async def test_a_directory_is_picked_in_a_dialog_that_does_not_block(desk, tmp_path):
    dialog = await opened(desk)
    item = show(dialog, "sessions_directory")
    chosen = tmp_path / "elsewhere"
    chosen.mkdir()

    QTest.mouseClick(item.control.button, LEFT)
    picker = await until(lambda: dialog.findChild(QFileDialog))
    picker.setDirectory(str(tmp_path))
    picker.findChild(QLineEdit).setText(str(chosen))
    picker.done(QDialog.DialogCode.Accepted)

    await kept(desk, "sessions_directory", str(chosen))
    await until(lambda: item.control.stop.text() == str(chosen))


@on_a_desk
async def test_what_the_environment_decides_is_shown_and_cannot_be_changed_here(desk, monkeypatch):
    monkeypatch.setenv("HOLDFAST_TRAY_SESSIONS", "7")
    desk.context.overrides = {"log_level": "warning"}
    dialog = await opened(desk)
    by_environment, by_command = show(dialog, "tray_sessions"), dialog.item("log_level")

    assert not by_environment.control.isEnabled() and by_environment.control.stop.text() == "7"
    assert "HOLDFAST_TRAY_SESSIONS decides this" in by_environment.note
    assert not by_command.control.isEnabled() and "command line" in by_command.note


@on_a_desk
async def test_words_find_settings_in_all_sections_and_escape_steps_back(desk):
    dialog = await opened(desk)

    QTest.keyClicks(dialog.search, "trash")
    found = dialog.shown_keys()
    QTest.keyClicks(dialog.search, " zzz")
    nothing = dialog.shown_keys()
    is_said = dialog.empty.isVisible()
    QTest.keyClick(dialog.search, Key.Key_Escape)

    assert "trash_days" in found and "at_limit" in found and "theme" not in found
    assert nothing == [] and is_said
    assert dialog.isVisible() and dialog.search.text() == ""
    QTest.keyClick(dialog.search, Key.Key_Escape)
    assert not dialog.isVisible()


@on_a_desk
async def test_all_are_reset_after_a_question_that_names_them(desk):
    dialog = await opened(desk)
    QTest.mouseClick(show(dialog, "close_to_tray").control.stop, LEFT)
    await kept(desk, "close_to_tray", value=True)
    await until(dialog.reset_button.isEnabled)

    QTest.mouseClick(dialog.reset_button, LEFT)
    sheet = await until(lambda: dialog.findChild(ConfirmSheet))
    said = sheet.words
    QTest.mouseClick(sheet.confirm_button, LEFT)

    await until(lambda: in_file(desk) == {})
    assert said.startswith("Reset 1 setting?") and "Close to the tray: on" in said
    await until(lambda: not desk.context.settings.close_to_tray)


@on_a_desk
async def test_a_file_that_is_no_toml_is_told_and_left_as_it_is(desk):
    desk.paths.settings.parent.mkdir(parents=True, exist_ok=True)
    desk.paths.settings.write_text("theme = = \n")
    dialog = await opened(desk)
    item = show(dialog, "close_to_tray")

    QTest.mouseClick(item.control.stop, LEFT)
    await until(lambda: item.error)

    assert "not valid TOML" in item.error
    assert desk.paths.settings.read_text() == "theme = = \n"
    assert not item.control.stop.isChecked()


@on_a_desk
async def test_tab_goes_from_the_search_over_the_sections_to_the_settings_and_the_foot(desk):
    dialog = await opened(desk)
    dialog.show_section("Held sessions")
    stops = [dialog.search]
    QTest.keyClick(dialog.focusWidget(), Key.Key_Tab)
    while dialog.focusWidget() is not dialog.search:
        stops.append(dialog.focusWidget())
        QTest.keyClick(dialog.focusWidget(), Key.Key_Tab)

    names = [stop.accessibleName() for stop in stops]
    assert names[:4] == [
        "Search settings", "Held sessions", "Where held sessions are kept", "Choose: Where held sessions are kept",
    ]  # fmt: skip
    assert names[4] == "Save live sessions every, seconds" and stops[-1] is dialog.file_button
    assert all(names[:-1])


@on_a_desk
async def test_arrows_go_through_the_sections(desk):
    dialog = await opened(desk)
    QTest.keyClick(dialog.search, Key.Key_Tab)

    QTest.keyClick(dialog.focusWidget(), Key.Key_Down)

    assert dialog.section == "Finding sessions" and "rescan_seconds" in dialog.shown_keys()


@on_a_desk
async def test_a_screen_reader_hears_what_each_control_is(desk):
    dialog = await opened(desk)
    switch = QAccessible.queryAccessibleInterface(show(dialog, "close_to_tray").control.stop)
    number = QAccessible.queryAccessibleInterface(show(dialog, "autosave_seconds").control.stop)

    assert switch.text(QAccessible.Text.Name) == "Close to the tray" and switch.state().checkable
    assert number.role() == QAccessible.Role.EditableText
    assert "5 to 300" in number.text(QAccessible.Text.Description)


@on_a_desk
async def test_asking_again_shows_the_same_dialog(desk):
    first = await opened(desk)
    first.reject()
    second = await opened(desk)

    assert first is second and len(desk.window.findChildren(Choosing)) == 1
    assert not second.isModal()


@on_a_desk
async def test_the_text_size_reaches_the_dialog_that_changes_it(desk, qapp):
    dialog = await opened(desk)
    item = show(dialog, "font_scale")
    before = item.control.stop.width()
    item.control.stop.setFocus()
    item.control.stop.selectAll()

    QTest.keyClicks(item.control.stop, "2")
    QTest.keyClick(item.control.stop, Key.Key_Return)
    await kept(desk, "font_scale", 2)

    await until(lambda: item.control.stop.width() >= 1.9 * before)
    assert QApplication.focusWidget() in (item.control.stop, None)
    theme().apply(qapp, mode="light", scale=1)


@on_a_desk
async def test_what_a_command_line_writes_counts_in_the_window(desk):
    change_setting(desk.paths, "encrypted_in_index", "everything")

    desk.context.library.settings_changed.notify(None)

    await until(lambda: desk.context.settings.encrypted_in_index == "everything")
    assert desk.context.library.held.indexed.shows_encrypted
