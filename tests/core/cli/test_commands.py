"""Every command as a person or another program runs it: a real process on a real home."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import msgspec
import pytest

from tests.core.cli.conftest import Person

FIRST = "Why does the nightly deploy time out?"


def test_index_update_tells_what_it_found(person: Person):
    first, second = person.json("index", "update"), person.json("index", "update")

    assert (first["sessions"], first["new"], second["new"], second["changed"]) == (12, 12, 0, 0)
    assert set(first) >= {
        *("sessions", "messages", "problems", "new", "changed", "lost", "agents"),
        *("wall_seconds", "cpu_seconds", "bytes_read"),
    }
    assert {agent["agent"]: agent["sessions"] for agent in first["agents"]} == {"claude_code": 7, "codex": 5}
    assert set(first["agents"][0]) == {"agent", "sessions", "messages", "problems", "unknown_records"}
    assert second["bytes_read"] == 0
    assert person.json("index", "update", "--full")["bytes_read"] == first["bytes_read"]
    assert "12 sessions with" in person.ok("index", "update")


def test_the_first_command_of_all_looks_for_sessions_and_says_so(person: Person):
    done = person.run("sessions", "list", "--json")

    assert len(msgspec.json.decode(done.stdout)) == 12
    assert done.stderr == "holdfast: Looking for sessions for the first time; this happens once.\n"
    assert person.run("sessions", "list", "--json").stderr == ""


def test_agents_tells_who_is_here(indexed: Person):
    before = {agent["agent"]: agent for agent in indexed.json("agents")}
    indexed.install_agents()
    after = {agent["agent"]: agent for agent in indexed.json("agents")}

    assert (before["claude_code"]["installed"], after["claude_code"]["installed"]) == (False, True)
    assert (after["codex"]["sessions"], after["codex"]["can_resume"]) == (5, True)
    keys = {"agent", "name", "roots", "installed", "sessions", "can_resume", "can_host", "deletes_after_days"}
    assert set(after["codex"]) >= keys
    assert {
        "sources",
        "problems",
        "unknown_records",
        "unknown_fields",
        "versions",
        "last_seen_sessions",
        "alarm",
    } <= set(after["codex"])
    assert (after["codex"]["last_seen_sessions"], after["codex"]["alarm"]) == (5, None)
    assert sum(version["sessions"] for version in after["codex"]["versions"]) == 5
    assert "Claude Code" in indexed.ok("agents")


def test_agents_warns_of_one_that_fell_silent(person: Person):
    person.json("index", "update")
    for path in (person.sessions.path / ".codex" / "sessions").rglob("*.jsonl"):
        path.write_text('{"hologram": 1}\n')
    person.json("index", "update")

    done = person.run("agents", "--json")

    silent = next(agent for agent in msgspec.json.decode(done.stdout) if agent["agent"] == "codex")
    assert (silent["alarm"], silent["last_seen_sessions"], silent["sessions"]) == ("unreadable", 5, 0)
    assert done.stderr.startswith("holdfast: Codex had 5 sessions and has none now: ")
    assert done.returncode == 0


def test_more_homes_are_looked_in(person: Person):
    other = person.top / "mnt"
    (person.sessions.path / ".codex").rename(person.top / "moved")
    other.mkdir()
    (person.top / "moved").rename(other / ".codex")
    homes = f'--set=extra_homes=["{other}"]'

    before, after = person.json("index", "update"), person.json("index", "update", homes)
    roots = {agent["agent"]: agent["roots"] for agent in person.json("agents", homes)}
    session = next(row for row in person.json("sessions", "list", homes) if row["agent"] == "codex")
    done = person.run("resume", session["id"], homes)

    assert (before["sessions"], after["sessions"]) == (7, 12)
    assert str(other / ".codex" / "sessions") in roots["codex"]
    assert (done.returncode, "another home" in done.stderr) == (4, True)


def test_recognise_tells_whose_a_file_looks_like(indexed: Person):
    path = next((indexed.sessions.path / ".codex" / "sessions").rglob("*.jsonl"))

    assert indexed.json("recognise", str(path)) == [{"path": str(path), "agents": ["codex"], "files": 1}]
    assert indexed.ok("recognise", str(path)) == f"{path}: 1 file, looks like Codex\n"
    assert indexed.json("recognise") == []


def test_list_gives_rows_newest_first(reading: Person):
    rows = reading.json("sessions", "list")

    assert rows[0]["title"] == FIRST
    assert [row["updated_at"] for row in rows] == sorted((row["updated_at"] for row in rows), reverse=True)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", row["updated_at"]) for row in rows)


def test_list_can_be_limited_sorted_turned_and_filtered(reading: Person):
    titles = [row["title"] for row in reading.json("sessions", "list", "--sort", "title")]

    plain = [title for title in titles if title.isascii()]
    assert plain == sorted(plain, key=str.casefold)
    turned = [row["title"] for row in reading.json("sessions", "list", "--sort", "title", "--reverse")]
    assert turned == titles[::-1]
    assert len(reading.json("sessions", "list", "--limit", "3")) == 3
    assert {row["agent"] for row in reading.json("sessions", "list", "--filter", "agent:codex")} == {"codex"}
    assert reading.json("sessions", "list", "--filter", "is:starred") == []


def test_the_table_fits_and_its_numbers_name_sessions(reading: Person):
    table = reading.ok("sessions", "list").splitlines()

    assert table[0].split() == ["#", "Title", "Project", "Agent", "Messages", "Changed"]
    assert table[1].split()[0] == "1"
    assert FIRST in table[1]
    assert all(len(line) <= 160 for line in table)
    assert reading.json("sessions", "show", "1")["title"] == FIRST


def test_a_number_means_the_list_that_was_seen(reading: Person):
    second = reading.json("sessions", "list", "--sort", "title")[1]

    reading.ok("sessions", "list", "--sort", "title", "--limit", "2")

    assert reading.json("sessions", "show", "2")["id"] == second["id"]


def test_show_gives_the_whole_session(reading: Person):
    row = reading.json("sessions", "list")[0]

    shown = reading.json("sessions", "show", row["id"])

    assert {key: shown[key] for key in row} == row
    roles = [message["role"] for message in shown["messages"]]
    assert set(roles) == {"user", "assistant", "tool"}
    kinds = {block["kind"] for message in shown["messages"] for block in message["blocks"]}
    assert kinds >= {"text", "thinking", "tool_call", "tool_result"}
    assert set(shown) >= {"todos", "notes", "problems"}
    assert set(shown["messages"][0]) >= {"id", "parent_id", "role", "timestamp", "model", "usage", "blocks"}
    assert "── You" in reading.ok("sessions", "show", row["id"])


@pytest.mark.parametrize("shape", ["native", "prefix", "title", "title prefix"])
def test_a_session_can_be_named_in_every_way(reading: Person, shape: str):
    row = reading.json("sessions", "list")[0]
    native = row["native_id"]
    target = {"native": native, "prefix": native[:12], "title": FIRST.upper(), "title prefix": "why does"}[shape]

    assert reading.json("sessions", "show", target)["id"] == row["id"]


def test_search_finds_what_was_said(reading: Person):
    found = reading.json("sessions", "search", "pool.lock", "--limit", "2")

    assert found["total_sessions"] >= 1
    assert found["total_messages"] >= len(found["hits"]) > 0
    hit = found["hits"][0]
    assert set(hit) == {
        *("session_id", "agent", "title", "message_index", "kind"),
        *("snippet", "highlights", "score", "timestamp"),
    }
    assert "pool" in hit["snippet"][slice(*hit["highlights"][0])].lower()
    done = reading.run("sessions", "search", "pool.lock")
    assert FIRST in done.stdout
    assert "messages in" in done.stderr


def test_a_word_that_stands_nowhere_gives_nothing(reading: Person):
    assert reading.json("sessions", "search", "zzzunheardof")["hits"] == []


@pytest.mark.parametrize(("form", "begins"), [("md", "# Why does"), ("json", '{"schema"'), ("txt", "Why does")])
def test_export_writes_one_private_file(reading: Person, tmp_path: Path, form: str, begins: str):
    place = tmp_path / "out"
    place.mkdir()

    done = reading.json("sessions", "export", FIRST, "--format", form, "-o", str(place))

    path = Path(done["path"])
    assert path.parent == place
    assert path.name.startswith("Why-does-the-nightly-deploy-time-out-")
    assert path.read_text().startswith(begins)
    assert (path.stat().st_size, stat.S_IMODE(path.stat().st_mode), done["removed"]) == (done["bytes"], 0o600, [])


def test_export_without_a_place_goes_to_the_present_directory(reading: Person, tmp_path: Path):
    place = tmp_path / "here"
    place.mkdir()

    printed = reading.ok("sessions", "export", FIRST, cwd=place)

    assert [str(path) for path in place.iterdir()] == [printed.strip()]


def test_export_replaces_nothing_unasked(reading: Person, tmp_path: Path):
    path = tmp_path / "mine.md"
    path.write_text("mine")

    refused = reading.run("sessions", "export", FIRST, "-o", str(path))

    assert (refused.returncode, refused.stdout, path.read_text()) == (4, "", "mine")
    reading.ok("sessions", "export", FIRST, "-o", str(path), "--force")
    assert path.read_text().startswith("# ")


def test_export_to_standard_output_is_the_export_alone(reading: Person):
    assert reading.ok("sessions", "export", FIRST, "-o", "-").startswith(f"# {FIRST}\n")
    assert reading.run("sessions", "export", FIRST, "-o", "-", "--json").returncode == 2


def test_export_holds_what_settings_and_options_say(reading: Person):
    full = reading.ok("sessions", "export", FIRST, "-o", "-")
    by_setting = reading.ok("sessions", "export", FIRST, "-o", "-", "--set", "export_tool_output=no")
    by_option = reading.ok("sessions", "export", FIRST, "-o", "-", "--no-tool-output", "--no-thinking")
    back_again = reading.ok("sessions", "export", FIRST, "-o", "-", "--set", "export_thinking=no", "--thinking")

    assert "Output:" in full
    assert "<summary>Thinking" in full
    assert "Output:" not in by_setting
    assert "<summary>Thinking" not in by_option
    assert back_again == full


def test_marks_are_kept_shown_and_taken_back(indexed: Person):
    assert indexed.json("sessions", "rename", FIRST, "Mine")["title"] == "Mine"
    assert indexed.json("sessions", "tag", "mine", "b", "a")["tags"] == ["a", "b"]
    assert indexed.json("sessions", "star", "mine")["starred"] is True
    assert indexed.json("sessions", "note", "mine", "look *again*")["notes"] == "look *again*"
    assert [row["title"] for row in indexed.json("sessions", "list", "--filter", "is:starred tag:a")] == ["Mine"]
    assert "★ Mine" in indexed.ok("sessions", "list")

    assert indexed.json("sessions", "tag", "mine", "a", "--remove")["tags"] == ["b"]
    assert indexed.json("sessions", "star", "mine", "--off")["starred"] is False
    assert indexed.json("sessions", "note", "mine", "--clear")["notes"] == ""
    assert indexed.json("sessions", "rename", "mine", "--reset")["title"] == FIRST


def test_marks_outlive_the_index(indexed: Person):
    indexed.ok("sessions", "rename", FIRST, "Mine")
    for path in sorted((indexed.top / "ours" / "cache" / "index").iterdir()):
        path.unlink()

    assert indexed.run("sessions", "show", "mine", "--json").returncode == 0


@pytest.mark.parametrize("arguments", [["sessions", "list"], ["sessions", "search", "deploy"], ["agents"]])
def test_a_damaged_index_is_built_again(indexed: Person, arguments: list[str]):
    before = indexed.json(*arguments)
    indexed.ok("sessions", "star", FIRST)
    index = indexed.top / "ours" / "cache" / "index"
    for path in index.glob("catalog.db*"):
        path.unlink()
    (index / "catalog.db").write_bytes(b"no database " * 1_000)

    done = indexed.run(*arguments, "--json")

    assert (done.returncode, len(msgspec.json.decode(done.stdout))) == (0, len(before))
    assert done.stderr == "holdfast: The index is damaged or of another version. It is built again; nothing is lost.\n"
    assert indexed.json("sessions", "list", "--filter", "is:starred")[0]["title"] == FIRST


def test_a_note_can_come_from_standard_input(indexed: Person):
    done = indexed.run("sessions", "note", FIRST, "-", "--json", input="from a pipe\n", stdin=None)

    assert msgspec.json.decode(done.stdout)["notes"].strip() == "from a pipe"


@pytest.mark.parametrize(
    "arguments",
    [["rename", FIRST], ["rename", FIRST, "x", "--reset"], ["note", FIRST], ["note", FIRST, "x", "--clear"]],
)
def test_marks_that_contradict_themselves_are_wrong_usage(reading: Person, arguments: list[str]):
    assert reading.run("sessions", *arguments).returncode == 2


def test_resume_says_what_it_would_run(indexed: Person):
    indexed.install_agents()
    row = indexed.json("sessions", "list")[0]

    plan = indexed.json("resume", row["id"], "--dry-run")

    assert plan["argv"][0] == "claude"
    assert row["native_id"] in plan["argv"][-1]
    assert (plan["cwd"], plan["terminal"], plan["method"]) == (row["project_path"], "", "copy")
    assert "--fork-session" in indexed.json("resume", row["id"], "--dry-run", "--fork")["argv"]


def test_resume_here_is_the_agent_in_its_directory(indexed: Person):
    indexed.install_agents()
    row = indexed.json("sessions", "list")[0]

    lines = indexed.ok("resume", row["id"], "--terminal", "here").splitlines()

    assert lines[0] == str(indexed.bin / "claude")
    assert lines[-1] == row["project_path"]
    assert row["native_id"] in lines[-2]


def test_resume_opens_a_terminal(indexed: Person, tmp_path: Path):
    indexed.install_agents()
    terminal = indexed.bin / "xterm"
    terminal.write_text(f'#!/bin/sh\nshift\n"$@" > {tmp_path}/seen.tmp && mv {tmp_path}/seen.tmp {tmp_path}/seen\n')
    terminal.chmod(0o755)
    indexed.environment["DISPLAY"] = ":77"
    row = indexed.json("sessions", "list")[0]

    done = indexed.json("resume", row["id"])

    assert (done["terminal"], done["method"]) == ("xterm", "terminal")
    assert (tmp_path / "seen").read_text().splitlines()[-1] == row["project_path"]


def test_resume_in_a_moved_project_asks_once(indexed: Person):
    indexed.install_agents()
    row = indexed.json("sessions", "list")[0]
    old = Path(row["project_path"])
    new = old.with_name("moved")
    old.rename(new)

    refused = indexed.run("resume", row["id"], "--dry-run")
    # This agent looks only among the sessions of the directory that it is in.
    uncopied = indexed.run("resume", row["id"], "--project", str(new), "--terminal", "here")
    indexed.ok("resume", row["id"], "--project", str(new), "--copy", "--terminal", "here")

    assert (refused.returncode, refused.stdout) == (3, "")
    assert (uncopied.returncode, uncopied.stdout) == (4, "")
    assert "--copy" in uncopied.stderr
    assert indexed.json("resume", row["id"], "--dry-run")["cwd"] == str(new)


def test_resume_without_the_agent_tells_how_to_get_it(reading: Person):
    done = reading.run("resume", FIRST, "--json")

    assert (done.returncode, done.stdout) == (3, "")
    assert "Claude Code is not installed here" in done.stderr


def test_resume_alone_offers_what_was_used_last(reading: Person):
    assert len(reading.json("resume")) == 10
    assert FIRST in reading.ok("resume")


def test_config_changes_lists_and_resets(person: Person):
    assert person.json("config", "get", "theme")["value"] == "system"
    changed = person.json("config", "set", "theme", "dark")
    assert (changed["value"], changed["source"]) == ("dark", "settings file")
    rows = {row["key"]: row for row in person.json("config", "list")}
    assert (rows["theme"]["value"], rows["theme"]["default"]) == ("dark", "system")
    assert set(rows["theme"]) == {"key", "value", "source", "default", "kind", "allowed", "title", "help"}
    assert person.ok("config", "get", "THEME", "--set", "theme=light") == "light\n"
    assert person.json("config", "reset", "theme") == {"done": 1}
    assert person.ok("config", "get", "theme") == "system\n"
    person.ok("config", "set", "terminal_command", '["x", "{command}"]')
    assert person.json("config", "get", "terminal-command")["value"] == ["x", "{command}"]
    assert person.json("config", "reset", "--all")["done"] > 10
    assert "theme" in person.ok("config", "list")


def test_config_reports_what_it_does_not_know(person: Person):
    person.ok("config", "set", "theme", "dark")
    path = person.top / "ours" / "config" / "settings.toml"
    path.write_text(path.read_text() + "future = 1\n")

    done = person.run("config", "list", "--json")

    assert done.returncode == 0
    assert "'future', which this version does not know" in done.stderr


def test_every_place_of_ours_is_below_the_given_home(indexed: Person):
    ours = indexed.top / "ours"

    assert {path.name for path in ours.iterdir()} <= {"data", "config", "cache", "log"}
    assert stat.S_IMODE((ours / "data").stat().st_mode) == 0o700
    assert not [path for path in os.scandir(indexed.sessions.path) if path.name not in (".claude", ".codex", "code")]


def test_options_count_before_and_after_the_command(indexed: Person, tmp_path: Path):
    other, nobody = str(tmp_path / "other"), str(tmp_path / "nobody")

    assert "first time" in indexed.run("--home", other, "sessions", "list", "--json").stderr
    assert len(indexed.json("sessions", "list", "--home", other)) == 12
    assert indexed.run("--agents-home", nobody, "sessions", "list", "--json", "--home", nobody).stdout == "[]\n"
    typed = ["--json", "--set", "theme=dark", "config", "list", "--set", "tray_sessions=3"]
    values = {row["key"]: row["value"] for row in msgspec.json.decode(indexed.ok(*typed))}
    assert (values["theme"], values["tray_sessions"]) == ("dark", 3)
