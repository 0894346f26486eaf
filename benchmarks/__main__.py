"""Measure Holdfast on an invented archive, beside other programs where they are wanted.

    python3 dev.py bench                     everything but the other programs
    python3 dev.py bench index search --peers
    python3 dev.py bench index --sessions 6000 --megabytes 1960 --records 1040000

Figures of one run are comparable with each other; figures of two runs are not,
unless the machine did nothing else. The archive and the other programs are
kept in build/benchmarks and made only once. Linux and macOS.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import os
import platform
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from benchmarks.corpus import INNER, OUTPUT, PROSE, Manifest, Shape, make_corpus
from benchmarks.holdfast import Holdfast, listing
from benchmarks.peers import PEERS, Peer, install
from benchmarks.report import Bar, Row, bars, table

PLACE = Path(__file__).resolve().parent.parent / "build" / "benchmarks"
# What needs no archive has programs of its own, which print their own figures; most measure the window.
WINDOW = ("first_paint", "transcript", "stall", "sealed", "held", "vault", "redact", "reading")
NAMES = ("index", "search", "append", "list", *WINDOW)
_MS = 1_000
_MB = 1_000_000


@dataclass
class Report:
    """What was found so far."""

    rows: list[Row] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)

    def row(self, title: str, values: dict[str, float], unit: str) -> None:
        self.rows.append(Row(title, values, unit))

    def bar(self, title: str, value: float, limit: float, unit: str = "") -> None:
        self.bars.append(Bar(title, value, limit, unit))


def main(arguments: list[str]) -> int:
    """Run what was asked for; returns 1 if a bar is not met."""
    parser = _parser()
    options = parser.parse_args(arguments)
    names = options.names or list(NAMES)
    if unknown := set(names) - set(NAMES):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    is_met = True
    if set(names) - set(WINDOW):
        is_met = _measure_archive(names, options)
    failed = [name for name in names if name in WINDOW and _window(name)]
    return int(bool(failed) or not is_met)


def _measure_archive(names: list[str], options: argparse.Namespace) -> bool:
    """Measure all programs on one archive and print what was found; returns whether every bar is met."""
    shape = Shape(sessions=options.sessions, megabytes=options.megabytes, records=options.records)
    archive, manifest = make_corpus(PLACE, shape)
    ours = Holdfast(archive, PLACE / "scratch" / "holdfast", PLACE / "peers")
    peers = _peers(archive) if options.peers else []
    _head(manifest)
    report = Report()
    if not {"index", "search", "append"}.isdisjoint(names):
        measure_index(report, ours, peers, manifest, runs=options.runs)
    if "search" in names:
        measure_search(report, ours, peers, manifest)
    if "append" in names:
        measure_append(report, ours)
    if "list" in names:
        measure_list(report)
    print(table(report.rows, [program.name for program in (ours, *peers)]))
    print(*(f"{program.name}: {program.note}." for program in (ours, *peers)), sep="\n", end="\n\n")
    print(bars(report.bars), flush=True)
    return all(bar.is_met for bar in report.bars)


def measure_index(report: Report, ours: Holdfast, peers: list[Peer], manifest: Manifest, *, runs: int) -> None:
    """Index from nothing and again, each program in turn so that all meet the same weather."""
    programs = [ours, *peers]
    cold = {program.name: [] for program in programs}
    again = {program.name: [] for program in programs}
    keeping = []
    for _ in range(runs):
        for program in programs:
            if (cost := program.cold()) is not None:
                cold[program.name].append(cost)
                keeping += [ours.keeping()] if program is ours else []
                again[program.name].append(program.again())
    for title, costs in (("cold index", cold), ("nothing new", again)):
        for what, unit, scale in (("cpu_seconds", "s CPU", 1), ("wall_seconds", "s", 1), ("peak_bytes", "MB", _MB)):
            values = {name: _median(found, what) / scale for name, found in costs.items() if found}
            report.row(title, values, unit)
    report.row("cold index and vault", {ours.name: _median(keeping, "cpu_seconds")}, "s CPU")
    kept = _median(keeping, "cpu_seconds") / _median(cold[ours.name], "cpu_seconds")
    report.bar("cold index and vault, CPU against index alone", kept, 1.4)
    stored = {program.name: program.stored_bytes() / manifest.size_bytes for program in programs}
    report.row("index / source", {name: share for name, share in stored.items() if share}, "of 1")
    report.row("first sessions", {ours.name: ours.first_sessions()}, "s")
    report.bar("index / source", stored[ours.name], 0.35)
    report.bar("first sessions", report.rows[-1].values[ours.name], 0.5, "s")
    if cold.get("agentsview"):
        ratio = _median(cold[ours.name], "cpu_seconds") / _median(cold["agentsview"], "cpu_seconds")
        report.bar("cold index, CPU against agentsview", ratio, 0.25)
        for title, costs, what in (
            ("peak memory against agentsview", cold, "peak_bytes"),
            ("nothing new, wall clock against agentsview", again, "wall_seconds"),
        ):
            report.bar(title, _median(costs[ours.name], what) / _median(costs["agentsview"], what), 1)


def measure_search(report: Report, ours: Holdfast, peers: list[Peer], manifest: Manifest) -> None:
    """Ask every program every class of query, and ours whether it finds every needle."""
    found = {program.name: program.searches(manifest.queries) for program in (ours, *peers)}
    for kind in manifest.queries:
        for what in ("p50", "p95"):
            values = {name: getattr(by_kind[kind], what) * _MS for name, by_kind in found.items() if kind in by_kind}
            report.row(f"{kind} {what}", values, "ms")
    slowest = max(latency.p95 for kind, latency in found[ours.name].items() if kind != "substring")
    report.bar("slowest class of words, p95", slowest * _MS, 5, "ms")
    report.bar("substring, p95", found[ours.name]["substring"].p95 * _MS, 50, "ms")
    needles = dict(list(manifest.needles.items())[:100])
    titled = {needle.title(): session for needle, session in needles.items()}
    lost = [
        len(needles) - ours.found(some, prefix)
        for some, prefix in ((needles, PROSE), (needles, OUTPUT), (titled, INNER))
    ]
    report.bar("needles that are not found", sum(lost), 0)
    report.row(
        "a search on the command line, p50", {ours.name: ours.command_line(manifest.queries["rare"]).p50 * _MS}, "ms"
    )


def measure_append(report: Report, ours: Holdfast) -> None:
    """Write lines while the watcher runs."""
    seen = ours.appended()
    report.row("appended line is found, p50", {ours.name: seen.p50 * _MS}, "ms")
    report.row("appended line is found, p95", {ours.name: seen.p95 * _MS}, "ms")


def measure_list(report: Report) -> None:
    """Sort fifty thousand small sessions and read one screen of them."""
    archive, manifest = make_corpus(PLACE, Shape(sessions=50_000, megabytes=200, records=350_000, picture_share=0))
    many = Holdfast(archive, PLACE / "scratch" / "many", PLACE / "peers")
    report.row(f"{manifest.sessions:,} sessions, cold index", {many.name: many.cold().cpu_seconds}, "s CPU")
    for title, latency in asyncio.run(listing(many)).items():
        report.row(f"{manifest.sessions:,} sessions, {title}, p95", {many.name: latency.p95 * _MS}, "ms")


def _peers(archive: Path) -> list[Peer]:
    install(PLACE / "peers")
    peers = [peer(archive, PLACE / "scratch" / peer.name, PLACE / "peers") for peer in PEERS]
    for peer in peers:
        if not peer.is_installed():
            print(f"{peer.name} is not installed and is left out.", file=sys.stderr)
    return [peer for peer in peers if peer.is_installed()]


def _window(name: str) -> int:
    """Run a measurement that is a program of its own; returns its exit code."""
    if importlib.util.find_spec(f"benchmarks.{name}") is None:
        return 0
    print(f"\n{name.replace('_', ' ')}", flush=True)
    return subprocess.call(
        [sys.executable, "-m", f"benchmarks.{name}"], env={**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    )


def _head(manifest: Manifest) -> None:
    size = f"{manifest.sessions:,} sessions, {manifest.size_bytes / _MB:,.0f} MB, {manifest.records:,} records"
    system = f"{os.cpu_count()} cores, {platform.system()}"
    print(f"{size}\n{system}, Python {platform.python_version()}, SQLite {apsw.sqlite_lib_version()}\n")


def _median(costs: list, what: str) -> float:
    return statistics.median(getattr(cost, what) for cost in costs)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 dev.py bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help=f"what to measure: {', '.join(NAMES)}")
    parser.add_argument("--peers", action="store_true", help="measure other programs too; installs them on first use")
    parser.add_argument("--runs", type=int, default=1, help="how often to index; the median counts (1)")
    reference = Shape()
    parser.add_argument("--sessions", type=int, default=reference.sessions, help=f"({reference.sessions})")
    parser.add_argument("--megabytes", type=int, default=reference.megabytes, help=f"({reference.megabytes})")
    parser.add_argument("--records", type=int, default=reference.records, help=f"({reference.records})")
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
