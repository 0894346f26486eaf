"""What going on with a strand needs without opening it: sealed in the catalogue, so that it is true or nothing."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property

import msgspec

from holdfast_core.sealed.derive import derive
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.keys import Keys
from holdfast_core.sealed.layout import ID_BYTES
from holdfast_core.vault.content import SQLITE_MAGIC, Content
from holdfast_core.vault.pieces import block_digests
from holdfast_core.vault.table import Table, VersionRow, best, pieces_of

ENDS_BYTES = 4096
_MAC_BYTES = 32
_NONCE_BYTES = 12
_INFO = b"holdfast/v1/vault/hot"


class Hot(msgspec.Struct, array_like=True):
    """How to go on: the table with the versions that matter, a digest of both ends of the content, and of its blocks.

    ``blocks`` are the digests of a database's blocks, empty for anything else.
    Pieces are places in the strand here; ``depth`` is that of the last version with content as it is written.
    """

    table: Table
    ends: bytes
    blocks: bytes = b""
    depth: int = 0


_decoder = msgspec.msgpack.Decoder(Hot)
_encoder = msgspec.msgpack.Encoder()


def thin(table: Table) -> Table:
    """Return a table with the versions that going on needs: the best, the last with content, the newest."""
    having = [version for version in table.versions if version.has_content]
    found = {
        version.number: version for version in (best(table.versions), *having[-1:], *table.versions[-1:]) if version
    }
    kept = [_plain(table, found[number]) for number in sorted(found)]
    return msgspec.structs.replace(table, versions=kept, data=[])


def depth_of(table: Table) -> int:
    """Return how many versions the newest with content is told by."""
    version = latest(table)
    return version.depth if version else 0


def _plain(table: Table, version: VersionRow) -> VersionRow:
    if not version.depth:
        return version
    return msgspec.structs.replace(version, pieces=pieces_of(table.versions, version.number) or [], depth=0, former=0)


def latest(table: Table) -> VersionRow | None:
    """Return the newest version that has content."""
    return next((version for version in reversed(table.versions) if version.has_content), None)


def ends_of(content: Content, size: int) -> bytes:
    """Return the digest of the first and last bytes of what a content has up to ``size``."""
    start = max(0, size - ENDS_BYTES)
    both = content.read(0, min(size, ENDS_BYTES)), content.read(start, size - start)
    return hashlib.sha256(b"".join((size.to_bytes(8, "little"), *both))).digest()


def is_database(content: Content) -> bool:
    """Return whether a content is a database of SQLite."""
    return content.read(0, len(SQLITE_MAGIC)) == SQLITE_MAGIC


def blocks_of(content: Content | None) -> bytes:
    """Return the digests of a database's blocks, nothing for anything else."""
    return block_digests(content) if content and is_database(content) else b""


class HotSeal:
    """Seals what stands in the catalogue with the keys of today; for one batch."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def pack(self, hot: Hot, name: str, position: Sequence[object], *, encrypt: bool) -> bytes:
        """Return it as it stands in the catalogue, bound to the strand and the position for which it is true."""
        plain, bound = _encoder.encode(hot), _bound(name, position)
        if not encrypt:
            return hmac.digest(self._key, bound + plain, "sha256") + plain
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        data_key = self._keys.data_key()
        nonce = os.urandom(_NONCE_BYTES)
        return data_key.id + nonce + AESGCM(_cipher_key(data_key.secret)).encrypt(nonce, plain, bound)

    def unpack(self, stored: bytes, name: str, position: Sequence[object], *, encrypt: bool) -> Hot | None:
        """Return what `pack` was given, None if this is not it."""
        bound = _bound(name, position)
        with suppress(msgspec.DecodeError, SealedError):
            if encrypt:
                return _decoder.decode(self._decrypted(stored, bound))
            plain = stored[_MAC_BYTES:]
            wanted = hmac.digest(self._key, bound + plain, "sha256")
            return _decoder.decode(plain) if hmac.compare_digest(wanted, stored[:_MAC_BYTES]) else None
        return None

    @cached_property
    def _key(self) -> bytes:
        return derive(self._keys.key("vault"), salt=self._keys.store_id, info=_INFO)

    def _decrypted(self, stored: bytes, bound: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        secret = self._keys.data_key(stored[:ID_BYTES]).secret
        nonce, sealed = stored[ID_BYTES : ID_BYTES + _NONCE_BYTES], stored[ID_BYTES + _NONCE_BYTES :]
        try:
            return AESGCM(_cipher_key(secret)).decrypt(nonce, sealed, bound)
        except (InvalidTag, ValueError) as error:
            raise SealedError("bad_tag", "what going on needs") from error


def _cipher_key(secret: bytes) -> bytes:
    return derive(secret, salt=b"holdfast", info=_INFO)


def _bound(name: str, position: Sequence[object]) -> bytes:
    return repr((name, *position)).encode()
