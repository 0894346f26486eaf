"""Write a damaged strand anew of what is left, of what the catalogue remembers, and of what the source still has."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from holdfast_core import clock
from holdfast_core.atomic import replace
from holdfast_core.paths import make_private
from holdfast_core.sealed.keys import Keys
from holdfast_core.vault.catalogue import Catalogue, Row
from holdfast_core.vault.content import PIECE_BYTES, Content
from holdfast_core.vault.going import Going, row_of
from holdfast_core.vault.hot import Hot, HotSeal, blocks_of, ends_of, latest
from holdfast_core.vault.pieces import VersionContent
from holdfast_core.vault.salvage import Salvaged, unknown
from holdfast_core.vault.strand import Strand, digest, strand_path
from holdfast_core.vault.table import Table, incomplete, joined, pieces_of

QUARANTINE = "quarantine"


class Filling(NamedTuple):
    """Bytes of a strand that are taken from the source: where they belong, how many, and where they are there."""

    offset: int
    size: int
    place: int


class Mender:
    """Mends strands of one vault, under its lock and outside of a batch."""

    def __init__(
        self,
        directory: Path,
        keys: Keys,
        catalogue: Catalogue,
        rewrite: Callable[[Going, Table, Iterator[tuple[int, bytes]]], None],
    ) -> None:
        """``rewrite`` writes a strand whole, as its next generation; the caller publishes it."""
        self._directory = directory
        self._keys = keys
        self._catalogue = catalogue
        self._rewrite = rewrite

    def mend(self, name: str, content: Content | None, *, only_filled: bool) -> Going | None:
        """Write a strand anew, and put the damaged file aside; None if nothing is known of it any more.

        ``content`` is what the source is now. With ``only_filled`` nothing is
        done either if the source has nothing of what is missing. Versions that cannot
        be given whole stay in the table, and `incomplete` tells of them.

        Raises:
            SealedError: locked.
            OSError: the disk does not take it.
        """
        known = self._catalogue.named(name)
        position = known.position if known else None
        strand = Salvaged.open_damaged(self._directory, name, self._keys, self._catalogue.essentials(name), position)
        try:
            table = self._table(name, strand, known)
            if table is None:
                return None
            fillings = _fillings(strand, table, content) if content else []
            if only_filled and not fillings:
                return None
            going = Going(self._row(name, strand, known, table), Hot(table, b""))
            self._put_aside(name)
            self._rewrite(going, table, _chunks(strand, fillings, content))
        finally:
            if strand is not None:
                strand.close()
        going.row.is_damaged = bool(incomplete(table))
        return going

    def _table(self, name: str, strand: Strand | None, known: Row | None) -> Table | None:
        """Return the table that is left, with what the catalogue remembers behind it."""
        hot = None
        if known is not None:
            stored = self._catalogue.hot(name)
            hot = HotSeal(self._keys).unpack(stored, name, known.position, encrypt=known.is_encrypted)
        if strand is None and known is None:
            return None
        if strand is not None:
            table = strand.table
        else:
            assert known is not None
            table = Table(agent=known.agent, key=known.key, path=known.path, owner=known.owner)
        is_behind = strand is None or (known is not None and strand.position[:3:2] < known.position[:3:2])
        if known is not None and hot is not None and is_behind:
            _remember(table, hot.table)
        if known is not None:
            is_ahead = strand is not None and strand.position[:3:2] > known.position[:3:2]
            self._name_lost(table, known, is_ahead=is_ahead)
        return table

    def _name_lost(self, table: Table, known: Row, *, is_ahead: bool) -> None:
        """Name the versions, and the growth of them, of which the catalogue alone knows."""
        having = {version.number: version for version in table.versions if version.size >= 0}
        told = {version.number: version for version in self._catalogue.versions(known)}
        last = max([known.newest_version, *having])
        table.versions = [having.get(number) or unknown(number) for number in range(1, last + 1)]
        for version in table.versions:
            one = told.get(version.number)
            if one is not None and version.size != one.size_bytes and not is_ahead:
                version.size = one.size_bytes  # growth of it is lost
            if version.captured_ms == 0 and one is not None:
                version.opened_ms = version.captured_ms = one.captured_ms
                version.modified_ms, version.messages, version.reason = one.modified_ms, one.messages, one.reason
                version.lost, version.added, version.tag = one.lost, one.added_messages, one.tag

    def _row(self, name: str, strand: Strand | None, known: Row | None, table: Table) -> Row:
        row = row_of(strand, name, known) if strand is not None else msgspec.structs.replace(known or _nobody(name))
        row.generation = max(row.generation, known.generation if known else 0)
        row.verified_ms = 0
        row.describe(table)
        return row

    def _put_aside(self, name: str) -> None:
        """Keep the damaged file as it was found."""
        path = strand_path(self._directory, name)
        aside = self._directory / QUARANTINE
        if not path.exists():
            return
        make_private(aside)
        target = aside / f"{clock.now_ms()}-{path.name}"
        try:
            os.link(path, target)
        except OSError:
            replace(path, target)


def ready(going: Going, strand: Strand) -> None:
    """Make a strand that was mended ready to go on; it was published and is open."""
    version = latest(strand.table)
    if version is None or version.number in incomplete(strand.table):
        return
    content = VersionContent(strand, version)
    going.hot.ends, going.hot.blocks = ends_of(content, content.size), blocks_of(content)


def _nobody(name: str) -> Row:
    return Row(name=name, agent="", key="", path="")


def _remember(table: Table, hot: Table) -> None:
    """Put what the catalogue remembers of newer versions into a table that is behind."""
    known = {version.number: version for version in table.versions}
    known.update((version.number, version) for version in hot.versions)
    table.versions = [known[number] for number in sorted(known)]
    table.end = max(table.end, hot.end)
    table.marks, table.lost, table.fingerprint = hot.marks, hot.lost, hot.fingerprint
    table.key, table.path, table.owner = hot.key, hot.path, hot.owner


def _fillings(strand: Strand | None, table: Table, content: Content) -> list[Filling]:
    """Return what of the newest version is missing and can be taken from the source.

    It can if it has the digest that it should have; or if the source is as
    large as the version, and every byte that is here is the same there.
    """
    version = latest(table)
    pieces = pieces_of(table.versions, version.number) if version else None
    if version is None or pieces is None:
        return []
    proved = list(_proved(strand, pieces, content)) if isinstance(strand, Salvaged) else []
    if version.size != content.size:
        return proved
    here = joined((held.data.offset, held.data.size) for held in strand.held) if strand else []
    found: list[Filling] = []
    place = 0
    for start, size in pieces:
        for at, count, is_here in _split(start, size, here):
            inside = place + at - start
            if not is_here:
                found.append(Filling(at, count, inside))
            elif strand is not None and not _is_same(strand, at, count, content, inside):
                return proved
        place += size
    return found


def _proved(strand: Salvaged, pieces: list[tuple[int, int]], content: Content) -> Iterator[Filling]:
    """Yield what is lost, where the source has bytes with the digest of it."""
    for data in strand.lost:
        place = 0
        for start, size in pieces:
            inside = place + data.offset - start
            is_within = start <= data.offset and data.offset + data.size <= start + size
            if is_within and digest(content.read(inside, data.size)) == data.plain:
                yield Filling(data.offset, data.size, inside)
                break
            place += size


def _split(start: int, size: int, here: list[tuple[int, int]]) -> Iterator[tuple[int, int, bool]]:
    """Yield a range in parts: (start, size, whether that is one of the ranges ``here``)."""
    end = start + size
    for first, length in here:
        last = first + length
        if last <= start or first >= end:
            continue
        if first > start:
            yield start, first - start, False
            start = first
        yield start, min(last, end) - start, True
        start = min(last, end)
    if start < end:
        yield start, end - start, False


def _is_same(strand: Strand, start: int, size: int, content: Content, place: int) -> bool:
    for part in strand.read(start, size):
        if content.read(place, len(part)) != part:
            return False
        place += len(part)
    return True


def _chunks(strand: Strand | None, fillings: list[Filling], content: Content | None) -> Iterator[tuple[int, bytes]]:
    """Yield what there is of a strand's bytes, in their order."""
    here = [(start, size, -1) for start, size in _held_ranges(strand)]
    for start, size, place in sorted([*here, *fillings]):
        for at in range(0, size, PIECE_BYTES):
            count = min(PIECE_BYTES, size - at)
            if place >= 0 and content is not None:
                yield start + at, content.read(place + at, count)
            elif strand is not None:
                yield start + at, b"".join(strand.read(start + at, count))


def _held_ranges(strand: Strand | None) -> list[tuple[int, int]]:
    return joined((held.data.offset, held.data.size) for held in strand.held) if strand else []
