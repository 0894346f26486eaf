"""Finding files from directory entries and stat alone, never through a link."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from holdfast_core.agents.base import Fingerprint, SourceRef


def subdirectories(folder: str) -> Iterator[os.DirEntry[str]]:
    """Yield the directories in a folder that are no links; none if it cannot be listed."""
    for entry in _entries(folder):
        try:
            if entry.is_dir(follow_symlinks=False):
                yield entry
        except OSError:
            continue


def files_below(folder: str, ending: str | tuple[str, ...]) -> Iterator[os.DirEntry[str]]:
    """Yield the regular files right in a folder whose names have an ending, or one of several."""
    for entry in _entries(folder):
        try:
            if entry.name.endswith(ending) and entry.is_file(follow_symlinks=False):
                yield entry
        except OSError:
            continue


def contents(folder: str) -> tuple[list[os.DirEntry[str]], list[os.DirEntry[str]]]:
    """Return the regular files and the directories in a folder that are no links; none if it cannot be listed."""
    files: list[os.DirEntry[str]] = []
    folders: list[os.DirEntry[str]] = []
    for entry in _entries(folder):
        try:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry)
            elif entry.is_file(follow_symlinks=False):
                files.append(entry)
        except OSError:
            continue
    return files, folders


def reference(agent: str, entry: os.DirEntry[str], key: str | None = None) -> SourceRef:
    """Return the reference to a file; its fingerprint is all zeros if it vanished meanwhile."""
    try:
        found = entry.stat(follow_symlinks=False)
        fingerprint = Fingerprint(found.st_size, found.st_mtime_ns, found.st_ino)
    except OSError:
        fingerprint = Fingerprint(0, 0)
    return SourceRef(agent, key or entry.path, entry.path, fingerprint)


def reference_at(agent: str, path: str) -> SourceRef | None:
    """Return the reference to the regular file at a path; None if there is none."""
    try:
        found = os.lstat(path)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return SourceRef(agent, path, path, Fingerprint(found.st_size, found.st_mtime_ns, found.st_ino))


def is_behind_link(path: str, root: str) -> bool:
    """Return whether a directory between a root and a path in it is a link, which `discover` would not enter."""
    parents = Path(path).parents
    return any(parent.is_symlink() for parent in parents if str(parent).startswith(root + os.sep))


def is_below(path: str, folder: str) -> bool:
    """Return whether a path is a folder's own or one in it, by their texts alone."""
    return path == folder or path.startswith(folder + os.sep)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    """List a folder at once: one that changes meanwhile neither stops nor repeats."""
    try:
        with os.scandir(folder) as found:
            return list(found)
    except (OSError, ValueError):
        return []
