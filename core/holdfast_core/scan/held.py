"""Held sessions among the sources that a scan looks through."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast_core.agents.base import Agent
from holdfast_core.model.held import HELD_AGENT

if TYPE_CHECKING:
    from holdfast_core.sealed.keys import Keys
    from holdfast_core.store.source import InIndex


def with_held(
    agents: Mapping[str, Agent], directory: Path, keys: Path, *, encrypted_in_index: InIndex = "nothing"
) -> dict[str, Agent]:
    """Return agents with the source of the held sessions in ``directory`` beside them.

    The keys in ``keys`` are opened with the first session that is read, and
    never made.
    """
    from holdfast_core.store.source import HeldSource

    return {**agents, HELD_AGENT: HeldSource(directory, _Opened(keys), encrypted_in_index=encrypted_in_index)}


def unlock(source: Agent, secret: str) -> None:
    """Let the source of held sessions read encrypted ones.

    Raises:
        HoldfastError: it is neither the passphrase nor the recovery code.
    """
    from holdfast_core.store.source import HeldSource

    if isinstance(source, HeldSource):
        source.keys().unlock(secret)


class _Opened:
    """Keys that are opened when they are first asked for."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._keys: Keys | None = None
        self._lock = threading.Lock()

    def __call__(self) -> Keys:
        from holdfast_core.sealed.keys import Keys

        with self._lock:
            if self._keys is None:
                self._keys = Keys.open(self._directory, may_create=False)
            return self._keys
