"""The files of one batch: written first, then all of them synced and given their names, so that a sync serves many."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from holdfast_core.atomic import READ_FLAGS, replace, sync_directory, sync_file, temporary_name
from holdfast_core.paths import make_private
from holdfast_core.sealed.container import Position, Tail
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.keys import Keys
from holdfast_core.sealed.stream import Stored, Written, write_stream
from holdfast_core.vault.strand import digest, identity_of, strand_path
from holdfast_core.vault.table import DIGEST_BYTES, Data, Table, pack_data, pack_told

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | (READ_FLAGS & ~os.O_RDONLY & ~getattr(os, "O_NONBLOCK", 0))
_WRITTEN_AT_ONCE = 1 << 24
MOST_OPEN = 64
"""How many files of a batch wait for their sync: each is an open file."""


@dataclass
class Whole:
    """A strand that is written and has not its name yet."""

    descriptor: int
    temporary: Path
    target: Path

    def close(self) -> None:
        """Close the file."""
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class Batch:
    """The strands that one batch writes. For one thread, under the lock of the vault."""

    def __init__(self, directory: Path, doubtful: set[str]) -> None:
        """``doubtful`` are strands whose sync failed: nothing may be appended to them, they have to be written whole.

        It is the caller's, and outlives the batch.
        """
        self._directory = directory
        self._doubtful = doubtful
        self._wholes: dict[str, Whole] = {}
        self._tails: dict[str, Tail] = {}
        self._directories: set[Path] = set()
        self._is_new_directory = False

    @property
    def is_full(self) -> bool:
        """Whether it is time to sync what waits."""
        return len(self._wholes) + len(self._tails) >= MOST_OPEN

    def is_unnamed(self, name: str) -> bool:
        """Return whether a strand is written whole and cannot be read yet."""
        return name in self._wholes

    def write(
        self,
        name: str,
        keys: Keys,
        table: Table,
        chunks: Iterable[tuple[int, bytes]],
        *,
        generation: int,
        encrypt: bool,
        level: int,
    ) -> Written:
        """Write a strand whole; it has its name after `publish`.

        ``chunks`` are its bytes with the place of each; ``table.data`` becomes what they are.

        Raises:
            SealedError: locked.
            OSError: the disk does not take it; nothing of it is left.
        """
        self._close_tail(name)
        target = strand_path(self._directory, name)
        if target.parent not in self._directories:
            self._directories.add(target.parent)
            if not target.parent.is_dir():
                make_private(target.parent)
                self._is_new_directory = True
        with temporary_name(target.parent) as temporary:
            descriptor = os.open(temporary, _FLAGS, 0o600)
            try:
                frames = _Frames(table, chunks)
                written = write_stream(
                    descriptor,
                    keys,
                    identity_of(name),
                    frames.payloads(),
                    generation=generation,
                    encrypt=encrypt,
                    tail=frames.told,
                    level=level,
                )
            except BaseException:
                os.close(descriptor)
                raise
            self._wholes[name] = Whole(descriptor, temporary, target)
        return written

    def append(self, name: str, keys: Keys, position: Position, payloads: Iterable[bytes]) -> Position:
        """Append records to a strand, durable after `publish`.

        Raises:
            Refused: the strand goes on behind ``position``, or is another one.
            SealedError: it is damaged, or locked.
            OSError: the disk does not take it; who goes on has to open the strand.
        """
        tail = self._tails.get(name)
        if tail is not None and tail.position == position:
            return _appended(tail, payloads)
        if tail is not None:
            self._sync(name, tail)  # what it has written may count already
            self._close_tail(name)
        try:
            tail = Tail.open(strand_path(self._directory, name), keys, identity_of(name), position)
        except FileNotFoundError as error:
            raise SealedError("truncated", "the file is gone") from error
        try:
            after = _appended(tail, payloads)
        except BaseException:
            tail.close()
            raise
        self._tails[name] = tail
        return after

    def publish(self) -> None:
        """Return when all that was written is on the disk itself, under its name.

        Raises:
            OSError: the disk does not take it; what is not there counts as never written.
        """
        directories: set[Path] = set()
        try:
            for name, tail in self._tails.items():
                self._sync(name, tail)
            for whole in self._wholes.values():
                sync_file(whole.descriptor)
            for name, whole in list(self._wholes.items()):
                whole.close()  # Windows renames nothing that is open
                replace(whole.temporary, whole.target)
                del self._wholes[name]
                self._doubtful.discard(name)
                directories.add(whole.target.parent)
            for directory in directories:
                sync_directory(directory)
            if self._is_new_directory:
                sync_directory(self._directory)
                self._is_new_directory = False
        finally:
            self.discard()

    def discard(self) -> None:
        """Let go of what was not published."""
        for name in list(self._tails):
            self._close_tail(name)
        for whole in self._wholes.values():
            with suppress(OSError):
                whole.close()
            with suppress(OSError):
                whole.temporary.unlink()
        self._wholes.clear()

    def _sync(self, name: str, tail: Tail) -> None:
        was_doubtful = name in self._doubtful
        self._doubtful.add(name)
        tail.sync()
        if not was_doubtful:
            self._doubtful.discard(name)

    def _close_tail(self, name: str) -> None:
        tail = self._tails.pop(name, None)
        if tail is not None:
            tail.close()


def _appended(tail: Tail, payloads: Iterable[bytes]) -> Position:
    """Append records, many at once but never too much in memory."""
    waiting: list[bytes] = []
    for payload in payloads:
        if sum(map(len, waiting)) >= _WRITTEN_AT_ONCE:
            tail.append(waiting, sync=False)
            waiting = []
        waiting.append(payload)
    return tail.append(waiting, sync=False)


class _Frames:
    """Bytes on their way into frames, and what the table tells of them."""

    def __init__(self, table: Table, chunks: Iterable[tuple[int, bytes]]) -> None:
        self._table = table
        self._chunks = chunks
        self._found: list[Data] = []

    def payloads(self) -> Iterator[bytes]:
        for offset, chunk in self._chunks:
            self._found.append(Data(offset, len(chunk), digest(chunk)))
            yield pack_data(offset, chunk)

    def told(self, frames: Sequence[Stored]) -> list[bytes]:
        """Return the records that follow: the table, by which each frame can be verified alone."""
        table = self._table
        table.data = [
            Data(data.offset, data.size, data.plain, frame.digest[:DIGEST_BYTES], frame.size)
            for data, frame in zip(self._found, frames, strict=True)
        ]
        table.end = max([table.end, *(data.offset + data.size for data in table.data)])
        return [pack_told(table)]
