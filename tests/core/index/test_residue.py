"""What is deleted of held sessions leaves the files of the index; of agents' sources nothing is done for that."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest
from holdfast_core.index.database import open_for_reading
from holdfast_core.index.packing import Packer, read_preset
from holdfast_core.index.reader import IndexReader
from holdfast_core.index.writer import IndexWriter
from holdfast_core.model.held import HELD_AGENT

from tests.core.index.made import found, listed, read, session, write
from tests.core.index.test_held import ID, OTHER, held

WORD = "Persimmon"
IN_TEXT = f"{WORD} jam is made in autumn"


def bytes_of(directory: Path) -> bytes:
    """Return all that the files of an index hold, letters small; compressed texts beside their plain form."""
    return b"".join(path.read_bytes() for path in sorted(directory.iterdir())).lower()


def compressed(directory: Path) -> bytes:
    """Return a text as it stands compressed in the first shard."""
    shard = open_for_reading(directory / "shard_0001.db")
    try:
        data: bytes = shard.execute("SELECT data FROM chunk JOIN run USING(id) WHERE first_index=0").fetchall()[0][0]
        assert WORD.encode() in Packer(read_preset(shard)).unpack(data)
    finally:
        shard.close()
    return data


def with_words(directory: Path) -> bytes:
    """Make an index that holds the word in every place that has room for it; returns the compressed text."""
    said = {"note": WORD, "tags": (WORD.lower(),)}
    one = held(title=WORD, project_path=f"/{WORD}", said=said, texts=[IN_TEXT])
    write(directory, one, held(OTHER), read("/a", session("agent's", ["plums"])), tidy=True)
    data = compressed(directory)
    assert WORD.lower().encode() in bytes_of(directory)
    return data


def test_a_deleted_session_is_physically_gone_after_tidying(directory: Path, reader: IndexReader) -> None:
    data = with_words(directory)

    with IndexWriter.open(directory, timeout_seconds=5) as writer:
        writer.forget(HELD_AGENT, [f"/{ID}"])
        assert writer.tidy(deadline_seconds=30)

    left = bytes_of(directory)
    assert (WORD.lower().encode() in left, data.lower() in left) == (False, False)
    assert found(reader, WORD) == set()
    assert set(listed(reader)) == {OTHER, "agent's"}
    assert found(reader, "plums") == {("agent's", 0)}
    assert reader.complete("persim", 6) == []


def test_words_that_a_session_no_longer_has_are_gone_too(directory: Path, reader: IndexReader) -> None:
    data = with_words(directory)

    with IndexWriter.open(directory, timeout_seconds=5) as writer:
        writer.apply([held(title="Encrypted session", said={}, texts=[], size=7)])
        writer.note_residue(HELD_AGENT)
        assert writer.tidy(deadline_seconds=30)

    left = bytes_of(directory)
    assert (WORD.lower().encode() in left, data.lower() in left) == (False, False)
    assert set(listed(reader)) == {ID, OTHER, "agent's"}


def test_a_reader_that_is_in_the_middle_only_puts_it_off(directory: Path) -> None:
    with_words(directory)
    shard = open_for_reading(directory / "shard_0001.db")
    rows = shard.execute("SELECT id FROM run")
    next(rows)

    with IndexWriter.open(directory, timeout_seconds=5) as writer:
        writer.forget(HELD_AGENT, [f"/{ID}"])
        assert not writer.tidy(deadline_seconds=30)
        shard.close(force=True)
        assert writer.tidy(deadline_seconds=30)

    assert WORD.lower().encode() not in bytes_of(directory)


def test_it_goes_on_where_it_was_cut_off(directory: Path) -> None:
    with_words(directory)
    with IndexWriter.open(directory, timeout_seconds=5) as writer:
        writer.forget(HELD_AGENT, [f"/{ID}"])
        assert not writer.tidy(deadline_seconds=0)

    with IndexWriter.open(directory, timeout_seconds=5) as writer:
        while not writer.tidy(deadline_seconds=0):
            pass

    assert WORD.lower().encode() not in bytes_of(directory)


@pytest.mark.parametrize("change", ["grown", "noted"])
def test_a_session_that_grows_or_is_annotated_costs_no_rewriting(directory: Path, change: str) -> None:
    said = {"note": "seen"} if change == "noted" else {}
    write(directory, held())
    write(directory, held(texts=["hello there", "and more"], said=said, size=1001))
    write(directory, read("/a", session("one", ["x"])), read("/a", session("one", ["y"]), size=999))

    assert residue(directory) == []


def test_no_text_of_a_held_session_goes_into_what_a_shard_keeps_for_good(directory: Path) -> None:
    texts = [f"{number} {IN_TEXT} {number * 7919} " * 80 for number in range(2000)]
    write(directory, held(texts=texts))

    shard = open_for_reading(directory / "shard_0001.db")

    assert read_preset(shard) == b""
    shard.close()


def residue(directory: Path) -> list[tuple[int, int]]:
    """Return what is noted to be written anew."""
    catalog: apsw.Connection = open_for_reading(directory / "catalog.db")
    rows = catalog.execute("SELECT * FROM residue").fetchall()
    catalog.close()
    return rows
