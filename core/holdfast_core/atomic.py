"""Durable files of our own: replace one whole, read one that is surely a file, and make a change survive a power cut.

Every call that changes a disk is looked up on `os` when it is made (by pathlib too), so that the fault programme can
fail each of them.
"""

from __future__ import annotations

import errno
import itertools
import os
import re
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

READ_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Neither follows a link nor waits for the other end of a pipe. Python's own `os.open` adds O_CLOEXEC."""

_WRITE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_PIECE_BYTES = 1 << 20
_WRITTEN_AT_ONCE = 1 << 24
# A database that is copied has its own journal beside it.
_TEMPORARY = re.compile(r"(\.holdfast-([0-9a-f]+)-[0-9a-f]+\.tmp)(?:-journal|-wal|-shm)?")
_STALE_SECONDS = 24 * 3600
# What a filesystem says that cannot sync a directory (some network shares).
_NO_DIRECTORY_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS}
# What a filesystem says that has no hard links, or when the other name is on another one.
_NO_LINK = {errno.EPERM, errno.EXDEV, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EACCES}
_SHARING_TRIES = 20


def write_file(
    path: Path,
    chunks: Iterable[bytes],
    *,
    overwrite: bool = True,
    backup: Path | None = None,
    spare: Path | None = None,
) -> int:
    """Write ``chunks`` as the whole content of ``path``, readable by this person alone; returns the size in bytes.

    A link at ``path`` is replaced, never followed. With ``backup`` the former
    file goes on existing under that name, which costs no copy where the
    filesystem has hard links. Temporary files stand in ``spare``, a directory
    of the same filesystem, beside ``path`` unless given. On failure nothing at ``path`` has changed and
    no temporary file stays, unless it was the very last step that failed: the
    sync of the directory, before which a power cut may bring back the old file.

    Raises:
        FileExistsError: something is at ``path`` and ``overwrite`` is False.
        OSError: the disk, the directory or the permissions do not allow it.
    """
    with temporary_name(spare or path.parent) as temporary:
        size = _write_new(temporary, chunks)
        if not overwrite:
            _rename_to_free_name(temporary, path)
        else:
            if backup is not None:
                _keep(path, backup, temporary.parent)
            replace(temporary, path)
    sync_directory(path.parent)
    return size


def open_regular(path: Path, flags: int = READ_FLAGS) -> int:
    """Open ``path`` if it is a plain file and return the descriptor, which the caller closes.

    Raises:
        FileNotFoundError: nothing is there.
        IsADirectoryError: it is a directory, a link, a pipe, a socket or a device.
        OSError: it may not be read.
    """
    if sys.platform == "win32" and path.is_symlink():
        raise _not_regular(path)
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENXIO, errno.EISDIR):
            raise _not_regular(path) from error
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _not_regular(path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_bytes(descriptor: int, size: int) -> bytes:
    """Return the next ``size`` bytes of a file, fewer only at its end."""
    pieces: list[bytes] = []
    while size > 0 and (piece := os.read(descriptor, min(size, _WRITTEN_AT_ONCE))):
        pieces.append(piece)
        size -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def read_file(path: Path, *, limit_bytes: int) -> bytes:
    """Return the content of a plain file.

    Raises:
        ValueError: it is larger than ``limit_bytes``, which is noticed before anything is read.
        OSError: as for `open_regular`.
    """
    descriptor = open_regular(path)
    try:
        size = os.fstat(descriptor).st_size
        if size > limit_bytes:
            raise ValueError(f"{size} bytes are more than {limit_bytes}")
        return read_bytes(descriptor, size)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes | memoryview) -> int:
    """Write every byte, however short the system's writes are; returns how many there were.

    Raises:
        OSError: the disk does not take them; some may have been written.
    """
    view = memoryview(data)
    size = len(view)
    while view:
        written = os.write(descriptor, view[:_WRITTEN_AT_ONCE])
        if written <= 0:
            raise OSError(errno.EIO, "nothing was written")
        view = view[written:]
    return size


def write_vector(descriptor: int, parts: Sequence[bytes]) -> int:
    """Write ``parts`` one after the other, in one call where the system can; returns the bytes."""
    size = sum(map(len, parts))
    if not hasattr(os, "writev") or len(parts) > 64:
        return write_all(descriptor, b"".join(parts))
    written = os.writev(descriptor, parts)
    if written < size:
        write_all(descriptor, memoryview(b"".join(parts))[max(written, 0) :])
    return size


def sync_file(descriptor: int) -> None:
    """Return when a file is on the disk itself. After an error never sync that file again: write a new one."""
    if not _full_sync(descriptor):
        os.fsync(descriptor)


def sync_data(descriptor: int) -> None:
    """Return when a file's content and size are on the disk itself; else as `sync_file`."""
    if _full_sync(descriptor):
        return
    if hasattr(os, "fdatasync"):
        os.fdatasync(descriptor)
    else:
        os.fsync(descriptor)


def sync_directory(directory: Path) -> None:
    """Make names that were given or taken survive a power cut; Windows has no such call."""
    if sys.platform == "win32":
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_DIRECTORY_SYNC:
            raise
    finally:
        os.close(descriptor)


def replace(source: Path, target: Path) -> None:
    """Give ``source`` the name ``target``, whatever had it; on Windows a virus scanner may hold it for a moment."""
    for left in itertools.count(_SHARING_TRIES, -1):
        try:
            source.replace(target)
        except PermissionError:
            if sys.platform != "win32" or left <= 0:
                raise
            time.sleep(0.02)
        else:
            return


def remove_stale(directory: Path) -> int:
    """Remove temporary files that a killed process of ours left in ``directory``; returns how many.

    Those of a process that is alive stay for a day: a number may have been given to another process.
    """
    removed = 0
    for path in directory.iterdir() if directory.is_dir() else ():
        if (found := _TEMPORARY.fullmatch(path.name)) and _is_stale(path, found[1], int(found[2], 16)):
            with suppress(OSError):
                path.unlink()
                removed += 1
    return removed


def is_alive(process: int) -> bool:
    """Return whether there may be such a process; on Windows asking would end it."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


_in_use: set[str] = set()
"""Names of temporary files that this process is writing now."""


@contextmanager
def temporary_name(directory: Path) -> Iterator[Path]:
    """Give the name of a file that does not exist: an error leaves none, what a kill leaves `remove_stale` finds."""
    temporary = directory / f".holdfast-{os.getpid():x}-{os.urandom(8).hex()}.tmp"
    _in_use.add(temporary.name)
    try:
        yield temporary
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    finally:
        _in_use.discard(temporary.name)


def _write_new(path: Path, chunks: Iterable[bytes]) -> int:
    """Make a file that is on the disk itself; returns its size."""
    descriptor = os.open(path, _WRITE_FLAGS, 0o600)
    try:
        size = sum(write_all(descriptor, chunk) for chunk in chunks)
        if os.fstat(descriptor).st_size != size:
            raise OSError(errno.EIO, "the file is not as long as what was written")
        sync_file(descriptor)
    except BaseException:
        with suppress(OSError):
            os.close(descriptor)
        raise
    os.close(descriptor)
    return size


def _rename_to_free_name(temporary: Path, path: Path) -> None:
    """Give a file its name unless that name is taken, in one step."""
    if sys.platform == "win32":
        temporary.rename(path)
        return
    try:
        os.link(temporary, path, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        # A filesystem without hard links (FAT, some network shares): take the name, then replace it.
        os.close(os.open(path, _WRITE_FLAGS, 0o600))
        replace(temporary, path)
    else:
        temporary.unlink()


def _keep(path: Path, backup: Path, directory: Path) -> None:
    """Let what is at ``path`` be found at ``backup`` too, whatever was there; nothing happens if there is nothing."""
    with temporary_name(directory) as spare:
        try:
            _link(path, spare)
        except FileNotFoundError:
            if os.path.lexists(path):  # it was the other directory that is missing
                raise
            return
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
            _copy(path, spare)
        _move(spare, backup)
        with suppress(FileNotFoundError):
            spare.unlink()  # POSIX: a rename between two names of one file does nothing and leaves both
    if backup.parent != path.parent:
        sync_directory(backup.parent)


def _link(path: Path, other: Path) -> None:
    if sys.platform == "win32":
        os.link(path, other)
    else:
        os.link(path, other, follow_symlinks=False)


def _move(spare: Path, backup: Path) -> None:
    try:
        replace(spare, backup)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with temporary_name(backup.parent) as other:  # backups are on another filesystem
            _copy(spare, other)
            replace(other, backup)


def _copy(path: Path, other: Path) -> None:
    descriptor = open_regular(path)
    try:
        _write_new(other, iter(lambda: os.read(descriptor, _PIECE_BYTES), b""))
    finally:
        os.close(descriptor)


def _full_sync(descriptor: int) -> bool:
    """Make a Mac's drive empty its own cache, which fsync does not; returns False where there is no such call."""
    if sys.platform != "darwin":
        return False
    import fcntl

    try:
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    except OSError as error:
        if error.errno not in _NO_DIRECTORY_SYNC:  # a network share or FAT: the ordinary call is all there is
            raise
        return False
    return True


def _is_stale(path: Path, name: str, process: int) -> bool:
    if name in _in_use:
        return False
    if process == os.getpid() or not is_alive(process):
        return True
    try:
        return time.time() - path.lstat().st_mtime > _STALE_SECONDS
    except OSError:
        return False


def _not_regular(path: Path) -> IsADirectoryError:
    return IsADirectoryError(errno.EISDIR, "it is not a plain file", str(path))
