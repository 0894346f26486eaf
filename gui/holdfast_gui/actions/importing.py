"""Sessions of other programs, and exported ones, taken in: chosen or dropped, shown first, then kept."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast_core.errors import HoldfastError
from PySide6.QtCore import QEvent, QMimeData, QObject
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QDialog, QFileDialog

from holdfast_gui.actions.homes import offer_home
from holdfast_gui.tasks import ask
from holdfast_gui.text import counted, tr
from holdfast_gui.views.drop_veil import DropVeil
from holdfast_gui.views.import_preview import ImportSheet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast_core.model.keeping import ImportReport

    from holdfast_gui.actions.context import Context
    from holdfast_gui.views.notice import TaskProgress


async def choose_import(context: Context, *, is_folder: bool) -> None:
    """Ask for files or a folder, and import what is in them."""
    dialog = QFileDialog(context.window, tr("Import sessions"))
    dialog.setFileMode(QFileDialog.FileMode.Directory if is_folder else QFileDialog.FileMode.ExistingFiles)
    if not is_folder:
        dialog.setNameFilters([tr("Sessions (*.json)"), tr("All files (*)")])
    dialog.setDirectory(str(Path.home()))
    if await ask(dialog) == QDialog.DialogCode.Accepted:
        await import_paths(context, [Path(chosen) for chosen in dialog.selectedFiles()])


async def import_paths(context: Context, paths: Sequence[Path]) -> None:
    """Show what is in files and folders, and keep it if the person says so.

    What an agent's own directory holds is not taken in: that directory is offered to be looked in.

    Raises:
        HoldfastError: nothing of it is of a format that is known.
    """
    held, progress = context.library.held, context.window.progress
    progress.start(tr("Looking into what is to be imported"), can_cancel=False)
    try:
        known, reports = await _look_into(context, paths)
    except HoldfastError:
        progress.finish()
        if await offer_home(context, paths):
            return
        raise
    finally:
        progress.finish()
    if not any(report.imported for report in reports) and await offer_home(context, paths):
        return
    if await ask(ImportSheet(context.window, reports)) != QDialog.DialogCode.Accepted:
        return
    total = sum(len(report.imported) for report in reports)
    done: list[str] = []
    progress.start(tr("Importing sessions"), can_cancel=False)
    try:
        for path in known:
            report = await held.import_path(path, on_progress=partial(_advance, progress, len(done), total))
            done += [each.id for each in report.imported]
    finally:
        progress.finish()
    context.keeping.look()
    if done:
        context.browser.reveal(done[0])
    context.toast.say(f"{counted(len(done), 'session', 'sessions')} imported")


def _advance(progress: TaskProgress, before: int, total: int, made: int, _failed: int) -> None:
    progress.advance(before + made, total)


async def _look_into(context: Context, paths: Sequence[Path]) -> tuple[list[Path], list[ImportReport]]:
    """Return what can be looked into and what is there; raises only if that is nothing."""
    known: list[Path] = []
    reports: list[ImportReport] = []
    failed: HoldfastError | None = None
    for path in paths:
        try:
            reports.append(await context.library.held.look_into(path))
            known.append(path)
        except HoldfastError as error:
            failed = error
    if failed is not None and not known:
        raise failed
    return known, reports


class Dropping(QObject):
    """Takes files and folders that are dropped on the window, unless they were dragged out of it."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.window)
        self._context = context
        self.veil = DropVeil(context.window)
        context.window.setAcceptDrops(True)
        context.window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """See Qt."""
        if isinstance(event, QDragEnterEvent):
            return self._on_enter(event)
        if isinstance(event, QDragMoveEvent):
            event.setAccepted(self.veil.isVisible())
        elif event.type() == QEvent.Type.DragLeave:
            self.veil.hide()
        elif isinstance(event, QDropEvent) and event.type() == QEvent.Type.Drop:
            return self._on_drop(event)
        return False

    def _on_enter(self, event: QDragEnterEvent) -> bool:
        if event.source() is not None or not local_paths(event.mimeData()):
            return False
        event.acceptProposedAction()
        self.veil.cover()
        return True

    def _on_drop(self, event: QDropEvent) -> bool:
        self.veil.hide()
        paths = local_paths(event.mimeData())
        if event.source() is not None or not paths:
            return False
        event.acceptProposedAction()
        self._context.scope.spawn(import_paths(self._context, paths), "import what was dropped")
        return True


def local_paths(data: QMimeData) -> list[Path]:
    """Return the files and folders of this machine that a drag carries."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile() and url.toLocalFile()]
