"""Held sessions among the sources that a scan looks through."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast_core.agents.base import Agent, Home
from holdfast_core.index.writer import IndexWriter
from holdfast_core.model.changes import ChangeSet
from holdfast_core.model.held import HELD_AGENT
from holdfast_core.scan.ingest import Hooks, update

if TYPE_CHECKING:
    from holdfast_core.sealed.keys import Keys
    from holdfast_core.store.source import InIndex


def with_held(
    agents: Mapping[str, Agent], directory: Path, keys: OpenedKeys, *, encrypted_in_index: InIndex = "nothing"
) -> dict[str, Agent]:
    """Return agents with the source of the held sessions in ``directory`` beside them.

    The ``keys`` are opened with the first session that is read, and not made by that.
    """
    from holdfast_core.store.source import HeldSource

    return {**agents, HELD_AGENT: HeldSource(directory, keys, encrypted_in_index=encrypted_in_index)}


def unlock(source: Agent, secret: str) -> None:
    """Let the source of held sessions read encrypted ones; with an empty ``secret`` no longer.

    Raises:
        HoldfastError: it is neither the passphrase nor the recovery code.
    """
    from holdfast_core.store.source import HeldSource

    if isinstance(source, HeldSource) and secret:
        source.keys().unlock(secret)
    elif isinstance(source, HeldSource):
        source.keys().lock()


def shows_encrypted(source: Agent) -> bool:
    """Say whether encrypted sessions are to stand in the index with their text."""
    from holdfast_core.store.source import HeldSource

    return isinstance(source, HeldSource) and source.shows_encrypted


def show(source: Agent, encrypted_in_index: InIndex) -> None:
    """Let the source of held sessions give this of encrypted ones from now on."""
    from holdfast_core.store.source import HeldSource

    if isinstance(source, HeldSource):
        source.show(encrypted_in_index)


def read_anew(
    writer: IndexWriter, source: Agent, home: Home, *, on_changes: Callable[[ChangeSet], object] = lambda changes: None
) -> None:
    """Read all held sessions again. What of encrypted ones may stand in the index no longer leaves its files."""
    update(writer, {HELD_AGENT: source}, home, full=True, hooks=Hooks(on_changes=on_changes))
    if not shows_encrypted(source):
        writer.note_residue(HELD_AGENT)


class OpenedKeys:
    """Keys that are opened when they are first asked for; `made` also makes them, where ``may_make`` allows it."""

    def __init__(self, directory: Path, *, may_make: Callable[[], bool] = lambda: False) -> None:
        self._directory = directory
        self._may_make = may_make
        self._keys: Keys | None = None
        self._lock = threading.Lock()

    def __call__(self) -> Keys:
        return self._opened(lambda: False)

    def made(self) -> Keys:
        """Return the keys, which are made if there never were any."""
        return self._opened(self._may_make)

    def _opened(self, may_create: Callable[[], bool]) -> Keys:
        from holdfast_core.sealed.keys import Keys

        with self._lock:
            if self._keys is None:
                self._keys = Keys.open(self._directory, may_create=may_create())
            return self._keys
