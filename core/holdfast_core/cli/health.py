"""`holdfast storage | metrics | audit`: how Holdfast is doing."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import msgspec

from holdfast_core.cli import asking
from holdfast_core.cli.commands import count_of
from holdfast_core.cli.context import Context
from holdfast_core.cli.keeping import timed
from holdfast_core.export.document import iso_time

if TYPE_CHECKING:
    from holdfast_core.cli.commands import Commands

_SHOWN_RECORDS = 50


def add(commands: Commands) -> None:
    """Add the commands."""
    commands.add("storage", storage)
    commands.add("metrics", metrics)
    parser = commands.add("audit", audit)
    parser.add_argument("--limit", type=count_of, default=_SHOWN_RECORDS, metavar="N", help="at most so many (50)")


async def storage(context: Context, arguments: argparse.Namespace) -> None:
    """Say what Holdfast takes on the disk, against the limits of the settings."""
    found = await context.library.held.storage()
    if context.is_json:
        context.print_json(msgspec.to_builtins(found))
        return
    rows = [[part.name, f"{part.files:,}", asking.size_words(part.bytes)] for part in found.parts]
    rows.append(["all", f"{sum(part.files for part in found.parts):,}", asking.size_words(found.total_bytes)])
    context.table(["Part", "Files", "Size"], rows, flexible=[0])
    context.print(f"{asking.size_words(found.disk_free_bytes)} are free on the disk.")
    for warning in found.warnings:
        context.warn(" ".join((warning.message, *warning.suggestions)))


async def metrics(context: Context, arguments: argparse.Namespace) -> None:
    """Say how long what Holdfast does takes, and how often it succeeds. Nothing of it leaves the machine."""
    found = await context.library.held.metrics()
    if context.is_json:
        document = msgspec.to_builtins(found)
        context.print_json({"since_at": iso_time(document.pop("since_ms")), **document})
        return
    rows = [
        [one.name, f"{one.count:,}", f"{one.failures:,}", f"{one.p50_ms:.1f}", f"{one.p95_ms:.1f}", f"{one.max_ms:.1f}"]
        for one in found.operations
    ]
    if rows:
        context.table(["Operation", "Done", "Failed", "Median ms", "95 % ms", "Longest ms"], rows, flexible=[0])
    else:
        context.warn("Nothing was measured yet.")


async def audit(context: Context, arguments: argparse.Namespace) -> None:
    """Show the log of what was done to held sessions, newest first, and check its chain.

    It names what was done to which session, never any content. Ends with 1 if
    records were changed or are missing.
    """
    report = await context.library.held.audit(arguments.limit)
    if not report.is_intact:
        context.exit_code = 1
    if context.is_json:
        records = [timed(record) for record in report.records]
        context.print_json({"records": records, "is_intact": report.is_intact, "broken_at": report.broken_at})
        return
    rows = [
        [f"{one.sequence}", iso_time(one.time_ms) or "", one.event, one.subject, one.outcome, one.detail]
        for one in report.records
    ]
    if rows:
        context.table(["#", "When", "What", "Session", "Outcome", "Detail"], rows, flexible=[5, 3])
    else:
        context.warn("The audit log is empty.")
    if not report.is_intact:
        context.warn(f"The log does not fit together from record {report.broken_at} on: it was changed from outside.")
