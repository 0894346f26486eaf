"""What the vault does while nothing happens: find what is worth folding, and strands that the catalogue lacks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from holdfast_core import clock
from holdfast_core.atomic import remove_stale
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.keys import Keys
from holdfast_core.vault.catalogue import Catalogue, Change, Row
from holdfast_core.vault.going import row_of, whole_change
from holdfast_core.vault.salvage import Salvaged
from holdfast_core.vault.strand import SUFFIX, Strand

log = logging.getLogger(__name__)

RESTED_MS = 10 * 60 * 1000
_WORTH_BYTES = 1 << 16
_AT_ONCE = 256


def strand_files(directory: Path) -> Iterator[str]:
    """Yield the names of all strands that there are files of."""
    for folder in sorted(directory.iterdir()) if directory.is_dir() else ():
        if len(folder.name) == 2 and folder.is_dir():
            for path in folder.iterdir():
                if path.suffix == SUFFIX and path.stem.startswith(folder.name):
                    yield path.stem


def adopt(directory: Path, keys: Keys, catalogue: Catalogue, names: set[str]) -> int:
    """Put strands into the catalogue that it does not know; returns how many. Under the lock of the vault.

    Raises:
        SealedError: locked.
        HoldfastError: the catalogue cannot be written.
    """
    waiting: list[Change] = []
    done = 0
    for name in sorted(names):
        change = _described(directory, name, keys)
        if change is None:
            log.warning("a file of the vault cannot be read and belongs to no session that is known: %s", name)
            continue
        other = catalogue.row(change.row.agent, change.row.key)
        if other is not None and other.name != name:
            log.warning("two strands of the vault are of one source: %s", name)
            change.row.key = f"{change.row.key}\0{name}"
        waiting.append(change)
        done += 1
        if len(waiting) >= _AT_ONCE:
            catalogue.put(waiting)
            waiting = []
    catalogue.put(waiting)
    return done


def to_fold(catalogue: Catalogue, *, is_encrypted: bool, now_ms: int) -> list[str]:
    """Return the names of strands that rest, and whose tail is worth folding or which should be encrypted."""
    question = (
        "SELECT name FROM strand WHERE is_damaged = 0 AND captured_ms < ?"
        " AND (offset - base_bytes > max(min(base_bytes / 8, ?), 0) OR is_encrypted < ?)"
        " ORDER BY is_encrypted, captured_ms"
    )
    return [name for (name,) in catalogue.read(question, (now_ms - RESTED_MS, _WORTH_BYTES, int(is_encrypted)))]


def sweep(directory: Path) -> None:
    """Remove temporary files that a kill has left."""
    for folder in directory.iterdir() if directory.is_dir() else ():
        if len(folder.name) == 2 and folder.is_dir():
            remove_stale(folder)
    remove_stale(directory)


def within(deadline_seconds: float) -> Callable[[], bool]:
    """Return what tells whether there is time left."""
    end = clock.monotonic_seconds() + deadline_seconds
    return lambda: clock.monotonic_seconds() < end


def _described(directory: Path, name: str, keys: Keys) -> Change | None:
    try:
        with closing(Strand.open(directory, name, keys)) as strand:
            return whole_change(strand.table, row_of(strand, name, None))
    except SealedError as error:
        if error.reason == "locked":
            raise
    strand_left = Salvaged.open_damaged(directory, name, keys, ())
    if strand_left is None:
        return None
    with closing(strand_left) as strand:
        row: Row = row_of(strand, name, None)
        row.is_damaged = True
        return whole_change(strand.table, row) if strand.table.versions else None
