"""Writes all that a store holds anew under the keys of now: after a new key, and when encryption begins or ends.

Sessions, backups and what is in the trash keep what they hold; what is in the
quarantine is sealed as mere bytes under a name of its own, and taken out again.
Whatever is cut off halfway goes on where it stopped when it is asked for again.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from holdfast_core import clock
from holdfast_core.atomic import open_regular, read_bytes, replace, sync_directory, write_file
from holdfast_core.errors import HoldfastError, Locked, NotFound, Refused
from holdfast_core.model.held import is_held_id
from holdfast_core.sealed import container
from holdfast_core.sealed.container import Container, Identity
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.layout import ENCRYPTED, HEADER_MAX_BYTES, header_bytes, unpack_header
from holdfast_core.store import trash
from holdfast_core.store.fitting import DocumentError
from holdfast_core.store.listing import ENCRYPTED_TITLE, stand_in
from holdfast_core.store.manifest import FileMark, Seen
from holdfast_core.store.places import RECORD_TYPE, SUFFIX, digest
from holdfast_core.store.reader import claimed_id, read
from holdfast_core.store.rescue import is_corrupt, keep_what_verifies, rescue
from holdfast_core.store.site import Site, told_when_failing

log = logging.getLogger(__name__)

_ASIDE_TYPE = "quarantine"
_ASIDE = ".sealed"
_PIECE_BYTES = 1 << 20


def reseal(site: Site, session_id: str) -> bool:
    """Write one session as it is under the keys of now; a damaged one gives way to what is left of it first.

    Returns whether that was done: what a newer version of Holdfast or another store wrote stays as it is.

    Raises:
        Locked: it is encrypted and locked.
        HoldfastError: it could not be written; it is as it was.
    """
    try:
        with told_when_failing(), site.lock(session_id):
            _reseal(site, session_id)
    except (NotFound, Refused, SealedError) as error:
        if isinstance(error, Locked) or getattr(error, "reason", "") == "locked":
            raise
        log.warning("session %s could not be sealed anew: %s", session_id, error.detail or error)
        return False
    return True


def reseal_rest(site: Site) -> None:
    """Write backups, trash and quarantine under the keys of now; what is damaged goes to the quarantine before.

    Raises:
        Refused: something is encrypted and locked.
        HoldfastError: something could not be written; it is as it was, and so is what would have come after it.
    """
    with told_when_failing():
        for directory in _directories(site.places.backups):
            for path in sorted(directory.glob(f"*{SUFFIX}")):
                _reseal_copy(site, path, directory.name)
        for path in sorted(site.places.trash.glob(f"*{SUFFIX}")):
            _reseal_copy(site, path, path.stem)
        trash.renew(site)
        for path in sorted(site.places.quarantine.iterdir()):
            _reseal_aside(site, path)


def scrub(site: Site) -> None:
    """Leave nothing in the manifest's files of what it said before; its copy goes.

    Raises:
        HoldfastError: they could not be written.
    """
    site.manifest.rename_troubles(ENCRYPTED_TITLE)
    site.manifest.scrub()
    with told_when_failing():
        site.places.manifest_copy.unlink(missing_ok=True)


def in_the_clear(site: Site) -> list[str]:
    """Return the files of an encrypted store that are not encrypted, by their names below its directory.

    Those are what a newer Holdfast wrote, what is no plain file or too large
    among what was put aside, and what an encryption that was cut off left.

    Raises:
        HoldfastError: a directory cannot be read.
    """
    if not site.keys.is_encrypted:
        return []
    places = site.places
    with told_when_failing():
        stored = [*places.directory.glob(f"*{SUFFIX}"), *places.backups.glob(f"*/*{SUFFIX}")]
        stored += places.trash.glob(f"*{SUFFIX}")
        found = [path for path in stored if not _is_encrypted(path)]
        found += [path for path in places.quarantine.iterdir() if not path.is_symlink() and not _is_encrypted(path)]
    return sorted(path.relative_to(places.directory).as_posix() for path in found)


def _reseal(site: Site, session_id: str) -> None:
    path = site.places.session(session_id)
    seen = site.manifest.seen(session_id)
    failures = seen.entry.failures if seen else 0
    try:
        stored = read(path, site.keys, session_id, limit_bytes=site.read_limit_bytes)
    except DocumentError:
        _reseal_unread(site, session_id, seen)
        return
    except SealedError as error:
        if is_corrupt(error):
            rescue(site, session_id, seen=seen, why=error)
            return
        raise
    if stored.is_damaged:
        keep_what_verifies(site, stored)
    else:
        container.reseal(path, site.keys, Identity(RECORD_TYPE, session_id), encrypt=site.keys.is_encrypted)
    stored = read(path, site.keys, session_id, limit_bytes=site.read_limit_bytes)
    site.manifest.put(stored.seen(failures=failures))


def _reseal_unread(site: Site, session_id: str, seen: Seen | None) -> None:
    """Seal a session whose bytes are what was written, but say nothing valid: it stays the problem that it is."""
    path, is_encrypted = site.places.session(session_id), site.keys.is_encrypted
    position = container.reseal(path, site.keys, Identity(RECORD_TYPE, session_id), encrypt=is_encrypted)
    if seen is None:
        return
    entry = msgspec.structs.replace(seen.entry, size_bytes=position.offset, is_encrypted=is_encrypted)
    now = Seen(stand_in(entry) if is_encrypted else entry, position, FileMark.of(path.lstat()), -1, 0)
    troubles = [trouble for trouble in site.manifest.troubles() if trouble.id == session_id]
    with site.manifest.changing():
        site.manifest.put(now)
        for trouble in troubles:
            site.manifest.trouble(trouble)


def _reseal_copy(site: Site, path: Path, name: str) -> None:
    """Write a backup or a deleted session anew; one that is not what was written goes to the quarantine."""
    try:
        session_id = claimed_id(path)
        if not is_held_id(session_id) or digest(session_id) != name:
            raise SealedError("wrong_identity")
        with site.lock(session_id):
            before = path.lstat()
            identity, is_encrypted = Identity(RECORD_TYPE, session_id), site.keys.is_encrypted
            container.reseal(path, site.keys, identity, encrypt=is_encrypted, spare=site.places.directory)
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # a backup is as old as what it holds
    except FileNotFoundError:  # somebody else let it go
        return
    except SealedError as error:
        if error.reason == "locked":
            raise
        if not is_corrupt(error) and error.reason != "not_regular":
            log.warning("a file could not be sealed anew: %s", error.detail)
            return
        log.warning("an earlier or deleted session is damaged and was put aside: %s", error.detail)
        replace(path, site.places.quarantine / f"{name}-{clock.now_ms()}-{path.stem}{SUFFIX}")
        sync_directory(path.parent)
        sync_directory(site.places.quarantine)


def _reseal_aside(site: Site, path: Path) -> None:
    """Seal the bytes of what was put aside, or take them out again where nothing is encrypted any more."""
    is_sealed = path.suffix == _ASIDE
    if site.keys.is_encrypted == is_sealed or not stat.S_ISREG(path.lstat().st_mode):
        return
    target = path.with_suffix("") if is_sealed else path.with_name(path.name + _ASIDE)
    identity = Identity(_ASIDE_TYPE, (target if is_sealed else path).name)
    try:
        if is_sealed:
            sealed = Container.open(path, site.keys, identity, limit_bytes=site.read_limit_bytes)
            write_file(target, sealed.frames())
        else:
            target.unlink(missing_ok=True)  # of a time that was cut off: what it was made of is still here
            container.write(target, site.keys, identity, _pieces(path), expected_generation=None, encrypt=True)
    except (SealedError, Refused) as error:
        if getattr(error, "reason", "") == "locked":
            raise
        log.warning("what was put aside stays as it is: %s", error.detail)
        return
    path.unlink()
    sync_directory(path.parent)


def _pieces(path: Path) -> Iterator[bytes]:
    descriptor = open_regular(path)
    try:
        while piece := read_bytes(descriptor, _PIECE_BYTES):
            yield piece
    finally:
        os.close(descriptor)


def _directories(top: Path) -> list[Path]:
    return sorted(path for path in top.iterdir() if path.is_dir() and not path.is_symlink())


def _is_encrypted(path: Path) -> bool:
    """Return whether a file says of itself that it is encrypted; one that is gone says nothing in the clear."""
    try:
        descriptor = open_regular(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        start = read_bytes(descriptor, HEADER_MAX_BYTES)
    finally:
        os.close(descriptor)
    with suppress(HoldfastError):
        return unpack_header(start[: header_bytes(start)]).suite == ENCRYPTED
    return False
