"""Who may read what is ours: directories 0700, files 0600. Found, told, and put right on request; POSIX alone."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

_DIRECTORY_MODE = 0o700
_FILE_MODE = 0o600
_DEPTH = 4
_IS_ANOTHER = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EMLINK, errno.ENXIO}


class Wrong(NamedTuple):
    """Something that is not as it should be.

    ``mode``: others may read or change it; can be put right. ``owner``: it
    belongs to somebody else. ``strange``: a link, a pipe or a device.
    ``parent``: others may rename or replace the directory above.
    """

    path: Path
    kind: Literal["mode", "owner", "strange", "parent"]
    is_directory: bool = False


def look(roots: Iterable[Path]) -> list[Wrong]:
    """Return what is wrong with directories of ours, with all that is in them, and with those above them."""
    if sys.platform == "win32":
        return []
    found: list[Wrong] = []
    for root in roots:
        if os.path.lexists(root):
            found += _parents(root)
            found += _below(root, _DEPTH)
    return found


def look_at(directories: Iterable[Path]) -> list[Wrong]:
    """Return what is wrong with directories of ours themselves; where a person put a link, with what it leads to."""
    if sys.platform == "win32":
        return []
    there = dict.fromkeys(directory.resolve() for directory in directories if directory.is_dir())
    return [wrong for directory in there for wrong in _below(directory, 0)]


def repair(wrong: Iterable[Wrong]) -> int:
    """Take away what others may do with what is ours; returns how many were put right. Links are never followed.

    Raises:
        OSError: the system does not allow it.
    """
    if sys.platform == "win32":
        return 0
    repaired = 0
    for one in wrong:
        if one.kind != "mode":
            continue
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | (os.O_DIRECTORY if one.is_directory else 0)
        try:
            descriptor = os.open(one.path, flags)
        except PermissionError:  # not even we may read it: only its name is left to go by
            if not one.path.is_symlink():
                one.path.chmod(_wanted(one.is_directory))
                repaired += 1
            continue
        except OSError as error:
            if error.errno not in _IS_ANOTHER:
                raise
            continue
        try:
            repaired += _repair_open(descriptor, one)
        finally:
            os.close(descriptor)
    return repaired


def told(wrong: Iterable[Wrong]) -> tuple[str, ...]:
    """Return sentences for the person, one for each kind of thing that is wrong."""
    counts: dict[str, int] = {}
    for one in wrong:
        counts[one.kind] = counts.get(one.kind, 0) + 1
    return tuple(_SENTENCES[kind].format(_things(counts[kind])) for kind in _SENTENCES if kind in counts)


_SENTENCES = {
    "mode": "Others on this machine may read or change {} of Holdfast. This can be repaired.",
    "owner": "{} of Holdfast belong to somebody else. Only the system's administrator can change that.",
    "strange": "{} among those of Holdfast are links, pipes or devices. They are never opened.",
    "parent": "Others on this machine may replace the directory above your sessions ({}). Check its permissions.",
}


def _things(number: int) -> str:
    return "1 file or directory" if number == 1 else f"{number} files or directories"


def _below(path: Path, depth: int) -> Iterator[Wrong]:
    try:
        status = path.lstat()
    except (FileNotFoundError, PermissionError):  # gone meanwhile, or its directory is told of already
        return
    is_directory = stat.S_ISDIR(status.st_mode)
    if not is_directory and not stat.S_ISREG(status.st_mode):
        yield Wrong(path, "strange")
        return
    if sys.platform != "win32" and status.st_uid != os.geteuid():
        yield Wrong(path, "owner", is_directory)
    elif stat.S_IMODE(status.st_mode) != _wanted(is_directory):
        yield Wrong(path, "mode", is_directory)
    if is_directory and depth:
        try:
            inner = sorted(path.iterdir())
        except PermissionError:  # told above
            return
        for one in inner:
            yield from _below(one, depth - 1)


def _parents(root: Path) -> Iterator[Wrong]:
    """Yield directories above in which others may rename what is ours; where only owners may is as good as closed."""
    for parent in root.absolute().parents:
        mode = parent.lstat().st_mode
        if stat.S_ISDIR(mode) and mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            yield Wrong(parent, "parent", True)


def _repair_open(descriptor: int, one: Wrong) -> int:
    if sys.platform == "win32":
        return 0
    status = os.fstat(descriptor)
    is_directory = stat.S_ISDIR(status.st_mode)
    if is_directory != one.is_directory or not (is_directory or stat.S_ISREG(status.st_mode)):
        return 0  # it was replaced by something else meanwhile
    if status.st_uid != os.geteuid():
        return 0
    os.fchmod(descriptor, _wanted(is_directory))
    return 1


def _wanted(is_directory: bool) -> int:
    return _DIRECTORY_MODE if is_directory else _FILE_MODE
