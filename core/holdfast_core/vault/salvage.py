"""What is left of a damaged strand: everything that verifies, however much is broken before it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from holdfast_core.atomic import read_bytes
from holdfast_core.sealed.container import Position
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.keys import Keys
from holdfast_core.sealed.layout import FRAME_BYTES, PLAIN, RECORD_BYTES, TAG_BYTES, ZSTD, Piece
from holdfast_core.sealed.seal import Record, open_sealed
from holdfast_core.sealed.stream import Patch, Stream
from holdfast_core.vault.strand import Held, Spot, Strand, digest, identity_of, strand_path
from holdfast_core.vault.table import (
    DATA,
    DATA_HEAD_BYTES,
    Data,
    Grown,
    Opened,
    Table,
    Told,
    VersionRow,
    apply,
    grow,
    unpack_data,
    unpack_told,
)


class Salvaged(Strand):
    """A strand that may be damaged anywhere. What it holds verifies; its table tells of no more than that.

    ``lost`` is what else it had, as far as that is known.
    """

    lost: list[Data]

    def __init__(self, stream: Stream, known: Position | None) -> None:
        """Use `open_damaged` instead."""
        self._known = known
        super().__init__(stream)

    @classmethod
    def open_damaged(
        cls, directory: Path, name: str, keys: Keys, patches: Sequence[Patch], known: Position | None = None
    ) -> Salvaged | None:
        """Open what is left of a strand; None if nothing can be read of it. ``patches`` are its essentials.

        ``known`` is how far it was seen: what is torn behind that was never acknowledged.

        Raises:
            SealedError: locked.
            OSError: it cannot be read; that it is not there is no error.
        """
        for tried in ((), patches) if patches else ((),):
            try:
                stream = Stream.open(strand_path(directory, name), keys, identity_of(name), patches=tried)
            except FileNotFoundError:
                return None
            except SealedError as error:
                _raise_locked(error)
                continue
            try:
                return cls(stream, known)
            except SealedError as error:
                stream.close()
                _raise_locked(error)
            except BaseException:
                stream.close()
                raise
        return None

    def _follow(self) -> None:
        """Read the table, and every record that verifies, before and behind damage."""
        records = self._all_records()
        first = next(records, None)
        told = unpack_told(self.stream.payload(first)) if first else None
        if first is None or not isinstance(told, Table):
            raise SealedError("bad_tag", "the table")
        self.table, self.base_bytes, self.position = told, first.position.offset, first.position
        found = list(self._frames())
        # Of two for one place, the later one counts: a kill cut off the earlier.
        at: dict[tuple[int, int], Held] = {}
        for record in records:
            payload = self.stream.payload(record)
            if payload.startswith(DATA):
                offset, data = unpack_data(payload)
                spot = Spot(_before(record), record.position.offset)
                at[offset, len(data)] = Held(Data(offset, len(data), digest(data)), None, spot)
            else:
                told = unpack_told(payload)
                if not self._is_torn(record, told, at):
                    _apply(self.table, told)
            self.position = record.position
        wanted = {(data.offset, data.size) for data in self.table.data}
        found += [held for place, held in at.items() if place in wanted]
        found += _untold(at, wanted, self.table.end)
        self._use(found)
        here = {held.data for held in self.held}
        self.lost = [data for data in self.table.data if data not in here]
        self.table.data = [held.data for held in self.held]

    def _is_torn(self, record: Record, told: Told, at: Collection[tuple[int, int]]) -> bool:
        """Return whether a record tells of bytes that were being written when the power went."""
        if self._known is None or record.position[:3:2] <= self._known[:3:2] or not isinstance(told, Grown | Opened):
            return False
        return _lost_before(self.table, told) != 0 or any((data.offset, data.size) not in at for data in told.data)

    def _frames(self) -> Iterator[Held]:
        """Yield the frames that are as they were, by what the table says: what stands before each may be damaged."""
        place = self.stream.header.size
        for number, data in enumerate(self.table.data):
            start, place = place + FRAME_BYTES, place + FRAME_BYTES + data.stored_bytes
            for compression in (ZSTD, PLAIN):
                piece = Piece(number, data.stored_bytes, data.size + DATA_HEAD_BYTES, compression)
                held = Held(data, (piece, start), None)
                with suppress(SealedError):
                    if digest(self.load(held)) == data.plain:
                        yield held
                        break

    def _all_records(self) -> Iterator[Record]:
        place: Position | None = self.stream.base
        while place is not None:
            last = place
            for record in self.stream.records(place):
                last = record.position
                yield record
            place = self.stream.next_after(last) if last.offset < self.stream.size_bytes else None


def has_other_head(directory: Path, name: str, patches: Sequence[Patch]) -> bool:
    """Return whether a strand begins otherwise than it was written: then what its header says is not to be believed.

    Raises:
        OSError: it may not be read.
    """
    if not patches:
        return False
    descriptor = open_sealed(strand_path(directory, name))
    try:
        return read_bytes(descriptor, len(patches[0][1])) != patches[0][1]
    finally:
        os.close(descriptor)


def _apply(table: Table, told: Told) -> None:
    """Change the table by a record before which others may be missing."""
    if isinstance(told, Grown):
        _fill_up(table, told.number)
        lost = _lost_before(table, told)
        if lost:
            grow(table.versions[-1].pieces, (table.end, lost))
    elif isinstance(told, Opened):
        lost = _lost_before(table, told)
        if lost and table.versions[-1].number == told.version.number - 1:
            grow(table.versions[-1].pieces, (table.end, lost))
            table.versions[-1].size += lost
        _fill_up(table, told.version.number - 1)
    apply(table, told)


def _fill_up(table: Table, number: int) -> None:
    """Let all versions up to a number be there."""
    while table.versions[-1].number < number:
        table.versions.append(unknown(table.versions[-1].number + 1))


def _lost_before(table: Table, told: Grown | Opened) -> int:
    """Return how many bytes the strand got of which no record before tells any more: growth of a version."""
    return told.end - sum(data.size for data in told.data) - table.end


def unknown(number: int) -> VersionRow:
    """Return what stands for a version of which nothing is known but that it was there."""
    return VersionRow(number, 0, 0, 0, -1, 0, "rewritten", [])


def _untold(at: dict[tuple[int, int], Held], wanted: set[tuple[int, int]], end: int) -> list[Held]:
    """Return bytes of which the record that told of them is lost, where nothing else has their place."""
    found = []
    for (offset, size), held in at.items():
        is_free = all(offset + size <= start or start + length <= offset for start, length in wanted)
        if is_free and offset + size <= end:
            found.append(held)
    return found


def _before(record: Record) -> Position:
    """Return the place that a record follows on."""
    generation, _, sequence, _ = record.position
    start = record.position.offset - (RECORD_BYTES + record.piece.stored_bytes + TAG_BYTES)
    tag = record.data[record.start - TAG_BYTES : record.start]
    return Position(generation, start, sequence - 1, tag)


def _raise_locked(error: SealedError) -> None:
    if error.reason == "locked":
        raise error
