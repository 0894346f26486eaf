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
from holdfast_core.vault.strand import SUFFIX, Strand, strand_path

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
    """Put strands into the catalogue that it does not know, or not as far; returns how many. Under the lock.

    Raises:
        SealedError: locked.
        HoldfastError: the catalogue cannot be written.
    """
    waiting: list[Change] = []
    done = 0
    for name in sorted(names):
        known = catalogue.named(name)
        change = _described(directory, name, keys, known)
        if change is not None and known is not None and change.row.position[:3] <= known.position[:3]:
            continue
        if change is None and known is not None:
            continue
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


def settle(directory: Path, keys: Keys, catalogue: Catalogue) -> int:
    """Put right what a kill or a power cut has left: temporary files, and strands that the catalogue is behind.

    Returns how many strands were taken in. Looks at names and sizes alone where nothing happened. Under the lock.

    Raises:
        SealedError: locked.
        HoldfastError: the catalogue cannot be written.
    """
    sweep(directory)
    known = dict(catalogue.read("SELECT name, offset FROM strand", ()))
    files = {name: _size(directory, name) for name in strand_files(directory)}
    unknown = {name for name, size in files.items() if size > known.get(name, -1)}
    return adopt(directory, keys, catalogue, unknown) if unknown else 0


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


def _size(directory: Path, name: str) -> int:
    try:
        return strand_path(directory, name).lstat().st_size
    except FileNotFoundError:
        return -1


def _described(directory: Path, name: str, keys: Keys, known: Row | None) -> Change | None:
    try:
        with closing(Strand.open(directory, name, keys)) as strand:
            change = whole_change(strand.table, row_of(strand, name, known))
            change.essentials = strand.stream.essentials(strand.base_bytes)
            return change
    except SealedError as error:
        if error.reason == "locked":
            raise
    if known is not None:
        return None  # verifying mends it
    strand_left = Salvaged.open_damaged(directory, name, keys, ())
    if strand_left is None:
        return None
    with closing(strand_left) as strand:
        row: Row = row_of(strand, name, None)
        row.is_damaged = True
        return whole_change(strand.table, row) if strand.table.versions else None
