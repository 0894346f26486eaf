"""Continue a session in its agent's own program, and what to do where that cannot be as it was."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from holdfast_core.errors import AgentMissing, NeedsCopy, ProjectGone, Untrusted
from holdfast_core.model.held import is_held_id
from PySide6.QtWidgets import QDialog

from holdfast_gui.actions.asking import ask_for_project, ask_to_copy, ask_to_trust
from holdfast_gui.tasks import ask
from holdfast_gui.text import tr
from holdfast_gui.views.choice import ChoiceDialog

if TYPE_CHECKING:
    from holdfast_core.model.resume import ResumePlan

    from holdfast_gui.actions.context import Context


async def resume(context: Context, session_id: str, *, fork: bool = False) -> None:
    """Continue a session in a terminal, or live here if it is ours; one that is not whole is restored first."""
    if is_held_id(session_id):
        from holdfast_gui.actions.held_work import resume_held

        await resume_held(context, session_id)
        return
    from holdfast_gui.actions.vault_work import restored_first

    if fork or await restored_first(context, session_id):
        await _resume(context, session_id, fork=fork)


async def _resume(context: Context, session_id: str, *, fork: bool) -> None:
    """Continue an agent's session; where its directory is gone, ask for the new one and remember it."""
    project: Path | None = None
    is_trusted = with_copy = False
    while True:
        try:
            plan = await context.library.resume(
                session_id, fork=fork, project=project, is_trusted=is_trusted, with_copy=with_copy
            )
        except ProjectGone as error:
            project = await ask_for_project(context.window, error)
            if project is None:
                return
            continue
        except Untrusted as error:
            is_trusted = await ask_to_trust(context.window, error)
            if not is_trusted:
                return
            continue
        except NeedsCopy as error:
            with_copy = await ask_to_copy(context.window, error)
            if not with_copy:
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
        context.copy(shell_line, tr("Resume command copied"))
    else:
        context.toast.say(tr("This command cannot be written safely for a shell"))


def _confirm(context: Context, plan: ResumePlan) -> None:
    if plan.method == "terminal":
        context.toast.say(tr("Continues in {terminal}").format(terminal=plan.terminal))
    elif plan.shell_line:
        context.copy(plan.shell_line, tr("No terminal was found: the command is on the clipboard"))


async def _offer_command(context: Context, error: AgentMissing) -> None:
    """Say how to get the agent; the command itself is of use in another shell or on another machine."""
    dialog = ChoiceDialog(
        context.window,
        title=tr("It cannot continue here"),
        message=str(error),
        detail=error.shell_line,
        choices=(),
        accept=tr("Copy command") if error.shell_line else tr("Close"),
        leave="Close" if error.shell_line else "",
    )
    if await ask(dialog) == QDialog.DialogCode.Accepted and error.shell_line:
        context.copy(error.shell_line, tr("Resume command copied"))
