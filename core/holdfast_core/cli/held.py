"""`holdfast sessions create | append | save | close | fork | import`: sessions that Holdfast itself keeps."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from holdfast_core.cli import asking, listed
from holdfast_core.cli.context import Context
from holdfast_core.cli.index import ensure_index
from holdfast_core.errors import NotFound, Refused
from holdfast_core.export.document import entry_document
from holdfast_core.model.held import is_held_id
from holdfast_core.model.message import Role
from holdfast_core.model.session import SessionEntry

if TYPE_CHECKING:
    from holdfast_core.cli.commands import Commands


def add(group: Commands) -> None:
    """Add the commands to the group of sessions."""
    parser = group.add("create", create)
    parser.add_argument("--project", metavar="DIR", type=Path, required=True, help="the directory it is about")
    parser.add_argument("--title", default="", help="its title")
    parser.add_argument("--agent", default="", metavar="NAME", help="the agent that is to go on with it")
    parser.add_argument("--model", default="", help="the model that is to go on with it")
    parser = with_target(group.add("append", append))
    parser.add_argument("--role", choices=get_args(Role), required=True, help="who says it")
    parser.add_argument("--text", required=True, help="what is said; - reads it from standard input")
    with_target(group.add("save", save))
    with_target(group.add("close", close))
    parser = with_target(group.add("fork", fork))
    parser.add_argument("--at", type=_index, metavar="N", help="only what stands before its message N")
    parser = group.add("import", import_path)
    parser.add_argument("path", metavar="PATH", type=Path, help="a file or directory of another program, or our JSON")


async def create(context: Context, arguments: argparse.Namespace) -> None:
    """Make a session that Holdfast keeps, and print its id.

    It is one signed file of our own; every change to it is on the disk before
    the command ends.
    """
    from holdfast_core.model.held import SessionConfig

    project = arguments.project.expanduser().absolute()
    if not project.is_dir():
        raise NotFound("There is no such directory. Name the project's directory.", detail=str(project))
    config = SessionConfig(agent=arguments.agent, model=arguments.model)
    made = await context.library.held.create(str(project), title=arguments.title, config=config)
    _tell_removed(context)
    await _tell_new(context, made.id)


async def append(context: Context, arguments: argparse.Namespace) -> None:
    """Put a message at the end of a held session."""
    entry = await held_target(context, arguments.target)
    text = asking.typed_text(context, arguments.text)
    await context.library.held.append_text(entry.id, arguments.role, text)
    _tell_removed(context)
    await tell_entry(context, entry.id)


async def save(context: Context, arguments: argparse.Namespace) -> None:
    """Keep a session: an agent's as a copy of our own, a held one in its compact form.

    The copy of an agent's session stays when the agent deletes its file. What
    looks like a password or key is left out of it.
    """
    entry = await any_target(context, arguments.target)
    if is_held_id(entry.id):
        await context.library.held.compact(entry.id)
        await tell_entry(context, entry.id)
    else:
        kept = await context.library.held.archive(entry.id)
        _tell_removed(context)
        await _tell_new(context, kept.id)


async def close(context: Context, arguments: argparse.Namespace) -> None:
    """Close a held session with everything that was said in it."""
    entry = await held_target(context, arguments.target)
    await context.library.held.close(entry.id)
    await tell_entry(context, entry.id)


async def fork(context: Context, arguments: argparse.Namespace) -> None:
    """Make a copy of a held session that goes its own way, and print its id."""
    entry = await held_target(context, arguments.target)
    made = await context.library.held.fork(entry.id, at=arguments.at)
    await _tell_new(context, made.id)


async def import_path(context: Context, arguments: argparse.Namespace) -> None:
    """Take in sessions that another program stored in a form of its own, or that Holdfast exported as JSON.

    Each gets an id of its own; nothing that is here already is touched. What
    is missing here (a project, a file, an agent) is told.
    """
    report = await context.library.held.import_path(arguments.path.expanduser().absolute())
    _tell_removed(context)
    if context.is_json:
        imported = [
            {"id": one.id, "from": one.source, "title": one.title, "is_verified": one.is_verified}
            for one in report.imported
        ]
        context.print_json({"imported": imported, "warnings": report.warnings})
        return
    for one in report.imported:
        doubt = "" if one.is_verified else "  (not verified: read only until `sessions solve` adopts it)"
        context.print(f"{one.id}  {one.title}{doubt}")
    for warning in report.warnings:
        context.warn(warning)


def with_target(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Add the session that a command is about."""
    parser.add_argument("target", metavar="SESSION", help="number in the list, id, or title")
    return parser


async def any_target(context: Context, target: str) -> SessionEntry:
    """Return the session that a person names.

    Raises:
        NotFound: none is meant, or several are.
    """
    await ensure_index(context)
    return await listed.resolve(context, target)


async def held_target(context: Context, target: str) -> SessionEntry:
    """Return the held session that a person names.

    Raises:
        NotFound: none is meant, or several are.
        Refused: it is an agent's own.
    """
    entry = await any_target(context, target)
    if not is_held_id(entry.id):
        raise Refused(
            "This session is its agent's own, and Holdfast never changes an agent's files. "
            "`holdfast sessions save` keeps a copy that can be changed."
        )
    return entry


async def tell_entry(context: Context, session_id: str) -> None:
    """Print a session as it is in the list now, where that is asked for."""
    if context.is_json:
        context.print_json(entry_document(await context.library.entry(session_id)))


async def _tell_new(context: Context, session_id: str) -> None:
    if context.is_json:
        await tell_entry(context, session_id)
    else:
        context.print(session_id)


def _tell_removed(context: Context) -> None:
    removed = context.library.held.removed
    if removed:
        context.warn(f"Secrets were taken out of {asking.counted(removed, 'text')} before writing.")


def _index(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError("a whole number from 0")
    return int(text)
