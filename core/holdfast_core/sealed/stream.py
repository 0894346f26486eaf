"""Containers larger than memory: written frame by frame, read piece by piece. The bytes are those of `container`."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from holdfast_core.atomic import read_bytes, write_all
from holdfast_core.sealed.compression import FRAME_WORTH_BYTES, USUAL, compress, decompress
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.keys import Keys
from holdfast_core.sealed.layout import (
    ENCRYPTED,
    FRAME_BYTES,
    HEADER_MAX_BYTES,
    ID_BYTES,
    MAX_PAYLOAD_BYTES,
    RECORD_BYTES,
    ROOT_BYTES,
    SALT_BYTES,
    SIGNED,
    TAG_BYTES,
    ZSTD,
    Header,
    Identity,
    Piece,
    pack_frame,
    pack_header,
    pack_root,
    unpack_frame,
    unpack_record,
)
from holdfast_core.sealed.seal import Position, Record, Seal, open_sealed, verified_header

_IN_MEMORY_BYTES = 1 << 23
_WINDOW_BYTES = 1 << 23

Patch = tuple[int, bytes]
"""An offset, and what belongs there."""


class Stored(NamedTuple):
    """A frame as it is stored: how many bytes, and their SHA-256."""

    size: int
    digest: bytes


class Written(NamedTuple):
    """A container that was written: the place after it, and all that is not frames, to be kept as a copy.

    With these ``essentials`` as patches, what is left of a damaged file can be read.
    """

    position: Position
    essentials: tuple[Patch, Patch]


def write_stream(
    descriptor: int,
    keys: Keys,
    identity: Identity,
    frames: Iterable[bytes],
    *,
    generation: int,
    encrypt: bool,
    tail: Callable[[Sequence[Stored]], Iterable[bytes]],
    level: int = USUAL,
) -> Written:
    """Write a container into an empty file that is open for reading and writing.

    Memory stays at some frames. ``tail`` gives the records to begin with; it
    is asked after the frames, with what is known of each.
    Neither synced nor closed: that is the caller's.

    Raises:
        SealedError: locked, or too_large.
        OSError: the disk does not take it.
    """
    header = Header(
        suite=ENCRYPTED if encrypt else SIGNED,
        compression=ZSTD,
        key_id=bytes.fromhex(keys.active_id),
        store_id=keys.store_id,
        data_key_id=keys.data_key().id if encrypt else bytes(ID_BYTES),
        salt=os.urandom(SALT_BYTES),
        generation=generation,
        body_bytes=0,
        plain_bytes=0,
        frame_count=0,
        identity=identity,
    )
    seal = Seal(keys, header)
    body = _Body(descriptor, header.size, seal, level)
    for plain in frames:
        body.add(plain)
    header = header._replace(body_bytes=body.stored_bytes, plain_bytes=body.plain_bytes, frame_count=len(body.frames))
    packed = pack_header(header)
    start = packed + hmac.digest(seal.header_key, packed, "sha256")
    root = pack_root(len(body.frames), body.plain_digest)
    tag = hmac.new(seal.root_key, start, "sha256")
    for part in body.parts():
        tag.update(part)
    tag.update(root)
    position = Position(generation, header.size + body.stored_bytes + ROOT_BYTES, 0, tag.digest())
    end = [root + position.tag]
    for payload in tail(body.frames):
        record = seal.record(position.sequence + 1, payload, position.tag)
        size = sum(map(len, record))
        position = position._replace(offset=position.offset + size, sequence=position.sequence + 1, tag=record[-1])
        end += record
    body.finish(start, b"".join(end))
    return Written(position, ((0, start), (header.size + body.stored_bytes, b"".join(end))))


class _Body:
    """The frames of a container that is being written: in memory while they are small, else in its file."""

    def __init__(self, descriptor: int, start: int, seal: Seal, level: int) -> None:
        self.stored_bytes = self.plain_bytes = 0
        self._level = level
        self.frames: list[Stored] = []
        self._descriptor = descriptor
        self._start = start
        self._seal = seal
        self._pieces: list[bytes] = []
        self._waiting = 0
        self._is_spilled = False
        self._digest = hashlib.sha256() if seal.cipher is None else hmac.new(seal.cipher.digest_key, digestmod="sha256")

    @property
    def plain_digest(self) -> bytes:
        """The digest of everything as it was given."""
        return self._digest.digest()

    def add(self, plain: bytes) -> None:
        if len(plain) > MAX_PAYLOAD_BYTES:
            raise SealedError("too_large", f"a frame of {len(plain)} bytes")
        compression, packed = compress(plain, worth_bytes=FRAME_WORTH_BYTES, level=self._level)
        piece = Piece(len(self.frames), 0, len(plain), compression)
        stored = packed if self._seal.cipher is None else self._seal.cipher.seal_frame(piece, packed)
        self._digest.update(plain)
        self.frames.append(Stored(len(stored), hashlib.sha256(stored).digest()))
        self._pieces += (pack_frame(piece._replace(stored_bytes=len(stored))), stored)
        self.plain_bytes += len(plain)
        self.stored_bytes += FRAME_BYTES + len(stored)
        self._waiting += len(stored)
        if self._waiting > _IN_MEMORY_BYTES:
            self._spill()

    def parts(self) -> Iterator[bytes]:
        """Yield all that was added, once it is complete."""
        if not self._is_spilled:
            yield from self._pieces
            return
        self._spill()
        os.lseek(self._descriptor, self._start, os.SEEK_SET)
        left = self.stored_bytes
        while left > 0 and (part := read_bytes(self._descriptor, min(left, _WINDOW_BYTES))):
            left -= len(part)
            yield part
        if left:
            raise SealedError("truncated", "what was just written")

    def finish(self, start: bytes, end: bytes) -> None:
        if not self._is_spilled:
            write_all(self._descriptor, b"".join((start, *self._pieces, end)))
            return
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        write_all(self._descriptor, start)
        os.lseek(self._descriptor, self._start + self.stored_bytes, os.SEEK_SET)
        write_all(self._descriptor, end)

    def _spill(self) -> None:
        if not self._is_spilled:
            write_all(self._descriptor, bytes(self._start))
            self._is_spilled = True
        write_all(self._descriptor, b"".join(self._pieces))
        self._pieces.clear()
        self._waiting = 0


class Stream:
    """A container that is read piece by piece. Its header is verified; what else is said for each method.

    Used by one thread at a time, to be closed.
    """

    def __init__(self, descriptor: int, keys: Keys, identity: Identity, patches: Sequence[Patch]) -> None:
        """Use `open` instead."""
        self.size_bytes = max([os.fstat(descriptor).st_size, *(place + len(part) for place, part in patches)])
        self._descriptor = descriptor
        self._patches = patches
        self._whole: bytes | None = None
        if self.size_bytes <= _WINDOW_BYTES:
            self._whole = self._at(0, self.size_bytes)
        self.header, self._seal = verified_header(self._at(0, HEADER_MAX_BYTES), keys, identity)

    @classmethod
    def open(cls, path: Path, keys: Keys, identity: Identity, *, patches: Sequence[Patch] = ()) -> Stream:
        """Open a container, of which the header is verified.

        ``patches`` are (offset, bytes) to be read in the place of what stands
        there: copies of parts without which the rest cannot be read.

        Raises:
            SealedError: it is not that container.
            OSError: it is not there or may not be read.
        """
        descriptor = open_sealed(path)
        try:
            return cls(descriptor, keys, identity, patches)
        except BaseException:
            os.close(descriptor)
            raise

    @property
    def is_encrypted(self) -> bool:
        """Whether a data key is needed to read it."""
        return self.header.suite == ENCRYPTED

    @property
    def base(self) -> Position:
        """The place behind the root record. Its tag is as it stands there."""
        offset = self.header.size + self.header.body_bytes + ROOT_BYTES
        tag = self._at(offset - TAG_BYTES, TAG_BYTES)
        if len(tag) < TAG_BYTES:
            raise SealedError("truncated", f"{self.size_bytes} bytes of {offset}")
        return Position(self.header.generation, offset, 0, tag)

    def places(self) -> list[tuple[Piece, int]]:
        """Return what stands before each frame, and where its bytes begin; of damaged ones as many as there are."""
        found: list[tuple[Piece, int]] = []
        place, end = self.header.size, self.header.size + self.header.body_bytes
        while place + FRAME_BYTES <= end and len(found) < self.header.frame_count:
            start = self._at(place, FRAME_BYTES)
            if len(start) < FRAME_BYTES:
                break
            piece = unpack_frame(start, 0, len(found))
            place += FRAME_BYTES
            if place + piece.stored_bytes > end or piece.plain_bytes > MAX_PAYLOAD_BYTES:
                break
            found.append((piece, place))
            place += piece.stored_bytes
        return found

    def frame(self, piece: Piece, start: int, *, digest: bytes) -> bytes:
        """Return a frame as it was given, if as it is stored it has the SHA-256 ``digest`` (or begins with it).

        Raises:
            SealedError: bad_tag; or locked.
        """
        stored = self._at(start, piece.stored_bytes)
        if not hmac.compare_digest(hashlib.sha256(stored).digest()[: len(digest)], digest):
            raise SealedError("bad_tag", f"frame {piece.sequence}")
        cipher = self._seal.cipher
        packed = stored if cipher is None else cipher.open_frame(piece, stored)
        return decompress(piece.compression, packed, plain_bytes=piece.plain_bytes)

    def is_whole(self) -> bool:
        """Return whether all frames and the root record are as they were written. Reads them all."""
        end = self.header.size + self.header.body_bytes + ROOT_BYTES - TAG_BYTES
        tag = hmac.new(self._seal.root_key, digestmod="sha256")
        place = 0
        while place < end and (part := self._at(place, min(_WINDOW_BYTES, end - place))):
            tag.update(part)
            place += len(part)
        return place == end and hmac.compare_digest(tag.digest(), self._at(end, TAG_BYTES))

    def records(self, position: Position) -> Iterator[Record]:
        """Yield the records behind ``position`` that verify, one after the other, without holding them all."""
        size = _WINDOW_BYTES
        while position.offset < self.size_bytes:
            data = self._at(position.offset - TAG_BYTES, size)
            if not hmac.compare_digest(data[:TAG_BYTES], position.tag):
                return
            found = self._seal.records(data, TAG_BYTES, position)
            yield from found
            if found:
                position, size = found[-1].position, _WINDOW_BYTES
                continue
            needed = _needed(data)
            if needed <= size or position.offset - TAG_BYTES + needed > self.size_bytes:
                return
            size = needed

    def record(self, before: Position, end: int) -> Record:
        """Return the record that stands behind ``before`` and ends at the offset ``end``.

        Raises:
            SealedError: bad_tag.
        """
        data = self._at(before.offset - TAG_BYTES, end - before.offset + TAG_BYTES)
        found = self._seal.records(data, TAG_BYTES, before) if data[:TAG_BYTES] == before.tag else []
        if len(found) != 1:
            raise SealedError("bad_tag", f"record {before.sequence + 1}")
        return found[0]

    def goes_on(self, position: Position) -> bool:
        """Return whether records verify behind a damaged one that follows on ``position``."""
        data = self._at(position.offset - TAG_BYTES, self.size_bytes - position.offset + TAG_BYTES)
        return self._seal.goes_on(data, TAG_BYTES, position.sequence)

    def next_after(self, position: Position) -> Position | None:
        """Return the place before the next record that verifies, behind a damaged one that follows on ``position``.

        A record vouches for the tag before it, so that is a place to go on from.
        """
        data = self._at(position.offset - TAG_BYTES, self.size_bytes - position.offset + TAG_BYTES)
        found = self._seal.next_verified(data, TAG_BYTES, position.sequence)
        if found is None:
            return None
        place, sequence = found
        offset = position.offset - TAG_BYTES + place
        return Position(position.generation, offset, sequence - 1, data[place - TAG_BYTES : place])

    def essentials(self, end: int) -> tuple[Patch, Patch]:
        """Return what stands outside of the frames up to ``end``, see `Written`."""
        root = self.header.size + self.header.body_bytes
        return (0, self._at(0, self.header.size)), (root, self._at(root, end - root))

    def payload(self, record: Record) -> bytes:
        """Return what a record was made of.

        Raises:
            SealedError: locked, or bad_tag.
        """
        return self._seal.payload(record)

    def close(self) -> None:
        """Close the file."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _at(self, place: int, size: int) -> bytes:
        if self._whole is not None:
            return self._whole[place : place + size]
        os.lseek(self._descriptor, place, os.SEEK_SET)
        data = read_bytes(self._descriptor, size)
        for start, part in self._patches:
            if start < place + size and place < start + len(part):
                data = _patched(data, start - place, part, size)
        return data


def _patched(data: bytes, start: int, part: bytes, size: int) -> bytes:
    """Return ``data`` with ``part`` at ``start``, which may be before it; zeros stand where nothing is known."""
    if start < 0:
        part, start = part[-start:], 0
    part = part[: size - start]
    return data[:start].ljust(start, b"\0") + part + data[start + len(part) :]


def _needed(data: bytes) -> int:
    """Return how many bytes it takes to see the record that ``data`` begins with, behind the tag before it."""
    if len(data) < TAG_BYTES + RECORD_BYTES:
        return 0
    return TAG_BYTES + RECORD_BYTES + unpack_record(data, TAG_BYTES).stored_bytes + TAG_BYTES
