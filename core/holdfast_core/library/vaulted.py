"""The vault as the two faces ask for it: versions, giving back, and what agents are about to delete."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

from holdfast_core.atomic import open_regular, read_bytes
from holdfast_core.errors import HoldfastError, Refused
from holdfast_core.library.giving import Giving
from holdfast_core.library.storage import free_bytes
from holdfast_core.model.vault import Candidate, DeletionRule, Expiring, Forgotten, PartShares, Removed, VaultEstimate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast_core.agents.base import Agent, Home, SourceRef
    from holdfast_core.model.message import Message
    from holdfast_core.vault.vault import Vault

EXPIRING_DAYS: Final = 7.0
_SAMPLES: Final = 40
_SAMPLE_BYTES: Final = 1 << 20
_LEVEL: Final = 3
_SAMPLED: Final = 48
_LARGEST: Final = 2000
_SAMPLED_BYTES: Final = 32 << 20


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
        listed = await self._library.sessions_by_source()

        def look(vault: Vault) -> list[Expiring]:
            return expiring(
                vault,
                agents,
                self._home,
                within_days=within_days,
                sessions_at=lambda ref: listed.get((ref.agent, ref.key), ()),
            )

        return await self._do(look)

    async def removed(self) -> Removed:
        """Return how many sessions agents have removed by their rules, and how many of these are here whole."""
        from holdfast_core.scan.kept import bare
        from holdfast_core.vault.expiring import removed

        agents = [bare(agent) for agent in self._library.known_agents().values()]
        return await self._do(lambda vault: removed(vault, agents, self._home))

    async def rules(self) -> list[DeletionRule]:
        """Return by which rules the agents that are here delete sessions, by their own settings as they are now."""
        from holdfast_core.scan.kept import bare

        agents = [bare(agent) for agent in self._library.known_agents().values()]

        def look() -> list[DeletionRule]:
            found = []
            for agent in agents:
                if not any(root.is_dir() for root in agent.roots(self._home)):
                    continue
                days = agent.deletes_after_days(self._home)
                if days is not None:
                    found.append(DeletionRule(agent.id, days, agent.deletion_setting))
            return found

        return await self._library.in_thread(look)

    async def candidates(self, *, limit: int = 200) -> list[Candidate]:
        """Return the largest sessions whose files could go because they were verified here since they were captured.

        `free` verifies them again, byte by byte.
        """
        from holdfast_core.library.space import candidates

        names = list(self._library.known_agents())
        return await self._do(lambda vault: candidates(vault, names, limit=limit))

    async def parts(self) -> PartShares:
        """Return what sessions are made of, from a sample of them, the likelier taken the larger they are.

        Reads some of the agents' files: for whoever asks for it, not for every look.
        """
        from holdfast_core.library.space import parts_of, sampled_ids, together

        keys = await self._library.keys("", sort="size")
        entries = await self._library.entries(keys[:_LARGEST])
        sizes = {one.id: one.size_bytes for one in entries if 0 < one.size_bytes <= _SAMPLED_BYTES and not one.is_gone}
        found = []
        for session_id in sampled_ids(sizes, count=_SAMPLED):
            with suppress(HoldfastError, OSError):
                read = (await self._library.load(session_id)).session
                origin = await self._origin(read.facts.agent, read.facts.forked_from)
                found.append(await self._library.in_thread(partial(parts_of, read.messages, origin)))
        return together(found)

    async def _origin(self, agent: str, forked_from: str | None) -> Sequence[Message]:
        """Return the messages of the session that another was forked from; none where it cannot be read."""
        if forked_from is not None:
            with suppress(HoldfastError, OSError):
                return (await self._library.load(f"{agent}:{forked_from}")).session.messages
        return ()

    async def forget(self, left_out: Sequence[str] | None, *, since_ms: int = 0) -> Forgotten:
        """Remove what is kept of sources that are left out, as in the setting, of all if None; on the person's word.

        What is here alone stays, and what has versions from before ``since_ms``.
        A look everywhere comes first, so that nothing is captured by an earlier
        setting meanwhile: the settings must count already.

        Raises:
            HoldfastError: something cannot be removed now; what was removed stays so.
        """
        from holdfast_core.library.space import forget
        from holdfast_core.scan.left_out import LeftOut

        with suppress(Refused):  # paused: nothing is captured either
            await self._library.update()
        names = list(self._library.known_agents())
        out = None if left_out is None else LeftOut(tuple(left_out))
        return await self._changing("vault.forget", "", lambda vault: forget(vault, names, out, since_ms=since_ms))

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
