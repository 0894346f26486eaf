"""What verifies a container: its own keys, its header, and the chain of its tail."""

from __future__ import annotations

import hmac
import itertools
import os
import re
import struct
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from holdfast_core.atomic import READ_FLAGS, open_regular, read_bytes
from holdfast_core.errors import Refused
from holdfast_core.sealed.compression import RECORD_WORTH_BYTES, compress, decompress
from holdfast_core.sealed.derive import derive
from holdfast_core.sealed.encryption import FileCipher
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.keys import Keys
from holdfast_core.sealed.layout import (
    ENCRYPTED,
    HEADER_MAX_BYTES,
    MAX_PAYLOAD_BYTES,
    RECORD_BYTES,
    ROOT_BYTES,
    TAG_BYTES,
    Header,
    Identity,
    Piece,
    header_bytes,
    pack_record,
    unpack_header,
    unpack_record,
)

_MOST_TRIES = 256
_MOST_TRIES_FAR = 1 << 16
# A sequence below 2^24 and the zeros behind the compression say little, so that each find is verified.
_SOME_SEQUENCE = re.compile(rb"(?=(...)\x00{5}.{8}[\x00\x01]\x00{3})", re.DOTALL)
_PURPOSES = {"vault": "vault", "index": "index", "backup": "backup", "journal": "journal", "settings": "settings"}


class Position(NamedTuple):
    """The place after the last verified record of a container, and what the next one follows on."""

    generation: int
    offset: int
    sequence: int
    tag: bytes


class Record(NamedTuple):
    """A verified tail record: what stands before it, where in which bytes it begins, and the place after it."""

    piece: Piece
    data: bytes
    start: int
    position: Position

    @property
    def stored(self) -> bytes:
        """The payload as it is stored."""
        start = self.start + RECORD_BYTES
        return self.data[start : start + self.piece.stored_bytes]


class Seal:
    """The keys of one file, made of the store's keys and the file's own salt."""

    def __init__(self, keys: Keys, header: Header) -> None:
        self._keys = keys
        self._header = header
        purpose = _PURPOSES.get(header.identity.record_type, "documents")
        key = keys.key(purpose, header.key_id.hex())
        self.header_key = derive(key, salt=header.salt, info=b"holdfast/v1/file/header")
        self.root_key = derive(key, salt=header.salt, info=b"holdfast/v1/file/root")
        self.tail_key = derive(key, salt=header.salt, info=b"holdfast/v1/file/tail")

    @cached_property
    def cipher(self) -> FileCipher | None:
        """What decrypts the file; None if it is not encrypted.

        Raises:
            SealedError: locked.
        """
        header = self._header
        if header.suite != ENCRYPTED:
            return None
        kind, name = (text.encode() for text in header.identity)
        context = struct.pack("<16sQB", header.store_id, header.generation, len(kind)) + kind + name
        return FileCipher(self._keys.data_key(header.data_key_id).secret, salt=header.salt, context=context)

    @property
    def is_locked(self) -> bool:
        """Whether a data key is needed that is not unlocked."""
        return self._header.suite == ENCRYPTED and not self._keys.has_data_key(self._header.data_key_id)

    def record(self, sequence: int, payload: bytes, before: bytes) -> tuple[bytes, bytes, bytes]:
        """Return a tail record that follows on the tag ``before``: what stands first, the stored bytes, the tag."""
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise SealedError("too_large", f"a record of {len(payload)} bytes")
        compression, stored = compress(payload, worth_bytes=RECORD_WORTH_BYTES)
        if self.cipher is not None:
            stored = self.cipher.seal_record(Piece(sequence, 0, len(payload), compression), stored)
        start = pack_record(Piece(sequence, len(stored), len(payload), compression))
        return start, stored, hmac.digest(self.tail_key, before + start + stored, "sha256")

    def payload(self, record: Record) -> bytes:
        """Return what a record was made of.

        Raises:
            SealedError: locked, or bad_tag.
        """
        packed = record.stored if self.cipher is None else self.cipher.open_record(record.piece, record.stored)
        return decompress(record.piece.compression, packed, plain_bytes=record.piece.plain_bytes)

    def records(self, data: bytes, start: int, position: Position) -> list[Record]:
        """Return the records that verify, of the bytes from ``start`` on, which stand at ``position`` in the file.

        The position's tag must stand right before ``start``.

        Raises:
            SealedError: bad_tag; a record is genuine and has another number, so ``position`` is wrong.
        """
        found: list[Record] = []
        generation, offset, sequence, _ = position
        offset -= start
        last = len(data) - RECORD_BYTES - TAG_BYTES
        while start <= last:
            piece = unpack_record(data, start)
            end = start + RECORD_BYTES + piece[1]
            # The tag before stands right before the record.
            wanted = hmac.digest(self.tail_key, data[start - TAG_BYTES : end], "sha256")
            tag = data[end : end + TAG_BYTES]
            if not hmac.compare_digest(wanted, tag):
                break
            sequence += 1
            if piece.sequence != sequence or piece.plain_bytes > MAX_PAYLOAD_BYTES:
                raise SealedError("bad_tag", f"record {piece.sequence} where {sequence} should be")
            found.append(Record(piece, data, start, Position(generation, offset + end + TAG_BYTES, sequence, tag)))
            start = end + TAG_BYTES
        return found

    def goes_on(self, data: bytes, start: int, sequence: int) -> bool:
        """Return whether records verify behind a damaged one after record ``sequence``: then no crash has torn it.

        A record vouches for the tag before it. If that tag is what was
        damaged, the next but one still does.
        """
        return any(self._found(data, start, later) is not None for later in (sequence + 2, sequence + 3))

    def next_verified(self, data: bytes, start: int, sequence: int) -> tuple[int, int] | None:
        """Return place and number of the next record that verifies behind a damaged one, however many are between."""
        for later in (sequence + 2, sequence + 3):
            place = self._found(data, start, later)
            if place is not None:
                return place, later
        for found in itertools.islice(_SOME_SEQUENCE.finditer(data, start + TAG_BYTES), _MOST_TRIES_FAR):
            later = int.from_bytes(found[1], "little")
            if later > sequence + 3 and self._verifies(data, found.start()):
                return found.start(), later
        return None

    def _found(self, data: bytes, start: int, sequence: int) -> int | None:
        """Return where record ``sequence`` stands, if it verifies."""
        wanted = re.compile(re.escape(sequence.to_bytes(8, "little")), re.DOTALL)
        for found in itertools.islice(wanted.finditer(data, start + TAG_BYTES), _MOST_TRIES):
            if self._verifies(data, found.start()):
                return found.start()
        return None

    def _verifies(self, data: bytes, place: int) -> bool:
        if place + RECORD_BYTES > len(data):
            return False
        end = place + RECORD_BYTES + unpack_record(data, place).stored_bytes
        if end + TAG_BYTES > len(data):
            return False
        tag = hmac.digest(self.tail_key, data[place - TAG_BYTES : end], "sha256")
        return hmac.compare_digest(tag, data[end : end + TAG_BYTES])


def open_sealed(path: Path, flags: int = READ_FLAGS) -> int:
    """Open a file that may be a container and return the descriptor, which the caller closes.

    Raises:
        SealedError: not_regular.
        OSError: it is not there or may not be opened.
    """
    try:
        return open_regular(path, flags)
    except IsADirectoryError as error:
        raise SealedError("not_regular", path.name) from error


def verified_header(start: bytes, keys: Keys, identity: Identity) -> tuple[Header, Seal]:
    """Return the header at the beginning of ``start``, and the keys of its file.

    Raises:
        SealedError: it is not the header of ``identity``, not as it was written, or its key is not here.
    """
    size = header_bytes(start)
    if len(start) < size:
        raise SealedError("truncated", "the header is not whole")
    packed, tag = start[: size - TAG_BYTES], start[size - TAG_BYTES : size]
    header = unpack_header(start[:size])
    if header.store_id != keys.store_id:
        raise SealedError("wrong_identity", "another store")
    seal = Seal(keys, header)
    if not hmac.compare_digest(hmac.digest(seal.header_key, packed, "sha256"), tag):
        raise SealedError("bad_tag", "the header")
    if header.identity != identity:
        raise SealedError("wrong_identity", f"a {header.identity.record_type}")
    return header, seal


def read_header(path: Path, keys: Keys, identity: Identity) -> Header:
    """Return the verified header of a container, without reading the rest; as `verified_header`, or OSError."""
    descriptor = open_sealed(path)
    try:
        return verified_header(read_bytes(descriptor, HEADER_MAX_BYTES), keys, identity)[0]
    finally:
        os.close(descriptor)


class Growth(NamedTuple):
    """What stands behind a position. ``is_damaged`` says that records verify behind one that does not."""

    seal: Seal
    records: list[Record]
    dropped_bytes: int
    is_damaged: bool


def read_growth(descriptor: int, keys: Keys, identity: Identity, position: Position, *, limit_bytes: int) -> Growth:
    """Return the records after ``position`` that verify, without reading what is before it.

    Raises:
        SealedError: ``position`` is not in this file: other_generation, truncated or bad_tag.
    """
    header, seal = verified_header(read_bytes(descriptor, HEADER_MAX_BYTES), keys, identity)
    if header.generation != position.generation:
        raise SealedError("other_generation", f"{header.generation}, not {position.generation}")
    size = os.fstat(descriptor).st_size
    if size < position.offset:
        raise SealedError("truncated", f"{size} bytes of {position.offset}")
    if position.offset < header.size + header.body_bytes + ROOT_BYTES:
        raise SealedError("bad_tag", "that position is not in this file")
    if size - position.offset > limit_bytes:
        raise SealedError("too_large", f"{size - position.offset} new bytes")
    os.lseek(descriptor, position.offset - TAG_BYTES, os.SEEK_SET)
    data = read_bytes(descriptor, size - position.offset + TAG_BYTES)
    if not hmac.compare_digest(data[:TAG_BYTES], position.tag):
        raise SealedError("bad_tag", "the record before")
    records = seal.records(data, TAG_BYTES, position)
    last = records[-1].position if records else position
    start = last.offset - position.offset + TAG_BYTES
    is_damaged = start < len(data) and seal.goes_on(data, start, last.sequence)
    return Growth(seal, records, len(data) - start, is_damaged)


def changed_elsewhere(detail: str) -> Refused:
    """Return the refusal of a change that would undo somebody else's."""
    return Refused(
        "This was changed elsewhere in the meantime. Look at it as it is now, then repeat your change.",
        detail=f"changed elsewhere: {detail}",
    )
