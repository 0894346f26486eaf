"""A home with agents' sessions and a vault beside it, captured as an indexer does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from holdfast_core.agents.base import Agent, Home, SourceRef
from holdfast_core.errors import SourceError
from holdfast_core.sealed.keys import Keys
from holdfast_core.vault.vault import Mark, Vault, VaultOptions


class World:
    """One agent in one home."""

    def __init__(self, folder: Path, agent: Agent, home: Home) -> None:
        self.agent, self.home = agent, home
        keys = Keys.open(folder / "keys")
        self.vault = Vault.open(folder / "vault", lambda: keys, options=VaultOptions(reserve_bytes=0))

    def ref(self, part: str = "") -> SourceRef:
        """Return the one source whose path has a part."""
        (found,) = (ref for ref in self.agent.discover(self.home) if part in ref.path)
        return found

    def capture(self, *, reason: Any = None) -> None:
        """Take everything that is there into the vault, and note what is gone."""
        keys = set()
        for ref in list(self.agent.discover(self.home)):
            keys.add(ref.key)
            self.vault.capture(
                ref,
                marks=self._marks(ref),
                companions=self.agent.companions(ref, self.home),
                reason=reason,
                is_urgent=True,
            )
        self.vault.commit()
        for key, state in self.vault.states(self.agent.id).items():
            if not state.owner and not state.is_gone and key not in keys:
                self.vault.gone(self.agent.id, key)
        self.vault.commit()

    def capturing(self) -> Callable[[], None]:
        """Return what a restoring calls before it writes."""
        return self.capture

    def session_id(self, ref: SourceRef) -> str:
        """Return the id of a source's first session."""
        return self.agent.read(ref, self.home).sessions[0].facts.id

    def read(self, ref: SourceRef) -> list[Any]:
        """Return what the agent's reader says of a source."""
        return [(one.facts, one.messages) for one in self.agent.read(ref, self.home).sessions]

    def _marks(self, ref: SourceRef) -> list[Mark]:
        try:
            sessions = self.agent.read(ref, self.home).sessions
        except SourceError:
            return []
        return [Mark(one.facts.native_id, one.facts.message_count) for one in sessions]
