"""What a strand says of itself: its source, its versions, and where each byte of them is. See `FORMAT.md`."""

from __future__ import annotations

import bisect
import struct
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from holdfast_core.model.vault import WITHOUT_CONTENT, VersionReason
from holdfast_core.sealed.errors import SealedError

DATA, TOLD = b"D", b"V"
DIGEST_BYTES = 16
_DATA = struct.Struct("<cQ")
DATA_HEAD_BYTES = _DATA.size


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """A session in the newest version: its id with the agent, how many messages, and what tells if it only grew.

    ``tip`` is the caller's own. ``project`` and ``kind`` are for the storage
    doctor: the project's path, and main, subagent or the like.
    """

    native_id: str
    messages: int
    tip: bytes = b""
    project: str = ""
    kind: str = ""


class Data(msgspec.Struct, frozen=True, array_like=True):
    """Bytes of a strand that came together: where they begin, how many, and the SHA-256 of them.

    ``stored`` is the digest of the frame that holds them, as it is stored, and
    ``stored_bytes`` its size; nothing where a record holds them, which has a
    tag of its own. Both digests are cut to 16 bytes.
    """

    offset: int
    size: int
    plain: bytes
    stored: bytes = b""
    stored_bytes: int = 0


class VersionRow(msgspec.Struct, array_like=True):
    """A version: what is told of it, and its ``pieces``: places and sizes in the strand's bytes, in order.

    ``path`` is where it lay: a source may go on under another name, in another form.
    With ``depth``, a piece that begins below 0 stands for others: of (-1 - n, m) the m pieces from the n-th on of
    the version with content before, which has ``former`` of them. Use `pieces_of`.
    """

    number: int
    opened_ms: int
    captured_ms: int
    modified_ms: int
    size: int
    messages: int
    reason: VersionReason
    pieces: list[tuple[int, int]]
    lost: int = 0
    added: int = 0
    tag: str = ""
    path: str = ""
    depth: int = 0
    former: int = 0

    @property
    def has_content(self) -> bool:
        """Whether there was a file in this version."""
        return self.reason not in WITHOUT_CONTENT


class Table(msgspec.Struct, tag="table", omit_defaults=True):
    """All that a strand says of itself. Stands behind the frames, and changes by the records that follow.

    ``owner`` is the name of the strand of the source that a companion belongs
    to. ``end`` is how many bytes the strand has. ``lost`` counts, by session,
    the messages that are here and not at the source.
    """

    agent: str
    key: str
    path: str
    owner: str = ""
    end: int = 0
    fingerprint: tuple[int, int, int] = (0, 0, 0)
    versions: list[VersionRow] = []
    data: list[Data] = []
    marks: list[Mark] = []
    lost: dict[str, int] = {}


class Opened(msgspec.Struct, tag="version", omit_defaults=True):
    """A version begins; ``data`` are the bytes that stand before this record, after which the strand has ``end``."""

    version: VersionRow
    end: int
    data: list[Data] = []
    marks: list[Mark] = []
    fingerprint: tuple[int, int, int] = (0, 0, 0)


class Grown(msgspec.Struct, tag="grown", omit_defaults=True):
    """A version, the newest, goes on by what stands before this record, or was only looked at again."""

    number: int
    end: int
    size: int
    captured_ms: int
    modified_ms: int
    messages: int
    added: int
    data: list[Data] = []
    marks: list[Mark] = []
    fingerprint: tuple[int, int, int] = (0, 0, 0)


class Tagged(msgspec.Struct, tag="tag"):
    """The person calls a version something."""

    number: int
    text: str


class Lost(msgspec.Struct, tag="lost"):
    """So many messages of a session are gone at the source."""

    native_id: str
    messages: int


class Moved(msgspec.Struct, tag="moved"):
    """The source has another key and path from now on."""

    key: str
    path: str


Told = Table | Opened | Grown | Tagged | Lost | Moved
MOST_DEPTH = 16
"""So many versions are told by the one before each, until one is told wholly again."""

_MANY_PIECES = 64
_CUT: frozenset[VersionReason] = frozenset(("truncated", "zeroed", "corrupted"))
_told = msgspec.json.Decoder(Told)
_encoder = msgspec.json.Encoder()


def pack_data(offset: int, data: bytes | memoryview) -> bytes:
    """Return bytes of a strand as a payload, with the place that they have in it."""
    return b"".join((_DATA.pack(DATA, offset), data))


def unpack_data(payload: bytes) -> tuple[int, memoryview]:
    """Return what `pack_data` was given."""
    return _DATA.unpack_from(payload)[1], memoryview(payload)[DATA_HEAD_BYTES:]


def pack_told(told: Told) -> bytes:
    """Return what a strand says as a payload."""
    return TOLD + _encoder.encode(told)


def unpack_told(payload: bytes) -> Told:
    """Return what `pack_told` was given.

    Raises:
        SealedError: newer_format; no version that we know writes this.
    """
    try:
        if payload[:1] != TOLD:
            raise ValueError("neither data nor told")
        told: Told = _told.decode(payload[1:])
        return told
    except ValueError as error:
        raise SealedError("newer_format", f"a record of a strand: {error}") from error


def apply(table: Table, told: Told) -> None:
    """Change ``table`` by a record that follows it."""
    if isinstance(told, Opened):
        table.versions.append(told.version)
    elif isinstance(told, Grown):
        newest = table.versions[-1]
        newest.captured_ms, newest.modified_ms = told.captured_ms, told.modified_ms
        newest.messages, newest.added, newest.size = told.messages, told.added, told.size
        for data in told.data:
            grow(newest.pieces, (data.offset, data.size))
    elif isinstance(told, Tagged):
        for version in table.versions:
            if version.number == told.number:
                version.tag = told.text
    elif isinstance(told, Lost):
        note_lost(table.lost, table.versions, told)
    elif isinstance(told, Moved):
        table.key, table.path = told.key, told.path
    if isinstance(told, Opened | Grown):
        table.data += told.data
        table.end = told.end
        table.marks = merged(table.marks, told.marks)
        table.fingerprint = told.fingerprint


def grow(pieces: list[tuple[int, int]], piece: tuple[int, int]) -> None:
    """Put a piece behind others, together with the last one where it goes on there."""
    if pieces and pieces[-1][0] >= 0 and sum(pieces[-1]) == piece[0]:
        pieces[-1] = (pieces[-1][0], pieces[-1][1] + piece[1])
    else:
        pieces.append(piece)


def note_lost(lost: dict[str, int], versions: Sequence[VersionRow], told: Lost) -> None:
    """Count what is gone at the source; what is gone more than before counts for the newest version."""
    before = lost.pop(told.native_id, 0)
    if told.messages:
        lost[told.native_id] = told.messages
    if versions:
        versions[-1].lost += max(0, told.messages - before)


def merged(before: Sequence[Mark], now: Sequence[Mark]) -> list[Mark]:
    """Return marks of which those in ``now`` replace earlier ones of the same session."""
    found = {mark.native_id: mark for mark in before}
    found.update((mark.native_id, mark) for mark in now)
    return list(found.values())


def incomplete(table: Table) -> frozenset[int]:
    """Return the numbers of versions of which bytes are missing here."""
    ranges = joined((data.offset, data.size) for data in table.data)
    return frozenset(version.number for version, pieces in _all_pieces(table.versions) if not _has_all(ranges, pieces))


def pieces_of(versions: Sequence[VersionRow], number: int) -> list[tuple[int, int]] | None:
    """Return the pieces of a version, all of them places in the strand; None if they are not known any more."""
    place = next((place for place, version in enumerate(versions) if version.number == number), None)
    if place is None:
        return None
    first = place
    while first and (versions[first].depth or not versions[first].has_content):
        first -= 1
    return list(_all_pieces(versions[first : place + 1]))[-1][1]


def relative(version: VersionRow, former: Sequence[tuple[int, int]], depth: int) -> VersionRow:
    """Return a version with its pieces told by those of the version before, where that is much shorter.

    ``depth`` is that of the version before. Databases have thousands of pieces, of which a few change.
    """
    if len(version.pieces) < _MANY_PIECES or depth >= MOST_DEPTH:
        return version
    places = {piece: place for place, piece in enumerate(former)}
    found: list[tuple[int, int]] = []
    for piece in version.pieces:
        place = places.get(piece)
        if place is None:
            found.append(piece)
        elif found and found[-1][0] < 0 and -1 - found[-1][0] + found[-1][1] == place:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((-1 - place, 1))
    if len(found) * 2 > len(version.pieces):
        return version
    return msgspec.structs.replace(version, pieces=found, depth=depth + 1, former=len(former))


def _all_pieces(versions: Sequence[VersionRow]) -> Iterator[tuple[VersionRow, list[tuple[int, int]] | None]]:
    """Yield versions with their pieces; None for those that cannot be told, or do not make the version's size."""
    former: list[tuple[int, int]] | None = None
    for version in versions:
        pieces: list[tuple[int, int]] | None = version.pieces
        if version.depth:
            is_known = former is not None and len(former) == version.former
            pieces = _absolute(version.pieces, former) if former is not None and is_known else None
        if pieces is not None and sum(size for _, size in pieces) != version.size:
            yield version, None
        else:
            yield version, pieces
        if version.has_content:
            former = pieces


def _absolute(pieces: Sequence[tuple[int, int]], former: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for start, size in pieces:
        if start < 0:
            found += former[-1 - start : -1 - start + size]
        else:
            found.append((start, size))
    return found


def joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return ranges in their order, together where they touch."""
    found: list[tuple[int, int]] = []
    for start, size in sorted(ranges):
        if found and start <= sum(found[-1]):
            found[-1] = (found[-1][0], max(sum(found[-1]), start + size) - found[-1][0])
        elif size:
            found.append((start, size))
    return found


def _has_all(ranges: Sequence[tuple[int, int]], pieces: Sequence[tuple[int, int]] | None) -> bool:
    if pieces is None:
        return False
    if len(ranges) == 1 and ranges[0][0] == 0:  # nothing is missing
        return all(start + size <= ranges[0][1] for start, size in pieces)
    starts = [start for start, _ in ranges]
    for start, size in pieces:
        place = bisect.bisect_right(starts, start) - 1
        if place < 0 or start + size > sum(ranges[place]):
            return False
    return True


def best(versions: Sequence[VersionRow]) -> VersionRow | None:
    """Return the version that has most of the session: most messages, not known as cut, most bytes, the newest."""
    having = [version for version in versions if version.has_content]
    return max(having, key=lambda one: (one.messages, one.reason not in _CUT, one.size, one.number), default=None)
