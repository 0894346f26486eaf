"""What a mutation changed: the only thing the core ever tells its faces unasked."""

from __future__ import annotations

from typing import Final

import msgspec


class LostMessages(msgspec.Struct, frozen=True, gc=False):
    """A source that shrank or vanished. ``messages`` were there before and are not now."""

    id: str
    messages: int
    reason: str


class ChangeSet(msgspec.Struct, frozen=True):
    """Ids of sessions, each in one of the lists. An empty one means that nothing changed.

    ``shrunk`` and ``gone`` are also in ``changed`` or ``removed``: they say
    why. ``annotated`` changed in what the person said of them alone.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    annotated: tuple[str, ...] = ()
    lost: tuple[LostMessages, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed or self.annotated or self.lost)

    def __add__(self, other: ChangeSet) -> ChangeSet:
        return ChangeSet(
            self.added + other.added,
            self.changed + other.changed,
            self.removed + other.removed,
            self.annotated + other.annotated,
            self.lost + other.lost,
        )


class ScanProgress(msgspec.Struct, frozen=True, gc=False):
    """How far a scan has come. Done when ``sources_done == sources_total`` and ``is_done``."""

    sources_done: int
    sources_total: int
    bytes_done: int
    bytes_total: int
    is_done: bool = False


class AgentReport(msgspec.Struct, frozen=True):
    """One agent in one scan, and over all its sources as the index knows them."""

    agent: str
    sessions: int
    messages: int
    problems: int
    unknown_records: dict[str, int] = {}


# Why nothing comes into the vault, as `ScanFailure` tells it; no agent is named then.
LOCKED: Final = "vault_is_locked"
NO_SPACE: Final = "vault_has_no_space"
UNWRITABLE: Final = "vault_cannot_be_written"


class ScanFailure(msgspec.Struct, frozen=True):
    """A place of an agent that could not be looked through. Its sessions stay as they were known.

    ``home`` is another home that does not answer, with all its agents: ``agent`` is empty then.
    """

    agent: str
    reason: str
    home: str = ""


class ScanReport(msgspec.Struct, frozen=True):
    """What a whole scan found and what it cost.

    ``sessions`` and ``new`` count what a list shows; ``changed`` and ``lost``
    count subagents too. ``failures`` are the places that could not be looked through, for the
    person to be told: an unreadable directory is not an empty one.
    """

    sessions: int
    messages: int
    problems: int
    new: int
    changed: int
    lost: int
    agents: tuple[AgentReport, ...]
    wall_seconds: float
    cpu_seconds: float
    bytes_read: int
    failures: tuple[ScanFailure, ...] = ()
