"""The grammar of the command line; the palette reads the same one."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence

from holdfast_core import __version__
from holdfast_core.cli.commands import Commands, add_shared

_BELOW_RESUME = ("delete", "clear")
_NEGATED = re.compile(r"-(?!h$)[^-\s]\S*")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return a command line as its parts.

    A query may begin with ``-not``, which must not be taken for an option: it
    is given a space, which means nothing to it. ``resume delete`` and ``resume
    clear`` are commands of two words beside ``resume SESSION``.

    Raises:
        SystemExit: it is wrong, or only asks for help; that was written already.
    """
    in_search = False
    plain: list[str] = []
    for argument in arguments:
        is_query = in_search or plain[-1:] == ["--filter"]
        in_search = in_search or (argument in ("search", "filter") and "sessions" in plain)
        if plain[-1:] == ["resume"] and argument in _BELOW_RESUME:
            plain[-1] = f"resume {argument}"
            continue
        plain.append(f" {argument}" if is_query and _NEGATED.fullmatch(argument) else argument)
    return build_parser().parse_args(plain)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands. A parsed command is in ``command``, see `Command`."""
    from holdfast_core.cli import agents, config, health, index, keys, resume, sessions, vault

    parser = argparse.ArgumentParser(
        prog="holdfast",
        description="Find, read, search and continue your coding-agent sessions. Without a command the window opens.",
        epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 refused.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"holdfast {__version__}")
    add_shared(parser, "before")
    commands = Commands(parser)
    for group in (index, agents, sessions, vault, resume, config, health, keys):
        group.add(commands)
    return parser
