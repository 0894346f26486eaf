"""A strand that goes on: what is known of it, changed record by record as it is written, without opening it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from holdfast_core.agents.base import Fingerprint
from holdfast_core.sealed.container import Position
from holdfast_core.sealed.stream import Written
from holdfast_core.vault.catalogue import Change, Row
from holdfast_core.vault.content import PIECE_BYTES
from holdfast_core.vault.hot import Hot, blocks_of, depth_of, ends_of, latest, thin
from holdfast_core.vault.pieces import VersionContent
from holdfast_core.vault.strand import Strand
from holdfast_core.vault.table import MOST_DEPTH, Grown, Opened, Table, Tagged, Told, apply, incomplete, relative

_INODES = 0x7FFF_FFFF_FFFF_FFFF


@dataclass
class Going:
    """A strand after what was written last: its row, what going on needs, and what is not in the catalogue yet."""

    row: Row
    hot: Hot
    change: Change = field(init=False)
    _depth: int = 0

    def __post_init__(self) -> None:
        self.change = Change(self.row)

    def shortened(self, told: Told) -> Told:
        """Return what is told as it is to be written: pieces by those of the version before."""
        former = latest(self.hot.table)
        self._depth = 0
        if not isinstance(told, Opened) or former is None:
            return told
        version = relative(told.version, former.pieces, self.hot.depth)
        self._depth = version.depth
        return msgspec.structs.replace(told, version=version)

    def take(self, told: Told, position: Position) -> None:
        """Note what was appended."""
        table = self.hot.table
        if isinstance(told, Opened) and told.version.has_content:
            self.hot.depth = self._depth
        elif isinstance(told, Grown) and told.data and self.hot.depth:
            self.hot.depth = MOST_DEPTH  # here pieces that touch are one, there perhaps not
        before = dict(table.lost)
        apply(table, told)
        newest = table.versions[-1]
        self.change.versions[newest.number] = newest
        if isinstance(told, Tagged) and told.number in self.change.versions:
            self.change.versions[told.number].tag = told.text
        if isinstance(told, Opened | Grown):
            self.change.marks.update((mark.native_id, mark) for mark in told.marks)
        for native_id in before.keys() | table.lost.keys():
            if before.get(native_id) != table.lost.get(native_id):
                self.change.lost[native_id] = table.lost.get(native_id, 0)
        self.hot.table = thin(table)
        self.row.describe(table)
        self.row.stand_at(position)

    def replaced(self, table: Table, written: Written, *, is_encrypted: bool) -> None:
        """Note that the strand was written whole."""
        self.row.describe(table)
        self.row.stand_at(written.position)
        self.row.base_bytes, self.row.is_encrypted = written.position.offset, is_encrypted
        self.hot.table, self.hot.depth = thin(table), depth_of(table)
        self.change = whole_change(table, self.row)
        self.change.essentials = written.essentials


def opened(strand: Strand, name: str, known: Row | None) -> Going:
    """Return how to go on with a strand that is open, for which all of its newest version may be read.

    Raises:
        SealedError: what is needed of it is damaged.
    """
    version = latest(strand.table)
    content = VersionContent(strand, version) if version else None
    ends = ends_of(content, content.size) if content else b""
    hot = Hot(thin(strand.table), ends, blocks_of(content), depth_of(strand.table))
    row = row_of(strand, name, known)
    going = Going(row, hot)
    going.change = whole_change(strand.table, row)
    going.change.essentials = strand.stream.essentials(strand.base_bytes)
    return going


def row_of(strand: Strand, name: str, known: Row | None) -> Row:
    """Return what a strand says of itself; only the strand cannot say when it was verified."""
    table = strand.table
    row = Row(name=name, agent=table.agent, key=table.key, path=table.path)
    row.is_damaged = bool(incomplete(table))
    if known is not None:
        row.verified_ms = known.verified_ms
    row.describe(table)
    row.stand_at(strand.position)
    row.base_bytes, row.is_encrypted = strand.base_bytes, strand.stream.is_encrypted
    return row


def whole_change(table: Table, row: Row) -> Change:
    """Return a change that puts all of a strand into the catalogue."""
    return Change(
        row,
        versions={version.number: version for version in table.versions},
        damaged=incomplete(table),
        marks={mark.native_id: mark for mark in table.marks},
        lost=dict(table.lost),
        is_all=True,
    )


def chunks_of(strand: Strand) -> Iterator[tuple[int, bytes]]:
    """Yield all bytes of a strand with their places, a megabyte each where they go on."""
    place, waiting = 0, b""
    for held in strand.held:
        if held.data.offset != place + len(waiting):
            if waiting:
                yield place, waiting
            place, waiting = held.data.offset, b""
        for part in strand.read(held.data.offset, held.data.size):
            waiting += part
            while len(waiting) >= PIECE_BYTES:
                yield place, waiting[:PIECE_BYTES]
                place, waiting = place + PIECE_BYTES, waiting[PIECE_BYTES:]
    if waiting:
        yield place, waiting


def numbers(fingerprint: Fingerprint) -> tuple[int, int, int]:
    """Return a fingerprint as it is kept; an inode can be larger than SQLite's integers."""
    return fingerprint.size_bytes, fingerprint.modified_ns, fingerprint.inode & _INODES
