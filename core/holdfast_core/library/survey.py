"""How well agents are understood: what drifts in their formats, who fell silent, sessions in unknown places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast_core import clock
from holdfast_core.agents.base import Home
from holdfast_core.errors import WrongUsage
from holdfast_core.model.agent import AgentDrift, Alarm, Recognised, VersionRead
from holdfast_core.model.held import HELD_AGENT
from holdfast_core.scan.seen import Seen, agents_seen

if TYPE_CHECKING:
    from holdfast_core.library import Library

ALARM_DAYS = 30
_DAY_MS = 86_400_000


class Survey:
    """Questions about the agents of one library."""

    def __init__(self, library: Library, seen: Path, home: Home) -> None:
        self._library = library
        self._seen = seen
        self._home = home

    @property
    def home(self) -> Path:
        """The home in which agents are looked for first."""
        return self._home.path

    async def reachable(self, texts: Sequence[str]) -> list[bool]:
        """Return of homes, as the setting names them, whether each can be reached now."""
        from holdfast_core.scan.homes import Elsewhere, extra_homes

        def look() -> list[bool]:
            homes = [extra_homes([text], self._home.path) for text in texts]
            return [any(Elsewhere(path).is_reachable() for path in paths) for paths in homes]

        return await self._library.in_thread(look)

    async def home_at(self, path: Path) -> tuple[Path, list[str]]:
        """Return the home that a person means with a directory, and the names of the agents in it.

        That is the directory; or the one above an agent's own directory, where they chose that.
        """
        agents = self._library.known_agents().values()

        def found_in(home: Path) -> list[str]:
            return [
                agent.name
                for agent in agents
                if any(
                    root != home and root.is_relative_to(home) and root.is_dir() for root in agent.roots(Home(home, {}))
                )
            ]

        def look() -> tuple[Path, list[str]]:
            above = [one for one in path.parents if _is_agents_own(path.relative_to(one).parts[0])]
            for home in (path, *above):
                if names := found_in(home):
                    return home, names
            return path, []

        return await self._library.in_thread(look)

    def names(self) -> dict[str, str]:
        """Return the names of all agents that are known, by id."""
        return {agent: reader.name for agent, reader in self._library.known_agents().items()}

    async def drift(self) -> dict[str, AgentDrift]:
        """Return by agent what is not known or cannot be read, for every agent that has or had sessions."""
        versions = await self._library.versions_read()
        seen = await self._library.in_thread(lambda: agents_seen(self._seen, self._home.path))
        return drift_of(versions, seen, now_ms=clock.now_ms())

    async def recognise(self, paths: Sequence[Path] = ()) -> list[Recognised]:
        """Return whose sessions files look like; without ``paths`` those in homes where no known agent keeps any.

        Raises:
            NotFound: one of the paths is not there.
        """
        from holdfast_core.scan.homes import Elsewhere
        from holdfast_core.scan.recognise import recognise_at, strangers

        agents = self._library.known_agents()

        def look() -> list[Recognised]:
            if paths:
                return [one for path in paths for one in recognise_at(path, agents)]
            roots = [root for agent in agents.values() for root in agent.roots(self._home)]
            homes = [self._home.path, *(one for one in self._library.extra_homes() if Elsewhere(one).is_reachable())]
            return [one for home in homes for one in strangers(home, agents, roots)]

        return await self._library.in_thread(look)

    async def explained(self, error: WrongUsage, path: Path) -> WrongUsage:
        """Return why something cannot be taken in, with whose it looks like."""
        agents = sorted({agent for one in await self.recognise([path]) for agent in one.agents})
        if not agents:
            return error
        whose = " or ".join(self.names()[agent] for agent in agents)
        words = f"It looks like sessions of {whose}: these are listed by themselves where that agent keeps them."
        return WrongUsage(f"{error} {words} Another home is added with the setting `extra_homes`.", detail=error.detail)

    async def health(self) -> tuple[str, bool]:
        """Return how well the agents are understood in one text, and whether one of them fell silent."""
        return health_of(self.names(), await self.drift())


def drift_of(versions: Iterable[VersionRead], seen: Mapping[str, Seen], *, now_ms: int) -> dict[str, AgentDrift]:
    """Return by agent how its sources were understood, and whether it fell silent."""
    by_agent: dict[str, list[VersionRead]] = {}
    for version in versions:
        by_agent.setdefault(version.agent, []).append(version)
    found = {}
    for agent in sorted((by_agent.keys() | seen.keys()) - {HELD_AGENT}):
        read, last = by_agent.get(agent, []), seen.get(agent, Seen(0, 0))
        alarm: Alarm = ""
        if last.sessions and not any(version.sessions for version in read):
            if read:
                alarm = "unreadable"
            elif now_ms - last.at_ms < ALARM_DAYS * _DAY_MS:
                alarm = "gone"
        found[agent] = AgentDrift(agent, tuple(read), last.sessions, last.at_ms, alarm)
    return found


def health_of(names: Mapping[str, str], drift: Mapping[str, AgentDrift]) -> tuple[str, bool]:
    """Return how the agents are understood in one text, and whether one of them fell silent."""
    alarms = [words for one in drift.values() if (words := one.alarm_words(names.get(one.agent, one.agent)))]
    if alarms:
        return " ".join(alarms), True
    unknown = [words for one in drift.values() for words in one.drift_words(names.get(one.agent, one.agent))]
    if len(unknown) > 1:
        return (
            f"{len(unknown):,} versions of agents write records that are not known; the rest of them is shown.",
            False,
        )
    return unknown[0] if unknown else "All that they write is known.", False


def _is_agents_own(name: str) -> bool:
    """Return whether a directory right in a home is one that programs use and not the person."""
    return name.startswith(".") or name in ("AppData", "Library")
