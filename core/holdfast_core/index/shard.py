"""Writes one shard: the text of messages in compressed chunks, and the words in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from holdfast_core.index.database import empty_journal, open_for_writing, rewrite, select
from holdfast_core.index.documents import Document, session_mark
from holdfast_core.index.folding import tokenizable_bytes
from holdfast_core.index.heads import Head, cut_heads, pack_heads, text_bounds, unpack_heads
from holdfast_core.index.packing import Packer, pack, preset_of, read_preset
from holdfast_core.index.vocabulary import STALE_LIMIT, bounds, read_words

# Larger ones take less, and longer to read; what is left free of pages of 4 KB is the same for each.
CHUNK_BYTES: Final = 32 * 1024
PRESET_TEXT_BYTES: Final = 4 * 1024 * 1024
_FREE_PAGES: Final = 128
_MERGE_PAGES: Final = 256


class Piece(NamedTuple):
    """Messages of one session that follow each other, from ``first_index`` on.

    Of one that ``is_held`` nothing goes into what is kept for good, such as a preset.
    """

    session: int
    first_index: int
    documents: Sequence[Document]
    is_held: bool = False


class Shard:
    """One open shard file. The caller begins and ends transactions, and chooses rowids."""

    def __init__(self, path: Path) -> None:
        self._connection = open_for_writing(path)
        self._set_preset()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @property
    def batch(self) -> int:
        """The number of the last batch that was written here."""
        return int(select(self._connection, "SELECT number FROM batch")[0][0])

    def begin(self) -> None:
        """Begin a transaction."""
        self._connection.execute("BEGIN IMMEDIATE")

    def commit(self, batch: int) -> None:
        """End the transaction, naming the batch that it belongs to."""
        self._connection.execute("UPDATE batch SET number=?", (batch,))
        self._connection.execute("COMMIT")

    def rollback(self) -> None:
        """Undo what was written since `begin`."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
            self._set_preset()

    def take_preset(self, other: Shard) -> None:
        """Begin with the preset of another shard, before anything is written here."""
        if other.preset:
            self._connection.execute("INSERT INTO preset VALUES(?)", (other.preset,))
            self._set_preset()

    def release_memory(self) -> None:
        """Give back what is only kept to read it again."""
        self._connection.execute("PRAGMA shrink_memory")

    def write(self, pieces: Sequence[Piece], first_rowid: int) -> int:
        """Write messages at consecutive rowids in the order given; returns the bytes of text."""
        execute_many = self._connection.executemany
        execute_many(
            "INSERT INTO words(rowid, prose, tool, meta) VALUES(?,CAST(? AS TEXT),CAST(? AS TEXT),?)",
            _word_rows(pieces, first_rowid),
        )
        if not self.preset:
            self._make_preset(pieces)
        runs: list[tuple[int, int, int, int, bytes]] = []
        chunks: list[tuple[int, bytes]] = []
        text_bytes = 0
        rowid = first_rowid
        for session, first_index, documents, _ in pieces:
            for start, end in _cuts(documents):
                part = documents[start:end]
                data = b"".join([document.data for document in part])
                text_bytes += len(data)
                runs.append((rowid + start, session, first_index + start, end - start, pack_heads(part)))
                chunks.append((rowid + start, self._packer.pack(data)))
            rowid += len(documents)
        execute_many("INSERT INTO run VALUES(?,?,?,?,?)", runs)
        execute_many("INSERT INTO chunk VALUES(?,?)", chunks)
        return text_bytes

    def heads(self, session: int) -> dict[int, Head]:
        """Return what is known of each message of a session, by its index."""
        known: dict[int, Head] = {}
        rows = select(
            self._connection, "SELECT first_index, heads FROM run WHERE session=? AND first_index>=0", (session,)
        )
        for first_index, data in rows:
            known.update(enumerate(unpack_heads(data), first_index))
        return known

    def remove_from(self, session: int, index: int) -> None:
        """Remove a session's messages from ``index`` on."""
        rows = select(
            self._connection,
            "SELECT id, first_index, count, heads FROM run WHERE session=? AND first_index>=0 AND first_index+count>?",
            (session, index),
        )
        for run, first_index, count, heads in rows:
            kept = max(0, index - first_index)
            self._remove_words(run + kept, run + count)
            if kept:
                self._shorten(run, kept, heads)
            else:
                self._remove_run(run)

    def remove_facts(self, session: int) -> None:
        """Remove what is searched of the session itself."""
        rows = select(self._connection, "SELECT id FROM run WHERE session=? AND first_index=-1", (session,))
        for (run,) in rows:
            self._remove_words(run, run + 1)
            self._remove_run(run)

    def sessions(self) -> set[int]:
        """Return the keys of every session that has anything here."""
        return {key for (key,) in select(self._connection, "SELECT DISTINCT session FROM run")}

    def bounds(self) -> tuple[int, int]:
        """Return the lowest and the highest rowid; (0, -1) if there is none."""
        return bounds(self._connection)

    def merge(self, *, is_full: bool) -> bool:
        """Join some of the pieces that batches leave in the list of words; returns whether there was anything to do.

        With ``is_full`` down to one piece in the end. One call takes milliseconds.
        """
        before = self._connection.total_changes()
        if is_full and self._pieces() > 1:
            self._connection.execute("INSERT INTO words(words, rank) VALUES('merge', ?)", (-_MERGE_PAGES,))
        else:
            self._connection.execute("INSERT INTO words(words, rank) VALUES('merge', ?)", (_MERGE_PAGES,))
        # SQLite's own measure: less than two changes means that nothing was merged.
        return self._connection.total_changes() - before >= 2

    def drop_deleted(self) -> bool:
        """Join pieces until none holds words of what was deleted; returns whether there was anything to do."""
        before = self._connection.total_changes()
        self._connection.execute("INSERT INTO words(words, rank) VALUES('merge', ?)", (-_MERGE_PAGES,))
        return self._connection.total_changes() - before >= 2

    def rewrite(self) -> None:
        """Write the file anew, with the list of words as it is now: nothing that was deleted stays in it."""
        self._connection.execute("DELETE FROM dictionary")
        self.update_dictionary()
        rewrite(self._connection)

    def empty_journal(self) -> bool:
        """Leave nothing in the journal beside the file; False while a reader needs it."""
        return empty_journal(self._connection)

    def give_back(self) -> None:
        """Give the disk what merging has left free, if it is a megabyte or more."""
        if self._connection.pragma("freelist_count") >= _FREE_PAGES:
            self._connection.execute("PRAGMA incremental_vacuum").fetchall()

    def update_dictionary(self) -> bool:
        """Write down all words if many messages are newer than the last time; returns whether it was so."""
        lowest, highest = self.bounds()
        known = select(self._connection, "SELECT lowest, highest FROM dictionary")
        first, last = known[0] if known else (0, -1)
        is_known = last >= first and max(0, first - lowest) + max(0, highest - last) <= STALE_LIMIT // 2
        if is_known or highest < lowest:
            return False
        first, last, words, frequent = read_words(self._connection)
        with self._connection:
            self._connection.execute("DELETE FROM dictionary")
            self._connection.execute(
                "INSERT INTO dictionary VALUES(?,?,?,?)", (first, last, pack(words), pack(frequent))
            )
        return True

    def _set_preset(self) -> None:
        self.preset = read_preset(self._connection)
        self._packer = Packer(self.preset)

    def _make_preset(self, pieces: Sequence[Piece]) -> None:
        """Learn from the first large batch what the texts of a shard have in common."""
        texts = [document.data for piece in pieces if not piece.is_held for document in piece.documents]
        if sum(map(len, texts)) >= PRESET_TEXT_BYTES and (preset := preset_of(texts)):
            self._connection.execute("INSERT INTO preset VALUES(?)", (preset,))
            self._set_preset()

    def _pieces(self) -> int:
        return int(select(self._connection, "SELECT count(DISTINCT segid) FROM words_idx")[0][0])

    def _remove_words(self, first: int, end: int) -> None:
        self._connection.executemany("DELETE FROM words WHERE rowid=?", ((rowid,) for rowid in range(first, end)))

    def _remove_run(self, run: int) -> None:
        self._connection.execute("DELETE FROM run WHERE id=?", (run,))
        self._connection.execute("DELETE FROM chunk WHERE id=?", (run,))

    def _shorten(self, run: int, kept: int, heads: bytes) -> None:
        data = select(self._connection, "SELECT data FROM chunk WHERE id=?", (run,))[0][0]
        text = self._packer.unpack(data)[: text_bounds(heads, kept - 1)[1]]
        self._connection.execute("UPDATE run SET count=?, heads=? WHERE id=?", (kept, cut_heads(heads, kept), run))
        self._connection.execute("UPDATE chunk SET data=? WHERE id=?", (self._packer.pack(text), run))


def _word_rows(pieces: Sequence[Piece], first_rowid: int) -> Iterator[tuple[int, bytes, bytes, str]]:
    rowid = first_rowid
    for session, _, documents, _ in pieces:
        mark = session_mark(session)
        for document in documents:
            data, end = document.data, document.prose_bytes
            yield rowid, tokenizable_bytes(data[:end]), tokenizable_bytes(data[end:]), f"{mark} {document.meta}"
            rowid += 1


def _cuts(documents: Sequence[Document]) -> Iterator[tuple[int, int]]:
    """Yield where each chunk begins and ends: as soon as it holds enough text."""
    start = size = 0
    for end, document in enumerate(documents, 1):
        size += len(document.data)
        if size >= CHUNK_BYTES:
            yield start, end
            start, size = end, 0
    if start < len(documents):
        yield start, len(documents)
