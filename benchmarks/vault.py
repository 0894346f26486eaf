"""What the vault costs: capturing beside bare zstd and beside indexing's reading, one appended line, verifying, space.

    python -m benchmarks.vault [--sessions 600 --megabytes 196 --records 104000]

What is compared takes turns; ratios mean something on any machine, milliseconds
on this one alone. CPU stands beside the wall clock, because a busy disk hides
everything else. The recorded corpus is measured where there is one.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import zstandard
from holdfast_core.agents.base import SourceRef, fingerprint_at
from holdfast_core.sealed.keys import Keys
from holdfast_core.vault.vault import Mark, Seen, Vault, VaultOptions

from benchmarks.corpus import Shape, make_corpus
from benchmarks.report import Bar, Row, bars, table
from tests.corpus import ROOT

PLACE = Path(__file__).resolve().parent.parent / "build" / "benchmarks"
SCRATCH = PLACE / "scratch" / "vault"
MB = 1_000_000
_BATCH = 100
_LINES = 60
_SMALL, _LARGE = 1, 1000
_OPTIONS = VaultOptions(reserve_bytes=0, database_minutes=0)


class Spent(NamedTuple):
    """Time of one thing, in seconds."""

    wall: float
    cpu: float


def main(arguments: list[str]) -> int:
    """Measure and print; returns 1 if a bar is not met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=600)
    parser.add_argument("--megabytes", type=int, default=196)
    parser.add_argument("--records", type=int, default=104_000)
    options = parser.parse_args(arguments)
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    rows: list[Row] = []
    limits: list[Bar] = []
    home, _ = make_corpus(PLACE, Shape(options.sessions, options.megabytes, options.records))
    measure_archive("generated corpus", home, 0.35, rows, limits)
    if (ROOT / "MANIFEST.tsv").is_file():
        measure_archive("recorded corpus", ROOT, 0.5, rows, limits)
    measure_line(rows, limits)
    print(f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}\n")
    print(table(rows, ["Holdfast", "compared with"]))
    print(bars(limits), flush=True)
    shutil.rmtree(SCRATCH, ignore_errors=True)
    return int(not all(bar.is_met for bar in limits))


def measure_archive(title: str, home: Path, most: float, rows: list[Row], limits: list[Bar]) -> None:
    """Capture all files below a directory, beside compressing the same bytes, and verify them."""
    files = [path for path in home.rglob("*") if path.is_file() and path.suffix not in (".tsv", ".json")]
    files += [path for path in home.rglob("*.json") if path.name != "manifest.json"]
    size = sum(path.stat().st_size for path in files) / MB
    top = SCRATCH / title.replace(" ", "-")
    vault = _vault(top)
    compressor = zstandard.ZstdCompressor(level=3)
    ours = theirs = Spent(0, 0)
    for batch in _batches(files):
        # In turn, so that both meet the same weather.
        theirs = _sum(theirs, _spent(partial(_compress, compressor, [data for _, data in batch])))
        ours = _sum(ours, _spent(partial(_capture, vault, batch)))
    kept = vault.status().stored_bytes / MB
    proving = _spent(vault.verify)
    vault.close()
    on_disk = sum(path.stat().st_size for path in (top / "vault").rglob("*") if path.is_file()) / MB
    name = f"{title}, {len(files)} files, {size:.0f} MB"
    rows.append(_row(f"{name}: capture 1 MB, beside zstd alone, CPU", ours.cpu / size, theirs.cpu / size))
    rows.append(_row(f"{name}: the same, wall", ours.wall / size, theirs.wall / size))
    rows.append(Row(f"{name}: verify 1 MB, CPU", {"Holdfast": proving.cpu * 1000 / size}, "ms"))
    rows.append(Row(f"{name}: strands", {"Holdfast": kept, "compared with": size}, "MB"))
    rows.append(Row(f"{name}: all of the vault", {"Holdfast": on_disk, "compared with": size}, "MB"))
    limits.append(Bar(f"{title}: all of the vault against its sources", on_disk / size, most))
    # Of a small source most is what a file costs, whatever is in it.
    rows.append(Row(f"{name}: capture of one source, CPU", {"Holdfast": ours.cpu * 1000 / len(files)}, "ms"))
    if len(files) < size * 5:
        limits.append(Bar(f"{title}: capture against zstd alone, CPU", ours.cpu / theirs.cpu, 4))
    limits.append(Bar(f"{title}: verify 1 MB, CPU", proving.cpu * 1000 / size, 2.5, "ms"))
    shutil.rmtree(top)


def measure_line(rows: list[Row], limits: list[Bar]) -> None:
    """Capture one appended line of a small and of a large source, in turn, each with its commit."""
    vaults = {size: _vault(SCRATCH / f"line-{size}") for size in (_SMALL, _LARGE)}
    paths = {size: SCRATCH / f"{size}.jsonl" for size in vaults}
    line = b'{"type":"user","text":"' + b"one more line of a session " * 40 + b'"}\n'
    for size, path in paths.items():
        with path.open("wb") as file:
            for _ in range(size):
                file.write(os.urandom(2000).hex().encode().ljust(4000, b" ") * 250)
        _take(vaults[size], path)
    spent: dict[int, list[Spent]] = {size: [] for size in vaults}
    for _ in range(_LINES):
        for size, path in paths.items():
            with path.open("ab") as file:
                file.write(line)
            spent[size].append(_spent(partial(_take, vaults[size], path)))
    for size, found in spent.items():
        rows.append(Row(f"one line of {len(line)} bytes at {size} MB, wall", {"Holdfast": _wall(found) * 1000}, "ms"))
        rows.append(Row(f"one line of {len(line)} bytes at {size} MB, CPU", {"Holdfast": _cpu(found) * 1000}, "ms"))
    ratio = statistics.median(
        large.wall / small.wall for small, large in zip(spent[_SMALL], spent[_LARGE], strict=True)
    )
    limits.append(Bar(f"one line at {_LARGE} MB against {_SMALL} MB, wall", ratio, 1.25))
    limits.append(
        Bar(f"one line at {_LARGE} MB against {_SMALL} MB, CPU", _cpu(spent[_LARGE]) / _cpu(spent[_SMALL]), 1.25)
    )
    for vault in vaults.values():
        vault.close()


def _vault(top: Path) -> Vault:
    keys = Keys.open(top / "keys")
    return Vault.open(top / "vault", lambda: keys, options=_OPTIONS)


def _batches(files: list[Path]) -> Iterator[list[tuple[Path, bytes]]]:
    for start in range(0, len(files), _BATCH):
        yield [(path, path.read_bytes()) for path in files[start : start + _BATCH]]


def _capture(vault: Vault, batch: list[tuple[Path, bytes]]) -> None:
    """Capture what a reading has seen, as the scan does."""
    for path, data in batch:
        name = str(path)
        seen = Seen(fingerprint_at(name), [(0, data)])
        vault.capture(SourceRef("some-agent", name, name, seen.fingerprint), seen, marks=[Mark(name, 1)])
    vault.commit()


def _take(vault: Vault, path: Path) -> None:
    name = str(path)
    vault.capture(SourceRef("some-agent", name, name, fingerprint_at(name)), marks=[Mark(name, 1)])
    vault.commit()


def _compress(compressor: zstandard.ZstdCompressor, contents: list[bytes]) -> None:
    for data in contents:
        for start in range(0, len(data), 1 << 20):
            compressor.compress(data[start : start + (1 << 20)])


def _row(title: str, ours: float, theirs: float) -> Row:
    return Row(title, {"Holdfast": ours * 1000, "compared with": theirs * 1000}, "ms")


def _sum(one: Spent, other: Spent) -> Spent:
    return Spent(one.wall + other.wall, one.cpu + other.cpu)


def _spent(thing: Callable[[], object]) -> Spent:
    wall, cpu = time.perf_counter(), time.process_time()
    thing()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def _wall(spent: list[Spent]) -> float:
    return statistics.median(one.wall for one in spent)


def _cpu(spent: list[Spent]) -> float:
    return statistics.median(one.cpu for one in spent)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
