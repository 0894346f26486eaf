"""The command line: one of the two faces of the library.

What is here loads nothing until it is called, as the launcher asks this
package which face is meant before the window is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from holdfast_core.library import Library
    from holdfast_core.model.start import WindowStart
    from holdfast_core.paths import Paths


def main(arguments: Sequence[str]) -> int:
    """Do what `holdfast` was called with and return the exit code."""
    from holdfast_core.cli import entry

    return entry.main(arguments)


def main_without_display(start: WindowStart) -> int:
    """Do what can be done where no window can be shown: list the newest sessions; returns the exit code."""
    from holdfast_core.cli import entry

    return entry.main_without_display(start)


def run(
    arguments: Sequence[str], library: Library | None, out: TextIO, err: TextIO, *, paths: Paths | None = None
) -> int:
    """Do one command and return the exit code.

    Without a ``library`` the command opens its own; ``paths`` are those of a library that is given.
    """
    import asyncio

    return asyncio.run(execute(arguments, library, out, err, paths=paths))


async def execute(
    arguments: Sequence[str], library: Library | None, out: TextIO, err: TextIO, *, paths: Paths | None = None
) -> int:
    """Do as `run` in a loop that runs already."""
    from holdfast_core.cli import entry

    return await entry.execute(arguments, library, out, err, paths=paths)
