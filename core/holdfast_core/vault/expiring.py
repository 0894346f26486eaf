"""The clean-up guard: which sessions their agents will delete by their own rules, and what became of those gone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from holdfast_core import clock
from holdfast_core.agents.base import Agent, Fingerprint, Home, SourceRef
from holdfast_core.model.vault import WITHOUT_CONTENT, Expiring, Removed
from holdfast_core.vault.vault import StrandState, Vault

_DAY_MS = 86_400_000
_SOON_DAYS = 7.0


def expiring(
    vault: Vault | None,
    agents: Iterable[Agent],
    home: Home,
    *,
    within_days: float = _SOON_DAYS,
    sessions_at: Callable[[SourceRef], Iterable[str]] | None = None,
    now_ms: int | None = None,
) -> list[Expiring]:
    """Return the sessions that agents will delete within some days, those first that go first; overdue ones too.

    An agent deletes when it is started: what is overdue is still there for
    that. A session ``is_safe`` if the vault has its source as it is now.
    ``sessions_at`` tells the ids of the sessions in a source, where the vault
    does not know it. Looks at directory entries alone.

    Raises:
        OSError: an agent's directory cannot be read.
    """
    now = clock.now_ms() if now_ms is None else now_ms
    found = []
    for agent in agents:
        days = agent.deletes_after_days(home)
        if days is None:
            continue
        states = vault.states(agent.id) if vault is not None else {}
        for ref in agent.discover(home):
            deletes_at_ms = ref.fingerprint.modified_ns // 1_000_000 + days * _DAY_MS
            left = (deletes_at_ms - now) / _DAY_MS
            if left > within_days or not ref.fingerprint.modified_ns or not agent.is_cleaned_up(ref):
                continue
            state = states.get(ref.key)
            is_safe = state is not None and _has(state, ref.fingerprint)
            names = dict.fromkeys([*_kept_in(vault, agent, ref.key), *(sessions_at(ref) if sessions_at else ())])
            found += [Expiring(name, left, deletes_at_ms, is_safe) for name in names]
    return sorted(found, key=lambda one: (one.deletes_at_ms, one.session_id))


def removed(vault: Vault, agents: Iterable[Agent], home: Home) -> Removed:
    """Return how many sessions went when their agents' rules said so, and how many of these are here whole."""
    found = list(removed_sessions(vault, agents, home))
    return Removed(len(found), sum(is_here for _, is_here in found))


def removed_sessions(vault: Vault, agents: Iterable[Agent], home: Home) -> Iterator[tuple[str, bool]]:
    """Yield the ids of the sessions that went by their agents' rules, and whether the vault can give them back."""
    for agent in agents:
        days = agent.deletes_after_days(home)
        if days is None:
            continue
        for key, state in vault.states(agent.id).items():
            ref = SourceRef(agent.id, key, state.path, state.fingerprint)
            if state.owner or not state.is_gone or not agent.is_cleaned_up(ref):
                continue
            if _went_by_rule(vault, agent, key, days):
                yield from ((name, not state.is_damaged) for name in _kept_in(vault, agent, key))


def _has(state: StrandState, now: Fingerprint) -> bool:
    """Return whether the vault has a source as it is now, and whole."""
    is_same = (state.fingerprint.size_bytes, state.fingerprint.modified_ns) == (now.size_bytes, now.modified_ns)
    return is_same and not state.is_gone and not state.is_damaged


def _kept_in(vault: Vault | None, agent: Agent, key: str) -> list[str]:
    """Return the ids of a source's own sessions, not of the subagents that they started."""
    marks = vault.marks(agent.id, key) if vault is not None else []
    return [f"{agent.id}:{mark.native_id}" for mark in marks if mark.kind in ("", "main")]


def _went_by_rule(vault: Vault, agent: Agent, key: str, days: int) -> bool:
    """Return whether a source went only when it was old enough; a person may have deleted it before."""
    versions = vault.versions(agent.id, key)
    having = [version for version in versions if version.reason not in WITHOUT_CONTENT]
    if not having or versions[-1].reason != "deleted":
        return False
    return versions[-1].captured_ms >= having[-1].modified_ms + days * _DAY_MS
