"""A data key under a passphrase, a recovery code, or another key."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from typing import Literal, NamedTuple

from holdfast_core.errors import WrongUsage
from holdfast_core.sealed.derive import KEY_BYTES, derive
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.keylist import Wrap

MAX_CHARACTERS = 1024
_SALT_BYTES = 16
_NONCE_BYTES = 12
# Crockford's letters: none that is taken for another; 32 of them are 160 bits.
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE = re.compile(f"[{_LETTERS}]{{32}}")
_MISREAD = str.maketrans("OIL", "011")


class Cost(NamedTuple):
    """What a guess costs (Argon2id, RFC 9106)."""

    time: int
    memory_kib: int
    lanes: int


USUAL = Cost(time=3, memory_kib=64 * 1024, lanes=4)
HIGHEST = Cost(time=10, memory_kib=1024 * 1024, lanes=16)
"""More than this is not computed, whatever a file says."""


class Wrapper:
    """Wraps one data key, named by its id, of one store: no wrap can pass for that of another key."""

    def __init__(self, store_id: bytes, data_key_id: str) -> None:
        self._context = b"holdfast/v1/data key\0" + store_id + bytes.fromhex(data_key_id)

    def with_passphrase(self, secret: bytes, passphrase: str) -> Wrap:
        """Return ``secret`` under what a person remembers.

        Raises:
            WrongUsage: the passphrase is empty or too long.
        """
        salt = os.urandom(_SALT_BYTES)
        key = _stretched(passphrase, salt, USUAL)
        return self._sealed(
            secret, key, Wrap(kind="passphrase", salt=salt.hex(), **USUAL._asdict(), nonce="", wrapped="")
        )

    def with_recovery_code(self, secret: bytes) -> tuple[str, tuple[Wrap, ...]]:
        """Return a new code for a person to write down, and ``secret`` under it."""
        code = "".join(_LETTERS[byte % 32] for byte in os.urandom(32))
        salt = os.urandom(_SALT_BYTES)
        wrap = self._sealed(
            secret, _key_of_code(code, salt), Wrap(kind="recovery", salt=salt.hex(), nonce="", wrapped="")
        )
        return "-".join(code[start : start + 4] for start in range(0, 32, 4)), (wrap,)

    def with_key(self, secret: bytes, kind: Literal["root", "data"], by: str, key: bytes) -> Wrap:
        """Return ``secret`` under another key."""
        return self._sealed(secret, key, Wrap(kind=kind, by=by, nonce="", wrapped=""))

    def unlocked(self, wraps: Sequence[Wrap], text: str) -> bytes:
        """Return the data key that ``text``, a passphrase or a recovery code, protects.

        Raises:
            SealedError: wrong_passphrase; or bad_tag where the wraps ask for more than is allowed.
        """
        code = "".join(text.split()).replace("-", "").upper().translate(_MISREAD)
        for wrap in wraps:
            try:
                if wrap.kind == "recovery" and _CODE.fullmatch(code):
                    return self.opened(wrap, _key_of_code(code, bytes.fromhex(wrap.salt)))
                if wrap.kind == "passphrase" and 0 < len(text) <= MAX_CHARACTERS:
                    cost = Cost(wrap.time, wrap.memory_kib, wrap.lanes)
                    return self.opened(wrap, _stretched(text, bytes.fromhex(wrap.salt), cost))
            except SealedError as error:
                if error.reason != "wrong_passphrase":
                    raise
        raise SealedError("wrong_passphrase")

    def opened(self, wrap: Wrap, key: bytes) -> bytes:
        """Return the data key in ``wrap``.

        Raises:
            SealedError: wrong_passphrase; ``key`` is not the one.
        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            nonce, wrapped = bytes.fromhex(wrap.nonce), bytes.fromhex(wrap.wrapped)
            return AESGCM(key).decrypt(nonce, wrapped, self._bound(wrap))
        except InvalidTag as error:
            raise SealedError("wrong_passphrase") from error
        except ValueError as error:
            raise SealedError("bad_tag", "a wrapped key is no key") from error

    def _sealed(self, secret: bytes, key: bytes, wrap: Wrap) -> Wrap:
        import msgspec
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(_NONCE_BYTES)
        wrapped = AESGCM(key).encrypt(nonce, secret, self._bound(wrap))
        return msgspec.structs.replace(wrap, nonce=nonce.hex(), wrapped=wrapped.hex())

    def _bound(self, wrap: Wrap) -> bytes:
        """Return what a wrap is bound to: the key that it wraps and how it does so."""
        how = f"{wrap.kind} {wrap.by} {wrap.salt} {wrap.time} {wrap.memory_kib} {wrap.lanes}"
        return self._context + how.encode()


def _stretched(passphrase: str, salt: bytes, cost: Cost) -> bytes:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    text = unicodedata.normalize("NFC", passphrase)
    if not 0 < len(text) <= MAX_CHARACTERS:
        raise WrongUsage(f"A passphrase has 1 to {MAX_CHARACTERS:,} characters.")
    if len(salt) != _SALT_BYTES or any(not 0 < asked <= most for asked, most in zip(cost, HIGHEST, strict=True)):
        raise SealedError("bad_tag", f"a passphrase asks for {cost}")
    kdf = Argon2id(salt=salt, length=KEY_BYTES, iterations=cost.time, lanes=cost.lanes, memory_cost=cost.memory_kib)
    return kdf.derive(text.encode("utf-8", "surrogatepass"))


def _key_of_code(code: str, salt: bytes) -> bytes:
    """Return the key of a recovery code, which needs no stretching: it is too long to be guessed."""
    return derive(code.encode(), salt=salt, info=b"holdfast/v1/recovery code")
