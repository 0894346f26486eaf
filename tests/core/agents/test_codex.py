"""What is true of Codex alone."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import apsw
import pytest
from holdfast_core.agents.base import Home, ResumeTarget
from holdfast_core.agents.codex import AGENT

from tests.core.agents.support import DATA, home_of, read_only

OWN = "019cb000-0000-7000-8000-00000000000a"
ROLLOUT = f"rollout-2026-03-03T10-00-00-{OWN}"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return home_of(DATA / "codex" / "plain", tmp_path)


def make_state(path: Path, title: str, first: str, *, journal: str = "delete") -> apsw.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = apsw.Connection(str(path))
    connection.execute(f"PRAGMA journal_mode={journal}").fetchall()
    connection.execute("CREATE TABLE threads(id TEXT PRIMARY KEY, title TEXT, first_user_message TEXT)")
    connection.execute("INSERT INTO threads VALUES (?, ?, ?)", (OWN, title, first))
    return connection


def title(home: Home) -> str:
    return read_only(AGENT, home).sessions[0].facts.title


def test_resume_and_fork_work_from_anywhere() -> None:
    target = ResumeTarget(OWN, "main", "", "/x")

    plain, fork = AGENT.resume_command(target), AGENT.resume_command(target, fork=True)

    assert plain.argv == ("codex", "resume", OWN)
    assert fork.argv == ("codex", "fork", OWN)
    assert not plain.needs_project
    assert AGENT.deletes_after_days(Home(Path("/nowhere"), {})) is None


def test_the_home_can_be_moved(tmp_path: Path, home: Home) -> None:
    moved = tmp_path / "moved"
    (home.path / ".codex").rename(moved)

    assert list(AGENT.discover(home)) == []
    assert len(list(AGENT.discover(Home(home.path, {"CODEX_HOME": str(moved)})))) == 1


def test_an_archived_rollout_keeps_its_key(home: Home) -> None:
    (before,) = AGENT.discover(home)
    archive = home.path / ".codex" / "archived_sessions"
    archive.mkdir()
    Path(before.path).rename(archive / f"{ROLLOUT}.jsonl")

    (after,) = AGENT.discover(home)

    assert after.key == before.key
    assert AGENT.read(after, home).sessions[0].facts.native_id == OWN
    assert AGENT.read(after, home).sessions[0].facts.is_archived


def test_a_rollout_that_is_archived_twice_is_one_source(home: Home) -> None:
    (ref,) = AGENT.discover(home)
    archive = home.path / ".codex" / "archived_sessions"
    archive.mkdir()
    shutil.copy(ref.path, archive)

    (found,) = AGENT.discover(home)

    assert found.path == ref.path


def test_nothing_beside_the_sessions_is_a_source(home: Home) -> None:
    for name in ("history.jsonl", "auth.json", "session_index.jsonl"):
        (home.path / ".codex" / name).write_text("{}", encoding="utf-8")

    assert len(list(AGENT.discover(home))) == 1


def test_a_given_title_stands_in_the_state_database(home: Home) -> None:
    make_state(home.path / ".codex" / "state_5.sqlite", "The horn", "Mend the horn.").close()

    assert title(home) == "The horn"


def test_the_newest_state_counts_and_a_first_prompt_is_no_title(home: Home) -> None:
    make_state(home.path / ".codex" / "state_4.sqlite", "Old", "x").close()
    make_state(home.path / ".codex" / "state_10.sqlite", "Mend the horn.", "Mend the horn.").close()

    assert title(home) == "Mend the horn."


def test_the_new_place_of_the_state_is_known(home: Home) -> None:
    make_state(home.path / ".codex" / "sqlite" / "state_5.sqlite", "In its new place", "x").close()

    assert title(home) == "In its new place"


def test_a_title_that_is_still_in_the_wal_is_seen_and_nothing_is_written_beside(home: Home) -> None:
    path = home.path / ".codex" / "state_5.sqlite"
    connection = make_state(path, "Only in the WAL", "x", journal="wal")
    before = {file.name: file.stat().st_mtime_ns for file in path.parent.iterdir()}

    found = title(home)

    assert found == "Only in the WAL"
    assert {file.name: file.stat().st_mtime_ns for file in path.parent.iterdir()} == before
    connection.close()


def test_a_hostile_database_costs_its_title_alone(home: Home) -> None:
    path = home.path / ".codex" / "state_5.sqlite"
    for content in (b"", b"random bytes", b"SQLite format 3\0" + os.urandom(5000)):
        path.write_bytes(content)
        assert title(home) == "Mend the horn."
    path.unlink()
    connection = apsw.Connection(str(path))
    connection.execute(
        "CREATE VIEW threads AS WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM r)"
        " SELECT i AS id, printf('%.*c', 100000, 'x') AS title, '' AS first_user_message FROM r"
    )
    connection.close()
    assert title(home) == "Mend the horn."
    path.unlink()
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE threads(id TEXT, other TEXT)")
    connection.close()
    assert title(home) == "Mend the horn."
    path.unlink()
    path.symlink_to("/dev/zero")
    assert title(home) == "Mend the horn."


def test_a_damaged_database_never_raises(home: Home, tmp_path: Path) -> None:
    path = home.path / ".codex" / "state_5.sqlite"
    make_state(path, "The horn", "x").close()
    whole = path.read_bytes()
    for number in range(60):
        broken = bytearray(whole)
        for place in range(1 + number % 7):
            broken[(number * 131 + place * 977) % len(broken)] ^= 0xFF
        path.write_bytes(broken[: len(broken) - number * 97] if number % 3 == 0 else broken)
        assert title(home)


def test_a_document_that_is_no_session_is_refused(home: Home) -> None:
    from holdfast_core.errors import SourceError

    path = home.path / ".codex" / "sessions" / f"{ROLLOUT[:-1]}b.json"
    for content in ("", "[]", '{"items": 7}', "{"):
        path.write_text(content, encoding="utf-8")
        (ref,) = (ref for ref in AGENT.discover(home) if ref.path == str(path))
        with pytest.raises(SourceError) as caught:
            AGENT.read(ref, home)
        assert caught.value.reason == "wrong_format"
