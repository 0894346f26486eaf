"""Care for held sessions: what is wrong with them and what can be done, backups, recovery after a crash."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, suppress

import msgspec

from holdfast_core import clock
from holdfast_core.errors import HoldfastError, Locked, NotFound
from holdfast_core.model.held import HeldEntry, HeldSession
from holdfast_core.model.keeping import (
    Backup,
    BadSession,
    FieldNotice,
    HeldProblem,
    StartSummary,
    Unclean,
    VerifyReport,
)
from holdfast_core.sealed.container import Container, Identity
from holdfast_core.sealed.errors import SealedError
from holdfast_core.store import backup, permissions, upgrade
from holdfast_core.store.check import check
from holdfast_core.store.claims import is_claimed
from holdfast_core.store.document import decode
from holdfast_core.store.journal import Journal
from holdfast_core.store.manifest import FAILING, Trouble
from holdfast_core.store.part import Part
from holdfast_core.store.places import RECORD_TYPE
from holdfast_core.store.reader import not_found, read
from holdfast_core.store.rescue import backup_files, is_corrupt, keep_what_verifies, rescue
from holdfast_core.store.site import told_when_failing
from holdfast_core.store.words import LOST_END, UNVERIFIED, choices_of_problem, choices_of_unclean, failing
from holdfast_core.store.writer import Reason


class Care(Part):
    """The part of a store that looks after sessions; for the rest see `Store`."""

    def backups(self, session_id: str) -> list[Backup]:
        """Return a session's earlier generations, the newest first, each verified."""
        self.site.places.session(session_id)
        return backup.backups(self.site, session_id)

    def backup(self, session_ids: Sequence[str] | None = None, *, reason: Reason = "request") -> int:
        """Keep the present state of sessions as a backup, of all if None; returns how many."""
        wanted = self._all(session_ids)
        for session_id in wanted:
            if reason != "request" or not self._kept(session_id):
                backup.create(self.site, session_id, reason)
        return len(wanted)

    def restore(self, session_id: str, version: int | None = None) -> HeldEntry:
        """Put a backup in the place of the present state, which becomes one; the newest valid one unless named.

        Raises:
            NotFound: there is no such backup, or no valid one.
            Refused: the session is open.
        """
        if version is None:
            valid = [one.version for one in self.backups(session_id) if one.is_valid]
            if not valid:
                raise NotFound("There is no valid backup of this session.", detail=session_id)
            version = valid[0]
        seen = backup.restore(self.site, session_id, version)
        self._tell(changed=[session_id])
        return seen.entry

    def prune_backups(self) -> int:
        """Remove the oldest backups where there are more than are kept; returns how many went."""
        return backup.prune_all(self.site)

    def migrate(self) -> int:
        """Write sessions of earlier schemas in the present one, with a backup each; returns how many."""
        return upgrade.upgrade_all(self.site)

    def permissions(self, *, repair: bool) -> int:
        """Return how many files and directories others can get at; with ``repair`` how many were put right."""
        with told_when_failing():
            wrong = permissions.look([self.site.places.directory])
            return permissions.repair(wrong) if repair else sum(one.kind == "mode" for one in wrong)

    def verify(self, session_ids: Sequence[str] | None = None) -> VerifyReport:
        """Check every byte of sessions against its tags, of all if None; for bad ones the newest valid backup is used.

        Works while encrypted sessions are locked.
        """
        wanted = self._all(session_ids)
        notices: list[FieldNotice] = []
        bad = [found for session_id in wanted if (found := self._verified(session_id, notices))]
        self._tell(
            changed=[one.id for one in bad if one.recovered], removed=[one.id for one in bad if not one.recovered]
        )
        return VerifyReport(len(wanted), tuple(bad), tuple(notices))

    def repair(self) -> StartSummary:
        """Open every session, put right what can be, permissions included, and return what was found."""
        repaired = self.permissions(repair=True)
        found = check(self.site, full=True)
        self._tell(added=found.orphaned_files, changed=found.recovered, removed=found.orphaned_entries)
        return msgspec.structs.replace(found, wrong_permissions=repaired)

    def problems(self) -> list[HeldProblem]:
        """Return the sessions that cannot be used as they are, and what can be done about each."""
        found = [self._problem(trouble) for trouble in self.site.manifest.troubles()]
        known = {problem.id for problem in found}
        for entry in self.site.manifest.entries():
            if not entry.is_verified and entry.id not in known:
                found.append(
                    self._problem(
                        Trouble(entry.id, "unverified", UNVERIFIED, entry.created_ms, entry.title, entry.size_bytes)
                    )
                )
        return found

    def retry(self, session_id: str) -> HeldSession:
        """Read a session that was a problem once more; if that works it is none any more.

        Raises: see `Store.load`.
        """
        site = self.site
        with told_when_failing(), site.lock(session_id):
            stored = read(site.places.session(session_id), site.keys, session_id, limit_bytes=site.read_limit_bytes)
            site.manifest.no_trouble(session_id)
            site.manifest.put(stored.seen())
        self._tell(changed=[session_id])
        return stored.session

    def unclean(self) -> list[Unclean]:
        """Return the sessions that were live when their host died; those that are open somewhere are none."""
        found = []
        for entry in self.site.manifest.entries():
            if entry.state == "live" and not is_claimed(self.site.places.claim(entry.id)):
                found.append(self._unclean(entry))
        return found

    def recover(self, session_id: str) -> HeldEntry:
        """Close a session that was cut off, with everything that was acknowledged."""
        with closing(Journal(self.site, session_id)) as journal:
            journal.set(sync=True, is_live=False, closed_ms=clock.now_ms())
            journal.fold(always=True)
        self._tell(changed=[session_id])
        return journal.entry

    def discard_recovery(self, session_id: str) -> HeldEntry:
        """Close a session that was cut off as it was last written whole; what came after it stays in a backup."""
        site = self.site
        path = site.places.session(session_id)
        with told_when_failing(path), site.lock(session_id), closing(Journal(site, session_id)) as journal:
            try:
                sealed = Container.open(
                    path, site.keys, Identity(RECORD_TYPE, session_id), limit_bytes=site.read_limit_bytes
                )
            except FileNotFoundError as error:
                raise not_found(session_id) from error
            session = decode(sealed.frames()).session
            journal.put(msgspec.structs.replace(session, is_live=False, closed_ms=clock.now_ms()), reason="restore")
        self._tell(changed=[session_id])
        return journal.entry

    def failed(self, session_id: str) -> int:
        """Count a restore that failed; returns how many did in a row. At the limit the session becomes a problem."""
        entry = self.site.manifest.edit(
            session_id, lambda before: msgspec.structs.replace(before, failures=before.failures + 1)
        )
        if entry is None:
            raise not_found(session_id)
        if entry.failures >= self.site.limits.resume_failures:
            reason = failing(entry.failures)
            self.site.manifest.trouble(
                Trouble(session_id, FAILING, reason, clock.now_ms(), entry.title, entry.size_bytes)
            )
            self._tell(changed=[session_id])
        return entry.failures

    def succeeded(self, session_id: str) -> None:
        """Forget the restores of a session that failed."""
        entry = self.site.manifest.entry(session_id)
        if entry is None:
            raise not_found(session_id)
        if entry.failures:
            self.site.manifest.edit(session_id, lambda before: msgspec.structs.replace(before, failures=0))
            self.site.manifest.no_trouble(session_id)
            self._tell(changed=[session_id])

    def _kept(self, session_id: str) -> bool:
        """Let the present file become a backup of its own; False if that would need a passphrase."""
        try:
            with closing(Journal(self.site, session_id)) as journal:
                journal.keep()
        except Locked:
            return False
        return True

    def _all(self, session_ids: Sequence[str] | None) -> Sequence[str]:
        return [entry.id for entry in self.site.manifest.entries()] if session_ids is None else session_ids

    def _verified(self, session_id: str, notices: list[FieldNotice]) -> BadSession | None:
        site = self.site
        path = site.places.session(session_id)
        with told_when_failing(path), site.lock(session_id):
            try:
                sealed = Container.open(
                    path, site.keys, Identity(RECORD_TYPE, session_id), limit_bytes=site.read_limit_bytes
                )
            except FileNotFoundError:
                return BadSession(session_id, "Its file is missing.", recovered=False)
            except SealedError as error:
                is_back = is_corrupt(error) and self._take_backup(session_id, error)
                return BadSession(session_id, str(error), recovered=is_back)
            if not sealed.is_damaged:
                with suppress(HoldfastError):  # locked, or a problem that the list of problems tells of
                    document = decode(sealed.frames(), sealed.tail())
                    notices += [FieldNotice(session_id, one.field, one.kind) for one in document.notices]
                return None
            stored = read(path, site.keys, session_id, limit_bytes=site.read_limit_bytes)
            site.manifest.put(keep_what_verifies(site, stored).seen())
            return BadSession(session_id, LOST_END, recovered=True)

    def _take_backup(self, session_id: str, error: SealedError) -> bool:
        return rescue(self.site, session_id, seen=self.site.manifest.seen(session_id), why=error) is not None

    def _problem(self, trouble: Trouble) -> HeldProblem:
        choices = choices_of_problem(trouble.code, has_backup=bool(backup_files(self.site, trouble.id)))
        return HeldProblem(
            trouble.id, trouble.title, trouble.code, trouble.reason, trouble.noticed_ms, trouble.size, choices
        )

    def _unclean(self, entry: HeldEntry) -> Unclean:
        site = self.site
        tail_messages = dropped_bytes = 0
        try:
            stored = read(site.places.session(entry.id), site.keys, entry.id, limit_bytes=site.read_limit_bytes)
            tail_messages, dropped_bytes = stored.tail_messages, stored.dropped_bytes
        except HoldfastError:
            pass  # locked, or a problem that the list of problems tells of
        return Unclean(
            id=entry.id,
            title=entry.title,
            project_path=entry.project_path,
            updated_ms=entry.updated_ms,
            message_count=entry.message_count,
            journal_messages=tail_messages,
            dropped_bytes=dropped_bytes,
            failures=entry.failures,
            choices=choices_of_unclean(),
        )
