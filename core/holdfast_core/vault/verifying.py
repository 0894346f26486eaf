"""Prove that a strand is as it was written, and as far as it was seen: every byte of it, and every version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from holdfast_core.sealed.container import Position
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.keys import Keys
from holdfast_core.sealed.stream import Patch, Stream
from holdfast_core.vault.catalogue import Row
from holdfast_core.vault.salvage import Salvaged, has_other_head
from holdfast_core.vault.strand import Strand, digest, identity_of, strand_path
from holdfast_core.vault.table import incomplete

DAMAGED, MISSING, STALE, SWAPPED, UNREADABLE, LOCKED = (
    "damaged",
    "missing",
    "stale",
    "swapped",
    "unreadable",
    "locked",
)


class Anchor(NamedTuple):
    """How far a strand was once seen."""

    generation: int
    sequence: int


class Finding(NamedTuple):
    """What was found of one strand: ``reason`` is empty if it is as it should be, ``bytes`` is what it holds.

    ``is_file_whole``: all of the file verifies, and what is missing was known to be.
    """

    reason: str
    bytes: int = 0
    versions: frozenset[int] = frozenset()
    is_file_whole: bool = True


def checked(
    directory: Path, row: Row, keys: Keys, anchor: Anchor | None = None, patches: Sequence[Patch] = ()
) -> Finding:
    """Return whether a strand is whole, and not behind what was seen of it; what is locked is verified outside alone.

    ``patches`` are its essentials: a header that is another one is damaged, whatever it says.

    Raises:
        OSError: it may not be read.
    """
    path, name = strand_path(directory, row.name), row.name
    if not path.exists():
        return Finding(MISSING, is_file_whole=False)
    try:
        with closing(Stream.open(path, keys, identity_of(name))) as stream:
            reason = _outside(stream, row, anchor)
            if reason:
                return Finding(reason, is_file_whole=False)
            if stream.is_encrypted and row.is_encrypted and not _is_open(stream):
                return Finding(LOCKED, stream.size_bytes)
            with closing(Strand(stream)) as strand:
                return _inside(strand)
    except SealedError as error:
        reason = _REASONS.get(error.reason, DAMAGED)
        if reason == UNREADABLE and has_other_head(directory, row.name, patches):
            reason = DAMAGED
        return Finding(reason, is_file_whole=False)


def bad_versions(
    directory: Path, row: Row, keys: Keys, patches: Sequence[Patch], sizes: Mapping[int, int]
) -> frozenset[int]:
    """Return which versions of a strand cannot be given whole, its file being damaged. ``sizes`` are those they had.

    Raises:
        SealedError: locked.
        OSError: it may not be read.
    """
    every = frozenset(range(1, row.newest_version + 1))
    strand = Salvaged.open_damaged(directory, row.name, keys, patches, row.position)
    if strand is None:
        return every
    with closing(strand):
        whole = {one.number for one in strand.table.versions if sizes.get(one.number, one.size) == one.size}
        return incomplete(strand.table) | (every - whole)


def _outside(stream: Stream, row: Row, anchor: Anchor | None) -> str:
    """Verify all tags of a file, which needs no data key, and that it is not behind what was seen of it."""
    if not stream.is_whole():
        return DAMAGED
    position = stream.base
    seen_tag = b""
    for record in stream.records(position):
        position = record.position
        if position.sequence == row.sequence:
            seen_tag = position.tag
    if not position.sequence:
        return DAMAGED
    if position.offset < stream.size_bytes and (stream.goes_on(position) or _is_behind(position, row.position)):
        return DAMAGED
    if _is_behind(position, row.position) or (anchor and position[:3:2] < anchor):
        return STALE
    if position.generation == row.generation and seen_tag != row.tag:
        return SWAPPED
    return ""


def _inside(strand: Strand) -> Finding:
    """Verify that every byte comes out as it was given, and that every version has all of its bytes."""
    for held in strand.held:
        if digest(strand.load(held)) != held.data.plain:
            return Finding(DAMAGED, is_file_whole=False)
    bad = incomplete(strand.table)
    size = sum(held.data.size for held in strand.held)
    return Finding(DAMAGED if bad else "", size, bad)


def _is_behind(position: Position, seen: Position) -> bool:
    return position[:3:2] < seen[:3:2]


def _is_open(stream: Stream) -> bool:
    first = next(stream.records(stream.base))
    try:
        stream.payload(first)
    except SealedError as error:
        if error.reason == "locked":
            return False
        raise
    return True


_REASONS: Mapping[str, str] = {
    "wrong_identity": SWAPPED,
    "not_regular": UNREADABLE,
    "unknown_key": UNREADABLE,
    "newer_format": UNREADABLE,
}
