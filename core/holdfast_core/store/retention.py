"""How many sessions are kept and for how long: who may go, oldest first, and what else could be freed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from holdfast_core.errors import Refused
from holdfast_core.model.held import HeldEntry
from holdfast_core.model.keeping import RetentionReport, TrashEntry
from holdfast_core.store.limits import Limits

KEEP_TAG = "keep"
_DAY_MS = 86_400_000
_NEAR_PERCENT = 80
_OLD_DAYS = 90
_LARGE_BYTES = 10 << 20


def is_protected(entry: HeldEntry) -> bool:
    """Return whether a session is never cleaned up: live, starred, or tagged ``keep``."""
    return entry.state == "live" or entry.starred or KEEP_TAG in entry.tags


def choose(
    entries: Iterable[HeldEntry],
    limits: Limits,
    *,
    now_ms: int,
    incoming: int = 0,
    is_kept: Callable[[HeldEntry], bool] = is_protected,
) -> list[HeldEntry]:
    """Return the sessions that have to go for the limits to hold, oldest first.

    Those that were not changed for longer than is set go in any case; those
    over a limit of number or size only if the person wants that. ``incoming``
    sessions are to come in beside. ``is_kept`` is asked in that order, and no
    longer than needed.
    """
    oldest = sorted(entries, key=lambda entry: (entry.updated_ms, entry.id))
    earliest_ms = now_ms - limits.stored_age_days * _DAY_MS if limits.stored_age_days else None
    left, left_bytes = len(oldest) + incoming, sum(entry.size_bytes for entry in oldest)
    going = []
    for entry in oldest:
        is_old = earliest_ms is not None and entry.updated_ms < earliest_ms
        is_over = limits.at_limit == "clean" and (
            0 < limits.stored_sessions < left or 0 < limits.stored_bytes < left_bytes
        )
        if not is_old and not is_over:
            break
        if not is_kept(entry):
            going.append(entry)
            left, left_bytes = left - 1, left_bytes - entry.size_bytes
    return going


def require_room(entries: Sequence[HeldEntry], limits: Limits, *, incoming: int = 1, incoming_bytes: int = 0) -> None:
    """Return if as many sessions more may be stored.

    Raises:
        Refused: a limit would be passed; says which, and what can be done.
    """
    if 0 < limits.stored_sessions < len(entries) + incoming:
        are = "is" if len(entries) == 1 else "are"
        raise Refused(
            f"{_sessions(len(entries))} {are} stored, the limit is {limits.stored_sessions}. Delete some, raise the"
            " limit, or let the oldest go to the trash by themselves.",
        )
    taken = sum(entry.size_bytes for entry in entries)
    if 0 < limits.stored_bytes < taken + incoming_bytes:
        raise Refused(
            f"The stored sessions take {_size(taken)}, the limit is {_size(limits.stored_bytes)}. Delete some, raise"
            " the limit, or let the oldest go to the trash by themselves.",
        )


def report(
    entries: Sequence[HeldEntry],
    limits: Limits,
    *,
    now_ms: int,
    removed: Sequence[HeldEntry] = (),
    trash: Sequence[TrashEntry] = (),
    backup_bytes: int = 0,
) -> RetentionReport:
    """Return how near the limits are, now that ``removed`` went to the trash, and what else could be freed."""
    shares = [100 * value // limit for value, limit in _used(entries, limits) if limit]
    return RetentionReport(
        sessions=len(entries),
        limit_sessions=limits.stored_sessions,
        removed=tuple(entry.id for entry in removed),
        is_near=any(share >= _NEAR_PERCENT for share in shares),
        is_full=any(share >= 100 for share in shares),
        suggestions=tuple(suggestions(entries, now_ms=now_ms, trash=trash, backup_bytes=backup_bytes)),
    )


def suggestions(
    entries: Sequence[HeldEntry], *, now_ms: int, trash: Sequence[TrashEntry] = (), backup_bytes: int = 0
) -> Iterator[str]:
    """Yield sentences that say what could be freed, and how much; nothing where there is nothing."""
    if trash:
        what = _sessions(len(trash))
        yield f"Emptying the trash removes {what} for good and frees {_size(sum(one.size_bytes for one in trash))}."
    may_go = [entry for entry in entries if not is_protected(entry)]
    old = [entry for entry in may_go if entry.updated_ms < now_ms - _OLD_DAYS * _DAY_MS]
    if old:
        were = "was" if len(old) == 1 else "were"
        freed = _size(sum(entry.size_bytes for entry in old))
        yield f"{_sessions(len(old))} {were} not changed for {_OLD_DAYS} days and could go; that frees {freed}."
    large = [entry for entry in may_go if entry.size_bytes >= _LARGE_BYTES]
    if large:
        takes = "takes" if len(large) == 1 else "take"
        yield (
            f"{_sessions(len(large))} of more than {_size(_LARGE_BYTES)} {takes}"
            f" {_size(sum(entry.size_bytes for entry in large))}."
        )
    if backup_bytes:
        yield f"Keeping fewer backups of each session frees up to {_size(backup_bytes)}."
    if entries and not may_go:
        yield "Every session is live, starred or tagged “keep”: none of them goes by itself."


def _used(entries: Sequence[HeldEntry], limits: Limits) -> Iterator[tuple[int, int]]:
    yield len(entries), limits.stored_sessions
    yield sum(entry.size_bytes for entry in entries), limits.stored_bytes


def _sessions(number: int) -> str:
    return "1 session" if number == 1 else f"{number} sessions"


def _size(size_bytes: int) -> str:
    if size_bytes < 1 << 20:
        return f"{max(1, size_bytes >> 10)} KB"
    return f"{size_bytes / (1 << 20):.1f} MB"
