"""The bytes of a container, as `FORMAT.md` has them: what is packed here is unpacked here. No keys, no disk."""

from __future__ import annotations

import struct
from typing import NamedTuple

from holdfast_core.sealed.errors import SealedError

MAGIC = b"\x89HOLD\r\n\x1a"
FORMAT = 1
SIGNED, ENCRYPTED = 1, 2
"""The suites, a closed list: HMAC-SHA256, and the same around AES-256-GCM."""

PLAIN, ZSTD = 0, 1
"""The ways to compress, a closed list."""

TAG_BYTES = 32
SALT_BYTES = 32
ID_BYTES = 16
MAX_NAME_BYTES = 200
MAX_PAYLOAD_BYTES = 1 << 28

_HEADER = struct.Struct("<8sHHBB2x16s16s16s32sQQQIBB2x")
_FRAME = struct.Struct("<IIB3x")
_ROOT = struct.Struct("<4sI32s")
_RECORD = struct.Struct("<QIIB3x")
_ROOT_MAGIC = b"ROOT"

HEADER_MIN_BYTES = _HEADER.size + TAG_BYTES
HEADER_MAX_BYTES = HEADER_MIN_BYTES + 2 * MAX_NAME_BYTES
FRAME_BYTES = _FRAME.size
ROOT_BYTES = _ROOT.size + TAG_BYTES
RECORD_BYTES = _RECORD.size


class Identity(NamedTuple):
    """What a container is: the tags cover it, so that a file cannot stand in for another one."""

    record_type: str
    record_id: str


class Header(NamedTuple):
    """The beginning of a container. ``body_bytes`` are its frames as stored, ``plain_bytes`` as they were given."""

    suite: int
    compression: int
    key_id: bytes
    store_id: bytes
    data_key_id: bytes
    salt: bytes
    generation: int
    body_bytes: int
    plain_bytes: int
    frame_count: int
    identity: Identity

    @property
    def size(self) -> int:
        """The bytes that the header takes, its tag included."""
        return HEADER_MIN_BYTES + sum(len(name.encode()) for name in self.identity)


class Piece(NamedTuple):
    """What stands before the bytes of a frame or record. ``sequence`` counts frames from 0 and records from 1."""

    sequence: int
    stored_bytes: int
    plain_bytes: int
    compression: int


def pack_header(header: Header) -> bytes:
    """Return the header without its tag.

    Raises:
        ValueError: type or id are empty or too long.
    """
    kind, name = (text.encode() for text in header.identity)
    if not 0 < len(kind) <= MAX_NAME_BYTES or not 0 < len(name) <= MAX_NAME_BYTES:
        raise ValueError("a record's type and id have 1 to 200 bytes")
    fields = header[:-1]
    return _HEADER.pack(MAGIC, FORMAT, header.size, *fields, len(kind), len(name)) + kind + name


def header_bytes(start: bytes) -> int:
    """Return the size of the header, its tag included, by the first bytes of a file.

    Raises:
        SealedError: these are no bytes of a container, or of one of a newer format.
    """
    if len(start) < HEADER_MIN_BYTES:
        raise SealedError("truncated" if MAGIC.startswith(start[:8]) else "not_a_container")
    magic, version, size = struct.unpack_from("<8sHH", start)
    if magic != MAGIC:
        raise SealedError("not_a_container")
    if version != FORMAT:
        raise SealedError("newer_format" if version > FORMAT else "bad_tag", f"format {version}")
    if not HEADER_MIN_BYTES < size <= HEADER_MAX_BYTES:
        raise SealedError("bad_tag", f"a header of {size} bytes")
    return int(size)


def unpack_header(data: bytes) -> Header:
    """Return what a header says, which nobody has verified yet.

    Raises:
        SealedError: no writer of ours makes such a header.
    """
    *_, kind_bytes, name_bytes = fields = _HEADER.unpack_from(data)
    if len(data) != HEADER_MIN_BYTES + kind_bytes + name_bytes:
        raise SealedError("bad_tag", "the lengths in the header do not fit")
    start = _HEADER.size
    try:
        kind = data[start : start + kind_bytes].decode()
        name = data[start + kind_bytes : start + kind_bytes + name_bytes].decode()
    except UnicodeDecodeError as error:
        raise SealedError("bad_tag", "the names in the header are no text") from error
    header = Header._make((*fields[3:-2], Identity(kind, name)))
    if header.suite not in (SIGNED, ENCRYPTED) or header.compression not in (PLAIN, ZSTD):
        raise SealedError("newer_format", f"suite {header.suite}, compression {header.compression}")
    return header


def pack_frame(piece: Piece) -> bytes:
    """Return what stands before a frame's bytes; its place is where it stands."""
    return _FRAME.pack(piece.stored_bytes, piece.plain_bytes, piece.compression)


def unpack_frame(data: bytes | memoryview, offset: int, sequence: int) -> Piece:
    """Return what stands before a frame's bytes; there must be enough of them."""
    stored_bytes, plain_bytes, compression = _FRAME.unpack_from(data, offset)
    return Piece(sequence, stored_bytes, plain_bytes, compression)


def pack_root(frame_count: int, digest: bytes) -> bytes:
    """Return the root record without its tag."""
    return _ROOT.pack(_ROOT_MAGIC, frame_count, digest)


def root_digest(data: bytes | memoryview, offset: int) -> bytes:
    """Return the digest of the plain frames, out of a root record that was verified."""
    digest: bytes = _ROOT.unpack_from(data, offset)[2]
    return digest


def pack_record(piece: Piece) -> bytes:
    """Return what stands before a tail record's bytes."""
    return _RECORD.pack(piece.sequence, piece.stored_bytes, piece.plain_bytes, piece.compression)


def unpack_record(data: bytes | memoryview, offset: int) -> Piece:
    """Return what stands before a tail record's bytes; there must be enough of them."""
    return Piece(*_RECORD.unpack_from(data, offset))
