"""One strand that is open for reading: its table, and any of its bytes, each verified before it is given."""

from __future__ import annotations

import bisect
import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from holdfast_core.errors import NotFound
from holdfast_core.sealed.container import Identity, Position
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.keys import Keys
from holdfast_core.sealed.layout import Piece
from holdfast_core.sealed.stream import Stream
from holdfast_core.vault.content import PIECE_BYTES
from holdfast_core.vault.table import (
    DATA,
    DIGEST_BYTES,
    Data,
    Table,
    Told,
    VersionRow,
    apply,
    pieces_of,
    unpack_data,
    unpack_told,
)

RECORD_TYPE = "vault"
SUFFIX = ".hold"
_NAME_DIGITS = 40
_OPEN_FRAMES = 24


def strand_name(agent: str, key: str, turn: int = 0) -> str:
    """Return the name of a source's strand; ``turn`` counts those whose name another strand has that moved away."""
    text = f"strand\0{agent}\0{key}" + (f"\0{turn}" if turn else "")
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_NAME_DIGITS]


def strand_path(directory: Path, name: str) -> Path:
    """Return the file of a strand."""
    return directory / name[:2] / (name + SUFFIX)


def identity_of(name: str) -> Identity:
    """Return what the strand of this name is sealed as."""
    return Identity(RECORD_TYPE, name)


class Spot(NamedTuple):
    """Where a record stands: what it follows on, and the offset behind it."""

    before: Position
    end: int


class Held(NamedTuple):
    """Where some bytes of a strand stand: in a frame or in a record."""

    data: Data
    frame: tuple[Piece, int] | None
    spot: Spot | None


class Strand:
    """One strand, as it was when it was opened; used by one thread at a time, to be closed."""

    def __init__(self, stream: Stream) -> None:
        """Use `open` instead."""
        self.stream = stream
        self.table: Table
        self.position: Position
        self.base_bytes: int
        """The place behind the last record that verifies."""
        self.base = stream.base
        self.held: list[Held] = []
        """Where its bytes stand, in their order."""
        self._starts: list[int] = []
        self._recent: OrderedDict[int, bytes | memoryview] = OrderedDict()
        self._follow()

    @classmethod
    def open(cls, directory: Path, name: str, keys: Keys) -> Strand:
        """Open a strand; its header, its table and all of its tail are verified.

        Raises:
            SealedError: it is not that strand, not there, its table is damaged, or locked.
            OSError: it may not be read.
        """
        try:
            stream = Stream.open(strand_path(directory, name), keys, identity_of(name))
        except FileNotFoundError as error:
            raise SealedError("truncated", "the file is gone") from error
        try:
            return cls(stream)
        except BaseException:
            stream.close()
            raise

    @property
    def dropped_bytes(self) -> int:
        """How many bytes stand behind the last record that verifies; a crash leaves some, which is no damage."""
        return self.stream.size_bytes - self.position.offset

    def version(self, number: int | None = None) -> VersionRow:
        """Return a version, the newest that has content if ``number`` is None.

        Raises:
            NotFound: there is no such version.
        """
        for version in reversed(self.table.versions):
            if version.number == number or (number is None and version.has_content):
                return version
        raise NotFound("There is no such version.", detail=f"version {number}")

    def content(self, version: VersionRow) -> Iterator[bytes]:
        """Yield the bytes of a version, at most a megabyte each.

        Raises:
            SealedError: they are damaged here, or locked.
        """
        for start, size in self.pieces(version):
            yield from self.read(start, size)

    def pieces(self, version: VersionRow) -> list[tuple[int, int]]:
        """Return the places of a version's bytes.

        Raises:
            SealedError: some of them are not known any more.
        """
        found = pieces_of(self.table.versions, version.number)
        if found is None:
            raise SealedError("truncated", f"version {version.number}")
        return found

    def read(self, start: int, size: int) -> Iterator[bytes]:
        """Yield bytes of the strand, at most a megabyte each.

        Raises:
            SealedError: they are damaged here, or locked.
        """
        while size > 0:
            place = bisect.bisect_right(self._starts, start) - 1
            held = self.held[place] if place >= 0 else None
            if held is None or start >= held.data.offset + held.data.size:
                raise SealedError("truncated", f"byte {start} of a strand")
            inside = start - held.data.offset
            taken = min(size, held.data.size - inside, PIECE_BYTES)
            yield bytes(self._data(place)[inside : inside + taken])
            start += taken
            size -= taken

    def close(self) -> None:
        """Close the file."""
        self.stream.close()

    def _data(self, place: int) -> bytes | memoryview:
        """Return the bytes that stand at one place, those that were asked for last from memory."""
        found = self._recent.get(place)
        if found is None:
            found = self.load(self.held[place])
            self._recent[place] = found
            if len(self._recent) > _OPEN_FRAMES:
                self._recent.popitem(last=False)
        else:
            self._recent.move_to_end(place)
        return found

    def load(self, held: Held) -> bytes | memoryview:
        """Read what stands at one place, verified.

        Raises:
            SealedError: bad_tag; or locked.
        """
        if held.frame is not None:
            piece, start = held.frame
            payload = self.stream.frame(piece, start, digest=held.data.stored)
        else:
            assert held.spot is not None
            payload = self.stream.payload(self.stream.record(*held.spot))
        offset, data = unpack_data(payload)
        if (offset, len(data)) != (held.data.offset, held.data.size):
            raise SealedError("bad_tag", "other bytes than the table says")
        return data

    def _follow(self) -> None:
        """Read the table and all records that change it."""
        records = self.stream.records(self.base)
        first = next(records, None)
        if first is None:
            raise SealedError("bad_tag", "the table")
        told = unpack_told(self.stream.payload(first))
        if not isinstance(told, Table):
            raise SealedError("bad_tag", "no table behind the frames")
        self.table = told
        self.base_bytes = first.position.offset
        found = [Held(data, frame, None) for data, frame in zip(told.data, self.stream.places(), strict=False)]
        before, waiting = first.position, list[Spot]()
        for record in records:
            payload = self.stream.payload(record)
            if payload.startswith(DATA):
                waiting.append(Spot(before, record.position.offset))
            else:
                found += self._take(unpack_told(payload), waiting)
                waiting = []
            before = record.position
        self.position = before
        self._use(found)

    def _use(self, found: list[Held]) -> None:
        self.held = sorted(found, key=lambda held: held.data.offset)
        self._starts = [held.data.offset for held in self.held]

    def _take(self, told: Told, waiting: list[Spot]) -> list[Held]:
        count = len(self.table.data)
        apply(self.table, told)
        new = self.table.data[count:]
        if len(new) > len(waiting):
            raise SealedError("bad_tag", "a record tells of bytes that are not before it")
        # Of bytes that nobody told of, a capture was cut off: what came later stands nearer to the record.
        return [Held(data, None, at) for data, at in zip(new, waiting[len(waiting) - len(new) :], strict=True)]


def digest(data: bytes | memoryview) -> bytes:
    """Return what `Data` says of bytes."""
    return hashlib.sha256(data).digest()[:DIGEST_BYTES]
