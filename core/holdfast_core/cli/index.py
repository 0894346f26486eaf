"""`holdfast index`: bring what is known of the agents' sessions up to date."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import msgspec

from holdfast_core.cli import asking
from holdfast_core.cli.context import Context
from holdfast_core.export.plain import one_line
from holdfast_core.model.changes import LOCKED, NO_SPACE, UNWRITABLE

if TYPE_CHECKING:
    from holdfast_core.cli.commands import Commands
    from holdfast_core.model.changes import ScanProgress, ScanReport

_UNKEPT = {
    LOCKED: "The vault is locked: no version was kept. Unlock it with the variable HOLDFAST_PASSPHRASE.",
    NO_SPACE: "The disk is nearly full: no version was kept. `vault status` says how much is to stay free.",
    UNWRITABLE: "The vault cannot be written: no version was kept.",
}


def add(commands: Commands) -> None:
    """Add the commands of this group."""
    group = commands.group("index", "Keep the index up to date")
    parser = group.add("update", update)
    parser.add_argument("--full", action="store_true", help="read every session again, changed or not")


async def update(context: Context, arguments: argparse.Namespace) -> None:
    """Look for new and changed sessions.

    Only what changed since the last time is read. Nothing of an agent is ever
    altered. A vault that is encrypted is unlocked for it, if the passphrase is
    given. Ends with 4 if a window of Holdfast holds the index for too long.
    """
    report = await _update(context, full=arguments.full)
    if any(one.reason == LOCKED for one in report.failures) and not context.is_embedded and asking.can_unlock(context):
        await context.library.held.unlock(asking.passphrase(context, "Passphrase or recovery code"))
        again = await _update(context, full=False)
        report = msgspec.structs.replace(again, new=report.new, changed=report.changed, lost=report.lost + again.lost)
    if context.is_json:
        context.print_json(msgspec.to_builtins(report))
        return
    context.print(
        f"{report.sessions:,} sessions with {report.messages:,} messages: {report.new:,} new, "
        f"{report.changed:,} changed, {report.lost:,} lost, {report.problems:,} problems. "
        f"{report.bytes_read / 1e6:,.1f} MB read in {report.wall_seconds:.1f} s."
    )
    rows = [
        [agent.agent, f"{agent.sessions:,}", f"{agent.messages:,}", f"{agent.problems:,}"]
        for agent in report.agents
        if agent.sessions or agent.problems
    ]
    if rows:
        context.table(["Agent", "Sessions", "Messages", "Problems"], rows, flexible=[0])
    for one in report.failures:
        where = one.home or one.agent
        context.warn(_UNKEPT.get(one.reason) or f"This could not be looked through: {one_line(where)} ({one.reason})")


async def ensure_index(context: Context) -> None:
    """Make an index if there is none yet: the first command of all should not come back empty."""
    from holdfast_core.index.database import CATALOG

    if (context.paths.index / CATALOG).exists():
        return
    context.warn("Looking for sessions for the first time; this happens once.")
    await _update(context, full=False)


async def rebuild_index(context: Context) -> None:
    """Make the index anew that could not be read: it holds nothing that is not in the agents' files and our notes."""
    context.warn("The index is damaged or of another version. It is built again; nothing is lost.")
    await _update(context, full=False)


async def _update(context: Context, *, full: bool) -> ScanReport:
    is_watched = context.err.isatty()

    def show(progress: ScanProgress) -> None:
        done = f"{progress.sources_done:,} of {progress.sources_total:,} files, {progress.bytes_done / 1e6:,.0f} MB"
        context.err.write(f"\r{done}\x1b[K")
        context.err.flush()

    report = await context.library.update(full=full, on_progress=show if is_watched else None)
    if is_watched:
        context.err.write("\r\x1b[K")
    return report
