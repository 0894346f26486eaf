"""`holdfast sessions rename | tag | star | note`: what a person says of sessions, kept apart from the agents' files."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from holdfast_core.cli import asking, listed
from holdfast_core.cli.context import Context
from holdfast_core.cli.index import ensure_index
from holdfast_core.errors import WrongUsage
from holdfast_core.export.document import entry_document

if TYPE_CHECKING:
    from holdfast_core.cli.commands import Commands


def add(group: Commands) -> None:
    """Add the commands to the group of sessions."""
    parser = _with_target(group.add("rename", rename))
    parser.add_argument("title", nargs="?", help="the new title")
    parser.add_argument("--reset", action="store_true", help="give the agent's own title back")
    parser = _with_target(group.add("tag", tag))
    parser.add_argument("tags", nargs="+", metavar="TAG", help="tags to put on")
    parser.add_argument("--remove", action="store_true", help="take these tags off")
    parser = _with_target(group.add("star", star))
    parser.add_argument("--off", action="store_true", help="take the star off")
    parser = _with_target(group.add("note", note))
    parser.add_argument("text", nargs="?", help="the note, Markdown; - reads it from standard input")
    parser.add_argument("--clear", action="store_true", help="remove the note")


async def rename(context: Context, arguments: argparse.Namespace) -> None:
    """Give a session a title of your own; the agent's file stays as it is."""
    if (arguments.title is None) != arguments.reset:
        raise WrongUsage("Name either a new title or --reset.")
    await _annotate(context, arguments.target, title=arguments.title)


async def tag(context: Context, arguments: argparse.Namespace) -> None:
    """Put tags on a session, or take them off."""
    await _annotate(context, arguments.target, **{"remove_tags" if arguments.remove else "add_tags": arguments.tags})


async def star(context: Context, arguments: argparse.Namespace) -> None:
    """Mark a session with a star, or take it off."""
    await _annotate(context, arguments.target, starred=not arguments.off)


async def note(context: Context, arguments: argparse.Namespace) -> None:
    """Write a note about a session; it is searched too."""
    if (arguments.text is None) != arguments.clear:
        raise WrongUsage("Name either the note's text or --clear.")
    text = "" if arguments.clear else asking.typed_text(context, arguments.text)
    await _annotate(context, arguments.target, note=text)


def _with_target(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("target", metavar="SESSION", help="number in the list, id, or title")
    return parser


async def _annotate(context: Context, target: str, **edit: Any) -> None:
    await ensure_index(context)
    entry = await listed.resolve(context, target)
    await context.library.annotate([entry.id], **edit)
    if context.is_json:
        context.print_json(entry_document(await context.library.entry(entry.id)))
