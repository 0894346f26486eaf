"""What a writer promised, and whether the disk keeps it."""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from holdfast_core.errors import HoldfastError

from tests.faults.disk import Died, Disk, Plan

Save = Callable[[int], bool | None]
"""Makes one save; False if it promises nothing before the next one is acknowledged."""


@dataclass(slots=True)
class Story:
    """Numbers of saves that were begun, acknowledged, and refused with an error; the earlier state is save 0.

    ``error`` says how a writer ended that neither finished nor was killed.
    """

    tried: list[int] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    is_dead: bool = False
    error: str = ""

    @property
    def lowest(self) -> int:
        """The save that must be readable at least."""
        return max(self.kept, default=0)

    @property
    def highest(self) -> int:
        """The save that may be readable at most."""
        return max(self.tried, default=0)


class Writer(ABC):
    """One writer of durable things, with the number of a save as all that it says."""

    saves = 3
    most = 1 << 30
    """How many saves it can make at all."""
    seconds = 0.015
    """How long it is worth watching it work."""
    databases: tuple[str, ...] = ()
    """Files that are derived and written by SQLite, whose calls are not recorded."""

    @property
    def name(self) -> str:
        """What reports call it."""
        return type(self).__name__

    @abstractmethod
    def prepare(self, root: Path) -> None:
        """Make the earlier state, save 0, on a disk that works."""

    @abstractmethod
    def open(self, root: Path) -> Save:
        """Return what makes one save."""

    @abstractmethod
    def read(self, root: Path) -> int | None:
        """Start anew and return the save that is there; None if nothing verifies. May mend as a start does."""

    def reads(self, root: Path, _story: Story) -> int | None:
        """Return the save that is there; where several look alike, the one that was promised if it is among them."""
        return self.read(root)

    def former(self, root: Path) -> int | None:
        """Return the save that the backup holds; None if this writer keeps none."""
        return None

    def leftovers(self, root: Path) -> list[str]:
        """Return temporary files that are there."""
        return [path.name for path in root.rglob("*") if path.name.endswith(".tmp")]


def run(writer: Writer, disk: Disk) -> Story:
    """Let ``writer`` save a few times on ``disk`` and return what it promised."""
    story = Story()
    with disk:
        try:
            save = writer.open(disk.root)
            for number in range(1, writer.saves + 1):
                story.tried.append(number)
                disk.say("try", number)
                try:
                    is_promised = save(number) is not False
                except (OSError, HoldfastError) as error:
                    story.refused[number] = f"{type(error).__name__}: {error}"
                    continue
                if is_promised:
                    story.kept.append(number)
                    disk.say("ack", number)
        except Died:
            story.is_dead = True
        except (OSError, HoldfastError) as error:
            story.refused[0] = f"{type(error).__name__}: {error}"
    return story


def violations(writer: Writer, root: Path, story: Story, *, can_remove: bool = True) -> list[str]:
    """Return how what is on the disk breaks what was promised; a disk that removes nothing may leave its rubbish."""
    broken = [story.error] if story.error else []
    if can_remove and not story.is_dead and (left := writer.leftovers(root)):
        broken.append(f"temporary files stay after a handled error: {left}")
    found = writer.reads(root, story)
    if found is None:
        broken.append("nothing that verifies is there")
    elif found < story.lowest:
        broken.append(f"save {story.lowest} was acknowledged, save {found} is there")
    elif found > story.highest:
        broken.append(f"save {found} is there, which nobody tried")
    former = writer.former(root)
    is_smooth = not (story.is_dead or story.refused)
    if former is not None and found is not None and former > (found - 1 if is_smooth else found):
        broken.append(f"the backup holds save {former}, which is no earlier one than {found}")
    if left := writer.leftovers(root):
        broken.append(f"temporary files stay after a start: {left}")
    return broken


def points(writer: Writer, root: Path) -> list[str]:
    """Return the names of all calls that ``writer`` makes when nothing goes wrong."""
    writer.prepare(root)
    disk = Disk(root)
    story = run(writer, disk)
    assert len(story.kept) == writer.saves, f"{writer.name} fails on a good disk: {story.refused}"
    return disk.calls


def plan_name(calls: list[str], plan: Plan) -> str:
    """Return how reports call one fault."""
    if plan.fault is None:
        return "on a good disk"
    fault = errno.errorcode.get(plan.fault, "?") if isinstance(plan.fault, int) else plan.fault
    return f"{calls[plan.at]}#{plan.at}={fault}{'+' if plan.persists else ''}"
