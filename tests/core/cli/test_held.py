"""Held sessions as a person or another program works with them: real processes, every exit code."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.core.cli.conftest import Person

NOBODY = "0b8f2f4e-94b1-4d0a-9c33-5d6a3c1e7f00"
ROW_KEYS = {
    *("id", "agent", "native_id", "title", "preview", "project_path", "branch", "provider", "model", "created_at"),
    *("updated_at", "message_count", "usage", "cost_usd", "tags", "starred", "context_files", "size_bytes", "state"),
    *("parent_id", "source_path"),
}


@pytest.fixture
def holder(person: Person) -> Person:
    """Someone without a keyring, whose sessions are known."""
    person.environment["HOLDFAST_USE_KEYRING"] = "false"
    person.json("index", "update")
    (person.top / "project").mkdir(mode=0o755)
    return person


def made(person: Person, title: str = "Plan", *texts: str) -> str:
    project = str(person.top / "project")
    session_id = person.ok("sessions", "create", "--project", project, "--title", title).strip()
    for text in texts:
        person.ok("sessions", "append", session_id, "--role", "user", "--text", text)
    return session_id


def files_of(person: Person, name: str = "sessions") -> list[Path]:
    return sorted((person.top / "ours" / "data" / name).glob("*.hold"))


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def typed(person: Person, question: str, answer: str, *arguments: str) -> tuple[int, str]:
    """Run a command in a terminal, type an answer when it asks; return the exit code and all that was shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        person.command(*arguments), cwd=person.top, env=person.environment, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    is_answered = False
    try:
        while data := os.read(ours, 65_536):
            shown += data
            if not is_answered and question.encode() in shown:
                is_answered = True
                os.write(ours, answer.encode())
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    return process.wait(60), shown.decode()


def test_a_session_is_made_and_stands_in_the_list(holder: Person):
    project = str(holder.top / "project")

    row = holder.json("sessions", "create", "--project", project, "--title", "Plan", "--model", "m-1")

    assert set(row) >= ROW_KEYS
    assert (row["title"], row["project_path"], row["model"], row["state"]) == ("Plan", project, "m-1", "closed")
    assert holder.json("sessions", "list")[0]["id"] == row["id"]
    assert [one["id"] for one in holder.json("sessions", "filter", "is:held")] == [row["id"]]
    assert len(holder.json("sessions", "filter", "-is:held")) == 12


def test_the_first_command_of_all_may_make_a_session(person: Person):
    person.environment["HOLDFAST_USE_KEYRING"] = "false"

    session_id = person.ok("sessions", "create", "--project", str(person.top)).strip()

    assert session_id in person.run("sessions", "list", "--json").stdout


@pytest.mark.parametrize("command", [["create", "--project", "/"], ["list"], ["clean"]])
def test_directories_of_ours_are_private_whatever_command_comes_first(person: Person, command: list[str]):
    person.environment["HOLDFAST_USE_KEYRING"] = "false"

    person.ok("sessions", *command)

    directories = [path for path in (person.top / "ours").rglob("*") if path.is_dir()]
    assert {"data", "cache"} & {path.name for path in directories}
    assert [path for path in directories if path.stat().st_mode & 0o077] == []


def test_messages_are_put_at_the_end(holder: Person):
    session_id = made(holder, "Plan", "buy apples")

    row = holder.json("sessions", "append", session_id, "--role", "assistant", "--text", "done")
    piped = subprocess.run(
        holder.command("sessions", "append", session_id, "--role", "user", "--text", "-"),
        env=holder.environment,
        input="from a pipe",
        text=True,
        check=False,
    )

    assert (row["message_count"], piped.returncode) == (2, 0)
    shown = holder.json("sessions", "show", session_id)
    assert [(one["role"], one["blocks"][0]["text"]) for one in shown["messages"]] == [
        ("user", "buy apples"),
        ("assistant", "done"),
        ("user", "from a pipe"),
    ]
    assert holder.json("sessions", "search", "apples")["hits"][0]["session_id"] == session_id


def test_a_held_session_is_named_tagged_starred_and_noted_as_any(holder: Person):
    session_id = made(holder)

    holder.ok("sessions", "rename", session_id, "New name")
    holder.ok("sessions", "tag", session_id, "a", "b")
    holder.ok("sessions", "star", session_id)
    row = holder.json("sessions", "note", "New name", "remember")

    assert (row["title"], row["tags"], row["starred"], row["notes"]) == ("New name", ["a", "b"], True, "remember")


def test_saving_an_agents_session_keeps_a_copy(holder: Person):
    row = holder.json("sessions", "list")[0]

    kept = holder.json("sessions", "save", row["id"])

    assert (kept["title"], kept["message_count"], kept["agent"]) == (row["title"], row["message_count"], row["agent"])
    assert kept["id"] != row["id"]
    assert holder.json("sessions", "save", kept["id"])["message_count"] == row["message_count"]


def test_closing_and_forking_give_the_session_that_stands_then(holder: Person):
    session_id = made(holder, "Plan", "one", "two")

    closed = holder.json("sessions", "close", session_id)
    forked = holder.json("sessions", "fork", session_id, "--at", "1")

    assert (closed["id"], closed["state"]) == (session_id, "closed")
    assert (forked["message_count"], forked["parent_id"]) == (1, session_id)


def test_deleting_and_bringing_back(holder: Person):
    session_id = made(holder, "Plan", "one")

    asked = holder.run("sessions", "delete", session_id)
    gone = holder.json("sessions", "delete", session_id, "--yes")

    assert (asked.returncode, asked.stdout) == (4, "")
    assert "1 session with 1 message" in asked.stderr
    assert "“Plan”" in asked.stderr
    assert "30 days" in asked.stderr
    assert (gone["done"], gone["trash"][0]["id"]) == (1, session_id)
    assert set(gone["trash"][0]) == {
        *("id", "title", "project_path", "deleted_at", "expires_at", "message_count", "size_bytes", "reason"),
    }
    assert holder.run("sessions", "show", session_id).returncode == 3
    assert [one["id"] for one in holder.json("sessions", "trash")] == [session_id]
    assert holder.json("sessions", "restore", "plan")["id"] == session_id
    assert holder.json("sessions", "trash") == []


def test_an_answer_is_asked_for_in_a_terminal(holder: Person):
    session_id = made(holder, "Plan")

    kept = typed(holder, "[y/N]", "n\n", "sessions", "delete", session_id)
    left = len(files_of(holder))
    gone = typed(holder, "[y/N]", "y\n", "sessions", "delete", session_id)

    assert (kept[0], left) == (4, 1)
    assert "Go on? [y/N]" in kept[1]
    assert (gone[0], files_of(holder)) == (0, [])


def test_the_trash_is_emptied_for_good(holder: Person):
    one, other = made(holder, "One"), made(holder, "Other")
    holder.ok("sessions", "delete", one, other, "--yes")

    assert holder.run("sessions", "trash", "--empty").returncode == 4
    assert holder.json("sessions", "trash", "--empty", one, "--yes") == {"done": 1}
    assert [entry["title"] for entry in holder.json("sessions", "trash")] == ["Other"]
    assert holder.json("sessions", "trash", "--empty", "--yes") == {"done": 1}
    assert holder.run("sessions", "restore", one).returncode == 3


def test_agents_files_are_never_deleted_or_changed(holder: Person):
    row = holder.json("sessions", "list")[0]
    commands = [
        ["delete", row["id"], "--yes"],
        ["append", row["id"], "--role", "user", "--text", "x"],
        ["close", row["id"]],
        ["fork", row["id"]],
        ["restore", row["id"], "--yes"],
        ["backups", row["id"]],
    ]

    done = [holder.run("sessions", *command) for command in commands]

    assert {one.returncode for one in done} == {4}
    assert all("agent's own" in one.stderr for one in done)
    assert Path(row["source_path"]).exists()


def test_what_is_starred_stays(holder: Person):
    session_id = made(holder)
    holder.ok("sessions", "star", session_id)

    done = holder.run("sessions", "delete", session_id, "--yes")

    assert (done.returncode, len(files_of(holder))) == (4, 1)


def test_earlier_states_are_backed_up_listed_and_restored(holder: Person):
    session_id = made(holder, "Plan", "one")
    assert holder.json("sessions", "backup") == {"done": 1}
    holder.ok("sessions", "append", session_id, "--role", "user", "--text", "two")

    (backup,) = holder.json("sessions", "backups", session_id)
    refused = holder.run("sessions", "restore", session_id)
    restored = holder.json("sessions", "restore", session_id, "--version", str(backup["version"]), "--yes")

    assert set(backup) == {"id", "version", "created_at", "size_bytes", "reason", "is_valid"}
    assert refused.returncode == 4
    assert "2 messages" in refused.stderr
    assert restored["message_count"] == 1
    assert holder.run("sessions", "restore", session_id, "--version", "99", "--yes").returncode == 3


def test_verifying_ends_with_1_only_where_something_is_lost(holder: Person):
    saved, lost = made(holder, "Saved", "one"), made(holder, "Lost", "one")
    holder.json("sessions", "backup", saved)
    assert holder.json("sessions", "verify") == {"checked": 2, "bad": [], "notices": []}
    for path in files_of(holder):
        damage(path)

    first, second = (holder.run("sessions", "verify", target, "--json") for target in (saved, lost))

    assert (first.returncode, second.returncode) == (0, 1)
    assert [(one["id"], one["recovered"]) for one in msgspec.json.decode(first.stdout)["bad"]] == [(saved, True)]
    assert [(one["id"], one["recovered"]) for one in msgspec.json.decode(second.stdout)["bad"]] == [(lost, False)]
    assert set(msgspec.json.decode(second.stdout)["bad"][0]) == {"id", "reason", "recovered"}


def test_repairing_puts_permissions_right(holder: Person):
    made(holder)
    (path,) = files_of(holder)
    path.chmod(0o644)

    done = holder.json("sessions", "repair")

    assert done["done"] == 1
    assert path.stat().st_mode & 0o777 == 0o600
    assert holder.json("sessions", "migrate") == {"done": 0}


def test_cleaning_says_what_goes_and_asks(holder: Person):
    ids = [made(holder, title) for title in ("a", "b", "c")]
    limits = ["--set", "stored_sessions_limit=2", "--set", "at_limit=clean"]

    dry = holder.json("sessions", "clean", "--dry-run", *limits)
    asked = holder.run("sessions", "clean", *limits)
    done = holder.json("sessions", "clean", "--yes", *limits)

    assert (dry["done"], dry["overdue"], len(dry["removed"])) == (0, [ids[0]], 0)
    assert asked.returncode == 4
    assert (done["done"], done["removed"], done["limit_sessions"]) == (1, [ids[0]], 2)


def test_an_export_comes_back_as_a_new_session(holder: Person):
    session_id = made(holder, "Plan", "one")
    path = holder.json("sessions", "export", session_id, "--format", "json", "-o", str(holder.top / "x.json"))["path"]

    done = holder.json("sessions", "import", path)

    assert set(done) == {"imported", "warnings"}
    assert (done["imported"][0]["from"], done["imported"][0]["title"]) == ("x.json", "Plan")
    assert len(holder.json("sessions", "filter", "is:held")) == 2
    assert holder.run("sessions", "import", str(holder.top / "nothing")).returncode == 3
    (holder.top / "other.json").write_text("{}")
    assert holder.run("sessions", "import", str(holder.top / "other.json")).returncode == 2


def test_a_held_session_is_resumed_and_closed_in_good_order(holder: Person):
    session_id = made(holder, "Plan", "one")

    dry = holder.json("resume", session_id, "--dry-run")
    done = holder.json("resume", session_id)

    assert set(done) >= {"argv", "cwd", "terminal", "method"}
    assert (dry["method"], done["method"], done["cwd"]) == ("held", "held", str(holder.top / "project"))
    assert holder.json("sessions", "show", session_id)["state"] == "closed"
    assert holder.json("sessions", "problems") == []


def test_a_session_without_its_project_is_not_resumed(holder: Person):
    session_id = made(holder)
    (holder.top / "project").rename(holder.top / "moved")

    gone = holder.run("resume", session_id)
    chosen = holder.json("resume", session_id, "--project", str(holder.top / "moved"))

    assert gone.returncode == 3
    assert chosen["cwd"] == str(holder.top / "moved")


def test_resumable_sessions_are_deleted_one_by_one_or_all(holder: Person):
    one, two, three = made(holder, "One"), made(holder, "Two"), made(holder, "Three")
    holder.ok("sessions", "tag", three, "keep")

    assert holder.json("resume", "delete", one, "--yes")["done"] == 1
    asked = holder.run("resume", "clear")
    cleared = holder.json("resume", "clear", "--yes")

    assert asked.returncode == 4
    assert "“Two”" in asked.stderr
    assert [entry["id"] for entry in cleared["trash"]] == [two]
    assert holder.json("resume", "clear", "--yes") == {"done": 0, "trash": []}


KILLED = """
import asyncio, os, sys
from holdfast_core.library import Library
from holdfast_core.paths import find_paths

async def main():
    library = Library.open(find_paths(sys.argv[1]), agents={})
    await library.held.resume(sys.argv[2])
    await library.held.append_text(sys.argv[2], "user", "said last")
    await asyncio.sleep(0.5)
    os._exit(9)

asyncio.run(main())
"""


def test_what_was_cut_off_can_be_recovered(holder: Person):
    session_id = made(holder, "Plan")
    ours = str(holder.top / "ours")
    subprocess.run([sys.executable, "-c", KILLED, ours, session_id], env=holder.environment, timeout=60, check=False)

    (problem,) = holder.json("sessions", "problems")
    told = holder.ok("sessions", "problems")
    asked = holder.run("sessions", "solve", session_id, "recover")
    solved = holder.json("sessions", "solve", session_id, "recover", "--yes")

    assert (problem["id"], problem["kind"]) == (session_id, "unclean")
    assert {"recover", "discard", "new", "skip"} == {choice["kind"] for choice in problem["choices"]}
    assert f"holdfast sessions solve {session_id} recover" in told
    assert asked.returncode == 4
    assert (solved["state"], solved["message_count"]) == ("closed", 1)
    assert holder.json("sessions", "problems") == []
    assert holder.run("sessions", "solve", session_id, "recover", "--yes").returncode == 3


def test_storage_says_what_is_taken_and_warns(holder: Person):
    made(holder)

    found = holder.json("storage", "--set", "stored_sessions_limit=1")

    assert set(found) == {
        *("parts", "total_bytes", "limit_bytes", "sessions", "limit_sessions", "disk_free_bytes", "by_agent"),
        "warnings",
    }
    assert {part["name"] for part in found["parts"]} >= {"sessions", "backups", "trash", "index", "logs", "audit"}
    assert found["by_agent"]["codex"] > 0
    assert [warning["code"] for warning in found["warnings"]] == ["sessions_full"]
    assert "as many as are allowed" in holder.run("storage", "--set", "stored_sessions_limit=1").stderr


def test_metrics_are_those_of_this_machine(holder: Person):
    made(holder, "Plan", "one")

    found = holder.json("metrics")

    assert set(found) == {"since_at", "operations", "live_sessions", "events"}
    assert {"save", "append"} <= {one["name"] for one in found["operations"]}
    assert set(found["operations"][0]) >= {"name", "count", "failures", "p50_ms", "p95_ms", "max_ms", "recent_ms"}


def test_the_audit_log_tells_what_was_done_and_whether_it_was_changed(holder: Person):
    session_id = made(holder, "Plan", "one")
    before = holder.json("audit")
    newest = holder.json("audit", "--limit", "1")
    log = holder.top / "ours" / "data" / "audit.log"
    log.write_bytes(log.read_bytes().replace(b"session.append", b"session.create"))

    after = holder.run("audit", "--json")

    assert set(before) == {"records", "is_intact", "broken_at"}
    assert set(before["records"][0]) == {"sequence", "time_at", "event", "subject", "outcome", "detail"}
    assert [(one["event"], one["subject"]) for one in before["records"]] == [
        ("session.append", session_id),
        ("session.create", session_id),
    ]
    assert newest["records"] == before["records"][:1]
    assert (after.returncode, msgspec.json.decode(after.stdout)["is_intact"]) == (1, False)


def test_keys_are_told_and_rotated(holder: Person):
    session_id = made(holder, "Plan", "one")

    before = holder.json("keys", "status")
    asked = holder.run("keys", "rotate")
    done = holder.json("keys", "rotate", "--yes")
    after = holder.json("keys", "status")

    assert set(before) == {"active_id", "keys", "is_encrypted", "is_unlocked"}
    assert set(before["keys"][0]) == {"id", "created_at", "state"}
    assert asked.returncode == 4
    assert done == {"done": 1}
    assert [key["state"] for key in after["keys"]] == ["verify-only", "active"]
    assert holder.json("sessions", "show", session_id)["message_count"] == 1


def test_encrypted_sessions_need_the_passphrase(holder: Person):
    session_id = made(holder, "Persimmon", "jam")
    secret = holder.environment | {"HOLDFAST_PASSPHRASE": "correct horse"}

    code = msgspec.json.decode(holder.ok("keys", "encrypt", "--yes", "--json", env=secret))["recovery_code"]
    locked = holder.run("sessions", "show", session_id)
    wrong = holder.run("keys", "unlock", env=holder.environment | {"HOLDFAST_PASSPHRASE": "wrong"})
    opened = holder.run("sessions", "show", session_id, env=secret)
    recovered = holder.run("keys", "unlock", env=holder.environment | {"HOLDFAST_PASSPHRASE": code})

    assert (locked.returncode, locked.stdout) == (4, "")
    assert (wrong.returncode, opened.returncode, recovered.returncode) == (4, 0, 0)
    assert "jam" in opened.stdout
    assert holder.json("sessions", "filter", "is:held")[0]["title"] == "Encrypted session"
    assert holder.run("keys", "decrypt", "--yes").returncode == 2
    assert msgspec.json.decode(holder.ok("keys", "decrypt", "--yes", "--json", env=secret)) == {"done": 1}
    assert "jam" in holder.ok("sessions", "show", session_id)


def test_a_passphrase_is_asked_for_in_a_terminal(holder: Person):
    session_id = made(holder, "Persimmon", "jam")
    secret = holder.environment | {"HOLDFAST_PASSPHRASE": "correct horse"}
    holder.ok("keys", "encrypt", "--yes", env=secret)

    code, shown = typed(holder, "recovery code: ", "correct horse\n", "sessions", "show", session_id)

    assert (code, "jam" in shown) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["sessions", "create"], 2, "--project"),
        (["sessions", "create", "--project", "/no/such/place"], 3, "no such directory"),
        (["sessions", "append", NOBODY, "--role", "user", "--text", "x"], 3, "no such session"),
        (["sessions", "append", "1", "--role", "nobody", "--text", "x"], 2, "invalid choice"),
        (["sessions", "append", "1", "--role", "user"], 2, "--text"),
        (["sessions", "close", NOBODY], 3, "no such session"),
        (["sessions", "fork", NOBODY], 3, "no such session"),
        (["sessions", "fork", "1", "--at", "-1"], 2, "--at"),
        (["sessions", "delete", NOBODY, "--yes"], 3, "no such session"),
        (["sessions", "delete"], 2, "SESSION"),
        (["sessions", "restore", NOBODY, "--yes"], 3, "no such session"),
        (["sessions", "trash", "x"], 2, "--empty"),
        (["sessions", "trash", "--empty", "x", "--yes"], 3, "no such session in the trash"),
        (["sessions", "backup", NOBODY], 3, "no such session"),
        (["sessions", "verify", NOBODY], 3, "no such session"),
        (["sessions", "solve", NOBODY, "recover", "--yes"], 3, "needs a decision"),
        (["sessions", "solve", NOBODY, "nonsense"], 2, "invalid choice"),
        (["sessions", "import", "/no/such/place"], 3, "no such file"),
        (["sessions", "filter", "is:nonsense"], 2, "is:"),
        (["sessions", "filter"], 2, "QUERY"),
        (["resume", "delete", NOBODY, "--yes"], 3, "no such session"),
        (["resume", NOBODY], 3, "no such session"),
        (["audit", "--limit", "0"], 2, "a whole number from 1"),
        (["keys"], 2, "required"),
        (["keys", "unlock"], 2, "HOLDFAST_PASSPHRASE"),
        (["keys", "encrypt", "--yes"], 2, "HOLDFAST_PASSPHRASE"),
        (["sessions", "list", "--set", "autosave_seconds=4"], 2, "from 5 to 300"),
        (["sessions", "create", "--project", ".", "--set", "sessions_directory=x"], 2, "whole path"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_told_with_its_code(reading: Person, arguments: list[str], code: int, told: str):
    done = reading.run(*arguments)

    assert (done.returncode, done.stdout) == (code, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_is_made_by_asking(reading: Person):
    asked = [["sessions", "trash"], ["sessions", "problems"], ["storage"], ["metrics"], ["audit"], ["keys", "status"]]

    answers: list[Any] = [reading.json(*arguments) for arguments in asked]

    assert answers[:2] == [[], []]
    assert not (reading.top / "ours" / "data" / "keys").exists()
    assert not (reading.top / "ours" / "data" / "sessions").exists()


def test_what_another_program_kept_comes_in_and_is_adopted(holder: Person):
    kept = Path(__file__).parents[1] / "store" / "importing" / "data" / "jido_code" / ".jido_code"

    done = holder.json("sessions", "import", str(kept))
    doubted = [one["id"] for one in done["imported"] if not one["is_verified"]]
    refused = holder.run("sessions", "append", doubted[0], "--role", "user", "--text", "x")
    adopted = holder.json("sessions", "solve", doubted[0], "adopt", "--yes")

    assert doubted
    assert {one["id"] for one in holder.json("sessions", "problems")} == set(doubted[1:])
    assert (refused.returncode, adopted["id"]) == (4, doubted[0])
    assert holder.run("sessions", "append", doubted[0], "--role", "user", "--text", "x").returncode == 0


def test_what_is_left_of_a_damaged_session_is_deleted_when_that_is_wanted(holder: Person) -> None:
    session_id = made(holder, "Lost")
    (file,) = files_of(holder)
    file.write_bytes(b"no container at all")
    holder.run("sessions", "repair")

    asked = holder.run("sessions", "solve", session_id, "trash")
    holder.ok("sessions", "solve", session_id, "trash", "--yes")
    (gone,) = holder.json("sessions", "trash")

    assert (asked.returncode, "1 session" in asked.stderr, "put back" in asked.stderr) == (4, True, True)
    assert (gone["id"], gone["title"]) == (session_id, "Lost")
    assert holder.json("sessions", "problems") == []
    assert not list((holder.top / "ours" / "data").rglob("quarantine/*.hold"))
