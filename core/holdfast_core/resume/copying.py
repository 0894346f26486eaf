"""A copy of a session where its agent looks from another directory: some look only into that one's own folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from holdfast_core.agents.base import Agent, Home, SourceRef, fingerprint_at
from holdfast_core.atomic import open_regular, write_file
from holdfast_core.errors import Refused, SourceError
from holdfast_core.model.session import SessionEntry
from holdfast_core.paths import make_private
from holdfast_core.vault.opened import is_open

_PIECE_BYTES = 1 << 20


def missing_copy(agent: Agent, entry: SessionEntry, home: Home, directory: str) -> Path | None:
    """Return where the agent would look for a session from ``directory`` and not find it; None if it finds it."""
    if directory == entry.project_path:
        return None
    try:
        place = agent.place_in_project(_ref_of(entry), home, directory)
    except SourceError:
        return None
    return None if place is None or os.path.lexists(place) else place


def put_copy(agent: Agent, entry: SessionEntry, home: Home, place: Path) -> list[Path]:
    """Copy a session's file, and what lies beside it for it, to ``place``; returns what was written.

    Nothing that is there is replaced, and the session stays where it was.

    Raises:
        Refused: the agent is writing it, it is there already, or the way to it leads over a link.
        OSError: it cannot be read or written.
    """
    ref = _ref_of(entry)
    if agent.is_in_use(ref, home) or is_open(Path(ref.path)):
        raise Refused(f"{agent.name} has this session open. End it there, then try again.")
    if place.parent.is_symlink():
        raise Refused("The agent's folder of that directory is a link.", detail=str(place.parent))
    folder, lists = Path(ref.path).parent, set(agent.indexes(ref, home))
    beside = [path for path in agent.companions(ref, home) if path.is_relative_to(folder) and path not in lists]
    pairs = [(path, place.parent / path.relative_to(folder)) for path in beside]
    wanted = [pair for pair in pairs if not os.path.lexists(pair[1])]
    for source, target in (*wanted, (Path(ref.path), place)):  # the session last: then all that it needs is there
        make_private(target.parent)
        try:
            write_file(target, _content(source), overwrite=False)
        except FileExistsError as error:
            raise Refused("The agent has this session in that directory already.", detail=str(target)) from error
    return [*(target for _, target in wanted), place]


def _ref_of(entry: SessionEntry) -> SourceRef:
    return SourceRef(entry.agent, entry.source_path, entry.source_path, fingerprint_at(entry.source_path))


def _content(path: Path) -> Iterator[bytes]:
    descriptor = open_regular(path)
    try:
        yield from iter(lambda: os.read(descriptor, _PIECE_BYTES), b"")
    finally:
        os.close(descriptor)
