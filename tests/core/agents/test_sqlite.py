"""Other programs' databases: read from a private copy, never written beside, and never obeyed."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from holdfast_core.agents._copies import stamp_of
from holdfast_core.agents._sqlite import CELL_LIMIT, private_copy
from holdfast_core.errors import SourceError

SECONDS = 10  # a second on an idle machine; tests share theirs


def made(path: Path, *statements: str) -> Path:
    """Return a database that some statements make."""
    connection = apsw.Connection(str(path))
    for statement in statements:
        connection.execute(statement)
    connection.close()
    return path


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Path]:
    """A database whose owner is at work: the newest rows are in the WAL alone."""
    path = tmp_path / "live.db"
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode=wal; PRAGMA wal_autocheckpoint=0; CREATE TABLE t(id, body)").fetchall()
    connection.execute("INSERT INTO t VALUES('a', 'in the WAL')")
    assert (tmp_path / "live.db-wal").stat().st_size
    yield path
    connection.close()


def rows(path: Path, table: str = "t", *columns: str) -> list[tuple[object, ...]]:
    with private_copy(path, root=path.parent) as database:
        return list(database.rows(table, columns or ("id", "body")))


def refusal(path: Path) -> str:
    started = time.monotonic()
    with pytest.raises(SourceError) as caught:
        rows(path)
    assert time.monotonic() - started < SECONDS
    return caught.value.reason


def test_rows_come_with_their_numbers_and_what_is_not_there_is_none(tmp_path: Path) -> None:
    path = made(tmp_path / "d", "CREATE TABLE t(id, Body, n)", "INSERT INTO t VALUES('a', 'é', 7), ('b', x'00ff', 1.5)")

    found = rows(path, "t", "id", "body", "n", "missing")

    assert found == [(1, "a", "é", 7, None), (2, "b", "\0\ufffd", 1.5, None)]


def test_raw_columns_come_as_bytes_and_rows_can_be_asked_by_value(tmp_path: Path) -> None:
    path = made(tmp_path / "d", "CREATE TABLE t(id, body)", "INSERT INTO t VALUES('a', '{}'), ('b', '[]')")

    with private_copy(path, root=tmp_path) as database:
        assert list(database.rows("t", ("body",), raw=("body",), within=("id", ["b"]))) == [(2, b"[]")]
        assert len(list(database.rows("t", ("body",), within=("id", ["b"] * 1000)))) == 2


def test_what_is_in_the_wal_is_seen(live: Path) -> None:
    assert rows(live) == [(1, "a", "in the WAL")]


def test_what_stands_beside_tells_of_a_change(live: Path) -> None:
    before = stamp_of(live)
    connection = apsw.Connection(str(live))
    connection.execute("INSERT INTO t VALUES('b', 'more')")

    assert stamp_of(live) != before
    connection.close()


def test_a_transaction_that_was_broken_off_is_undone_in_the_copy(tmp_path: Path) -> None:
    """A hot journal: the owner died while it wrote its database in place."""
    path = tmp_path / "d"
    script = f"""
    import apsw, os
    connection = apsw.Connection({str(path)!r})
    connection.execute("CREATE TABLE t(id, body)")
    connection.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<500)"
                       " INSERT INTO t SELECT i, 'before' FROM n")
    connection.execute("PRAGMA cache_size=1").fetchall()
    connection.execute("BEGIN").fetchall()
    connection.execute("UPDATE t SET body='after, which is longer' || hex(zeroblob(200))").fetchall()
    connection.cache_flush()
    os._exit(0)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True)
    assert (tmp_path / "d-journal").stat().st_size
    before = path.read_bytes()

    found = rows(path)

    assert {row[2] for row in found} == {"before"}
    assert len(found) == 500
    assert path.read_bytes() == before
    assert (tmp_path / "d-journal").exists()


def test_a_journal_never_leads_to_another_file(tmp_path: Path) -> None:
    """The engine deletes the super-journal that a journal names, if it finds nothing in it."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"")
    path = made(tmp_path / "d", "CREATE TABLE t(id, body)", "INSERT INTO t VALUES(1, 'x')")
    name = os.fsencode(str(victim))
    header = bytes.fromhex("d9d505f920a163d7") + bytes(4) + bytes(4) + (2).to_bytes(4) + (512).to_bytes(4)
    header += (4096).to_bytes(4)
    tail = (1 << 30).to_bytes(4) + name + len(name).to_bytes(4) + (sum(name) & 0xFFFFFFFF).to_bytes(4)
    (tmp_path / "d-journal").write_bytes(header.ljust(512, b"\0") + tail + bytes.fromhex("d9d505f920a163d7"))

    assert rows(path) == [(1, 1, "x")]
    assert victim.exists()


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE VIEW t AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id+1 FROM n) SELECT id, id AS body FROM n",
        "CREATE VIRTUAL TABLE t USING fts5(id, body)",
    ],
)
def test_what_is_no_table_is_not_asked(tmp_path: Path, statement: str) -> None:
    assert rows(made(tmp_path / "d", statement)) == []


def test_two_things_of_one_name_are_not_asked(tmp_path: Path) -> None:
    path = made(
        tmp_path / "d",
        "CREATE TABLE t(id, body)",
        "PRAGMA writable_schema=on",
        "INSERT INTO sqlite_schema VALUES('view', 't', 't', 0, 'CREATE VIEW t AS SELECT 1 AS id, 2 AS body')",
    )

    assert refusal(path) == "wrong_format"


def test_columns_that_compute_are_not_asked(tmp_path: Path) -> None:
    path = made(
        tmp_path / "d",
        "CREATE TABLE t(id, body AS (hex(zeroblob(10000000))))",
        "INSERT INTO t(id) VALUES('a')",
        "ALTER TABLE t ADD COLUMN late DEFAULT 5",
    )

    assert rows(path, "t", "id", "body", "late") == [(1, "a", None, 5)]


def test_a_table_without_row_numbers_is_counted(tmp_path: Path) -> None:
    path = made(
        tmp_path / "d",
        "CREATE TABLE t(id PRIMARY KEY, body) WITHOUT ROWID",
        "INSERT INTO t VALUES('b', 1), ('a', 2)",
    )

    assert rows(path) == [(1, "a", 2), (2, "b", 1)]


def test_a_value_that_is_too_large_costs_its_row_alone(tmp_path: Path) -> None:
    path = made(
        tmp_path / "d",
        "CREATE TABLE t(id, body)",
        f"INSERT INTO t VALUES('a', 'x'), ('b', zeroblob({CELL_LIMIT + 1})), ('c', 'y')",
    )

    with private_copy(path, root=tmp_path) as database:
        assert [row[1] for row in database.rows("t", ("id", "body"))] == ["a", "c"]
        assert [(problem.line, problem.reason) for problem in database.problems] == [(2, "line_too_long")]


def test_text_of_another_encoding_is_read(tmp_path: Path) -> None:
    path = made(
        tmp_path / "d", "PRAGMA encoding='UTF-16'", "CREATE TABLE t(id, body)", "INSERT INTO t VALUES('é', '{}')"
    )

    with private_copy(path, root=tmp_path) as database:
        assert list(database.rows("t", ("id", "body"), raw=("body",))) == [(1, "é", b"{}")]


def test_what_is_no_text_is_replaced(tmp_path: Path) -> None:
    path = made(tmp_path / "d", "CREATE TABLE t(id, body)", "INSERT INTO t VALUES(CAST(x'61ff62' AS TEXT), NULL)")

    assert rows(path) == [(1, "a\ufffdb", None)]


def test_stamps_tell_which_sessions_changed(tmp_path: Path) -> None:
    path = made(
        tmp_path / "d",
        "CREATE TABLE t(id, body, at)",
        "INSERT INTO t VALUES('a', 'x', 1), ('a', 'y', 2), ('b', 'z', 3)",
    )

    def stamps() -> dict[str, str]:
        with private_copy(path, root=tmp_path) as database:
            return database.stamps("t", "id", sized=("body",), latest=("at", "none"))

    first = stamps()
    made(path, "UPDATE t SET body='longer' WHERE body='x'")
    second = stamps()
    made(path, "UPDATE t SET at=9 WHERE id='b'")
    third = stamps()

    assert [first["a"] == second["a"], first["b"] == second["b"]] == [False, True]
    assert [second["a"] == third["a"], second["b"] == third["b"]] == [True, False]


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "d"
    reasons = []
    for content in (b"nothing of the kind" * 100, b"SQLite format 3\0" + os.urandom(8000)):
        path.write_bytes(content)
        reasons.append(refusal(path))

    assert reasons == ["wrong_format", "wrong_format"]


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "d"
    path.write_bytes(b"")

    assert rows(path) == []


def test_a_damaged_database_gives_rows_or_is_refused(tmp_path: Path) -> None:
    values = ", ".join(f"({number}, '{'x' * 900}')" for number in range(60))
    path = made(tmp_path / "d", "CREATE TABLE t(id, body)", "CREATE INDEX i ON t(id)", f"INSERT INTO t VALUES {values}")
    data = path.read_bytes()
    given = 0
    for number in range(400):
        place = number * len(data) // 400
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x5A, 0xFF, 0x80]) + data[place + 3 :])
        started = time.monotonic()
        try:
            given += len(rows(path)) > 0
        except SourceError as error:
            assert error.reason == "wrong_format"
        assert time.monotonic() - started < SECONDS

    assert given > 200


def test_a_truncated_database_gives_what_is_left(tmp_path: Path) -> None:
    values = ", ".join(f"({number}, '{'x' * 900}')" for number in range(60))
    path = made(tmp_path / "d", "CREATE TABLE t(id, body)", f"INSERT INTO t VALUES {values}")
    path.write_bytes(path.read_bytes()[: 4096 * 6])

    with private_copy(path, root=tmp_path) as database:
        assert 4 <= len(list(database.rows("t", ("id",)))) < 60
        assert {problem.reason for problem in database.problems} == {"damaged"}


def test_rows_behind_a_damaged_page_are_read(tmp_path: Path) -> None:
    values = ", ".join(f"({number}, '{'x' * 900}')" for number in range(1, 401))
    path = made(tmp_path / "d", "CREATE TABLE t(id, body)", f"INSERT INTO t VALUES {values}")
    data = path.read_bytes()
    page = data.index(b"x" * 900, 4096 * 50) // 4096 * 4096
    path.write_bytes(data[:page] + b"\xff" * 4096 + data[page + 4096 :])

    with private_copy(path, root=tmp_path) as database:
        found = [row[1] for row in database.rows("t", ("id", "body"))]
        assert 390 <= len(found) < 400
        assert found == sorted(set(found))
        assert found[-1] == 400
        assert [(problem.line, problem.reason) for problem in database.problems] == [
            (min(set(range(1, 401)) - set(found)), "damaged")
        ]


def test_a_damaged_index_does_not_hide_rows(tmp_path: Path) -> None:
    values = ", ".join(f"('{number % 3}', '{'x' * 90}')" for number in range(900))
    path = made(tmp_path / "d", "CREATE TABLE t(id, body)", f"INSERT INTO t VALUES {values}", "CREATE INDEX i ON t(id)")
    connection = apsw.Connection(str(path))
    (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name='i'").fetchone()
    connection.close()
    data = path.read_bytes()
    place = (root - 1) * 4096
    path.write_bytes(data[:place] + b"\xff" * 4096 + data[place + 4096 :])

    with private_copy(path, root=tmp_path) as database:
        found = [row[1] for row in database.rows("t", ("id",), within=("id", ["1"]))]
        assert found.count("1") == 300
        assert database.problems == []


def test_links_and_pipes_are_refused(tmp_path: Path) -> None:
    real = made(tmp_path / "real", "CREATE TABLE t(id, body)")
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(real)
    os.mkfifo(pipe)

    assert [refusal(link), refusal(pipe), refusal(tmp_path / "none")] == ["symlink", "not_a_file", "gone"]


def test_a_linked_wal_is_refused(live: Path) -> None:
    wal = live.with_name("live.db-wal")
    wal.rename(live.with_name("elsewhere"))
    wal.symlink_to("/dev/zero")

    assert refusal(live) == "symlink"


def test_a_large_database_is_asked_in_time_and_little_memory(tmp_path: Path) -> None:
    path = made(
        tmp_path / "d",
        "CREATE TABLE t(id, body)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<30)"
        " INSERT INTO t SELECT i, hex(zeroblob(1000000)) FROM n",
    )
    started = time.process_time()

    with private_copy(path, root=tmp_path) as database:
        assert len(database.stamps("t", "id", sized=("body",), latest=())) == 30
        assert sum(len(row[2]) for row in database.rows("t", ("id", "body"), raw=("body",))) == 60_000_000

    assert time.process_time() - started < 3


def test_nothing_is_left_of_the_copy(tmp_path: Path, live: Path) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    script = f"""
    from pathlib import Path
    from holdfast_core.agents._sqlite import private_copy
    with private_copy({str(live)!r}, root={str(tmp_path)!r}):
        (copy,) = Path({str(folder)!r}).iterdir()
        assert copy.stat().st_mode & 0o777 == 0o700
    """

    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], check=True, env={**os.environ, "TMPDIR": str(folder)}
    )

    assert list(folder.iterdir()) == []


def test_a_copy_that_was_left_by_a_killed_process_is_removed(tmp_path: Path, live: Path) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    begin = f"""
    import os, signal
    from holdfast_core.agents._sqlite import private_copy
    with private_copy({str(live)!r}, root={str(tmp_path)!r}):
    """
    environment = {**os.environ, "TMPDIR": str(folder)}
    kill = textwrap.dedent(begin) + "    os.kill(os.getpid(), signal.SIGKILL)"
    subprocess.run([sys.executable, "-c", kill], check=False, env=environment)
    (left,) = folder.iterdir()
    (folder / "holdfast-copy-of-my-own").write_text("a file", "utf-8")
    (folder / "holdfast-copy-link").symlink_to(tmp_path)
    look = textwrap.dedent(begin) + "    pass"

    subprocess.run([sys.executable, "-c", look], check=True, env=environment)
    assert left.exists()  # it may be in use
    os.utime(left, (1, 1))
    subprocess.run([sys.executable, "-c", look], check=True, env=environment)

    assert {path.name for path in folder.iterdir()} == {"holdfast-copy-of-my-own", "holdfast-copy-link"}
    assert live.exists()


def test_the_system_is_asked_for_reading_alone(live: Path, tmp_path: Path) -> None:
    """No write, create, rename, lock or other change under the agent's directory, by the system's own account."""
    script = f"""
    from holdfast_core.agents._sqlite import private_copy
    with private_copy({str(live)!r}, root={str(live.parent)!r}) as database:
        assert list(database.rows("t", ("id",)))
    """
    trace = tmp_path.parent / f"{tmp_path.name}.trace"
    before = sorted((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in live.parent.iterdir())
    command = ["strace", "-f", "-y", "-qq", "-o", str(trace), sys.executable, "-c", textwrap.dedent(script)]

    subprocess.run(command, check=True)

    calls = [line for line in trace.read_text("utf-8", "replace").splitlines() if str(live.parent) in line]
    kinds = {line.split("(")[0].split()[-1] for line in calls}
    assert any("live.db-wal" in line for line in calls)
    assert kinds <= {
        "openat", "newfstatat", "fstat", "stat", "lstat", "statx", "lseek", "close", "read", "readlink", "readlinkat",
        "copy_file_range", "fcntl", "access", "getcwd", "execve", "ioctl",
    }  # fmt: skip
    opened = [line for line in calls if line.split("(")[0].endswith("openat")]
    assert all("O_RDONLY" in line and "O_CREAT" not in line for line in opened)
    assert not any("F_SETLK" in line or "F_OFD" in line for line in calls)
    after = sorted((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in live.parent.iterdir())
    assert after == before
