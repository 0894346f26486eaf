"""Copies of other programs' databases: made but once of what does not change, and never in the way."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from holdfast_core.agents._copies import Copy, copied
from holdfast_core.agents._sqlite import private_copy

LONG_AGO = 1_772_500_000
LARGE = 5 << 20
WRITER = """
import apsw, sys
connection = apsw.Connection(sys.argv[1])
connection.execute("PRAGMA wal_autocheckpoint=0").fetchall()
for line in sys.stdin:
    connection.execute(line).fetchall()
    print("done", flush=True)
"""


class Writer:
    """Another program that has a database open and writes what it is told."""

    def __init__(self, path: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, statement: str) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{statement}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def close(self) -> None:
        self.process.communicate()


def made(path: Path, size: int = LARGE) -> Path:
    """Return a database of a size that was last written long ago."""
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode=wal; CREATE TABLE t(id, body)").fetchall()
    connection.execute("INSERT INTO t VALUES('first', zeroblob(?))", (size,))
    connection.close()
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return made(tmp_path / "a.db")


@pytest.fixture
def write(database: Path) -> Iterator[Writer]:
    writer = Writer(database)
    yield writer
    writer.close()


def run(script: str, **environment: str) -> None:
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True, env={**os.environ, **environment})


def ids(path: Path) -> list[object]:
    with private_copy(path, root=path.parent) as found:
        return [row[1] for row in found.rows("t", ("id",))]


def look(path: Path) -> tuple[str, int, int]:
    """Return which copy a look was given, and the moments at which its database and WAL were written."""
    copy = copied(path, str(path.parent))
    wal = Path(f"{copy.path}-wal")
    found = copy.folder, copy.path.stat().st_mtime_ns, wal.stat().st_mtime_ns if wal.exists() else 0
    copy.give_back()
    return found


def test_what_did_not_change_is_not_copied_again(database: Path) -> None:
    assert look(database) == look(database)


def test_of_a_database_at_work_the_wal_alone_is_copied_again(database: Path, write: Writer) -> None:
    write("INSERT INTO t VALUES('second', 'in the WAL')")
    first = look(database)

    write("INSERT INTO t VALUES('third', 'in the WAL too')")

    second = look(database)
    assert second[:2] == first[:2]
    assert second[2] > first[2]


def test_a_wal_that_grew_is_read_on_top_of_what_came_of_it_before(database: Path, write: Writer) -> None:
    write("INSERT INTO t VALUES('second', 'in the WAL')")
    assert ids(database) == ["first", "second"]
    folder, _, _ = look(database)

    write("INSERT INTO t VALUES('third', 'in the WAL too')")
    write("DELETE FROM t WHERE id='second'")

    assert ids(database) == ["first", "third"]
    assert look(database)[0] == folder


def test_what_came_from_the_wal_into_the_database_is_copied(database: Path, write: Writer) -> None:
    write("INSERT INTO t VALUES('second', 'in the WAL')")
    assert ids(database) == ["first", "second"]

    write("PRAGMA wal_checkpoint(TRUNCATE)")
    write("INSERT INTO t VALUES('third', 'in the next WAL')")
    write("DELETE FROM t WHERE id='second'")

    assert ids(database) == ["first", "third"]


def test_a_writer_is_not_held_up_and_sees_nothing_of_it(database: Path, write: Writer) -> None:
    write("BEGIN IMMEDIATE")
    write("INSERT INTO t VALUES('second', 'not yet')")
    beside = sorted(path.name for path in database.parent.iterdir())

    with private_copy(database, root=database.parent) as found:
        write("COMMIT")
        assert [row[1] for row in found.rows("t", ("id",))] == ["first"]

    assert ids(database) == ["first", "second"]
    assert sorted(path.name for path in database.parent.iterdir()) == beside


def test_what_was_written_a_moment_ago_is_copied_again(database: Path) -> None:
    """Two changes may stand under one time."""
    os.utime(database)

    assert look(database)[0] != look(database)[0]


def test_a_file_in_its_place_is_copied_though_it_looks_alike(database: Path, tmp_path: Path) -> None:
    assert ids(database) == ["first"]
    other = made(tmp_path / "other")
    connection = apsw.Connection(str(other))
    connection.execute("UPDATE t SET id='other'; PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()
    assert other.stat().st_size == database.stat().st_size
    os.utime(other, (LONG_AGO, LONG_AGO))

    other.replace(database)

    assert ids(database) == ["other"]


def test_who_looks_meanwhile_has_a_copy_of_its_own(database: Path) -> None:
    first, second = (copied(database, str(database.parent)) for _ in range(2))

    assert first.folder != second.folder
    first.give_back()
    second.give_back()
    assert not Path(first.folder).exists()
    assert ids(database) == ["first"]


def test_a_copy_with_a_journal_is_used_once(database: Path) -> None:
    """When the journal goes the transaction counts; a copy in which it was undone would not know."""
    script = f"""
    import apsw, os
    connection = apsw.Connection({str(database)!r})
    connection.execute("PRAGMA journal_mode=delete; PRAGMA cache_size=1; BEGIN; UPDATE t SET id='changed'").fetchall()
    connection.cache_flush()
    os._exit(0)
    """
    run(script)
    journal = Path(f"{database}-journal")
    assert journal.stat().st_size
    os.utime(database, (LONG_AGO, LONG_AGO))
    assert ids(database) == ["first"]

    journal.unlink()

    assert ids(database) == ["changed"]


def test_a_copy_that_somebody_removed_is_made_again(database: Path) -> None:
    folder, _, _ = look(database)
    Copy(str(database), folder).remove()

    assert ids(database) == ["first"]


def test_copies_that_were_kept_go_with_the_process(database: Path, tmp_path: Path) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()

    run(
        f"""
        from pathlib import Path
        from holdfast_core.agents._sqlite import private_copy
        for _ in range(2):
            with private_copy({str(database)!r}, root={str(tmp_path)!r}):
                pass
            assert len(list(Path({str(folder)!r}).iterdir())) == 1
        """,
        TMPDIR=str(folder),
    )

    assert list(folder.iterdir()) == []


def test_without_room_a_database_is_refused_and_says_so(database: Path, tmp_path: Path) -> None:
    """A limit of the process stands for a full disk."""
    folder = tmp_path / "temporary"
    folder.mkdir()

    run(
        f"""
        import resource
        from holdfast_core.agents._sqlite import private_copy
        from holdfast_core.errors import SourceError
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        try:
            with private_copy({str(database)!r}, root={str(tmp_path)!r}):
                raise AssertionError("there was room")
        except SourceError as error:
            assert error.reason == "no_room", error.reason
            assert "free disk space" in str(error)
        """,
        TMPDIR=str(folder),
    )

    assert list(folder.iterdir()) == []


def test_a_large_copy_stands_in_our_own_directory(tmp_path: Path) -> None:
    """A temporary directory is often in memory; our own is as a rule on the disk of the home."""
    database, temporary, ours = made(tmp_path / "a.db", 65 << 20), tmp_path / "temporary", tmp_path / "ours"
    temporary.mkdir()

    run(
        f"""
        from pathlib import Path
        from holdfast_core.agents._sqlite import private_copy
        with private_copy({str(database)!r}, root={str(tmp_path)!r}) as found:
            (copy,) = Path({str(ours)!r}, "cache").iterdir()
            assert copy.stat().st_mode & 0o777 == 0o700
            assert [row[1] for row in found.rows("t", ("id",))] == ["first"]
        """,
        TMPDIR=str(temporary),
        HOLDFAST_HOME=str(ours),
    )

    assert list(temporary.iterdir()) == list((ours / "cache").iterdir()) == []


def test_the_system_copies_a_database_once_and_its_wal_at_each_look(database: Path, write: Writer) -> None:
    write("INSERT INTO t VALUES('second', 'in the WAL')")
    trace = database.parent.parent / f"{database.parent.name}.trace"
    script = f"""
    import os
    from holdfast_core.agents._sqlite import private_copy
    for number in range(3):
        with private_copy({str(database)!r}, root={str(database.parent)!r}) as found:
            assert len(list(found.rows("t", ("id",)))) == 2
    """

    subprocess.run(
        ["strace", "-f", "-y", "-qq", "-e", "trace=openat", "-o", str(trace), sys.executable, "-c",
         textwrap.dedent(script)],
        check=True,
    )  # fmt: skip

    opened = [line.split('"')[1] for line in trace.read_text("utf-8", "replace").splitlines() if '"' in line]
    assert opened.count(str(database)) == 1
    assert opened.count(f"{database}-wal") == 3  # it was written just now
