"""``keys.json``: which keys there are, what each may do, and how the data keys are wrapped. Signed, kept twice."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from holdfast_core.atomic import read_file, write_file
from holdfast_core.sealed.errors import SealedError

KEY_LIST = "keys.json"
SECOND_KEY_LIST = "keys.second.json"
_LIMIT_BYTES = 1 << 20
_TAG_START = b',"tag":"'
_TAG_END = b'"}\n'
_TAG_BYTES = len(_TAG_START) + 64 + len(_TAG_END)

State = Literal["active", "verify-only", "revoked"]


class KeyInfo(NamedTuple):
    """A root key: its id, when it came, and whether it seals, only verifies, or is refused."""

    id: str
    created_ms: int
    state: State


class Wrap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A data key under another key. ``by`` is the id of the key for the kinds root and data; bytes are hexadecimal."""

    kind: Literal["passphrase", "recovery", "root", "data"]
    by: str = ""
    salt: str = ""
    time: int = 0
    memory_kib: int = 0
    lanes: int = 0
    nonce: str
    wrapped: str


class DataKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key that files are encrypted with."""

    id: str
    created_ms: int
    wraps: tuple[Wrap, ...]


class KeyList(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything in ``keys.json``. ``data_keys`` begin with the one that encrypts, if ``is_encrypted``."""

    format: Literal[1] = 1
    generation: int = 0
    store_id: str
    signed_by: str
    keys: tuple[KeyInfo, ...]
    data_keys: tuple[DataKey, ...] = ()
    is_encrypted: bool = False

    @property
    def active_id(self) -> str:
        """The key that seals what is written now."""
        return next(key.id for key in self.keys if key.state == "active")


class _Signature(msgspec.Struct):
    store_id: str
    signed_by: str


SigningKey = Callable[[str, bytes], bytes]
"""Gives the key that signs a list, by the root key's id and the store's."""


def read_key_list(directory: Path, signing_key: SigningKey) -> KeyList | None:
    """Return the newest list that verifies; None if no list was ever written.

    Raises:
        SealedError: there are lists, but none of them verifies.
    """
    found: list[KeyList] = []
    problems: list[SealedError] = []
    for name in (KEY_LIST, SECOND_KEY_LIST):
        try:
            data = _read(directory / name)
            if data is not None:
                found.append(_verified(data, signing_key))
        except SealedError as error:
            problems.append(error)
    if found:
        return max(found, key=lambda one: one.generation)
    if problems:
        raise problems[0]
    return None


def write_key_list(directory: Path, keys: KeyList, signing_key: SigningKey) -> KeyList:
    """Write the list, one generation further, and return it. Both copies are of the same generation afterwards."""
    keys = msgspec.structs.replace(keys, generation=keys.generation + 1)
    body = msgspec.json.encode(keys)[:-1]
    tag = hmac.digest(signing_key(keys.signed_by, bytes.fromhex(keys.store_id)), body, "sha256").hex().encode()
    data = body + _TAG_START + tag + _TAG_END
    for name in (KEY_LIST, SECOND_KEY_LIST):
        write_file(directory / name, [data])
    return keys


def is_twice(directory: Path) -> bool:
    """Return whether both copies of the list are there and the same."""
    try:
        first = _read(directory / KEY_LIST)
        return first is not None and first == _read(directory / SECOND_KEY_LIST)
    except SealedError:
        return False


def _read(path: Path) -> bytes | None:
    try:
        return read_file(path, limit_bytes=_LIMIT_BYTES)
    except FileNotFoundError:
        return None
    except IsADirectoryError as error:
        raise SealedError("not_regular", path.name) from error
    except ValueError as error:
        raise SealedError("too_large", path.name) from error


def _verified(data: bytes, signing_key: SigningKey) -> KeyList:
    body, end = data[:-_TAG_BYTES], data[-_TAG_BYTES:]
    try:
        claim = msgspec.json.decode(data, type=_Signature)
        key = signing_key(claim.signed_by, bytes.fromhex(claim.store_id))
        tag = hmac.digest(key, body, "sha256").hex().encode()
        if not hmac.compare_digest(end, _TAG_START + tag + _TAG_END):
            raise SealedError("bad_tag", KEY_LIST)
        return msgspec.json.decode(body + b"}", type=KeyList)
    except (msgspec.DecodeError, ValueError) as error:
        raise SealedError("bad_tag", KEY_LIST) from error
