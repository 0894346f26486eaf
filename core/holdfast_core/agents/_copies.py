"""Private copies of other programs' databases with what stands beside them.

Where the file system can, a copy shares the blocks of its origin and takes neither time nor room. A large one is
kept for a while: at the next look only those of its files are copied again that changed, which of a database at
work is the WAL as a rule. What was in an earlier WAL may have come into the copy meanwhile: while the database
itself did not change, all of that stands in the present WAL too, or in neither.
"""

from __future__ import annotations

import atexit
import errno
import os
import shutil
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

from holdfast_core.agents._jsonl import open_regular, refusal
from holdfast_core.agents._tap import COPY_PREFIX
from holdfast_core.clock import now_ms
from holdfast_core.paths import find_paths, make_private

BESIDE = ("-wal", "-journal")
_SIZE_LIMIT = 1 << 42
_LARGE_BYTES = 64 << 20
_RESERVE_BYTES = 1 << 30
_KEPT_FROM_BYTES = 4 << 20
_KEPT_COPIES = 4
_KEPT_MS = 300_000
_TIMES = 3
_SETTLED_MS = 2_000
_LONGER_BYTES = 1 << 30
_TRIES = 3
_BLOCK = 8 << 20
_CLONE = 0x40049409  # FICLONE
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_MAGIC = b"SQLite format 3\0"
_SUPER_JOURNAL = bytes.fromhex("d9d505f920a163d7")

_Identity = tuple[int, ...]


@dataclass(slots=True)
class Copy:
    """A copy in a folder of its own. ``have`` tells by ending what its files were copied from, if that has settled.

    ``size_bytes`` is that of all its files together. Who is given one gives it back, or removes it.
    """

    origin: str
    folder: str
    size_bytes: int = 0
    have: dict[str, _Identity] = field(default_factory=dict)
    used_ms: int = 0

    @property
    def path(self) -> Path:
        """The database."""
        return Path(self.folder, "copy.sqlite")

    def give_back(self) -> None:
        """Let the copy be used again, if it is worth that."""
        if "" in self.have and self.size_bytes >= _KEPT_FROM_BYTES and _has_room(self.folder, _TIMES * self.size_bytes):
            _shelf.put(self)
        else:
            self.remove()

    def remove(self) -> None:
        """Remove the copy with its folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


class _Shelf:
    """Copies that nobody uses now, by their origin; they go with the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._copies: dict[str, Copy] = {}
        atexit.register(self.clear)

    def take(self, origin: str) -> Copy | None:
        """Return the copy of a database, which is then the caller's; those that stood here too long go."""
        with self._lock:
            old = [name for name, copy in self._copies.items() if now_ms() - copy.used_ms > _KEPT_MS]
            gone = [self._copies.pop(name) for name in old]
            found = self._copies.pop(origin, None)
        for copy in gone:
            copy.remove()
        return found if found is not None and found.path.is_file() else None

    def put(self, copy: Copy) -> None:
        """Keep a copy, in place of an earlier one or of the one that was not asked for longest."""
        copy.used_ms = now_ms()
        with self._lock:
            gone = [self._copies.pop(copy.origin)] if copy.origin in self._copies else []
            self._copies[copy.origin] = copy
            if len(self._copies) > _KEPT_COPIES:
                gone.append(self._copies.pop(next(iter(self._copies))))
        for one in gone:
            one.remove()

    def clear(self) -> None:
        """Remove all."""
        with self._lock:
            gone = list(self._copies.values())
            self._copies.clear()
        for copy in gone:
            copy.remove()


_shelf = _Shelf()


def copied(path: Path, root: str) -> Copy:
    """Return a copy of a database as it is now.

    Raises:
        SourceError: a file of it cannot be read, or there is no room for it.
    """
    copy = _shelf.take(str(path))
    if copy is None:
        copy = Copy(str(path), _begun(path, root))
    try:
        os.utime(copy.folder)  # it is in use: who clears up after killed processes leaves it
        _fill(copy, path, root)
    except BaseException:
        copy.remove()
        raise
    return copy


def places() -> list[str]:
    """Return the directories in which copies may stand."""
    return [tempfile.gettempdir(), str(find_paths().cache)]


def stamp_of(path: str | Path) -> tuple[int, ...]:
    """Return what tells whether a database changed: size and time of it and of what stands beside it."""
    found: list[int] = []
    for ending in ("", *BESIDE):
        identity = _identity(f"{path}{ending}")
        found += identity[:2] if identity is not None else (0, 0)
    return tuple(found)


def _identity(path: str | Path) -> _Identity | None:
    try:
        status = os.lstat(path)
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev


def _begun(path: Path, root: str) -> str:
    """Return a new folder with room for a copy: near the origin, where blocks may be shared, if it is large."""
    identities = [_identity(f"{path}{ending}") for ending in ("", *BESIDE)]
    size = sum(identity[0] for identity in identities if identity is not None)
    usual, ours = places()
    device = identities[0][4] if identities[0] is not None else 0
    for place in (ours, usual) if size >= _LARGE_BYTES else (usual,):
        try:
            if place == ours:
                make_private(Path(place))
            folder = tempfile.mkdtemp(prefix=COPY_PREFIX, dir=place)
        except OSError:
            continue
        if _has_room(folder, size) or (_device(folder) == device and _can_clone(path, folder, root)):
            return folder
        shutil.rmtree(folder, ignore_errors=True)
    raise refusal("no_room", f"{size} bytes")


def _has_room(folder: str, size: int) -> bool:
    """Return whether a copy leaves enough room: as much as it takes itself, of a large one a reserve."""
    disk = shutil.disk_usage(folder)
    reserve = size if size < _LARGE_BYTES else min(_RESERVE_BYTES, disk.total // 10)
    return disk.free - size >= reserve


def _device(folder: str) -> int:
    return os.lstat(folder).st_dev


def _can_clone(path: Path, folder: str, root: str) -> bool:
    source = open_regular(path, root=root, limit=_SIZE_LIMIT)
    try:
        with Path(folder, "try").open("wb", buffering=0) as target:
            return _clone(source, target.fileno())
    finally:
        os.close(source)
        Path(folder, "try").unlink(missing_ok=True)


def _fill(copy: Copy, path: Path, root: str) -> None:
    """Copy what of a database is not there as it is now, while nothing changes."""
    for _ in range(_TRIES):
        now = {ending: _identity(f"{path}{ending}") for ending in ("", *BESIDE)}
        for ending, found in now.items():
            if found is None or copy.have.get(ending) != found:
                copy.have.pop(ending, None)
                _copy_one(copy, path, ending, root, is_there=found is not None)
                if found is not None and now_ms() - found[1] // 1_000_000 > _SETTLED_MS:
                    copy.have[ending] = found
                elif ending == "":
                    copy.have.clear()
        copy.size_bytes = sum(found[0] for found in now.values() if found is not None)
        if all(_identity(f"{path}{ending}") == found for ending, found in now.items()):
            break
    else:
        copy.have.clear()
    if now["-journal"] is not None:  # what the engine undoes may be meant to stay when the journal is gone
        copy.have.clear()
    Path(f"{copy.path}-shm").unlink(missing_ok=True)
    _lengthen(copy.path)


def _copy_one(copy: Copy, path: Path, ending: str, root: str, *, is_there: bool) -> None:
    target = Path(f"{copy.path}{ending}")
    if ending:
        target.unlink(missing_ok=True)
        if not is_there:
            return
    _copy(f"{path}{ending}", target, root)
    if ending == "-journal" and _names_another_file(target):
        target.unlink()


def _lengthen(copy: Path) -> None:
    """Make a database that was cut as long as its head says: else nothing of it would be given."""
    with copy.open("rb") as opened:
        head = opened.read(32)
    page = int.from_bytes(head[16:18], "big")
    said = int.from_bytes(head[28:32], "big") * (page if page > 1 else 1 << 16)
    size = copy.stat().st_size
    if head.startswith(_MAGIC) and size < said <= max(_LONGER_BYTES, 2 * size):
        os.truncate(copy, said)


def _names_another_file(journal: Path) -> bool:
    """Return whether a journal ends with the name of a super-journal, which the engine would look for and delete."""
    with journal.open("rb") as opened:
        opened.seek(max(0, journal.stat().st_size - len(_SUPER_JOURNAL)))
        return opened.read() == _SUPER_JOURNAL


def _copy(source: str, target: Path, root: str) -> None:
    descriptor = open_regular(source, root=root, limit=_SIZE_LIMIT)
    try:
        with target.open("wb", buffering=0) as written:
            if not _clone(descriptor, written.fileno()):
                _copy_blocks(descriptor, written.fileno(), os.fstat(descriptor).st_size)
    except OSError as error:
        reason = "no_room" if error.errno in _NO_ROOM else "not_readable"
        raise refusal(reason, repr(error)) from error
    finally:
        os.close(descriptor)


def _clone(source: int, target: int) -> bool:
    """Let a file share the blocks of another one; False where the system cannot."""
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        fcntl.ioctl(target, _CLONE, source)
    except OSError:
        return False
    return True


def _copy_blocks(source: int, target: int, size: int) -> None:
    """Copy as many bytes as there were: the system does it, or else we do."""
    done = 0
    by_system = getattr(os, "copy_file_range", None)
    while done < size:
        if by_system is not None:
            try:
                moved = by_system(source, target, min(1 << 30, size - done), done, done)
            except OSError as error:
                if error.errno in _NO_ROOM:
                    raise
                by_system = None
                continue
        else:
            os.lseek(source, done, os.SEEK_SET)
            os.lseek(target, done, os.SEEK_SET)
            moved = _write_all(target, os.read(source, min(_BLOCK, size - done)))
        if not moved:
            break
        done += moved


def _write_all(target: int, block: bytes) -> int:
    left = memoryview(block)
    while left:
        left = left[os.write(target, left) :]
    return len(block)
