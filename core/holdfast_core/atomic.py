"""Replace a whole file so that whoever looks sees the old one or the new one, whatever is killed when."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


def write_file(path: Path, chunks: Iterable[bytes], *, overwrite: bool = True) -> int:
    """Write ``chunks`` as the whole content of ``path``, readable by this person alone; returns the size in bytes.

    A link at ``path`` is replaced, never followed. On failure nothing at
    ``path`` has changed and no temporary file stays.

    Raises:
        FileExistsError: something is at ``path`` and ``overwrite`` is False.
        OSError: the disk, the directory or the permissions do not allow it.
    """
    size = 0
    with _temporary_beside(path) as (descriptor, temporary):
        with os.fdopen(descriptor, "wb") as file:
            for chunk in chunks:
                size += file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if overwrite:
            temporary.replace(path)
        else:
            _rename_to_free_name(temporary, path)
    _sync_directory(path.parent)
    return size


@contextmanager
def _temporary_beside(path: Path) -> Iterator[tuple[int, Path]]:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".holdfast-", suffix=".tmp")  # mode 0600
    try:
        yield descriptor, Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _rename_to_free_name(temporary: Path, path: Path) -> None:
    """Give a file its name unless that name is taken, in one step."""
    if sys.platform == "win32":
        temporary.rename(path)
        return
    try:
        os.link(temporary, path, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:  # a filesystem without hard links (FAT, some network shares): take the name, then replace it
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        temporary.replace(path)


def _sync_directory(directory: Path) -> None:
    """Make a rename survive a power cut; Windows has no such call."""
    if sys.platform == "win32":
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
