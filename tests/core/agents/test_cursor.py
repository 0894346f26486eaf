"""What is true of Cursor alone."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest
from holdfast_core.agents.base import Home, Reading, ResumeTarget, SourceRef
from holdfast_core.agents.cursor import AGENT
from holdfast_core.errors import Refused

from tests.core.agents.support import DATA, home_of, read_only

OWN = "c5e00000-0000-4000-8000-00000000000a"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return home_of(DATA / "cursor" / "plain", tmp_path)


@pytest.fixture
def ref(home: Home) -> SourceRef:
    (found,) = AGENT.discover(home)
    return found


def change(ref: SourceRef, sql: str, *values: str) -> None:
    connection = apsw.Connection(ref.path)
    connection.execute(sql, values)
    connection.close()


def test_a_conversation_is_continued_in_its_editor_alone() -> None:
    with pytest.raises(Refused):
        AGENT.resume_command(ResumeTarget(OWN, "main", "/p", "/s"))


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({}, "Library/Application Support/Cursor/User"),
        ({}, "AppData/Roaming/Cursor/User"),
        ({}, ".cursor-server/data/User"),
        ({"XDG_CONFIG_HOME": "elsewhere"}, "elsewhere/Cursor/User"),
        ({"VSCODE_PORTABLE": "portable"}, "portable/user-data/User"),
    ],
)
def test_it_is_found_on_every_system(home: Home, variables: dict[str, str], place: str) -> None:
    target = home.path / place
    target.parent.mkdir(parents=True)
    (home.path / ".config" / "Cursor" / "User").rename(target)

    (found,) = AGENT.discover(Home(home.path, {name: str(home.path / text) for name, text in variables.items()}))

    assert found.path.startswith(str(target))


def test_only_conversations_that_changed_are_read_again(home: Home, ref: SourceRef) -> None:
    first = AGENT.read(ref, home)
    key, value = "composerData:new", '{"name":"New","conversation":[{"type":1,"text":"More."}]}'
    change(ref, "INSERT INTO cursorDiskKV VALUES (?, ?)", key, value)

    second = AGENT.read(ref, home, checkpoint=first.checkpoint)
    change(ref, 'UPDATE cursorDiskKV SET value=\'{"type":2,"text":"Dim."}\' WHERE key=?', f"bubbleId:{OWN}:b6")
    third = AGENT.read(ref, home, checkpoint=second.checkpoint)

    assert second.was_continued
    assert ids(second) == ["new"]
    assert ids(third) == [OWN]
    assert third.sessions[0].facts.last_text == "Kept inside."


def ids(reading: Reading) -> list[str]:
    return [session.facts.native_id for session in reading.sessions]


def test_nothing_else_in_the_database_is_told(home: Home, ref: SourceRef) -> None:
    assert "not to be read" not in repr(AGENT.read(ref, home))


def test_a_view_in_the_place_of_the_table_is_not_asked(home: Home, ref: SourceRef) -> None:
    change(ref, "ALTER TABLE cursorDiskKV RENAME TO aside")
    change(ref, "CREATE VIEW cursorDiskKV AS SELECT key, value FROM aside")

    assert read_only(AGENT, home).sessions == []


def test_a_list_in_another_encoding_of_the_database(tmp_path: Path) -> None:
    folder = tmp_path / ".config" / "Cursor" / "User" / "globalStorage"
    folder.mkdir(parents=True)
    with apsw.Connection(str(folder / "state.vscdb")) as connection:
        connection.execute("PRAGMA encoding='UTF-16le'")
        connection.execute("CREATE TABLE ItemTable(key TEXT UNIQUE, value BLOB)")
        connection.execute("CREATE TABLE cursorDiskKV(key TEXT UNIQUE, value BLOB)")
        value = '{"conversation":[{"type":1,"text":"Wörter"}]}'
        connection.execute("INSERT INTO cursorDiskKV VALUES ('composerData:u', ?)", (value,))
    connection.close()

    assert read_only(AGENT, Home(tmp_path, {})).sessions[0].facts.title == "Wörter"
