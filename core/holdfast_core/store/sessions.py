"""Held sessions as they are made, read and changed.

Every change takes the lock of its session alone, so that different sessions
never wait for each other; other processes may use the same directory.
"""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any, Unpack

import msgspec

from holdfast_core import clock
from holdfast_core.errors import HoldfastError, Refused, WrongUsage
from holdfast_core.model.annotation import Annotation, Saying
from holdfast_core.model.changes import ChangeSet
from holdfast_core.model.held import HeldEntry, HeldSession, Origin, Version
from holdfast_core.model.message import Message
from holdfast_core.model.usage import Usage
from holdfast_core.store.annotations import editing, normalised, normalised_tag
from holdfast_core.store.claims import claim
from holdfast_core.store.cleaning import make_room
from holdfast_core.store.fitting import Notice
from holdfast_core.store.journal import Journal
from holdfast_core.store.part import Part
from holdfast_core.store.reader import not_found, read
from holdfast_core.store.rescue import is_corrupt, rescue
from holdfast_core.store.site import told_when_failing
from holdfast_core.store.writer import write

log = logging.getLogger(__name__)

_TAGS = frozenset(("tags", "add_tags", "remove_tags"))


class Sessions(Part):
    """The part of a store that makes, reads and changes sessions; for the rest see `Store`."""

    def entries(self) -> list[HeldEntry]:
        """Return the entries of all sessions, the last changed first.

        Raises:
            HoldfastError: the directory cannot be read: that is not the same as being empty.
        """
        try:
            os.scandir(self.site.places.directory).close()
        except OSError as error:
            raise HoldfastError("The directory of your sessions cannot be read.", detail=repr(error)) from error
        return self.site.manifest.entries()

    def entry(self, session_id: str) -> HeldEntry:
        """Return one session's entry."""
        self.site.places.session(session_id)
        found = self.site.manifest.entry(session_id)
        if found is None:
            raise not_found(session_id)
        return found

    def state(self, session_id: str) -> str:
        """Return a session's state: live, closed or problem."""
        return self.entry(session_id).state

    def load(self, session_id: str) -> HeldSession:
        """Return a whole session, verified; of a damaged one the newest valid backup, which takes its place.

        Raises:
            Refused: it is encrypted and locked, or a newer version of Holdfast wrote it.
            HoldfastError: it cannot be read, and there is no valid backup.
        """
        return self.noticed(session_id)[0]

    def noticed(self, session_id: str) -> tuple[HeldSession, tuple[Notice, ...]]:
        """Return a whole session as `load` does, and what was made good in it; that is logged."""
        site = self.site
        path = site.places.session(session_id)
        try:
            stored = read(path, site.keys, session_id, limit_bytes=site.read_limit_bytes)
        except HoldfastError as error:
            if not is_corrupt(error):
                raise
            return self._rescued(session_id), ()
        for notice in stored.notices:
            made = "is missing" if notice.kind == "default" else "was of another type"
            log.info("session %s: the field %s %s and was made good", session_id, notice.field, made)
        return stored.session, stored.notices

    def version(self, session_id: str) -> Version:
        """Return which state of a session stands now, to be given to `save`."""
        with closing(Journal(self.site, session_id)) as journal:
            return journal.version

    def create(self, session: HeldSession | None = None, **fields: Any) -> HeldSession:
        """Keep a new session and return it as it is kept. Without an id it gets one; times that are 0 are now.

        Raises:
            Refused: its id is taken, it is larger than the limit, or as many
                sessions are stored as may be.
        """
        wanted = msgspec.structs.replace(session or HeldSession(id=str(uuid.uuid4())), **fields)
        now = clock.now_ms()
        made = self.site.redaction.session(
            msgspec.structs.replace(wanted, created_ms=wanted.created_ms or now, updated_ms=wanted.updated_ms or now)
        )
        gone = make_room(self.site, now_ms=now)
        with told_when_failing(), self.site.lock(made.id):
            self.site.manifest.put(write(self.site, made, generation=None))
        self._tell(added=[made.id], removed=[entry.id for entry in gone])
        return made

    def save(self, session: HeldSession, *, expected: Version | None = None) -> HeldSession:
        """Keep a whole session as it is given, but for the time of the change, and return it as it is kept.

        Without ``expected`` the later of two saves wins.

        Raises:
            Refused: it is not ``expected`` any more, is read-only, or larger than the limit.
        """
        with told_when_failing(), self.site.lock(session.id), closing(Journal(self.site, session.id)) as journal:
            if expected is not None and journal.version != expected:
                raise Refused("This session was changed elsewhere meanwhile.", detail=session.id)
            kept = journal.put(session)
        self._tell(changed=[session.id])
        return kept

    def open_journal(self, session_id: str) -> Journal:
        """Open a session for a live host: nobody else can, until the journal is closed or the process ends.

        Raises:
            Refused: it is open already, here or elsewhere.
        """
        site = self.site
        if not site.places.session(session_id).exists():
            raise not_found(session_id)
        with told_when_failing():
            mine = claim(site.places.claim(session_id))
        try:
            told = ChangeSet(changed=(session_id,))
            return Journal(site, session_id, claim=mine, on_flush=lambda: self.changes.notify(told))
        except BaseException:
            mine.release()
            raise

    def append(self, session_id: str, messages: Sequence[Message]) -> HeldEntry:
        """Put messages at the end of a session, durably."""
        with closing(Journal(self.site, session_id)) as journal:
            journal.append(messages, sync=True)
        self._tell(changed=[session_id])
        return journal.entry

    def set(self, session_id: str, **fields: Any) -> HeldEntry:
        """Set fields of a session other than its messages, durably.

        Raises:
            WrongUsage: a field is unknown, or not to be set.
        """
        with closing(Journal(self.site, session_id)) as journal:
            journal.set(sync=True, **fields)
        self._tell(changed=[session_id])
        return journal.entry

    def annotate(self, session_id: str, **said: Unpack[Saying]) -> HeldEntry:
        """Keep what the person says of a session: title, tags, star, note.

        Raises:
            WrongUsage: one of them is not acceptable.
        """
        edit = editing(said)
        with told_when_failing(), self.site.lock(session_id), closing(Journal(self.site, session_id)) as journal:
            before = journal.read() if journal.entry.is_encrypted else HeldSession(id="", tags=journal.entry.tags)
            strange, tags = _sorted_out(before.tags if _TAGS & said.keys() else ())
            after = normalised(edit(Annotation(session_id=session_id, tags=tags)))
            fields: dict[str, Any] = {}
            if "title" in said:
                fields["title"] = after.title or ""
            if "starred" in said:
                fields["starred"] = after.starred
            if "note" in said:
                fields["notes"] = after.note
            if _TAGS & said.keys():
                fields["tags"] = after.tags if "tags" in said else (*after.tags, *strange)
            journal.set(sync=True, **fields)
        self._tell(changed=[session_id])
        return journal.entry

    def rename(self, session_id: str, title: str) -> HeldEntry:
        """Give a session a title."""
        return self.annotate(session_id, title=title)

    def tag(self, session_id: str, *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> HeldEntry:
        """Give tags to a session and take tags from it."""
        return self.annotate(session_id, add_tags=add, remove_tags=remove)

    def star(self, session_id: str, starred: bool = True) -> HeldEntry:
        """Star a session, or take the star away."""
        return self.annotate(session_id, starred=starred)

    def note(self, session_id: str, text: str) -> HeldEntry:
        """Keep a note on a session, in the place of the one before."""
        return self.annotate(session_id, note=text)

    def adopt(self, session_id: str) -> HeldEntry:
        """Take an unverified session as it is, so that it can be changed and continued."""
        origin = self.load(session_id).origin
        return self.set(session_id, origin=msgspec.structs.replace(origin, is_verified=True))

    def close(self, session_id: str) -> HeldEntry:
        """Close a session and fold its journal; if folding fails it is closed all the same, and the journal stays."""
        with closing(Journal(self.site, session_id)) as journal:
            journal.set(sync=True, is_live=False, closed_ms=clock.now_ms())
            try:
                journal.fold(always=True)
            except HoldfastError as error:
                log.error("session %s was closed without being written whole: %s", session_id, error.detail)
        self._tell(changed=[session_id])
        return journal.entry

    def fork(self, session_id: str, *, at: int | None = None) -> HeldSession:
        """Keep a copy under a new id and return it; only the messages before index ``at`` if that is given."""
        before = self.load(session_id)
        messages = before.messages if at is None else before.messages[: max(at, 0)]
        usage = before.usage
        if len(messages) < len(before.messages):
            usage = sum((one.usage for one in messages if one.usage), Usage())
        origin = Origin(
            kind="forked",
            agent=before.origin.agent,
            native_id=before.origin.native_id,
            branch=before.origin.branch,
            parent_id=session_id,
            is_verified=before.origin.is_verified,
        )
        return self.create(
            before,
            id=str(uuid.uuid4()),
            created_ms=0,
            updated_ms=0,
            closed_ms=None,
            last_resumed_ms=None,
            is_live=False,
            messages=messages,
            usage=usage,
            starred=False,
            origin=origin,
        )

    def _rescued(self, session_id: str) -> HeldSession:
        site = self.site
        path = site.places.session(session_id)
        with told_when_failing(path), site.lock(session_id):
            try:
                return read(path, site.keys, session_id, limit_bytes=site.read_limit_bytes).session
            except HoldfastError as error:
                if not is_corrupt(error):
                    raise
                found = rescue(site, session_id, seen=site.manifest.seen(session_id), why=error)
                if found is None:
                    raise
        self._tell(changed=[session_id])
        return found.session


def _sorted_out(tags: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the tags that nobody could give here, which stay as another program wrote them, and the others."""
    strange, usual = [], []
    for tag in tags:
        try:
            usual.append(normalised_tag(tag))
        except WrongUsage:
            strange.append(tag)
    return tuple(strange), tuple(usual)
