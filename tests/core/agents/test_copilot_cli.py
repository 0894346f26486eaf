"""What is true of Copilot CLI alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import apsw
import pytest
from holdfast_core.agents._copilot_records import described
from holdfast_core.agents.base import Home, ResumeTarget
from holdfast_core.agents.copilot_cli import AGENT
from holdfast_core.errors import Refused
from holdfast_core.model.message import Todo
from holdfast_core.model.usage import Usage

from tests.core.agents.support import DATA, home_of, read_only

OWN = "7d0c0000-0000-4000-8000-00000000000a"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return home_of(DATA / "copilot_cli" / "plain", tmp_path)


def test_a_session_is_resumed_from_anywhere_and_not_forked() -> None:
    target = ResumeTarget(OWN, "main", "", "/x")

    command = AGENT.resume_command(target)

    assert command.argv == ("copilot", f"--resume={OWN}")
    assert not command.needs_project
    assert AGENT.deletes_after_days(Home(Path("/nowhere"), {})) is None
    with pytest.raises(Refused):
        AGENT.resume_command(target, fork=True)


def test_the_home_can_be_moved(tmp_path: Path, home: Home) -> None:
    moved = tmp_path / "moved"
    (home.path / ".copilot").rename(moved)

    assert list(AGENT.discover(home)) == []
    assert len(list(AGENT.discover(Home(home.path, {"COPILOT_HOME": str(moved)})))) == 1


def test_a_session_that_moved_into_a_folder_keeps_its_key(home: Home) -> None:
    (ref,) = AGENT.discover(home)
    folder = Path(ref.path).parent
    shutil.copyfile(ref.path, f"{folder}.jsonl")

    assert list(AGENT.discover(home)) == [ref]
    folder.rename(folder.with_name("away"))

    assert ref.key in {found.key for found in AGENT.discover(home)}


def test_the_plan_is_taken_from_the_sessions_database(home: Home) -> None:
    (ref,) = AGENT.discover(home)
    with apsw.Connection(str(Path(ref.path).with_name("session.db"))) as database:
        database.execute("CREATE TABLE todos(id TEXT PRIMARY KEY, title TEXT NOT NULL, status TEXT)")
        states = [("a", "Look", "done"), ("b", "Mend", "in_progress"), ("c", "Wait", "blocked"), ("d", "Shine", None)]
        database.executemany("INSERT INTO todos VALUES (?, ?, ?)", states)
    database.close()

    todos = read_only(AGENT, home).sessions[0].facts.todos

    assert todos == (Todo("Look", "completed"), Todo("Mend", "in_progress"), Todo("Wait"), Todo("Shine"))


def test_a_damaged_database_costs_the_plan_alone(home: Home) -> None:
    (ref,) = AGENT.discover(home)
    Path(ref.path).with_name("session.db").write_bytes(b"SQLite format 3\0" + bytes(5000))

    (session,) = read_only(AGENT, home).sessions

    assert session.facts.todos == ()
    assert session.facts.title == "The lamp of the lighthouse"


def test_what_the_models_used_is_counted_once(home: Home) -> None:
    """Each message tells its output, the end of the session tells all of it again."""
    (session,) = read_only(AGENT, home).sessions

    assert session.facts.usage == Usage(600, 115, 3000, 1500, 20)
    assert sum((message.usage for message in session.messages if message.usage), Usage()) == session.facts.usage


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: plain words: more\n", {"name": "plain words: more"}),
        ('name: "a \\"b\\" \\u00e9\\n"\n', {"name": 'a "b" é\n'}),
        ("name: 'it''s'\n", {"name": "it's"}),
        ("name: |-\r\n  one\r\n\r\n    two\r\nbranch: main\r\n", {"name": "one\n\n  two", "branch": "main"}),
        ("name: >\n  one\n  two\n", {"name": "one two"}),
        ("name:\n", {"name": ""}),
        ("name: &anchor x\ncwd: [a]\n- name: y\n  branch: z\n", {}),
        ("name: !!python/object/apply:os.system ['x']\n", {}),
    ],
)
def test_what_the_agent_says_of_a_session(text: str, expected: dict[str, str]) -> None:
    assert described(text) == expected
