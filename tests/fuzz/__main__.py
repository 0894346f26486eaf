"""Spoils files under every reader for as long as it is told to: `python3 dev.py fuzz [--agent ID] [--minutes N]`."""

from __future__ import annotations

import argparse
import sys
import time
from itertools import count

from holdfast_core.agents import all_agents

from tests.fuzz.programme import Case, Report, break_lines, cases, recorded_cases, spoil

_TIMES = 20
_LINES = 10
_SHOWN = 10


def main(arguments: list[str]) -> int:
    """Spoil files until the time is up; return 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="dev.py fuzz", description=__doc__)
    parser.add_argument("--agent", metavar="ID", choices=sorted(all_agents()), help="one agent, not all")
    parser.add_argument("--minutes", metavar="N", type=float, default=2, help="for about so long (2)")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="where to begin (0)")
    wanted = parser.parse_args(arguments)
    end = time.monotonic() + 60 * wanted.minutes
    reports: dict[str, Report] = {}
    everything = [*cases(wanted.agent), *recorded_cases(wanted.agent)]
    for seed in count(wanted.seed):
        for case in _in_turn(everything):
            if time.monotonic() > end:
                return _tell(reports, seed)
            report = reports.setdefault(case.agent, Report())
            spoil(case, seed=seed, times=_TIMES, report=report)
            break_lines(case, seed=seed, lines=_LINES, report=report)
    return 0


def _in_turn(everything: list[Case]) -> list[Case]:
    """Return the cases so that every agent has its turn soon."""
    places: dict[str, int] = {}
    order = []
    for case in everything:
        places[case.agent] = places.get(case.agent, 0) + 1
        order.append((places[case.agent], case.agent, case))
    return [case for _, _, case in sorted(order, key=lambda one: one[:2])]


def _tell(reports: dict[str, Report], seed: int) -> int:
    for agent, report in sorted(reports.items()):
        print(f"{agent:16} {report.runs:7} runs  {len(report.broken):5} found  slowest {report.slowest:5.2f} s")
        for broken in report.broken[:_SHOWN]:
            print(f"    {broken}")
    print(f"The next seed is {seed + 1}.")
    return int(any(report.broken for report in reports.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
