"""The trash: what was deleted and can be put back, byte for byte, until the trash is emptied.

A deleted session is two files in ``trash``: its own, moved there as it was,
and a small sealed record of what the manifest knew of it, when it went and
why. Of one that was put aside as damaged that file is what lies in the
quarantine, and goes back there. The record is there first and goes last, so that whatever is killed when,
the next look finishes what was begun. Backups stay until the trash is emptied.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from holdfast_core.atomic import replace, sync_directory
from holdfast_core.errors import HoldfastError, Locked, NotFound, Refused
from holdfast_core.model.held import HeldEntry
from holdfast_core.model.keeping import Loss, TrashEntry
from holdfast_core.sealed import container
from holdfast_core.sealed.container import Container, Identity, Position, read_header
from holdfast_core.sealed.errors import SealedError
from holdfast_core.store.claims import is_claimed
from holdfast_core.store.listing import stand_in
from holdfast_core.store.manifest import FileMark, Seen
from holdfast_core.store.places import SUFFIX, digest
from holdfast_core.store.reader import not_found, read
from holdfast_core.store.rescue import QUARANTINED, put_aside
from holdfast_core.store.retention import is_protected
from holdfast_core.store.site import Site, told_when_failing

log = logging.getLogger(__name__)

_RECORD_TYPE = "trash"
_RECORD = ".gone"
_RECORD_LIMIT = 1 << 24
_DAY_MS = 86_400_000
_TITLES = 20


class _Gone(msgspec.Struct, frozen=True):
    """What is remembered of a deleted session. ``aside`` is the name it had in the quarantine, if it was there."""

    entry: HeldEntry
    deleted_ms: int
    reason: Literal["person", "retention"]
    position: Position | None = None
    mark: FileMark | None = None
    base_bytes: int = -1
    plain_bytes: int = 0
    aside: str = ""


def delete(
    site: Site, session_ids: Sequence[str], *, now_ms: int, reason: Literal["person", "retention"] = "person"
) -> list[TrashEntry]:
    """Move sessions to the trash, one after the other; returns those that went.

    Of one that was put aside as damaged the file goes there; where even that
    is gone the problem is forgotten.

    Raises:
        NotFound: there is no such session.
        Refused: one is open, or a newer Holdfast wrote it; those before it went.
        HoldfastError: one could not be moved; it is where it was.
    """
    entries = []
    for session_id in dict.fromkeys(session_ids):
        with told_when_failing(), site.lock(session_id):
            if _is_lost(site, session_id):
                site.manifest.remove([session_id])
                continue
            gone = _remember(site, session_id, now_ms, reason)
            before = _place(site, gone)
            replace(before, _file(site, digest(session_id)))
            site.manifest.remove([session_id])  # first: should a sync fail, it is not in two places for the person
            sync_directory(site.places.trash)
            sync_directory(before.parent)
        entries.append(_entry(site, gone))
        log.info("session %s is in the trash", session_id)
    return entries


def loss(site: Site, session_ids: Sequence[str]) -> Loss:
    """Return what deleting sessions would take away; those that are live, starred or tagged ``keep`` count as kept."""
    asked = list(dict.fromkeys(session_ids))
    entries = [seen.entry for one in asked if (seen := site.manifest.seen(one))]
    entries += [
        _unlisted(site, one.id, one.size)
        for one in site.manifest.troubles()
        if one.id in asked and one.code == QUARANTINED
    ]
    going = [entry for entry in entries if not is_protected(entry)]
    return Loss(
        sessions=len(going),
        messages=sum(entry.message_count for entry in going),
        bytes=sum(entry.size_bytes for entry in going),
        titles=tuple(entry.title for entry in going[:_TITLES]),
        kept=len(entries) - len(going),
    )


def trash(site: Site) -> list[TrashEntry]:
    """Return what is in the trash, the last deleted first.

    Raises:
        HoldfastError: its directory cannot be read: that is not the same as being empty.
    """
    found = [_entry(site, gone) for name, gone in _records(site) if _file(site, name).exists()]
    return sorted(found, key=lambda entry: entry.deleted_ms, reverse=True)


def undelete(site: Site, session_ids: Sequence[str]) -> list[HeldEntry]:
    """Put sessions back as they were, byte for byte, with what the list knew of them.

    Raises:
        NotFound: one is not in the trash.
        Refused: a session of that id is there already.
        HoldfastError: one could not be moved; it is where it was.
    """
    back = []
    for session_id in dict.fromkeys(session_ids):
        name = digest(session_id)
        path = site.places.session(session_id)
        with told_when_failing(path), site.lock(session_id):
            gone = _record(site, name)
            if gone is None or not _file(site, name).exists():
                raise NotFound("There is no such session in the trash.", detail=session_id)
            if path.exists():
                raise Refused("This session is there already. Nothing was put back.", detail=session_id)
            path = _place(site, gone)
            replace(_file(site, name), path)
            entry = _welcome(site, gone, path)  # first: should the sync fail, it is not nowhere for the person
            sync_directory(path.parent)
            _record_file(site, name).unlink(missing_ok=True)
            sync_directory(site.places.trash)
        back.append(entry)
        log.info("session %s is back from the trash", session_id)
    return back


def empty(site: Site, session_ids: Sequence[str] | None = None) -> int:
    """Remove deleted sessions for good, all if none are named; returns how many.

    Of each nothing is left: its file with the journal in it, its backups, what
    was put aside of it, its locks, its record, and what the manifest and the
    copy of it knew.

    Raises:
        NotFound: one that is named is not in the trash.
        HoldfastError: something could not be removed.
    """
    if session_ids is None:
        going = dict(_records(site))
    else:
        going = {}
        for session_id in session_ids:
            gone = _record(site, digest(session_id))
            if gone is None:
                raise NotFound("There is no such session in the trash.", detail=session_id)
            going[digest(session_id)] = gone
    for name, gone in going.items():
        _remove(site, name, gone)
    if going:
        with told_when_failing():
            site.places.manifest_copy.unlink(missing_ok=True)
        site.manifest.scrub()
    return len(going)


def renew(site: Site) -> None:
    """Let the records say of deleted sessions what may be told of them now that these were sealed anew.

    Raises:
        Refused: one is encrypted and locked.
        HoldfastError: a record could not be written.
    """
    for name, gone in _records(site):
        with told_when_failing(), site.lock(gone.entry.id):
            now = _renewed(site, gone, _file(site, name))
            if now != gone:
                _write(site, name, now, replacing=True)


def expire(site: Site, *, now_ms: int) -> int:
    """Remove for good what has been in the trash for as long as is set; returns how many sessions."""
    days = site.limits.trash_days
    if not days:
        return 0
    gone = [entry.id for entry in trash(site) if now_ms - entry.deleted_ms >= days * _DAY_MS]
    return empty(site, gone) if gone else 0


def _remember(site: Site, session_id: str, now_ms: int, reason: Literal["person", "retention"]) -> _Gone:
    """Write the record of a session that is about to go."""
    path, name = site.places.session(session_id), digest(session_id)
    if is_claimed(site.places.claim(session_id)):
        raise Refused("This session is open. Close it before you delete it.", detail=session_id)
    aside = None if path.exists() else _newest_aside(site, session_id)
    if not path.exists() and aside is None:
        raise not_found(session_id)
    if _file(site, name).exists():
        raise Refused("An earlier session of this id is still in the trash. Empty the trash first.", detail=session_id)
    seen = site.manifest.seen(session_id)
    if aside is None and (seen is None or seen.base_bytes < 0):  # else it was read by this version
        _refuse_newer(site, session_id)
    if aside is not None:
        gone = _Gone(_unlisted(site, session_id, aside.lstat().st_size), now_ms, reason, aside=aside.name)
    elif seen is None:
        gone = _Gone(_unlisted(site, session_id, path.lstat().st_size), now_ms, reason)
    else:
        gone = _Gone(seen.entry, now_ms, reason, seen.position, seen.mark, seen.base_bytes, seen.plain_bytes)
    record = _record_file(site, name)
    record.unlink(missing_ok=True)  # of a deletion that was cut off before the file went
    _write(site, name, gone)
    return gone


def _write(site: Site, name: str, gone: _Gone, *, replacing: bool = False) -> None:
    """Write a record. What the manifest says in plain text of an encrypted session is all that stands in it."""
    path, identity = _record_file(site, name), Identity(_RECORD_TYPE, name)
    container.write(
        path,
        site.keys,
        identity,
        [msgspec.json.encode(gone)],
        expected_generation=read_header(path, site.keys, identity).generation if replacing else None,
        encrypt=False,
    )


def _renewed(site: Site, gone: _Gone, path: Path) -> _Gone:
    """Return the record of a deleted session as its file is now; of one that cannot be read only what may be told."""
    try:
        seen = read(path, site.keys, gone.entry.id, limit_bytes=site.read_limit_bytes).seen(
            failures=gone.entry.failures
        )
    except Locked:
        raise
    except HoldfastError as error:
        log.info("a deleted session cannot be read: %s", error.detail)
        is_encrypted = site.keys.is_encrypted
        entry = msgspec.structs.replace(gone.entry, is_encrypted=is_encrypted)
        return _Gone(stand_in(entry) if is_encrypted else entry, gone.deleted_ms, gone.reason, aside=gone.aside)
    return _Gone(seen.entry, gone.deleted_ms, gone.reason, seen.position, seen.mark, seen.base_bytes, seen.plain_bytes)


def _refuse_newer(site: Site, session_id: str) -> None:
    """Raise Refused if a newer Holdfast wrote a session; one that is locked or damaged may go."""
    try:
        read(site.places.session(session_id), site.keys, session_id, limit_bytes=site.read_limit_bytes)
    except Locked:
        return
    except HoldfastError as error:
        if isinstance(error, Refused) or (isinstance(error, SealedError) and error.reason == "newer_format"):
            raise Refused(
                "A newer version of Holdfast wrote this session. Update Holdfast to delete it.", detail=error.detail
            ) from error


def _unlisted(site: Site, session_id: str, size_bytes: int) -> HeldEntry:
    """Return an entry for a session that is not listed: damaged, or a problem."""
    known = (trouble for trouble in site.manifest.troubles() if trouble.id == session_id)
    title = next((trouble.title for trouble in known), "")
    return HeldEntry(id=session_id, title=title, size_bytes=size_bytes, state="problem")


def _newest_aside(site: Site, session_id: str) -> Path | None:
    """Return the damaged file of a session that is a problem because nothing else is left of it; None of all others."""
    if not _is_put_aside(site, session_id):
        return None
    return max(site.places.quarantine.glob(f"{digest(session_id)}-*{SUFFIX}"), default=None)


def _is_lost(site: Site, session_id: str) -> bool:
    """Return whether a session is a problem of which not even the damaged file is there."""
    if not _is_put_aside(site, session_id) or site.places.session(session_id).exists():
        return False
    return _newest_aside(site, session_id) is None


def _is_put_aside(site: Site, session_id: str) -> bool:
    return any(one.id == session_id and one.code == QUARANTINED for one in site.manifest.troubles())


def _place(site: Site, gone: _Gone) -> Path:
    """Return where the file of a deleted session was."""
    return site.places.quarantine / Path(gone.aside).name if gone.aside else site.places.session(gone.entry.id)


def _welcome(site: Site, gone: _Gone, path: Path) -> HeldEntry:
    """Let the manifest know of a session that is back; returns its entry."""
    if gone.aside:
        site.manifest.trouble(put_aside(gone.entry.id, gone.entry.title, gone.entry.size_bytes))
        return gone.entry
    seen = _seen(site, gone, path)
    site.manifest.put(seen)
    return seen.entry


def _seen(site: Site, gone: _Gone, path: Path) -> Seen:
    """Return what the manifest knew, if the file is still the same; else what stands in it."""
    mark = FileMark.of(path.lstat())
    if gone.position is not None and gone.mark == mark:
        return Seen(gone.entry, gone.position, mark, gone.base_bytes, gone.plain_bytes)
    try:
        return read(path, site.keys, gone.entry.id, limit_bytes=site.read_limit_bytes).seen()
    except HoldfastError as error:
        log.info("session %s came back as it was and cannot be read: %s", gone.entry.id, error.detail)
        return Seen(gone.entry, Position(0, 0, 0, b""), mark, -1, 0)


def _remove(site: Site, name: str, gone: _Gone) -> None:
    """Remove a deleted session with all that belongs to it; one that is back, or never went, keeps everything."""
    session_id = gone.entry.id
    with told_when_failing(), site.lock(session_id):
        if not site.places.session(session_id).exists():
            _file(site, name).unlink(missing_ok=True)
            sync_directory(site.places.trash)
            _remove_backups(site.places.backups_of(session_id))
            for aside in site.places.quarantine.glob(f"{name}-*"):
                aside.unlink(missing_ok=True)
            site.manifest.remove([session_id])
        _record_file(site, name).unlink(missing_ok=True)
        sync_directory(site.places.trash)
    for lock in (site.places.lock(session_id), site.places.claim(session_id)):
        with suppress(OSError):  # somebody may be waiting for it (Windows); it holds nothing
            lock.unlink()
    log.info("session %s is gone for good", session_id)


def _remove_backups(directory: Path) -> None:
    if directory.is_symlink():  # what it leads to is not ours
        directory.unlink()
    if not directory.is_dir():
        return
    for path in directory.iterdir():
        path.unlink(missing_ok=True)
    directory.rmdir()
    sync_directory(directory.parent)


def _records(site: Site) -> Iterator[tuple[str, _Gone]]:
    """Yield all records by their files' names without the ending; one that is damaged is passed over."""
    try:
        names = sorted(path.stem for path in site.places.trash.iterdir() if path.suffix == _RECORD)
    except OSError as error:
        raise _unreadable(error) from error
    for name in names:
        gone = _record(site, name)
        if gone is not None:
            yield name, gone


def _record(site: Site, name: str) -> _Gone | None:
    path = _record_file(site, name)
    try:
        sealed = Container.open(path, site.keys, Identity(_RECORD_TYPE, name), limit_bytes=_RECORD_LIMIT)
        gone = msgspec.json.decode(b"".join(sealed.frames()), type=_Gone)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(error) from error
    except (SealedError, msgspec.DecodeError) as error:
        log.warning("a record of the trash cannot be read: %s", error)
        return None
    return gone if digest(gone.entry.id) == name else None


def _unreadable(error: OSError) -> HoldfastError:
    return HoldfastError("The trash cannot be read. Check the permissions of its directory.", detail=repr(error))


def _entry(site: Site, gone: _Gone) -> TrashEntry:
    entry, days = gone.entry, site.limits.trash_days
    return TrashEntry(
        id=entry.id,
        title=entry.title,
        project_path=entry.project_path,
        deleted_ms=gone.deleted_ms,
        expires_ms=gone.deleted_ms + days * _DAY_MS if days else None,
        message_count=entry.message_count,
        size_bytes=entry.size_bytes,
        reason=gone.reason,
    )


def _file(site: Site, name: str) -> Path:
    return site.places.trash / (name + SUFFIX)


def _record_file(site: Site, name: str) -> Path:
    return site.places.trash / (name + _RECORD)
