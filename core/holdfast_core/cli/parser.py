"""The grammar of the command line; the palette reads the same one."""

from __future__ import annotations

import argparse

from holdfast_core import __version__
from holdfast_core.cli.commands import Commands, add_shared


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands. A parsed command is in ``command``, see `Command`."""
    from holdfast_core.cli import agents, config, index, resume, sessions

    parser = argparse.ArgumentParser(
        prog="holdfast",
        description="Find, read, search and continue your coding-agent sessions. Without a command the window opens.",
        epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 refused.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"holdfast {__version__}")
    add_shared(parser, is_top=True)
    commands = Commands(parser)
    for group in (index, agents, sessions, resume, config):
        group.add(commands)
    return parser
