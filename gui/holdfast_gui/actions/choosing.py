"""The settings under a person's hands: read, changed and put back, each at once and in the order of the hands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast_core.errors import Refused, WrongUsage
from holdfast_core.settings import change_setting, reset_settings
from PySide6.QtCore import QObject, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QFileDialog

from holdfast_gui.actions.left_out import offer
from holdfast_gui.actions.protecting import choose_passphrase, unlock
from holdfast_gui.models.settings import setting_rows, shown
from holdfast_gui.tasks import ask
from holdfast_gui.text import counted, one_line, tr
from holdfast_gui.views.confirm import ConfirmSheet
from holdfast_gui.views.left_out import LeftOutControl
from holdfast_gui.views.settings import SettingsDialog

if TYPE_CHECKING:
    from holdfast_gui.actions.context import Context

ENCRYPTED = "vault_encrypted"


class Choosing(QObject):
    """Keeps one dialog of settings in line with the settings file. What is refused is said beside its setting."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.window)
        self._context = context
        self._order = asyncio.Lock()
        self._newest: dict[str, object] = {}
        self.dialog = SettingsDialog(context.window)
        slot = context.scope.slot
        self.dialog.changed.connect(self.change)
        self.dialog.reset_wanted.connect(slot(self.reset))
        self.dialog.reset_all_wanted.connect(slot(self.reset_all))
        self.dialog.directory_wanted.connect(slot(self.pick))
        self.dialog.adding_wanted.connect(slot(self.leave_out))
        self.dialog.file_wanted.connect(slot(self.open_file))

    async def open(self, words: str = "") -> None:
        """Show the dialog beside the window, with the settings that hold ``words``."""
        self.dialog.names = {agent.agent: agent.name for agent in self._context.indexing.agents}
        await self._show()
        if words:
            self.dialog.search_for(words)
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()
        self.dialog.search.setFocus(Qt.FocusReason.OtherFocusReason)

    def change(self, key: str, value: Any) -> None:
        """Keep a value and let it count; of several in quick succession the last alone."""
        ticket = self._newest[key] = object()
        self._context.scope.spawn(self._change(key, value, ticket), "change a setting")

    async def _change(self, key: str, value: Any, ticket: object) -> None:
        if key == ENCRYPTED and value and not await self._has_passphrase():
            self._newest.pop(key, None)
            self.dialog.set_error(key, tr("Nothing is encrypted without a passphrase."))
            return
        write = partial(change_setting, self._context.paths, key, value)
        try:
            await self._write(key, write, is_wanted=lambda: self._newest.get(key) is ticket)
        except WrongUsage:
            self._newest.pop(key, None)
            row = self.dialog.item(key).row
            self.dialog.set_error(
                key,
                tr("This cannot be “{value}”. Allowed: {allowed}.").format(
                    value=one_line(str(value), limit=40), allowed=row.allowed
                ),
            )

    async def reset(self, key: str) -> None:
        """Let a setting's default count again."""
        await self._write(key, partial(reset_settings, self._context.paths, [key]))

    async def reset_all(self) -> None:
        """Let all defaults count again, if the person says so twice."""
        read = await self._context.read_settings()
        rows = [row for row in setting_rows(read) if row.source == "settings file"]
        if not rows:
            return
        sheet = ConfirmSheet(
            self.dialog,
            title=f"Reset {counted(len(rows), 'setting', 'settings')}?",
            message=tr("The values that you chose are forgotten:"),
            titles=[f"{row.title}: {shown(row, row.value)}" for row in rows],
            confirm=tr("Reset all"),
        )
        if await ask(sheet) == QDialog.DialogCode.Accepted:
            keys = [row.key for row in rows]
            await self._write(keys[0], partial(reset_settings, self._context.paths, keys))

    async def pick(self, key: str) -> None:
        """Choose a place on the disk in the desktop's own dialog."""
        row = self.dialog.item(key).row
        picker = QFileDialog(self.dialog, row.title)
        if row.key.endswith("_file"):
            picker.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
            picker.setOption(QFileDialog.Option.DontConfirmOverwrite)
        else:
            picker.setFileMode(QFileDialog.FileMode.Directory)
        picker.setDirectory(str(Path(row.value).parent if row.value else Path.home()))
        if await ask(picker) == QDialog.DialogCode.Accepted and picker.selectedFiles():
            self.change(key, picker.selectedFiles()[0])

    async def leave_out(self, key: str) -> None:
        """Choose from a menu what is left out of the vault."""
        control = self.dialog.item(key).control
        if isinstance(control, LeftOutControl):
            place = control.button.mapToGlobal(control.button.rect().bottomLeft())
            await offer(self._context, self.dialog, place, control.add)

    async def _has_passphrase(self) -> bool:
        """Return whether there is a passphrase that is known now, after asking for one where there is none."""
        held = self._context.library.held
        status = await held.keys()
        if status.is_encrypted:
            return status.is_unlocked or await unlock(self._context)
        passphrase = await choose_passphrase(self._context)
        if passphrase:
            await held.unlock(passphrase)  # the indexer, too
        return bool(passphrase)

    async def open_file(self) -> None:
        """Open the settings file in the desktop's editor; there is one as soon as anything was changed."""
        path = self._context.paths.settings
        is_there = await asyncio.to_thread(path.exists)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(path if is_there else path.parent)))

    async def _write(
        self, key: str, write: Callable[[], None], *, is_wanted: Callable[[], bool] = lambda: True
    ) -> None:
        async with self._order:
            if not is_wanted():
                return
            try:
                await asyncio.get_running_loop().run_in_executor(None, write)
            except Refused as error:
                self._newest.pop(key, None)
                self.dialog.set_error(key, str(error))
                return
            self.dialog.set_error(key, "")
            await self._context.follow_settings()
            if key == ENCRYPTED:
                self._say_encrypted()
            if is_wanted():
                self._newest.pop(key, None)
            await self._show()

    def _say_encrypted(self) -> None:
        settings = self._context.settings
        if settings is not None and settings.vault_encrypted:
            self._context.toast.say(tr("What is kept already is encrypted bit by bit, while nothing else is done"))
        else:
            self._context.toast.say(tr("What is kept from now on is not encrypted; what is encrypted stays so"))

    async def _show(self) -> None:
        """Show what counts, but where something newer is on its way to the file."""
        read = await self._context.read_settings()
        rows = [row for row in setting_rows(read) if row.key not in self._newest or not self.dialog.knows(row.key)]
        self.dialog.set_rows(rows, problem=" ".join(read.problems))
