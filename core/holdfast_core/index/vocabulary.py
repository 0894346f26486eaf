"""All words of a shard, to look inside them: which words hold these letters?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import nlargest
from itertools import islice
from typing import Final, Literal, Protocol

import apsw

from holdfast_core.index.database import select
from holdfast_core.index.packing import unpack

Part = Literal["inside", "start", "end"]

# So many messages may be newer than the list of words before it is made again; they are looked at one by one.
STALE_LIMIT: Final = 400


# So many words, at least in so many messages, are kept as the frequent ones.
_FREQUENT_LIMIT: Final = 4096
_FREQUENT_MESSAGES: Final = 16
# A word in every so many-th message is a usual one.
_USUAL: Final = 16
# Counts with this added are texts of one length, which sort as numbers do.
_TEN_DIGITS: Final = 1_000_000_000
# Of these so many are looked for at once: enough to fill a page, few enough to cost nothing.
_AT_ONCE: Final = 12


class Words(Protocol):
    """Words in which letters can be looked for."""

    def words(self, letters: str, part: Part) -> list[str]:
        """Return the words that hold ``letters`` inside, at their start or at their end."""


class Frequent:
    """The most frequent words, the most frequent first. What they find is no more than a good beginning."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._usual_end = text.find(b"\n\n") + 1

    def is_usual(self, word: str) -> bool:
        """Say whether a word stands in so many messages that to count it tells nothing of any of them."""
        return self._text.find(f"\n{word}\n".encode(), 0, self._usual_end) >= 0

    def words(self, letters: str, part: Part) -> list[str]:
        """Return the few most frequent words that hold ``letters``."""
        return list(islice(_holding(self._text, letters, part), _AT_ONCE))


class Vocabulary:
    """The words of the rows from ``lowest`` to ``highest`` of one shard; the rest is for the caller to look at."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._words = b"\n"
        self._frequent: tuple[tuple[int, int], Frequent] = ((0, -1), Frequent(b""))
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
        self.lowest, self.highest, self._words, _ = read_words(self._connection)

    def frequent(self) -> Frequent:
        """Return the frequent words as they were when they were last written down; none if they never were."""
        rows = select(self._connection, "SELECT lowest, highest FROM dictionary")
        if rows and rows[0] != self._frequent[0]:
            lowest, highest, data = select(self._connection, "SELECT lowest, highest, frequent FROM dictionary")[0]
            self._frequent = ((lowest, highest), Frequent(unpack(data)))
        return self._frequent[1]

    def words(self, letters: str, part: Part) -> list[str]:
        """Return the words that hold ``letters`` inside, at their start or at their end."""
        return list(_holding(self._words, letters, part))

    def _is_fresh(self) -> bool:
        lowest, highest = bounds(self._connection)
        if self.highest < self.lowest:
            return highest < lowest
        return max(0, self.lowest - lowest) + max(0, highest - self.highest) <= STALE_LIMIT


def bounds(connection: apsw.Connection) -> tuple[int, int]:
    """Return the lowest and highest rowid of a shard; (0, -1) if it is empty."""
    rows = select(connection, "SELECT (SELECT min(id) FROM run), id+count-1 FROM run ORDER BY id DESC LIMIT 1")
    return rows[0] if rows else (0, -1)


def read_words(connection: apsw.Connection) -> tuple[int, int, bytes, bytes]:
    """Return the bounds of a shard, all its words, and the frequent ones; about 2 microseconds a word.

    Words stand between line ends, the frequent ones in the order of their frequency, with an empty line after the
    usual ones.
    """
    connection.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.word_list USING fts5vocab(main, words, row)")
    with connection:
        lowest, highest = bounds(connection)
        # Joined by SQLite: a row in Python for each word costs a quarter more.
        joined = select(
            connection,
            "SELECT group_concat(term, char(10)), group_concat(iif(doc>=?, (?+doc)||term, NULL), char(10)) "
            "FROM temp.word_list",
            (_FREQUENT_MESSAGES, _TEN_DIGITS),
        )
    words, counted = (str(text or "") for text in joined[0])
    most = nlargest(_FREQUENT_LIMIT, counted.split("\n") if counted else ())
    usual_from = str(_TEN_DIGITS + -(-(highest - lowest + 1) // _USUAL))
    usual = [word[10:] for word in most if word[:10] >= usual_from]
    frequent = _lines(usual) + _lines([word[10:] for word in most[len(usual) :]])
    return lowest, highest, f"\n{words}\n".encode(), frequent


def _lines(words: Sequence[str]) -> bytes:
    return ("\n" + "\n".join(words) + "\n").encode()


def _holding(text: bytes, letters: str, part: Part) -> Iterator[str]:
    needle = letters.encode()
    if part == "start":
        needle = b"\n" + needle
    elif part == "end":
        needle += b"\n"
    at = text.find(needle)
    while at >= 0:
        start = text.rfind(b"\n", 0, at + 1) + 1
        end = text.find(b"\n", start)
        yield text[start:end].decode()
        at = text.find(needle, end)
