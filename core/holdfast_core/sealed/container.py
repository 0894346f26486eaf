"""The one file on disk in which we keep what is ours: sealed frames, and a tail that grows by what is new."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from holdfast_core.atomic import read_bytes, write_file
from holdfast_core.sealed.compression import FRAME_WORTH_BYTES, compress, decompress
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.keys import Keys
from holdfast_core.sealed.layout import (
    ENCRYPTED,
    FRAME_BYTES,
    ID_BYTES,
    MAX_PAYLOAD_BYTES,
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
    root_digest,
    unpack_frame,
)
from holdfast_core.sealed.seal import (
    Position,
    Seal,
    changed_elsewhere,
    open_sealed,
    read_growth,
    read_header,
    verified_header,
)
from holdfast_core.sealed.tail import Tail

__all__ = [
    "Container",
    "Header",
    "Identity",
    "Position",
    "SealedError",
    "Tail",
    "read_header",
    "read_tail",
    "reseal",
    "write",
]

LIMIT_BYTES = 1 << 30


class Container:
    """A container as it was when it was opened: held in memory and verified whole, decompressed piece by piece.

    ``position`` is after the last record that verifies. What is beyond,
    ``dropped_bytes``, was torn by a crash, which is normal; if ``is_damaged``,
    whole records follow behind it, and the disk or somebody has changed it.
    """

    def __init__(self, data: bytes, header: Header, seal: Seal) -> None:
        """Use `open` instead."""
        self.header = header
        self._data = data
        self._seal = seal
        root = header.size + header.body_bytes
        if len(data) < root + ROOT_BYTES:
            raise SealedError("truncated", f"{len(data)} bytes of {root + ROOT_BYTES}")
        self._digest = root_digest(data, root)
        self.base = Position(header.generation, root + ROOT_BYTES, 0, data[root + ROOT_BYTES - TAG_BYTES :][:TAG_BYTES])
        self._verify_root()
        self._frames = self._places(root)
        self._records = seal.records(data, self.base.offset, self.base)
        self.position = self._records[-1].position if self._records else self.base
        self.dropped_bytes = len(data) - self.position.offset
        self.is_damaged = bool(self.dropped_bytes) and seal.goes_on(data, self.position.offset, self.position.sequence)

    @classmethod
    def open(cls, path: Path, keys: Keys, identity: Identity, *, limit_bytes: int = LIMIT_BYTES) -> Container:
        """Read a container and verify all of it; a locked one can be opened, but not read.

        Raises:
            SealedError: it is not that container, not as it was written, or
                larger than ``limit_bytes``, stored or decompressed.
            OSError: it is not there or may not be read.
        """
        descriptor = open_sealed(path)
        try:
            size = os.fstat(descriptor).st_size
            if size > limit_bytes:
                raise SealedError("too_large", f"{size} bytes")
            data = read_bytes(descriptor, size)
        finally:
            os.close(descriptor)
        header, seal = verified_header(data, keys, identity)
        container = cls(data, header, seal)
        if container.plain_bytes > limit_bytes:
            raise SealedError("too_large", f"{container.plain_bytes} bytes decompressed")
        return container

    @property
    def is_encrypted(self) -> bool:
        """Whether a data key is needed to read it."""
        return self.header.suite == ENCRYPTED

    @property
    def plain_bytes(self) -> int:
        """The size of frames and tail as they were given."""
        return self.header.plain_bytes + sum(record.piece.plain_bytes for record in self._records)

    @property
    def tail_bytes(self) -> int:
        """The size of the tail as it is stored."""
        return self.position.offset - self.base.offset

    def frames(self) -> Iterator[bytes]:
        """Yield the frames as they were given.

        Raises:
            SealedError: locked; or bad_tag, which after opening means a mistake in our own writing.
        """
        cipher = self._seal.cipher
        digest = _digest(self._seal)
        for piece, start in self._frames:
            stored = self._data[start : start + piece.stored_bytes]
            packed = stored if cipher is None else cipher.open_frame(piece, stored)
            plain = decompress(piece.compression, packed, plain_bytes=piece.plain_bytes)
            digest.update(plain)
            yield plain
        if not hmac.compare_digest(digest.digest(), self._digest):
            raise SealedError("bad_tag", "the frames are not what was given")

    def tail(self) -> Iterator[bytes]:
        """Yield the tail's records as they were given, up to `position`.

        Raises:
            SealedError: locked.
        """
        return map(self._seal.payload, self._records)

    def tail_from(self, position: Position) -> Iterator[bytes]:
        """Yield the records after ``position``.

        Raises:
            SealedError: other_generation or bad_tag, ``position`` is not in this file; locked.
        """
        if position.generation != self.header.generation:
            raise SealedError("other_generation")
        if position not in (self.base, *(record.position for record in self._records[position.sequence - 1 :][:1])):
            raise SealedError("bad_tag", "that position is not in this file")
        return map(self._seal.payload, self._records[position.sequence :])

    def _verify_root(self) -> None:
        covered = memoryview(self._data)[: self.base.offset - TAG_BYTES]
        if not hmac.compare_digest(hmac.digest(self._seal.root_key, covered, "sha256"), self.base.tag):
            raise SealedError("bad_tag", "the frames")

    def _places(self, end: int) -> list[tuple[Piece, int]]:
        """Return every frame with the place of its bytes; all of it is verified by now."""
        places: list[tuple[Piece, int]] = []
        place = self.header.size
        while place + FRAME_BYTES <= end:
            piece = unpack_frame(self._data, place, len(places))
            places.append((piece, place + FRAME_BYTES))
            place += FRAME_BYTES + piece.stored_bytes
        plain_bytes = sum(piece.plain_bytes for piece, _ in places)
        if (place, len(places), plain_bytes) != (end, self.header.frame_count, self.header.plain_bytes):
            raise SealedError("bad_tag", "the frames do not fill their place")
        return places


def read_tail(
    path: Path, keys: Keys, identity: Identity, position: Position, *, limit_bytes: int = LIMIT_BYTES
) -> tuple[list[bytes], Position]:
    """Return what was appended since ``position``, and where it ends now. Costs what is new.

    Raises:
        SealedError: the file is not that container any more, or was written anew (other_generation); locked.
        OSError: it is not there or may not be read.
    """
    descriptor = open_sealed(path)
    try:
        growth = read_growth(descriptor, keys, identity, position, limit_bytes=limit_bytes)
    finally:
        os.close(descriptor)
    if (size := sum(record.piece.plain_bytes for record in growth.records)) > limit_bytes:
        raise SealedError("too_large", f"{size} bytes decompressed")
    payloads = [growth.seal.payload(record) for record in growth.records]
    return payloads, growth.records[-1].position if growth.records else position


def write(
    path: Path,
    keys: Keys,
    identity: Identity,
    frames: Iterable[bytes],
    *,
    expected_generation: int | None,
    expected_position: Position | None = None,
    backup: Path | None = None,
    spare: Path | None = None,
    encrypt: bool,
    tail: Iterable[bytes] = (),
    lowest_generation: int = 1,
) -> Position:
    """Write a container whole: whoever reads sees the former generation or this one; returns the place after it.

    ``expected_generation`` is the one that is there now, None for nothing.
    ``expected_position`` says too that nothing was appended to it. The caller
    holds a lock between reading and writing, and has closed its `Tail`, over
    which Windows does not rename. ``backup`` is the name under which the
    former generation goes on existing; temporary files stand in ``spare``, a
    directory of the same filesystem, beside ``path`` unless given. ``tail`` are records to begin with.
    The new generation is the next one, and not below ``lowest_generation``.

    Raises:
        Refused: somebody else changed it.
        SealedError: what is there cannot be verified, the data key is locked, or it is too large.
        OSError: the disk does not take it. The former generation is as it was;
            only if the very last step failed, the directory's sync, the new
            one is there already, and `read_header` tells.
    """
    former = _checked(path, keys, identity, expected_generation, expected_position)
    data_key_id = keys.data_key().id if encrypt else bytes(ID_BYTES)
    header = Header(
        suite=ENCRYPTED if encrypt else SIGNED,
        compression=ZSTD,
        key_id=bytes.fromhex(keys.active_id),
        store_id=keys.store_id,
        data_key_id=data_key_id,
        salt=os.urandom(SALT_BYTES),
        generation=max(former + 1, lowest_generation),
        body_bytes=0,
        plain_bytes=0,
        frame_count=0,
        identity=identity,
    )
    chunks, position = _sealed(Seal(keys, header), header, frames, tail)
    try:
        write_file(path, chunks, overwrite=expected_generation is not None, backup=backup, spare=spare)
    except FileExistsError as error:
        raise changed_elsewhere("it was created") from error
    return position


def reseal(
    path: Path,
    keys: Keys,
    identity: Identity,
    *,
    encrypt: bool,
    backup: Path | None = None,
    spare: Path | None = None,
) -> Position:
    """Write a container anew with the keys of today, and whether it is encrypted; what it holds stays as it is.

    Raises:
        SealedError: it does not verify, or is locked.
        Refused: somebody else changed it at the same time.
        OSError: it is not there, or the disk does not take it.
    """
    now = Container.open(path, keys, identity)
    if now.is_damaged:
        raise SealedError("bad_tag", "the tail")
    return write(
        path,
        keys,
        identity,
        now.frames(),
        expected_generation=now.header.generation,
        expected_position=now.position,
        backup=backup,
        spare=spare,
        encrypt=encrypt,
        tail=now.tail(),
    )


def _checked(path: Path, keys: Keys, identity: Identity, generation: int | None, position: Position | None) -> int:
    """Return the generation that is there, 0 for nothing; it is the expected one."""
    if generation is None:
        if os.path.lexists(path):
            raise changed_elsewhere("it was created")
        return 0
    try:
        there = read_header(path, keys, identity).generation
        if there != generation:
            raise changed_elsewhere(f"generation {there}, not {generation}")
        if position is not None and read_tail(path, keys, identity, position)[1] != position:
            raise changed_elsewhere("records were appended")
    except FileNotFoundError as error:
        raise changed_elsewhere("it is gone") from error
    return there


def _sealed(seal: Seal, header: Header, frames: Iterable[bytes], tail: Iterable[bytes]) -> tuple[list[bytes], Position]:
    """Return the bytes of a container in pieces, and the place after them."""
    body: list[bytes] = []
    digest = _digest(seal)
    count = plain_bytes = 0
    for plain in frames:
        body += _frame(seal, count, plain)
        digest.update(plain)
        count += 1
        plain_bytes += len(plain)
        if plain_bytes > LIMIT_BYTES:
            raise SealedError("too_large", f"more than {LIMIT_BYTES} bytes")
    header = header._replace(body_bytes=sum(map(len, body)), plain_bytes=plain_bytes, frame_count=count)
    packed = pack_header(header)
    start = packed + hmac.digest(seal.header_key, packed, "sha256")
    root = pack_root(count, digest.digest())
    tag = hmac.new(seal.root_key, start, "sha256")
    for piece in (*body, root):
        tag.update(piece)
    chunks = [start, *body, root + tag.digest()]
    position = Position(header.generation, sum(map(len, chunks)), 0, tag.digest())
    for payload in tail:
        record = seal.record(position.sequence + 1, payload, position.tag)
        size = sum(map(len, record))
        position = position._replace(offset=position.offset + size, sequence=position.sequence + 1, tag=record[-1])
        chunks += record
    return chunks, position


def _frame(seal: Seal, sequence: int, plain: bytes) -> tuple[bytes, bytes]:
    if len(plain) > MAX_PAYLOAD_BYTES:
        raise SealedError("too_large", f"a frame of {len(plain)} bytes")
    compression, packed = compress(plain, worth_bytes=FRAME_WORTH_BYTES)
    piece = Piece(sequence, 0, len(plain), compression)
    stored = packed if seal.cipher is None else seal.cipher.seal_frame(piece, packed)
    return pack_frame(piece._replace(stored_bytes=len(stored))), stored


def _digest(seal: Seal) -> hmac.HMAC | hashlib._Hash:
    """Return what digests the plain frames: keyed where the digest alone would tell something of them."""
    return hashlib.sha256() if seal.cipher is None else hmac.new(seal.cipher.digest_key, digestmod="sha256")
