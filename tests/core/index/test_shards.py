"""Shards stand in the order of time, whatever order they are filled in."""

from __future__ import annotations

from pathlib import Path

import pytest
from holdfast_core.index.database import open_for_reading, select, shard_name
from holdfast_core.index.reader import IndexReader
from holdfast_core.index.writer import IndexWriter

from tests.core.index.made import DAY_MS, NOW_MS, found, message, query, read, session

_DAYS = 12


def _fill(directory: Path, days: list[int]) -> None:
    """Write one session for each day, a batch and about a shard each."""
    with IndexWriter.open(directory, timeout_seconds=5, shard_text_bytes=500) as writer:
        for day in days:
            at = NOW_MS - day * DAY_MS
            made = [message(n, f"common day{day} " + "x " * 50, at=at + n) for n in range(10)]
            writer.apply([read(f"/{day}", session(f"s{day}", made, updated_ms=at + 10))])
        writer.tidy(deadline_seconds=10)


@pytest.mark.parametrize("days", [list(range(_DAYS)), list(range(_DAYS))[::-1], [5, 6, 7, 4, 3, 8, 9, 2, 1, 10, 0, 11]])
def test_the_newest_are_found_first_in_many_shards(days: list[int], directory: Path, reader: IndexReader) -> None:
    _fill(directory, days)

    hits = reader.search(query("common"), limit=15, sort="time").hits

    assert [f"alpha:s{day}" for day in [0] * 10 + [1] * 5] == [hit.session_id for hit in hits]
    assert len(list(directory.glob("shard_*.db"))) > 5
    assert reader.count(query("common")) == (_DAYS, 10 * _DAYS)
    assert {("s3", n) for n in range(10)} == found(reader, "ay3")


def test_tidying_stops_at_its_deadline_and_ends_some_time(directory: Path) -> None:
    _fill(directory, list(range(_DAYS)))

    with IndexWriter.open(directory, timeout_seconds=5, shard_text_bytes=500) as writer:
        for number in range(30):
            writer.apply([read("/live", session("live", [f"live{number}"], first_index=number), continued=number > 0)])
        rounds = 0
        while not writer.tidy(deadline_seconds=0):
            rounds += 1

        assert rounds < 1000
        assert writer.tidy(deadline_seconds=0)


def test_words_are_written_down_before_the_first_search(directory: Path) -> None:
    with IndexWriter.open(directory, timeout_seconds=5) as writer:
        writer.apply([read("/1", session("one", [f"word{n}" for n in range(1000)]))])
        is_done = writer.write_words(deadline_seconds=10)

    shard = open_for_reading(directory / shard_name(1))
    assert is_done
    assert select(shard, "SELECT highest-lowest FROM dictionary") == [(1000,)]
    shard.close()
