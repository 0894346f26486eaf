"""The long fault programmes: `python3 dev.py faults [--nightly]`."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Callable, Iterable

from tests.faults.disks import every_disk
from tests.faults.histories import every_history
from tests.faults.kills import every_kill
from tests.faults.long_use import LongUse
from tests.faults.programme import Report, every_fault, every_power_cut
from tests.faults.seeded import WRONG, Right
from tests.faults.syscalls import every_system_call
from tests.faults.vault_writers import VAULT_WRITERS
from tests.faults.writers import WRITERS

_KILLS = 500
_KILLS_NIGHTLY = 10_000
_HISTORIES = 20
_HISTORIES_NIGHTLY = 1000
_USES, _DISKS = 4, 1800
_USES_NIGHTLY, _DISKS_NIGHTLY = 8, 3000
_SHOWN = 10


def main(arguments: list[str]) -> int:
    """Run the programmes and return how many of them found something."""
    parser = argparse.ArgumentParser(prog="dev.py faults", description=__doc__)
    parser.add_argument("--nightly", action="store_true", help="many more kills, histories and power cuts")
    parser.add_argument("--only", help="one programme by its name")
    wanted = parser.parse_args(arguments)
    logging.getLogger().addHandler(logging.NullHandler())  # what writers say of failures is another test's matter
    kills = _KILLS_NIGHTLY if wanted.nightly else _KILLS
    uses, disks = (_USES_NIGHTLY, _DISKS_NIGHTLY) if wanted.nightly else (_USES, _DISKS)
    writers = [kind() for kind in WRITERS]
    programmes: dict[str, Callable[[], Report]] = {
        "facade": lambda: _sum(every_fault(writer) for writer in writers),
        "power": lambda: _sum(
            (
                *(every_power_cut(writer) for writer in writers),
                *(every_power_cut(LongUse(seed), most=disks) for seed in range(uses)),
            )
        ),
        "kills": lambda: every_kill([*writers, LongUse(0), LongUse(1)], kills),
        "vault": lambda: every_kill([kind() for kind in VAULT_WRITERS], kills),
        "histories": lambda: every_history(_HISTORIES_NIGHTLY if wanted.nightly else _HISTORIES),
        "disks": lambda: every_disk(writers),
        "syscalls": lambda: every_system_call(writers),
        "seeded": _seeded,
    }
    failed = 0
    for name, programme in programmes.items():
        if wanted.only in (None, name):
            began = time.perf_counter()
            report = programme()
            failed += bool(report.broken)
            seconds = time.perf_counter() - began
            counts = f"{report.runs:7} runs {report.kept:8} kept {len(report.broken):5} violations"
            print(f"{name:10} {counts} {seconds:7.1f} s", flush=True)
            for broken in report.broken[:_SHOWN]:
                print(f"    {broken}")
    return min(failed, 1)


def _sum(reports: Iterable[Report]) -> Report:
    return sum(reports, Report())


def _seeded() -> Report:
    """Return which of the wrong writers go unnoticed, and whether the right one is blamed."""
    report = Report()
    for kind in (Right, *WRONG):
        found = every_fault(kind()) + every_power_cut(kind())
        report.runs += found.runs
        if (kind is Right) == bool(found.broken):
            report.broken.append(f"{kind.__name__}: {found.broken[:1] or 'unnoticed'}")
    return report


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
