"""What every command has in common: a level of commands, and the options that all of them take."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, Literal, get_args

from holdfast_core.cli.context import Context

Command = Callable[[Context, argparse.Namespace], Awaitable[None]]
Level = Literal["before", "between", "after"]
"""Where in the line shared options stand: before every command, after a group's name, after the command itself."""

_LEVELS: Final = get_args(Level)


class Commands:
    """A level of commands: the program's own, or those of a group."""

    def __init__(self, parser: argparse.ArgumentParser, *, metavar: str = "COMMAND") -> None:
        self._under = parser.add_subparsers(metavar=metavar, required=True, title="commands")

    def add(self, name: str, command: Command) -> argparse.ArgumentParser:
        """Add a command whose help is its docstring: the first line where it is listed, all of it where it is asked."""
        text = inspect.getdoc(command) or ""
        parser = self._under.add_parser(
            name,
            help=text.partition("\n")[0],
            description=text,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        add_shared(parser, "after")
        parser.set_defaults(command=command)
        return parser

    def group(self, name: str, title: str) -> Commands:
        """Add a command that only has commands below it."""
        parser = self._under.add_parser(name, help=title, description=title, allow_abbrev=False)
        add_shared(parser, "between")
        return Commands(parser)


def count_of(text: str) -> int:
    """Return a number from 1 that a person typed.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise argparse.ArgumentTypeError("a whole number from 1")
    return int(text)


def shared_options(arguments: argparse.Namespace) -> tuple[str | None, Path | None, list[str]]:
    """Return home, agents' home and settings, wherever in the line they were given; the later one wins."""
    agents_home = getattr(arguments, "agents_home", None)
    settings = [pair for level in _LEVELS for pair in getattr(arguments, f"settings_{level}", [])]
    return getattr(arguments, "home", None), Path(agents_home).absolute() if agents_home else None, settings


def add_shared(parser: argparse.ArgumentParser, level: Level) -> None:
    """Add what every command takes; absent options leave no trace, so that one before the command is not undone."""
    group = parser.add_argument_group("options of every command")
    hidden = argparse.SUPPRESS
    group.add_argument("--json", action="store_true", default=hidden, help="print exactly one JSON value")
    group.add_argument("--home", metavar="DIR", default=hidden, help="keep everything of ours below DIR")
    group.add_argument(
        "--agents-home",
        metavar="DIR",
        default=hidden,
        help="look for agents' sessions below DIR, not your home",
    )
    group.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=hidden,
        dest=f"settings_{level}",
        help="use another value of a setting this once",
    )
