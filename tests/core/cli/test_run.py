"""The same commands within a process that has a library open: the palette's way."""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from holdfast_core import cli
from holdfast_core.cli.parser import build_parser
from holdfast_core.cli.table import fitted, render, text_width
from holdfast_core.library import Library
from holdfast_core.paths import Paths, find_paths
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.homes import a_dozen

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return find_paths(tmp_path / "ours")


@pytest.fixture
async def library(paths: Paths, tmp_path: Path):
    a_dozen(tmp_path / "home", datetime.now(UTC))
    library = Library.open(paths, agents_home=tmp_path / "home", environment={})
    yield library
    await library.close()


async def test_commands_run_with_a_library_that_is_open(library: Library, paths: Paths):
    out, err = io.StringIO(), io.StringIO()

    code = await cli.execute(["sessions", "list", "--json"], library, out, err, paths=paths)

    assert (code, len(msgspec.json.decode(out.getvalue()))) == (0, 12)
    assert (await library.places()).total == 12


async def test_mistakes_go_to_the_given_streams(library: Library, paths: Paths, capfd):
    out, err = io.StringIO(), io.StringIO()

    codes = [
        await cli.execute(arguments, library, out, err, paths=paths)
        for arguments in (["nonsense"], ["sessions", "show", "zzz"], ["sessions", "list", "--help"])
    ]

    assert codes == [2, 3, 0]
    assert "invalid choice" in err.getvalue()
    assert "Lists sessions" in out.getvalue() or "List sessions" in out.getvalue()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("arguments", [["resume", "1", "--terminal", "here"], ["sessions", "note", "1", "-"]])
async def test_a_command_never_takes_the_process_of_another_face(library: Library, paths: Paths, arguments: list[str]):
    out, err = io.StringIO(), io.StringIO()

    assert await cli.execute(arguments, library, out, err, paths=paths) == 2
    assert "There is no" in err.getvalue()


class BrokenLibrary:
    """A library with a bug in it."""

    async def keys(self, *_: object, **__: object) -> None:
        raise RuntimeError("the prompt was: my secret plan")


def test_a_bug_is_a_code_and_no_traceback(paths: Paths, caplog):
    paths.index.mkdir(parents=True)
    (paths.index / "catalog.db").write_bytes(b"")
    out, err = io.StringIO(), io.StringIO()

    code = cli.run(["sessions", "list"], BrokenLibrary(), out, err, paths=paths)
    caplog.clear()

    assert (code, out.getvalue()) == (1, "")
    assert err.getvalue().startswith("holdfast: Something went wrong inside Holdfast.")
    assert "HF-" in err.getvalue()
    assert "secret" not in err.getvalue()


def _commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    subparsers = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not subparsers:
        yield parser
    for action in subparsers:
        for below in action.choices.values():
            yield from _commands(below)


COMMANDS = list(_commands(build_parser()))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.prog)
def test_every_command_and_option_is_documented(command: argparse.ArgumentParser):
    text = (DOCS / "command-line.md").read_text("utf-8")
    options = {option for action in command._actions for option in action.option_strings}

    assert f"`{command.prog}" in text
    assert {option for option in options if f"`{option}" not in text} == set()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.prog)
def test_every_command_tells_what_it_does(command: argparse.ArgumentParser):
    assert command.description
    assert command.description.partition("\n")[0].endswith(".")
    assert command.get_default("command") is not None


def test_every_command_that_is_documented_exists():
    text = (DOCS / "command-line.md").read_text("utf-8")
    headings = [
        line.removeprefix("### `").rstrip("`") for line in text.splitlines() if line.startswith("### `holdfast")
    ]

    assert len(headings) == len(COMMANDS)
    for heading in headings:
        assert any(heading.startswith(command.prog) for command in COMMANDS), heading


CELLS = st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30), st.integers(0, 10**6).map(str)), max_size=5)


@given(CELLS, st.integers(40, 120))
def test_a_table_fits_its_width(rows: list[tuple[str, str, str]], width: int):
    table = render(["Name", "Place", "Count"], rows, flexible=[0, 1], width=width)

    assert len(table.split("\n")) == len(rows) + 2
    assert all(text_width(line) <= width for line in table.split("\n"))


@given(st.text(max_size=50), st.integers(1, 30))
def test_a_cut_text_fits_and_is_the_beginning(text: str, width: int):
    cut = fitted(text, width)

    assert text_width(cut) <= width
    assert cut == text or text.startswith(cut.removesuffix("…"))


def test_wide_letters_take_two_columns():
    assert [text_width(text) for text in ("abc", "日本", "e\u0301", "ü")] == [3, 4, 1, 1]
    assert render(["A", "B"], [["日本", "x"], ["ab", "y"]], flexible=[], width=40) == "A     B\n日本  x\nab    y\n"
