"""What the parts below say of themselves, as values that the two faces show."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from holdfast_core.library.storage import measure
from holdfast_core.model.health import AuditRecord, AuditReport, Health, HealthRow, Metrics, Operation, Storage

if TYPE_CHECKING:
    from holdfast_core.library.parts import Parts
    from holdfast_core.model.keeping import KeyStatus, StartSummary

_MB = 1_000_000


def storage(parts: Parts, by_agent: Mapping[str, int]) -> Storage:
    """Return what Holdfast takes on the disk. Walks over our directories: not for the window's thread."""
    settings = parts.settings
    return measure(
        parts.paths,
        parts.directory,
        parts.audit_file,
        sessions=parts.store().site.manifest.count() if parts.has_store else 0,
        limit_sessions=settings.stored_sessions_limit,
        limit_bytes=settings.storage_limit_mb * _MB,
        by_agent=by_agent,
        vault_directory=parts.vault_directory,
    )


def metrics(parts: Parts, *, live_sessions: int) -> Metrics:
    """Return timings and counts."""
    snapshot = parts.metrics.snapshot()
    operations = tuple(Operation(**dataclasses.asdict(figures)) for figures in snapshot.operations)
    return Metrics(snapshot.since_ms, operations, live_sessions, snapshot.events)


def audit(parts: Parts, limit: int) -> AuditReport:
    """Return the newest records of the audit log and whether its chain is whole; nothing is made for it."""
    if not parts.has_keys:
        return AuditReport((), True)
    log = parts.audit_log()
    broken_at = log.verify(parts.anchor())
    records = tuple(
        AuditRecord(line.sequence, line.time_ms, line.event, line.subject, line.outcome, line.detail)
        for line in log.read(limit)
    )
    return AuditReport(records, broken_at is None, broken_at)


def health(
    metrics: Metrics,
    storage: Storage,
    audit: AuditReport,
    keys: KeyStatus,
    *,
    summary: StartSummary,
    problems: int,
    unclean: int,
    save_errors: Sequence[str],
    agents: tuple[str, bool],
) -> Health:
    """Return all that the page of health shows, what is wrong included.

    ``agents`` says how their sessions are understood, and whether that is bad.
    """
    rows = (
        _row("Held sessions", f"{storage.sessions:,} kept", bad=False),
        _row("Check at the start", " ".join(summary.notes) or "All was well.", wait=bool(summary.notes)),
        _row("Cut off", f"{unclean:,} wait for your decision" if unclean else "None", wait=bool(unclean)),
        _row("Problems", f"{problems:,} cannot be used as they are" if problems else "None", bad=bool(problems)),
        _row("Saving", " ".join(save_errors) or "All live sessions are saved.", bad=bool(save_errors)),
        _row("Audit log", _audit_words(audit), bad=not audit.is_intact),
        _row("Protection", _key_words(keys), wait=not keys.is_unlocked),
        _row("Agents", agents[0], bad=agents[1]),
        _storage_row(storage),
    )
    return Health(metrics, storage, rows)


def _row(name: str, words: str, *, wait: bool = False, bad: bool = False) -> HealthRow:
    return HealthRow(name, words, "bad" if bad else "wait" if wait else "good")


def _audit_words(audit: AuditReport) -> str:
    if not audit.is_intact:
        return f"It was changed from outside, from record {audit.broken_at} on."
    return f"{audit.records[0].sequence:,} records, unchanged" if audit.records else "Nothing was written down yet."


def _key_words(keys: KeyStatus) -> str:
    if not keys.is_encrypted:
        return "Held sessions are signed, not encrypted."
    return "Held sessions are encrypted." if keys.is_unlocked else "Held sessions are encrypted and locked."


def _storage_row(storage: Storage) -> HealthRow:
    is_full = any(warning.code.endswith("full") for warning in storage.warnings)
    words = " ".join(warning.message for warning in storage.warnings) or f"{storage.total_bytes / _MB:,.1f} MB"
    return _row("Storage", words, wait=bool(storage.warnings), bad=is_full)
