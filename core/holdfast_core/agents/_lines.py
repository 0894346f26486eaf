"""Agents that append one JSON record a line to a file that holds one session: what their readers have in common."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Generic, NamedTuple, Self, TypeVar

import msgspec

from holdfast_core.agents._draft import Draft, Gathered, TooEarly
from holdfast_core.agents._files import FileAgent
from holdfast_core.agents._jsonl import LineFile
from holdfast_core.agents._reading import LineReader, Place, read_lines
from holdfast_core.agents._values import text_of_name
from holdfast_core.agents.base import Checkpoint, Home, Reading, SessionRead, SourceRef
from holdfast_core.model.message import Block, Message, Role
from holdfast_core.model.usage import Usage

_PLACES = 16


class Source(NamedTuple):
    """Where the session that is read comes from."""

    agent: str
    path: str
    root: str
    home: Home

    @property
    def stem(self) -> str:
        """The file's name without its last ending, as text that can be stored."""
        return text_of_name(Path(self.path).stem)


class SessionState(msgspec.Struct, array_like=True):
    """What must last until the next reading; a reader with more to keep makes a subclass.

    ``places`` are lines from which messages can be read again that an earlier reading gave away.
    """

    main: Gathered
    places: list[Place] = []


Record = TypeVar("Record", bound=msgspec.Struct)
State = TypeVar("State", bound=SessionState)


class SessionReader(LineReader[Record], Generic[Record, State]):
    """Makes one session of a file. ``kept`` lasts until the next reading, ``draft`` gathers the session."""

    state_kind: ClassVar[type[SessionState]]
    _is_restored = False

    def __init__(self, file: LineFile, source: Source) -> None:
        super().__init__(file)
        self.source = source
        self.kept: State = self.state_kind(self.begun())  # type: ignore[assignment]  # set by the subclass
        self.draft = Draft(self.kept.main)
        self.adopted()

    def begun(self) -> Gathered:
        """Return what is known of the session before its file was opened."""
        return Gathered(self.source.stem)

    def adopted(self) -> None:
        """Do what must be done after ``kept`` was set, or replaced by that of an earlier reading."""

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """Return what `Draft.finish` is to be told, at least ``title`` and ``is_empty``."""

    def seed(self) -> bytes:
        """Return what a reader must know to read on from the present line alone."""
        return b""

    def sow(self, seed: bytes) -> None:
        """Take up what `seed` gave."""

    def state(self) -> bytes:
        return msgspec.msgpack.encode(self.kept)

    def restore(self, state: bytes) -> None:
        self.kept = msgspec.msgpack.decode(state, type=self.state_kind)  # type: ignore[assignment]  # as above
        self.draft = Draft(self.kept.main)
        self._is_restored = True
        self.adopted()

    def name(self, native_id: str) -> None:
        """Set the session's id; an earlier reading that gave it another one is then done anew."""
        if native_id != self.kept.main.native_id:
            if self._is_restored:
                raise TooEarly(-1)
            self.kept.main.native_id = native_id

    def place_before(self, index: int) -> Place | None:
        fitting = [place for place in self.kept.places if place.index <= index]
        return max(fitting, key=lambda place: place.index, default=None)

    def warm(self, place: Place) -> Self:
        fresh = type(self)(self.file, self.source)
        fresh.line = place.line
        fresh.kept.main.count = fresh.draft.base = place.index
        fresh.draft.known_copies = frozenset(self.kept.main.copies)
        if place.seed:
            fresh.sow(place.seed)
        return fresh

    def preload(self, warmed: Self) -> None:
        self.draft.messages, self.draft.base = warmed.draft.messages, warmed.draft.base

    def mark(self) -> None:
        """Note that the present line begins a message that later records may change."""
        places, index = self.kept.places, self.draft.next_index
        if not places or places[-1].index != index:
            places.append(Place(self.position, self.line, index, self.seed()))
            if len(places) > _PLACES:
                del places[0]

    def message(
        self,
        role: Role,
        blocks: list[Block],
        moment: int | None,
        *,
        id: str | None = None,
        parent: str | None = None,
        model: str | None = None,
        usage: Usage | None = None,
    ) -> Message:
        """Return a message that stands on the present line."""
        return Message(id or f"line-{self.line}", role, tuple(blocks), moment, parent, model, usage, self.line)

    def counted(self, key: str | None, usage: Usage, *, model: str, moment: int | None) -> Usage | None:
        """Count a response that the next message shows; returns the usage that stands on it, None for a copy's.

        Without a key it is the line's own.
        """
        if not usage.total_tokens:
            return None
        key = key or f"{self.kept.main.native_id}:{self.line}"
        is_new = self.draft.respond(key, usage, model=model, timestamp_ms=moment, index=self.draft.next_index)
        return usage if is_new else None

    def sessions(self) -> list[SessionRead]:
        facts: dict[str, Any] = {"agent": self.source.agent, "fallback_ms": self.file.modified_ms}
        facts |= self.facts()
        if self.repairs:
            facts["provider_data"] = facts.get("provider_data", {}) | {"repaired": dict(self.repairs)}
        return [self.draft.finish(**facts)]


class LineAgent(FileAgent):
    """An agent each of whose sources is a file of lines that grows."""

    @abstractmethod
    def reader(self, file: LineFile, source: Source) -> LineReader[Any]:
        """Return a new reader of an open file."""

    def source_at(self, path: str, home: Home) -> Source:
        """Return what is known of a source by its path alone."""
        return Source(self.id, path, self.root_of(path, home), home)

    def read(self, ref: SourceRef, home: Home, *, checkpoint: Checkpoint | None = None) -> Reading:
        source = self.source_at(ref.path, home)
        with LineFile(ref.path, root=source.root) as file:
            return read_lines(self.reader(file, source), checkpoint)
