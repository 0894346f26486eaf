"""`holdfast resume`: continue a session, in its agent's own program or as one of our own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast_core.cli import asking, keeping, listed
from holdfast_core.cli.context import Context
from holdfast_core.cli.held import held_target
from holdfast_core.cli.index import ensure_index
from holdfast_core.cli.sessions import print_entries
from holdfast_core.errors import NeedsCopy, WrongUsage
from holdfast_core.export.document import entry_document
from holdfast_core.model.held import is_held_id
from holdfast_core.model.resume import ResumeChoice, ResumePlan
from holdfast_core.model.session import SessionEntry

if TYPE_CHECKING:
    from holdfast_core.cli.commands import Commands

_OFFERED = 10
_LOOKED_FURTHER = 40


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add("resume", resume)
    parser.add_argument("target", nargs="?", metavar="SESSION", help="number in the list, id, or title")
    parser.add_argument("--terminal", metavar="NAME", help="a terminal by name, here, copy, or auto")
    parser.add_argument("--fork", action="store_true", help="continue in a copy, where the agent can")
    parser.add_argument("--project", metavar="DIR", type=Path, help="continue in this directory; it is remembered")
    parser.add_argument(
        "--trust-directory", action="store_true", help="also in a directory that others own or can change"
    )
    parser.add_argument(
        "--copy", action="store_true", help="put a copy where the agent looks from that directory, if it needs one"
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be run")
    parser = asking.add_yes(commands.add("resume delete", delete_held))
    parser.add_argument("target", metavar="SESSION", help="number in the list, id, or title")
    asking.add_yes(commands.add("resume clear", clear_held))


async def resume(context: Context, arguments: argparse.Namespace) -> None:
    """Continue a session where it stopped, in the right directory.

    In a terminal it continues right there; elsewhere, and with --terminal, a
    terminal is opened. Without a session, those that you used last are listed.
    """
    await ensure_index(context)
    if arguments.target is None:
        await _offer(context)
        return
    entry = await listed.resolve(context, arguments.target)
    if is_held_id(entry.id):
        await _resume_held(context, entry, arguments)
        return
    terminal = arguments.terminal or ("here" if _is_in_terminal(context) else None)
    choice = ResumeChoice(
        terminal=terminal,
        fork=arguments.fork,
        project=arguments.project,
        is_trusted=arguments.trust_directory,
        with_copy=arguments.copy,
    )
    try:
        await _continue(context, entry, arguments, choice)
    except NeedsCopy as error:
        raise NeedsCopy(f"{error} Say that it may with --copy.", path=error.path) from error


async def delete_held(context: Context, arguments: argparse.Namespace) -> None:
    """Move a held session that could be resumed to the trash."""
    entry = await held_target(context, arguments.target)
    await keeping.delete_held(context, [entry.id], arguments)


async def clear_held(context: Context, arguments: argparse.Namespace) -> None:
    """Move all held sessions to the trash, but those that are live, starred, or tagged keep."""
    loss = await context.library.held.loss()
    if loss.sessions:
        keeping.confirm_deletion(context, loss, arguments)
    keeping.tell_deleted(context, await context.library.held.clear() if loss.sessions else [])


async def _continue(context: Context, entry: SessionEntry, arguments: argparse.Namespace, choice: ResumeChoice) -> None:
    if arguments.dry_run:
        _tell(context, await context.library.resume_plan(entry.id, **choice))
    elif choice.get("terminal") == "here":
        _check_own_terminal(context)
        plan = await context.library.resume_plan(entry.id, **choice)
        await context.library.put_copy(plan)
        await _here(context, plan, entry, is_chosen=arguments.project is not None)
    else:
        plan = await context.library.resume(entry.id, **choice)
        if plan.method == "copy":
            context.warn("Run this where you want to go on:")
        _tell(context, plan)


async def _resume_held(context: Context, entry: SessionEntry, arguments: argparse.Namespace) -> None:
    """Make a held session live, with all that is checked then, and close it in good order: nothing runs in it yet."""
    if arguments.terminal or arguments.fork:
        raise WrongUsage("A session that Holdfast keeps opens in no terminal. `sessions fork` makes a copy of it.")
    done = await context.library.held.resume(
        entry.id, arguments.project, is_trusted=arguments.trust_directory, dry_run=arguments.dry_run
    )
    document = {"argv": [], "cwd": done.project_path, "terminal": "", "method": "held", "session_id": done.id}
    if context.is_json:
        context.print_json({**document, "shell_line": "", "message_count": done.message_count})
    else:
        messages = asking.counted(done.message_count, "message")
        context.print(f"“{done.title}” can go on in {done.project_path}, with {messages}.")


async def _offer(context: Context) -> None:
    entries = await _resumable(context)
    if context.is_json:
        context.print_json([entry_document(entry) for entry in entries])
        return
    print_entries(context, entries)
    context.warn("Name one of them: holdfast resume NUMBER")


async def _resumable(context: Context) -> list[SessionEntry]:
    """Return the newest sessions that can go on: none that is live, and no held one whose project is open in one."""
    library = context.library
    live = await library.entries(await library.keys("is:live"))
    open_projects = {entry.project_path for entry in live if entry.project_path}
    keys = await library.keys("-is:live")
    newest = await library.entries(keys[: _OFFERED + _LOOKED_FURTHER])
    found = [one for one in newest if not (is_held_id(one.id) and one.project_path in open_projects)]
    return found[:_OFFERED]


def _is_in_terminal(context: Context) -> bool:
    return not context.is_json and not context.is_embedded and context.is_terminal and sys.stdin.isatty()


def _check_own_terminal(context: Context) -> None:
    if context.is_embedded:
        raise WrongUsage("There is no terminal here that the agent could take over. Name another one.")
    if context.is_json:
        raise WrongUsage("Here the agent itself takes the output: leave out --json.")


async def _here(context: Context, plan: ResumePlan, entry: SessionEntry, *, is_chosen: bool) -> None:
    """Become the agent; the library is closed first, as nothing of it must be held open."""
    from holdfast_core.agents.base import Home
    from holdfast_core.resume import run_here
    from holdfast_core.store.annotations import remember_if_moved

    if is_chosen:
        remember_if_moved(context.paths.annotations, entry.project_path, plan.cwd)
    context.warn(f"Continuing {entry.title or entry.native_id} in {plan.cwd}")
    await context.close()
    context.out.flush()
    context.exit_code = run_here(plan, Home(context.agents_home, context.environment))


def _tell(context: Context, plan: ResumePlan) -> None:
    if context.is_json:
        context.print_json(_document(plan))
    elif plan.method == "terminal":
        context.print(f"{plan.terminal}: {plan.shell_line}")
    else:
        context.print(plan.shell_line)


def _document(plan: ResumePlan) -> dict[str, Any]:
    return {
        "argv": plan.argv,
        "cwd": plan.cwd,
        "terminal": plan.terminal,
        "method": plan.method,
        "session_id": plan.session_id,
        "shell_line": plan.shell_line,
    }
