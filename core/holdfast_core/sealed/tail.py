"""The open end of a container: what is appended costs what it is, one write and one sync."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from holdfast_core.atomic import READ_FLAGS, sync_data, write_vector
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.keys import Keys
from holdfast_core.sealed.layout import Identity
from holdfast_core.sealed.seal import Position, Seal, changed_elsewhere, open_sealed, read_growth

_FLAGS = os.O_RDWR | os.O_APPEND | READ_FLAGS


class Tail:
    """Appends to one container. Not for two threads at once; processes exclude each other with a lock of the caller's.

    After a sync that failed nothing can be appended any more: the disk may
    hold anything, so the whole has to be written to a new file.
    """

    def __init__(self, path: Path, descriptor: int, seal: Seal, position: Position) -> None:
        """Use `open` instead."""
        self._path = path
        self._descriptor = descriptor
        self._seal = seal
        self._position = position
        self._is_broken = False

    @classmethod
    def open(cls, path: Path, keys: Keys, identity: Identity, position: Position) -> Tail:
        """Open the end of a container, which must be exactly at ``position``; a torn record beyond it is cut off.

        Raises:
            Refused: somebody else appended something or wrote the file anew.
            SealedError: it is not that container, damaged before ``position``, or locked.
            OSError: the file cannot be changed.
        """
        descriptor = open_sealed(path, _FLAGS)
        try:
            try:
                growth = read_growth(descriptor, keys, identity, position, limit_bytes=1 << 30)
            except SealedError as error:
                if error.reason == "other_generation":
                    raise changed_elsewhere(error.detail) from error
                raise
            if growth.records:
                raise changed_elsewhere(f"{len(growth.records)} records")
            if growth.is_damaged:
                raise SealedError("bad_tag", f"record {position.sequence + 1}")
            if growth.seal.is_locked:
                raise SealedError("locked")
            if growth.dropped_bytes:
                os.ftruncate(descriptor, position.offset)
                sync_data(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        return cls(path, descriptor, growth.seal, position)

    @property
    def position(self) -> Position:
        """The place after the last record that was appended."""
        return self._position

    def append(self, payloads: Sequence[bytes], *, sync: bool = True, is_checked: bool = False) -> Position:
        """Append each payload as a record of its own, all in one write; with ``sync`` they are on the disk afterwards.

        ``is_checked`` says that the caller, who holds the lock, has seen that the file is the one that was opened
        and ends where it did. On failure none of them counts; where they cannot even be taken away
        again, all of them may be found at the next opening.

        Raises:
            Refused: somebody else appended something or wrote the file anew.
            SealedError: broken (an earlier sync failed), or too_large.
            OSError: the disk does not take it.
        """
        self._check(is_checked=is_checked)
        parts: list[bytes] = []
        after = self._position
        for payload in payloads:
            record = self._seal.record(after.sequence + 1, payload, after.tag)
            size = sum(map(len, record))
            after = Position(after.generation, after.offset + size, after.sequence + 1, record[-1])
            parts += record
        try:
            write_vector(self._descriptor, parts)
            if sync:
                self.sync()
        except BaseException:
            self._cut()
            raise
        self._position = after
        return after

    def sync(self) -> None:
        """Return when everything that was appended is on the disk itself.

        Raises:
            SealedError: broken; an earlier sync failed.
            OSError: the disk does not take it; see the class.
        """
        if self._is_broken:
            raise SealedError("broken")
        try:
            sync_data(self._descriptor)
        except BaseException:
            self._is_broken = True
            raise

    def status(self) -> os.stat_result:
        """Return the status of the file that is open."""
        return os.fstat(self._descriptor)

    def close(self) -> None:
        """Close the file; without a `sync` since the last record it may still be lost."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _check(self, *, is_checked: bool) -> None:
        if self._is_broken or self._descriptor < 0:
            raise SealedError("broken")
        if is_checked:
            return
        mine = os.fstat(self._descriptor)
        try:
            there = self._path.lstat()
        except FileNotFoundError as error:
            raise changed_elsewhere("the file is gone") from error
        if (mine.st_ino, mine.st_dev) != (there.st_ino, there.st_dev) or mine.st_size != self._position.offset:
            raise changed_elsewhere("another file or another end")

    def _cut(self) -> None:
        """Take away what was written of records that failed; if that fails too, nothing is appended behind them."""
        try:
            os.ftruncate(self._descriptor, self._position.offset)
        except OSError:
            self._is_broken = True
