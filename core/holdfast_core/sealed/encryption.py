"""Encryption inside one container: frames in chunks of 64 KiB that cannot be moved or cut, and tail records."""

from __future__ import annotations

import os
import struct

from holdfast_core.sealed.derive import derive
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.layout import Piece

CHUNK_BYTES = 1 << 16
GCM_TAG_BYTES = 16
NONCE_BYTES = 12
_NONCE = struct.Struct(">II3xB")
_BOUND = struct.Struct("<QIB")


class FileCipher:
    """Encrypts and decrypts what one file holds, with keys that no other file has: ``salt`` is new on each whole write.

    ``context`` is bound to the keys: with another one nothing can be decrypted.
    """

    def __init__(self, data_key: bytes, *, salt: bytes, context: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._frames = AESGCM(derive(data_key, salt=salt, info=b"holdfast/v1/file/frames\0" + context))
        self._records = AESGCM(derive(data_key, salt=salt, info=b"holdfast/v1/file/records\0" + context))
        self._digest_key = derive(data_key, salt=salt, info=b"holdfast/v1/file/digest\0" + context)

    @property
    def digest_key(self) -> bytes:
        """The key under which the digest of the plain frames is kept, which would tell of them otherwise."""
        return self._digest_key

    def seal_frame(self, piece: Piece, packed: bytes) -> bytes:
        """Encrypt a frame; each chunk knows its frame, its place and whether it is the last."""
        bound = _bound(piece)
        starts = range(0, max(len(packed), 1), CHUNK_BYTES)
        return b"".join(
            self._frames.encrypt(
                _NONCE.pack(piece.sequence, number, start + CHUNK_BYTES >= len(packed)),
                packed[start : start + CHUNK_BYTES],
                bound,
            )
            for number, start in enumerate(starts)
        )

    def open_frame(self, piece: Piece, stored: bytes) -> bytes:
        """Return what `seal_frame` was given.

        Raises:
            SealedError: bad_tag.
        """
        from cryptography.exceptions import InvalidTag

        bound, size = _bound(piece), CHUNK_BYTES + GCM_TAG_BYTES
        starts = range(0, max(len(stored), 1), size)
        try:
            return b"".join(
                self._frames.decrypt(
                    _NONCE.pack(piece.sequence, number, start + size >= len(stored)),
                    stored[start : start + size],
                    bound,
                )
                for number, start in enumerate(starts)
            )
        except InvalidTag as error:
            raise SealedError("bad_tag", f"frame {piece.sequence}") from error

    def seal_record(self, piece: Piece, packed: bytes) -> bytes:
        """Encrypt a tail record. The nonce is random: a record that was cut off is written again with its number."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._records.encrypt(nonce, packed, _bound(piece))

    def open_record(self, piece: Piece, stored: bytes) -> bytes:
        """Return what `seal_record` was given.

        Raises:
            SealedError: bad_tag.
        """
        from cryptography.exceptions import InvalidTag

        try:
            return self._records.decrypt(stored[:NONCE_BYTES], stored[NONCE_BYTES:], _bound(piece))
        except (InvalidTag, ValueError) as error:
            raise SealedError("bad_tag", f"record {piece.sequence}") from error


def _bound(piece: Piece) -> bytes:
    return _BOUND.pack(piece.sequence, piece.plain_bytes, piece.compression)
