"""What is left of a damaged strand: everything that verifies, however much is broken before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from holdfast_core.sealed.container import Position
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.keys import Keys
from holdfast_core.sealed.layout import FRAME_BYTES, PLAIN, RECORD_BYTES, TAG_BYTES, ZSTD, Piece
from holdfast_core.sealed.seal import Record
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

    @classmethod
    def open_damaged(cls, directory: Path, name: str, keys: Keys, patches: Sequence[Patch]) -> Salvaged | None:
        """Open what is left of a strand; None if nothing can be read of it. ``patches`` are its essentials.

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
                return cls(stream)
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
        spots: list[tuple[int, int, bytes, Spot]] = []
        for record in records:
            spot = Spot(_before(record), record.position.offset)
            payload = self.stream.payload(record)
            if payload.startswith(DATA):
                offset, data = unpack_data(payload)
                spots.append((offset, len(data), digest(data), spot))
            else:
                _apply(self.table, unpack_told(payload))
            self.position = record.position
        # Of two for one place, the later one counts: a kill cut off the earlier.
        at = {(offset, size): Held(Data(offset, size, plain), None, spot) for offset, size, plain, spot in spots}
        wanted = {(data.offset, data.size) for data in self.table.data}
        found += [held for place, held in at.items() if place in wanted]
        found += _untold(at, wanted, self.table.end)
        self._use(found)
        here = {held.data for held in self.held}
        self.lost = [data for data in self.table.data if data not in here]
        self.table.data = [held.data for held in self.held]

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


def _apply(table: Table, told: Told) -> None:
    """Change the table by a record before which others may be missing."""
    if isinstance(told, Grown):
        while not table.versions or table.versions[-1].number < told.number:
            table.versions.append(unknown(table.versions[-1].number + 1 if table.versions else 1))
        newest = table.versions[-1]
        for data in told.data[:1]:
            if data.offset > table.end:  # what was lost is growth
                grow(newest.pieces, (table.end, data.offset - table.end))
    elif isinstance(told, Opened):
        while table.versions and table.versions[-1].number < told.version.number - 1:
            table.versions.append(unknown(table.versions[-1].number + 1))
    apply(table, told)


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
