"""What Holdfast takes on the disk, against its limits, and what a person can do when one is near."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, get_args

from holdfast_core.model.health import Storage, StoragePart, StorageWarning

if TYPE_CHECKING:
    from holdfast_core.paths import Paths

NEAR: Final = 0.8
_DISK_NEAR_BYTES: Final = 1 << 30
_DISK_FULL_BYTES: Final = 100 << 20
_MB: Final = 1_000_000

PartName = Literal["sessions", "backups", "trash", "quarantine", "vault", "index", "logs", "audit", "other"]


class Limit(NamedTuple):
    """How much is used of how much; a limit of 0 is none."""

    used: int
    limit: int

    @property
    def is_full(self) -> bool:
        """Whether nothing more fits."""
        return 0 < self.limit <= self.used

    @property
    def is_near(self) -> bool:
        """Whether at least 80 % are used, but not all."""
        return self.limit > 0 and not self.is_full and self.used >= NEAR * self.limit


def measure(
    paths: Paths,
    sessions_directory: Path,
    audit_file: Path,
    *,
    sessions: int,
    limit_sessions: int,
    limit_bytes: int,
    by_agent: Mapping[str, int],
    vault_directory: Path | None = None,
) -> Storage:
    """Return the sizes of all that is ours, with warnings. Walks over our directories: not for the window's thread."""
    parts = _parts(paths, sessions_directory, audit_file, vault_directory or paths.vault)
    total = sum(part.bytes for part in parts)
    free = free_bytes(paths.data)
    return Storage(
        parts=parts,
        total_bytes=total,
        limit_bytes=limit_bytes,
        sessions=sessions,
        limit_sessions=limit_sessions,
        disk_free_bytes=free,
        by_agent=dict(by_agent),
        warnings=tuple(_warnings(parts, Limit(sessions, limit_sessions), Limit(total, limit_bytes), free)),
    )


def _parts(paths: Paths, sessions_directory: Path, audit_file: Path, vault: Path) -> tuple[StoragePart, ...]:
    sizes: dict[PartName, list[int]] = {name: [] for name in get_args(PartName)}
    below: list[tuple[str, PartName]] = [
        (str(sessions_directory / "backups"), "backups"),
        (str(sessions_directory / "trash"), "trash"),
        (str(sessions_directory / "quarantine"), "quarantine"),
        (str(sessions_directory), "sessions"),
        (str(vault), "vault"),
        (str(paths.index), "index"),
        (str(paths.log), "logs"),
    ]
    audit = str(audit_file)
    seen: set[tuple[int, int]] = set()
    tops = [sessions_directory, vault, *(paths.data, paths.config, paths.cache, paths.log), audit_file.parent]
    for path, status in _files(tops):
        name: PartName = next((part for top, part in below if path.startswith(top + os.sep)), "other")
        if path.startswith(audit):
            name = "audit"
        elif not any(path.startswith(f"{top}{os.sep}") for top in tops[:-1]):
            continue  # a neighbour of the audit log, not ours
        # A backup that is the same file as its session takes nothing.
        takes = (status.st_dev, status.st_ino) not in seen
        seen.add((status.st_dev, status.st_ino))
        sizes[name].append(status.st_size if takes else 0)
    return tuple(StoragePart(name, len(found), sum(found)) for name, found in sizes.items())


def _files(tops: Sequence[Path]) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the regular files below directories, each once; what cannot be read counts nothing."""
    met: set[str] = set()
    waiting = [str(top) for top in tops]
    while waiting:
        directory = waiting.pop(0)
        if directory in met:
            continue
        met.add(directory)
        try:
            entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if stat.S_ISDIR(status.st_mode):
                waiting.append(entry.path)
            elif stat.S_ISREG(status.st_mode):
                yield entry.path, status


def free_bytes(directory: Path) -> int:
    """Return what is free where a directory is or will be."""
    for place in (directory, *directory.parents):
        try:
            return shutil.disk_usage(place).free
        except OSError:
            continue
    return 0


def _warnings(parts: Sequence[StoragePart], sessions: Limit, space: Limit, free: int) -> Iterator[StorageWarning]:
    more = tuple(_suggestions({part.name: part.bytes for part in parts}))
    raise_count = "Or allow more in the settings, as `stored_sessions_limit`."
    raise_space = "Or allow more in the settings, as `storage_limit_mb`."
    if sessions.is_full:
        told = f"You keep {sessions.used:,} held sessions, as many as are allowed."
        yield StorageWarning("sessions_full", told, (*more, raise_count))
    elif sessions.is_near:
        told = f"You keep {sessions.used:,} held sessions; {sessions.limit:,} are allowed."
        yield StorageWarning("sessions_near", told, (*more, raise_count))
    if space.is_full:
        told = f"Holdfast takes {_size(space.used)} on the disk; {_size(space.limit)} are allowed."
        yield StorageWarning("bytes_full", told, (*more, raise_space))
    elif space.is_near:
        told = f"Holdfast takes {_size(space.used)} of the {_size(space.limit)} that are allowed."
        yield StorageWarning("bytes_near", told, (*more, raise_space))
    if free < _DISK_FULL_BYTES:
        yield StorageWarning("disk_full", f"The disk is full: {_size(free)} are free.", more)
    elif free < _DISK_NEAR_BYTES:
        yield StorageWarning("disk_near", f"The disk is nearly full: {_size(free)} are free.", more)


def _suggestions(sizes: Mapping[str, int]) -> Iterator[str]:
    """Yield what would free something, the easiest first; there is always something."""
    if sizes["trash"]:
        yield f"Empty the trash, which frees {_size(sizes['trash'])}."
    if sizes["backups"]:
        yield f"Keep fewer backups; they take {_size(sizes['backups'])}."
    if sizes["quarantine"]:
        yield f"Look at the sessions that were put aside as damaged; they take {_size(sizes['quarantine'])}."
    yield "Delete held sessions that you need no more, or have old ones cleaned up with `stored_age_days`."


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / _MB:.1f} MB"
