"""What protects held sessions: unlocking, encrypting, the recovery code, and taking it away again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast_core.errors import Refused
from PySide6.QtWidgets import QDialog

from holdfast_gui.tasks import ask
from holdfast_gui.text import counted, tr
from holdfast_gui.views.confirm import ConfirmSheet
from holdfast_gui.views.passphrase import PassphraseSheet, RecoverySheet, UnlockSheet

if TYPE_CHECKING:
    from holdfast_gui.actions.context import Context


async def unlock(context: Context) -> bool:
    """Ask for the passphrase until it is right or the person gives up; returns whether it was right."""
    sheet = UnlockSheet(context.window)

    async def check(words: str) -> None:
        sheet.set_busy(True)
        try:
            await context.library.held.unlock(words)
        except Refused as error:
            sheet.fail(str(error))
            sheet.set_busy(False)
        else:
            sheet.accept()

    sheet.wanted.connect(context.scope.slot(check))
    if await ask(sheet) != QDialog.DialogCode.Accepted:
        return False
    context.toast.say(tr("Unlocked until Holdfast ends"))
    context.keeping.bar.hide()
    context.keeping.look()
    context.reading.open_again()
    return True


async def lock(context: Context) -> None:
    """Forget the passphrase in this program."""
    await context.library.held.lock()
    context.keeping.look()
    context.reading.open_again()
    context.toast.say(tr("Locked"))


async def choose_passphrase(context: Context) -> str:
    """Encrypt held sessions, or change their passphrase; the recovery code is shown once.

    Returns the passphrase, empty if none was chosen.
    """
    status = await context.library.held.keys()
    if status.is_encrypted and not status.is_unlocked and not await unlock(context):
        return ""
    sheet = PassphraseSheet(context.window, is_change=status.is_encrypted)
    if await ask(sheet) != QDialog.DialogCode.Accepted:
        return ""
    passphrase, progress = sheet.passphrase, context.window.progress
    progress.start(
        tr("Encrypting held sessions") if not status.is_encrypted else tr("Changing the passphrase"), can_cancel=False
    )
    try:
        code = await context.library.held.set_passphrase(passphrase)
    finally:
        progress.finish()
    shown = RecoverySheet(context.window, code)
    shown.copy_wanted.connect(lambda words: context.copy(words, tr("Recovery code copied")))
    await ask(shown)
    context.keeping.look()
    if left := await context.library.held.in_the_clear():
        files = counted(len(left), "file", "files")
        context.troubles.tell(
            tr("{files} among your sessions could not be encrypted. They stay as they were.").format(files=files)
        )
        return passphrase
    context.toast.say(tr("Held sessions are encrypted") if not status.is_encrypted else tr("Passphrase changed"))
    return passphrase


async def remove_passphrase(context: Context) -> None:
    """Write held sessions without encryption again, if the person says so."""
    status = await context.library.held.keys()
    if not status.is_unlocked and not await unlock(context):
        return
    sheet = ConfirmSheet(
        context.window,
        title=tr("Remove the encryption?"),
        message=tr("Every held session is written anew, readable for whoever can read your files."),
        consequence=tr("Passphrase and recovery code count no more. The sessions stay signed."),
        confirm=tr("Remove encryption"),
    )
    if await ask(sheet) != QDialog.DialogCode.Accepted:
        return
    context.window.progress.start(tr("Removing the encryption"), can_cancel=False)
    try:
        count = await context.library.held.remove_passphrase()
    finally:
        context.window.progress.finish()
    context.keeping.look()
    context.toast.say(
        tr("{sessions} written without encryption").format(sessions=counted(count, "session", "sessions"))
    )
