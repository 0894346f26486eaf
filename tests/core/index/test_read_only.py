"""Where nothing may be written, what is there is read; what must write says so in plain words."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from holdfast_core.errors import HoldfastError
from holdfast_core.index.reader import IndexReader
from holdfast_core.index.writer import IndexWriter

from tests.core.index.made import found, read, session, write

_AS_NOBODY = """
import os, sys
import urllib.parse  # pathlib imports it late, when this user may not read it any more
from pathlib import Path
from holdfast_core.errors import HoldfastError
from holdfast_core.index.reader import IndexReader
from holdfast_core.index.writer import IndexWriter
from tests.core.index.made import found

if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
print(found(IndexReader.open(Path(sys.argv[1])), "words"))
try:
    IndexWriter.open(Path(sys.argv[1]), timeout_seconds=1)
except HoldfastError as error:
    print(error)
"""


def test_an_index_that_may_only_be_read_is_read() -> None:
    with tempfile.TemporaryDirectory() as top:
        write(Path(top), read("/a", session("one", ["words"])))
        for path in Path(top).iterdir():
            path.chmod(0o444)
        Path(top).chmod(0o555)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, "-c", _AS_NOBODY, top]

        told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout

        Path(top).chmod(0o755)
    assert told.splitlines()[0] == "{('one', 0)}"
    assert told.splitlines()[1].startswith("Holdfast cannot write its index.")


@pytest.mark.parametrize("taken", ["index", "index/writer.lock"])
def test_a_place_that_cannot_be_written_is_told_in_plain_words(tmp_path: Path, taken: str) -> None:
    place = tmp_path / taken
    if taken == "index":
        place.write_text("a file")
    else:
        (place / "inside").mkdir(parents=True)

    with pytest.raises(HoldfastError, match="cannot write its index"):
        IndexWriter.open(tmp_path / "index", timeout_seconds=1)


@pytest.mark.parametrize("taken", ["catalog.db", "catalog.db-wal", "shard_0001.db", "shard_0001.db-wal"])
def test_a_directory_in_the_place_of_a_file_is_damage_like_any_other(
    tmp_path: Path, taken: str, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, read("/a", session("one", ["words"])))
    (tmp_path / taken).unlink(missing_ok=True)
    (tmp_path / taken / "inside").mkdir(parents=True)

    write(tmp_path, read("/a", session("one", ["words"])))

    caplog.clear()
    reader = IndexReader.open(tmp_path)
    assert {("one", 0)} == found(reader, "words")
    reader.close()
