"""Asks a person before something is lost, and for what must not stand in a command line."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from holdfast_core.cli.context import Context
from holdfast_core.errors import Refused, WrongUsage
from holdfast_core.export.plain import one_line, plain_text

if TYPE_CHECKING:
    from holdfast_core.model.keeping import Loss

PASSPHRASE_VARIABLE = "HOLDFAST_PASSPHRASE"
_SHOWN_TITLES = 5


def add_yes(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Add what does a thing without asking."""
    parser.add_argument("--yes", action="store_true", help="do it without asking")
    return parser


def confirm(context: Context, question: str, arguments: argparse.Namespace) -> None:
    """Return if the person wants what ``question`` tells, which ends with what will be lost.

    Raises:
        Refused: they do not, or nobody can be asked.
    """
    if arguments.yes:
        return
    if not _is_asked(context):
        raise Refused(f"{question} Nothing was done. Say --yes to do it without being asked.")
    context.err.write(f"holdfast: {plain_text(question)} Go on? [y/N] ")
    context.err.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Refused("Nothing was done.")


def loss_words(loss: Loss) -> str:
    """Return what a deletion takes away, in words: how many sessions, how much, which."""
    named = [f"“{one_line(title) or 'without a title'}”" for title in loss.titles[:_SHOWN_TITLES]]
    more = loss.sessions - len(named)
    names = ", ".join(named) + (f" and {more:,} more" if more > 0 and named else "")
    words = f"{counted(loss.sessions, 'session')} with {counted(loss.messages, 'message')} ({size_words(loss.bytes)})"
    kept = f" {loss.kept:,} that are live, starred or tagged keep stay." if loss.kept else ""
    return f"{words}{': ' + names if names else ''}.{kept}"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size_words(size_bytes: int) -> str:
    """Return a size for people."""
    size = float(size_bytes)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def passphrase(context: Context, prompt: str, *, twice: bool = False) -> str:
    """Return a passphrase: from its variable, else typed unseen; never from the command line.

    Raises:
        WrongUsage: nobody can be asked, or the two that were typed differ.
    """
    given = context.environment.get(PASSPHRASE_VARIABLE, "")
    if given:
        return given
    if not _is_asked(context):
        raise WrongUsage(f"A passphrase is needed. Set the variable {PASSPHRASE_VARIABLE}, or run this in a terminal.")
    from getpass import getpass

    typed = getpass(f"{prompt}: ", context.err)
    if twice and getpass("Once more: ", context.err) != typed:
        raise WrongUsage("These were two different passphrases. Nothing was changed.")
    if not typed:
        raise WrongUsage("A passphrase cannot be empty. Nothing was changed.")
    return typed


def can_unlock(context: Context) -> bool:
    """Return whether there is a passphrase, or somebody to ask for it."""
    return PASSPHRASE_VARIABLE in context.environment or _is_asked(context)


def typed_text(context: Context, text: str) -> str:
    """Return a text that was given, or standard input for ``-``.

    Raises:
        WrongUsage: there is no standard input here.
    """
    if text != "-":
        return text
    if context.is_embedded:
        raise WrongUsage("There is no standard input here. Type the text itself.")
    return sys.stdin.read()


def _is_asked(context: Context) -> bool:
    return not context.is_embedded and context.err.isatty() and sys.stdin is not None and sys.stdin.isatty()
