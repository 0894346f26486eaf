"""What the vault of a busy person holds: invented figures for tests and pictures."""

from __future__ import annotations

from holdfast_core.model.vault import Expiring, Removed, VaultStatus, VaultUse

from tests.fakes.health import NOW

NOW_MS = int(NOW.timestamp() * 1000)
_GB = 1_000_000_000
STATUS = VaultStatus(
    sessions=12_418,
    sources=11_902,
    versions=31_877,
    stored_bytes=31 * _GB // 10,
    source_bytes=58 * _GB,
    verified_ms=NOW_MS - 7_200_000,
    last_verified_ms=NOW_MS - 7_200_000,
    captured_ms=NOW_MS - 4_000,
    free_bytes=38 * _GB,
    reserve_bytes=2048 << 20,
)
_USES = (
    ("codex", "/home/ada/code/kelp-api", "main", 2900, 30.1, 1.2),
    ("codex", "/home/ada/code/holdfast", "main", 1100, 11.1, 0.6),
    ("claude_code", "/home/ada/code/kelp-api", "main", 3600, 6.9, 0.55),
    ("claude_code", "/home/ada/code/holdfast", "main", 1900, 3.1, 0.31),
    ("claude_code", "/home/ada/code/tidepool-web", "main", 900, 1.6, 0.14),
    ("claude_code", "/home/ada/code/kelp-api", "subagent", 1450, 1.4, 0.12),
    ("claude_code", "/home/ada/code/kelp-api", "companion", 410, 0.9, 0.2),
    ("opencode", "/home/ada/code/tidepool-web", "main", 600, 2.1, 0.3),
    ("gemini", "", "main", 42, 0.9, 0.08),
)


def uses() -> list[VaultUse]:
    """Return what takes space, the largest first."""
    return [
        VaultUse(agent, project, kind, sources, round(there * _GB), round(here * _GB), round(there * _GB * 0.8))
        for agent, project, kind, sources, there, here in _USES
    ]


def expiring(number: int, *, days: float, is_safe: bool = True) -> Expiring:
    """Return a session that goes in so many days."""
    return Expiring(f"claude_code:{number}", days, NOW_MS + round(days * 86_400_000), is_safe)


REMOVED = Removed(12, 12)
