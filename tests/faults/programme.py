"""Runs writers through every fault and every power cut, and returns what broke."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults import power
from tests.faults.disk import FAULTS, Disk, Fault, Plan
from tests.faults.story import Story, Writer, plan_name, points, run, violations

_FAST = Path("/dev/shm")


@dataclass(slots=True)
class Report:
    """How many runs there were, how many saves were acknowledged in them, and what broke, each with where."""

    runs: int = 0
    kept: int = 0
    broken: list[str] = field(default_factory=list)

    def __add__(self, other: Report) -> Report:
        return Report(self.runs + other.runs, self.kept + other.kept, [*self.broken, *other.broken])


@contextmanager
def fast_directory() -> Iterator[Path]:
    """Give an empty directory, in memory where the system has such."""
    with tempfile.TemporaryDirectory(dir=_FAST if _FAST.is_dir() else None, prefix="holdfast-") as name:
        yield Path(name)


def every_fault(writer: Writer) -> Report:
    """Fail every call that ``writer`` makes, in every way, once and from then on."""
    report = Report()
    with fast_directory() as top:
        calls = points(writer, _fresh(top / "measured"))
        shutil.rmtree(top / "measured")
        earlier = _fresh(top / "earlier")
        writer.prepare(earlier)
        for plan in (Plan(), *_plans(calls)):
            root = top / "run"
            shutil.copytree(earlier, root, symlinks=True)
            disk = Disk(root, plan)
            story = run(writer, disk)
            can_remove = not (plan.persists and disk.failing in ("unlink", "remove"))
            found = violations(writer, root, story, can_remove=can_remove)
            report.runs += 1
            report.kept += story.lowest
            report.broken += [f"{writer.name} {plan_name(calls, plan)}: {broken}" for broken in found]
            shutil.rmtree(root)
    return report


def every_power_cut(writer: Writer, *, order: power.Order) -> Report:
    """Cut the power at every moment. Databases are not recorded: those of the earlier state are there afterwards."""
    report = Report()
    with fast_directory() as top:
        root = _fresh(top / "recorded")
        writer.prepare(root)
        before = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        folders = [path.relative_to(root) for path in root.rglob("*") if path.is_dir()]
        disk = Disk(root, records=True)
        run(writer, disk)
        for number, state in enumerate(power.states(before, disk.done, order=order)):
            after = _fresh(top / "after")
            for folder in (*folders, *map(Path, sorted(state.directories))):
                (after / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
            for name, data in state.files.items():
                path = after / name
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                path.write_bytes(data)
                path.chmod(0o600)
            story = Story(list(range(1, state.tried + 1)), list(range(1, state.kept + 1)), is_dead=True)
            found = violations(writer, after, story)
            report.runs += 1
            report.kept += story.lowest
            report.broken += [f"{writer.name} {order} state {number}: {broken}" for broken in found]
            shutil.rmtree(after)
    return report


def _plans(calls: list[str]) -> Iterator[Plan]:
    for at, name in enumerate(calls):
        for fault in FAULTS[name]:
            yield Plan(at, fault)
        first: Fault = FAULTS[name][0]
        if first not in ("short", "die"):
            yield Plan(at, first, persists=True)


def _fresh(directory: Path) -> Path:
    directory.mkdir()
    return directory
