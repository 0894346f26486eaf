"""The journal of one session: changes are records at the end of its file, folded into it from time to time.

What a change costs grows with the change: where the file is as the manifest
saw it last, nothing of it is read. Every step is taken under the session's
lock and looks first whether somebody else has written meanwhile; if so it
goes on from what stands there now.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from holdfast_core import clock
from holdfast_core.errors import HoldfastError, Refused
from holdfast_core.model.held import HeldEntry, HeldSession, Version
from holdfast_core.model.message import Message
from holdfast_core.sealed.container import Identity, Tail
from holdfast_core.sealed.locks import lock
from holdfast_core.store.backup import prune
from holdfast_core.store.claims import Claim
from holdfast_core.store.document import record, settable
from holdfast_core.store.fitting import MAX_MS
from holdfast_core.store.listing import after_append, after_set, entry_of
from holdfast_core.store.manifest import FileMark, Seen
from holdfast_core.store.places import RECORD_TYPE
from holdfast_core.store.reader import Stored, not_found, read
from holdfast_core.store.site import Site, not_taken
from holdfast_core.store.writer import Reason, write

log = logging.getLogger(__name__)

FOLD_BYTES = 1 << 20
LISTED_EVERY_SECONDS = 1.0
"""How far the manifest may lag behind a live session: who finds it lagging reads the file."""

_OBJECTS = frozenset(("config", "origin", "usage"))  # may hold what is unknown


class Journal:
    """One session, open for changes; for several threads. Ends with `close`, or with the process.

    Changes are in the file at once and survive the end of the process; they
    survive a power cut from the next `flush` on, or at once with ``sync``.
    """

    def __init__(
        self,
        site: Site,
        session_id: str,
        *,
        claim: Claim | None = None,
        on_flush: Callable[[], object] = lambda: None,
    ) -> None:
        """Use `Store.open_journal`."""
        self.id = session_id
        self._site = site
        self._path: Path = site.places.session(session_id)
        self._claim = claim
        self._seen: Seen | None = None
        self._tail: Tail | None = None
        self._name = str(self._path)
        self._mine = threading.RLock()
        self._others = lock(site.places.lock(session_id), timeout_seconds=site.limits.lock_seconds)
        self._held = _Held(self)
        self._is_dirty = False
        self._is_unlisted = False
        self._listed_seconds = clock.monotonic_seconds()
        self._on_flush = on_flush
        with self._held:
            pass

    @property
    def entry(self) -> HeldEntry:
        """The session's entry after the last change that was made or seen here."""
        return self._now.entry

    @property
    def version(self) -> Version:
        """The state after the last change that was made or seen here."""
        return Version(self._now.position.generation, self._now.position.sequence)

    @property
    def needs_fold(self) -> bool:
        """Whether the tail has grown so large that folding it pays."""
        base = self._now.base_bytes
        return base < 0 or self._now.position.offset - base > max(FOLD_BYTES, base // 2)

    def append(self, messages: Sequence[Message], *, sync: bool = False) -> Version:
        """Put messages at the end; what they used is added to the session's usage.

        Raises:
            Refused: the session would be larger than its limit, or is read-only.
            NotFound: it was deleted meanwhile.
            HoldfastError: it could not be written; the session is as before.
        """
        added = self._site.redaction.messages(messages)
        with self._held:
            entry = self._now.entry
            usage, fields = entry.usage, {}
            for message in added:
                if message.usage:
                    usage += message.usage
            if usage is not entry.usage and usage != entry.usage:
                fields = {"usage": msgspec.to_builtins(usage)}
            at = self._moment()
            payload = record("append", at, messages=added, fields=fields)
            self._add(
                payload,
                lambda size: after_append(entry, added, updated_ms=at, size_bytes=size, usage=usage),
                sync=sync,
            )
            return self.version

    def replace(self, index: int, messages: Sequence[Message], *, sync: bool = False) -> Version:
        """Put messages in the place of all from ``index`` on; the session's usage stays as it is.

        Raises: see `append`.
        """
        added = self._site.redaction.messages(messages)
        with self._held:
            entry = self._now.entry
            first = min(max(index, 0), entry.message_count)
            kept, at = msgspec.structs.replace(entry, message_count=first), self._moment()
            if not first:  # what the list showed of the first message is another now
                kept = entry_of(
                    msgspec.structs.replace(self._read().session, messages=()),
                    size_bytes=0,
                    is_encrypted=entry.is_encrypted,
                    failures=entry.failures,
                )
            self._add(
                record("replace", at, messages=added, index=first),
                lambda size: after_append(kept, added, updated_ms=at, size_bytes=size, usage=entry.usage),
                sync=sync,
            )
            return self.version

    def set(self, *, sync: bool = False, **fields: Any) -> Version:
        """Set fields of the session other than its messages.

        Raises:
            WrongUsage: a field is unknown, or not to be set.
            DocumentError: a value is of a wrong type.
            Others: see `append`.
        """
        wanted = self._site.redaction.fields(fields)
        with self._held:
            before = self._read().session if _OBJECTS & wanted.keys() else HeldSession(id=self.id)
            after, plain = settable(before, wanted)
            entry, at = self._now.entry, self._moment()
            self._add(
                record("set", at, fields=plain),
                lambda size: after_set(entry, after, fields, updated_ms=at, size_bytes=size),
                sync=sync,
                is_adoption="origin" in fields,
            )
            return self.version

    def flush(self) -> None:
        """Return when all changes that were made here survive a power cut; costs one sync.

        Raises:
            HoldfastError: the disk does not take them.
        """
        with self._mine:
            if not self._is_dirty:
                return
            if self._tail is None:
                with self._held:
                    self._sync()
            else:
                try:
                    self._sync()
                except OSError as error:
                    raise not_taken(error, self._path) from error
            self._is_dirty = False
        if clock.monotonic_seconds() - self._listed_seconds >= LISTED_EVERY_SECONDS:
            self._list()
        self._on_flush()

    def fold(self, *, always: bool = False) -> Version:
        """Write the session whole, with an empty tail, if it is not live any more or its tail has grown large.

        The former file becomes a backup.

        Raises:
            HoldfastError: it could not be written; the tail still holds everything.
        """
        with self._held:
            has_tail = self._now.position.offset > self._now.base_bytes
            if has_tail and (always or self.needs_fold or self.entry.state != "live"):
                self._fold()
            return self.version

    def keep(self) -> None:
        """Write the session anew as it is: the former file becomes a backup to which nothing is added any more.

        Raises: see `fold`.
        """
        with self._held:
            self._fold("request")

    def put(self, session: HeldSession, *, reason: Reason = "save") -> HeldSession:
        """Write a session whole in the place of this one, but for the time of the change; returns it as it is kept.

        Raises:
            Refused: it is larger than the limit, or read-only.
            DocumentError: a field is of a wrong type.
            HoldfastError: it could not be written; the session is as before.
        """
        wanted = self._site.redaction.session(session)
        with self._held:
            now = self._now
            self._refuse_unverified()
            kept = msgspec.structs.replace(wanted, updated_ms=self._moment())
            self._write(kept, now.position.generation, reason)
            return kept

    def read(self) -> HeldSession:
        """Return the whole session as it stands in the file now.

        Raises: see `reader.read`.
        """
        with self._held:
            return self._read().session

    def close(self) -> None:
        """Flush, and let the session go; does nothing the second time.

        Raises:
            HoldfastError: the last changes may not survive a power cut.
        """
        try:
            self.flush()
            if self._is_unlisted:
                self._list()
        finally:
            self._drop()
            if self._claim is not None:
                self._claim.release()
                self._claim = None

    @property
    def _now(self) -> Seen:
        if self._seen is None:
            raise not_found(self.id)
        return self._seen

    def _fold(self, reason: Reason = "save") -> None:
        stored = self._read()
        self._write(stored.session, stored.position.generation, reason)

    def _write(self, session: HeldSession, generation: int, reason: Reason) -> None:
        self._drop()
        self._seen = write(self._site, session, generation=generation, reason=reason, failures=self.entry.failures)
        self._is_dirty = False
        self._tell_manifest()
        try:
            prune(self._site, self.id)
        except HoldfastError as error:
            log.warning("old backups of session %s could not be removed: %s", self.id, error.detail)

    def _refresh(self) -> None:
        try:
            mark = FileMark.of(os.lstat(self._name))
        except (FileNotFoundError, NotADirectoryError) as error:
            self._seen = None
            raise not_found(self.id) from error
        if self._seen is not None and self._seen.mark == mark:
            return
        self._drop()
        seen = self._site.manifest.seen(self.id)
        if seen is not None and seen.mark == mark and seen.position.offset == mark.size:
            self._seen = seen
        else:
            self._seen = self._read().seen(failures=seen.entry.failures if seen else 0)
        if self.id in self._site.distrusted:
            self._fold()

    def _read(self) -> Stored:
        return read(self._path, self._site.keys, self.id, limit_bytes=self._site.read_limit_bytes)

    def _moment(self) -> int:
        """Return the time of a change: never that of an earlier one."""
        return min(max(clock.now_ms(), self._now.entry.updated_ms + 1), MAX_MS)

    def _add(self, payload: bytes, entry: Callable[[int], HeldEntry], *, sync: bool, is_adoption: bool = False) -> None:
        if self._now.base_bytes < 0:
            self._fold("repair")
        now = self._now
        limit = self._site.limits.session_bytes
        if now.plain_bytes + len(payload) > limit:
            raise Refused(f"This session would be larger than {limit >> 20} MB, the limit for one session.")
        if not is_adoption:
            self._refuse_unverified()
        tail = self._opened()
        try:
            position = tail.append([payload], sync=sync, is_checked=True)  # by `_refresh`, under the same lock
        except (OSError, HoldfastError):
            self._distrust()
            raise
        mark = FileMark.of(tail.status())
        self._seen = Seen(entry(position.offset), position, mark, now.base_bytes, now.plain_bytes + len(payload))
        self._is_dirty, self._is_unlisted = not sync, True
        if sync:
            self._tell_manifest()

    def _sync(self) -> None:
        if self._now.base_bytes < 0:  # it was torn, and is written anew before anything is added
            return
        tail = self._opened()
        try:
            tail.sync()
        except BaseException as error:
            if isinstance(error, OSError | HoldfastError):
                self._distrust()
            self._drop()
            raise

    def _distrust(self) -> None:
        """Remember that the file did not take something: it must be written anew."""
        self._site.distrusted.add(self.id)

    def _list(self) -> None:
        with self._held:
            self._tell_manifest()

    def _tell_manifest(self) -> None:
        self._site.manifest.follow(self._now)
        self._listed_seconds = clock.monotonic_seconds()
        self._is_unlisted = False

    def _opened(self) -> Tail:
        """Return the end of the file, where the manifest or a reading said that it is."""
        if self._tail is None:
            self._tail = Tail.open(self._path, self._site.keys, Identity(RECORD_TYPE, self.id), self._now.position)
        return self._tail

    def _refuse_unverified(self) -> None:
        if not self._now.entry.is_verified:
            raise Refused("This session came in unverified. It is read-only until you adopt it.")

    def _drop(self) -> None:
        tail, self._tail = self._tail, None
        if tail is not None:
            with suppress(OSError):  # what must be kept was synced before, or is so by the next flush
                tail.close()


class _Held:
    """Holds a journal's lock while the body runs, and knows what stands in its file; one object for all times.

    No generator, because every change pays for it twice.
    """

    __slots__ = ("_journal",)

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def __enter__(self) -> None:
        journal = self._journal
        journal._mine.acquire()
        try:
            journal._others.__enter__()
            try:
                journal._refresh()
            except BaseException:
                journal._others.__exit__()
                raise
        except BaseException as error:
            self._end(error)
            raise

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._journal._others.__exit__()
        self._end(error)

    def _end(self, error: BaseException | None) -> None:
        journal = self._journal
        if error is not None:
            journal._drop()
        journal._mine.release()
        if isinstance(error, OSError):
            raise not_taken(error, journal._path) from error
