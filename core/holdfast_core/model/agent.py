"""What the application shows of an agent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec


class AgentInfo(msgspec.Struct, frozen=True):
    """One agent on this machine.

    ``mark`` is the letter and ``hue`` the colour angle (0-359) of its avatar.
    ``deletes_after_days`` is the agent's own clean-up rule, None for never.
    """

    agent: str
    name: str
    mark: str
    hue: int
    roots: tuple[str, ...]
    installed: bool
    sessions: int
    can_resume: bool
    can_host: bool
    deletes_after_days: int | None
    how_to_install: str = ""


class VersionRead(msgspec.Struct, frozen=True):
    """What reading the sources that one version of an agent wrote gave; an empty ``version`` is not told in them.

    ``problems`` are records and whole sources that cannot be read, ``unknown_records`` what this Holdfast does not
    know, by kind: it is counted and the rest is shown. ``unknown_fields`` are fields that it does not know in records
    of kinds that it does, by the way to them: found in a sample, and counted in that.
    """

    agent: str
    version: str
    sources: int
    sessions: int
    problems: int
    unknown_records: dict[str, int] = {}
    unknown_fields: dict[str, int] = {}


Alarm = Literal["", "unreadable", "gone"]


class AgentDrift(msgspec.Struct, frozen=True):
    """How well an agent's sessions are understood.

    ``last_seen_sessions`` is how many it had when it last had any, at
    ``last_seen_ms``. ``alarm`` says that it has none now although it had:
    ``unreadable`` if there are sources that give none, ``gone`` if there are
    no sources any more.
    """

    agent: str
    versions: tuple[VersionRead, ...] = ()
    last_seen_sessions: int = 0
    last_seen_ms: int = 0
    alarm: Alarm = ""

    @property
    def sources(self) -> int:
        """How many sources there are."""
        return sum(version.sources for version in self.versions)

    @property
    def sessions(self) -> int:
        """How many sessions of these sources a list shows."""
        return sum(version.sessions for version in self.versions)

    @property
    def problems(self) -> int:
        """How many records and sources cannot be read."""
        return sum(version.problems for version in self.versions)

    @property
    def unknown_records(self) -> dict[str, int]:
        """How many records of which kinds are not known, in all versions together."""
        return _summed(version.unknown_records for version in self.versions)

    @property
    def unknown_fields(self) -> dict[str, int]:
        """In how many records of the samples which fields are not known, in all versions together."""
        return _summed(version.unknown_fields for version in self.versions)

    def alarm_words(self, name: str) -> str:
        """Return what a person is told of an agent that fell silent; empty if it did not."""
        had = f"{name} had {_counted(self.last_seen_sessions, 'session')} and has none now: "
        if self.alarm == "unreadable":
            files = _counted(self.sources, "file")
            return had + f"nothing in its {files} can be read. A newer version of Holdfast may know its format."
        if self.alarm == "gone":
            return had + "no file of it is where it was looked for. It may have been removed, or keep them elsewhere."
        return ""

    def drift_words(self, name: str) -> list[str]:
        """Return a sentence for each version of the agent that writes what is not known."""
        return [
            f"{f'{name} {version.version}'.strip()} writes {_unknown(version)} that this version of Holdfast does not "
            "know."
            for version in self.versions
            if version.unknown_records or version.unknown_fields
        ]


class Recognised(msgspec.Struct, frozen=True):
    """Files at or below ``path`` whose content looks like sessions of ``agents``; of none, if these are empty."""

    path: str
    agents: tuple[str, ...]
    files: int


def _unknown(version: VersionRead) -> str:
    kinds, fields = len(version.unknown_records), len(version.unknown_fields)
    told = [f"{_counted(kinds, 'kind')} of record"] * bool(kinds) + [_counted(fields, "field")] * bool(fields)
    return " and ".join(told)


def _summed(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for one in counts:
        for name, number in one.items():
            totals[name] = totals.get(name, 0) + number
    return dict(sorted(totals.items()))


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
