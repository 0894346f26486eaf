"""What to do about a file that is not what was written: the newest valid backup takes its place, it is put aside."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from holdfast_core import clock
from holdfast_core.atomic import read_file, replace, sync_directory, temporary_name, write_file
from holdfast_core.errors import HoldfastError, Refused
from holdfast_core.sealed import container
from holdfast_core.sealed.container import Identity
from holdfast_core.sealed.errors import SealedError
from holdfast_core.store.document import encode
from holdfast_core.store.manifest import Seen, Trouble
from holdfast_core.store.places import RECORD_TYPE, SUFFIX
from holdfast_core.store.reader import CORRUPT, Stored, read
from holdfast_core.store.site import Site

log = logging.getLogger(__name__)

QUARANTINED = "quarantined"


def is_corrupt(error: HoldfastError) -> bool:
    """Return whether an error of reading says that the bytes are not what was written."""
    # Files of another store are whole: it is our keys that are not theirs.
    return isinstance(error, SealedError) and error.reason in CORRUPT and error.detail != "another store"


def rescue(site: Site, session_id: str, *, seen: Seen | None, why: HoldfastError) -> Stored | None:
    """Put the newest valid backup in the place of a corrupt file, which goes to the quarantine.

    The caller holds the session's lock. Returns what stands there now; None if there was no valid backup: then the
    session is a problem. The manifest knows afterwards.

    Raises:
        Refused: its backups are locked; nothing was done.
        HoldfastError: its backups cannot be listed; nothing was done.
        OSError: it could not be written; nothing was done.
    """
    path = site.places.session(session_id)
    aside = _aside(site, path)
    found = _newest_valid(site, session_id)
    if found is None:
        log.warning("session %s is corrupt and has no valid backup: %s", session_id, why.detail)
        size = path.lstat().st_size
        replace(path, aside)
        sync_directory(path.parent)
        title = seen.entry.title if seen else ""
        site.manifest.remove([session_id])
        site.manifest.trouble(put_aside(session_id, title, size))
        return None
    log.warning("session %s is corrupt, a backup takes its place: %s", session_id, why.detail)
    generation = max(found.position.generation, seen.position.generation if seen else 0) + 1
    _put_in_place(site, found, path, aside, generation)
    stored = read(path, site.keys, session_id, limit_bytes=site.read_limit_bytes)
    site.manifest.put(stored.seen(failures=seen.entry.failures if seen else 0))
    return stored


def put_aside(session_id: str, title: str, size_bytes: int) -> Trouble:
    """Return the problem of a session of which only a damaged file is left."""
    reason = "This session's file is damaged and no backup of it is valid. The file was put aside as it is."
    return Trouble(session_id, QUARANTINED, reason, clock.now_ms(), title, size_bytes)


def keep_what_verifies(site: Site, stored: Stored) -> Stored:
    """Write a session whose journal is damaged in the middle as far as it verifies; the file goes to the quarantine.

    The caller holds the session's lock. The manifest is the caller's to tell.

    Raises:
        OSError: it could not be written; nothing was done.
    """
    session_id = stored.session.id
    path = site.places.session(session_id)
    log.warning("the journal of session %s is damaged; it was kept as far as it verifies", session_id)
    _put_in_place(site, stored, path, _aside(site, path), stored.position.generation + 1)
    return read(path, site.keys, session_id, limit_bytes=site.read_limit_bytes)


def backup_files(site: Site, session_id: str) -> list[Path]:
    """Return the files of a session's earlier generations, newest first.

    Raises:
        HoldfastError: their directory cannot be read, which is not the same as none.
    """
    try:
        found = list(site.places.backups_of(session_id).iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise HoldfastError(
            "The backups cannot be read. Check the permissions of their directory.", detail=repr(error)
        ) from error
    return sorted((path for path in found if path.name[:1].isdigit() and path.suffix == SUFFIX), reverse=True)


def _aside(site: Site, path: Path) -> Path:
    return site.places.quarantine / f"{path.stem}-{clock.now_ms()}{SUFFIX}"


def _newest_valid(site: Site, session_id: str) -> Stored | None:
    return next(_valid(site, session_id), None)


def _valid(site: Site, session_id: str) -> Iterator[Stored]:
    for path in backup_files(site, session_id):
        try:
            yield read(path, site.keys, session_id, limit_bytes=site.read_limit_bytes)
        except Refused:
            raise
        except HoldfastError as error:
            log.info("a backup of session %s is not valid: %s", session_id, error.detail)


def _put_in_place(site: Site, found: Stored, path: Path, aside: Path, generation: int) -> None:
    """Seal a session anew, since no key stream may serve twice, and give it its place in one step."""
    with temporary_name(path.parent) as made:
        container.write(
            made,
            site.keys,
            Identity(RECORD_TYPE, found.session.id),
            encode(found.session, limit_bytes=site.read_limit_bytes),
            expected_generation=None,
            encrypt=site.keys.is_encrypted,
            lowest_generation=generation,
        )
        write_file(path, [read_file(made, limit_bytes=site.read_limit_bytes)], backup=aside)
        made.unlink()
