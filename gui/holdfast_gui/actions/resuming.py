"""Continue a session in its agent's own program, and what to do where that cannot be as it was."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from holdfast_core.errors import AgentMissing, ProjectGone
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFileDialog

from holdfast_gui.tasks import ask
from holdfast_gui.text import project_name
from holdfast_gui.views.choice import Choice, ChoiceDialog

if TYPE_CHECKING:
    from holdfast_core.model.resume import ResumePlan

    from holdfast_gui.actions.context import Context


async def resume(context: Context, session_id: str, *, fork: bool = False) -> None:
    """Continue a session in a terminal; where its directory is gone, ask for the new one and remember it."""
    project: Path | None = None
    while True:
        try:
            plan = await context.library.resume(session_id, fork=fork, project=project)
        except ProjectGone as error:
            project = await _ask_for_project(context, error)
            if project is None:
                return
            continue
        except AgentMissing as error:
            await _offer_command(context, error)
            return
        _confirm(context, plan)
        return


async def copy_command(context: Context, session_id: str) -> None:
    """Put the command that continues a session on the clipboard."""
    try:
        shell_line = (await context.library.resume_plan(session_id)).shell_line
    except AgentMissing as error:
        shell_line = error.shell_line
    if shell_line:
        context.copy(shell_line, "Resume command copied")
    else:
        context.toast.say("This command cannot be written safely for a shell")


def _confirm(context: Context, plan: ResumePlan) -> None:
    if plan.method == "terminal":
        context.toast.say(f"Continues in {plan.terminal}")
    elif plan.shell_line:
        context.copy(plan.shell_line, "No terminal was found: the command is on the clipboard")


async def _ask_for_project(context: Context, error: ProjectGone) -> Path | None:
    """Offer the places where the project may be now, and any other."""
    choices = [Choice(path, project_name(path), path) for path in error.candidates]
    choices.append(Choice("", "Choose another folder…", ""))
    dialog = ChoiceDialog(
        context.window,
        title="The project has moved",
        message=str(error),
        detail=error.path,
        choices=choices,
        accept="Continue there",
    )
    if await ask(dialog) != QDialog.DialogCode.Accepted:
        return None
    if dialog.chosen:
        return Path(dialog.chosen)
    return await _ask_for_folder(context, error.path)


async def _ask_for_folder(context: Context, gone: str) -> Path | None:
    dialog = QFileDialog(context.window, "Where the project is now")
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, on=False)
    above = next((parent for parent in Path(gone).parents if parent.is_dir()), Path.home())
    dialog.setDirectory(str(above))
    if await ask(dialog) != QDialog.DialogCode.Accepted:
        return None
    files = dialog.selectedFiles()
    return Path(files[0]) if files else None


async def _offer_command(context: Context, error: AgentMissing) -> None:
    """Say how to get the agent; the command itself is of use in another shell or on another machine."""
    dialog = ChoiceDialog(
        context.window,
        title="It cannot continue here",
        message=str(error),
        detail=error.shell_line,
        choices=(),
        accept="Copy command" if error.shell_line else "Close",
        leave="Close" if error.shell_line else "",
    )
    if await ask(dialog) == QDialog.DialogCode.Accepted and error.shell_line:
        context.copy(error.shell_line, "Resume command copied")
