"""Agents that keep their sessions in one database: what is read again, and how a change is noticed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import apsw
import pytest
from holdfast_core.agents import all_agents
from holdfast_core.agents.base import Agent, Checkpoint, Home, Reading, SourceRef, fingerprint_at
from holdfast_core.errors import SourceError

from tests.core.agents.support import DATA, Gathered, home_of


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with three sessions, of which nothing is broken."""
    home = home_of(DATA / "opencode" / "database", tmp_path)
    change(home, "DELETE FROM part WHERE data LIKE '%cut o' OR data LIKE '%sonar%'")
    change(home, "DELETE FROM message WHERE data LIKE 'not json%'")
    return home


def agent() -> Agent:
    return all_agents()["opencode"]


def database(home: Home) -> Path:
    return home.path / ".local/share/opencode/opencode.db"


def change(home: Home, statement: str) -> None:
    connection = apsw.Connection(str(database(home)))
    connection.execute(statement).fetchall()
    connection.close()


def ref(home: Home) -> SourceRef:
    (found,) = agent().discover(home)
    return found


def read(home: Home, checkpoint: Checkpoint | None = None) -> Reading:
    return agent().read(ref(home), home, checkpoint=checkpoint)


def names(reading: Reading) -> list[str]:
    return sorted(session.facts.native_id for session in reading.sessions)


def test_an_unchanged_database_gives_nothing_new(home: Home) -> None:
    first = read(home)

    again = read(home, first.checkpoint)

    assert names(first) == ["ses_7away", "ses_8child", "ses_9main"]
    assert again.was_continued
    assert again.sessions == []
    assert again.bytes_read < 1000


def test_of_a_changed_database_the_changed_session_is_read(home: Home) -> None:
    gathered = Gathered()
    gathered.take(read(home))
    change(
        home, "INSERT INTO message VALUES('msg_b3', 'ses_8child', 1781000005900, 1781000005900, '{\"role\":\"user\"}')"
    )
    change(
        home,
        "INSERT INTO part VALUES('prt_b3', 'msg_b3', 'ses_8child', 1781000005900, 1781000005900,"
        ' \'{"type":"text","text":"Thank you."}\')',
    )

    second = read(home, gathered.checkpoint)
    gathered.take(second)

    whole = Gathered()
    whole.take(read(home))
    assert second.was_continued
    assert names(second) == ["ses_8child"]
    assert second.bytes_read < read(home).bytes_read
    assert gathered.shown() == whole.shown()


def test_a_part_that_grew_in_place_is_noticed(home: Home) -> None:
    first = read(home)
    change(home, "UPDATE part SET data=replace(data, 'shed', 'old shed') WHERE id='prt_a30'")

    assert names(read(home, first.checkpoint)) == ["ses_9main"]


def test_a_session_that_is_gone_makes_the_reader_start_over(home: Home) -> None:
    first = read(home)
    change(home, "DELETE FROM session WHERE id='ses_7away'")
    change(home, "DELETE FROM message WHERE session_id='ses_7away'")

    second = read(home, first.checkpoint)

    assert not second.was_continued
    assert names(second) == ["ses_8child", "ses_9main"]


def test_problems_are_told_once(tmp_path: Path) -> None:
    home = home_of(DATA / "opencode" / "database", tmp_path)
    first = read(home)

    second = read(home, first.checkpoint)

    assert first.problems
    assert not second.was_continued
    assert second.problems == first.problems


def test_a_checkpoint_of_another_version_is_not_used(home: Home) -> None:
    for state in (b"", b"\x91\x01", b"nonsense"):
        assert not read(home, Checkpoint(0, b"", state)).was_continued


def test_one_session_can_be_read_by_itself(home: Home) -> None:
    reading = agent().read_session(ref(home), home, "ses_8child")
    change(home, "UPDATE session SET title='Found' WHERE id='ses_8child'")
    followed = read(home, reading.checkpoint)

    assert names(reading) == ["ses_8child"]
    assert followed.was_continued
    assert [session.facts.title for session in followed.sessions] == ["Found"]


def test_what_is_in_the_wal_counts_and_is_read(home: Home) -> None:
    before = ref(home).fingerprint
    connection = apsw.Connection(str(database(home)))
    connection.execute("PRAGMA journal_mode=wal").fetchall()
    connection.execute("UPDATE session SET title='Not yet in the database' WHERE id='ses_8child'").fetchall()
    wal = str(database(home)) + "-wal"

    after = ref(home).fingerprint
    (at_wal,) = agent().refs_for(home, [wal])
    reading = read(home)
    connection.close()

    assert after.size_bytes > before.size_bytes
    assert after.inode == before.inode
    assert at_wal.path == str(database(home))
    assert at_wal.fingerprint == after
    assert "Not yet in the database" in {session.facts.title for session in reading.sessions}


def test_a_database_of_something_else_is_refused(home: Home) -> None:
    database(home).unlink()
    change(home, "CREATE TABLE cookies(id, value)")

    with pytest.raises(SourceError) as caught:
        read(home)

    assert caught.value.reason == "wrong_format"


def test_a_table_that_is_a_view_is_not_asked(home: Home) -> None:
    database(home).unlink()
    change(
        home, "CREATE VIEW session AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id+1 FROM n) SELECT * FROM n"
    )

    with pytest.raises(SourceError):
        read(home)


def test_a_damaged_database_gives_what_can_be_read_or_is_refused(home: Home) -> None:
    data = database(home).read_bytes()
    for number in range(200):
        place = number * len(data) // 200
        database(home).write_bytes(data[:place] + os.urandom(8) + data[place + 8 :])
        try:
            read(home)
        except SourceError as error:
            assert error.reason == "wrong_format"


def test_a_variable_names_the_database(home: Home, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "mine.sqlite"
    moved.parent.mkdir()
    (moved.parent / "other.sqlite").write_bytes(b"")
    database(home).rename(moved)

    named = Home(home.path, {"OPENCODE_DB": str(moved)})
    (found,) = agent().discover(named)

    assert found.path == str(moved)
    assert names(agent().read(found, named)) == ["ses_7away", "ses_8child", "ses_9main"]


@pytest.mark.parametrize(
    ("name", "variable", "root"),
    [
        ("opencode", "XDG_DATA_HOME", "moved/opencode"),
        ("kilo", "XDG_DATA_HOME", "moved/kilo"),
        ("hermes", "HERMES_HOME", "moved"),
        ("goose", "GOOSE_PATH_ROOT", "moved/data"),
        ("goose", "XDG_DATA_HOME", "moved/goose"),
        ("kiro", "XDG_DATA_HOME", "moved/kiro-cli"),
        ("zed", "XDG_DATA_HOME", "moved/zed"),
        ("zed", "LOCALAPPDATA", "moved/Zed"),
    ],
)
def test_variables_move_agents(name: str, variable: str, root: str, tmp_path: Path) -> None:
    home = Home(tmp_path, {variable: str(tmp_path / "moved")})

    assert tmp_path / root in all_agents()[name].roots(home)


@pytest.mark.parametrize(
    ("name", "root"),
    [
        ("goose", "AppData/Roaming/Block/goose/data"),
        ("kiro", "Library/Application Support/kiro-cli"),
        ("kiro", "AppData/Roaming/Kiro/User/globalStorage/kiro.kiroagent"),
        ("zed", "Library/Application Support/Zed"),
        ("zed", "AppData/Local/Zed"),
    ],
)
def test_the_places_of_other_systems_are_looked_at_too(name: str, root: str, tmp_path: Path) -> None:
    assert tmp_path / root in all_agents()[name].roots(Home(tmp_path, {}))


def test_projects_are_those_that_the_program_lists(tmp_path: Path) -> None:
    data, project, other = tmp_path / "data", tmp_path / "project", tmp_path / "other"
    (data / "crush").mkdir(parents=True)
    listed = [{"path": str(project)}, {"path": str(tmp_path / "p"), "data_dir": str(other)}, {"path": "a\0b"}, {}]
    (data / "crush" / "projects.json").write_text(json.dumps({"projects": listed}), "utf-8")
    home = Home(tmp_path / "home", {"XDG_DATA_HOME": str(data)})

    assert set(all_agents()["crush"].roots(home)) == {tmp_path / "home" / ".crush", project / ".crush", other}
    (data / "crush" / "projects.json").write_text("[not json", "utf-8")
    assert all_agents()["crush"].roots(home) == [tmp_path / "home" / ".crush"]


def test_what_stands_beside_a_database_is_a_change_of_it(home: Home) -> None:
    for ending in ("-wal", "-shm", "-journal"):
        assert [found.path for found in agent().refs_for(home, [f"{database(home)}{ending}"])] == [str(database(home))]
    assert list(agent().refs_for(home, [str(home.path / "elsewhere")])) == []


def test_a_change_in_the_wal_alone_is_seen_by_a_poll(home: Home) -> None:
    connection = apsw.Connection(str(database(home)))
    connection.execute("PRAGMA journal_mode=wal").fetchall()
    connection.execute("PRAGMA wal_autocheckpoint=0").fetchall()
    connection.execute("UPDATE session SET title='one' WHERE id='ses_8child'").fetchall()
    before = fingerprint_at(str(database(home)))
    connection.execute("UPDATE session SET title='two' WHERE id='ses_8child'").fetchall()
    after = fingerprint_at(str(database(home)))
    connection.close()

    assert before != after
    assert before.inode == after.inode


def test_a_session_tells_what_of_the_database_is_its_own(tmp_path: Path) -> None:
    home = home_of(DATA / "opencode" / "database", tmp_path)

    reading = read(home)

    shares = {session.facts.native_id: session.share for session in reading.sessions}
    assert reading.is_shared
    assert len(reading.problems) == 2
    assert {name: share.problem_count for name, share in shares.items() if share} == {
        "ses_7away": 2,
        "ses_8child": 0,
        "ses_9main": 0,
    }
    assert all(share and 200 < share.size_bytes < reading.bytes_read for share in shares.values())
