"""A database in which an agent keeps its sessions: what grows there and what is deleted there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from holdfast_core.agents import all_agents
from holdfast_core.sealed.keys import Keys
from holdfast_core.vault.vault import VaultOptions

from tests.core.agents.support import CASES, home_of
from tests.core.scan.keeping import Kept

CASE = next(case for case in CASES if (case.parent.name, case.name) == ("opencode", "database"))
SESSION, ID = "ses_8child", "opencode:ses_8child"


class Database:
    """The agent's own database, open as its program has it, with what is written in the journal beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = apsw.Connection(str(path))
        self._execute("PRAGMA journal_mode=wal")

    def say(self, number: int) -> None:
        """Write one message and the session's new time."""
        at = 1_781_000_100_000 + number
        said = json.dumps({"role": "user", "time": {"created": at}, "agent": "build"})
        self._execute("INSERT INTO message VALUES(?,?,?,?,?)", f"msg_x{number}", SESSION, at, at, said)
        text = json.dumps({"type": "text", "text": f"word{number}x"})
        self._execute("INSERT INTO part VALUES(?,?,?,?,?,?)", f"prt_x{number}", f"msg_x{number}", SESSION, at, at, text)
        self._execute("UPDATE session SET time_updated=? WHERE id=?", at, SESSION)

    def delete(self, table: str, name: str) -> None:
        """Delete one row."""
        self._execute(f"DELETE FROM {table} WHERE id=?", name)  # our own words

    def forget(self) -> None:
        """Delete the session with all that it holds."""
        for table, column in (("part", "session_id"), ("message", "session_id"), ("session", "id")):
            self._execute(f"DELETE FROM {table} WHERE {column}=?", SESSION)  # our own words

    def close(self) -> None:
        self._connection.close()

    def _execute(self, sql: str, *values: str | int) -> None:
        self._connection.execute(sql, values).fetchall()


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    keys = Keys.open(tmp_path / "keys")
    place = Kept(tmp_path, keys, {"opencode": all_agents()["opencode"]}, home_of(CASE, tmp_path))
    yield place
    place.close()


@pytest.fixture
def database(kept: Kept) -> Iterator[Database]:
    (path,) = kept.home.path.rglob("*.db")
    database = Database(path)
    yield database
    database.close()


def _grow(kept: Kept, database: Database, count: int) -> None:
    for number in range(count):
        database.say(number)
        assert kept.update(database.path).changes.lost == ()


def test_a_hundred_messages_more_are_captured_and_nobody_is_told(kept: Kept, database: Database) -> None:
    kept.update()
    before = kept.entries()[ID].message_count

    _grow(kept, database, 100)

    assert (kept.entries()[ID].message_count, kept.ids("is:lost")) == (before + 100, set())
    assert {version.lost for version in kept.vault.versions(*kept.source_of(ID))} == {0}
    content = b"".join(kept.vault.content(*kept.source_of(ID)))
    assert b"word99x" in content


def test_a_deleted_message_stays_and_is_counted(kept: Kept, database: Database) -> None:
    kept.update()
    _grow(kept, database, 3)
    count = kept.entries()[ID].message_count
    database.delete("part", "prt_x1")
    database.delete("message", "msg_x1")

    outcome = kept.update(database.path)

    assert [(loss.id, loss.messages) for loss in outcome.changes.lost] == [(ID, 1)]
    assert (kept.entries()[ID].message_count, kept.entries()[ID].lost_messages) == (count, 1)
    assert kept.found("word1x") == {ID}
    assert kept.ids("is:lost") == {ID}


def test_a_deleted_session_stays_while_the_others_go_on(kept: Kept, database: Database) -> None:
    kept.update()
    before = kept.entries()
    database.forget()

    kept.update(database.path)

    assert kept.entries()[ID].lost_messages == before[ID].message_count
    assert kept.ids("is:lost") == {ID}
    assert len(kept.session(ID).messages) == before[ID].message_count
    answers = kept.answers()
    kept.rebuild()
    assert kept.answers() == answers


def test_a_busy_database_is_captured_now_and_then_but_at_once_when_something_is_gone(
    kept: Kept, database: Database
) -> None:
    kept.options = VaultOptions(reserve_bytes=0, database_minutes=60)
    kept.open()
    kept.update()
    before = kept.entries()[ID].message_count
    _grow(kept, database, 5)
    assert len(kept.vault.versions(*kept.source_of(ID))) == 1
    database.forget()

    kept.update(database.path)

    assert kept.entries()[ID].lost_messages == before
    assert len(kept.vault.versions(*kept.source_of(ID))) == 2


def test_what_was_not_captured_of_a_busy_database_is_once_it_may_be(kept: Kept, database: Database) -> None:
    kept.options = VaultOptions(reserve_bytes=0, database_minutes=60)
    kept.open()
    kept.update()
    _grow(kept, database, 2)
    kept.options = VaultOptions(reserve_bytes=0, database_minutes=0)
    kept.open()

    kept.update()

    marks = {mark.native_id: mark.messages for mark in kept.vault.marks(*kept.source_of(ID))}
    assert marks[SESSION] == kept.entries()[ID].message_count
