"""What takes space: by agent, project and kind, with the agents and here."""

from __future__ import annotations

from holdfast_core.model.vault import VaultUse
from holdfast_core.vault.catalogue import Catalogue

COMPANION = "companion"

_Sums = dict[tuple[str, str, str], list[float]]


def usage(catalogue: Catalogue) -> list[VaultUse]:
    """Return what every agent's sources take, by the project and kind of their sessions, the largest first.

    A source with many sessions is shared out by their messages. A companion
    counts for its source's project, under its own kind.
    """
    shares: dict[str, list[tuple[str, str, int]]] = {}
    for name, project, kind, messages in catalogue.read("SELECT name, project, kind, messages FROM mark", ()):
        shares.setdefault(name, []).append((project, kind, messages))
    sums: _Sums = {}
    for row in catalogue.rows():
        here = [] if row.is_gone else [row.content_bytes]
        source_bytes = sum(here)
        is_proved = row.verified_ms >= row.captured_ms and not row.is_damaged
        of = shares.get(row.owner or row.name) or [("", "", 1)]
        if row.owner:
            of = [(project, COMPANION, messages) for project, _, messages in of]
        total = sum(max(messages, 1) for _, _, messages in of)
        first = True
        for project, kind, messages in of:
            part = max(messages, 1) / total
            found = sums.setdefault((row.agent, project, kind), [0, 0, 0, 0])
            found[0] += first
            found[1] += source_bytes * part
            found[2] += row.offset * part
            found[3] += source_bytes * part if is_proved else 0
            first = False
    rows = [
        VaultUse(
            *key,
            sources=int(found[0]),
            source_bytes=round(found[1]),
            stored_bytes=round(found[2]),
            free_bytes=round(found[3]),
        )
        for key, found in sums.items()
    ]
    return sorted(rows, key=lambda row: row.source_bytes + row.stored_bytes, reverse=True)
