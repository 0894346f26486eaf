"""Brings stored sessions of earlier schemas to the present one: backup, migrate, validate, commit, or nothing."""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from holdfast_core import clock
from holdfast_core.errors import HoldfastError
from holdfast_core.model.held import SCHEMA_VERSION
from holdfast_core.sealed.container import Container, Identity, read_header
from holdfast_core.store import backup
from holdfast_core.store.claims import is_claimed
from holdfast_core.store.fitting import DocumentError
from holdfast_core.store.manifest import Seen, Trouble
from holdfast_core.store.migrations import MigrationFailed
from holdfast_core.store.places import RECORD_TYPE
from holdfast_core.store.reader import Stored, read
from holdfast_core.store.site import Site, told_when_failing
from holdfast_core.store.writer import write

log = logging.getLogger(__name__)

FAILED = "migration"
"""The code of the problem that a session has whose migration failed."""


def upgrade_all(site: Site) -> int:
    """Bring every session that is of an earlier schema to the present one; returns how many there were.

    One that cannot be migrated is as it was, has a backup and stands among
    the problems; the others go on. Sessions that are open somewhere, locked,
    or of a newer Holdfast are passed over.
    """
    upgraded = 0
    for entry in site.manifest.entries():
        seen = site.manifest.seen(entry.id)
        if seen is None or seen.base_bytes >= 0:  # what may be appended to is of the present schema
            continue
        try:
            upgraded += upgrade(site, entry.id)
        except HoldfastError as error:
            log.info("session %s was not migrated: %s", entry.id, error.detail or error)
    return upgraded


def upgrade(site: Site, session_id: str) -> bool:
    """Bring one session to the present schema; False if there was nothing to do.

    Raises:
        MigrationFailed: its content is not valid in the present schema, or
            could not be written. It is byte for byte as it was, a backup of it
            is there, and it stands among the problems.
        Refused: it is locked, or a newer Holdfast wrote it.
        HoldfastError: it cannot be read at all.
    """
    with told_when_failing(), site.lock(session_id):
        if is_claimed(site.places.claim(session_id)):
            return False
        try:
            stored = _read(site, session_id)
        except (MigrationFailed, DocumentError) as error:
            if _stored_version(site, session_id) == SCHEMA_VERSION:  # not valid, but not for being migrated
                raise
            raise _failed(site, session_id, error) from error
        if stored.schema_version == SCHEMA_VERSION:
            return False
        try:
            backup.create(site, session_id, "migration")
            seen = _commit(site, stored)
        except (HoldfastError, OSError) as error:
            raise _failed(site, session_id, error) from error
        site.manifest.put(seen)
    log.info("session %s was migrated from version %d", session_id, stored.schema_version)
    return True


class _Head(msgspec.Struct):
    schema_version: Any = None


def _stored_version(site: Site, session_id: str) -> object:
    """Return what a session's file says of its schema."""
    identity = Identity(RECORD_TYPE, session_id)
    sealed = Container.open(site.places.session(session_id), site.keys, identity, limit_bytes=site.read_limit_bytes)
    try:
        return msgspec.json.decode(next(sealed.frames(), b"{}"), type=_Head).schema_version
    except msgspec.DecodeError:
        return None


def _commit(site: Site, stored: Stored) -> Seen:
    """Write the migrated session and read it again; put the former file back if that is not the same session."""
    session = msgspec.structs.replace(stored.session, schema_version=SCHEMA_VERSION)
    former = stored.position.generation
    seen = site.manifest.seen(session.id)
    try:
        written = write(
            site, session, generation=former, reason="migration", failures=seen.entry.failures if seen else 0
        )
        if _read(site, session.id).session != session:
            raise MigrationFailed(stored.schema_version, "what was written is not what was read")
    except (HoldfastError, OSError):
        _roll_back(site, session.id, former)
        raise
    return written


def _roll_back(site: Site, session_id: str, generation: int) -> None:
    """Give the former file its place again, byte for byte, if another has it: the very last sync may have failed."""
    path = site.places.session(session_id)
    if read_header(path, site.keys, Identity(RECORD_TYPE, session_id)).generation != generation:
        backup.put_back(site, session_id, generation, "migration")


def _failed(site: Site, session_id: str, error: Exception) -> MigrationFailed:
    """Log why a session could not be migrated, and see to it that a backup is there and that the person is told."""
    detail = error.detail if isinstance(error, HoldfastError) else repr(error)
    log.error("session %s could not be migrated and is as it was: %s", session_id, detail)
    failed = error if isinstance(error, MigrationFailed) else MigrationFailed(0, detail)
    try:
        backup.create(site, session_id, "migration")
    except (HoldfastError, OSError) as second:
        log.error("session %s could not be backed up: %r", session_id, second)
    seen = site.manifest.seen(session_id)
    title, size = (seen.entry.title, seen.entry.size_bytes) if seen else ("", 0)
    site.manifest.trouble(Trouble(session_id, FAILED, str(failed), clock.now_ms(), title, size))
    return failed


def _read(site: Site, session_id: str) -> Stored:
    return read(site.places.session(session_id), site.keys, session_id, limit_bytes=site.read_limit_bytes)
