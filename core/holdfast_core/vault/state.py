"""What the vault says of one source, and what a person can choose of it."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from holdfast_core.agents.base import Fingerprint
from holdfast_core.errors import NotNow
from holdfast_core.paths import text_path
from holdfast_core.vault.catalogue import Row


class NoSpaceKept(NotNow):
    """The disk has less free than is to be kept free: nothing is captured until there is more; nothing is lost."""


@dataclass(frozen=True, slots=True)
class VaultOptions:
    """What a person can choose. ``reserve_bytes`` is what stays free on the disk."""

    reserve_bytes: int = 2048 << 20
    is_encrypted: bool = False
    database_minutes: float = 5


class StrandState(msgspec.Struct, frozen=True):
    """What the vault knows of one source. ``fingerprint`` is what it looked like when it was captured last.

    ``owner`` is the key of the source that a companion belongs to, empty for
    a source. ``lost_messages`` are here and not at the source. ``content_bytes``
    is the size of the newest content, which `Vault.content` gives.
    """

    agent: str
    key: str
    path: str
    owner: str
    fingerprint: Fingerprint
    content_bytes: int
    version_count: int
    newest_version: int
    best_version: int
    is_gone: bool
    is_damaged: bool
    lost_messages: int
    captured_ms: int
    verified_ms: int


def state_of(row: Row, owner: str) -> StrandState:
    """Return what a row says, of a companion with the key of the source that it belongs to."""
    return StrandState(
        agent=row.agent,
        key=text_path(row.key),
        path=text_path(row.path),
        owner=text_path(owner),
        fingerprint=Fingerprint(row.size, row.modified_ns, row.inode),
        content_bytes=row.content_bytes,
        version_count=row.version_count,
        newest_version=row.newest_version,
        best_version=row.best_version,
        is_gone=row.is_gone,
        is_damaged=row.is_damaged,
        lost_messages=row.lost_messages,
        captured_ms=row.captured_ms,
        verified_ms=row.verified_ms,
    )
