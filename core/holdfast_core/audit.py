"""The log of what was done: one chained line a record, so that a changed, missing or moved line shows. Never content.

A line is a JSON object of which the last member, ``tag``, is the HMAC-SHA256 of all bytes of the line before it; the
member before, ``prev``, is the tag of the line before, also across files. ``audit.log.1`` is the file before
``audit.log``, ``audit.log.2`` the one before that. When the oldest is removed, that is a record too.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import os
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from holdfast_core.atomic import (
    READ_FLAGS,
    open_regular,
    read_bytes,
    replace,
    sync_data,
    sync_directory,
    write_all,
)
from holdfast_core.clock import monotonic_seconds, now
from holdfast_core.errors import Refused
from holdfast_core.paths import make_private

if TYPE_CHECKING:
    import filelock

Level = Literal["changes", "everything"]
Outcome = Literal["done", "failed", "refused"]

ANCHOR_EVERY = 64
LIMIT_BYTES = 4 << 20
KEEP_FILES = 8
_START = "0" * 64
_TAG_START = b',"tag":"'
_TAG_END = b'"}\n'
_TAG_BYTES = len(_TAG_START) + 64 + len(_TAG_END)
_END_BYTES = 1 << 16
_MOST_READ_BYTES = 1 << 28
_LINE_BYTES = 1 << 10  # none of ours is longer
_LOCK_SECONDS = 10.0
_EVENT = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_SUBJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}|")
_DETAIL = re.compile(r"[A-Za-z0-9_.,:=+ -]{0,120}")
_PRUNED = "audit.pruned"
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | READ_FLAGS


class Anchor(NamedTuple):
    """The newest record, to be remembered elsewhere: without it nobody sees that the log's end was cut off."""

    sequence: int
    tag: str


class AuditLine(NamedTuple):
    """One record. ``time_ms`` is wall time, ``monotonic_seconds`` never jumps while the machine is up."""

    sequence: int
    time_ms: int
    monotonic_seconds: float
    event: str
    subject: str
    outcome: Outcome
    detail: str


class _Line(msgspec.Struct, frozen=True):
    """A line without its tag."""

    seq: int
    time: datetime
    mono: float
    event: str
    subject: str
    outcome: Outcome
    detail: str
    prev: str


class _Verified(NamedTuple):
    line: _Line
    tag: str


class _Mark(NamedTuple):
    """What a file looked like."""

    inode: int
    size: int
    modified_ns: int

    @classmethod
    def of(cls, path: Path) -> _Mark:
        found = path.lstat()
        return cls(found.st_ino, found.st_size, found.st_mtime_ns)


class _Chain:
    """Records one after the other, as far as they were followed; ``recent`` are the last of them."""

    def __init__(self) -> None:
        self.first: _Line | None = None
        self.last = Anchor(0, _START)
        self.recent: deque[Anchor] = deque(maxlen=4 * ANCHOR_EVERY)
        self._pruned = Anchor(0, _START)
        self._sought: Anchor | None = None
        self._met: Anchor | None = None

    def seek(self, anchor: Anchor | None) -> None:
        """Remember whether this is one of the records that come."""
        self._sought = anchor

    def follow(self, found: _Verified) -> None:
        """Go on with the next record.

        Raises:
            ValueError: another one should come next.
        """
        line = found.line
        if self.first is None:
            self.first = line
        elif (line.seq, line.prev) != (self.last.sequence + 1, self.last.tag):
            raise ValueError("another record")
        self.last = Anchor(line.seq, found.tag)
        self.recent.append(self.last)
        if self.last == self._sought:
            self._met = self.last
        if line.event == _PRUNED:
            self._pruned = _pruned(line)

    def knows(self, anchor: Anchor | None) -> bool:
        """Return whether a record can still be told to be one of these, or would come after them."""
        return anchor is None or anchor.sequence > self.last.sequence or anchor == self._met or anchor in self.recent

    def missing(self, anchor: Anchor | None) -> int | None:
        """Return the first record that is missing at either end, of a chain of which none is missing in between."""
        first, pruned = self.first, self._pruned
        if first is None:
            return None if anchor is None or anchor.sequence == 0 else 1
        if first.seq > pruned.sequence + 1 or (first.seq == pruned.sequence + 1 and first.prev != pruned.tag):
            return pruned.sequence + 1
        if anchor is None or anchor.sequence < first.seq:
            return None
        if anchor.sequence > self.last.sequence:
            return self.last.sequence + 1
        return None if self.knows(anchor) else anchor.sequence


class _Checked(NamedTuple):
    """What was verified: files as they were then, up to ``end`` of the newest."""

    marks: tuple[_Mark, ...]
    end: int
    chain: _Chain

    def is_beginning_of(self, marks: tuple[_Mark, ...]) -> bool:
        """Return whether these files are still the oldest, unchanged but for what was added to the newest of them."""
        *full, newest = self.marks
        if marks[: len(full)] != tuple(full) or len(marks) < len(self.marks):
            return False
        now = marks[len(full)]
        has_grown = now.inode == newest.inode and now.size > newest.size
        return now == newest or has_grown


class AuditLog:
    """One log, which several processes and threads may write at the same time."""

    def __init__(
        self,
        path: Path,
        key: bytes,
        *,
        level: Level,
        limit_bytes: int,
        keep_files: int,
        anchor: Callable[[Anchor], None] | None,
    ) -> None:
        """Use `open` instead."""
        self._path = path
        self._key = key
        self._level = level
        self._limit_bytes = limit_bytes
        self._keep_files = max(keep_files, 1)
        self._anchor = anchor
        self._threads = threading.RLock()
        self._last = Anchor(0, _START)
        self._seen = (-1, -1)
        self._anchored = -1
        self._is_broken = False
        self._verifying = threading.Lock()
        self._checked: _Checked | None = None

    @classmethod
    def open(
        cls,
        path: Path,
        key: bytes,
        *,
        level: Level = "changes",
        limit_bytes: int = LIMIT_BYTES,
        keep_files: int = KEEP_FILES,
        anchor: Callable[[Anchor], None] | None = None,
    ) -> AuditLog:
        """Return the log at ``path``; nothing is read or written yet.

        A file of more than ``limit_bytes`` is followed by a new one, and
        ``keep_files`` full ones are kept. ``anchor`` is told the newest record
        every 64 records and on closing.
        """
        return cls(path, key, level=level, limit_bytes=limit_bytes, keep_files=keep_files, anchor=anchor)

    def use_level(self, level: Level) -> None:
        """Write down what is of this level from now on."""
        self._level = level

    def record(
        self, event: str, subject: str = "", outcome: Outcome = "done", detail: str = "", *, is_reading: bool = False
    ) -> None:
        """Write down what was done to the id ``subject``; it is on the disk afterwards.

        What only read and succeeded is left out, unless the level is
        "everything". What could be content is not written: an odd subject
        becomes a fingerprint, an odd detail is left out.

        Raises:
            ValueError: ``event`` is no name.
            Refused: another process held the log all the time.
            OSError: the disk does not take it; the log is as it was.
        """
        if not _EVENT.fullmatch(event):
            raise ValueError(f"{event!r} is no name of an event")
        if is_reading and outcome == "done" and self._level != "everything":
            return
        with self._alone():
            if self._is_full():
                self._rotate()
            self._append(event, _named(subject), outcome, detail if _DETAIL.fullmatch(detail) else "")
        self._tell(ANCHOR_EVERY)

    def read(self, limit: int) -> list[AuditLine]:
        """Return the newest records, newest first; lines that are none of ours are left out."""
        found: list[AuditLine] = []
        for path in reversed(self._files()):
            wanted = limit - len(found)
            newest = _shown(_lines(path, last=wanted))
            if len(newest) < wanted:  # a shorter file, or odd lines between them
                newest = _shown(_lines(path))
            found += newest[:wanted]
            if len(found) >= limit:
                break
        return found

    def verify(self, anchor: Anchor | None = None) -> int | None:
        """Return the sequence of the first record that was changed or is missing; None if all is as it was written.

        ``anchor`` is the newest record that is remembered elsewhere. A last
        line that was torn by a crash is no damage. The first call reads
        everything, later ones what came since, as long as the files before
        that look as they did.
        """
        with self._verifying:
            with self._alone():
                files = self._files()
                marks = tuple(map(_Mark.of, files))
                known = self._checked if self._checked is not None and self._goes_on(files, marks, anchor) else None
                passed, end = (len(known.marks) - 1, known.end) if known else (0, 0)
                lines = [_lines(path, start=0 if number else end) for number, path in enumerate(files[passed:])]
            chain, self._checked = known.chain if known else _Chain(), None
            chain.seek(anchor)
            for raw in itertools.chain.from_iterable(lines):
                try:
                    chain.follow(self._verified(raw))
                except ValueError:
                    return chain.last.sequence + 1
            missing = chain.missing(anchor)
            if missing is None and marks:
                end = (end if len(lines) == 1 else 0) + sum(map(len, lines[-1]))
                self._checked = _Checked(marks, end, chain)
            return missing

    def _goes_on(self, files: Sequence[Path], marks: tuple[_Mark, ...], anchor: Anchor | None) -> bool:
        """Return whether what was verified before is there as it was, and ``anchor`` is in it or comes after it."""
        known = self._checked
        if known is None or not known.is_beginning_of(marks) or not known.chain.knows(anchor):
            return False
        descriptor = open_regular(files[len(known.marks) - 1])
        try:
            os.lseek(descriptor, max(known.end - _TAG_BYTES, 0), os.SEEK_SET)
            return read_bytes(descriptor, _TAG_BYTES) == _tag_member(known.chain.last.tag)
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Tell the newest record to whoever remembers it."""
        self._tell(1)

    def _tell(self, every: int) -> None:
        last = self._last
        if self._anchored < 0:
            self._anchored = max(last.sequence - 1, 0)
        if self._anchor is not None and last.sequence - self._anchored >= every:
            self._anchored = last.sequence
            self._anchor(last)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Exclude other threads and processes."""
        import filelock

        make_private(self._path.parent)
        with self._threads:
            try:
                self._lock.acquire(timeout=_LOCK_SECONDS)
            except filelock.Timeout as error:
                raise Refused("Another Holdfast is writing its audit log. Try again in a moment.") from error
            try:
                yield
            finally:
                self._lock.release()

    @cached_property
    def _lock(self) -> filelock.BaseFileLock:
        import filelock

        name = self._path.with_name(f"{self._path.name}.lock")
        return filelock.FileLock(name, mode=0o600, thread_local=False, poll_interval=0.005, fallback_to_soft=False)

    def _append(self, event: str, subject: str, outcome: Outcome, detail: str) -> None:
        descriptor = open_regular(self._path, _FLAGS)
        try:
            size = self._continued(descriptor)
            last = self._last
            seconds = round(monotonic_seconds(), 3)
            line = _Line(last.sequence + 1, _milliseconds(now()), seconds, event, subject, outcome, detail, last.tag)
            body = msgspec.json.encode(line)[:-1]
            tag = self._tag(body)
            self._write(descriptor, size, body + _tag_member(tag))
            self._last = Anchor(line.seq, tag)
            self._seen = self._signature(descriptor)
        finally:
            os.close(descriptor)
        if not size:
            sync_directory(self._path.parent)

    def _write(self, descriptor: int, size: int, data: bytes) -> None:
        """Write at the end, or take away what was written; a file that could not be synced is not written again."""
        try:
            write_all(descriptor, data)
        except BaseException:
            with suppress(OSError):
                os.ftruncate(descriptor, size)
            raise
        try:
            sync_data(descriptor)
        except BaseException:
            self._is_broken = True
            with suppress(OSError):
                os.ftruncate(descriptor, size)
            raise

    def _continued(self, descriptor: int) -> int:
        """Find the record to follow on, if another process wrote since; returns the size. A torn line is cut off."""
        signature = self._signature(descriptor)
        if signature == self._seen:
            return signature[1]
        size = signature[1]
        start = max(size - _END_BYTES, 0)
        os.lseek(descriptor, start, os.SEEK_SET)
        end = read_bytes(descriptor, size - start)
        whole = _whole_bytes(end)
        if whole < len(end):
            size = start + whole
            os.ftruncate(descriptor, size)
        before = (_lines(path) for path in reversed(self._files()[:-1]))
        self._last = _newest(itertools.chain([end[:whole].splitlines(keepends=True)], before))
        return size

    def _is_full(self) -> bool:
        try:
            return self._is_broken or self._path.lstat().st_size >= self._limit_bytes
        except FileNotFoundError:
            return False

    def _rotate(self) -> None:
        """Begin a new file. What is removed is told of in it before it is removed."""
        for path in self._files():
            replace(path, self._numbered(self._number(path) + 1))
            sync_directory(self._path.parent)  # each time: else the next may take the place of what did not move
        self._is_broken = False
        self._seen = (-1, -1)
        too_old = [path for path in self._files() if self._number(path) > self._keep_files]
        if too_old:
            through = _newest(_lines(path) for path in reversed(too_old))
            if through.sequence:
                self._append(_PRUNED, "", "done", f"through={through.sequence} tag={through.tag}")
            for path in too_old:
                path.unlink()
            sync_directory(self._path.parent)

    def _files(self) -> list[Path]:
        """Return the files of the log, the oldest first. That they cannot be listed is not the same as none."""
        names = re.compile(re.escape(self._path.name) + r"(\.[1-9][0-9]{0,5})?")
        try:
            found = [path for path in self._path.parent.iterdir() if names.fullmatch(path.name)]
        except FileNotFoundError:
            return []
        return sorted(found, key=self._number, reverse=True)

    def _number(self, path: Path) -> int:
        return int(path.name[len(self._path.name) + 1 :] or 0)

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _signature(self, descriptor: int) -> tuple[int, int]:
        found = os.fstat(descriptor)
        return found.st_ino, found.st_size

    def _tag(self, body: bytes) -> str:
        return hmac.digest(self._key, body, "sha256").hex()

    def _verified(self, raw: bytes) -> _Verified:
        found = _decoded(raw)
        if not hmac.compare_digest(self._tag(raw[:-_TAG_BYTES]), found.tag):
            raise ValueError("another tag")
        return found


def _lines(path: Path, *, start: int = 0, last: int | None = None) -> list[bytes]:
    """Return the whole lines of a file from ``start`` on, with their ends, at least the ``last`` ones if that is given.

    A last one that was torn is left out.
    """
    try:
        descriptor = open_regular(path)
    except FileNotFoundError:
        return []
    try:
        size = os.fstat(descriptor).st_size
        if size > _MOST_READ_BYTES:
            raise ValueError(f"{size} bytes are more than {_MOST_READ_BYTES}")
        begin = start if last is None else max(0, size - (last + 1) * _LINE_BYTES)
        os.lseek(descriptor, begin, os.SEEK_SET)
        data = read_bytes(descriptor, size - begin)
    finally:
        os.close(descriptor)
    lines = data[: _whole_bytes(data)].splitlines(keepends=True)
    if begin != start:  # in the middle of a line
        del lines[:1]
    return lines


def _whole_bytes(data: bytes) -> int:
    """Return where the end begins that a crash tore: a last line without its own end, or with a hole of NUL in it."""
    end = data.rfind(b"\n") + 1
    last = data.rfind(b"\n", 0, max(end - 1, 0)) + 1
    return last if b"\0" in data[last:end] else end


def _newest(files: Iterable[list[bytes]]) -> Anchor:
    """Return the newest record in the lines of files, the newest file first, whether or not it verifies."""
    for raws in files:
        for raw in reversed(raws):
            with suppress(ValueError):
                found = _decoded(raw)
                return Anchor(found.line.seq, found.tag)
    return Anchor(0, _START)


def _decoded(raw: bytes) -> _Verified:
    """Take a line apart.

    Raises:
        ValueError: it is no line of ours.
    """
    end = raw[-_TAG_BYTES:]
    if not end.startswith(_TAG_START) or not end.endswith(_TAG_END):
        raise ValueError("no tag")
    line = msgspec.json.decode(raw[:-_TAG_BYTES] + b"}", type=_Line)
    return _Verified(line, end[len(_TAG_START) : -len(_TAG_END)].decode("ascii"))


def _shown(raws: Sequence[bytes]) -> list[AuditLine]:
    """Return what lines say, the last one first; those that are none of ours are left out."""
    found = []
    for raw in reversed(raws):
        with suppress(ValueError):
            line = _decoded(raw).line
            time_ms = int(line.time.timestamp() * 1000)
            found.append(AuditLine(line.seq, time_ms, line.mono, line.event, line.subject, line.outcome, line.detail))
    return found


def _tag_member(tag: str) -> bytes:
    return _TAG_START + tag.encode() + _TAG_END


def _milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _named(subject: str) -> str:
    """Return an id as it is, anything else as a fingerprint."""
    if _SUBJECT.fullmatch(subject):
        return subject
    return f"sha256:{hashlib.sha256(subject.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def _pruned(line: _Line) -> Anchor:
    """Return the last record that was removed with the oldest file."""
    words = dict(word.partition("=")[::2] for word in line.detail.split())
    return Anchor(int(words.get("through") or 0), words.get("tag", _START))
