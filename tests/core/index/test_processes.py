"""One process writes, others read; a call can be ended; an index can be replaced under a reader."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import apsw
import pytest
from holdfast_core.errors import IndexBroken, Refused
from holdfast_core.index.reader import IndexReader, Interrupted
from holdfast_core.index.writer import IndexWriter

from tests.core.index.made import found, listed, query, read, session, write

_ROOT = Path(__file__).parents[3]
_BATCHES = 30

# Writes one batch a line, and says so after it is written.
_WRITER = """
import sys
from pathlib import Path
from holdfast_core.index.writer import IndexWriter
from tests.core.index.made import read, session

with IndexWriter.open(Path(sys.argv[1]), timeout_seconds=5, shard_text_bytes=2000) as writer:
    for line in sys.stdin:
        number = int(line)
        texts = [f"common word{number} text{n}" for n in range(20)]
        writer.apply([read(f"/{number}", session(f"s{number}", texts, updated_ms=number + 1))])
        print(number, flush=True)
"""


class OtherProcess:
    """A writer in a process of its own."""

    def __init__(self, directory: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
            env={"PYTHONPATH": f"{_ROOT}:{_ROOT / 'core'}"},
        )

    def write(self, number: int) -> None:
        """Write one batch, without waiting for it."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{number}\n")
        self._process.stdin.flush()

    def wait(self) -> int:
        """Wait until a batch is written; returns its number."""
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def close(self, *, kill: bool = False) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if kill:
            self._process.kill()
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()


def test_a_reader_sees_each_batch_of_another_process(directory: Path, reader: IndexReader) -> None:
    assert listed(reader) == []
    other = OtherProcess(directory)
    for number in range(_BATCHES):
        other.write(number)
        assert other.wait() == number

        assert {(f"s{number}", n) for n in range(20)} == found(reader, f"word{number}")
        assert f"s{number}" == listed(reader)[0]
    other.close()

    assert reader.count(query("common")) == (_BATCHES, 20 * _BATCHES)
    assert len(list(directory.glob("shard_*.db"))) > 3


def test_what_a_reader_sees_while_another_process_writes_is_whole(directory: Path, reader: IndexReader) -> None:
    other = OtherProcess(directory)
    for number in range(_BATCHES):
        other.write(number)
    seen = -1
    while seen < _BATCHES:
        sessions, messages = reader.count(query("common"))
        assert messages == 20 * sessions
        assert sessions >= seen
        seen = sessions
        result = reader.search(query("word3"), limit=500)
        assert len({hit.message_index for hit in result.hits}) == len(result.hits) in (0, 20)
    other.close()


def test_a_writer_that_is_killed_leaves_a_whole_index(directory: Path) -> None:
    other = OtherProcess(directory)
    for number in range(_BATCHES):
        other.write(number)
    last = other.wait()
    other.close(kill=True)

    with IndexWriter.open(directory, timeout_seconds=5) as writer:
        known = writer.known("alpha")
        assert {f"/{number}" for number in range(last + 1)} <= set(known)
        reader = IndexReader.open(directory)
        assert (len(known), 20 * len(known)) == reader.count(query("common"))
        reader.close()


def test_another_process_may_not_write_meanwhile(directory: Path) -> None:
    other = OtherProcess(directory)
    other.write(0)
    other.wait()

    with pytest.raises(Refused):
        IndexWriter.open(directory, timeout_seconds=0)
    other.close()


def test_a_call_that_nobody_waits_for_ends(directory: Path, reader: IndexReader) -> None:
    texts = [f"many words {n} " + "abc def ghi " * 40 for n in range(4000)]
    write(directory, read("/big", session("big", texts)))
    running = threading.Event()
    answers: list[object] = []

    def ask() -> None:
        running.set()
        try:
            while True:
                reader.count(query("/d[e]f .{9,99}x/"))
        except Interrupted as ended:
            answers.append(ended)

    thread = threading.Thread(target=ask)
    thread.start()
    running.wait(10)
    while thread.is_alive():
        reader.interrupt()
        thread.join(0.01)

    assert [Interrupted] == [type(answer) for answer in answers]
    assert reader.count(query("many 3999")) == (1, 1)


class TestReplaced:
    """A damaged index is replaced and read again; a reader goes on with the new one."""

    one = read("/1", session("one", ["oldword"]))
    two = read("/2", session("two", ["newword"]))

    def _damage(self, directory: Path, name: str, how: str) -> None:
        path = directory / name
        if how == "garbage":
            path.write_bytes(b"this is no database " * 100)
        elif how == "empty":
            path.write_bytes(b"")
        elif how == "gone":
            path.unlink()
        elif how == "half":
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        else:
            connection = apsw.Connection(str(path))
            connection.pragma("user_version", 99)
            connection.close()

    @pytest.mark.parametrize("name", ["catalog.db", "shard_0001.db"])
    @pytest.mark.parametrize("how", ["garbage", "empty", "gone", "half", "other version"])
    def test_it_is_built_again(
        self, name: str, how: str, directory: Path, reader: IndexReader, caplog: pytest.LogCaptureFixture
    ) -> None:
        write(directory, self.one)
        assert {("one", 0)} == found(reader, "oldword")
        self._damage(directory, name, how)

        with IndexWriter.open(directory, timeout_seconds=5) as writer:
            known = writer.known("alpha")
            writer.apply([self.two])

        caplog.clear()
        assert known == {}
        assert {("two", 0)} == found(reader, "newword")
        assert set() == found(reader, "oldword")

    def test_a_reader_survives_the_directory_being_removed(self, directory: Path, reader: IndexReader) -> None:
        write(directory, self.one)
        assert listed(reader) == ["one"]
        for path in directory.iterdir():
            path.unlink()

        assert listed(reader) == []
        write(directory, self.two)
        assert listed(reader) == ["two"]

    def test_damage_that_shows_while_writing_empties_the_index(
        self, directory: Path, reader: IndexReader, caplog: pytest.LogCaptureFixture
    ) -> None:
        write(directory, read("/1", session("one", [f"oldword {n} " + "filler " * 900 for n in range(200)])))
        shard = directory / "shard_0001.db"
        data = bytearray(shard.read_bytes())
        data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
        shard.write_bytes(data)

        with IndexWriter.open(directory, timeout_seconds=5) as writer:
            with pytest.raises(IndexBroken):
                writer.apply([read("/1", session("one", ["changed"])), self.two])
            caplog.clear()
            assert writer.known("alpha") == {}
            writer.apply([self.two])

        assert {("two", 0)} == found(reader, "newword")

    def test_damage_that_shows_while_reading_is_an_error_of_its_own(self, directory: Path) -> None:
        write(directory, self.one)
        shard = directory / "shard_0001.db"
        shard.write_bytes(shard.read_bytes()[:4096])
        reader = IndexReader.open(directory)

        with pytest.raises(IndexBroken):
            reader.search(query("oldword"), limit=5)
        assert listed(reader) == ["one"]
        reader.close()

    def test_a_batch_that_stopped_between_its_files_is_read_again(self, directory: Path, reader: IndexReader) -> None:
        write(directory, self.one)
        before = {path.name: path.read_bytes() for path in directory.glob("catalog.db*")}
        with IndexWriter.open(directory, timeout_seconds=5) as writer:
            writer._mark_dirty([self.one.ref, self.two.ref])
        dirty = {path.name: path.read_bytes() for path in directory.glob("catalog.db*")}
        assert dirty != before
        write(directory, read("/1", session("one", ["changedword"])), self.two)
        for path in directory.glob("catalog.db*"):
            path.unlink()
        for name, data in dirty.items():
            (directory / name).write_bytes(data)

        with IndexWriter.open(directory, timeout_seconds=5) as writer:
            assert writer.known("alpha") == {}
            assert set() == found(reader, "changedword") | found(reader, "newword") | found(reader, "oldword")
            writer.apply([self.one, self.two])

        assert {("one", 0)} == found(reader, "oldword")
        assert {("two", 0)} == found(reader, "newword")
