"""What the vault does while nothing happens: find what is worth folding, and strands that the catalogue lacks."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from holdfast_core import clock
from holdfast_core.atomic import open_regular, read_bytes, remove_stale
from holdfast_core.sealed.container import Identity, write
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.keys import Keys
from holdfast_core.sealed.layout import ENCRYPTED
from holdfast_core.vault.catalogue import Catalogue, Change, Row
from holdfast_core.vault.content import PIECE_BYTES
from holdfast_core.vault.going import row_of, whole_change
from holdfast_core.vault.mending import QUARANTINE
from holdfast_core.vault.salvage import Salvaged
from holdfast_core.vault.strand import RECORD_TYPE, SUFFIX, Strand, strand_path

log = logging.getLogger(__name__)

RESTED_MS = 10 * 60 * 1000
_WORTH_BYTES = 1 << 16
_AT_ONCE = 256
SEALED_SUFFIX = ".sealed"
_SUITE_AT = 12  # in the header, see sealed/FORMAT.md


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
    unknown = {name for name, size in files.items() if size != known.get(name, -1)}
    return adopt(directory, keys, catalogue, unknown) if unknown else 0


def to_fold(catalogue: Catalogue, *, is_encrypted: bool, now_ms: int) -> list[str]:
    """Return the names of strands that rest, and are worth folding or not encrypted as they should be."""
    question = (
        "SELECT name FROM strand WHERE is_damaged = 0 AND captured_ms < ?"
        " AND (offset - base_bytes > max(min(base_bytes / 8, ?), 0) OR is_encrypted <> ?)"
        " ORDER BY captured_ms"
    )
    return [name for (name,) in catalogue.read(question, (now_ms - RESTED_MS, _WORTH_BYTES, int(is_encrypted)))]


def sweep(directory: Path) -> None:
    """Remove temporary files that a kill has left."""
    for folder in directory.iterdir() if directory.is_dir() else ():
        if len(folder.name) == 2 and folder.is_dir():
            remove_stale(folder)
    remove_stale(directory)


def seal_put_aside(directory: Path, keys: Keys) -> int:
    """Encrypt what was put aside when nothing was encrypted yet, as the bytes that it is; returns how many files.

    Raises:
        SealedError: locked.
        OSError: the disk does not take it.
    """
    done = 0
    for path in (directory / QUARANTINE).glob(f"*{SUFFIX}"):
        descriptor = open_regular(path)
        try:
            data = read_bytes(descriptor, os.fstat(descriptor).st_size)
        finally:
            os.close(descriptor)
        if data[_SUITE_AT : _SUITE_AT + 1] != bytes((ENCRYPTED,)):
            sealed = path.with_suffix(SEALED_SUFFIX)
            sealed.unlink(missing_ok=True)
            frames = [data[start : start + PIECE_BYTES] for start in range(0, len(data), PIECE_BYTES)]
            write(sealed, keys, Identity(RECORD_TYPE, path.stem), frames, expected_generation=None, encrypt=True)
            path.unlink()
            done += 1
    return done


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
