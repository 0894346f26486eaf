"""How Holdfast is doing: timings, counts, storage, and the chained log of what was done."""

from __future__ import annotations

from typing import Literal

import msgspec

OperationName = Literal[
    "save", "load", "resume", "search", "list", "scan", "verify", "compact", "export", "import", "start", "append"
]


class Operation(msgspec.Struct, frozen=True, gc=False):
    """Timings of one operation since the start and the last ones of them, in milliseconds."""

    name: str
    count: int
    failures: int
    p50_ms: float
    p95_ms: float
    max_ms: float
    recent_ms: tuple[float, ...] = ()


class Metrics(msgspec.Struct, frozen=True):
    """Timings and counts of this machine; nothing of it leaves the machine.

    ``since_ms`` is when counting began. ``live_sessions`` are those of this process.
    """

    since_ms: int
    operations: tuple[Operation, ...]
    live_sessions: int = 0
    events: dict[str, int] = {}


class StoragePart(msgspec.Struct, frozen=True, gc=False):
    """What one part of ours takes on the disk."""

    name: Literal["sessions", "backups", "trash", "quarantine", "vault", "index", "logs", "audit", "other"]
    files: int
    bytes: int


class StorageWarning(msgspec.Struct, frozen=True, gc=False):
    """A limit that is near or reached, with sentences that say what can be done."""

    code: Literal["sessions_near", "sessions_full", "bytes_near", "bytes_full", "disk_near", "disk_full"]
    message: str
    suggestions: tuple[str, ...]


class Storage(msgspec.Struct, frozen=True):
    """What Holdfast takes on the disk, against its limits. A limit of 0 is none."""

    parts: tuple[StoragePart, ...]
    total_bytes: int
    limit_bytes: int
    sessions: int
    limit_sessions: int
    disk_free_bytes: int
    by_agent: dict[str, int] = {}
    """Bytes at the agents' sources, as the index knows them."""
    warnings: tuple[StorageWarning, ...] = ()


class AuditRecord(msgspec.Struct, frozen=True, gc=False):
    """One line of the chained log. It names what was done to which id, never any content."""

    sequence: int
    time_ms: int
    event: str
    subject: str
    outcome: Literal["done", "failed", "refused"] = "done"
    detail: str = ""


class AuditReport(msgspec.Struct, frozen=True):
    """The newest records, newest first, and whether the whole chain still fits together."""

    records: tuple[AuditRecord, ...]
    is_intact: bool
    broken_at: int | None = None


class HealthRow(msgspec.Struct, frozen=True, gc=False):
    """One line of the health page: what, how it is, and whether that is fine."""

    name: str
    words: str
    state: Literal["good", "wait", "bad"]


class Health(msgspec.Struct, frozen=True):
    """Everything that the health page shows."""

    metrics: Metrics
    storage: Storage
    rows: tuple[HealthRow, ...]
