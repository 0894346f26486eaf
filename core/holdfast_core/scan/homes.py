"""Agents' sessions in more homes than this person's own: other systems' and other machines', as directories here."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from holdfast_core.agents.base import Agent, Checkpoint, Home, Reading, ResumeCommand, ResumeTarget, SourceRef
from holdfast_core.errors import Refused

_SAID: Final = (
    "id", "name", "mark", "hue", "program", "how_to_install", "can_host", "continues_rewritten", "is_sealed", "closing",
)  # fmt: skip
# It sorts behind every path: of two sources that tell the same of a session, the one of this home counts.
_MARK: Final = "~"


def extra_homes(texts: Sequence[str], home: Path) -> tuple[Path, ...]:
    """Return the directories that a setting names, without those that mean ``home`` or nothing on this system."""
    own = os.path.normcase(home)
    paths = [Path(os.path.normpath(Path(text).expanduser())) for text in texts if text]
    return tuple(dict.fromkeys(path for path in paths if path.is_absolute() and os.path.normcase(path) != own))


def with_homes(agents: Mapping[str, Agent], homes: Sequence[Path]) -> dict[str, Agent]:
    """Return agents that are looked for in each of ``homes`` too. Nothing is looked at yet."""
    if not homes:
        return dict(agents)
    # The variables of this process say where agents are on this machine, not elsewhere.
    others = tuple(Home(path, {}) for path in homes)
    return {name: _in_homes(agent, others) for name, agent in agents.items()}


def is_reachable(home: Path) -> bool:
    """Return whether a home is there with anything in it: where nothing is mounted stands an empty directory."""
    try:
        with os.scandir(home) as entries:
            return next(entries, None) is not None
    except OSError:
        return False


def _in_homes(agent: Agent, others: tuple[Home, ...]) -> Agent:
    kind = type(type(agent).__name__, (_InHomes,), {name: getattr(agent, name) for name in _SAID})
    made: Agent = kind(agent, others)
    return made


class _InHomes(Agent):
    """One agent in this home and in others. The key of a source in another home says in which."""

    def __init__(self, agent: Agent, others: tuple[Home, ...]) -> None:
        self._agent = agent
        self._others = others

    def roots(self, home: Home) -> list[Path]:
        return [root for one in (home, *self._others) for root in self._agent.roots(one)]

    def away(self, home: Home) -> list[Path]:
        return [*self._agent.away(home), *(one.path for one in self._others if not is_reachable(one.path))]

    def discover(self, home: Home) -> Iterator[SourceRef]:
        yield from self._agent.discover(home)
        for other in self._others:
            for ref in self._agent.discover(other):
                yield _marked(ref, other)

    def refs_for(self, home: Home, paths: Sequence[str]) -> Iterator[SourceRef]:
        yield from self._agent.refs_for(home, paths)
        for other in self._others:
            for ref in self._agent.refs_for(other, paths):
                yield _marked(ref, other)

    def read(self, ref: SourceRef, home: Home, *, checkpoint: Checkpoint | None = None) -> Reading:
        inner, its_home = self._unmarked(ref, home)
        return self._agent.read(inner, its_home, checkpoint=checkpoint)

    def read_session(self, ref: SourceRef, home: Home, native_id: str) -> Reading:
        inner, its_home = self._unmarked(ref, home)
        return self._agent.read_session(inner, its_home, native_id)

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        """Return the command, where the agent's program here looks at the home that the session is in.

        Raises:
            Refused: it is in another one, or cannot be resumed at all.
        """
        for other in self._others:
            if facts.source_path.startswith(f"{other.path}{os.sep}"):
                raise Refused(
                    f"This session lies in another home, {other.path}. {self.name} here does not look there. "
                    "Continue the session where it was made, or save a copy here.",
                    detail=facts.source_path,
                )
        return self._agent.resume_command(facts, fork=fork)

    def deletes_after_days(self, home: Home) -> int | None:
        return self._agent.deletes_after_days(home)

    def companions(self, ref: SourceRef, home: Home) -> list[Path]:
        return self._agent.companions(*self._unmarked(ref, home))

    def indexes(self, ref: SourceRef, home: Home) -> list[Path]:
        return self._agent.indexes(*self._unmarked(ref, home))

    def place_for(self, ref: SourceRef, head: bytes) -> Path:
        return self._agent.place_for(ref, head)

    def is_in_use(self, ref: SourceRef, home: Home) -> bool:
        return self._agent.is_in_use(*self._unmarked(ref, home))

    def restore_notes(self, ref: SourceRef, home: Home) -> tuple[str, ...]:
        return self._agent.restore_notes(*self._unmarked(ref, home))

    def place_in_project(self, ref: SourceRef, home: Home, project: str) -> Path | None:
        return self._agent.place_in_project(*self._unmarked(ref, home), project)

    def recognises(self, head: bytes, name: str) -> bool:
        return self._agent.recognises(head, name)

    def _unmarked(self, ref: SourceRef, home: Home) -> tuple[SourceRef, Home]:
        """Return a source as its reader named it, and the home that it is in."""
        for other in self._others:
            mark = _mark(other)
            if ref.key.startswith(mark):
                return msgspec.structs.replace(ref, key=ref.key[len(mark) :]), other
        return ref, home


def _mark(home: Home) -> str:
    return f"{_MARK}{home.path}{_MARK}"


def _marked(ref: SourceRef, home: Home) -> SourceRef:
    return msgspec.structs.replace(ref, key=_mark(home) + ref.key)
