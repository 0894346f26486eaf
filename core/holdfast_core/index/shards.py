"""Keeps the shards in the order of time: which one takes a batch, and at which rowids."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import apsw

from holdfast_core import clock
from holdfast_core.errors import IndexBroken
from holdfast_core.index.database import create, empty_journal, rewrite, select, shard_name
from holdfast_core.index.shard import Piece, Shard

# About 250 MB of an agent's files: what is appended to stays small, so that no append waits for a large merge.
SHARD_TEXT_BYTES: Final = 64 * 1024 * 1024
# The first rowid: as small as leaves room below for every message of a shard. Each stands in the file many times.
_MIDDLE: Final = 1 << 20
# What stands in the place of a shard's number for the catalog itself.
_CATALOG: Final = 0


class _Place(NamedTuple):
    number: int
    place: int
    batch: int
    lowest: int
    highest: int
    oldest_ms: int | None
    newest_ms: int | None
    text_bytes: int
    is_sealed: bool


class Shards:
    """All shards of one index, as the writer sees them. Transactions of the catalog belong to the caller."""

    def __init__(self, directory: Path, catalog: apsw.Connection, *, shard_text_bytes: int = SHARD_TEXT_BYTES) -> None:
        self._directory = directory
        self._catalog = catalog
        self._limit = shard_text_bytes
        self._open: dict[int, Shard] = {}
        self._begun: set[int] = set()

    def close(self) -> None:
        """Close every file."""
        for shard in self._open.values():
            shard.close()
        self._open.clear()

    def check(self) -> set[int]:
        """Open every shard; returns the numbers of those that have gone on without the catalog.

        Raises:
            IndexBroken: a shard is missing or damaged, or has lost what the catalog says it has.
        """
        ahead = set()
        for place in self._places():
            batch = self.shard(place.number).batch
            if batch < place.batch:
                raise IndexBroken("A part of the index is older than the rest.", detail=shard_name(place.number))
            if batch > place.batch:
                ahead.add(place.number)
        return ahead

    def accept(self, number: int) -> None:
        """Take a shard's state as the right one. Rowids that it has used are never used again."""
        lowest, highest = self.shard(number).bounds()
        if lowest <= highest:
            self._catalog.execute(
                "UPDATE shard SET lowest=min(lowest, ?), highest=max(highest, ?) WHERE number=?",
                (lowest, highest, number),
            )

    def numbers(self) -> list[int]:
        """Return the number of every shard, newest first."""
        return [place.number for place in self._places()]

    def shard(self, number: int) -> Shard:
        """Return an open shard."""
        if number not in self._open:
            self._open[number] = Shard(self._directory / shard_name(number))
        return self._open[number]

    def shards_of(self, session: int) -> list[Shard]:
        """Return the shards that hold anything of a session, each ready to be written."""
        rows = select(self._catalog, "SELECT shard FROM session_shard WHERE session=?", (session,))
        return [self.begun(number) for (number,) in rows]

    def begun(self, number: int) -> Shard:
        """Return a shard that is inside a transaction, which `commit` ends."""
        shard = self.shard(number)
        if number not in self._begun:
            shard.begin()
            self._begun.add(number)
        return shard

    def write(self, pieces: Sequence[Piece], *, oldest_ms: int | None, newest_ms: int | None) -> None:
        """Write a batch into the shard and at the rowids where its time belongs."""
        count = sum(len(piece.documents) for piece in pieces)
        if not count:
            return
        place, is_older = self._choose(newest_ms)
        first = place.lowest - count if is_older else place.highest + 1
        text_bytes = self.begun(place.number).write(pieces, first)
        self._catalog.execute(
            "UPDATE shard SET lowest=min(lowest, :first), highest=max(highest, :last), text_bytes=text_bytes+:bytes, "
            "oldest_ms=min(ifnull(oldest_ms, :oldest), ifnull(:oldest, oldest_ms)), "
            "newest_ms=max(ifnull(newest_ms, :newest), ifnull(:newest, newest_ms)) WHERE number=:number",
            {
                "first": first,
                "last": first + count - 1,
                "bytes": text_bytes,
                "oldest": oldest_ms,
                "newest": newest_ms,
                "number": place.number,
            },
        )
        self._catalog.executemany(
            "INSERT OR IGNORE INTO session_shard VALUES(?,?)", {(piece.session, place.number) for piece in pieces}
        )

    def rollback(self) -> None:
        """Undo what was written to any shard since the last commit."""
        for number in self._begun:
            self._open[number].rollback()
        self._begun.clear()

    def commit(self) -> None:
        """Commit every shard that was written, and note in the catalog that it was."""
        for number in self._begun:
            shard = self._open[number]
            batch = shard.batch + 1
            shard.commit(batch)
            self._catalog.execute("UPDATE shard SET batch=? WHERE number=?", (batch, number))
        self._begun.clear()

    def note_residue(self, sessions: Sequence[int]) -> None:
        """Note that what was deleted of sessions must not stay in the files: `tidy` writes anew what holds it."""
        self._catalog.execute("INSERT OR REPLACE INTO residue(shard) VALUES(?)", (_CATALOG,))
        self._catalog.executemany(
            "INSERT OR REPLACE INTO residue(shard) SELECT shard FROM session_shard WHERE session=?",
            ((session,) for session in sessions),
        )

    def drop_residue(self, deadline_seconds: float) -> bool:
        """Write anew what `note_residue` noted, until about ``deadline_seconds``; returns whether none is left.

        False as well while a reader needs what was there before.
        """
        for number, is_rewritten in select(
            self._catalog, "SELECT shard, is_rewritten FROM residue ORDER BY shard DESC"
        ):
            if not is_rewritten:
                if number != _CATALOG and not self._rewrite(number, deadline_seconds):
                    return False
                if number == _CATALOG:
                    rewrite(self._catalog)
                self._catalog.execute("UPDATE residue SET is_rewritten=1 WHERE shard=?", (number,))
            if not (empty_journal(self._catalog) if number == _CATALOG else self.shard(number).empty_journal()):
                return False
            self._catalog.execute("DELETE FROM residue WHERE shard=?", (number,))
            if clock.monotonic_seconds() >= deadline_seconds:
                return False
        return True

    def _rewrite(self, number: int, deadline_seconds: float) -> bool:
        shard = self.shard(number)
        while shard.drop_deleted():
            if clock.monotonic_seconds() >= deadline_seconds:
                return False
        shard.rewrite()
        return True

    def tidy(self, deadline_seconds: float) -> bool:
        """Do idle work until about ``deadline_seconds`` on the monotonic clock; returns whether none is left.

        What was deleted of held sessions leaves the files, words are written
        down for searches inside words, and the pieces that batches leave are
        joined; a shard that is full ends as one piece.
        """
        if not self.drop_residue(deadline_seconds) or not self.write_words(deadline_seconds):
            return False
        for place in self._places():
            shard = self.shard(place.number)
            if place.is_sealed:
                continue
            is_full = place.text_bytes >= self._limit
            while shard.merge(is_full=is_full):
                if clock.monotonic_seconds() >= deadline_seconds:
                    return False
            shard.give_back()
            if is_full:
                self._catalog.execute("UPDATE shard SET is_sealed=1 WHERE number=?", (place.number,))
        return True

    def write_words(self, deadline_seconds: float) -> bool:
        """Write down the words of shards, newest first, where many are new; returns whether none is left."""
        for number in self.numbers():
            if self.shard(number).update_dictionary() and clock.monotonic_seconds() >= deadline_seconds:
                return False
        return True

    def _places(self) -> list[_Place]:
        rows = select(
            self._catalog,
            "SELECT number, place, batch, lowest, highest, oldest_ms, newest_ms, text_bytes, is_sealed FROM shard "
            "ORDER BY place DESC",
        )
        return [_Place(*row) for row in rows]

    def _choose(self, newest_ms: int | None) -> tuple[_Place, bool]:
        """Return the shard for a batch, and whether the batch is older than all that is there."""
        places = self._places()
        if not places:
            return self._create(1, 0), False
        newest, oldest = places[0], places[-1]
        is_older = newest_ms is not None and oldest.oldest_ms is not None and newest_ms <= oldest.oldest_ms
        chosen = oldest if is_older else newest
        if chosen.text_bytes >= self._limit:
            number = max(place.number for place in places) + 1
            chosen = self._create(number, oldest.place - 1 if is_older else newest.place + 1, neighbour=chosen)
        return chosen, is_older

    def _create(self, number: int, place: int, *, neighbour: _Place | None = None) -> _Place:
        created = _Place(number, place, 0, _MIDDLE, _MIDDLE - 1, None, None, 0, False)
        self._catalog.execute(
            "INSERT INTO shard(number, place, lowest, highest) VALUES(?,?,?,?)",
            (number, place, created.lowest, created.highest),
        )
        create(self._directory / shard_name(number), "shard.sql")
        if neighbour is not None:
            self.shard(number).take_preset(self.shard(neighbour.number))
            self.shard(neighbour.number).release_memory()
        return created
