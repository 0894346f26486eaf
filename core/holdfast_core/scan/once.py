"""One change of the index by this process itself, for a command line without a window."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from holdfast_core.agents.base import Agent, Home
from holdfast_core.errors import HoldfastError, IndexBroken, Refused
from holdfast_core.index.writer import IndexWriter
from holdfast_core.model.annotation import Annotation
from holdfast_core.model.changes import ScanProgress, ScanReport
from holdfast_core.paths import Paths
from holdfast_core.scan.held import read_anew
from holdfast_core.scan.ingest import Hooks, report_of, update
from holdfast_core.scan.seen import remember_agents
from holdfast_core.store.annotations import Annotations

if TYPE_CHECKING:
    from holdfast_core.scan.capturing import Capturing

log = logging.getLogger(__name__)


def make_directories(paths: Paths) -> None:
    """Make our own directories.

    Raises:
        HoldfastError: they cannot be made.
    """
    try:
        paths.create()
    except OSError as error:
        raise HoldfastError(
            "Holdfast cannot write to its own directories. Free some space or correct their permissions.",
            detail=repr(error),
        ) from error


def update_once(
    paths: Paths,
    agents: Mapping[str, Agent],
    home: Home,
    *,
    full: bool,
    on_progress: Callable[[ScanProgress], object] | None = None,
    capturing: Capturing | None = None,
    timeout_seconds: float,
) -> ScanReport:
    """Look everywhere once and return what was found; with ``capturing`` it goes into the vault as well.

    Raises:
        Refused: another process has been writing to the index for all of ``timeout_seconds``.
    """
    make_directories(paths)

    def notes_of(session_ids: Sequence[str]) -> list[Annotation]:
        if not session_ids or not paths.annotations.exists():
            return []
        with Annotations.open(paths.annotations) as notes:
            return notes.get_many(session_ids)

    hooks = Hooks(notes_of=notes_of) if on_progress is None else Hooks(notes_of=notes_of, on_progress=on_progress)
    with IndexWriter.open(paths.index, timeout_seconds=timeout_seconds) as writer:
        try:
            outcome = update(writer, agents, home, full=full, hooks=hooks, capturing=capturing)
        except IndexBroken:  # it was found damaged on the way, and is empty now
            outcome = update(writer, agents, home, full=full, hooks=hooks, capturing=capturing)
        let_go = outcome.discovery.let_go
        remember_agents(paths.agents_seen, home.path, writer.sessions_listed(), let_go=let_go)
        return report_of(outcome, writer)


def take_in_once(
    paths: Paths, agents: Mapping[str, Agent], home: Home, files: Sequence[str], *, timeout_seconds: float
) -> bool:
    """Show what changed in these files in the index; a window's indexer that is at work sees it by itself.

    Returns False if the index turned out to be damaged or of another version:
    it is empty now, and everything must be looked through.
    """
    make_directories(paths)
    try:
        with IndexWriter.open(paths.index, timeout_seconds=timeout_seconds) as writer:
            if not writer.is_new:
                update(writer, agents, home, paths=files)
            return not writer.is_new
    except Refused:
        log.info("the index is in use: its writer takes the change in")
        return True
    except IndexBroken:
        return False


def read_held_once(paths: Paths, source: Agent, home: Home, *, timeout_seconds: float) -> None:
    """Read all held sessions again, and let nothing that stands in the index no longer stay in its files.

    Raises:
        Refused: another process has been writing to the index for all of ``timeout_seconds``.
    """
    with IndexWriter.open(paths.index, timeout_seconds=timeout_seconds) as writer:
        if not writer.is_new:
            read_anew(writer, source, home)
            writer.drop_residue()


def tidy_once(paths: Paths, *, timeout_seconds: float) -> None:
    """Let nothing of held sessions that were deleted stay in the files of the index.

    Raises:
        Refused: another process has been writing to the index for all of ``timeout_seconds``.
    """
    with IndexWriter.open(paths.index, timeout_seconds=timeout_seconds) as writer:
        writer.drop_residue()


def annotate_once(paths: Paths, notes: Sequence[Annotation], *, timeout_seconds: float) -> None:
    """Show notes that the store has kept in the index; a window's indexer that is at work does it in our place."""
    make_directories(paths)
    try:
        with IndexWriter.open(paths.index, timeout_seconds=timeout_seconds) as writer:
            writer.annotate(notes)
    except Refused:
        log.info("the index is in use: its writer takes the notes in")
