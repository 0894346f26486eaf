"""Lets the limits of a store hold: what is too old or too much goes to the trash, and the person is told."""

from __future__ import annotations

import logging

from holdfast_core.errors import HoldfastError
from holdfast_core.model.held import HeldEntry
from holdfast_core.model.keeping import RetentionReport
from holdfast_core.store import backup
from holdfast_core.store.reader import read
from holdfast_core.store.retention import KEEP_TAG, choose, is_protected, report, require_room
from holdfast_core.store.site import Site
from holdfast_core.store.trash import delete, expire, trash

log = logging.getLogger(__name__)


def clean(site: Site, *, now_ms: int, apply: bool) -> RetentionReport:
    """Report how near the limits are; with ``apply`` let go what has to, and empty the trash of what has expired."""
    removed = _let_go(site, now_ms=now_ms, incoming=0) if apply else []
    if apply:
        expire(site, now_ms=now_ms)
    return report(
        site.manifest.entries(),
        site.limits,
        now_ms=now_ms,
        removed=removed,
        trash=trash(site),
        backup_bytes=backup.stored_bytes(site),
    )


def make_room(site: Site, *, now_ms: int, incoming: int = 1) -> list[HeldEntry]:
    """See to it that as many sessions more may be stored; returns those that went to the trash for it.

    Raises:
        Refused: a limit would be passed, and nothing may go.
    """
    if not site.limits.stored_sessions and not site.limits.stored_bytes:
        return []
    removed = _let_go(site, now_ms=now_ms, incoming=incoming) if site.limits.at_limit == "clean" else []
    require_room(site.manifest.entries(), site.limits, incoming=incoming)
    return removed


def _let_go(site: Site, *, now_ms: int, incoming: int) -> list[HeldEntry]:
    chosen = choose(
        site.manifest.entries(),
        site.limits,
        now_ms=now_ms,
        incoming=incoming,
        is_kept=lambda entry: _is_kept(site, entry),
    )
    removed = []
    for entry in chosen:
        try:
            delete(site, [entry.id], now_ms=now_ms, reason="retention")
        except HoldfastError as error:  # opened just now, or of a newer Holdfast
            log.info("session %s stays: %s", entry.id, error)
        else:
            removed.append(entry)
    return removed


def _is_kept(site: Site, entry: HeldEntry) -> bool:
    """Return whether a session must stay. The list does not tell the tags of an encrypted one; a locked one stays."""
    if is_protected(entry) or entry.state == "problem":
        return True
    if not entry.is_encrypted:
        return False
    try:
        path = site.places.session(entry.id)
        session = read(path, site.keys, entry.id, limit_bytes=site.read_limit_bytes).session
    except HoldfastError:
        return True
    return KEEP_TAG in session.tags
