"""A subcommand goes to the command line; without one the window opens."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

INDEXER = "_indexer"


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what was typed and return the exit code."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if arguments[:1] == [INDEXER]:
        from holdfast_core.scan import indexer

        return indexer.main()
    from holdfast_core.cli import start

    window = start.parse_window(arguments)
    if window is None:
        from holdfast_core import cli

        return cli.main(arguments)
    if not has_display(os.environ, sys.platform):
        from holdfast_core import cli

        return cli.main_without_display(window)
    from holdfast_gui import app

    return app.main(window)


def has_display(environment: Mapping[str, str], platform: str) -> bool:
    """Whether a window can be shown: only on Linux does it depend on how one is logged in."""
    if not platform.startswith("linux"):
        return True
    return any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


if __name__ == "__main__":
    sys.exit(main())
