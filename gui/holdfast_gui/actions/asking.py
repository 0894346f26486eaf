"""Where a project is now: asked in the window, with the places where it may be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFileDialog, QWidget

from holdfast_gui.tasks import ask
from holdfast_gui.text import one_line, project_name, tr
from holdfast_gui.views.choice import Choice, ChoiceDialog

if TYPE_CHECKING:
    from holdfast_core.errors import NeedsCopy, ProjectGone, Untrusted


async def ask_for_project(window: QWidget, error: ProjectGone) -> Path | None:
    """Offer the places where the project may be now, and any other."""
    choices = [Choice(path, project_name(path), path) for path in error.candidates]
    choices.append(Choice("", tr("Choose another folder…"), ""))
    dialog = ChoiceDialog(
        window,
        title=tr("The project has moved"),
        message=str(error),
        detail=error.path,
        choices=choices,
        accept=tr("Continue there"),
    )
    if await ask(dialog) != QDialog.DialogCode.Accepted:
        return None
    if dialog.chosen:
        return Path(dialog.chosen)
    return await ask_for_folder(window, error.path)


async def ask_to_trust(window: QWidget, error: Untrusted) -> bool:
    """Say whose the project's folder is, and ask whether the session may go on there all the same."""
    if error.owner:
        headline = tr("This folder belongs to “{owner}”").format(owner=one_line(error.owner))
        message = tr(
            "What stands in a project is read and run by the agent. Continue there only if you trust who owns it."
        )
    else:
        headline = tr("Everybody on this computer can change this folder")
        message = tr(
            "What stands in a project is read and run by the agent. Continue there only if you trust all who use "
            "this computer, or mend the folder's permissions first."
        )
    dialog = ChoiceDialog(
        window,
        title=headline,
        message=message,
        detail=error.path,
        choices=(),
        accept=tr("Continue there this once"),
        leave=tr("Cancel"),
    )
    return await ask(dialog) == QDialog.DialogCode.Accepted


async def ask_to_copy(window: QWidget, error: NeedsCopy) -> bool:
    """Say that the agent would not find the session in the new folder, and ask whether a copy may be put there."""
    dialog = ChoiceDialog(
        window,
        title=tr("The agent would not find this session there"),
        message=tr(
            "It looks only for sessions that were made in the folder. A copy of this one can be put there; "
            "the session itself stays where it is."
        ),
        detail=error.path,
        choices=(),
        accept=tr("Put a copy there and continue"),
        leave=tr("Cancel"),
    )
    return await ask(dialog) == QDialog.DialogCode.Accepted


async def ask_for_folder(window: QWidget, gone: str) -> Path | None:
    """Ask where a project is, beginning beside the place where it was."""
    dialog = QFileDialog(window, tr("Where the project is now"))
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, on=False)
    above = next((parent for parent in Path(gone).parents if parent.is_dir()), Path.home())
    dialog.setDirectory(str(above))
    if await ask(dialog) != QDialog.DialogCode.Accepted:
        return None
    files = dialog.selectedFiles()
    return Path(files[0]) if files else None
