"""The files of the index as one reader sees them: always the present ones."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import apsw

from holdfast_core.errors import IndexBroken
from holdfast_core.index.database import CATALOG, open_for_reading, select, shard_name
from holdfast_core.index.folding import folds_to_marks
from holdfast_core.index.heads import RECORD_BYTES, text_bounds
from holdfast_core.index.packing import Packer, has_preset, read_preset, unpack
from holdfast_core.index.vocabulary import Vocabulary

_CHUNKS_BYTES: Final = 4 << 20


class ShardFile:
    """One shard, opened for reading."""

    def __init__(self, path: Path) -> None:
        self.connection = open_for_reading(path)
        self.vocabulary = Vocabulary(self.connection)
        self._packer: Packer | None = None
        self._chunks: dict[int, tuple[bytes, bytes]] = {}
        self._chunks_bytes = 0
        self._version = -1

    def text(self, run: int, position: int) -> str:
        """Return the text of one message of a run; empty if it is gone by now."""
        heads, data = self._chunk(run)
        if (position + 1) * RECORD_BYTES > len(heads):
            return ""
        start, end = text_bounds(heads, position)
        return data[start:end].decode()

    def may_hold(self, run: int, marks: Sequence[bytes]) -> bool:
        """Say whether all these pieces of ASCII punctuation may stand in the folded texts of a run."""
        data = self._chunk(run)[1]
        return all(mark in data for mark in marks) or folds_to_marks(data)

    def _chunk(self, run: int) -> tuple[bytes, bytes]:
        """Return the heads and the texts of a run."""
        known = self._chunks.get(run)
        if known is None:
            rows = select(self.connection, "SELECT heads, data FROM run JOIN chunk USING(id) WHERE id=?", (run,))
            known = (rows[0][0], self._unpack(rows[0][1])) if rows else (b"", b"")
            self._chunks[run] = known
            self._chunks_bytes += len(known[1])
            while self._chunks_bytes > _CHUNKS_BYTES:
                self._chunks_bytes -= len(self._chunks.pop(next(iter(self._chunks)))[1])
        return known

    def _unpack(self, data: bytes) -> bytes:
        if self._packer is None:
            if not has_preset(data):
                return unpack(data)
            # There is but one for all time, once there is one.
            self._packer = Packer(read_preset(self.connection))
        return self._packer.unpack(data)

    def refresh(self) -> None:
        """Forget texts if anything was written since the last time."""
        version = self.connection.pragma("data_version")
        if version != self._version:
            self._chunks.clear()
            self._chunks_bytes = 0
            self._version = version

    def close(self) -> None:
        """Close the file."""
        self.connection.close()


class Files:
    """Connections to the catalog and the shards of one directory, opened again when they are replaced."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._catalog: apsw.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._version = -1
        self._shards: dict[int, ShardFile] = {}
        self._order: list[int] = []
        self.hidden: frozenset[int] = frozenset()
        """Keys of rows that no search shows: shadows and empty ones."""

    @property
    def catalog(self) -> apsw.Connection | None:
        """The catalog, None as long as there is no index."""
        return self._catalog

    def refresh(self) -> None:
        """Look whether the index was written or replaced since the last time; costs microseconds if not.

        Raises:
            IndexBroken: there is an index, but it is damaged or of another version.
        """
        try:
            status = (self._directory / CATALOG).stat()
        except OSError:
            self.close()
            return
        identity = (status.st_dev, status.st_ino)
        if self._catalog is None or identity != self._identity:
            self.close()
            self._catalog = open_for_reading(self._directory / CATALOG)
            self._identity = identity
        version = self._catalog.pragma("data_version")
        if version != self._version:
            self._look(self._catalog)
            self._version = version

    def shards(self) -> list[ShardFile]:
        """Return the shards, newest first."""
        found = []
        for number in self._order:
            if number not in self._shards:
                self._shards[number] = ShardFile(self._directory / shard_name(number))
            self._shards[number].refresh()
            found.append(self._shards[number])
        return found

    def interrupt(self) -> None:
        """End what runs in any connection; from any thread."""
        for connection in (self._catalog, *(shard.connection for shard in tuple(self._shards.values()))):
            if connection is not None:
                # It may be closed at this moment, by the thread that uses it.
                with suppress(apsw.ConnectionClosedError):
                    connection.interrupt()

    def close(self) -> None:
        """Close every file."""
        for shard in self._shards.values():
            shard.close()
        if self._catalog is not None:
            self._catalog.close()
        self._shards.clear()
        self._order = []
        self.hidden = frozenset()
        self._catalog = None
        self._version = -1

    def _look(self, catalog: apsw.Connection) -> None:
        try:
            self._order = [number for (number,) in select(catalog, "SELECT number FROM shard ORDER BY place DESC")]
            rows = select(catalog, "SELECT key FROM session WHERE is_shadow OR is_empty")
            self.hidden = frozenset(key for (key,) in rows)
        except apsw.SQLError as error:
            raise IndexBroken("The index cannot be read.", detail=str(error)) from error
        for number in set(self._shards) - set(self._order):
            self._shards.pop(number).close()
