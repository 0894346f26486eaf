"""Arguments that no program misunderstands, and command lines for the shells that a person pastes them into."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Sequence

from holdfast_core.errors import Refused

_ARGUMENT_LIMIT = 4096
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SHIM_UNSAFE = re.compile(r"[&|<>^%!\"'()`,;=\s]")
_POWERSHELL_QUOTE = re.compile("['\N{LEFT SINGLE QUOTATION MARK}-\N{SINGLE HIGH-REVERSED-9 QUOTATION MARK}]")


def check_arguments(arguments: Sequence[str]) -> None:
    """Refuse what must not reach any program's argument list.

    Raises:
        Refused: an argument is too long or holds a control character.
    """
    for argument in arguments:
        if len(argument) > _ARGUMENT_LIMIT or _UNSAFE.search(argument):
            raise Refused("The command would hold characters that are not safe to run.", detail=repr(argument[:200]))


def check_batch_arguments(arguments: Sequence[str]) -> None:
    """Refuse what the Windows command interpreter would take for more than text: a ``.cmd`` file is run by it.

    Raises:
        Refused: an argument holds one of its special characters.
    """
    for argument in arguments:
        if _SHIM_UNSAFE.search(argument.replace("=", "", 1) if argument.startswith("--") else argument):
            raise Refused("The command would hold characters that Windows takes for commands.", detail=repr(argument))


def posix_line(argv: Sequence[str], directory: str) -> str:
    """Return a line for sh, bash, zsh and fish that enters ``directory`` and runs ``argv``.

    Empty if the text cannot be written in Unicode.

    Raises:
        Refused: as `check_arguments`.
    """
    check_arguments([*argv, directory])
    line = f"cd -- {shlex.quote(directory)} && {shlex.join(argv)}"
    return line if _is_unicode(line) else ""


def powershell_line(argv: Sequence[str], directory: str) -> str:
    """Return a line for PowerShell that enters ``directory`` and runs ``argv``.

    Raises:
        Refused: as `check_arguments`, or an argument holds a double quote, which Windows PowerShell passes on wrongly.
    """
    check_arguments([*argv, directory])
    if any('"' in argument for argument in argv):
        raise Refused("The command would hold a quote that Windows PowerShell passes on wrongly.", detail=repr(argv))
    line = f"Set-Location -LiteralPath {_literal(directory)} -ErrorAction Stop; & {' '.join(map(_literal, argv))}"
    return line if _is_unicode(line) else ""


def encoded_powershell(line: str) -> str:
    """Return a line as PowerShell's ``-EncodedCommand`` takes it."""
    return base64.b64encode(line.encode("utf-16-le")).decode("ascii")


def _literal(text: str) -> str:
    return "'" + _POWERSHELL_QUOTE.sub(lambda quote: quote.group() * 2, text) + "'"


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)
