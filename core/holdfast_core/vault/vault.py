"""The vault: keeps every version of every source, gives each one back, and proves that it can.

One process writes at a time, under a kernel lock from the first capture of a
batch to its `commit`; whoever only reads needs none. Nothing is made on disk
before the first capture.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from holdfast_core.agents.base import Fingerprint, SourceRef, fingerprint_at
from holdfast_core.atomic import write_file
from holdfast_core.errors import NotFound
from holdfast_core.model.vault import VaultReport, VaultStatus, VaultUse, VerifyProgress, Version, VersionReason
from holdfast_core.paths import path_text, text_path
from holdfast_core.sealed.keys import Keys
from holdfast_core.vault.access import Access, told
from holdfast_core.vault.capturing import Captured, Capturing, Wanted
from holdfast_core.vault.care import Sources, Verifying, forget, own_file, tidy
from holdfast_core.vault.catalogue import Row, Totals
from holdfast_core.vault.content import Seen
from holdfast_core.vault.going import numbers
from holdfast_core.vault.state import NoSpaceKept, StrandState, VaultOptions, state_of
from holdfast_core.vault.strand import Strand
from holdfast_core.vault.table import Lost, Mark, Tagged
from holdfast_core.vault.usage import usage

__all__ = ["Captured", "Mark", "NoSpaceKept", "Seen", "StrandState", "Vault", "VaultOptions"]

_MINUTE_MS = 60_000


class Vault:
    """One vault. For several threads, of which one at a time captures a batch."""

    def __init__(self, directory: Path, keys: Callable[[], Keys], options: VaultOptions) -> None:
        """Use `open` instead."""
        self.directory = directory
        self.options = options
        self._access = Access(directory, keys, options)

    @classmethod
    def open(cls, directory: Path, keys: Callable[[], Keys], *, options: VaultOptions | None = None) -> Vault:
        """Open the vault in a directory, which need not be there yet; ``keys`` are asked for when they are needed."""
        return cls(directory, keys, options or VaultOptions())

    @property
    def is_encrypted(self) -> bool:
        """Whether what is captured now is encrypted: wanted, and there is a passphrase."""
        return self._access.encrypts

    def state(self, agent: str, key: str) -> StrandState | None:
        """Return what is known of a source, None if it never was captured. Of this batch only after `commit`."""
        catalogue = self._access.known()
        row = catalogue.row(agent, path_text(key)) if catalogue else None
        return self._state(row) if row else None

    def states(self, agent: str) -> dict[str, StrandState]:
        """Return what is known of all sources of an agent by their keys, those of companions too."""
        catalogue = self._access.known()
        rows = catalogue.rows(agent) if catalogue else []
        keys = {row.name: row.key for row in rows}
        return {text_path(row.key): self._state(row, keys) for row in rows}

    def marks(self, agent: str, key: str) -> list[Mark]:
        """Return the sessions in a source's newest version; those that are not there any more have no messages."""
        row = self._row(agent, key)
        return [_mark(one, text_path) for one in self._access.catalogue().marks(row.name)] if row else []

    def lost(self, agent: str, key: str) -> dict[str, int]:
        """Return how many messages of each session of a source are gone there."""
        row = self._row(agent, key)
        found = self._access.catalogue().lost(row.name) if row else {}
        return {text_path(native_id): lost for native_id, lost in found.items()}

    def companions(self, agent: str, key: str) -> list[StrandState]:
        """Return what is known of the companions of a source."""
        row = self._row(agent, key)
        return (
            [self._state(one, {row.name: row.key}) for one in self._access.catalogue().owned(row.name)] if row else []
        )

    def versions(self, agent: str, key: str) -> list[Version]:
        """Return the versions of a source, the first first; none if it never was captured."""
        row = self._row(agent, key)
        return self._access.catalogue().versions(row) if row else []

    def version_at(self, agent: str, key: str, captured_ms: int) -> int | None:
        """Return the number of the version with content that was the newest at a time; None for none."""
        found = [one for one in self.versions(agent, key) if one.captured_ms <= captured_ms]
        if not found or found[-1].reason in ("deleted", "replaced"):
            return None
        return found[-1].number

    def strands_of(self, session_id: str) -> list[tuple[str, str]]:
        """Return (agent, key) of the sources that hold or held a session, the last captured first."""
        catalogue = self._access.known()
        agent, _, native_id = session_id.partition(":")
        found = catalogue.holding(path_text(native_id)) if catalogue else []
        return [(of, text_path(key)) for of, key in found if of == agent]

    def sources(self) -> set[tuple[str, str]]:
        """Return (agent, key) of every source that was ever captured."""
        catalogue = self._access.known()
        return {(agent, text_path(key)) for agent, key in catalogue.sources()} if catalogue else set()

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
        self._access.need_space()
        capturing = self._access.begin()
        look = seen or Seen(ref.fingerprint)
        minutes = 0 if is_urgent else self.options.database_minutes
        with told():
            taken = capturing.capture(
                Wanted(ref.agent, path_text(ref.key), ref.path, look, [_mark(one, path_text) for one in marks], reason),
                database_ms=int(minutes * _MINUTE_MS),
            )
            self._companions(capturing, ref, companions)
        return taken

    def gone(self, agent: str, key: str, reason: VersionReason = "deleted") -> Captured | None:
        """Note that a source is gone from where it was, with its companions; None if it never was captured.

        Raises: see `capture`.
        """
        capturing = self._access.begin()
        with told():
            taken = capturing.close_version(agent, path_text(key), reason)
            going = capturing.going(agent, path_text(key))
            for row in self._access.catalogue().owned(going.row.name) if going else ():
                if not os.path.lexists(text_path(row.path)):
                    capturing.close_version(agent, row.key, "deleted")
        return taken

    def moved(self, agent: str, old_key: str, ref: SourceRef) -> bool:
        """Let the strand of a source go on under another key; False if it has none, or the other has one already.

        Raises: see `capture`.
        """
        capturing = self._access.begin()
        with told():
            return capturing.move(agent, path_text(old_key), path_text(ref.key), ref.path, ref.fingerprint)

    def lose(self, agent: str, key: str, native_id: str, lost: int) -> None:
        """Note how many messages of a session are here and not at the source; 0 if all are there again.

        Raises:
            NotFound: the source never was captured.
            Others: see `capture`.
        """
        capturing = self._access.begin()
        with told():
            going = capturing.going(agent, path_text(key))
            if going is None:
                raise NotFound("This session is not in the vault.")
            name = path_text(native_id)
            if going.hot.table.lost.get(name, 0) != lost:
                capturing.tell(going, Lost(name, lost))

    def tag(self, agent: str, key: str, number: int, text: str) -> None:
        """Give a version a name, or take it away; at once.

        Raises:
            NotFound: there is no such version.
            Others: see `capture`.
        """
        if number not in (version.number for version in self.versions(agent, key)):
            raise NotFound("There is no such version.", detail=f"version {number}")
        capturing = self._access.begin()
        with told():
            row = capturing.going(agent, path_text(key))
            if row is not None:
                going = capturing.reopened(row.row.name)
                capturing.tell(going, Tagged(number, text))
        self.commit()

    def commit(self) -> None:
        """Return when everything since the last commit is on the disk itself: only now it counts.

        Raises:
            NoSpaceKept, HoldfastError, OSError: it is not, and counts as never captured.
        """
        with told():
            self._access.commit()

    def discard(self) -> None:
        """End a batch without its commit; what was captured in it counts as never captured."""
        self._access.discard()

    def content(self, agent: str, key: str, number: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of a version, at most a megabyte each; of the newest with content if ``number`` is None.

        Raises:
            NotFound: there is no such version, or no content in it.
            SealedError: it is damaged here, or locked.
        """
        row = self._row(agent, key)
        if row is None:
            raise NotFound("This session is not in the vault.")
        with told(), closing(Strand.open(self.directory, row.name, self._access.keys())) as strand:
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
        with told(), self._access.alone() as catalogue:
            row = catalogue.row(agent, path_text(key))
            return forget(self._access, catalogue, row) if row else 0

    def verify(
        self,
        *,
        on_progress: Callable[[VerifyProgress], object] = lambda _: None,
        should_stop: Callable[[], bool] = lambda: False,
        sources: Sources | None = own_file,
        is_repairing: bool = True,
        only: Collection[tuple[str, str]] | None = None,
    ) -> VaultReport:
        """Prove that every byte and every version is as it was written, or that of some (agent, key) alone.

        What is damaged is written anew of what is left, of what the catalogue
        remembers, and of what the source still has; ``sources`` give that.
        Reads without the lock, so that captures go on.

        Raises:
            Refused: something has to be repaired, and another process writes all the time.
            HoldfastError, OSError: the catalogue or a directory cannot be read.
        """
        self.commit()
        catalogue = self._access.known()
        if catalogue is None:
            return VaultReport()
        rows = [row for row in catalogue.rows() if only is None or (row.agent, text_path(row.key)) in only]
        with told():
            verifying = Verifying(self._access, sources if is_repairing else None)
            return verifying.run(catalogue, rows, on_progress=on_progress, should_stop=should_stop)

    def tidy(self, deadline_seconds: float) -> bool:
        """Do what makes the vault smaller and safer while nothing else happens; returns whether nothing is left to do.

        Raises:
            Locked: it is encrypted, and the passphrase has not been given.
            Refused: another process writes all the time.
            HoldfastError, OSError: the disk does not take it.
        """
        self.commit()
        with told():
            return tidy(self._access, deadline_seconds)

    def usage(self) -> list[VaultUse]:
        """Return what takes space, by agent, project and kind, the largest first."""
        catalogue = self._access.known()
        return usage(catalogue) if catalogue else []

    def status(self) -> VaultStatus:
        """Return the state of the whole vault."""
        catalogue, access = self._access.known(), self._access
        totals = catalogue.totals() if catalogue else Totals()
        free_bytes = access.free_bytes()  # another process captures: what it met is not known here
        return VaultStatus(
            **totals._asdict(),
            is_paused_for_space=free_bytes < self.options.reserve_bytes,
            free_bytes=free_bytes,
            reserve_bytes=self.options.reserve_bytes,
            is_locked=bool(totals.sources) and self.is_encrypted and not access.keys().is_unlocked,
        )

    def close(self) -> None:
        """Let go of everything; a batch that was not committed counts as never captured."""
        self._access.close()

    def _companions(self, capturing: Capturing, ref: SourceRef, companions: Sequence[Path]) -> None:
        """Take the files that belong to a source, where they changed; those that are gone are noted."""
        going = capturing.going(ref.agent, path_text(ref.key))
        if going is None or (not companions and going.row.newest_version == 1 and not going.row.sequence > 1):
            return
        known = {row.key: row for row in self._access.catalogue().owned(going.row.name)}
        for path in companions:
            key = path_text(str(path))
            before = known.pop(key, None)
            now = fingerprint_at(str(path))
            if before is not None and not before.is_gone and _is_same(before, now):
                continue
            other = capturing.going(ref.agent, key) if before is None else None
            owner = going.row.name if other is None else other.row.owner
            if other is not None and (not owner or (not other.row.is_gone and _is_same(other.row, now))):
                continue  # it is a source of its own, or belongs to others too and is as it was
            try:
                capturing.capture(Wanted(ref.agent, key, str(path), Seen(now), owner=owner))
            except (FileNotFoundError, IsADirectoryError):
                if before is not None and not before.is_gone:
                    capturing.close_version(ref.agent, key, "deleted")
        for row in known.values():
            if not row.is_gone and not os.path.lexists(text_path(row.path)):
                capturing.close_version(ref.agent, row.key, "deleted")

    def _row(self, agent: str, key: str) -> Row | None:
        catalogue = self._access.known()
        return catalogue.row(agent, path_text(key)) if catalogue else None

    def _state(self, row: Row, keys: dict[str, str] | None = None) -> StrandState:
        owner = ""
        if row.owner:
            found = (keys or {}).get(row.owner)
            named = None if found is not None else self._access.catalogue().named(row.owner)
            owner = found if found is not None else named.key if named else row.owner
        return state_of(row, owner)


def _mark(mark: Mark, change: Callable[[str], str]) -> Mark:
    """Return a mark with its texts in the form in which they are kept, or as they were."""
    texts = (mark.native_id, mark.project, mark.kind)
    if all(text.isascii() and "\0" not in text for text in texts):
        return mark
    native_id, project, kind = map(change, texts)
    return Mark(native_id, mark.messages, mark.tip, project, kind)


def _is_same(row: Row, now: Fingerprint) -> bool:
    return (row.size, row.modified_ns, row.inode) == numbers(now)
