"""What is done with versions of agents' sessions: read, given back, undone, mended, named, exported."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast_core import clock
from holdfast_core.errors import HoldfastError, Locked, NotFound, NotNow, Refused
from holdfast_core.model.vault import WITHOUT_CONTENT
from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QDialog, QFileDialog

from holdfast_gui.actions.exporting import FILTERS
from holdfast_gui.dragdrop import Item, file_names
from holdfast_gui.models.vault import RESTORE
from holdfast_gui.models.versions import version_ms, version_title
from holdfast_gui.tasks import ask
from holdfast_gui.text import counted, later, one_line, size, tr, when
from holdfast_gui.views.choice import Choice, ChoiceDialog
from holdfast_gui.views.notice import NoticeAction
from holdfast_gui.views.vault_sheets import NameSheet, RepairSheet, RestoreSheet

if TYPE_CHECKING:
    from holdfast_core.model.session import SessionEntry
    from holdfast_core.model.vault import Restored, VaultReport, Version

    from holdfast_gui.actions.context import Context


_SETTINGS = ("application.settings", later("Open settings…"))


async def restore_to_agent(context: Context, session_id: str, number: int | None = None, *, asks: bool = True) -> bool:
    """Give a version back to the agent, the fullest without a number, if the person says so; it can be undone."""
    vaulted, entry = context.library.vaulted, await context.library.entry(session_id)
    version = await vaulted.chosen(session_id, number)
    now = (await vaulted.versions(session_id))[0]
    if asks:
        sheet = RestoreSheet(
            context.window,
            title=entry.title,
            agent=agent_name(context, entry),
            comes=_comes(version),
            gives_way=_gives_way(version, now),
        )
        if await ask(sheet) != QDialog.DialogCode.Accepted:
            return False
    with _told(context, RESTORE):
        with _at_work(context, tr("Restoring")):
            done = await vaulted.restore(session_id, version.number)
        _say_given_back(context, entry, done, tr("Restored to {agent}"))
        return True
    return False


async def restore_as_held(context: Context, session_id: str, number: int | None = None) -> None:
    """Keep a version as a session of our own, and show it."""
    with _told(context, "vault.restore_held"):
        done = await context.library.vaulted.restore(session_id, number, to="held")
        context.keeping.look()
        context.browser.reveal(done.session_id)
        context.toast.say(tr("Kept as a held session"))


async def restore_to_file(context: Context, session_id: str, number: int | None = None) -> None:
    """Ask for a file, and write a version to it as its agent wrote it; never over another file."""
    version = await context.library.vaulted.chosen(session_id, number)
    dialog = _save_dialog(context, tr("Restore to a file"), Path(version.path).name or "session")
    dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
    if await ask(dialog) != QDialog.DialogCode.Accepted:
        return
    target = Path(dialog.selectedFiles()[0])
    with _told(context, "vault.restore_file"):
        await context.library.vaulted.restore(session_id, version.number, to=str(target))
        context.toast.say(tr("Version {number} written to {name}").format(number=version.number, name=target.name))


async def undo_restore(context: Context, session_id: str) -> None:
    """Put back what the agent had before; where it has gone on since, only if the person insists."""
    vaulted, is_forced = context.library.vaulted, False
    while True:
        try:
            context.guarding.undone.add(session_id)
            with _at_work(context, tr("Undoing")):
                await vaulted.undo(session_id, is_forced=is_forced)
        except NotNow as error:
            context.troubles.tell(_kept(error), NoticeAction("vault.undo", tr("Try again"), is_primary=True))
            return
        except Refused as error:
            if is_forced or isinstance(error, Locked) or not await _insists(context, error):
                return
            is_forced = True
            continue
        break
    if context.keeping.given_back == session_id:
        context.keeping.given_back = ""
    _look_again(context, session_id)
    context.toast.say(tr("The agent has again what it had before"))


async def repair_transcript(context: Context, session_id: str) -> None:
    """List what would be changed in what the agent has, and write the mended copy if the person says so."""
    vaulted, entry = context.library.vaulted, await context.library.entry(session_id)
    with _told(context, "vault.repair"):
        with _at_work(context, tr("Looking for damage")):
            plan = await vaulted.repair_plan(session_id)
        sheet = RepairSheet(context.window, title=entry.title, agent=agent_name(context, entry), plan=plan)
        if await ask(sheet) != QDialog.DialogCode.Accepted:
            return
        with _at_work(context, tr("Repairing")):
            done = await vaulted.repair(session_id)
        _say_given_back(context, entry, done, tr("Repaired for {agent}"))


async def open_version(context: Context, session_id: str, number: int, *, message_index: int = -1) -> None:
    """Read a version in the transcript, at a message of it; what the session shows now is read as that."""
    vaulted = context.library.vaulted
    version = await vaulted.chosen(session_id, number)
    if version.reason in WITHOUT_CONTENT:
        context.toast.say(tr("The file was gone then: there is nothing to read"))
        return
    session = await vaulted.session(session_id, number)
    context.reading.show_version(session, version, message_index=message_index)


async def name_version(context: Context, session_id: str, number: int) -> None:
    """Ask what a version is to be called."""
    vaulted = context.library.vaulted
    version = await vaulted.chosen(session_id, number)
    sheet = NameSheet(context.window, version=_described(version), name=version.tag)
    if await ask(sheet) == QDialog.DialogCode.Accepted and sheet.name != version.tag:
        await vaulted.tag(session_id, number, sheet.name)
        context.guarding.show_detail()


async def export_version(context: Context, session_id: str, number: int) -> None:
    """Ask for a file, and write a version there as Markdown, JSON or plain text."""
    entry = await context.library.entry(session_id)
    dialog = _save_dialog(context, tr("Export version"), file_names([Item(entry.id, entry.title)], "md")[0])
    filters = {tr(words): form for words, form in FILTERS.items()}
    dialog.setNameFilters(list(filters))
    dialog.setDefaultSuffix("md")
    dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix(filters[chosen]))
    if await ask(dialog) != QDialog.DialogCode.Accepted:
        return
    target = Path(dialog.selectedFiles()[0])
    by_name = {f".{form}": form for form in FILTERS.values()}
    form = by_name.get(target.suffix.lower(), filters[dialog.selectedNameFilter()])
    # The dialog has asked before it gave the name of a file that is there.
    await context.library.vaulted.export(session_id, number, target, form, overwrite=True)
    context.toast.say(tr("Version {number} exported to {name}").format(number=number, name=target.name))


async def keep_session_now(context: Context, session_id: str) -> None:
    """Look at the agents' files now, and say whether the session is kept as it is."""
    with _at_work(context, tr("Looking at the agents' files")):
        await context.library.update()
    versions = await context.library.vaulted.versions(session_id)
    context.guarding.look(expiring=True)
    context.guarding.show_detail()
    status = await context.library.vaulted.status()
    if not versions or not status.is_enabled or status.is_locked or status.free_bytes < status.reserve_bytes:
        way = NoticeAction("held.unlock", tr("Unlock…")) if status.is_locked else NoticeAction(*_SETTINGS)
        context.troubles.tell(_why_not(status.is_enabled, status.is_locked, bool(versions)), way)
        return
    context.toast.say(tr("Kept: {messages}").format(messages=version_title(versions[0])))


async def verify_vault(context: Context) -> None:
    """Check all of the vault with progress, until it is done or stopped; one at a time."""
    guarding, progress = context.guarding, context.window.progress
    if guarding.is_verifying:
        return
    stopped: list[bool] = []
    guarding.is_verifying = True
    context.refresh()
    listening = progress.cancelled.connect(lambda: stopped.append(True))
    progress.start(tr("Verifying the vault"))
    try:
        report = await context.library.vaulted.verify(
            on_progress=lambda done: progress.advance(done.done, done.total),
            should_stop=lambda: bool(stopped) or context.scope.stop.is_set(),
        )
    finally:
        progress.cancelled.disconnect(listening)
        progress.finish()
        guarding.is_verifying = False
        context.refresh()
        guarding.look()
        guarding.show_detail()
    _say_verified(context, report)


async def restored_first(context: Context, session_id: str) -> bool:
    """Offer to restore a session before it is resumed, where its file is gone or not whole; False is not to go on."""
    entry = await context.library.entry(session_id)
    if not (entry.is_gone or entry.lost_messages):
        return True
    agent = agent_name(context, entry)
    missing = counted(entry.lost_messages, "message is", "messages are")
    why = tr("The file of this session is gone at {agent}.") if entry.is_gone else tr("{missing} gone at {agent}.")
    first = Choice(
        "restore",
        tr("Restore it, then continue"),
        tr("{agent} gets back all that is safe here. It can be undone.").format(agent=agent),
    )
    as_it_is = Choice(
        "go_on", tr("Continue with what is left"), tr("{agent} knows nothing of the rest.").format(agent=agent)
    )
    dialog = ChoiceDialog(
        context.window,
        title=tr("Restore it first?"),
        message=why.format(agent=agent, missing=missing),
        detail="",
        choices=(first,) if entry.is_gone else (first, as_it_is),
        accept=tr("Continue"),
    )
    if await ask(dialog) != QDialog.DialogCode.Accepted:
        return False
    return dialog.chosen == "go_on" or await restore_to_agent(context, session_id, asks=False)


def agent_name(context: Context, entry: SessionEntry) -> str:
    """Return what a session's agent is called."""
    info = context.reading.agents.get(entry.agent)
    return one_line(info.name) if info else entry.agent


def _comes(version: Version) -> str:
    words = tr("Version {number} with {messages}, from {when}, is written where the agent looks for it.")
    return words.format(number=version.number, messages=version_title(version), when=_from(version))


def _gives_way(version: Version, now: Version) -> str:
    if now.reason in WITHOUT_CONTENT:
        return tr("Nothing stands in its place now.")
    if now.number == version.number:
        return tr("That is also the newest version: where the file is unchanged, nothing changes.")
    return tr("What is there now, {messages}, gives way. It is kept as a version: you can undo this.").format(
        messages=version_title(now)
    )


def _described(version: Version) -> str:
    words = tr("Version {number}, {messages}, from {when}")
    return words.format(number=version.number, messages=version_title(version), when=_from(version))


def _from(version: Version) -> str:
    return when(version_ms(version), clock.now())


def _say_given_back(context: Context, entry: SessionEntry, done: Restored, words: str) -> None:
    context.keeping.given_back = entry.id
    _look_again(context, entry.id)
    said = words.format(agent=agent_name(context, entry))
    context.toast.say(said, tr("Undo"), lambda: context.actions.run("held.undo"))
    if done.notes:
        context.keeping.bar.show_notice(said, " ".join(done.notes), kind="info")


def _look_again(context: Context, session_id: str) -> None:
    """Show what became of a session."""
    context.refresh()
    context.guarding.look(expiring=True)
    if context.reading.session_id == session_id:
        context.reading.back_to_now()
        context.reading.open_again()


@contextmanager
def _told(context: Context, again: str) -> Iterator[None]:
    """Tell what could not be done now in the window, with what may be done instead."""
    try:
        yield
    except Locked as error:
        context.troubles.tell(_kept(error), NoticeAction("held.unlock", tr("Unlock…"), is_primary=True))
    except NotNow as error:
        context.troubles.tell(_kept(error), NoticeAction(again, tr("Try again"), is_primary=True))
    except Refused as error:
        context.troubles.tell(
            _kept(error),
            NoticeAction("vault.restore_file", tr("Restore to a file…")),
            NoticeAction("vault.restore_held", tr("Restore as a held session")),
        )
    except NotFound as error:
        context.troubles.tell(str(error), NoticeAction("application.rescan", tr("Look again")))


@contextmanager
def _at_work(context: Context, words: str) -> Iterator[None]:
    """Say what goes on, which cannot be stopped."""
    progress = context.window.progress
    if progress.isVisible():  # it says how far something else has come
        yield
        return
    progress.start(words, can_cancel=False)
    try:
        yield
    finally:
        progress.finish()


def _kept(error: HoldfastError) -> str:
    return f"{error} {error.kept or tr('Nothing was changed.')}"


async def _insists(context: Context, error: Refused) -> bool:
    """Ask whether to put back all the same what the agent had before."""
    dialog = ChoiceDialog(
        context.window,
        title=tr("Undo all the same?"),
        message=f"{error} {tr('What was added is kept in the vault.')}",
        detail="",
        choices=(),
        accept=tr("Undo all the same"),
        leave=tr("Cancel"),
    )
    return await ask(dialog) == QDialog.DialogCode.Accepted


def _save_dialog(context: Context, title: str, name: str) -> QFileDialog:
    dialog = QFileDialog(context.window, title)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    documents = Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation))
    dialog.setDirectory(str(documents if documents.is_dir() else Path.home()))
    dialog.selectFile(name)
    return dialog


def _why_not(is_enabled: bool, is_locked: bool, has_versions: bool) -> str:
    if not is_enabled:
        return tr("The vault is switched off: nothing new is kept. Switch it on in the settings.")
    if is_locked:
        return tr("The vault is locked: nothing new is kept. Unlock it first.")
    if has_versions:
        return tr("The disk has less free space than you want to keep free: nothing new is kept. Make room first.")
    return tr("This session is not kept. Look in the settings whether it is left out of the vault.")


def _say_verified(context: Context, report: VaultReport) -> None:
    files = counted(report.checked, "session file", "session files")
    mended = tr("{count} mended from the agents' files.").format(count=f"{report.repaired:,}")
    after = f" {mended}" if report.repaired else ""
    if report.bad:
        damaged = len({(one.agent, one.key) for one in report.bad})
        bad = counted(damaged, "session file is damaged in the vault", "session files are damaged in the vault")
        words = tr("{bad}. All else is whole. The details of a session say which of its versions are meant.")
        context.troubles.tell(words.format(bad=bad) + after)
    elif not report.is_complete:
        context.toast.say(tr("Stopped: {files} verified so far, all whole.").format(files=files) + after)
    else:
        words = tr("Every version is whole: {files}, {size}.")
        context.toast.say(words.format(files=files, size=size(report.checked_bytes)) + after)
