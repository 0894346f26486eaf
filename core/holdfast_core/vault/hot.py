"""What going on with a strand needs without opening it: sealed in the catalogue, so that it is true or nothing."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from holdfast_core.sealed.derive import derive
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.keys import Keys
from holdfast_core.vault.content import SQLITE_MAGIC, Content
from holdfast_core.vault.pieces import block_digests
from holdfast_core.vault.table import Table, VersionRow, best

ENDS_BYTES = 4096
_MAC_BYTES = 32
_NONCE_BYTES = 12
_INFO = b"holdfast/v1/vault/hot"


class Hot(msgspec.Struct, array_like=True):
    """How to go on: the table with the versions that matter, a digest of both ends of the content, and of its blocks.

    ``blocks`` are the digests of a database's blocks, empty for anything else.
    """

    table: Table
    ends: bytes
    blocks: bytes = b""


_decoder = msgspec.msgpack.Decoder(Hot)
_encoder = msgspec.msgpack.Encoder()


def thin(table: Table) -> Table:
    """Return a table with the versions that going on needs: the best, the last with content, the newest."""
    having = [version for version in table.versions if version.has_content]
    found = {
        version.number: version for version in (best(table.versions), *having[-1:], *table.versions[-1:]) if version
    }
    kept = [found[number] for number in sorted(found)]
    return msgspec.structs.replace(table, versions=kept, data=[])


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


def pack(hot: Hot, keys: Keys, name: str, position: Sequence[object], *, encrypt: bool) -> bytes:
    """Return it as it stands in the catalogue, bound to the strand and the position for which it is true."""
    plain = _encoder.encode(hot)
    bound = _bound(name, position)
    if not encrypt:
        return hmac.digest(_key(keys), bound + plain, "sha256") + plain
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    data_key = keys.data_key()
    nonce = os.urandom(_NONCE_BYTES)
    return data_key.id + nonce + AESGCM(_cipher_key(data_key.secret)).encrypt(nonce, plain, bound)


def unpack(stored: bytes, keys: Keys, name: str, position: Sequence[object], *, encrypt: bool) -> Hot | None:
    """Return what `pack` was given, None if this is not it."""
    bound = _bound(name, position)
    with suppress(msgspec.DecodeError, SealedError):
        if not encrypt:
            plain = stored[_MAC_BYTES:]
            wanted = hmac.digest(_key(keys), bound + plain, "sha256")
            return _decoder.decode(plain) if hmac.compare_digest(wanted, stored[:_MAC_BYTES]) else None
        return _decoder.decode(_decrypted(stored, keys, bound))
    return None


def _decrypted(stored: bytes, keys: Keys, bound: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    secret = keys.data_key(stored[:16]).secret
    try:
        return AESGCM(_cipher_key(secret)).decrypt(stored[16 : 16 + _NONCE_BYTES], stored[16 + _NONCE_BYTES :], bound)
    except (InvalidTag, ValueError) as error:
        raise SealedError("bad_tag", "what going on needs") from error


def _key(keys: Keys) -> bytes:
    return derive(keys.key("vault"), salt=keys.store_id, info=_INFO)


def _cipher_key(secret: bytes) -> bytes:
    return derive(secret, salt=b"holdfast", info=_INFO)


def _bound(name: str, position: Sequence[object]) -> bytes:
    return repr((name, *position)).encode()
