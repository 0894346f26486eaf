"""Regular expressions of a query: what the index can know beforehand of where they match."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

_LITERAL_LENGTH: Final = 3
_LETTERS = re.compile(r"[A-Za-z0-9]+")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]", re.DOTALL)
_QUANTIFIER = re.compile(r"[*?+]\??|\{(\d*)(?:,\d*)?\}\??")
_ESCAPED_PUNCTUATION = re.compile(r"\\([^A-Za-z0-9])")
_ESCAPE = re.compile(r"\\(?:[pP](?:\{[^}]*\}|.)|x(?:\{[^}]*\}|[0-9A-Fa-f]{2})|[0-7]{1,3}|Q.*?(?:\\E|$)|.)", re.DOTALL)


@cache
def compiled(pattern: str) -> Any:
    """Return the compiled pattern; it ignores case, unless it says otherwise itself."""
    import re2  # slow to load, and few searches need it

    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = 16 << 20
    return re2.compile(pattern, options)


@cache
def required_letters(pattern: str) -> tuple[str, ...]:
    """Return runs of letters and digits without which the pattern cannot match, in small letters.

    Too few rather than one too many: groups and everything with alternatives
    are passed over.
    """
    runs: list[str] = []
    run = ""
    at = depth = 0
    while at < len(pattern):
        character = pattern[at]
        piece, literal = _piece(pattern, at)
        at += len(piece)
        if character == "|" and not depth:
            return ()
        depth += (piece == "(") - (piece == ")")
        quantifier = _QUANTIFIER.match(pattern, at)
        if depth or not literal or quantifier:
            runs.append(run)
            run = literal if quantifier and not depth and _is_needed(quantifier) else ""
            if quantifier:
                runs.append(run)
                run = ""
                at = quantifier.end()
            continue
        run += literal
    runs.append(run)
    found = (letters.lower() for text in runs for letters in _LETTERS.findall(text))
    return tuple(dict.fromkeys(letters for letters in found if len(letters) >= _LITERAL_LENGTH))


def _is_needed(quantifier: re.Match[str]) -> bool:
    return quantifier[0][0] == "+" or (quantifier[0][0] == "{" and (quantifier[1] or "0").strip("0") != "")


def _piece(pattern: str, at: int) -> tuple[str, str]:
    """Return the next element of a pattern, and the one character that it stands for, if it is one."""
    character = pattern[at]
    if character == "[" and (found := _CLASS.match(pattern, at)):
        return found[0], ""
    if punctuation := _ESCAPED_PUNCTUATION.match(pattern, at):
        return punctuation[0], punctuation[1]
    if character == "\\" and (escape := _ESCAPE.match(pattern, at)):
        return escape[0], ""
    if character in ".^$|()*+?{":
        return character, ""
    return character, character if character.isascii() else " "
