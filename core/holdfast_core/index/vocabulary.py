"""All words of a shard, to look inside them: which words hold these letters?"""

from __future__ import annotations

from typing import Final, Literal

import apsw

from holdfast_core.index.database import select
from holdfast_core.index.packing import unpack

Part = Literal["inside", "start", "end"]

# So many messages may be newer than the list of words before it is made again; they are looked at one by one.
STALE_LIMIT: Final = 400


class Vocabulary:
    """The words of the rows from ``lowest`` to ``highest`` of one shard; the rest is for the caller to look at."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._words = b"\n"
        self.lowest = 0
        self.highest = -1

    def load(self) -> None:
        """Bring the words up to date, unless only few messages are newer; from the shard, else by reading them all."""
        if self._is_fresh():
            return
        rows = select(self._connection, "SELECT lowest, highest FROM dictionary")
        if rows and rows[0] != (self.lowest, self.highest):
            lowest, highest, data = select(self._connection, "SELECT lowest, highest, words FROM dictionary")[0]
            self.lowest, self.highest, self._words = lowest, highest, unpack(data)
            if self._is_fresh():
                return
        self.lowest, self.highest, self._words = read_words(self._connection)

    def words(self, letters: str, part: Part) -> list[str]:
        """Return the words that hold ``letters`` inside, at their start or at their end."""
        needle = letters.encode()
        if part == "start":
            needle = b"\n" + needle
        elif part == "end":
            needle += b"\n"
        text, found = self._words, []
        at = text.find(needle)
        while at >= 0:
            start = text.rfind(b"\n", 0, at + 1) + 1
            end = text.find(b"\n", start)
            found.append(text[start:end].decode())
            at = text.find(needle, end)
        return found

    def _is_fresh(self) -> bool:
        lowest, highest = bounds(self._connection)
        if self.highest < self.lowest:
            return highest < lowest
        return max(0, self.lowest - lowest) + max(0, highest - self.highest) <= STALE_LIMIT


def bounds(connection: apsw.Connection) -> tuple[int, int]:
    """Return the lowest and highest rowid of a shard; (0, -1) if it is empty."""
    rows = select(connection, "SELECT (SELECT min(id) FROM run), id+count-1 FROM run ORDER BY id DESC LIMIT 1")
    return rows[0] if rows else (0, -1)


def read_words(connection: apsw.Connection) -> tuple[int, int, bytes]:
    """Return the bounds of a shard and all its words, each between line ends; about 2 microseconds a word."""
    connection.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.word_list USING fts5vocab(main, words, row)")
    with connection:
        lowest, highest = bounds(connection)
        words = [word for (word,) in select(connection, "SELECT term FROM temp.word_list")]
    return lowest, highest, ("\n" + "\n".join(words) + "\n").encode()
