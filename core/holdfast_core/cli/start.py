"""Whether a start is for the command line or the window; loads next to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from holdfast_core.errors import WrongUsage
from holdfast_core.model.start import WindowStart

LINK_SCHEME = "holdfast:"
_OPTIONS = ("--home", "--agents-home", "--set")


def parse_window(arguments: Sequence[str]) -> WindowStart | None:
    """Return how the window is to start; None if the arguments are for the command line.

    The window takes the shared options, links and paths of what exists.
    Anything else, mistakes included, is for the command line to answer.
    """
    values: dict[str, list[str]] = {name: [] for name in _OPTIONS}
    opened: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        name, separator, value = argument.partition("=")
        if name in values:
            given = value if separator else next(rest, None)
            if given is None:
                return None
            values[name].append(given)
        elif argument.startswith(LINK_SCHEME) or (_names_a_path(argument) and Path(argument).exists()):
            opened.append(argument)
        else:
            return None
    try:
        overrides = dict(split_setting(pair) for pair in values["--set"])
    except WrongUsage:
        return None
    return WindowStart(
        home=values["--home"][-1] if values["--home"] else None,
        agents_home=values["--agents-home"][-1] if values["--agents-home"] else None,
        overrides=overrides,
        opened=tuple(opened),
        arguments=tuple(arguments),
    )


def split_setting(pair: str) -> tuple[str, str]:
    """Return the key and the value of ``key=value``.

    Raises:
        WrongUsage: there is no ``=``.
    """
    key, separator, value = pair.partition("=")
    if not separator:
        raise WrongUsage(f"A setting is given as key=value, not as {pair!r}.")
    return key.strip().replace("-", "_").lower(), value


def _names_a_path(argument: str) -> bool:
    """A bare word is a command, even where a file has its name."""
    return not argument.startswith("-") and (any(letter in argument for letter in "/\\.") or argument == "~")
