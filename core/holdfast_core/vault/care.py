"""Verify all of a vault and put right what can be, and keep it in order while nothing happens."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from holdfast_core import clock
from holdfast_core.atomic import sync_directory
from holdfast_core.errors import HoldfastError
from holdfast_core.model.vault import BadVersion, VaultReport, VerifyProgress
from holdfast_core.paths import text_path
from holdfast_core.sealed.errors import SealedError
from holdfast_core.vault.access import Access
from holdfast_core.vault.catalogue import Catalogue, Row
from holdfast_core.vault.content import Content, FileContent
from holdfast_core.vault.mending import QUARANTINE
from holdfast_core.vault.roll import read_roll, write_roll
from holdfast_core.vault.state import StrandState, state_of
from holdfast_core.vault.strand import strand_path
from holdfast_core.vault.upkeep import adopt, seal_put_aside, settle, strand_files, to_fold, within
from holdfast_core.vault.verifying import LOCKED, MISSING, UNREADABLE, Anchor, Finding, bad_versions, checked

log = logging.getLogger(__name__)

Sources = Callable[[StrandState], Path | None]
"""Gives a file that has what a source is now: itself, or a private copy of a database; None if it is not there."""

_AT_ONCE = 100
_ROLLED = "rolled"


def own_file(state: StrandState) -> Path | None:
    """Return the file of a source that is one, which is what it can be repaired from."""
    return None if state.is_gone else Path(state.path)


class Verifying:
    """One verifying of a vault."""

    def __init__(self, access: Access, sources: Sources | None) -> None:
        """Without ``sources`` nothing is repaired."""
        self._access = access
        self._sources = sources
        self._bad: list[BadVersion] = []
        self._repaired = self._missing = self._bytes = self._done = 0
        self._whole: list[Row] = []
        self._since_ms = 0
        self._roll: dict[str, Anchor] = {}

    def run(
        self,
        catalogue: Catalogue,
        rows: Collection[Row],
        *,
        on_progress: Callable[[VerifyProgress], object],
        should_stop: Callable[[], bool],
    ) -> VaultReport:
        """Verify strands, and that none is missing; those that were verified last come last."""
        self._roll = self._read_roll()
        for row in sorted(rows, key=lambda row: row.verified_ms):
            if should_stop():
                break
            self._verify(catalogue, row)
            self._done += 1
            on_progress(VerifyProgress(self._done, len(rows), self._bytes))
        self._note(catalogue)
        is_complete = self._done == len(rows)
        if is_complete:
            self._find_vanished(catalogue)
        return VaultReport(
            checked=self._done,
            bad=tuple(self._bad),
            repaired=self._repaired,
            missing=self._missing,
            checked_bytes=self._bytes,
            is_complete=is_complete,
        )

    def _verify(self, catalogue: Catalogue, row: Row) -> None:
        began_ms = clock.now_ms()
        finding = self._checked(row)
        if finding.reason and finding.reason != LOCKED:
            finding, row = self._again(catalogue, row, finding)
        self._bytes += finding.bytes
        if finding.reason == LOCKED:
            return
        if not finding.reason:
            if not self._whole:
                self._since_ms = began_ms
            self._whole.append(row)
            if len(self._whole) >= _AT_ONCE:
                self._note(catalogue)
            return
        numbers = finding.versions or self._bad_versions(catalogue, row)
        catalogue.damaged(row.name, numbers)
        self._missing += finding.reason == MISSING
        marks = catalogue.marks(row.name)
        session_id = f"{row.agent}:{marks[0].native_id}" if marks else text_path(row.key)
        for number in sorted(numbers) or [0]:
            self._bad.append(BadVersion(session_id, number, finding.reason, row.agent, text_path(row.key)))

    def _again(self, catalogue: Catalogue, row: Row, finding: Finding) -> tuple[Finding, Row]:
        """Look again while nobody writes, and repair."""
        with self._access.alone():
            fresh = catalogue.named(row.name)
            if fresh is None:
                return Finding(""), row
            finding = self._checked(fresh)
            if finding.reason in ("", UNREADABLE) or self._sources is None:
                return finding, fresh
            with _content(self._sources(state_of(fresh, fresh.owner))) as content:
                if content is None and (finding.is_file_whole or finding.reason == MISSING):
                    return finding, fresh
                try:
                    self._access.begin().mend(row.name, content, only_filled=finding.is_file_whole)
                    self._access.commit()
                except (HoldfastError, OSError) as error:
                    self._access.discard()
                    log.info("a strand of the vault could not be repaired: %r", error)
                    return finding, fresh
            self._roll.pop(row.name, None)
            now = catalogue.named(row.name) or fresh
            after = self._checked(now)
            if not after.reason:
                self._repaired += 1
                return after, now
            return after._replace(reason=finding.reason), now

    def _checked(self, row: Row) -> Finding:
        access, anchor = self._access, self._roll.get(row.name)
        finding = checked(access.directory, row, access.keys(), anchor)
        if finding.reason == UNREADABLE:
            patches = access.catalogue().essentials(row.name)
            return checked(access.directory, row, access.keys(), anchor, patches)
        return finding

    def _bad_versions(self, catalogue: Catalogue, row: Row) -> frozenset[int]:
        try:
            sizes = {version.number: version.size_bytes for version in catalogue.versions(row)}
            patches = catalogue.essentials(row.name)
            return bad_versions(self._access.directory, row, self._access.keys(), patches, sizes)
        except (SealedError, OSError):
            return frozenset()

    def _note(self, catalogue: Catalogue) -> None:
        rows, self._whole = self._whole, []
        if rows:
            catalogue.verified(rows, self._since_ms)

    def _read_roll(self) -> dict[str, Anchor]:
        try:
            return read_roll(self._access.directory, self._access.keys())
        except SealedError as error:
            self._bad.append(BadVersion("", 0, "damaged", key="roll"))
            log.info("the roll of the vault cannot be read: %s", error.reason)
            return {}

    def _find_vanished(self, catalogue: Catalogue) -> None:
        """Report strands that the roll knows and of which neither file nor entry is left; take in what is unknown."""
        known, files = catalogue.names(), set(strand_files(self._access.directory))
        for name in sorted(self._roll.keys() - known - files):
            self._missing += 1
            self._bad.append(BadVersion("", 0, MISSING, key=name))
        if files - known:
            with self._access.alone():
                names = set(strand_files(self._access.directory)) - catalogue.names()
                adopt(self._access.directory, self._access.keys(), catalogue, names)


def tidy(access: Access, deadline_seconds: float) -> bool:
    """Fold what rests, take in what is unknown, and write the roll; returns whether all of it was done in time.

    Raises:
        Refused: another process writes all the time.
        HoldfastError, OSError: the disk does not take it.
    """
    catalogue, has_time = access.known(), within(deadline_seconds)
    if catalogue is None:
        return True
    with access.alone():
        settle(access.directory, access.keys(), catalogue)
    for name in to_fold(catalogue, is_encrypted=access.encrypts, now_ms=clock.now_ms()):
        if not has_time():
            return False
        _fold(access, catalogue, name)
    _roll(access, catalogue)
    if access.encrypts:
        with access.alone():
            seal_put_aside(access.directory, access.keys())
    return True


def forget(access: Access, catalogue: Catalogue, row: Row) -> int:
    """Remove a strand and those of its companions, and every trace of them; returns the bytes. Under the lock.

    Raises:
        HoldfastError, OSError: something could not be removed; repeating it goes on.
    """
    names, freed = [*(one.name for one in catalogue.owned(row.name)), row.name], 0
    for name in names:
        for path in (strand_path(access.directory, name), *(access.directory / QUARANTINE).glob(f"*-{name}.*")):
            with suppress(FileNotFoundError):
                freed += path.stat().st_size
                path.unlink()
                sync_directory(path.parent)
    for path in access.directory.glob("*-vault.db*.bad"):
        path.unlink()
    catalogue.remove(names)
    catalogue.scrub()
    _forget_in_roll(access, catalogue, names)
    return freed


def _forget_in_roll(access: Access, catalogue: Catalogue, names: Collection[str]) -> None:
    try:
        kept = read_roll(access.directory, access.keys())
    except SealedError:
        kept = {}
    if kept.keys() & set(names):
        kept = {name: anchor for name, anchor in kept.items() if name not in names}
        write_roll(access.directory, access.keys(), catalogue, kept=kept)


def _fold(access: Access, catalogue: Catalogue, name: str) -> None:
    try:
        access.begin().reopened(name, whole=True)
        access.commit()
    except SealedError as error:
        log.info("a strand of the vault cannot be folded: %s", error.reason)
        if error.reason not in ("locked", "unknown_key"):
            catalogue.damaged(name, ())
    finally:
        access.discard()


def _roll(access: Access, catalogue: Catalogue) -> None:
    """Write the roll if anything was captured since."""
    with access.alone():
        now = catalogue.read("SELECT coalesce(sum(generation * 1000003 + sequence), 0) FROM strand", ())[0][0]
        if now == catalogue.value(_ROLLED):
            return
        try:
            kept = read_roll(access.directory, access.keys())
        except SealedError:
            kept = {}
        write_roll(access.directory, access.keys(), catalogue, kept=kept)
        catalogue.remember(_ROLLED, now)


@contextmanager
def _content(path: Path | None) -> Iterator[Content | None]:
    if path is None:
        yield None
        return
    try:
        content = FileContent(path)
    except OSError:
        yield None
        return
    with closing(content):
        yield content
