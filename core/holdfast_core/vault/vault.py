"""The vault: keeps every version of every source, gives each one back, and proves that it can.

One process writes at a time, under a kernel lock from the first capture of a
batch to its `commit`; whoever only reads needs none. Nothing is made on disk
before the first capture.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import apsw

from holdfast_core import clock
from holdfast_core.agents.base import Fingerprint, SourceRef, fingerprint_at
from holdfast_core.atomic import replace, sync_directory, write_file
from holdfast_core.errors import HoldfastError, Locked, NotFound
from holdfast_core.model.vault import VaultStatus, Version, VersionReason
from holdfast_core.paths import make_private
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.keys import Keys
from holdfast_core.sealed.locks import lock
from holdfast_core.vault.capturing import Captured, Capturing, Wanted
from holdfast_core.vault.catalogue import Catalogue, Row
from holdfast_core.vault.content import Seen
from holdfast_core.vault.going import numbers
from holdfast_core.vault.state import Look, NoSpaceKept, StrandState, VaultOptions, state_of
from holdfast_core.vault.strand import Strand, strand_path
from holdfast_core.vault.table import Lost, Mark, Tagged

log = logging.getLogger(__name__)

__all__ = ["Captured", "Look", "Mark", "NoSpaceKept", "Seen", "StrandState", "Vault", "VaultOptions"]

LOCK, CATALOGUE = "lock", "vault.db"
_LOCK_SECONDS = 30.0
_MINUTE_MS = 60_000
_SPACE_EVERY_SECONDS = 1.0


class Vault:
    """One vault. For several threads, of which one at a time captures a batch."""

    def __init__(self, directory: Path, keys: Callable[[], Keys], options: VaultOptions) -> None:
        """Use `open` instead."""
        self.directory = directory
        self.options = options
        self._keys = keys
        self._mutex = threading.RLock()
        self._catalogue: Catalogue | None = None
        self._capturing: Capturing | None = None
        self._held: lock | None = None
        self._space_seconds = float("-inf")
        self._is_short = False

    @classmethod
    def open(cls, directory: Path, keys: Callable[[], Keys], *, options: VaultOptions | None = None) -> Vault:
        """Open the vault in a directory, which need not be there yet; ``keys`` are asked for when they are needed."""
        return cls(directory, keys, options or VaultOptions())

    @property
    def is_encrypted(self) -> bool:
        """Whether what is captured now is encrypted: wanted, and there is a passphrase."""
        return self.options.is_encrypted and self._keys().is_encrypted

    def state(self, agent: str, key: str) -> StrandState | None:
        """Return what is known of a source, None if it never was captured. Of this batch only after `commit`."""
        catalogue = self._known()
        row = catalogue.row(agent, key) if catalogue else None
        return self._state(row) if row else None

    def states(self, agent: str) -> dict[str, StrandState]:
        """Return what is known of all sources of an agent by their keys, those of companions too."""
        catalogue = self._known()
        rows = catalogue.rows(agent) if catalogue else []
        keys = {row.name: row.key for row in rows}
        return {row.key: self._state(row, keys) for row in rows}

    def looks(self, agent: str) -> dict[str, Look]:
        """Return what an agent's sources looked like when they were captured last, by their keys."""
        catalogue = self._known()
        question = (
            "SELECT key, path, size, modified_ns, inode, content_bytes, captured_ms, is_gone FROM strand"
            " WHERE agent = ? AND owner = ''"
        )
        rows = catalogue.read(question, (agent,)) if catalogue else []
        return {row[0]: Look(row[1], Fingerprint(*row[2:5]), row[5], row[6], bool(row[7])) for row in rows}

    def marks(self, agent: str, key: str) -> list[Mark]:
        """Return the sessions in a source's newest version; those that are not there any more have no messages."""
        row = self._row(agent, key)
        return self._must_know().marks(row.name) if row else []

    def lost(self, agent: str, key: str) -> dict[str, int]:
        """Return how many messages of each session of a source are gone there."""
        row = self._row(agent, key)
        return self._must_know().lost(row.name) if row else {}

    def companions(self, agent: str, key: str) -> list[StrandState]:
        """Return what is known of the companions of a source."""
        row = self._row(agent, key)
        return [self._state(one, {row.name: key}) for one in self._must_know().owned(row.name)] if row else []

    def versions(self, agent: str, key: str) -> list[Version]:
        """Return the versions of a source, the first first; none if it never was captured."""
        row = self._row(agent, key)
        return self._must_know().versions(row) if row else []

    def version_at(self, agent: str, key: str, captured_ms: int) -> int | None:
        """Return the number of the version with content that was the newest at a time; None for none."""
        found = [one for one in self.versions(agent, key) if one.captured_ms <= captured_ms]
        if not found or found[-1].reason in ("deleted", "replaced"):
            return None
        return found[-1].number

    def strands_of(self, session_id: str) -> list[tuple[str, str]]:
        """Return (agent, key) of the sources that hold or held a session, the last captured first."""
        catalogue = self._known()
        agent, _, native_id = session_id.partition(":")
        return [one for one in catalogue.holding(native_id) if one[0] == agent] if catalogue else []

    def capture(
        self,
        ref: SourceRef,
        seen: Seen | None = None,
        *,
        marks: Sequence[Mark] = (),
        companions: Sequence[Path] = (),
        reason: VersionReason | None = None,
        is_urgent: bool = False,
    ) -> Captured:
        """Take a source as it is now, and the files that belong to it. It counts after `commit`.

        ``marks`` are all sessions in it, if it was not only continued, else
        those that changed. A database that changes is taken only so often,
        unless it ``is_urgent``. The thread that begins a batch ends it.

        Raises:
            NoSpaceKept: the disk is too full.
            Locked: the vault is encrypted and the passphrase has not been given.
            NotNow: the source is being rewritten.
            Refused: another process writes to the vault all the time.
            HoldfastError, OSError: the source cannot be read, or the disk does not take it.
        """
        self._need_space()
        capturing = self._begin()
        look = seen or Seen(ref.fingerprint)
        minutes = 0 if is_urgent else self.options.database_minutes
        with _told(), self._mutex:
            taken = capturing.capture(
                Wanted(ref.agent, ref.key, ref.path, look, marks, reason), database_ms=int(minutes * _MINUTE_MS)
            )
            self._companions(capturing, ref, companions)
        return taken

    def gone(self, agent: str, key: str, reason: VersionReason = "deleted") -> Captured | None:
        """Note that a source is gone from where it was, with its companions; None if it never was captured.

        Raises: see `capture`.
        """
        capturing = self._begin()
        with _told(), self._mutex:
            taken = capturing.close_version(agent, key, reason)
            going = capturing.going(agent, key)
            for row in self._must_know().owned(going.row.name) if going else ():
                if not os.path.lexists(row.path):
                    capturing.close_version(agent, row.key, "deleted")
        return taken

    def moved(self, agent: str, old_key: str, ref: SourceRef) -> bool:
        """Let the strand of a source go on under another key; False if it has none, or the other has one already.

        Raises: see `capture`.
        """
        capturing = self._begin()
        with _told(), self._mutex:
            return capturing.move(agent, old_key, ref.key, ref.path, ref.fingerprint)

    def lose(self, agent: str, key: str, native_id: str, lost: int) -> None:
        """Note how many messages of a session are here and not at the source; 0 if all are there again.

        Raises:
            NotFound: the source never was captured.
            Others: see `capture`.
        """
        capturing = self._begin()
        with _told(), self._mutex:
            going = capturing.going(agent, key)
            if going is None:
                raise NotFound("This session is not in the vault.")
            if going.hot.table.lost.get(native_id, 0) != lost:
                capturing.tell(going, Lost(native_id, lost))

    def tag(self, agent: str, key: str, number: int, text: str) -> None:
        """Give a version a name, or take it away; at once.

        Raises:
            NotFound: there is no such version.
            Others: see `capture`.
        """
        if number not in (version.number for version in self.versions(agent, key)):
            raise NotFound("There is no such version.", detail=f"version {number}")
        capturing = self._begin()
        with _told(), self._mutex:
            row = capturing.going(agent, key)
            if row is not None:
                going = capturing.reopened(row.row.name)
                capturing.tell(going, Tagged(number, text))
        self.commit()

    def commit(self) -> None:
        """Return when everything since the last commit is on the disk itself: only now it counts.

        Raises:
            NoSpaceKept, HoldfastError, OSError: it is not, and counts as never captured.
        """
        with self._mutex:
            capturing, self._capturing = self._capturing, None
        if capturing is None:
            return
        try:
            with _told():
                for name in capturing.publish():
                    capturing.reopened(name, whole=True)
                    capturing.publish()
        finally:
            capturing.discard()
            self._release()

    def discard(self) -> None:
        """End a batch without its commit; what was captured in it counts as never captured."""
        with self._mutex:
            capturing, self._capturing = self._capturing, None
        if capturing is not None:
            capturing.discard()
            self._release()

    def content(self, agent: str, key: str, number: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of a version, at most a megabyte each; of the newest with content if ``number`` is None.

        Raises:
            NotFound: there is no such version, or no content in it.
            SealedError: it is damaged here, or locked.
        """
        row = self._row(agent, key)
        if row is None:
            raise NotFound("This session is not in the vault.")
        with _told(), closing(Strand.open(self.directory, row.name, self._keys())) as strand:
            version = strand.version(number)
            if not version.has_content:
                raise NotFound("There was no file in this version: the agent had deleted it.", detail=version.reason)
            yield from strand.content(version)

    def write_to(self, path: Path, agent: str, key: str, number: int | None = None) -> int:
        """Write a version as a file, whole or not at all, in the place of what is there; returns its size.

        Raises: see `content`; OSError.
        """
        return write_file(path, self.content(agent, key, number))

    def forget(self, agent: str, key: str) -> int:
        """Remove all versions of a source and its companions for good, on the person's word; returns the bytes.

        Raises: see `capture`.
        """
        self.commit()
        with self._alone() as catalogue, _told():
            row = catalogue.row(agent, key)
            if row is None:
                return 0
            names, freed = [row.name, *(one.name for one in catalogue.owned(row.name))], 0
            for name in names:
                path = strand_path(self.directory, name)
                with suppress(FileNotFoundError):
                    freed += path.stat().st_size
                    path.unlink()
                    sync_directory(path.parent)
            catalogue.remove(names)
        return freed

    def status(self) -> VaultStatus:
        """Return the state of the whole vault."""
        catalogue = self._known()
        rows = catalogue.rows() if catalogue else []
        sources = [row for row in rows if not row.owner]
        sessions = catalogue.read("SELECT count(DISTINCT native_id) FROM mark", ())[0][0] if catalogue else 0
        return VaultStatus(
            sessions=int(sessions),
            sources=len(sources),
            versions=sum(row.version_count for row in sources),
            stored_bytes=sum(row.offset for row in rows),
            source_bytes=sum(row.content_bytes for row in rows),
            lost_at_source=sum(row.lost_messages for row in rows),
            damaged=sum(row.is_damaged for row in rows),
            captured_ms=max((row.captured_ms for row in rows), default=0),
            verified_ms=min((row.verified_ms for row in rows), default=0),
            is_paused_for_space=self._is_short,
            free_bytes=self._free_bytes(),
            reserve_bytes=self.options.reserve_bytes,
            is_locked=bool(rows) and self.is_encrypted and not self._keys().is_unlocked,
        )

    def close(self) -> None:
        """Let go of everything; a batch that was not committed counts as never captured."""
        self.discard()
        with self._mutex:
            catalogue, self._catalogue = self._catalogue, None
        if catalogue is not None:
            catalogue.close()

    def _companions(self, capturing: Capturing, ref: SourceRef, companions: Sequence[Path]) -> None:
        """Take the files that belong to a source, where they changed; those that are gone are noted."""
        going = capturing.going(ref.agent, ref.key)
        if going is None:
            return
        known = {row.key: row for row in self._must_know().owned(going.row.name)}
        for path in companions:
            key = str(path)
            before = known.pop(key, None)
            now = fingerprint_at(key)
            if before is not None and not before.is_gone and _is_same(before, now):
                continue
            if before is None and capturing.going(ref.agent, key) is not None:
                continue  # it is a source of its own
            try:
                capturing.capture(Wanted(ref.agent, key, key, Seen(now), owner=going.row.name))
            except (FileNotFoundError, IsADirectoryError):
                continue
        for row in known.values():
            if not row.is_gone and not os.path.lexists(row.path):
                capturing.close_version(ref.agent, row.key, "deleted")

    def _begin(self) -> Capturing:
        """Begin a batch, or go on with the one that was begun."""
        with self._mutex:
            if self._capturing is None:
                with _told():
                    make_private(self.directory)
                    held = lock(self.directory / LOCK, timeout_seconds=_LOCK_SECONDS)
                    held.__enter__()
                try:
                    keys = self._keys()
                    encrypt = self.is_encrypted
                    if encrypt and not keys.is_unlocked:
                        raise Locked("The vault is locked. Enter the passphrase, so that it can go on capturing.")
                    self._capturing = Capturing(self.directory, keys, self._must_know(), encrypt=encrypt)
                except BaseException:
                    held.__exit__()
                    raise
                self._held = held
            return self._capturing

    def _release(self) -> None:
        with self._mutex:
            held, self._held = self._held, None
        if held is not None:
            held.__exit__()

    @contextmanager
    def _alone(self) -> Iterator[Catalogue]:
        """Be the only one who writes, outside of a batch."""
        with _told():
            make_private(self.directory)
        with lock(self.directory / LOCK, timeout_seconds=_LOCK_SECONDS):
            yield self._must_know()

    def _known(self) -> Catalogue | None:
        """Return the catalogue, None if nothing was ever captured."""
        with self._mutex:
            if self._catalogue is None and (self.directory / CATALOGUE).exists():
                return self._must_know()
            return self._catalogue

    def _must_know(self) -> Catalogue:
        """Return the catalogue, which is made if it is not there."""
        with self._mutex:
            if self._catalogue is None:
                make_private(self.directory)
                self._catalogue = self._opened()
            return self._catalogue

    def _opened(self) -> Catalogue:
        path = self.directory / CATALOGUE
        try:
            try:
                return Catalogue.open(path, may_create=True)
            except (apsw.NotADBError, apsw.CorruptError) as error:
                log.warning("the catalogue of the vault is damaged and is made anew: %s", error)
                for ending in ("", "-wal", "-shm"):
                    part = path.with_name(path.name + ending)
                    if part.exists():
                        replace(part, path.with_name(f"{clock.now_ms()}-{part.name}.bad"))
                return Catalogue.open(path, may_create=True)
        except (apsw.Error, OSError) as error:
            raise HoldfastError("The list of the vault cannot be opened.", detail=repr(error)) from error

    def _row(self, agent: str, key: str) -> Row | None:
        catalogue = self._known()
        return catalogue.row(agent, key) if catalogue else None

    def _state(self, row: Row, keys: dict[str, str] | None = None) -> StrandState:
        owner = ""
        if row.owner:
            found = (keys or {}).get(row.owner)
            named = None if found is not None else self._must_know().named(row.owner)
            owner = found if found is not None else named.key if named else row.owner
        return state_of(row, owner)

    def _need_space(self) -> None:
        """Raise if the disk has less free than is to be kept free; looks at it at most once a second."""
        now = clock.monotonic_seconds()
        if now - self._space_seconds >= _SPACE_EVERY_SECONDS:
            self._space_seconds = now
            self._is_short = self._free_bytes() < self.options.reserve_bytes
        if self._is_short:
            raise _no_space("free space below the reserve")

    def _free_bytes(self) -> int:
        place = self.directory
        while not place.exists() and place.parent != place:
            place = place.parent
        try:
            return shutil.disk_usage(place).free
        except OSError:
            return 0


@contextmanager
def _told() -> Iterator[None]:
    """Say in a person's words why the vault cannot be written or read."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _no_space(repr(error)) from error
        raise
    except SealedError as error:
        if error.reason == "locked":
            raise Locked("The vault is locked. Enter the passphrase first.", detail=error.detail) from error
        raise


def _no_space(detail: str) -> NoSpaceKept:
    return NoSpaceKept(
        "There is no space kept free on the disk any more, so no new versions are captured. Free some, or set a"
        " smaller reserve.",
        detail=detail,
        kept="All versions that are in the vault stay there.",
    )


def _is_same(row: Row, now: Fingerprint) -> bool:
    return (row.size, row.modified_ns, row.inode) == numbers(now)
