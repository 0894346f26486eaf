"""`dev.py` works from a bare checkout, says what is missing, and hands over exit codes and arguments."""

from __future__ import annotations

import ast
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import dev

ROOT = Path(dev.__file__).parent


def _dev(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "dev.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> ModuleType:
    """`dev.py` in a checkout of its own whose environment lies there, made by nobody."""
    (tmp_path / "packaging").mkdir()
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "pyvenv.cfg").write_text("version = 3.11.7\n")
    for name in ("pyproject.toml", "packaging/requirements.lock.txt", "packaging/requirements-dev.lock.txt"):
        (tmp_path / name).write_text("one==1\n")
    shutil.copy(ROOT / "dev.py", tmp_path)
    spec = importlib.util.spec_from_file_location("dev_in_a_checkout", tmp_path / "dev.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 8, 0), (3, 10, 13)])
def test_an_older_python_is_told_so(version: tuple[int, ...]):
    assert "needs Python 3.11 or newer" in dev.version_problem(version)


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 13, 1), (4, 0, 0)])
def test_a_newer_python_is_not(version: tuple[int, ...]):
    assert dev.version_problem(version) == ""


def test_an_older_python_can_parse_the_file_to_say_so():
    ast.parse((ROOT / "dev.py").read_text("utf-8"), feature_version=(3, 7))


def test_it_needs_nothing_but_the_standard_library():
    tree = ast.parse((ROOT / "dev.py").read_text("utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names


@pytest.mark.parametrize(("arguments", "code"), [((), 2), (("nonsense",), 2), (("--help",), 0)])
def test_without_a_command_it_says_which_there_are(arguments: tuple[str, ...], code: int):
    done = _dev(*arguments)

    assert done.returncode == code
    assert all(f"  {command} " in done.stderr for command in dev.COMMANDS)
    assert done.stdout == ""


def test_what_is_installed_already_is_not_installed_again(checkout: ModuleType):
    checkout.PYTHON.parent.mkdir(parents=True)
    checkout.PYTHON.write_text("would fail if it were started")
    checkout.stamp(checkout.RUN_LOCK).write_text(checkout.fingerprint(checkout.RUN_LOCK))

    checkout.install(checkout.RUN_LOCK)


@pytest.mark.parametrize("name", ["packaging/requirements.lock.txt", "pyproject.toml", ".venv/pyvenv.cfg"])
def test_a_change_of_what_is_needed_installs_again(checkout: ModuleType, name: str):
    before = checkout.fingerprint(checkout.RUN_LOCK)

    (checkout.ROOT / name).write_text("another==2\n")

    assert checkout.fingerprint(checkout.RUN_LOCK) != before


def test_a_failed_installation_says_what_to_do(checkout: ModuleType):
    with pytest.raises(checkout.Stop, match="Is there a network"):
        checkout.call([sys.executable, "-c", "raise SystemExit(1)"], "pip could not install. Is there a network?")


def test_run_passes_arguments_output_and_exit_code_through():
    wrong = _dev("run", "sessions", "no-such-command")
    right = _dev("run", "--version")

    assert wrong.returncode == 2
    assert right.returncode == 0
    assert right.stdout.split()[-1].count(".") == 2


@pytest.mark.parametrize(
    ("environment", "platform", "shows"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"QT_QPA_PLATFORM": "offscreen"}, "linux", True),
        ({}, "darwin", True),
        ({}, "win32", True),
    ],
)
def test_a_display_is_where_a_window_can_be_shown(environment: dict[str, str], platform: str, shows: bool):
    assert dev.has_display(environment, platform) is shows


def test_a_library_that_is_not_there_is_noticed():
    assert not dev.can_load("libholdfast-that-nobody-has.so.9")


def test_the_libraries_of_the_packages_are_those_that_are_looked_for():
    packaged = (ROOT / "briefcase.toml").read_text("utf-8")

    for package in [*dev.OFFSCREEN_LIBRARIES.values(), *dev.X11_LIBRARIES.values(), *dev.FONTS.values()]:
        assert f'"{package}"' in packaged
