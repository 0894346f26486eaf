"""`holdfast sessions list | filter | show | search | export`: find and read sessions."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from holdfast_core import clock
from holdfast_core.cli import listed
from holdfast_core.cli.commands import count_of
from holdfast_core.cli.context import Context
from holdfast_core.cli.index import ensure_index
from holdfast_core.errors import WrongUsage
from holdfast_core.export.document import entry_document, iso_time
from holdfast_core.model.export import ExportFormat, ExportOptions
from holdfast_core.model.held import is_held_id
from holdfast_core.model.query import Sort
from holdfast_core.model.search import Hit, SearchResult
from holdfast_core.model.session import SessionEntry

if TYPE_CHECKING:
    from holdfast_core.cli.commands import Commands

_SHOWN_TO_PEOPLE = 50
_OUTPUT_LINES = 8
_SORTS = get_args(Sort)
_ASCENDING = ("title", "project", "agent")


def add(commands: Commands) -> None:
    """Add the commands of this group; other modules add to the same one."""
    from holdfast_core.cli import held, keeping, marks, problems

    group = commands.group("sessions", "Find, read, mark, export and keep sessions")
    parser = _with_order(group.add("list", list_sessions))
    parser.add_argument("--filter", default="", metavar="QUERY", help="only those that meet a query, see search")
    parser = _with_order(group.add("filter", filter_sessions))
    parser.add_argument("query", nargs="+", metavar="QUERY", help="filters and words that sessions are to meet")
    parser = group.add("show", show)
    parser.add_argument("target", metavar="SESSION", help="number in the list, id, or title")
    parser = group.add("search", search)
    parser.add_argument("query", nargs="+", metavar="QUERY", help='words, "phrases" and filters')
    parser.add_argument("--limit", type=count_of, default=20, metavar="N", help="at most so many messages (20)")
    parser.add_argument("--sort", choices=("relevance", "time"), default="relevance")
    parser = group.add("export", export)
    parser.add_argument("target", metavar="SESSION", help="number in the list, id, or title")
    parser.add_argument("--format", choices=get_args(ExportFormat), help="else as the settings say")
    parser.add_argument("-o", "--output", metavar="PATH", help="file or directory to write; - for standard output")
    parser.add_argument("--force", action="store_true", help="replace a file that is there")
    parser.add_argument("--thinking", action=argparse.BooleanOptionalAction, help="with the model's reasoning")
    parser.add_argument("--tool-output", action=argparse.BooleanOptionalAction, help="with what tools gave back")
    parser.add_argument("--images", action=argparse.BooleanOptionalAction, help="with the pictures themselves")
    for module in (marks, held, keeping, problems):
        module.add(group)


async def list_sessions(context: Context, arguments: argparse.Namespace) -> None:
    """List sessions, newest first.

    The number before each can be used wherever a session is named, until the
    next list.
    """
    await _list(context, arguments, arguments.filter)


async def filter_sessions(context: Context, arguments: argparse.Namespace) -> None:
    """List exactly the sessions that meet a query, newest first.

    Filters are those of search: agent: project: branch: model: tag: is: has:
    after: before: on: tokens: cost: and the others.
    """
    await _list(context, arguments, " ".join(arguments.query))


def _with_order(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--limit", type=count_of, metavar="N", help="at most so many (people: 50, --json: all)")
    parser.add_argument("--sort", type=_sort, default="updated", metavar="FIELD", help=", ".join(_SORTS))
    parser.add_argument("--reverse", action="store_true", help="turn the order round")
    parser.add_argument("--subagents", action="store_true", help="sessions that other sessions started, too")
    return parser


async def _list(context: Context, arguments: argparse.Namespace, query: str) -> None:
    await ensure_index(context)
    descending = (arguments.sort not in _ASCENDING) != arguments.reverse
    keys = await context.library.keys(query, sort=arguments.sort, descending=descending, subagents=arguments.subagents)
    limit = arguments.limit or (len(keys) if context.is_json else _SHOWN_TO_PEOPLE)
    entries = await context.library.entries(keys[:limit])
    if context.is_json:
        context.print_json([entry_document(entry) for entry in entries])
        return
    print_entries(context, entries)
    if len(keys) > len(entries):
        context.warn(f"{len(entries):,} of {len(keys):,} sessions. More with --limit.")


def print_entries(context: Context, entries: list[SessionEntry]) -> None:
    """Write a numbered table of sessions and remember its numbers."""
    if not entries:
        context.warn("No sessions.")
        return
    listed.remember(context, [entry.id for entry in entries])
    rows = [
        [
            f"{number}",
            ("★ " if entry.starred else "") + (entry.title or entry.preview or entry.native_id),
            entry.project_path.replace("\\", "/").rstrip("/").rpartition("/")[2],
            entry.agent,
            f"{entry.message_count:,}",
            _age(entry.updated_ms),
        ]
        for number, entry in enumerate(entries, 1)
    ]
    context.table(["#", "Title", "Project", "Agent", "Messages", "Changed"], rows, flexible=[1, 2])


async def show(context: Context, arguments: argparse.Namespace) -> None:
    """Show a whole session, read from its agent's own file."""
    await ensure_index(context)
    entry = await listed.resolve(context, arguments.target)
    loaded = await context.library.load(entry.id)
    if context.is_json:
        from holdfast_core.export import json

        # As in the list and no pictures, which would be most of the text; an export has them.
        options = ExportOptions(images=False)
        parts = json.render(loaded.session, options, entry=loaded.entry)
        if is_held_id(loaded.entry.id):
            parts = await context.library.held.rendered(loaded, options)
        for part in parts:
            context.out.write(part)
        return
    from holdfast_core.export import text

    for part in text.render(loaded.session, entry=loaded.entry, output_lines=_OUTPUT_LINES):
        context.out.write(part)


async def search(context: Context, arguments: argparse.Namespace) -> None:
    """Search everything that was said and done in all sessions.

    Words are all to be found; "a phrase"; OR, parentheses, -not; filters:
    agent: project: branch: model: role: kind: tool: file: tag: title: is: has:
    after: before: on: tokens: cost: and /regular expressions/.
    """
    await ensure_index(context)
    text = " ".join(arguments.query)
    result = await context.library.search(text, limit=arguments.limit, sort=arguments.sort)
    totals = (result.total_sessions, result.total_messages)
    if not result.is_exact:
        totals = await context.library.count(text)
    if context.is_json:
        context.print_json(_search_document(result, totals))
        return
    _print_hits(context, result.hits)
    context.warn(f"{totals[1]:,} messages in {totals[0]:,} sessions, {result.wall_seconds:.2f} s.")


async def export(context: Context, arguments: argparse.Namespace) -> None:
    """Write a session to a file, as Markdown, plain text or complete JSON.

    Without -o the file is made in the present directory, named after the
    session. A file that is there is not replaced without --force.
    """
    from holdfast_core import export as exports

    export_format = arguments.format or context.settings.export_format
    options = _options(arguments, exports.options_from(context.settings, export_format))
    if arguments.output == "-" and context.is_json:
        raise WrongUsage("With -o - the session itself is the output: leave out --json.")
    await ensure_index(context)
    entry = await listed.resolve(context, arguments.target)
    loaded = await context.library.load(entry.id)
    text = await context.library.rendered(loaded, export_format, options)
    if arguments.output == "-":
        for part in text:
            context.out.write(part)
        return
    place = Path(arguments.output) if arguments.output else Path.cwd()
    path = exports.target_path(place, loaded.entry, export_format)
    size = exports.write(path, text, overwrite=arguments.force)
    if context.is_json:
        context.print_json({"path": str(path.absolute()), "bytes": size, "removed": []})
    else:
        context.print(str(path))


def _options(arguments: argparse.Namespace, options: ExportOptions) -> ExportOptions:
    def choice(typed: bool | None, otherwise: bool) -> bool:
        return otherwise if typed is None else typed

    return ExportOptions(
        thinking=choice(arguments.thinking, options.thinking),
        tool_output=choice(arguments.tool_output, options.tool_output),
        images=choice(arguments.images, options.images),
    )


def _search_document(result: SearchResult, totals: tuple[int, int]) -> dict[str, Any]:
    return {
        "total_sessions": totals[0],
        "total_messages": totals[1],
        "wall_seconds": result.wall_seconds,
        "hits": [
            {
                "session_id": hit.session_id,
                "agent": hit.agent,
                "title": hit.title,
                "message_index": hit.message_index,
                "kind": hit.block_kind,
                "snippet": hit.snippet,
                "highlights": hit.highlights,
                "score": hit.score,
                "timestamp": iso_time(hit.timestamp_ms),
            }
            for hit in result.hits
        ],
    }


def _print_hits(context: Context, hits: tuple[Hit, ...]) -> None:
    """Write hits below the title of their session, numbered as a list."""
    sessions: dict[str, list[Hit]] = {}
    for hit in hits:
        sessions.setdefault(hit.session_id, []).append(hit)
    if sessions:
        listed.remember(context, list(sessions))
    for number, found in enumerate(sessions.values(), 1):
        context.print(f"{number}  {found[0].title}  ({found[0].agent})")
        for hit in found:
            place = f"#{hit.message_index + 1} {hit.block_kind}" if hit.message_index >= 0 else hit.block_kind
            context.print(f"   {place}: {' '.join(hit.snippet.split())}")


def _age(updated_ms: int | None) -> str:
    """Return how long ago a moment was, or its day if that is long."""
    if updated_ms is None:
        return ""
    seconds = (clock.now_ms() - updated_ms) / 1000
    for limit, size, unit in ((3600, 60, "min"), (86_400, 3600, "h"), (7 * 86_400, 86_400, "d")):
        if 0 <= seconds < limit:
            return f"{seconds // size:.0f} {unit} ago"
    return (iso_time(updated_ms) or "")[:10]


def _sort(text: str) -> str:
    if text not in _SORTS:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(_SORTS)}")
    return text
