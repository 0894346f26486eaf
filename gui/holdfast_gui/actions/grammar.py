"""The commands of the command line, read from its own parser."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from holdfast_gui.models.palette import Entry


def command_entries() -> tuple[Entry, ...]:
    """Return every command with what it wants, or else what it does; slow to load, so not for the window's thread."""
    from holdfast_core.cli.parser import build_parser

    return tuple(_entries_of(build_parser(), ""))


def _entries_of(parser: argparse.ArgumentParser, before: str) -> Iterator[Entry]:
    for choice in parser._actions:  # argparse has no public way to the commands below a parser
        if isinstance(choice, argparse._SubParsersAction):
            helps = {listed.dest: listed.help or "" for listed in choice._choices_actions}
            for name, below in choice.choices.items():
                words = f"{before} {name}".strip()
                yield from list(_entries_of(below, words)) or [_entry(words, below, helps.get(name, ""))]


def _entry(words: str, parser: argparse.ArgumentParser, help: str) -> Entry:
    wanted = [each for each in parser._actions if not each.option_strings]
    named = " ".join(f"<{str(each.metavar or each.dest).lower()}>" for each in wanted)
    return Entry("command", words, words, named or help, icon="terminal")
