"""A file's name is bytes: sources whose names are no text are kept, found again and given up like any other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from holdfast_core.index.reader import IndexReader
from holdfast_core.index.writer import IndexWriter

from tests.core.index.made import listed, read, session, write

NAME = os.fsdecode(b"/home/p\xff/bad\xfe\xffname.jsonl")


def test_a_source_may_be_called_anything(tmp_path: Path) -> None:
    write(tmp_path, read(NAME, session("one", ["words"])), read("/home/other.jsonl", session("two", ["words"])))

    reader = IndexReader.open(tmp_path)
    source, entry = reader.source("alpha:one"), reader.entry("alpha:one")

    assert {"one", "two"} == set(listed(reader, "words"))
    assert source is not None and (source.key, source.path) == (NAME, NAME)
    assert entry is not None and entry.source_path == NAME
    reader.close()


@pytest.mark.parametrize("place", [NAME, str(Path(NAME).parent), "/home"])
def test_such_a_source_is_known_at_its_place_and_forgotten(tmp_path: Path, place: str) -> None:
    write(tmp_path, read(NAME, session("one", ["words"])))

    with IndexWriter.open(tmp_path, timeout_seconds=5) as writer:
        known = writer.known("alpha", at=[place])
        changes = writer.forget("alpha", list(known))
        left = writer.known("alpha")

    assert [(key, one.path) for key, one in known.items()] == [(NAME, NAME)]
    assert changes.removed == ("alpha:one",)
    assert left == {}


def test_an_index_may_lie_in_a_directory_whose_name_is_no_text(tmp_path: Path) -> None:
    directory = tmp_path / os.fsdecode(b"home \xff")
    directory.mkdir()

    write(directory, read("/a", session("one", ["words"])))

    reader = IndexReader.open(directory)
    assert listed(reader, "words") == ["one"]
    reader.close()
    assert {"catalog.db", "writer.lock"} <= {path.name for path in directory.iterdir()}
