"""What the window was started with."""

from __future__ import annotations

import msgspec


class WindowStart(msgspec.Struct, frozen=True):
    """The options that window and command line share, and what is to be opened: links and paths.

    ``overrides`` are settings by key, as texts. ``arguments`` is the whole
    command as it was typed, for handing it to a window that runs already.
    """

    home: str | None = None
    agents_home: str | None = None
    overrides: dict[str, str] = {}
    opened: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
