"""What is kept of each message of a run beside its text: fixed-size records, one after the other."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from holdfast_core.index.documents import Document

_RECORD: Final = struct.Struct("<qIIII")
RECORD_BYTES: Final = _RECORD.size
_NO_TIME: Final = -(2**63)
ROLES: Final = ("user", "assistant", "system", "tool")


class Head(NamedTuple):
    """One message: where its text ends in the chunk, and what tells whether it is the same as another."""

    timestamp_ms: int | None
    end: int
    id_hash: int
    text_hash: int
    role: int


def pack_heads(documents: Sequence[Document]) -> bytes:
    """Return the records of messages whose texts stand one after the other in a chunk."""
    data = bytearray(len(documents) * RECORD_BYTES)
    end = place = 0
    for one in documents:
        end += len(one.data)
        moment = _NO_TIME if one.timestamp_ms is None else one.timestamp_ms
        _RECORD.pack_into(data, place, moment, end, one.id_hash, one.text_hash, one.role)
        place += RECORD_BYTES
    return bytes(data)


def unpack_heads(data: bytes) -> list[Head]:
    """Return every record."""
    return [Head(None if moment == _NO_TIME else moment, *rest) for moment, *rest in _RECORD.iter_unpack(data)]


def unpack_each(data: bytes) -> Iterator[tuple[int | None, int, int, int, int]]:
    """Yield every record, as plain tuples in the order of `Head`: searches unpack a thousand."""
    for record in _RECORD.iter_unpack(data):
        yield record if record[0] != _NO_TIME else (None, *record[1:])


def one_head(data: bytes, position: int) -> bytes:
    """Return the bytes of one record."""
    return data[position * RECORD_BYTES : (position + 1) * RECORD_BYTES]


def text_bounds(data: bytes, position: int) -> tuple[int, int]:
    """Return where one message's text begins and ends in its chunk, in bytes."""
    start = _RECORD.unpack_from(data, (position - 1) * _RECORD.size)[1] if position else 0
    return start, _RECORD.unpack_from(data, position * _RECORD.size)[1]


def cut_heads(data: bytes, count: int) -> bytes:
    """Return the first ``count`` records."""
    return data[: count * _RECORD.size]
