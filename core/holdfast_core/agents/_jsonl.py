"""Files of one record a line, written by other programs: opened safely, read in bounded pieces, never trusted."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from holdfast_core.agents._tap import Tap, tap_at
from holdfast_core.errors import SourceError

FILE_LIMIT = 2 << 30
LINE_LIMIT = 64 << 20
_BLOCK = 4 << 20
_BATCH = 64 << 10
_TAIL = 256
_SPARSE_LIMIT = 5 << 28
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
UTF8_BOM = b"\xef\xbb\xbf"
_EMPTY_LINES = re.compile(rb"\n+")

_OPEN_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_REASONS = {
    errno.ENOENT: "gone",
    errno.ENOTDIR: "gone",
    errno.ELOOP: "symlink",
    errno.EMLINK: "symlink",
    errno.EACCES: "permission",
    errno.EPERM: "permission",
    errno.ENXIO: "not_a_file",
    errno.EISDIR: "not_a_file",
}
_TELL = {
    "gone": "This session's file is no longer there.",
    "symlink": "This session's file is a link, and links are not followed.",
    "permission": "This session's file may not be read by you.",
    "not_a_file": "This is not a regular file.",
    "outside": "This session's file is outside the folder of its agent.",
    "too_large": "This session's file is larger than what can be read.",
    "no_room": "There is not enough free disk space for the copy from which this database would be read.",
    "utf16": "This session's file is in an encoding that its agent never writes.",
    "not_readable": "This session's file cannot be read.",
    "compressed": "This session's file is compressed in a way that cannot be undone safely.",
    "wrong_format": "This file does not hold a session of its agent.",
}


def refusal(reason: str, detail: str = "") -> SourceError:
    """Return the error for a source of which nothing can be read; ``reason`` is one of a closed list."""
    return SourceError(_TELL[reason], reason=reason, detail=detail)


def open_regular(path: str | Path, *, root: str | None = None, limit: int = FILE_LIMIT) -> int:
    """Return a descriptor of a regular file, never waiting and never following a link.

    Below ``root`` no directory on the way may be a link either.

    Raises:
        SourceError: it is no regular file, gone, outside the root, unreadable,
            or larger than ``limit`` bytes.
    """
    if root is not None and not _is_inside(path, root):
        raise refusal("outside", str(path))
    try:
        descriptor = os.open(path, _OPEN_FLAGS)
    except ValueError as error:
        raise refusal("gone", repr(path)) from error
    except OSError as error:
        raise refusal(_REASONS.get(error.errno or 0, "not_readable"), str(error)) from error
    found = os.fstat(descriptor)
    reason = "" if stat.S_ISREG(found.st_mode) else "not_a_file"
    if not reason and (found.st_size > limit or _is_mostly_holes(found)):
        reason = "too_large"
    if reason:
        os.close(descriptor)
        raise refusal(reason, str(path))
    return descriptor


def _is_inside(path: str | Path, root: str) -> bool:
    """Return whether the directories between root and file are what they seem; the root itself may be a link."""
    folder = Path(path).parent
    if str(folder) == root:
        return True
    if not folder.is_relative_to(root) or ".." in folder.parts:
        return False
    return os.path.realpath(folder) == str(Path(os.path.realpath(root)) / folder.relative_to(root))


def _is_mostly_holes(found: os.stat_result) -> bool:
    blocks = getattr(found, "st_blocks", None)
    return blocks is not None and found.st_size > _SPARSE_LIMIT and blocks * 512 < found.st_size // 8


def read_small(path: str | Path, *, root: str | None = None, limit: int = 8 << 20) -> bytes | None:
    """Return the content of a small side file, None if there is none that may be read."""
    if not os.path.lexists(path):  # the usual case, and much cheaper to find out than by opening safely
        return None
    try:
        descriptor = open_regular(path, root=root, limit=limit)
    except SourceError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        try:
            content = file.read(limit)
        except OSError:
            return None
        if (tap := tap_at(path)) is not None:
            tap.opened(os.fstat(descriptor))
            tap.take(0, content)
        return content


class LineFile:
    """An open file of lines. Every position is in bytes from its start."""

    empty_lines = 0
    _tap: Tap | None = None

    def __init__(self, path: str, *, root: str) -> None:
        self._descriptor = open_regular(path, root=root)
        self._before = os.fstat(self._descriptor)
        self._tap = tap_at(path)
        if self._tap is not None:
            self._tap.opened(self._before)
        self.bytes_read = 0
        self.end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    @property
    def size_bytes(self) -> int:
        """How large the file was when it was opened."""
        return self._before.st_size

    @property
    def modified_ms(self) -> int:
        """When the file was last written, by its file system."""
        return self._before.st_mtime_ns // 1_000_000

    def is_steady(self) -> bool:
        """Return whether the file only grew, if it changed at all, since it was opened."""
        return os.fstat(self._descriptor).st_size >= self.end

    def head(self, size: int) -> bytes:
        """Return the bytes at the beginning."""
        return self._read(size, 0)

    def tail_hash(self, offset: int) -> bytes:
        """Return the hash of the bytes just before a position."""
        start = max(0, offset - _TAIL)
        tail = self._read(offset - start, start)
        return hashlib.blake2b(tail, digest_size=16, key=offset.to_bytes(8, "little")).digest()

    def holds(self, needle: bytes, *, before: int) -> bool:
        """Return whether some bytes stand anywhere before a position."""
        position, keep = 0, b""
        while position < before:
            block = self._read(min(_BLOCK, before - position), position)
            if not block:
                return False
            if needle in keep + block:
                return True
            keep = block[-len(needle) :]
            position += len(block)
        return False

    def lines(self, start: int = 0, *, until: int | None = None) -> Iterator[tuple[int, bytes | None, bool]]:
        """Yield (position, line, has line end) from ``start`` on, without the line end.

        Empty lines in a row are one; ``empty_lines`` counts those that were left out.

        Split on ``\\n`` alone. A line over ``LINE_LIMIT`` is yielded as None.
        """
        for first, lines, is_ended in self.batches(start, until=until):
            position = first
            for line in lines:
                yield position, line and line.removesuffix(b"\n"), is_ended
                position += len(line or b"")

    def batches(self, start: int = 0, *, until: int | None = None) -> Iterator[tuple[int, Sequence[Any], bool]]:
        """Yield (position of the first, lines with their ends, have they any): what `lines` does, many at a time.

        An empty line, one over the limit and one without an end are alone.
        ``end`` is after the last line end that was passed.
        """
        stop = self.size_bytes if until is None else min(until, self.size_bytes)
        position, rest, is_skipping = start, b"", False
        alone_until = 0
        self.end = start
        while position < stop:
            position = self._after_hole(position) if is_skipping else position
            block = self._read(min(_BLOCK, stop - position), position) if position < stop else b""
            if not block:
                break
            if position == 0 and block[:2] in _UTF16:
                raise refusal("utf16")
            self.bytes_read += len(block)
            if self._tap is not None:
                self._tap.take(position, block)
            position += len(block)
            data = rest + block if rest else block
            begin, base = 0, position - len(data)
            while (found := data.find(b"\n", begin)) >= 0:
                if found == begin and not is_skipping:  # a run of empty lines costs as much as one
                    found = _EMPTY_LINES.match(data, begin).end() - 1  # type: ignore[union-attr]  # one is there
                    self.empty_lines += found - begin
                    self.end = base + found + 1
                    yield base + begin, (b"\n",), True
                    begin = found + 1
                    continue
                if base + begin >= alone_until and not is_skipping:
                    cut = data.rfind(b"\n", found + 1, begin + _BATCH) + 1
                    lines = BytesIO(data[begin:cut]).readlines() if cut else []  # faster than to split
                    if cut and b"\n" not in lines:
                        self.end = base + cut
                        yield base + begin, lines, True
                        begin = cut
                        continue
                    alone_until = base + cut
                self.end = base + found + 1
                is_skipping = is_skipping or found - begin > LINE_LIMIT
                yield base + begin, (None,) if is_skipping else (data[begin : found + 1],), True
                is_skipping = False
                begin = found + 1
            rest = data[begin:] if begin else data
            if is_skipping or len(rest) > LINE_LIMIT:
                is_skipping, rest = True, b""
        if rest:
            yield position - len(rest), (rest,), False

    def _after_hole(self, position: int) -> int:
        """Return where the next bytes stand that were ever written: a hole is read as zeros, and slowly."""
        if not hasattr(os, "SEEK_DATA"):
            return position
        try:
            return os.lseek(self._descriptor, position, os.SEEK_DATA)
        except OSError as error:
            return self.size_bytes if error.errno == errno.ENXIO else position

    def _read(self, size: int, position: int) -> bytes:
        """Return bytes from a position; without ``pread``, which not every system has."""
        os.lseek(self._descriptor, position, os.SEEK_SET)
        return os.read(self._descriptor, size)
