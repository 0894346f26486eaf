"""`holdfast vault …`: every version of every agent's session, proved, compared and brought back."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from holdfast_core.cli import asking
from holdfast_core.cli.commands import count_of
from holdfast_core.cli.context import Context
from holdfast_core.cli.held import any_target, with_target
from holdfast_core.cli.keeping import timed
from holdfast_core.errors import Refused
from holdfast_core.export.document import iso_time, minute
from holdfast_core.export.plain import one_line

if TYPE_CHECKING:
    from holdfast_core.cli.commands import Commands
    from holdfast_core.model.repair import RepairKind
    from holdfast_core.model.vault import Compared, Restored, Version

_REASONS = {
    "first": "first seen",
    "grown": "grown",
    "rewritten": "rewritten",
    "truncated": "truncated",
    "zeroed": "overwritten with zeros",
    "corrupted": "damaged",
    "deleted": "deleted",
    "replaced": "something else stands there",
    "moved": "moved",
    "restored": "restored",
}


_MENDED: dict[RepairKind, str] = {
    "nul_cut": "zeros are cut out",
    "records_split": "records that stick together are split",
    "stub_cut": "the beginning of a torn record is cut out",
    "last_record_cut": "the last record, which was never finished, is cut off",
    "record_rewritten": "a record is written in a form that can be read",
    "line_dropped": "a line that cannot be read is left out",
    "line_left": "this line cannot be read; it stays as it is",
    "newline_added": "the missing end of the last line is added",
    "call_ended": "a tool call that never ended is ended",
    "record_linked": "a record is linked to the one before it again",
    "part_cut": "a part that cannot be read is cut out",
}
PLAIN = "There is no passphrase yet, so the vault is not encrypted. Set one: holdfast keys encrypt"


def add(commands: Commands) -> None:
    """Add the commands of this group."""
    group = commands.group("vault", "Every version of every agent's session")
    group.add("status", status)
    with_target(group.add("versions", versions))
    parser = with_target(group.add("compare", compare))
    parser.add_argument("old", nargs="?", type=count_of, metavar="OLD", help="a version; else the fullest one")
    parser.add_argument("new", nargs="?", type=count_of, metavar="NEW", help="another; else what is there now")
    parser = group.add("verify", verify)
    parser.add_argument("--no-repair", action="store_true", help="only say what is bad")
    parser = asking.add_yes(with_target(group.add("restore", restore)))
    parser.add_argument("--version", type=count_of, metavar="N", dest="number", help="this one; else the fullest one")
    parser.add_argument("--to", default="agent", metavar="agent|held|PATH", help="where it goes (agent)")
    asking.add_yes(with_target(group.add("undo", undo)))
    parser = asking.add_yes(with_target(group.add("repair", repair)))
    parser.add_argument("--to", type=Path, metavar="PATH", help="write the mended copy there, not to the agent")
    parser = with_target(group.add("tag", tag))
    parser.add_argument("number", type=count_of, metavar="N", help="the version")
    parser.add_argument("text", metavar="TEXT", help="what to call it; empty for nothing")
    group.add("expiring", expiring)
    group.add("usage", usage)
    parser = asking.add_yes(group.add("free", free))
    parser.add_argument("targets", nargs="+", metavar="SESSION", help="number in the list, id, or title")


async def status(context: Context, arguments: argparse.Namespace) -> None:
    """Say how much is kept, what it takes, and what is gone at the source but safe here."""
    found = await context.library.vaulted.status()
    if context.is_json:
        context.print_json(timed(found))
        return
    if not found.is_enabled:
        context.warn("Versions are not kept: the setting vault_enabled is off.")
    context.print(
        f"{asking.counted(found.sessions, 'session')} in {asking.counted(found.versions, 'version')} are safe: "
        f"{asking.size_words(found.stored_bytes)} for {asking.size_words(found.source_bytes)} at the agents."
    )
    if found.lost_at_source:
        messages = asking.counted(found.lost_at_source, "message")
        safe = "Not all of them may be" if found.damaged else "They are"
        context.print(f"{messages} are gone at the source. {safe} safe here: `sessions list --filter is:lost`.")
    if found.damaged:
        context.print(f"{asking.counted(found.damaged, 'source')} here cannot be read whole: `vault verify`.")
    context.print(f"Verified {minute(found.verified_ms)}." if found.verified_ms else "Not verified yet.")
    if context.settings.vault_encrypted and not (await context.library.held.keys()).is_encrypted:
        context.warn(PLAIN)
    if found.is_locked:
        context.warn("The vault is locked: nothing new is kept until it is unlocked.")
    if found.is_paused_for_space:
        context.warn(
            f"Nothing new is kept: {asking.size_words(found.free_bytes)} are free, and "
            f"{asking.size_words(found.reserve_bytes)} are to stay free (setting vault_reserve_mb)."
        )


async def versions(context: Context, arguments: argparse.Namespace) -> None:
    """List the versions of a session that are kept, newest first."""
    entry = await any_target(context, arguments.target)
    found = await context.library.vaulted.versions(entry.id)
    if context.is_json:
        context.print_json([_document(one) for one in found])
        return
    rows = [
        [
            f"{one.number}",
            minute(one.captured_ms),
            f"{one.messages:,}",
            asking.size_words(one.size_bytes),
            _reason(one),
            one.tag,
        ]
        for one in found
    ]
    if rows:
        context.table(["Version", "When", "Messages", "Size", "What happened", "Tag"], rows, flexible=[5, 4])
    else:
        context.warn("No version of this session is kept yet.")


async def compare(context: Context, arguments: argparse.Namespace) -> None:
    """Say which messages one version has and another has not."""
    entry = await any_target(context, arguments.target)
    found = await context.library.vaulted.compare(entry.id, arguments.old, arguments.new)
    if context.is_json:
        context.print_json(msgspec.to_builtins(found))
        return
    context.print(f"{found.same:,} messages are the same.")
    for one in found.differences:
        context.print(f"{_SIGNS[one.kind]} {_compared(one)}")


async def verify(context: Context, arguments: argparse.Namespace) -> None:
    """Check every byte of every version against its signature.

    What is bad is put right where the agent's file still has it. Ends with 1
    if something stays bad.
    """
    report = await context.library.vaulted.verify(is_repairing=not arguments.no_repair)
    if report.bad:
        context.exit_code = 1
    if context.is_json:
        context.print_json(msgspec.to_builtins(report))
        return
    context.print(
        f"{asking.counted(report.checked, 'source')} with {asking.size_words(report.checked_bytes)} checked, "
        f"{len(report.bad):,} bad, {report.repaired:,} put right."
    )
    for one in report.bad:
        which = f"version {one.version}" if one.version else "all versions"
        context.print(f"  {one_line(one.session_id)}  {which}  {one.reason}")


async def restore(context: Context, arguments: argparse.Namespace) -> None:
    """Give a version back: to its agent, as a session that Holdfast keeps, or to a file.

    What the agent has now is kept as a version first, and `vault undo` puts
    it back. Nothing is restored while the agent has the file open.
    """
    entry = await any_target(context, arguments.target)
    vaulted = context.library.vaulted
    chosen = await vaulted.chosen(entry.id, arguments.number)
    if arguments.to == "agent":
        asking.confirm(
            context,
            f"The agent gets version {chosen.number} of “{one_line(entry.title)}” back, with "
            f"{asking.counted(chosen.messages, 'message')}. What it has now is kept as a version.",
            arguments,
        )
    done = await vaulted.restore(entry.id, chosen.number, to=arguments.to)
    _tell_restored(context, done)


async def undo(context: Context, arguments: argparse.Namespace) -> None:
    """Put back what an agent had before the last restoring of a session."""
    entry = await any_target(context, arguments.target)
    asking.confirm(
        context, f"The agent gets back what it had of “{one_line(entry.title)}” before the restoring.", arguments
    )
    done = await context.library.vaulted.undo(entry.id)
    _tell_restored(context, done)


async def repair(context: Context, arguments: argparse.Namespace) -> None:
    """Mend a copy of a damaged transcript so that the agent can resume it; every change is listed.

    Runs of zeros are cut out, records that stick together are split, calls of
    tools that never ended are closed. The original stays as a version.
    """
    entry = await any_target(context, arguments.target)
    vaulted = context.library.vaulted
    plan = await vaulted.repair_plan(entry.id)
    if not plan.changes:
        context.print_json({"path": "", "bytes": 0, "changes": []}) if context.is_json else context.print(
            "Nothing to mend."
        )
        return
    if not context.is_json:
        for change in plan.changes:
            context.print(f"  line {change.line:,}  {_MENDED[change.what]}")
    if arguments.to is None:
        asking.confirm(
            context,
            f"The agent's file gives way to a mended copy with {asking.counted(len(plan.changes), 'change')}. "
            "What it is now is kept as a version.",
            arguments,
        )
    done = await vaulted.repair(entry.id, to=arguments.to)
    if context.is_json:
        context.print_json({**_restored(done), "changes": msgspec.to_builtins(plan.changes)})
        return
    _tell_restored(context, done)


async def tag(context: Context, arguments: argparse.Namespace) -> None:
    """Give a version a name of your own."""
    entry = await any_target(context, arguments.target)
    await context.library.vaulted.tag(entry.id, arguments.number, arguments.text)
    await versions(context, arguments)


async def expiring(context: Context, arguments: argparse.Namespace) -> None:
    """List the sessions that their agents will delete by their own rules, the next ones first."""
    found = await context.library.vaulted.expiring()
    gone = await context.library.vaulted.removed()
    if context.is_json:
        context.print_json({"expiring": [timed(one) for one in found], "removed": gone.removed, "kept": gone.kept})
        return
    titles = {
        entry.id: entry.title for entry in await context.library.vaulted.entries([one.session_id for one in found])
    }
    rows = [
        [
            one.session_id,
            titles.get(one.session_id, ""),
            f"{max(0.0, one.days_left):.1f}",
            "safe here" if one.is_safe else "not kept yet",
        ]
        for one in found
    ]
    if rows:
        context.table(["Id", "Title", "Days left", ""], rows, flexible=[1, 0])
    else:
        context.warn("No agent is about to delete a session.")
    if gone.removed:
        context.print(f"{asking.counted(gone.removed, 'session')} were removed by agents, {gone.kept:,} are here.")


async def usage(context: Context, arguments: argparse.Namespace) -> None:
    """Say what takes space, by agent, project and kind, at the agents and here."""
    found = await context.library.vaulted.usage()
    if context.is_json:
        context.print_json(msgspec.to_builtins(found))
        return
    rows = [
        [
            one.agent,
            one.project,
            one.kind,
            f"{one.sources:,}",
            asking.size_words(one.source_bytes),
            asking.size_words(one.stored_bytes),
            asking.size_words(one.free_bytes),
        ]
        for one in found
    ]
    if rows:
        titles = ["Agent", "Project", "Kind", "Sources", "At the agent", "Here", "Could be freed"]
        context.table(titles, rows, flexible=[1])
    else:
        context.warn("The vault is empty.")


async def free(context: Context, arguments: argparse.Namespace) -> None:
    """Move agents' files of sessions to the system's trash, once every byte of them was verified here.

    The sessions stay in the list and can be given back with `vault restore`.
    """
    ids = list(dict.fromkeys([(await any_target(context, target)).id for target in arguments.targets]))
    vaulted = context.library.vaulted
    plan = await vaulted.freeable(ids)
    if not plan.paths:
        raise Refused(" ".join(plan.notes) or "There is no file that could go.")
    asking.confirm(
        context,
        f"{asking.counted(len(plan.paths), 'file')} of agents ({asking.size_words(plan.bytes)}) go to the system's "
        "trash. Every byte of them is verified in the vault.",
        arguments,
    )
    done = await vaulted.free(ids)
    if context.is_json:
        context.print_json(msgspec.to_builtins(done))
        return
    context.print(
        f"{asking.size_words(done.bytes)} freed, {asking.counted(len(done.paths), 'file')} moved to the trash."
    )
    for note in done.notes:
        context.warn(note)


_SIGNS = {"only_old": "-", "only_new": "+", "differs": "~"}


def _document(version: Version) -> dict[str, Any]:
    """Return a version as other programs rely on it."""
    return {
        "version": version.number,
        "captured_at": iso_time(version.captured_ms),
        "modified_at": iso_time(version.modified_ms),
        "bytes": version.size_bytes,
        "messages": version.messages,
        "added_messages": version.added_messages,
        "lost": version.lost,
        "reason": version.reason,
        "tag": version.tag,
        "verified": version.is_verified,
        "is_best": version.is_best,
        "is_damaged": version.is_damaged,
    }


def _reason(version: Version) -> str:
    words = _REASONS[version.reason]
    if version.lost:
        words = f"{words}, {asking.counted(version.lost, 'message')} gone"
    elif version.reason == "grown" and version.added_messages:
        words = f"{words} by {version.added_messages:,}"
    return f"{words}, damaged here" if version.is_damaged else words


def _compared(one: Compared) -> str:
    when = minute(one.timestamp_ms) if one.timestamp_ms else ""
    return " ".join(filter(None, (f"{one.index:,}", when, one.role, one_line(one.text))))


def _restored(done: Restored) -> dict[str, Any]:
    path = Path(done.path)
    size = path.stat().st_size if done.path and path.is_file() else 0
    return {"id": done.session_id, "path": done.path, "bytes": size, "notes": done.notes}


def _tell_restored(context: Context, done: Restored) -> None:
    if context.is_json:
        context.print_json(_restored(done))
        return
    context.print(done.path or done.session_id)
    for note in done.notes:
        context.warn(note)
