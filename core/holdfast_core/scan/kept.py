"""Sessions of which the vault holds more than their sources: shown whole, from both."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from holdfast_core.agents.base import (
    Agent,
    Checkpoint,
    Home,
    Reading,
    ResumeCommand,
    ResumeTarget,
    SessionRead,
    SourceRef,
)
from holdfast_core.errors import HoldfastError, NotFound, SourceError
from holdfast_core.model.held import HELD_AGENT
from holdfast_core.model.vault import WITHOUT_CONTENT, Version
from holdfast_core.scan.homes import InHomes
from holdfast_core.scan.merging import merged
from holdfast_core.sealed.errors import SealedError

if TYPE_CHECKING:
    from holdfast_core.vault.looks import Looks
    from holdfast_core.vault.vault import Vault

log = logging.getLogger(__name__)

_READINGS = 4
_READING_BYTES = 8 << 20
_SAID: Final = tuple(name for name in Agent.__annotations__ if not name.startswith("_"))


def with_vault(agents: Mapping[str, Agent], keeping: Keeping) -> dict[str, Agent]:
    """Return agents whose sessions are read with what the vault holds of them beside their sources."""
    return {name: agent if name == HELD_AGENT else _kept(agent, keeping) for name, agent in agents.items()}


class Losses(msgspec.Struct, frozen=True):
    """What a source has lost. ``messages`` counts by session what the vault alone holds.

    ``bases`` are the versions that hold it, the first first; ``damage`` is
    what became of the source last, ``is_gone`` that there is none any more.
    """

    messages: dict[str, int]
    bases: tuple[int, ...]
    damage: str
    is_gone: bool


class Keeping:
    """What the vault holds of sources, as their readers read it; some of it stays in memory."""

    def __init__(self, looks: Looks, vault: Callable[[], Vault]) -> None:
        self.looks = looks
        self._vault = vault
        self._readings: OrderedDict[tuple[str, str, int], Reading] = OrderedDict()

    @property
    def vault(self) -> Vault:
        """The vault itself, opened with the first source that needs more than a look."""
        return self._vault()

    def losses(self, ref: SourceRef) -> Losses | None:
        """Return what a source has lost, None if it has lost nothing."""
        state = self.looks.at(ref.agent, ref.key)
        if state is None or not (state.lost_messages or state.is_gone):
            return None
        versions = self.vault.versions(ref.agent, ref.key)
        newest = newest_content(versions) if state.is_gone else None
        return Losses(
            self.vault.lost(ref.agent, ref.key),
            bases_of(versions) if newest is None else tuple(dict.fromkeys((*bases_of(versions), newest))),
            next((version.reason for version in reversed(versions) if version.lost), ""),
            state.is_gone,
        )

    def whole(self, agent: Agent, ref: SourceRef, home: Home, losses: Losses, present: Reading | None) -> Reading:
        """Return what a source holds together with what it has lost.

        ``present`` is the reading of the source, None if there is nothing to be read.

        Raises:
            HoldfastError: what was lost cannot be read here.
            SourceError: its reader can read nothing of it.
        """
        earlier: dict[str, SessionRead] = {}
        trouble: SourceError | SealedError | None = None
        is_shared = present is not None and present.is_shared
        for number in losses.bases:
            try:
                reading = self.version(agent, ref, home, number)
            except (SourceError, SealedError) as error:
                log.info("a version of a source of %s cannot be read: %s", ref.agent, error.reason)
                if number == losses.bases[-1]:
                    trouble = error
                continue
            is_shared |= reading.is_shared
            for session in reading.sessions:
                name = session.facts.native_id
                if name in losses.messages or (losses.is_gone and number == losses.bases[-1]):
                    before = earlier.get(name)
                    earlier[name] = session if before is None else merged(before, session).session
        if present is None and trouble is not None and (not earlier or isinstance(trouble, SealedError)):
            raise trouble  # else it is one that its agent had spoilt: those before tell of it
        now = {} if present is None else {session.facts.native_id: session for session in present.sessions}
        is_continued = present is not None and present.was_continued
        found = [session for name, session in now.items() if name not in earlier]
        for name, session in earlier.items():
            if name in now or not is_continued:
                shown = _shown(session, now.get(name), losses, is_read=present is not None)
                found.append(shown if shown.facts.project_path else self._in_project(ref, shown))
        if present is None:
            return Reading(found, [], {}, None, 0, is_shared=is_shared)
        return msgspec.structs.replace(present, sessions=found, checkpoint=present.checkpoint if is_shared else None)

    def _in_project(self, ref: SourceRef, session: SessionRead) -> SessionRead:
        """Return a session with the project that it had when it was captured: other files may have told that."""
        marks = self.vault.marks(ref.agent, ref.key)
        project = next((mark.project for mark in marks if mark.native_id == session.facts.native_id), "")
        return msgspec.structs.replace(session, facts=msgspec.structs.replace(session.facts, project_path=project))

    def newest(self, agent: Agent, ref: SourceRef, home: Home) -> Reading:
        """Return what the reader of a source makes of its newest version with content; raises as `version`."""
        number = newest_content(self.vault.versions(ref.agent, ref.key))
        if number is None:
            raise NotFound("There is no version of this session.")
        return msgspec.structs.replace(self.version(agent, ref, home, number), checkpoint=None, was_continued=False)

    def alone(self, agent: Agent, ref: SourceRef, home: Home, losses: Losses | None) -> Reading:
        """Return all that is here of a source that cannot be looked at now; raises as `whole` and `newest`."""
        if losses is None:
            return self.newest(agent, ref, home)
        present: Reading | None = None
        with suppress(SourceError):  # what its agent had spoilt tells nothing
            present = self.newest(agent, ref, home)
        return self.whole(agent, ref, home, losses, present)

    def version(self, agent: Agent, ref: SourceRef, home: Home, number: int) -> Reading:
        """Return what the reader of a source makes of a version.

        Raises:
            HoldfastError: there is no such version, or it cannot be read.
        """
        from holdfast_core.vault.mirror import read_version

        name = ref.agent, ref.key, number
        found = self._readings.get(name)
        if found is None:
            reader, its_home = reader_of(agent, ref, home)
            found = read_version(self.vault, reader, ref, number, its_home)
            if found.bytes_read <= _READING_BYTES:
                self._readings[name] = found
                while len(self._readings) > _READINGS:
                    self._readings.popitem(last=False)
        return found


def bases_of(versions: Sequence[Version]) -> tuple[int, ...]:
    """Return the versions that hold what later ones have lost: of each of these the one before with content."""
    found: list[int] = []
    before = 0
    for version in versions:
        if version.lost and before:
            found.append(before)
        if version.reason not in WITHOUT_CONTENT:
            before = version.number
    return tuple(dict.fromkeys(found))


def newest_content(versions: Sequence[Version]) -> int | None:
    """Return the number of the newest version that has content."""
    return next((version.number for version in reversed(versions) if version.reason not in WITHOUT_CONTENT), None)


def reader_of(agent: Agent, ref: SourceRef, home: Home) -> tuple[Agent, Home]:
    """Return the agent that reads a source itself, and the home that the source is in."""
    if isinstance(agent, _Kept):
        agent = agent.inner
    return agent.reader_of(ref, home) if isinstance(agent, InHomes) else (agent, home)


def bare(agent: Agent) -> Agent:
    """Return an agent that reads sources alone, without the vault."""
    return agent.inner if isinstance(agent, _Kept) else agent


def _shown(earlier: SessionRead, now: SessionRead | None, losses: Losses, *, is_read: bool) -> SessionRead:
    whole = merged(earlier, now)
    is_gone = losses.is_gone or (is_read and (now is None or not now.messages))
    facts = msgspec.structs.replace(
        whole.session.facts, lost_messages=whole.lost, is_gone=is_gone, damage=losses.damage if whole.lost else ""
    )
    return msgspec.structs.replace(whole.session, facts=facts, first_index=0)


def _kept(agent: Agent, keeping: Keeping) -> Agent:
    kind = type(type(agent).__name__, (_Kept,), {name: getattr(agent, name) for name in _SAID})
    made: Agent = kind(agent, keeping)
    return made


class _Kept(Agent):
    """One agent, with what the vault holds of its sources."""

    def __init__(self, agent: Agent, keeping: Keeping) -> None:
        self.inner = agent
        self._keeping = keeping

    def roots(self, home: Home) -> list[Path]:
        return self.inner.roots(home)

    def discover(self, home: Home) -> Iterator[SourceRef]:
        return self.inner.discover(home)

    def refs_for(self, home: Home, paths: Sequence[str]) -> Iterator[SourceRef]:
        return self.inner.refs_for(home, paths)

    def away(self, home: Home) -> list[Path]:
        return self.inner.away(home)

    def read(self, ref: SourceRef, home: Home, *, checkpoint: Checkpoint | None = None) -> Reading:
        losses = self._keeping.losses(ref)
        if losses is not None:
            return self._whole(ref, home, losses)
        try:
            return self.inner.read(ref, home, checkpoint=checkpoint)
        except (SourceError, OSError) as error:
            return self._newest(ref, home, error)

    def read_session(self, ref: SourceRef, home: Home, native_id: str) -> Reading:
        losses = self._keeping.losses(ref)
        if losses is not None and (native_id in losses.messages or losses.is_gone):
            return self._whole(ref, home, losses)
        try:
            return self.inner.read_session(ref, home, native_id)
        except (SourceError, OSError) as error:
            return self._newest(ref, home, error)

    def _newest(self, ref: SourceRef, home: Home, error: SourceError | OSError) -> Reading:
        """Return the newest version of a source that cannot be read now; raises ``error`` if there is none."""
        try:
            return self._keeping.newest(self.inner, ref, home)
        except (HoldfastError, OSError) as trouble:
            raise error from trouble

    def _whole(self, ref: SourceRef, home: Home, losses: Losses) -> Reading:
        present: Reading | None = None
        if not losses.is_gone:
            try:
                present = self.inner.read(ref, home)
            except (SourceError, OSError) as error:
                log.info("a source of %s is read from the vault alone: %s", ref.agent, type(error).__name__)
                return self._keeping.alone(self.inner, ref, home, losses)
        return self._keeping.whole(self.inner, ref, home, losses, present)

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        return self.inner.resume_command(facts, fork=fork)

    def deletes_after_days(self, home: Home) -> int | None:
        return self.inner.deletes_after_days(home)

    def is_cleaned_up(self, ref: SourceRef) -> bool:
        return self.inner.is_cleaned_up(ref)

    def companions(self, ref: SourceRef, home: Home) -> list[Path]:
        return self.inner.companions(ref, home)

    def indexes(self, ref: SourceRef, home: Home) -> list[Path]:
        return self.inner.indexes(ref, home)

    def index_places(self, ref: SourceRef, home: Home) -> list[Path]:
        return self.inner.index_places(ref, home)

    def is_form_of(self, ref: SourceRef, path: str) -> bool:
        return self.inner.is_form_of(ref, path)

    def place_for(self, ref: SourceRef, head: bytes) -> Path:
        return self.inner.place_for(ref, head)

    def is_in_use(self, ref: SourceRef, home: Home) -> bool:
        return self.inner.is_in_use(ref, home)

    def restore_notes(self, ref: SourceRef, home: Home) -> tuple[str, ...]:
        return self.inner.restore_notes(ref, home)

    def place_in_project(self, ref: SourceRef, home: Home, project: str) -> Path | None:
        return self.inner.place_in_project(ref, home, project)

    def recognises(self, head: bytes, name: str) -> bool:
        return self.inner.recognises(head, name)
