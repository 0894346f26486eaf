"""Compare two contents and tell what of the new one is stored already: memory stays at some megabytes."""

from __future__ import annotations

import bisect
import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence

from holdfast_core.vault.content import PIECE_BYTES, Content
from holdfast_core.vault.strand import Strand
from holdfast_core.vault.table import VersionRow, grow

BLOCK_BYTES = 1 << 14
BLOCK_DIGEST_BYTES = 16
_LEAST_BYTES = 1 << 11
_MOST_TIMES = 32
_MOST_PIECES = 1 << 16
_BOUNDARY = re.compile(rb"\n|\},")
_ROLLING_BYTES = 32
_MASK = 3

Pieces = list[tuple[int, int]]


class VersionContent:
    """The bytes of a version, to be read at any place."""

    def __init__(self, strand: Strand, version: VersionRow) -> None:
        """The strand stays the caller's, to be closed."""
        self._strand = strand
        self.places = PieceMap(strand.pieces(version))
        self.size = version.size

    def read(self, offset: int, size: int) -> bytes:
        """Return ``size`` bytes from ``offset`` on, fewer only at the end."""
        parts = [part for start, count in self.places.at(offset, size) for part in self._strand.read(start, count)]
        return parts[0] if len(parts) == 1 else b"".join(parts)


class PieceMap:
    """Where in a strand the bytes of a version are."""

    def __init__(self, pieces: Sequence[tuple[int, int]]) -> None:
        self._pieces = pieces
        self._ends: list[int] = []
        place = 0
        for _, size in pieces:
            place += size
            self._ends.append(place)

    def at(self, offset: int, size: int) -> Pieces:
        """Return the places of ``size`` bytes from ``offset`` on."""

        found: Pieces = []
        place = bisect.bisect_right(self._ends, offset)
        while size > 0 and place < len(self._pieces):
            start, length = self._pieces[place]
            inside = offset - (self._ends[place] - length)
            taken = min(size, length - inside)
            grow(found, (start + inside, taken))
            offset += taken
            size -= taken
            place += 1
        return found


class Plan:
    """How a content is made of what a strand has and what is ``new``: ranges of the content, in order."""

    def __init__(self, end: int) -> None:
        """``end`` is how many bytes the strand has."""
        self.pieces: Pieces = []
        self.new: Pieces = []
        self._start = self._end = end

    @property
    def new_bytes(self) -> int:
        """How many bytes have to be stored."""
        return sum(size for _, size in self.new)

    def only_adds_to(self, former: Sequence[tuple[int, int]]) -> bool:
        """Return whether it is these pieces and everything that is new behind them."""
        found = list(former)
        if self.new_bytes:
            grow(found, (self._start, self.new_bytes))
        return found == self.pieces

    def keep(self, pieces: Pieces) -> None:
        """Go on with bytes that the strand has."""
        for piece in pieces:
            grow(self.pieces, piece)

    def add(self, start: int, size: int) -> None:
        """Go on with bytes of the content that are new."""
        if size:
            grow(self.new, (start, size))
            grow(self.pieces, (self._end, size))
            self._end += size


def common_start(one: Content, other: Content) -> int:
    """Return how many bytes two contents have in common at the beginning."""
    place, end = 0, min(one.size, other.size)
    while place < end:
        size = min(PIECE_BYTES, end - place)
        left, right = one.read(place, size), other.read(place, size)
        if left != right:
            return place + _alike(left, right)
        place += size
    return end


def common_end(one: Content, other: Content, *, most: int) -> int:
    """Return how many bytes two contents have in common at the end, at most ``most``."""
    done = 0
    while done < most:
        size = min(PIECE_BYTES, most - done)
        left = one.read(one.size - done - size, size)
        right = other.read(other.size - done - size, size)
        if left != right:
            return done + _alike(left[::-1], right[::-1])
        done += size
    return most


def planned(former: Sequence[VersionContent], now: Content, end: int) -> tuple[Plan, int]:
    """Return how ``now`` is made of earlier versions and what is new, and how much it begins with of the first.

    ``former`` are earlier versions, the one before first.
    """
    plan = Plan(end)
    if not former:
        plan.add(0, now.size)
        return plan, 0
    starts = [common_start(content, now) for content in former]
    place = max(range(len(former)), key=lambda number: (starts[number], -number))
    content = former[place]
    start = starts[place]
    most = min(content.size, now.size) - start
    tail = common_end(content, now, most=most)
    plan.keep(content.places.at(0, start))
    if now.size - tail - start < _LEAST_BYTES:
        plan.add(start, now.size - tail - start)
    else:
        least = least_bytes(now.size)
        _middle(plan, _known(former, starts, least), cut(now, start, now.size - tail, least=least))
    plan.keep(content.places.at(content.size - tail, tail))
    return plan, starts[0]


def least_bytes(size: int) -> int:
    """Return the least size of pieces of a content: larger ones of very large contents, so that they can be known."""
    least = _LEAST_BYTES
    while least * _MOST_PIECES < size:
        least *= 2
    return least


def _known(former: Sequence[VersionContent], starts: Sequence[int], least: int) -> dict[bytes, Pieces]:
    """Return where the pieces of earlier versions are, behind what they begin with in common with the new one."""
    known: dict[bytes, Pieces] = {}
    for content, start in zip(former, starts, strict=True):
        for place, size, name in cut(content, start, content.size, least=least):
            if name not in known:
                known[name] = content.places.at(place, size)
    return known


def _middle(plan: Plan, known: dict[bytes, Pieces], parts: Iterable[tuple[int, int, bytes]]) -> None:
    for place, size, name in parts:
        found = known.get(name)
        if found is not None:
            plan.keep(found)
        else:
            plan.add(place, size)
            last, count = plan.pieces[-1]
            known[name] = [(last + count - size, size)]


def cut(content: Content, start: int, end: int, *, least: int) -> Iterator[tuple[int, int, bytes]]:
    """Yield (offset, size, digest) of pieces whose ends depend on what stands before them alone."""
    data, place, most = b"", start, least * _MOST_TIMES
    while place < end:
        if len(data) < most and place + len(data) < end:
            data += content.read(place + len(data), min(max(PIECE_BYTES, 2 * most), end - place - len(data)))
        done = 0
        is_last = place + len(data) >= end
        while done < len(data) and (is_last or len(data) - done >= most):
            size = _cut_at(data, done, least) - done
            yield place + done, size, hashlib.sha256(data[done : done + size]).digest()[:16]
            done += size
        if not done:
            return
        place += done
        data = data[done:]


def block_digests(content: Content) -> bytes:
    """Return the digests of a database's blocks, one after the other."""
    found: list[bytes] = []
    for start in range(0, content.size, PIECE_BYTES):
        data = content.read(start, PIECE_BYTES)
        found += [_block_digest(data[at : at + BLOCK_BYTES]) for at in range(0, len(data), BLOCK_BYTES)]
    return b"".join(found)


def planned_blocks(version: VersionRow, before: bytes, now: bytes, size: int, end: int) -> Plan:
    """Return how a database is made of the blocks of the version before, by the digests of both."""
    plan, places, step = Plan(end), PieceMap(version.pieces), BLOCK_DIGEST_BYTES
    known = {before[at : at + step]: at // step for at in range(0, len(before), step)}
    fresh: dict[bytes, Pieces] = {}
    for number, at in enumerate(range(0, len(now), step)):
        name = now[at : at + step]
        start = number * BLOCK_BYTES
        length = min(BLOCK_BYTES, size - start)
        found = number if before[at : at + step] == name else known.get(name)
        if found is not None and min(BLOCK_BYTES, version.size - found * BLOCK_BYTES) == length:
            plan.keep(places.at(found * BLOCK_BYTES, length))
        elif name in fresh and length == BLOCK_BYTES:
            plan.keep(fresh[name])
        else:
            plan.add(start, length)
            last, count = plan.pieces[-1]
            fresh[name] = [(last + count - length, length)]
    return plan


def _block_digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()[:BLOCK_DIGEST_BYTES]


def _cut_at(data: bytes, start: int, least: int) -> int:
    """Return where the piece ends that begins at ``start``."""
    end = min(len(data), start + least * _MOST_TIMES)
    for found in _BOUNDARY.finditer(data, start + least, end):
        place = found.end()
        if not zlib.crc32(data[place - _ROLLING_BYTES : place]) & _MASK:
            return place
    return end


def _alike(left: bytes, right: bytes) -> int:
    """Return how many bytes two texts begin with in common; they differ somewhere."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[:middle] == right[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
