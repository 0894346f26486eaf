from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from holdfast.__main__ import has_display
from holdfast_core.cli.start import parse_window
from holdfast_core.model.start import WindowStart

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "arguments",
    [
        ["sessions", "list"],
        ["resume", "x"],
        ["--home", "/x", "agents"],
        ["--help"],
        ["--version"],
        ["--json"],
        ["--home"],
        ["--set", "theme"],
        ["sesions"],
        ["/nonexistent/file"],
        ["./nonexistent"],
        [""],
        ["-"],
        ["--", "holdfast:x"],
        ["http://x"],
    ],
)
def test_commands_and_mistakes_are_for_the_command_line(arguments: list[str]):
    assert parse_window(arguments) is None


def test_nothing_at_all_opens_the_window():
    assert parse_window([]) == WindowStart()


def test_the_window_takes_the_shared_options_links_and_files(tmp_path: Path):
    bundle = tmp_path / "a.json"
    bundle.write_text("{}")
    arguments = [
        *("--home", "/h", "--agents-home=/a", "--set", "theme=dark", "--set=font-scale=1.5"),
        *(str(bundle), "holdfast:session/x"),
    ]

    assert parse_window(arguments) == WindowStart(
        home="/h",
        agents_home="/a",
        overrides={"theme": "dark", "font_scale": "1.5"},
        opened=(str(bundle), "holdfast:session/x"),
        arguments=tuple(arguments),
    )


def test_a_file_with_a_commands_name_does_not_hide_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "agents").write_text("")
    monkeypatch.chdir(tmp_path)

    assert parse_window(["agents"]) is None
    assert parse_window(["./agents"]) == WindowStart(opened=("./agents",), arguments=("./agents",))


@pytest.mark.parametrize(
    ("environment", "platform", "expected"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ""}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"QT_QPA_PLATFORM": "offscreen"}, "linux", True),
        ({}, "darwin", True),
        ({}, "win32", True),
    ],
)
def test_a_display_is_needed_on_linux_alone(environment: dict[str, str], platform: str, expected: bool):
    assert has_display(environment, platform) is expected


def test_the_helper_process_is_a_hidden_command():
    packages = os.pathsep.join(str(REPOSITORY / name) for name in ("core", "gui", "packaging"))
    environment = {"PYTHONPATH": packages, "PATH": os.environ["PATH"]}

    done = subprocess.run(
        [sys.executable, "-m", "holdfast", "_indexer"],
        input=b"",
        capture_output=True,
        env=environment,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout) == (2, b"")
