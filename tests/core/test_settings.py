from __future__ import annotations

import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from holdfast_core.errors import NotFound, Refused, WrongUsage
from holdfast_core.paths import Paths, find_paths
from holdfast_core.settings import (
    Settings,
    TerminalName,
    change_setting,
    check_value,
    document,
    load_settings,
    parse_value,
    read_settings,
    reset_settings,
    setting_infos,
    show_value,
)
from hypothesis import given
from hypothesis import strategies as st

DOCS = Path(__file__).parents[2] / "docs"

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "choice": st.nothing(),
    "switch": st.booleans(),
    "list": st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20), max_size=5).map(
        tuple
    ),
    "path": st.sampled_from(["", "~", "~/sessions", "/srv/my sessions", "C:\\sessions", "/home/ä"]),
}


def _values(key: str) -> st.SearchStrategy[Any]:
    field = Settings.model_fields[key]
    info = next(info for info in setting_infos() if info.key == key)
    kind = info.kind
    if kind == "choice":
        return st.sampled_from(get_args(field.annotation))
    if kind in ("number", "whole number"):
        low, high = (
            next(getattr(rule, name) for rule in field.metadata if hasattr(rule, name)) for name in ("ge", "le")
        )
        return st.integers(low, high) if kind == "whole number" else st.floats(low, high)
    if info.allowed.startswith("a list of whole paths"):
        return st.lists(VALUES["path"].filter(bool), max_size=5).map(tuple)
    if info.allowed.startswith("a list of agents"):
        return st.lists(st.sampled_from(["agent:one", "project:/a b", "kind:subagent"]), max_size=3).map(tuple)
    return VALUES[kind]


KEYS_AND_VALUES = st.sampled_from(list(Settings.model_fields)).flatmap(
    lambda key: st.tuples(st.just(key), _values(key))
)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    found = find_paths(tmp_path / "home")
    found.create()
    return found


@given(KEYS_AND_VALUES)
def test_every_allowed_value_survives_being_shown_and_typed_again(pair: tuple[str, Any]):
    key, value = pair

    typed = parse_value(key, show_value(value))

    assert typed == value


@given(st.dictionaries(st.sampled_from(list(Settings.model_fields)), st.none()).flatmap(
    lambda keys: st.fixed_dictionaries({key: _values(key) for key in keys})
))  # fmt: skip
def test_what_is_set_in_the_file_is_what_counts(tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]):
    paths = find_paths(tmp_path_factory.mktemp("settings"))

    for key, value in values.items():
        change_setting(paths, key, value)

    assert load_settings(paths) == Settings(**values)


@pytest.mark.parametrize("info", setting_infos(), ids=lambda info: info.key)
def test_every_setting_tells_what_it_is(info):
    assert info.title[0].isupper()
    assert info.help.endswith(".")
    assert info.allowed
    assert info.section
    assert check_value(info.key, info.default) == info.default


def test_a_bad_value_names_key_value_and_what_is_allowed():
    with pytest.raises(WrongUsage) as raised:
        parse_value("theme", "purple")

    assert str(raised.value) == "The setting theme cannot be 'purple'. Allowed: system, light, dark."


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("font_scale", "nan"),
        ("font_scale", "inf"),
        ("font_scale", "0.1"),
        ("tray_sessions", "2.5"),
        ("tray_sessions", "-1"),
        ("rescan_seconds", "9" * 5000),
        ("close_to_tray", "perhaps"),
        ("terminal", "rm -rf"),
        ("terminal_command", "[1]"),
        ("terminal_command", "["),
        ("terminal_command", "[" * 5000),
        ("terminal_command", '["a"]\nb = 3\nc ='),
        ("log_level", ""),
        ("autosave_seconds", "4"),
        ("autosave_seconds", "301"),
        ("autosave_seconds", "10.5"),
        ("sessions_directory", "here"),
        ("sessions_directory", "../sessions"),
        ("audit_file", "/tmp/two\nlines"),
    ],
)
def test_what_is_not_allowed_is_refused(key: str, text: str):
    with pytest.raises(WrongUsage, match=f"The setting {key} cannot be .* Allowed: "):
        parse_value(key, text)


@given(st.integers())
def test_only_5_to_300_seconds_are_accepted_between_two_saves(seconds: int):
    try:
        accepted = check_value("autosave_seconds", seconds) == seconds
    except WrongUsage:
        accepted = False

    assert accepted == (5 <= seconds <= 300)


def test_an_unknown_setting_is_told_with_those_that_exist():
    with pytest.raises(NotFound, match=r"There is no setting 'colour'\. There are: theme, .*log_level"):
        parse_value("colour", "red")


def test_command_line_goes_before_environment_before_file_before_default(paths: Paths):
    change_setting(paths, "theme", "dark")
    change_setting(paths, "tray_sessions", 5)
    change_setting(paths, "rescan_seconds", 60)

    read = read_settings(
        paths, {"HOLDFAST_THEME": "light", "HOLDFAST_TRAY_SESSIONS": "6", "HOLDFAST_HOME": "/x"}, {"theme": "system"}
    )

    assert (read.settings.theme, read.settings.tray_sessions, read.settings.rescan_seconds) == ("system", 6, 60)
    assert [read.sources[key] for key in ("theme", "tray_sessions", "rescan_seconds", "show_subagents")] == [
        "command line",
        "environment",
        "settings file",
        "default",
    ]


def test_comments_and_what_we_do_not_know_stay_in_the_file(paths: Paths):
    paths.settings.write_text('# mine\ntheme = "dark"  # at night\nfuture = 3\n\n[other]\na = 1\n')

    change_setting(paths, "theme", "light")
    change_setting(paths, "tray_sessions", 3)
    reset_settings(paths, ["tray_sessions"])

    assert paths.settings.read_text() == '# mine\ntheme = "light"  # at night\nfuture = 3\n\n[other]\na = 1\n'
    assert read_settings(paths).unknown == ("future", "other")


def test_a_new_key_never_ends_up_in_a_table_of_others(paths: Paths):
    paths.settings.write_text("[other]\na = 1\n")

    change_setting(paths, "theme", "light")

    assert load_settings(paths).theme == "light"
    assert tomllib.loads(paths.settings.read_text())["other"] == {"a": 1}


def test_one_bad_value_in_the_file_costs_that_value_alone(paths: Paths):
    paths.settings.write_text('theme = "purple"\ntray_sessions = 4\n')

    read = read_settings(paths)

    assert (read.settings.theme, read.settings.tray_sessions) == ("system", 4)
    assert read.problems == ("The setting theme cannot be 'purple'. Allowed: system, light, dark.",)
    with pytest.raises(WrongUsage, match="purple"):
        load_settings(paths)


@pytest.mark.parametrize(
    "content", [b"theme = ", b"\xff\xfe\x00", b"a = " + b"[" * 5000], ids=["torn", "utf-16", "deep"]
)
def test_a_broken_file_is_told_and_never_written_over(paths: Paths, content: bytes):
    paths.settings.write_bytes(content)

    read = read_settings(paths)

    assert read.settings == Settings()
    assert len(read.problems) == 1
    with pytest.raises(Refused, match="not valid TOML"):
        change_setting(paths, "theme", "dark")
    assert paths.settings.read_bytes() == content


def test_the_file_is_private_and_nothing_else_stays_beside_it(paths: Paths):
    change_setting(paths, "theme", "dark")

    assert stat.S_IMODE(paths.settings.stat().st_mode) == 0o600
    assert {path.name for path in paths.config.iterdir()} <= {"settings.toml", "settings.lock"}


def test_a_settings_file_that_is_linked_elsewhere_stays_linked(paths: Paths, tmp_path: Path):
    real = tmp_path / "dotfiles.toml"
    real.write_text("# kept elsewhere\n")
    paths.settings.symlink_to(real)

    change_setting(paths, "theme", "dark")

    assert paths.settings.is_symlink()
    assert real.read_text() == '# kept elsewhere\ntheme = "dark"\n'


WRITER = """
import sys
from holdfast_core.paths import find_paths
from holdfast_core.settings import change_setting, load_settings
paths, keys = find_paths(sys.argv[1]), sys.argv[2:]
for value in (30, 60) * 30:
    for key in keys:
        change_setting(paths, key, value)
        assert getattr(load_settings(paths), key) == value, "lost what was just written"
    assert {getattr(load_settings(paths), key) for key in keys} == {value}, "lost what was written before"
"""


def test_changes_of_several_processes_are_all_kept(paths: Paths):
    halves = [["rescan_seconds"], ["recent_poll_seconds"]]
    home = str(paths.config.parent)

    writers = [subprocess.Popen([sys.executable, "-c", WRITER, home, *keys]) for keys in halves]

    assert [writer.wait(60) for writer in writers] == [0, 0]


def test_settings_never_change_in_place():
    with pytest.raises(ValueError, match="frozen"):
        Settings().theme = "dark"  # type: ignore[misc]  # what is tested is that it cannot be done


def test_every_terminal_of_the_table_can_be_chosen():
    from holdfast_core.resume.terminal import TERMINALS

    assert {terminal.name for terminal in TERMINALS} == set(get_args(TerminalName)) - {"auto", "copy", "custom"}


@pytest.mark.parametrize("key", Settings.model_fields)
def test_every_setting_is_honoured_somewhere(key: str):
    sources = [path for place in ("core", "gui") for path in (DOCS.parent / place).rglob("*.py")]
    readers = [
        path for path in sources if path.parent.name != "settings" and f"settings.{key}" in path.read_text("utf-8")
    ]

    assert readers != []


def test_the_page_about_settings_is_up_to_date():
    """After a change: python -c 'from holdfast_core.settings import document; print(document(), end="")'."""
    assert (DOCS / "settings.md").read_text("utf-8") == document()
