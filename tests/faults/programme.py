"""Runs writers through every fault and every power cut, and returns what broke."""

from __future__ import annotations

import random
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


def every_power_cut(writer: Writer, *, most: int | None = None) -> Report:
    """Cut the power at every moment, in both orders; of more than ``most`` distinct disks only so many, drawn evenly.

    Databases of which the writer says so are not recorded call by call: see `power`.
    """
    report = Report()
    with fast_directory() as top:
        found = _disks(writer, _fresh(top / "recorded"))
        if most is not None and len(found) > most:
            found = random.Random(len(found)).sample(found, most)
        for number, state in enumerate(found):
            report.runs += 1
            for kept, tried in state.promises:
                after = _fresh(top / "after")
                _make(after, state)
                story = Story(list(range(1, tried + 1)), list(range(1, kept + 1)), is_dead=True)
                broken = violations(writer, after, story)
                report.kept += story.lowest
                report.broken += [f"{writer.name} disk {number}: {one}" for one in broken]
                shutil.rmtree(after)
    return report


def _disks(writer: Writer, root: Path) -> list[power.State]:
    """Let a writer work and return all that the disk may hold if the power goes meanwhile."""
    writer.prepare(root)
    before = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    folders = [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_dir()]
    disk = Disk(root, records=True, databases=writer.databases)
    story = run(writer, disk)
    assert not story.refused, f"{writer.name} fails on a good disk: {story.refused}"
    return power.states(before, folders, disk.done)


def _make(root: Path, state: power.State) -> None:
    for folder in sorted(state.directories):
        (root / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, data in state.files.items():
        path = root / name
        path.write_bytes(data)
        path.chmod(0o600)


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
