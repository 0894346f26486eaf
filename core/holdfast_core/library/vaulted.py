"""The vault as the two faces ask for it: versions, giving back, and what agents are about to delete."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

from holdfast_core.atomic import open_regular, read_bytes
from holdfast_core.library.giving import Giving
from holdfast_core.library.storage import free_bytes
from holdfast_core.model.vault import Expiring, Removed, VaultEstimate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast_core.agents.base import Agent, Home, SourceRef

EXPIRING_DAYS: Final = 7.0
_SAMPLES: Final = 40
_SAMPLE_BYTES: Final = 1 << 20
_LEVEL: Final = 3


class Vaulted(Giving):
    """Every version of agents' sessions. Belongs to the library's event loop; all work is done in threads.

    What is asked of one session raises NotFound if none of it was ever kept,
    Locked while the vault is encrypted and locked, `HoldfastError` where
    something in it cannot be read.
    """

    async def expiring(self, *, within_days: float = EXPIRING_DAYS) -> list[Expiring]:
        """Return the sessions that their agents will delete within some days by their own rules, the next ones first.

        Raises:
            HoldfastError: the vault or an agent's directory cannot be read.
        """
        from holdfast_core.scan.kept import bare
        from holdfast_core.vault.expiring import expiring

        agents = [bare(agent) for agent in self._library.known_agents().values()]
        return await self._do(lambda vault: expiring(vault, agents, self._home, within_days=within_days))

    async def removed(self) -> Removed:
        """Return how many sessions agents have removed by their rules, and how many of these are here whole."""
        from holdfast_core.scan.kept import bare
        from holdfast_core.vault.expiring import removed

        agents = [bare(agent) for agent in self._library.known_agents().values()]
        return await self._do(lambda vault: removed(vault, agents, self._home))

    async def estimate(self) -> VaultEstimate:
        """Return what keeping every version will take at first, as a sample of the agents' files tells."""
        agents, directory = self._library.known_agents(), self._parts.vault_directory
        return await self._library.in_thread(lambda: estimated(agents, self._home, free_bytes(directory)))


def estimated(agents: Mapping[str, Agent], home: Home, free_bytes: int) -> VaultEstimate:
    """Return what the vault will take: the sizes of all sources, and how small some of them become."""
    refs: list[SourceRef] = []
    by_agent: dict[str, int] = {}
    for name, agent in agents.items():
        try:
            found = list(agent.discover(home))
        except OSError:
            continue
        refs += found
        if found:
            by_agent[name] = sum(ref.fingerprint.size_bytes for ref in found)
    given, made = _sample(refs)
    source_bytes = sum(by_agent.values())
    estimate = source_bytes * made // given if given else 0
    return VaultEstimate(len(refs), source_bytes, estimate, free_bytes, by_agent)


def _sample(refs: Sequence[SourceRef]) -> tuple[int, int]:
    """Return how many bytes were looked at, and how many are left of them when they are compressed.

    The larger a source is, the likelier it is looked at; the same ones for the same sources.
    """
    import zstandard

    sizes = [ref.fingerprint.size_bytes for ref in refs]
    if not any(sizes):
        return 0, 0
    compressor = zstandard.ZstdCompressor(level=_LEVEL)
    given = made = 0
    for ref in Random(len(refs)).choices(refs, sizes, k=_SAMPLES):
        try:
            data = _beginning(Path(ref.path))
        except OSError:
            continue
        given += len(data)
        made += len(compressor.compress(data))
    return given, made


def _beginning(path: Path) -> bytes:
    descriptor = open_regular(path)
    try:
        return read_bytes(descriptor, min(os.fstat(descriptor).st_size, _SAMPLE_BYTES))
    finally:
        os.close(descriptor)
