"""What an imported session needs and this machine does not have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from holdfast_core.model.held import HeldSession
from holdfast_core.store.importing.base import Here

_LOOKS_LIMIT = 1000


def missing_here(session: HeldSession, here: Here) -> Iterator[str]:
    """Yield a sentence each for the project, the files and the agent of a session that are not here."""
    project = session.project_path
    if not project:
        yield "It names no project."
    elif not _is_there(project, Path.is_dir):
        yield "Its project is not on this machine."
    files = [path if Path(path).is_absolute() else f"{project}/{path}" for path in session.context_files[:_LOOKS_LIMIT]]
    gone = sum(not _is_there(path, Path.is_file) for path in files)
    if gone:
        yield "A file that it was given is not here." if gone == 1 else f"{gone} files that it was given are not here."
    if session.config.agent not in here.agents:
        yield "Its agent cannot be started from here; another can go on with it."


def _is_there(path: str, is_one: Callable[[Path], bool]) -> bool:
    """Look at a path, unless it is another machine's, which would be asked for over the network."""
    if not Path(path).is_absolute() or path[:2] in ("//", "\\\\"):
        return False
    try:
        return is_one(Path(path))
    except (OSError, ValueError):
        return False
