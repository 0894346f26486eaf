"""The settings of the vault in the whole window: what is left out, and its encryption."""

from __future__ import annotations

import tomllib

from holdfast_gui.actions.application import open_settings
from holdfast_gui.views.left_out import LeftOutControl, left_out_words
from holdfast_gui.views.passphrase import PassphraseSheet, RecoverySheet
from holdfast_gui.views.settings import SettingsDialog
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from tests.fakes.desk import on_a_desk
from tests.fakes.waiting import until

LEFT = Qt.MouseButton.LeftButton
PASSPHRASE = "seven calm harbours"


async def vault_section(desk) -> SettingsDialog:
    await open_settings(desk.context)
    dialog = desk.window.findChild(SettingsDialog)
    dialog.show_section("Vault")
    return dialog


def in_file(desk) -> dict:
    path = desk.paths.settings
    return tomllib.loads(path.read_text("utf-8")) if path.exists() else {}


async def menu_of(dialog: SettingsDialog) -> QMenu:
    return await until(lambda: next((one for one in dialog.findChildren(QMenu) if one.isVisible()), None))


def test_what_is_left_out_is_told_in_words():
    names = {"codex": "Codex"}

    assert left_out_words("agent:codex", names) == "All sessions of Codex"
    assert left_out_words("agent:other", names) == "All sessions of other"
    assert left_out_words("project:/home/me/big", names) == "/home/me/big and all below it"
    assert left_out_words("kind:subagent", names) == "Subagents"


@on_a_desk
async def test_something_is_put_on_the_list_by_a_menu_and_taken_off_by_its_button(desk):
    dialog = await vault_section(desk)
    control = dialog.item("vault_left_out").control
    assert isinstance(control, LeftOutControl) and not control.lines

    QTest.mouseClick(control.button, LEFT)
    menu = await menu_of(dialog)
    next(action for action in menu.actions() if action.text() == "&Subagents").trigger()
    await until(lambda: in_file(desk).get("vault_left_out") == ["kind:subagent"])
    await until(lambda: [line.words for line in control.lines] == ["Subagents"])

    QTest.mouseClick(control.lines[0].button, LEFT)
    await until(lambda: in_file(desk).get("vault_left_out") == [])
    await until(lambda: not control.lines)


@on_a_desk
async def test_agents_and_projects_are_offered_by_name(desk):
    dialog = await vault_section(desk)
    control = dialog.item("vault_left_out").control

    QTest.mouseClick(control.button, LEFT)
    menu = await menu_of(dialog)
    agents = next(action.menu() for action in menu.actions() if action.text() == "An &agent")
    next(action for action in agents.actions() if action.text() == "Codex").trigger()
    await until(lambda: [line.words for line in control.lines] == ["All sessions of Codex"])

    assert in_file(desk)["vault_left_out"] == ["agent:codex"]
    projects = next(action.menu() for action in menu.actions() if action.text() == "A &project")
    assert projects.actions()
    menu.close()


@on_a_desk
async def test_without_a_passphrase_nothing_is_encrypted(desk):
    dialog = await vault_section(desk)
    item = dialog.item("vault_encrypted")

    QTest.mouseClick(item.control.stop, LEFT)
    sheet = await until(lambda: desk.window.findChild(PassphraseSheet))
    sheet.reject()
    await until(lambda: item.error)

    assert item.error == "Nothing is encrypted without a passphrase."
    assert not item.control.switch.isChecked() and "vault_encrypted" not in in_file(desk)


@on_a_desk
async def test_switching_encryption_on_asks_for_the_passphrase(desk):
    dialog = await vault_section(desk)
    item = dialog.item("vault_encrypted")

    QTest.mouseClick(item.control.stop, LEFT)
    sheet = await until(lambda: desk.window.findChild(PassphraseSheet))
    sheet.field.setText(PASSPHRASE)
    sheet.again.setText(PASSPHRASE)
    QTest.mouseClick(sheet.accept_button, LEFT)
    code = await until(lambda: desk.window.findChild(RecoverySheet))
    code.accept()
    await until(lambda: in_file(desk).get("vault_encrypted") is True)

    await until(lambda: desk.context.toast.words.startswith("What is kept already is encrypted bit by bit"))
    assert desk.context.library.held.parts.vault().is_encrypted
