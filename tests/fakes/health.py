"""How Holdfast is doing on the machine of a busy person: invented figures for tests and pictures."""

from __future__ import annotations

from datetime import UTC, datetime

from holdfast_core.model.health import (
    AuditRecord,
    AuditReport,
    Health,
    HealthRow,
    Metrics,
    Operation,
    Storage,
    StoragePart,
    StorageWarning,
)

NOW = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
_MS = int(NOW.timestamp() * 1000)
WARNING = StorageWarning(
    "sessions_near",
    "412 of 500 sessions are kept.",
    ("Move sessions that you need no more to the trash.", "Allow more sessions in the settings."),
)


def busy_health(*, warnings: tuple[StorageWarning, ...] = (WARNING,), limit_sessions: int = 500) -> Health:
    """Return the figures of a person who has worked all morning."""
    wave = (4.1, 3.2, 5.8, 3.9, 4.4, 12.6, 3.1, 4.0, 3.6, 7.9, 4.2, 3.3, 3.8, 4.9, 5.1, 3.4, 9.8, 4.0, 3.7, 4.3) * 3
    operations = (
        Operation("append", 1204, 0, 4.1, 9.8, 31.0, wave),
        Operation("save", 88, 0, 22.4, 61.0, 140.0, tuple(value * 5 for value in wave[7:])),
        Operation("search", 41, 0, 1.8, 4.1, 9.0, tuple(value / 3 for value in wave[3:44])),
        Operation("list", 212, 0, 2.2, 5.0, 12.0, wave[11:]),
        Operation("resume", 9, 1, 310.0, 820.0, 910.0, (310.0, 280.0, 820.0, 301.0, 299.0, 350.0, 910.0, 288.0, 312.0)),
        Operation("verify", 2, 0, 1840.0, 2100.0, 2100.0, (1840.0, 2100.0)),
        Operation("export", 0, 0, 0.0, 0.0, 0.0),
    )
    parts = (
        StoragePart("sessions", 412, 1_240_000_000),
        StoragePart("backups", 1031, 610_000_000),
        StoragePart("index", 9, 880_000_000),
        StoragePart("trash", 14, 31_400_000),
        StoragePart("quarantine", 1, 120_000),
        StoragePart("logs", 5, 4_100_000),
        StoragePart("audit", 2, 1_900_000),
    )
    storage = Storage(
        parts=parts,
        total_bytes=sum(part.bytes for part in parts),
        limit_bytes=5_000_000_000,
        sessions=412,
        limit_sessions=limit_sessions,
        disk_free_bytes=41_000_000_000,
        by_agent={"codex": 41_200_000_000, "claude_code": 13_900_000_000, "opencode": 2_100_000_000},
        warnings=warnings,
    )
    rows = (
        HealthRow("Held sessions", "412 kept", "good"),
        HealthRow("Check at the start", "All was well.", "good"),
        HealthRow("Cut off", "1 waits for your decision", "wait"),
        HealthRow("Protection", "Held sessions are signed, not encrypted.", "good"),
        HealthRow("Problems", "2 cannot be used as they are", "bad"),
    )
    return Health(Metrics(_MS - 7_200_000, operations, live_sessions=3), storage, rows)


def busy_audit(*, is_intact: bool = True) -> AuditReport:
    """Return the newest lines of the chained log."""
    lines = (
        ("session.save", "done"), ("session.resume", "done"), ("session.resume", "refused"),
        ("store.backup", "done"), ("session.delete", "done"), ("keys.rotate", "failed"),
    )  # fmt: skip
    records = tuple(
        AuditRecord(214 - number, _MS - number * 340_000, event, "4f1c", outcome)
        for number, (event, outcome) in enumerate(lines)
    )
    return AuditReport(records, is_intact, None if is_intact else 97)
