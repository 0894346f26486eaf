"""Earlier generations of held sessions: listed, made, put back, and let go when there are more than are kept.

A session that is written whole leaves its former file as a backup by itself,
by a hard link that costs nothing (`holdfast_core.atomic`). A backup that is
asked for is a copy: the file itself goes on growing.
"""

from __future__ import annotations

import logging
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, get_args

import msgspec

from holdfast_core import clock
from holdfast_core.atomic import open_regular, sync_directory, write_file
from holdfast_core.errors import HoldfastError, NotFound, Refused
from holdfast_core.model.held import HeldSession
from holdfast_core.model.keeping import Backup
from holdfast_core.sealed.container import Container, Identity, read_header
from holdfast_core.sealed.errors import SealedError
from holdfast_core.store.claims import is_claimed
from holdfast_core.store.fitting import MAX_MS
from holdfast_core.store.manifest import Seen
from holdfast_core.store.places import RECORD_TYPE
from holdfast_core.store.reader import not_found, read
from holdfast_core.store.rescue import backup_files, is_corrupt, rescue
from holdfast_core.store.site import Site, told_when_failing
from holdfast_core.store.writer import Reason, write

log = logging.getLogger(__name__)

_NAME = re.compile(r"(\d{1,18})-([a-z]+)\.hold")
_PIECE_BYTES = 1 << 20


class _Kept(NamedTuple):
    """A backup by its file's name and status alone."""

    version: int
    reason: Reason
    path: Path
    modified_ms: int
    size_bytes: int


def backups(site: Site, session_id: str) -> list[Backup]:
    """Return the backups of a session, the newest first; each is verified, which reads it whole."""
    return [
        Backup(session_id, one.version, one.modified_ms, one.size_bytes, one.reason, _is_valid(site, session_id, one))
        for one in _kept(site, session_id)
    ]


def create(site: Site, session_id: str, reason: Reason = "request") -> Backup:
    """Copy a session's file as it is now; one of the same generation and reason is replaced.

    Raises:
        NotFound: there is no such session.
        SealedError: its file is not what was written.
        HoldfastError: it could not be written.
    """
    path = site.places.session(session_id)
    with told_when_failing(path), site.lock(session_id):
        try:
            generation = read_header(path, site.keys, Identity(RECORD_TYPE, session_id)).generation
        except FileNotFoundError as error:
            raise not_found(session_id) from error
        target = site.places.backup(session_id, generation, reason)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        _copy(path, target, site.places.directory)
        made = next(one for one in _kept(site, session_id) if one.path == target)
    return Backup(session_id, generation, made.modified_ms, made.size_bytes, reason, _is_valid(site, session_id, made))


def restore(site: Site, session_id: str, version: int) -> Seen:
    """Write a backup's session in the place of the present one, which becomes a backup itself.

    It is sealed anew as a new generation; only ``updated_ms`` differs, and it
    is not live.

    Raises:
        NotFound: there is no such session, or no backup of that version.
        Refused: the session is open, or a newer Holdfast wrote it.
        HoldfastError: the backup is not valid, or it could not be written;
            the session is as it was.
    """
    path = site.places.session(session_id)
    with told_when_failing(path), site.lock(session_id):
        if is_claimed(site.places.claim(session_id)):
            raise Refused("This session is open. Close it before an earlier state of it is put back.")
        found = _valid(site, session_id, version)
        generation = _present(site, session_id)
        before = site.manifest.seen(session_id)
        updated_ms = min(max(clock.now_ms(), before.entry.updated_ms + 1 if before else 0), MAX_MS)
        session = msgspec.structs.replace(found, is_live=False, updated_ms=updated_ms)
        seen = write(site, session, generation=generation, reason="restore")
        site.manifest.put(seen)
    log.info("session %s is as it was in version %d", session_id, version)
    return seen


def put_back(site: Site, session_id: str, version: int, reason: Reason) -> None:
    """Give a backup's bytes the session's place, exactly as they are; the caller holds the lock.

    Raises:
        OSError: it could not be written.
    """
    path = site.places.session(session_id)
    _copy(site.places.backup(session_id, version, reason), path, path.parent)


def prune(site: Site, session_id: str, *, keep: int | None = None) -> int:
    """Remove the oldest backups of a session until ``keep`` are left, by default as many as are set; how many went.

    Raises:
        HoldfastError: one could not be removed.
    """
    keep = site.limits.backups_kept if keep is None else keep
    too_many = _kept(site, session_id)[keep:]
    if not too_many:
        return 0
    directory = site.places.backups_of(session_id)
    with told_when_failing(), site.lock(session_id):
        for one in too_many:
            one.path.unlink(missing_ok=True)
        sync_directory(directory)
        if not any(directory.iterdir()):
            directory.rmdir()
    return len(too_many)


def prune_all(site: Site) -> int:
    """Remove the oldest backups of every session; returns how many went."""
    return sum(prune(site, entry.id) for entry in site.manifest.entries())


def stored_bytes(site: Site) -> int:
    """Return what all backups take.

    Raises:
        HoldfastError: their directory cannot be read.
    """
    total = 0
    try:
        for directory, _, names in os.walk(site.places.backups, onerror=_raise):
            for name in names:
                with suppress(FileNotFoundError):  # another process let it go
                    total += Path(directory, name).lstat().st_size
    except OSError as error:
        raise HoldfastError(
            "The backups cannot be read. Check the permissions of their directory.", detail=repr(error)
        ) from error
    return total


def _kept(site: Site, session_id: str) -> list[_Kept]:
    """Return a session's backups, newest first; behind a link there are none of ours."""
    found: list[_Kept] = []
    if site.places.backups_of(session_id).is_symlink():
        return found
    for path in backup_files(site, session_id):
        name = _NAME.fullmatch(path.name)
        if name is None or name[2] not in get_args(Reason):
            continue
        try:
            status = path.lstat()
        except FileNotFoundError:  # another process let it go
            continue
        reason: Any = name[2]
        found.append(_Kept(int(name[1]), reason, path, status.st_mtime_ns // 1_000_000, status.st_size))
    return sorted(found, key=lambda one: (one.version, one.modified_ms, one.size_bytes), reverse=True)


def _is_valid(site: Site, session_id: str, one: _Kept) -> bool:
    try:
        sealed = Container.open(
            one.path, site.keys, Identity(RECORD_TYPE, session_id), limit_bytes=site.read_limit_bytes
        )
    except (SealedError, OSError):
        return False
    return not sealed.is_damaged


def _valid(site: Site, session_id: str, version: int) -> HeldSession:
    """Return the session of a version; of several backups of one version that which goes furthest."""
    wanted = [one for one in _kept(site, session_id) if one.version == version]
    if not wanted:
        raise NotFound("There is no such backup of this session.", detail=f"{session_id}, version {version}")
    *others, last = wanted
    for one in others:
        try:
            return _session(site, session_id, one)
        except SealedError as error:
            log.info("a backup of session %s is not valid: %s", session_id, error.detail)
    return _session(site, session_id, last)


def _session(site: Site, session_id: str, one: _Kept) -> HeldSession:
    return read(one.path, site.keys, session_id, limit_bytes=site.read_limit_bytes).session


def _present(site: Site, session_id: str) -> int:
    """Return the generation that stands in the session's place; a corrupt file gives way to a valid one first."""
    path = site.places.session(session_id)
    try:
        return read(path, site.keys, session_id, limit_bytes=site.read_limit_bytes).position.generation
    except HoldfastError as error:
        if not is_corrupt(error):
            raise
        rescued = rescue(site, session_id, seen=site.manifest.seen(session_id), why=error)
        if rescued is None:
            raise
        return rescued.position.generation


def _copy(source: Path, target: Path, spare: Path) -> None:
    descriptor = open_regular(source)
    try:
        write_file(target, iter(lambda: os.read(descriptor, _PIECE_BYTES), b""), spare=spare)
    finally:
        os.close(descriptor)


def _raise(error: OSError) -> None:
    raise error
