"""What other programs and shells rely on: streams, exit codes, encodings, signals."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import filelock
import msgspec
import pytest
from holdfast_core import cli
from holdfast_core.cli.table import text_width

from tests.core.cli.conftest import Person


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["nonsense"], 2, "invalid choice"),
        (["sessions"], 2, "required"),
        (["sessions", "list", "--limit", "0"], 2, "a whole number from 1"),
        (["sessions", "list", "--limit", "²"], 2, "--limit"),
        (["sessions", "list", "--sort", "colour"], 2, "none of updated, created"),
        (["sessions", "list", "--filter", "is:nonsense"], 2, "is:"),
        (["sessions", "list", "--lim", "3"], 2, "unrecognized"),
        (["sessions", "search", "after:never"], 2, "after"),
        (["sessions", "search", "agent:nobody"], 2, "It takes aider, amp"),
        (["sessions", "show", "\udcff"], 3, "no session"),
        (["sessions", "show", "zzz"], 3, "no session"),
        (["sessions", "show", "c"], 3, "12 sessions are called so"),
        (["sessions", "show", ""], 2, "Name a session"),
        (["sessions", "show", "9999"], 3, "no session"),
        (["sessions", "export", "1", "-o", "/nonexistent/place/x"], 3, "directory"),
        (["config", "get", "colour"], 3, "There are: theme"),
        (["config", "set", "theme", "purple"], 2, "Allowed: system, light, dark"),
        (["config", "reset"], 2, "--all"),
        (["sessions", "list", "--set", "theme"], 2, "key=value"),
        (["sessions", "list", "--set", "theme=purple"], 2, "Allowed: system, light, dark"),
        (["sessions", "list", "--set", "colour=red"], 3, "There are: theme"),
        (["--nonsense"], 2, "required"),
        (["--home"], 2, "expected one argument"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["people", "json"])
def test_a_mistake_is_told_on_stderr_with_its_code(
    reading: Person, arguments: list[str], code: int, told: str, form: list[str]
):
    out, err = io.StringIO(), io.StringIO()
    where = [f"--home={reading.top / 'ours'}", f"--agents-home={reading.sessions.path}"]

    ended = cli.run([*form, *where, *arguments], None, out, err)

    assert (ended, out.getvalue()) == (code, "")
    assert told in err.getvalue()
    assert "Traceback" not in err.getvalue()


@pytest.mark.parametrize("arguments", [["nonsense"], ["sessions", "show", "zzz"], ["config", "set", "theme", "purple"]])
def test_the_code_of_a_mistake_is_the_code_of_the_process(reading: Person, arguments: list[str]):
    done = reading.run(*arguments)

    assert (done.returncode in (2, 3), done.stdout, "Traceback" in done.stderr) == (True, "", False)


def test_an_ambiguous_target_lists_what_it_could_mean(reading: Person):
    done = reading.run("sessions", "show", "codex")

    assert len(re.findall(r"^  codex:[0-9a-f-]{36}  \w", done.stderr, re.MULTILINE)) == 5


def test_a_bad_setting_in_the_environment_is_told(person: Person):
    person.environment["HOLDFAST_THEME"] = "purple"

    done = person.run("sessions", "list")

    assert (done.returncode, done.stdout) == (2, "")
    assert "The setting theme cannot be 'purple'" in done.stderr


def test_a_bad_setting_in_the_file_is_told_and_the_rest_goes_on(person: Person):
    path = person.top / "ours" / "config" / "settings.toml"
    path.parent.mkdir(parents=True)
    path.write_text('theme = "purple"\n')

    done = person.run("sessions", "list", "--json")

    assert (done.returncode, len(json.loads(done.stdout))) == (0, 12)
    assert "The setting theme cannot be 'purple'" in done.stderr
    assert person.run("config", "set", "theme", "dark").returncode == 0


@pytest.mark.parametrize("arguments", [["sessions", "list"], ["sessions", "search", "the"], ["agents"], ["resume"]])
def test_json_is_one_value_for_every_reader(reading: Person, arguments: list[str]):
    done = reading.run(*arguments, "--json")

    assert done.stdout.count("\n") == 1
    assert json.loads(done.stdout) == msgspec.json.decode(done.stdout)


@pytest.mark.parametrize("locale", ["C", "POSIX", "tr_TR.UTF-8", "en_US.ISO-8859-1"])
def test_output_is_utf8_in_every_locale(reading: Person, locale: str):
    environment = {
        **reading.environment,
        "LANG": locale,
        "LC_ALL": locale,
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
    }

    for arguments in (["sessions", "list"], ["sessions", "list", "--json"]):
        assert "日本語" in reading.ok(*arguments, env=environment)


def test_optimised_python_gives_the_same(reading: Person):
    rows = reading.ok("sessions", "list", "--json")

    assert reading.ok("sessions", "list", "--json", env={**reading.environment, "PYTHONOPTIMIZE": "2"}) == rows


def test_no_qt_and_nothing_slow_is_loaded(reading: Person):
    program = (
        "import sys; from holdfast.__main__ import main; code = main(['sessions', 'list', '--json']);"
        "names = {name.partition('.')[0] for name in sys.modules};"
        "print(code, sorted(names & {'PySide6', 'qasync', 'holdfast_gui', 'pydantic', 'pygments', 'markdown_it', "
        "'tomlkit', 'cryptography'}), file=sys.stderr)"
    )

    done = subprocess.run([sys.executable, "-c", program], env=reading.environment, capture_output=True, check=True)

    assert done.stderr.decode() == "0 []\n"


def test_a_list_costs_well_under_half_a_second_of_processor_time(reading: Person):
    before = os.times()

    reading.ok("sessions", "list", "--json")

    after = os.times()
    assert after.children_user + after.children_system - before.children_user - before.children_system < 0.5


@pytest.mark.parametrize("arguments", [["sessions", "list", "--json"], ["sessions", "show", "1", "--json"], ["--help"]])
def test_a_reader_that_goes_away_is_no_error(reading: Person, arguments: list[str]):
    read, write = os.pipe()
    os.close(read)

    done = subprocess.run(
        reading.command(*arguments),
        stdout=write,
        stderr=subprocess.PIPE,
        env=reading.environment,
        cwd=reading.top,
        check=False,
    )
    os.close(write)

    assert (done.returncode, done.stderr) == (0, b"")


def test_ctrl_c_ends_it_quietly(person: Person):
    index = person.top / "ours" / "cache" / "index"
    index.mkdir(parents=True)
    with filelock.FileLock(index / "writer.lock"):
        running = subprocess.Popen(
            person.command("sessions", "list"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=person.environment,
        )
        first = running.stderr.readline()
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=20)

    assert b"first time" in first
    assert (running.returncode, out, err.strip()) == (130, b"", b"")


ACTING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\U000e0000-\U000e007f]")


def test_escapes_in_sessions_never_reach_the_terminal(person: Person):
    path = next(path for path in person.sessions.written.values() if ".claude" in str(path))
    evil = "\\u001b]52;c;QUFB\\u0007\\u001b[31mred\\u009b2J \\u202egnp.exe \\u200b\\udb40\\udc41"
    text = path.read_text().replace("nightly", f"nightly{evil}").replace("deploy", f"deploy{evil}")
    path.write_text(text)
    person.ok("index", "update")

    for arguments in (["sessions", "list"], ["sessions", "show", "1"], ["sessions", "search", "deploy"], ["resume"]):
        done = person.run(*arguments)
        assert done.returncode == 0
        assert not re.search(
            r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\U000e0000-\U000e007f]", done.stdout + done.stderr
        )


def in_a_terminal(person: Person, *arguments: str, columns: int = 80) -> tuple[int, str]:
    """Return exit code and what a person sees who types a command."""
    main, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    running = subprocess.Popen(
        person.command(*arguments),
        stdin=other,
        stdout=other,
        stderr=other,
        env=person.environment,
        start_new_session=True,
    )
    os.close(other)
    shown = b""
    try:
        while part := os.read(main, 4096):
            shown += part
    except OSError:
        pass  # how a terminal says that nobody writes any more
    os.close(main)
    return running.wait(20), shown.decode().replace("\r\n", "\n")


def test_a_narrow_terminal_gets_a_table_that_fits(reading: Person):
    code, shown = in_a_terminal(reading, "sessions", "list", columns=60)

    lines = shown.splitlines()
    assert (code, len(lines)) == (0, 13)
    assert max(map(text_width, lines)) <= 60


def test_in_a_terminal_a_session_continues_right_there(person: Person):
    person.install_agents()
    row = json.loads(person.run("sessions", "list", "--json").stdout)[0]

    code, shown = in_a_terminal(person, "resume", row["id"], columns=300)

    lines = shown.splitlines()
    assert code == 0
    assert lines[0] == f"holdfast: Continuing {row['title']} in {row['project_path']}"
    assert lines[-1] == row["project_path"]


def test_a_number_beyond_the_list_that_was_seen_means_nothing(person: Person):
    person.run("sessions", "list", "--limit", "2")

    done = person.run("sessions", "show", "3")

    assert (done.returncode, done.stdout) == (3, "")
    assert "it had 2" in done.stderr


def test_without_a_display_the_newest_sessions_are_listed(person: Person):
    done = person.run()

    assert done.returncode == 0
    assert done.stderr.splitlines()[0].startswith("holdfast: There is no display here")
    assert "Why does the nightly deploy time out?" in done.stdout.splitlines()[1]
    assert len(done.stdout.splitlines()) == 13


def test_without_a_display_new_sessions_are_seen(person: Person):
    person.run()
    gone = next(path for path in person.sessions.written.values() if ".claude" in str(path))
    gone.unlink()

    assert len(person.run("--home", str(person.top / "ours")).stdout.splitlines()) == 12


def test_without_a_display_a_busy_index_is_not_waited_for(person: Person):
    person.run("index", "update")
    with filelock.FileLock(person.top / "ours" / "cache" / "index" / "writer.lock"):
        done = person.run(timeout=20)

    assert (done.returncode, len(done.stdout.splitlines())) == (0, 13)


def test_version_and_help_are_answered(person: Person):
    assert re.fullmatch(r"holdfast \d+\.\d+\.\d+\n", person.ok("--version"))
    assert "Exit codes" in person.ok("--help")
    assert not (person.top / "ours").exists()


def test_a_home_that_cannot_be_written_is_told(person: Person):
    blocked = person.top / "file"
    blocked.write_text("")

    done = person.run("sessions", "list", "--home", str(blocked))

    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert re.search(r"HF-\w{6}", done.stderr)


def test_agents_files_are_only_read(reading: Person):
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in reading.sessions.written.values()}

    for arguments in (
        ["index", "update", "--full"],
        ["sessions", "show", "1"],
        ["agents"],
        ["sessions", "search", "x"],
    ):
        reading.run(*arguments)

    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in before} == before
    inside = {Path(where) / name for where, _, names in os.walk(reading.sessions.path) for name in names}
    assert inside == set(before)


@pytest.mark.parametrize(
    "line",
    [
        ["sessions", "list", "--filter", "-agent:codex"],
        ["sessions", "list", "--filter=-agent:codex"],
        ["sessions", "list", "--filter", "-agent:codex -nowhere"],
    ],
    ids=" ".join,
)
def test_a_filter_may_begin_with_what_is_left_out(reading: Person, line: list[str]):
    assert {row["agent"] for row in reading.json(*line)} == {"claude_code"}


def test_a_search_may_leave_out_words(reading: Person):
    everything = reading.json("sessions", "search", "the")
    without = reading.json("sessions", "search", "-agent:codex", "the", "--limit", "500")
    reversed_order = reading.json("sessions", "search", "--limit", "500", "the", "-agent:codex")

    assert {hit["agent"] for hit in without["hits"]} == {"claude_code"}
    assert 0 < without["total_messages"] < everything["total_messages"]
    assert reversed_order["total_messages"] == without["total_messages"]
    assert "usage:" in reading.ok("sessions", "search", "-h")


def test_shared_options_stand_anywhere(reading: Person):
    home, agents = f"--home={reading.top / 'ours'}", f"--agents-home={reading.sessions.path}"
    expected = reading.json("sessions", "list")

    for line in (
        [home, agents, "--json", "sessions", "list"],
        ["sessions", home, agents, "--json", "list"],
        ["sessions", "list", home, agents, "--json"],
        [home, "sessions", agents, "list", "--json"],
    ):
        assert json.loads(reading.ok(*line)) == expected
    assert reading.ok("--set=theme=dark", "config", "--set=theme=light", "get", "theme") == "light\n"


def test_a_mistake_is_told_without_what_acts_on_a_terminal(reading: Person):
    done = reading.run("sessions", "list", "\x1b]52;c;eA==\x07 red \x1b[31m")

    assert (done.returncode, "\x1b" in done.stderr, "unrecognized" in done.stderr) == (2, False, True)
