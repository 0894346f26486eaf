"""The bytes of a source as they are now: from what a reading has seen of them, a private copy, or the file itself."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from holdfast_core.agents.base import Fingerprint
from holdfast_core.atomic import open_regular, read_bytes

PIECE_BYTES = 1 << 20
SQLITE_MAGIC = b"SQLite format 3\0"


class Seen(NamedTuple):
    """What a reading has seen of a source.

    ``fingerprint`` is what it looked like before it was read. ``blocks`` are
    (offset, bytes) without a gap, up to its end; None or too little, and the
    source is read again. ``copy`` is a private copy of a database, complete in one file.
    """

    fingerprint: Fingerprint
    blocks: Sequence[tuple[int, bytes]] | None = None
    copy: Path | None = None


class Content(Protocol):
    """Bytes that can be read at any place."""

    @property
    def size(self) -> int:
        """How many there are."""

    def read(self, offset: int, size: int) -> bytes:
        """Return ``size`` bytes from ``offset`` on, fewer only at the end."""


class FileContent:
    """A file, as long as it was when it was opened. To be closed."""

    def __init__(self, path: str | Path) -> None:
        """Open a plain file, through links: which file a source is was found out by its reader.

        Raises:
            OSError: it is not there, no plain file, or may not be read.
        """
        self._descriptor = open_regular(Path(os.path.realpath(path)))
        status = os.fstat(self._descriptor)
        self.size = status.st_size
        self.modified_ns = status.st_mtime_ns
        self.inode = status.st_ino

    def read(self, offset: int, size: int) -> bytes:
        """Return ``size`` bytes from ``offset`` on; zeros do not stand in for what was cut off meanwhile."""
        os.lseek(self._descriptor, offset, os.SEEK_SET)
        return read_bytes(self._descriptor, max(0, min(size, self.size - offset)))

    def is_unchanged(self) -> bool:
        """Return whether it is still as it was when it was opened."""
        status = os.fstat(self._descriptor)
        return (status.st_size, status.st_mtime_ns) == (self.size, self.modified_ns)

    def close(self) -> None:
        """Close the file."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class SeenContent:
    """The end of a file as a reading has seen it, and what stands before that from the file."""

    def __init__(self, blocks: Sequence[tuple[int, bytes]], file: FileContent | None) -> None:
        """``file`` may be None if the blocks begin at 0."""
        self._blocks = sorted(blocks, key=lambda block: block[0])
        self._file = file
        self.start = self._blocks[0][0]
        self.size = max(offset + len(data) for offset, data in self._blocks)

    def read(self, offset: int, size: int) -> bytes:
        """Return ``size`` bytes from ``offset`` on, fewer only at the end."""
        end = min(offset + size, self.size)
        parts: list[bytes] = []
        if offset < self.start and self._file is not None:
            parts.append(self._file.read(offset, min(end, self.start) - offset))
            offset = self.start
        for start, data in self._blocks:
            if start <= offset < start + len(data) and offset < end:
                parts.append(data[offset - start : end - start])
                offset = min(end, start + len(data))
        return parts[0] if len(parts) == 1 else b"".join(parts)


def is_gapless(blocks: Sequence[tuple[int, bytes]] | None, *, end: int) -> bool:
    """Return whether blocks follow on each other and reach ``end``."""
    if not blocks:
        return False
    ordered = sorted(blocks, key=lambda block: block[0])
    place = ordered[0][0]
    for offset, data in ordered:
        if offset > place:
            return False
        place = max(place, offset + len(data))
    return place >= end


def pieces(content: Content, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """Yield the bytes of a content from ``start`` to ``end``, a megabyte each."""
    stop = content.size if end is None else min(end, content.size)
    while start < stop and (piece := content.read(start, min(PIECE_BYTES, stop - start))):
        start += len(piece)
        yield piece
