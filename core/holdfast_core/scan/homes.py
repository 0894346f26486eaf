"""Agents' sessions in more homes than this person's own: other systems' and other machines', as directories here."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from holdfast_core.agents.base import Agent, Checkpoint, Home, Reading, ResumeCommand, ResumeTarget, SourceRef
from holdfast_core.errors import Refused

Value = TypeVar("Value")
log = logging.getLogger(__name__)

ANSWER_SECONDS: Final = 2.0
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


def with_homes(
    agents: Mapping[str, Agent], homes: Sequence[Path], *, answer_seconds: float = ANSWER_SECONDS
) -> dict[str, Agent]:
    """Return agents that are looked for in each of ``homes`` too. Nothing is looked at yet."""
    if not homes:
        return dict(agents)
    # The variables of this process say where agents are on this machine, not elsewhere.
    others = tuple(Elsewhere(path, answer_seconds=answer_seconds) for path in homes)
    return {name: _in_homes(agent, others) for name, agent in agents.items()}


def is_reachable(home: Path) -> bool:
    """Return whether a home is there with anything in it: where nothing is mounted stands an empty directory."""
    try:
        with os.scandir(home) as entries:
            return next(entries, None) is not None
    except OSError:
        return False


def is_let_go(agent: Agent, key: str) -> bool:
    """Return whether a source lies in a home that the person does not want to be looked in any more."""
    return key.startswith(_MARK) and not (isinstance(agent, InHomes) and agent.home_of(key) is not None)


def is_silent(agent: Agent, key: str) -> bool:
    """Return whether a source lies in a home that does not answer."""
    home = agent.home_of(key) if isinstance(agent, InHomes) else None
    return home is not None and home.is_silent


class Elsewhere:
    """Another home, whose disk may be a share that hangs: a look at it then costs one thread, and nobody waits long.

    While that thread hangs nothing else is asked of this home; afterwards it is asked again.
    """

    def __init__(self, path: Path, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self.home = Home(path, {})
        self.path = path
        self._answer_seconds = answer_seconds
        self._hanging: threading.Thread | None = None

    @property
    def is_silent(self) -> bool:
        """Whether it has not answered, as far as is known."""
        return self._hanging is not None and self._hanging.is_alive()

    def is_reachable(self) -> bool:
        """Return whether it is there, with anything in it, and answers."""
        return any(self.listed(lambda: [is_reachable(self.path)]))

    def listed(self, look: Callable[[], Iterable[Value]]) -> list[Value]:
        """Return all that a look at this home gives; nothing if that does not come forth for some seconds.

        Raises:
            OSError: something cannot be read.
        """
        if self.is_silent:
            return []
        found: list[Value] = []
        errors: list[OSError] = []

        def run() -> None:
            try:
                is_reachable(self.path)  # here a share that hangs is noticed, whatever the look touches
                found.extend(look())
            except OSError as error:
                errors.append(error)

        thread = threading.Thread(target=run, name="another home", daemon=True)
        thread.start()
        while True:
            number = len(found)
            thread.join(self._answer_seconds)
            if not thread.is_alive():
                break
            if len(found) == number:
                log.info("a home does not answer")
                self._hanging = thread
                return []
        if errors:
            raise errors[0]
        return found


def _in_homes(agent: Agent, others: tuple[Elsewhere, ...]) -> Agent:
    kind = type(type(agent).__name__, (InHomes,), {name: getattr(agent, name) for name in _SAID})
    made: Agent = kind(agent, others)
    return made


class InHomes(Agent):
    """One agent in this home and in others. The key of a source in another home says in which."""

    def __init__(self, agent: Agent, others: tuple[Elsewhere, ...]) -> None:
        self._agent = agent
        self._others = others

    def silent_homes(self) -> list[Path]:
        """Return the homes that do not answer."""
        return [other.path for other in self._others if other.is_silent]

    def home_of(self, key: str) -> Elsewhere | None:
        """Return the other home that a source is in, if it is in one of these."""
        return next((other for other in self._others if key.startswith(_mark(other.path))), None)

    def reader_of(self, ref: SourceRef, home: Home) -> tuple[Agent, Home]:
        """Return the agent itself, and the home that a source is in."""
        other = self.home_of(ref.key)
        return self._agent, home if other is None else other.home

    def each(self, home: Home, look: Callable[[Agent, Home], Iterable[Value]]) -> Iterator[Value]:
        """Yield what a look gives in this home and in those others that answer."""
        yield from look(self._agent, home)
        for other in self._others:
            yield from other.listed(partial(look, self._agent, other.home))

    def roots(self, home: Home) -> list[Path]:
        return list(self.each(home, lambda agent, one: agent.roots(one)))

    def away(self, home: Home) -> list[Path]:
        return [*self._agent.away(home), *(other.path for other in self._others if not other.is_reachable())]

    def discover(self, home: Home) -> Iterator[SourceRef]:
        yield from self._agent.discover(home)
        for other in self._others:
            for ref in other.listed(partial(self._agent.discover, other.home)):
                yield _marked(ref, other.path)

    def refs_for(self, home: Home, paths: Sequence[str]) -> Iterator[SourceRef]:
        yield from self._agent.refs_for(home, paths)
        for other in self._others:
            below = [path for path in paths if _concerns(path, other.path)]
            for ref in other.listed(partial(self._agent.refs_for, other.home, below)) if below else ():
                yield _marked(ref, other.path)

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

    def is_cleaned_up(self, ref: SourceRef) -> bool:
        return self._agent.is_cleaned_up(ref)

    def companions(self, ref: SourceRef, home: Home) -> list[Path]:
        return self._agent.companions(*self._unmarked(ref, home))

    def indexes(self, ref: SourceRef, home: Home) -> list[Path]:
        return self._agent.indexes(*self._unmarked(ref, home))

    def index_places(self, ref: SourceRef, home: Home) -> list[Path]:
        return self._agent.index_places(*self._unmarked(ref, home))

    def place_for(self, ref: SourceRef, head: bytes) -> Path:
        return self._agent.place_for(ref, head)

    def is_form_of(self, ref: SourceRef, path: str) -> bool:
        return self._agent.is_form_of(self._unmarked(ref, Home(Path(), {}))[0], path)

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
        other = self.home_of(ref.key)
        if other is None:
            return ref, home
        return msgspec.structs.replace(ref, key=ref.key[len(_mark(other.path)) :]), other.home


def _concerns(path: str, home: Path) -> bool:
    """Return whether a path is in a home, or above it."""
    top = str(home)
    return path == top or path.startswith(top + os.sep) or top.startswith(path + os.sep)


def _mark(home: Path) -> str:
    return f"{_MARK}{home}{_MARK}"


def _marked(ref: SourceRef, home: Path) -> SourceRef:
    return msgspec.structs.replace(ref, key=_mark(home) + ref.key)
