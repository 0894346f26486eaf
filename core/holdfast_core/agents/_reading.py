"""How a file of lines is read, whole or from where an earlier reading ended."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, Self, TypeVar

import msgspec

from holdfast_core.agents._draft import TooEarly
from holdfast_core.agents._fields import Sample, kind_of, known_in
from holdfast_core.agents._json import Forgiving
from holdfast_core.agents._jsonl import UTF8_BOM, LineFile
from holdfast_core.agents.base import Checkpoint, Reading, SessionRead
from holdfast_core.model.session import Problem

Record = TypeVar("Record", bound=msgspec.Struct)
PROBLEM_LIMIT = 1000


class Place(msgspec.Struct, frozen=True, array_like=True):
    """A line to which a reader can go back: its position and number, and the index of its first message.

    ``seed`` is what the reader must know to read on from there alone.
    """

    position: int
    line: int
    index: int
    seed: bytes = b""


class LineTaker(ABC, Generic[Record]):
    """Takes in records, one line after the other. ``file`` is the file that is being read."""

    record: ClassVar[type[msgspec.Struct]]

    def __init__(self, file: LineFile) -> None:
        self.file = file
        self.line = 1
        self.position = 0
        self.problems: list[Problem] = []
        self.unknown: dict[str, int] = {}
        self.sample = Sample()
        self._decoder: Forgiving[Record] = Forgiving(self.record)  # type: ignore[arg-type]  # set by the subclass
        self.repairs: dict[str, int] = self._decoder.repairs

    @abstractmethod
    def take(self, record: Record) -> None:
        """Take in one record, which stands at ``position`` on ``line``."""

    def kind_of(self) -> Callable[[Record], str | None]:
        """Return what tells the kind of a record, of each of which some are looked at for unknown fields."""
        return kind_of(self.record)

    def run(self, start: int = 0, *, until: int | None = None) -> int:
        """Read from a position on; returns the position after the last whole record."""
        file, end = self.file, start
        for first, lines, is_ended in file.batches(start, until=until):
            position, number, rest = first, 0, iter(lines)
            while number < len(lines):
                if is_ended and lines[number]:
                    records = self._decoder.leading(rest)
                    position = self._take_all(position, lines[number : number + len(records)], records)
                    number += len(records)
                    if number == len(lines):
                        break
                line = lines[number]
                if not self._take_line(position, line and line.removesuffix(b"\n"), is_ended):
                    return end
                if is_ended:
                    self.line += 1 + file.empty_lines
                    file.empty_lines = 0
                position += len(line or b"")
                number += 1
            end = file.end if is_ended else position
        return end

    def _take_all(self, position: int, lines: Sequence[bytes], records: list[Record]) -> int:
        """Take the records of whole lines, of which the first stands at a position; returns where they end."""
        take, next_look, number = self.take, self.sample.next, self.line
        for line, record in zip(lines, records, strict=True):
            self.position, self.line = position, number
            take(record)
            if position >= next_look:
                self._look(line[:-1], record)
                next_look = self.sample.next
            number += 1
            position += len(line)
        self.line = number
        return position

    def _take_line(self, position: int, line: bytes | None, is_ended: bool) -> bool:
        """Take one line; False if it is a half record that is still being written."""
        self.position = position
        if line is None:
            self.problem("line_too_long")
        elif line and (position or not line.startswith(UTF8_BOM)):
            record = self._decoder.one(line)
            if record is None:
                return self._take_odd(line, is_ended)
            self.take(record)
            if position >= self.sample.next:
                self._look(line, record)
        elif line:
            return self._take_odd(line[len(UTF8_BOM) :], is_ended)
        return True

    def _look(self, line: bytes, record: Record) -> None:
        kind = self.kind_of()(record) or ""
        if kind not in self.unknown:
            self.sample.look(line, self.record, kind, self.position)

    def _take_odd(self, line: bytes, is_ended: bool) -> bool:
        """Take what can be recovered of a line; False if it is a half record that is still being written."""
        line = line.strip(b" \t\r\0")
        if not line:
            return is_ended
        before = dict(self.repairs)
        records, reason = self._decoder.several(line)
        if not is_ended and reason is not None:
            self.repairs.clear()
            self.repairs.update(before)
            return False
        for record in records:
            self.take(record)
        if reason is not None:
            self.problem(reason)
        return True

    def take_value(self, value: dict[str, object]) -> None:
        """Take in one record that is decoded already."""
        self.sample.compare(value, known_in(self.record))
        self.take(self._decoder.shape(value))

    def problem(self, reason: str) -> None:
        """Note that the present line, or a part of it, could not be read."""
        if len(self.problems) < PROBLEM_LIMIT:
            self.problems.append(Problem(self.line, reason))

    def count_unknown(self, kind: str) -> None:
        """Count a record of a kind that is not known."""
        kind = kind[:80] or "none"
        if kind in self.unknown or len(self.unknown) < 200:
            self.unknown[kind] = self.unknown.get(kind, 0) + 1


class LineReader(LineTaker[Record]):
    """Makes sessions of records, and can go on where an earlier reading ended.

    Everything that must last until the next reading is in `state`.
    """

    @abstractmethod
    def sessions(self) -> list[SessionRead]:
        """Return what was gathered."""

    @abstractmethod
    def state(self) -> bytes:
        """Return what the next reading must know."""

    @abstractmethod
    def restore(self, state: bytes) -> None:
        """Take up a state; raises `msgspec.MsgspecError` if it is another version's."""

    @abstractmethod
    def place_before(self, index: int) -> Place | None:
        """Return the nearest place from which the message at an index can be read again, if there is one."""

    @abstractmethod
    def warm(self, place: Place) -> Self:
        """Return a new reader that can read from a place on."""

    @abstractmethod
    def preload(self, warmed: Self) -> None:
        """Take over the messages that a warm reader has read up to the end of the earlier reading."""


class _State(msgspec.Struct, array_like=True):
    line: int
    repairs: dict[str, int]
    reader: bytes
    due: dict[str, int] = {}
    bytes_spent: int = 0
    next_look: int = 0


def read_lines(reader: LineReader[Record], checkpoint: Checkpoint | None) -> Reading:
    """Read a file with a new reader, from the checkpoint on if the file only grew since."""
    file = reader.file
    if checkpoint is not None and _fits(file, checkpoint):
        continued = _continue(reader, checkpoint)
        if continued is not None:
            return continued
        reader = reader.warm(Place(0, 1, 0))
    end = reader.run()
    return _reading(reader, end, was_continued=False)


def _fits(file: LineFile, checkpoint: Checkpoint) -> bool:
    return checkpoint.offset <= file.size_bytes and file.tail_hash(checkpoint.offset) == checkpoint.tail_hash


def _continue(blank: LineReader[Record], checkpoint: Checkpoint) -> Reading | None:
    """Return the reading of what was appended, None if the file must be read from its start."""
    try:
        reader = _restored(blank, checkpoint)
    except msgspec.MsgspecError:
        return None
    try:
        end = reader.run(checkpoint.offset)
    except TooEarly as early:
        reader = _restored(blank, checkpoint)
        place = reader.place_before(early.index)
        if place is None:
            return None
        warmed = reader.warm(place)
        try:
            warmed.run(place.position, until=checkpoint.offset)
            reader.preload(warmed)
            end = reader.run(checkpoint.offset)
        except TooEarly:
            return None
    return _reading(reader, end, was_continued=True)


def _restored(blank: LineReader[Record], checkpoint: Checkpoint) -> LineReader[Record]:
    reader = blank.warm(Place(0, 1, 0))
    state = msgspec.msgpack.decode(checkpoint.state, type=_State)
    reader.restore(state.reader)
    reader.line = state.line
    reader.repairs.update(state.repairs)
    sample = reader.sample
    sample.due, sample.bytes_spent, sample.next = state.due, state.bytes_spent, state.next_look
    return reader


def _reading(reader: LineReader[Record], end: int, *, was_continued: bool) -> Reading:
    file = reader.file
    sample = reader.sample
    state = msgspec.msgpack.encode(
        _State(reader.line, reader.repairs, reader.state(), sample.due, sample.bytes_spent, sample.next)
    )
    checkpoint = Checkpoint(end, file.tail_hash(end), state) if file.is_steady() else None
    return Reading(
        reader.sessions(),
        reader.problems,
        reader.unknown,
        checkpoint,
        file.bytes_read,
        was_continued,
        unknown_fields=sample.unknown,
    )
