"""Take what a source is now into its strand: growth costs what was added, anything else what is new in it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import msgspec

from holdfast_core import clock
from holdfast_core.agents._tap import tapped
from holdfast_core.agents.base import Fingerprint
from holdfast_core.errors import NotNow, Refused, SourceError
from holdfast_core.model.vault import VersionReason
from holdfast_core.paths import path_text
from holdfast_core.sealed.compression import QUICK, USUAL
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.keys import Keys
from holdfast_core.vault.batch import Batch
from holdfast_core.vault.catalogue import Catalogue, Row
from holdfast_core.vault.content import PIECE_BYTES, Content, FileContent, Seen, SeenContent, is_gapless
from holdfast_core.vault.going import Going, chunks_of, numbers, opened
from holdfast_core.vault.hot import Hot, HotSeal, blocks_of, ends_of, is_database, latest
from holdfast_core.vault.mending import Mender, ready
from holdfast_core.vault.pieces import Plan, VersionContent, planned, planned_blocks
from holdfast_core.vault.salvage import has_other_head
from holdfast_core.vault.strand import Strand, digest, strand_name, strand_path
from holdfast_core.vault.table import (
    Data,
    Grown,
    Mark,
    Moved,
    Opened,
    Table,
    Told,
    VersionRow,
    best,
    incomplete,
    merged,
    pack_data,
    pack_told,
)

SAME_VERSION_MS = 10 * 60 * 1000
"""So long growth goes on in the version that it began in."""

FOLD_BYTES = 1 << 20
_RECORD_BYTES = 1 << 22
_NUL_BYTES = 16
_WORTH_COMPARING_BYTES = 1 << 16
_TURNS = 1000
_BESIDE_DATABASES = ("-wal", "-journal")
_NOT_DAMAGED = ("locked", "not_regular", "too_large", "broken")
_SAID_BY_HEAD = ("unknown_key", "newer_format")

log = logging.getLogger(__name__)


class Captured(NamedTuple):
    """What a capture did. ``reason`` is None if there was nothing new.

    ``version`` is the newest now. ``is_postponed``: a database that was taken
    a short time ago is not taken again before `VaultOptions.database_minutes` are over.
    """

    reason: VersionReason | None
    version: int
    is_new_version: bool = False
    stored_bytes: int = 0
    is_postponed: bool = False


class Wanted(NamedTuple):
    """What is to be captured, and what its reader says of it. ``owner`` is the strand that a companion belongs to."""

    agent: str
    key: str
    path: str
    seen: Seen
    marks: Sequence[Mark] = ()
    reason: VersionReason | None = None
    owner: str = ""


class Capturing:
    """The captures of one batch. For one thread, under the lock of the vault."""

    def __init__(self, directory: Path, keys: Keys, catalogue: Catalogue, *, encrypt: bool, doubtful: set[str]) -> None:
        self._directory = directory
        self._keys = keys
        self._catalogue = catalogue
        self._encrypt = encrypt
        self._seal = HotSeal(keys)
        self._going: dict[tuple[str, str], Going] = {}
        self._left: set[tuple[str, str]] = set()
        self._failure: BaseException | None = None
        self._doubtful = doubtful
        self._batch = Batch(directory, doubtful)

    def capture(self, wanted: Wanted, *, database_ms: int = 0) -> Captured:
        """Take a source as it is now, which counts after `publish`; a database at most every ``database_ms``.

        Raises:
            OSError: the source cannot be read, or the disk does not take it.
            NotNow: the source changes while it is read.
            SealedError: its strand is damaged, or locked.
        """
        try:
            return self._capture(wanted, database_ms)
        except SealedError as error:
            row = self._catalogue.row(wanted.agent, wanted.key)
            if row is None or error.reason in _NOT_DAMAGED:
                raise
            if error.reason in _SAID_BY_HEAD and not self._has_other_head(row.name):
                raise
            log.warning("what the vault has of a session is damaged (%s) and is written anew", error.reason)
            with closing(FileContent(wanted.seen.copy or wanted.path)) as content:
                self.mend(row.name, content)
            return self._capture(wanted, database_ms)

    def close_version(self, agent: str, key: str, reason: VersionReason) -> Captured | None:
        """Note that a source is gone; None if there is no strand of it."""
        going = self.going(agent, key)
        if going is None or going.row.is_gone:
            return None if going is None else Captured(None, going.row.newest_version)
        now = _moment(going.row)
        marks = [msgspec.structs.replace(mark, messages=0, tip=b"") for mark in going.hot.table.marks]
        version = VersionRow(going.row.newest_version + 1, now, now, now, 0, 0, reason, [])
        self.tell(going, Opened(version, going.hot.table.end, marks=marks))
        return Captured(reason, version.number, is_new_version=True)

    def move(self, agent: str, old_key: str, key: str, path: str, fingerprint: Fingerprint) -> bool:
        """Let a strand go on under another key; returns whether it does: the other one may have a strand already."""
        going = self.going(agent, old_key)
        if going is None or self.going(agent, key) is not None:
            return False
        self.tell(going, Moved(key, path_text(path)))
        self._going[agent, key] = self._going.pop((agent, old_key))
        self._left.add((agent, old_key))
        former = latest(going.hot.table)
        if former is not None:
            now, total = _moment(going.row), sum(mark.messages for mark in going.hot.table.marks)
            number = going.row.newest_version + 1
            version = msgspec.structs.replace(
                former,
                number=number,
                opened_ms=now,
                captured_ms=now,
                messages=total,
                reason="moved",
                path=path,
                lost=0,
                added=0,
                tag="",
                pieces=list(former.pieces),
            )
            self.tell(going, Opened(version, going.hot.table.end, fingerprint=numbers(fingerprint)))
        return True

    def mend(self, name: str, content: Content | None = None, *, only_filled: bool = False) -> Going | None:
        """Write a damaged strand anew, of what is left of it and what the source has; None if nothing is known of it.

        Raises:
            SealedError: locked.
            OSError: the disk does not take it.
        """
        self._publish_early()
        self._going = {place: going for place, going in self._going.items() if going.row.name != name}
        mender = Mender(self._directory, self._keys, self._catalogue, self.rewrite)
        going = mender.mend(name, content, only_filled=only_filled)
        if going is None:
            return None
        self._publish_early()
        with closing(Strand.open(self._directory, name, self._keys)) as strand:
            ready(going, strand)
        self._going[going.row.agent, going.row.key] = going
        return going

    def going(self, agent: str, key: str) -> Going | None:
        """Return a strand to go on with, None if there is none."""
        found = self._going.get((agent, key))
        if found is not None:
            return found
        row = None if (agent, key) in self._left else self._catalogue.row(agent, key)
        if row is None:
            return None
        stored = self._catalogue.hot(row.name)
        hot = self._seal.unpack(stored, row.name, row.position, encrypt=row.is_encrypted)
        if hot is None or row.name in self._doubtful or (self._encrypt and not row.is_encrypted):
            return self.reopened(row.name)
        found = self._going[agent, key] = Going(row, hot)
        return found

    def reopened(self, name: str, *, whole: bool = False) -> Going:
        """Return a strand as it stands in its file, which is read; with ``whole`` it is written anew, without a tail.

        So is one that must not be appended to.

        Raises:
            SealedError: it is damaged, or locked.
            OSError: it is not there or cannot be read.
        """
        if self._batch.is_unnamed(name):
            self._publish_early()
        with closing(Strand.open(self._directory, name, self._keys)) as strand:
            going = opened(strand, name, self._catalogue.named(name))
            is_other = strand.stream.is_encrypted != self._encrypt
            if whole or name in self._doubtful or (is_other and self._encrypt):
                self.rewrite(going, strand.table, chunks_of(strand))
        self._going[going.row.agent, going.row.key] = going
        return going

    def rewrite(self, going: Going, table: Table, chunks: Iterator[tuple[int, bytes]], *, level: int = USUAL) -> None:
        """Write a strand whole, as its next generation."""
        written = self._batch.write(
            going.row.name,
            self._keys,
            table,
            chunks,
            generation=going.row.generation + 1,
            encrypt=self._encrypt,
            level=level,
        )
        going.replaced(table, written, is_encrypted=self._encrypt)

    def tell(self, going: Going, told: Told) -> None:
        """Append what a strand says now."""
        self._append(going, iter(()), lambda _: told)

    def publish(self) -> list[str]:
        """Return when everything is on the disk and in the catalogue: only now it counts.

        Returns the strands whose tail has become so large that folding it pays.

        Raises:
            OSError, HoldfastError: it is not; nothing of this batch counts.
        """
        try:
            if self._failure is not None:
                raise self._failure
            self._batch.publish()
            for going in self._going.values():
                row = going.row
                going.change.hot = self._seal.pack(going.hot, row.name, row.position, encrypt=row.is_encrypted)
            self._catalogue.put(going.change for going in self._going.values())
            return [going.row.name for going in self._going.values() if _is_overgrown(going.row)]
        finally:
            self._clear()

    def discard(self) -> None:
        """Forget what was not published."""
        self._clear()
        self._batch.discard()

    def _publish_early(self) -> None:
        """Sync and name what was written so far, which counts only with the rest; if that fails nothing will count."""
        try:
            self._batch.publish()
        except BaseException as error:
            self._going.clear()  # what they are about may not be there
            self._failure = error
            raise

    def _clear(self) -> None:
        self._going.clear()
        self._left.clear()

    def _append(self, going: Going, data: Iterator[tuple[int, bytes]], told_of: Callable[[list[Data]], Told]) -> None:
        """Append bytes, and what the strand says of them."""
        name, said = going.row.name, list[Told]()

        def payloads() -> Iterator[bytes]:
            found: list[Data] = []
            for offset, chunk in data:
                found.append(Data(offset, len(chunk), digest(chunk)))
                yield pack_data(offset, chunk)
            said.append(told_of(found))
            yield pack_told(going.shortened(said[0]))

        if self._batch.is_unnamed(name) or self._batch.is_full:
            self._publish_early()
        position = self._batch.append(name, self._keys, going.row.position, payloads())
        going.take(said[0], position)

    def _capture(self, wanted: Wanted, database_ms: int) -> Captured:
        going = self.going(wanted.agent, wanted.key)
        with ExitStack() as files:
            content = _content(wanted, going, files)
            if going is None:
                return self._first(wanted, content)
            is_early = clock.now_ms() - going.row.captured_ms < database_ms
            if is_early and not going.row.is_gone and is_database(content):
                return Captured(None, going.row.newest_version, is_postponed=True)
            try:
                return self._next(going, wanted, content, files)
            except NotNow:
                raise
            except Refused:  # another process has written it further
                return self._next(self.reopened(going.row.name), wanted, content, files)

    def _has_other_head(self, name: str) -> bool:
        return has_other_head(self._directory, name, self._catalogue.essentials(name))

    def _first(self, wanted: Wanted, content: Content) -> Captured:
        if self._batch.is_full:
            self._publish_early()
        now, size = clock.now_ms(), content.size
        messages = sum(mark.messages for mark in wanted.marks)
        table = Table(
            agent=wanted.agent,
            key=wanted.key,
            path=path_text(wanted.path),
            owner=wanted.owner,
            fingerprint=numbers(wanted.seen.fingerprint),
            versions=[
                VersionRow(
                    number=1,
                    opened_ms=now,
                    captured_ms=now,
                    modified_ms=_modified_ms(wanted),
                    size=size,
                    messages=messages,
                    reason=wanted.reason or "first",
                    pieces=[(0, size)] if size else [],
                    added=messages,
                    path=path_text(wanted.path),
                )
            ],
            marks=list(wanted.marks),
        )
        row = Row(name=self._free_name(wanted), agent=wanted.agent, key=wanted.key, path=path_text(wanted.path))
        going = Going(row, Hot(table, ends_of(content, size), blocks_of(content)))
        self.rewrite(going, table, _ranges(content, [(0, size)], 0, PIECE_BYTES), level=QUICK)
        self._going[wanted.agent, wanted.key] = going
        return Captured(table.versions[0].reason, 1, is_new_version=True, stored_bytes=row.offset)

    def _next(self, going: Going, wanted: Wanted, content: Content, files: ExitStack) -> Captured:
        """Go on with a strand: tell growth by its ends, a database by its blocks, and else compare everything."""
        table = going.hot.table
        former, plan = latest(table), Plan(table.end)
        if former is None:
            plan.add(0, content.size)
            return self._take(going, wanted, content, plan, "first")
        if going.hot.blocks and is_database(content):
            blocks = blocks_of(content)
            plan = planned_blocks(former, going.hot.blocks, blocks, content.size, table.end)
            return self._take(going, wanted, content, plan, "rewritten")
        if _is_growth(going, content, former):
            plan.keep(list(former.pieces))
            plan.add(former.size, content.size - former.size)
            return self._take(going, wanted, content, plan, "grown")
        if isinstance(content, SeenContent) and content.start:
            content = files.enter_context(closing(FileContent(wanted.path)))  # not half of now and half of before
        if self._batch.is_unnamed(going.row.name):
            self._publish_early()
        with closing(Strand.open(self._directory, going.row.name, self._keys)) as strand:
            most = best(table.versions) or former
            versions = [former] if most.number == former.number else [former, most]
            bad = incomplete(strand.table)
            contents = [VersionContent(strand, one) for one in versions if one.number not in bad]
            plan, start = planned(contents, content, table.end)
        return self._take(going, wanted, content, plan, _reason(content, former, start))

    def _take(self, going: Going, wanted: Wanted, content: Content, plan: Plan, reason: VersionReason) -> Captured:
        """Write what is new, and what the strand says of it."""
        row, table = going.row, going.hot.table
        newest = table.versions[-1]
        is_same = newest.has_content and plan.pieces == newest.pieces
        marks = _changed(table.marks, wanted.marks, is_all=not is_same and reason != "grown")
        fingerprint = numbers(wanted.seen.fingerprint)
        if is_same and not marks:
            row.size, row.modified_ns, row.inode = fingerprint
            return Captured(None, newest.number)
        if not newest.has_content and (reason == "grown" or not plan.new):
            reason = "restored"
        reason = wanted.reason or reason
        now, total = _moment(row), sum(mark.messages for mark in merged(table.marks, marks))
        is_young = now - newest.opened_ms < SAME_VERSION_MS
        # What a person named, and what an agent did to its file, stays as it was.
        is_open = newest.reason in ("first", "grown") and is_young and not newest.tag
        goes_on = is_same or (reason == "grown" and is_open and plan.only_adds_to(newest.pieces))

        def told_of(data: list[Data]) -> Told:
            if goes_on:
                added = newest.added + max(0, total - newest.messages)
                return Grown(
                    number=newest.number,
                    end=table.end + plan.new_bytes,
                    size=content.size,
                    captured_ms=now,
                    modified_ms=_modified_ms(wanted),
                    messages=total,
                    added=added,
                    data=data,
                    marks=marks,
                    fingerprint=fingerprint,
                )
            version = VersionRow(
                number=newest.number + 1,
                opened_ms=now,
                captured_ms=now,
                modified_ms=_modified_ms(wanted),
                size=content.size,
                messages=total,
                reason=reason,
                pieces=plan.pieces,
                added=max(0, total - newest.messages),
                path=path_text(wanted.path),
            )
            return Opened(version, table.end + plan.new_bytes, data, marks, fingerprint)

        before = row.offset
        self._append(going, _ranges(content, plan.new, table.end, _RECORD_BYTES), told_of)
        if not is_same:
            going.hot.ends, going.hot.blocks = ends_of(content, content.size), blocks_of(content)
        return Captured(None if is_same else reason, row.newest_version, not goes_on, row.offset - before)

    def _free_name(self, wanted: Wanted) -> str:
        for turn in range(_TURNS):
            name = strand_name(wanted.agent, wanted.key, turn)
            if not self._batch.is_unnamed(name) and not strand_path(self._directory, name).exists():
                return name
        raise SealedError("wrong_identity", "no free name for a strand")


def _moment(row: Row) -> int:
    """Return the time: surely later than that of what was verified."""
    return max(clock.now_ms(), row.verified_ms + 1)


def _is_growth(going: Going, content: Content, former: VersionRow) -> bool:
    """Return whether a content begins with all of the one before, which both of its ends tell.

    Where a lot comes back that an earlier version had, comparing with that one pays.
    """
    if not content.size > former.size > 0 or ends_of(content, former.size) != going.hot.ends:
        return False
    most = best(going.hot.table.versions) or former
    return most.size <= former.size or content.size - former.size < max(_WORTH_COMPARING_BYTES, most.size // 8)


def _content(wanted: Wanted, going: Going | None, files: ExitStack) -> Content:
    """Return a source's bytes: what was seen of them where it is enough, else what is there now."""
    seen = wanted.seen
    if seen.copy is not None:
        return files.enter_context(closing(FileContent(seen.copy)))
    if seen.blocks and is_gapless(seen.blocks, end=seen.fingerprint.size_bytes):
        former = latest(going.hot.table) if going else None
        start = min(offset for offset, _ in seen.blocks)
        if start == 0:
            return SeenContent(seen.blocks, None)
        if former is not None and start <= former.size:
            return SeenContent(seen.blocks, files.enter_context(closing(FileContent(wanted.path))))
    content = files.enter_context(closing(FileContent(wanted.path)))
    return _clean_copy(wanted.path, files) or content if is_database(content) else content


def _clean_copy(path: str, files: ExitStack) -> Content | None:
    """Return a database with what stands in its log, None if there is nothing beside it or it cannot be copied."""
    if not any(os.path.lexists(path + ending) for ending in _BESIDE_DATABASES):
        return None
    from holdfast_core.agents._sqlite import private_copy

    tap = files.enter_context(tapped(path))
    try:
        with private_copy(path, root=Path(path).parent) as database:
            database.columns("sqlite_schema")  # whoever asks nothing does not see the log
    except SourceError as error:
        log.info("a database is captured without its log: %s", error.reason)
    return files.enter_context(closing(FileContent(tap.copy))) if tap.copy else None


def _ranges(content: Content, ranges: Sequence[tuple[int, int]], end: int, most: int) -> Iterator[tuple[int, bytes]]:
    """Yield ranges of a content as they are to be stored from ``end`` on, ``most`` bytes each.

    Raises:
        NotNow: the source has become shorter meanwhile.
    """
    for start, size in ranges:
        for place in range(start, start + size, most):
            chunk = content.read(place, min(most, start + size - place))
            if len(chunk) != min(most, start + size - place):
                raise NotNow("This session is being rewritten just now. It is captured a little later.")
            yield end, chunk
            end += len(chunk)


def _changed(before: Sequence[Mark], now: Sequence[Mark], *, is_all: bool) -> list[Mark]:
    """Return the marks that are other than before; with ``is_all`` a session that is not there now has no messages."""
    known = {mark.native_id: mark for mark in before}
    found = [mark for mark in now if known.get(mark.native_id) != mark]
    if is_all and now:
        here = {mark.native_id for mark in now}
        gone = [mark for mark in before if mark.native_id not in here and mark.messages]
        found += [msgspec.structs.replace(mark, messages=0, tip=b"") for mark in gone]
    return found


def _reason(content: Content, former: VersionRow, start: int) -> VersionReason:
    """Return why a content is another one than before, which it begins with for ``start`` bytes."""
    if start == former.size:
        return "grown"
    if start == content.size:
        return "truncated"
    return "rewritten" if content.read(start, _NUL_BYTES).strip(b"\0") else "zeroed"


def _modified_ms(wanted: Wanted) -> int:
    return wanted.seen.fingerprint.modified_ns // 1_000_000


def _is_overgrown(row: Row) -> bool:
    return row.offset - row.base_bytes > max(FOLD_BYTES, row.base_bytes // 2)
