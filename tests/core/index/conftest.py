"""An index in a directory of the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from holdfast_core.index.reader import IndexReader
from holdfast_core.index.writer import IndexWriter


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where the index of this test is."""
    return tmp_path / "index"


@pytest.fixture
def writer(directory: Path) -> Iterator[IndexWriter]:
    """The writer."""
    with IndexWriter.open(directory, timeout_seconds=5) as opened:
        yield opened


@pytest.fixture
def reader(directory: Path) -> Iterator[IndexReader]:
    """A reader of the same index."""
    opened = IndexReader.open(directory)
    yield opened
    opened.close()
