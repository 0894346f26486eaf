"""What may stand in a file that was written and not synced: nothing new, zeros, halves, single calls and sectors."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from tests.faults.disk import Done

_SECTOR: Final = 512
_CUTS: Final = 6
_DRAWN: Final = 4


def applied(old: bytes, changes: Sequence[Done]) -> bytes:
    """Return the whole content."""
    content = bytearray(old)
    for done in changes:
        if done.what == "truncate":
            _resize(content, done.offset)
        else:
            _put(content, done.offset, done.data)
    return bytes(content)


def missing(old: bytes, _changes: Sequence[Done]) -> bytes:
    """Return what was there before."""
    return old


def zeros(old: bytes, changes: Sequence[Done]) -> bytes:
    """Return the new size, but none of the data."""
    return applied(old, [_with(done, bytes(len(done.data))) for done in changes])


def halves(old: bytes, changes: Sequence[Done]) -> bytes:
    """Return the first half of every write."""
    return applied(old, [_with(done, done.data[: len(done.data) // 2]) for done in changes])


damaged = (missing, zeros, halves)


def partly(old: bytes, changes: Sequence[Done], chance: random.Random) -> Iterator[bytes]:
    """Yield contents of which some calls or some sectors arrived, in order and out of order."""
    for count in range(1, len(changes)):
        yield applied(old, changes[:count])
        yield applied(old, changes[count:])
    new = applied(old, changes)
    changed = [start for start in range(0, len(new), _SECTOR) if _sector(new, start) != _sector(old, start)]
    if len(changed) < 2:
        return
    for cut in sorted(chance.sample(range(1, len(changed)), min(_CUTS, len(changed) - 1))):
        first = _mixed(old, new, changed[:cut])
        yield first
        yield first[: max(len(old), changed[cut - 1] + _SECTOR)]  # the size follows the data
        yield _mixed(old, new, changed[cut:])
    for _ in range(_DRAWN):
        yield _mixed(old, new, chance.sample(changed, chance.randrange(1, len(changed))))


def _mixed(old: bytes, new: bytes, arrived: Collection[int]) -> bytes:
    """Return the new size with the sectors of which these are new."""
    content = bytearray(old)
    _resize(content, len(new))
    for start in arrived:
        content[start : start + _SECTOR] = _sector(new, start)
    return bytes(content)


def _sector(data: bytes, start: int) -> bytes:
    return data[start : start + _SECTOR]


def _with(done: Done, data: bytes) -> Done:
    return Done(done.what, done.path, offset=done.offset, data=data)


def _put(content: bytearray, offset: int, data: bytes) -> None:
    if len(content) < offset:
        _resize(content, offset)
    content[offset : offset + len(data)] = data


def _resize(content: bytearray, size: int) -> None:
    del content[size:]
    content.extend(bytes(size - len(content)))
