"""The check at the start: one pass over names and the manifest; opened is only what is new, changed or was live.

Entries without a file go, files without an entry come in, corrupt files give
way to their newest valid backup, and what was seen before is held against
what is there: sessions that lost their end, a store that is older than it
was. The manifest is copied before anything in it is corrected.
"""

from __future__ import annotations

import logging
import os
import stat
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import apsw
import msgspec

from holdfast_core import clock
from holdfast_core.atomic import read_file, replace, write_file
from holdfast_core.errors import HoldfastError, Locked, NotFound, Refused
from holdfast_core.model.held import HeldEntry, is_held_id
from holdfast_core.model.keeping import StartSummary
from holdfast_core.sealed.container import Position
from holdfast_core.sealed.errors import SealedError
from holdfast_core.store.claims import is_claimed
from holdfast_core.store.fitting import DocumentError
from holdfast_core.store.listing import stand_in
from holdfast_core.store.manifest import FileMark, Marked, Seen, Trouble
from holdfast_core.store.places import SUFFIX, digest
from holdfast_core.store.reader import claimed_id, read
from holdfast_core.store.rescue import is_corrupt, keep_what_verifies, rescue
from holdfast_core.store.site import Site
from holdfast_core.store.words import notes_of

log = logging.getLogger(__name__)

_OTHERS = 0o077
_NOWHERE = Position(0, 0, 0, b"")


def check(site: Site, *, remembered: Path | None = None, full: bool = False) -> StartSummary:
    """Check the store, put right what can be, and return what was found and done; ``full`` opens every file.

    ``remembered`` is a file outside the store that knows how far it had come.

    Raises:
        HoldfastError: the directory cannot be read, or what was found cannot be saved.
    """
    look = _Look(site)
    try:
        files = _files(site.places.directory)
        known = site.manifest.marks()
        if remembered is not None:
            look.rolled_back = _was_further(site, remembered)
        look.compare(files, known, full=full)
        look.correct()
        if remembered is not None:
            remember(site, remembered)
    except OSError as error:
        raise HoldfastError(
            "The directory of your sessions cannot be read. Check that it is there and its permissions.",
            detail=repr(error),
        ) from error
    return look.summary(len(files))


def remember(site: Site, remembered: Path) -> None:
    """Remember outside the store how far it has come; what counts that must not fall back behind it."""
    site.manifest.settle()
    write_file(remembered, [str(site.manifest.changes()).encode()])


@dataclass
class _Look:
    """One check. Lists hold session ids."""

    site: Site
    put: list[Seen] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    orphaned_entries: list[str] = field(default_factory=list)
    orphaned_files: list[str] = field(default_factory=list)
    recovered: list[str] = field(default_factory=list)
    quarantined: list[str] = field(default_factory=list)
    unclean: list[str] = field(default_factory=list)
    truncated: list[str] = field(default_factory=list)
    strange: int = 0
    wrong_permissions: int = 0
    rolled_back: bool = False
    has_copy: bool = False

    def compare(self, files: dict[str, os.stat_result], known: dict[str, Marked], *, full: bool) -> None:
        for name, status in files.items():
            before = known.get(name)
            if not stat.S_ISREG(status.st_mode):
                self._strange(name)
                if before is not None:
                    self.orphaned_entries.append(before.id)
                continue
            if sys.platform != "win32" and status.st_mode & _OTHERS:
                self.wrong_permissions += 1
            if before is None:
                self._orphan(name, status)
            elif full or before.is_live or before.mark != FileMark.of(status):
                self._changed(before, status, full=full)
        self.orphaned_entries += [before.id for name, before in known.items() if name not in files]

    def correct(self) -> None:
        """Write down what was found, all or nothing, after a copy of what was there."""
        manifest = self.site.manifest
        for session_id in self.orphaned_entries:
            log.warning("the file of session %s is missing", session_id)
        if self.orphaned_entries or self.orphaned_files or self.put or self.troubles:
            self._copy_manifest()
            with manifest.changing():
                manifest.remove(self.orphaned_entries)
                manifest.put(*(seen for seen in self.put if self._is_still(seen)))
                for trouble in self.troubles:
                    manifest.trouble(trouble)

    def _is_still(self, seen: Seen) -> bool:
        """Return whether nobody has changed a session since it was looked into: they know better what it is now."""
        try:
            return FileMark.of(self.site.places.session(seen.entry.id).lstat()) == seen.mark
        except OSError:
            return False

    def summary(self, checked: int) -> StartSummary:
        summary = StartSummary(
            checked=checked,
            orphaned_entries=tuple(self.orphaned_entries),
            orphaned_files=tuple(self.orphaned_files),
            recovered=tuple(self.recovered),
            quarantined=tuple(self.quarantined),
            unclean=tuple(self.unclean),
            truncated=tuple(self.truncated),
            rolled_back=self.rolled_back,
            wrong_permissions=self.wrong_permissions,
            index_backup=self.has_copy,
        )
        notes = notes_of(summary, unreadable=len(self.troubles), strange=self.strange)
        return msgspec.structs.replace(summary, notes=notes)

    def _orphan(self, name: str, status: os.stat_result) -> None:
        path = self.site.places.directory / (name + SUFFIX)
        try:
            session_id = claimed_id(path)
        except (HoldfastError, OSError) as error:
            log.warning("a file among the sessions is none: %s", error)
            self._strange(name)
            return
        if not is_held_id(session_id) or digest(session_id) != name:
            self._strange(name)
            return
        if self._open(session_id):
            log.info("session %s had no entry", session_id)
            self.orphaned_files.append(session_id)

    def _changed(self, before: Marked, status: os.stat_result, *, full: bool) -> None:
        if before.mark != FileMark.of(status) or full:
            self._open(before.id)
        elif not is_claimed(self.site.places.claim(before.id)):  # it was live when it was seen last
            self.unclean.append(before.id)

    def _open(self, session_id: str) -> bool:
        """Look into a session's file and note what is to be known of it; False if it is not to be listed."""
        site, seen = self.site, self.site.manifest.seen(session_id)
        try:
            with site.lock(session_id):
                now = self._read(session_id, seen)
        except NotFound:  # deleted just now
            return False
        except HoldfastError as error:
            now = self._unreadable(session_id, seen, error)
        if now is None:
            return False
        self.put.append(now)
        if seen is not None and (now.position.generation, now.position.sequence) < (
            seen.position.generation,
            seen.position.sequence,
        ):
            self.truncated.append(session_id)
        if now.entry.state == "live" and not is_claimed(site.places.claim(session_id)):
            self.unclean.append(session_id)
        return True

    def _read(self, session_id: str, seen: Seen | None) -> Seen | None:
        path = self.site.places.session(session_id)
        try:
            stored = read(path, self.site.keys, session_id, limit_bytes=self.site.read_limit_bytes)
        except HoldfastError as error:
            if not is_corrupt(error):
                raise
            self._copy_manifest()
            found = rescue(self.site, session_id, seen=seen, why=error)
            (self.quarantined if found is None else self.recovered).append(session_id)
            if found is None:
                return None
            stored = found
        if stored.is_damaged:
            stored = keep_what_verifies(self.site, stored)
            self.truncated.append(session_id)
        return stored.seen(failures=seen.entry.failures if seen else 0)

    def _unreadable(self, session_id: str, seen: Seen | None, error: HoldfastError) -> Seen | None:
        """Return the stand-in for a session that is whole and cannot be read; a problem unless it is only locked."""
        path = self.site.places.session(session_id)
        try:
            status = path.lstat()
        except OSError:
            return None
        entry = seen.entry if seen else HeldEntry(id=session_id, updated_ms=status.st_mtime_ns // 1_000_000)
        position = seen.position if seen else _NOWHERE
        if isinstance(error, Locked):
            entry = stand_in(msgspec.structs.replace(entry, is_encrypted=True))
        else:
            log.warning("session %s cannot be read: %s", session_id, error.detail or error)
            self.troubles.append(
                Trouble(session_id, code_of(error), str(error), clock.now_ms(), entry.title, status.st_size)
            )
        entry = msgspec.structs.replace(entry, size_bytes=status.st_size)
        return Seen(entry, position, FileMark.of(status), -1, 0)

    def _strange(self, name: str) -> None:
        """Put aside what is no session at all: a link, a device, another program's file."""
        path = self.site.places.directory / (name + SUFFIX)
        log.warning("a file among the sessions is none of ours and was put aside")
        replace(path, self.site.places.quarantine / f"{name}-{clock.now_ms()}{SUFFIX}")
        self.strange += 1

    def _copy_manifest(self) -> None:
        if self.has_copy:
            return
        try:
            self.site.manifest.copy_to(self.site.places.manifest_copy)
        except apsw.Error as error:
            raise HoldfastError("The list of sessions could not be copied.", detail=repr(error)) from error
        self.has_copy = True


def code_of(error: HoldfastError) -> str:
    """Return the short stable code of why a session cannot be read."""
    if isinstance(error, SealedError):
        return error.reason
    if isinstance(error, DocumentError):
        return "invalid"
    return "newer_format" if isinstance(error, Refused) else "unreadable"


def _files(directory: Path) -> dict[str, os.stat_result]:
    """Return what stands among the sessions under a session's name, by this without its ending."""
    found = {}
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.name.endswith(SUFFIX) and not entry.name.startswith("."):
                with suppress(FileNotFoundError):
                    found[entry.name.removesuffix(SUFFIX)] = entry.stat(follow_symlinks=False)
    return found


def _was_further(site: Site, remembered: Path) -> bool:
    try:
        before = int(read_file(remembered, limit_bytes=64))
    except (OSError, ValueError):
        return False
    is_older = 0 < site.manifest.changes() < before  # one that was made anew just now knows nothing
    site.manifest.count_from(before)
    return is_older
