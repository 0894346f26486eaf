"""`holdfast sessions delete | trash | restore | backup | clean | verify | repair | migrate`: care for held sessions."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import msgspec

from holdfast_core.cli import asking
from holdfast_core.cli.context import Context
from holdfast_core.cli.held import held_target, tell_entry, with_target
from holdfast_core.errors import Ambiguous, NotFound, WrongUsage
from holdfast_core.export.document import iso_time, minute
from holdfast_core.export.plain import one_line
from holdfast_core.model.keeping import StartSummary, TrashEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast_core.cli.commands import Commands
    from holdfast_core.model.keeping import Loss

_LEAST_LETTERS = 4  # of an id in the trash: fewer may be a number in the list


def add(group: Commands) -> None:
    """Add the commands to the group of sessions."""
    parser = asking.add_yes(group.add("delete", delete))
    parser.add_argument("targets", nargs="+", metavar="SESSION", help="number in the list, id, or title")
    parser = asking.add_yes(group.add("trash", trash))
    parser.add_argument("--empty", action="store_true", help="remove for good what is in the trash")
    parser.add_argument("targets", nargs="*", metavar="SESSION", help="with --empty: only these")
    parser = asking.add_yes(with_target(group.add("restore", restore)))
    parser.add_argument("--version", type=int, metavar="N", dest="backup", help="this backup, see `sessions backups`")
    parser = group.add("backup", backup)
    parser.add_argument("targets", nargs="*", metavar="SESSION", help="only these; else all held sessions")
    with_target(group.add("backups", backups))
    parser = asking.add_yes(group.add("clean", clean))
    parser.add_argument("--dry-run", action="store_true", help="only say how near the limits are")
    parser = group.add("verify", verify)
    parser.add_argument("targets", nargs="*", metavar="SESSION", help="only these; else all held sessions")
    group.add("repair", repair)
    group.add("migrate", migrate)


async def delete(context: Context, arguments: argparse.Namespace) -> None:
    """Move held sessions to the trash.

    From there `sessions restore` brings them back until the days of the
    setting trash_days are over. Files of agents are never deleted.
    """
    await delete_held(context, await _ids(context, arguments.targets), arguments)


async def delete_held(context: Context, ids: Sequence[str], arguments: argparse.Namespace) -> None:
    """Move held sessions to the trash, once the person has agreed to what that takes away.

    Raises:
        Refused: the person does not want it or cannot be asked, or none of them may go.
    """
    held = context.library.held
    loss = await held.loss(ids)
    if loss.sessions:
        confirm_deletion(context, loss, arguments)
    tell_deleted(context, await held.delete(ids))


def confirm_deletion(context: Context, loss: Loss, arguments: argparse.Namespace) -> None:
    """Ask before sessions go to the trash, and say for how long they stay there.

    Raises:
        Refused: the person does not want it, or cannot be asked.
    """
    days = context.settings.trash_days
    stay = f"for {asking.counted(days, 'day')}" if days else "until it is emptied"
    question = f"{asking.loss_words(loss)} What goes to the trash stays there {stay}."
    asking.confirm(context, question, arguments)


async def trash(context: Context, arguments: argparse.Namespace) -> None:
    """List what is in the trash; with --empty, remove it for good."""
    entries = await context.library.held.trash()
    if not arguments.empty:
        if arguments.targets:
            raise WrongUsage("Name sessions only with --empty.")
        _list_trash(context, entries)
        return
    chosen = [_in_trash(entries, target) for target in arguments.targets] if arguments.targets else entries
    messages, size = sum(one.message_count for one in chosen), sum(one.size_bytes for one in chosen)
    asking.confirm(
        context,
        f"{asking.counted(len(chosen), 'session')} with {asking.counted(messages, 'message')} "
        f"({asking.size_words(size)}) will be gone for good, with all backups. Nothing can bring them back.",
        arguments,
    )
    tell_done(context, await context.library.held.empty_trash([one.id for one in chosen]), "session", "gone for good")


async def restore(context: Context, arguments: argparse.Namespace) -> None:
    """Bring a held session back from the trash, or an earlier state of it from its backups.

    A session that is in no trash gets its newest good backup, or the one that
    --version names; its present state becomes a backup itself.
    """
    held = context.library.held
    found = None if arguments.backup is not None else _found_in_trash(await held.trash(), arguments.target)
    if found is not None:
        await held.undelete([found.id])
        await tell_entry(context, found.id)
        return
    entry = await held_target(context, arguments.target)
    which = f"backup {arguments.backup}" if arguments.backup is not None else "the newest good backup"
    title = entry.title or entry.preview or entry.id
    asking.confirm(
        context,
        f"What “{title}” holds now ({asking.counted(entry.message_count, 'message')}) gives way to {which}. "
        "It is kept as a backup.",
        arguments,
    )
    await held.restore(entry.id, arguments.backup)
    await tell_entry(context, entry.id)


async def backup(context: Context, arguments: argparse.Namespace) -> None:
    """Keep the present state of held sessions as backups."""
    ids = await _ids(context, arguments.targets) if arguments.targets else None
    tell_done(context, await context.library.held.backup(ids), "session", "backed up")


async def backups(context: Context, arguments: argparse.Namespace) -> None:
    """List the earlier states of a held session that are kept, newest first."""
    entry = await held_target(context, arguments.target)
    found = await context.library.held.backups(entry.id)
    if context.is_json:
        context.print_json([timed(one) for one in found])
        return
    rows = [
        [
            f"{one.version}",
            minute(one.created_ms),
            one.reason,
            asking.size_words(one.size_bytes),
            "" if one.is_valid else "bad",
        ]
        for one in found
    ]
    if rows:
        context.table(["Version", "When", "Why", "Size", ""], rows, flexible=[2])
    else:
        context.warn("No backups.")


async def clean(context: Context, arguments: argparse.Namespace) -> None:
    """Move held sessions that are over the limits of the settings to the trash, oldest first.

    Live and starred ones and those with the tag keep stay.
    """
    held = context.library.held
    overdue = await held.overdue()
    if overdue and not arguments.dry_run:
        confirm_deletion(context, await held.loss(overdue), arguments)
    report = await held.clean(apply=not arguments.dry_run)
    done = len(report.removed)
    if context.is_json:
        context.print_json({"done": done, "overdue": overdue, **msgspec.to_builtins(report)})
        return
    limit = f" of at most {report.limit_sessions:,}" if report.limit_sessions else ""
    context.print(f"{asking.counted(report.sessions, 'held session')}{limit}. {done:,} moved to the trash.")
    if arguments.dry_run and overdue:
        context.print(f"{asking.counted(len(overdue), 'session')} would go to the trash.")
    for suggestion in report.suggestions:
        context.warn(suggestion)


async def verify(context: Context, arguments: argparse.Namespace) -> None:
    """Check every byte of held sessions against its signature.

    What is bad is put aside, and a good backup takes its place where there is
    one. Ends with 1 if something is bad and could not be brought back.
    """
    ids = await _ids(context, arguments.targets) if arguments.targets else None
    report = await context.library.held.verify(ids)
    if any(not one.recovered for one in report.bad):
        context.exit_code = 1
    if context.is_json:
        context.print_json(msgspec.to_builtins(report))
        return
    context.print(f"{asking.counted(report.checked, 'session')} checked, {len(report.bad):,} bad.")
    for one in report.bad:
        context.print(f"  {one.id}  {one.reason}  {'brought back from a backup' if one.recovered else 'not recovered'}")
    for notice in report.notices:
        made = (
            "was missing and has its default" if notice.kind == "default" else "was of another type and was converted"
        )
        context.print(f"  {notice.id}  The field {one_line(notice.field)} {made}.")


async def repair(context: Context, arguments: argparse.Namespace) -> None:
    """Put right what can be: the list of held sessions, their permissions, sessions with a good backup."""
    summary = await context.library.held.repair()
    done = _repaired(summary)
    if context.is_json:
        context.print_json({"done": done, **msgspec.to_builtins(summary)})
        return
    context.print(f"{asking.counted(summary.checked, 'session')} checked, {done:,} put right.")
    for note in summary.notes:
        context.print(note)


async def migrate(context: Context, arguments: argparse.Namespace) -> None:
    """Write held sessions of earlier versions of Holdfast in the present form; each is backed up first."""
    tell_done(context, await context.library.held.migrate(), "session", "migrated")


def tell_done(context: Context, number: int, noun: str, what: str) -> None:
    """Print how many things were done."""
    if context.is_json:
        context.print_json({"done": number})
    else:
        context.print(f"{asking.counted(number, noun)} {what}.")


def timed(value: msgspec.Struct) -> dict[str, Any]:
    """Return a value as a document: times as ISO 8601 with `Z`."""
    return {
        name.removesuffix("_ms") + "_at" if name.endswith("_ms") else name: iso_time(item)
        if name.endswith("_ms")
        else item
        for name, item in msgspec.to_builtins(value).items()
    }


def tell_deleted(context: Context, entries: Sequence[TrashEntry]) -> None:
    """Print what went to the trash, and how it comes back."""
    if context.is_json:
        context.print_json({"done": len(entries), "trash": [timed(one) for one in entries]})
        return
    context.print(f"{asking.counted(len(entries), 'session')} moved to the trash.")
    for one in entries:
        context.print(f"  holdfast sessions restore {one.id}  brings “{one.title}” back.")


def _repaired(summary: StartSummary) -> int:
    lists = (summary.orphaned_entries, summary.orphaned_files, summary.recovered)
    return sum(map(len, lists)) + summary.wrong_permissions


async def _ids(context: Context, targets: Sequence[str]) -> list[str]:
    return list(dict.fromkeys([(await held_target(context, target)).id for target in targets]))


def _list_trash(context: Context, entries: Sequence[TrashEntry]) -> None:
    if context.is_json:
        context.print_json([timed(one) for one in entries])
        return
    rows = [
        [
            one.id,
            one.title,
            f"{one.message_count:,}",
            asking.size_words(one.size_bytes),
            minute(one.deleted_ms),
            minute(one.expires_ms) or "never",
        ]
        for one in entries
    ]
    if rows:
        context.table(["Id", "Title", "Messages", "Size", "Deleted", "Gone for good"], rows, flexible=[1])
    else:
        context.warn("The trash is empty.")


def _found_in_trash(entries: Sequence[TrashEntry], target: str) -> TrashEntry | None:
    """Return the session in the trash that is meant: by id, its beginning, its title, or the beginning of that."""
    title = target.casefold()
    kinds = (
        [one for one in entries if one.id == target],
        [one for one in entries if len(target) >= _LEAST_LETTERS and one.id.startswith(target)],
        [one for one in entries if one.title.casefold() == title],
        [one for one in entries if title and one.title.casefold().startswith(title)],
    )
    for found in kinds:
        if len(found) > 1:
            raise Ambiguous(
                f"{len(found)} sessions in the trash are called so. Use more of the id or title.",
                candidates=tuple((one.id, one.title) for one in found),
            )
        if found:
            return found[0]
    return None


def _in_trash(entries: Sequence[TrashEntry], target: str) -> TrashEntry:
    found = _found_in_trash(entries, target)
    if found is None:
        raise NotFound("There is no such session in the trash.", detail=target)
    return found
