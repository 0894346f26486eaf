"""The keys of one store: root keys by id, a key for each purpose, and the data keys of encryption."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from holdfast_core.atomic import remove_stale
from holdfast_core.clock import now_ms
from holdfast_core.errors import Refused
from holdfast_core.paths import make_private
from holdfast_core.sealed.derive import KEY_BYTES, derive
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.keylist import (
    KEY_LIST,
    DataKey,
    KeyInfo,
    KeyList,
    State,
    is_twice,
    read_key_list,
    write_key_list,
)
from holdfast_core.sealed.layout import ID_BYTES
from holdfast_core.sealed.locks import lock
from holdfast_core.sealed.passphrase import Wrapper
from holdfast_core.sealed.roots import Roots, SecondCopy, keep_private

__all__ = ["PURPOSES", "KeyInfo", "Keys", "SecondCopy"]

log = logging.getLogger(__name__)

PURPOSES = ("documents", "vault", "index", "backup", "journal", "audit", "settings")
_LOCK = "keys.lock"
_LOCK_SECONDS = 10.0


class DataSecret(NamedTuple):
    """A data key that is unlocked, with the id that stands in the headers."""

    id: bytes
    secret: bytes


class Keys:
    """The keys of one store, shared by its threads; what other processes change is noticed when a key is asked for."""

    def __init__(self, directory: Path, second: SecondCopy | None) -> None:
        """Use `open` instead."""
        self._directory = directory
        self._roots = Roots(directory, second)
        self._mutex = threading.RLock()
        self._derived: dict[tuple[str, str], bytes] = {}
        self._data: dict[str, bytes] = {}
        self._seen: tuple[int, ...] = ()
        self._uncopied: set[str] = set()
        self._list: KeyList

    @classmethod
    def open(cls, directory: Path, *, keyring: SecondCopy | None = None, may_create: bool = True) -> Keys:
        """Open the keys in ``directory``, made for this person alone; the first time, make them.

        A root key that is gone is taken from ``keyring``. With ``may_create``
        False nothing is made: for who knows that there are files to be read.

        Raises:
            SealedError: the keys are gone or were changed.
            OSError: the directory cannot be used.
        """
        make_private(directory)
        keys = cls(directory, keyring)
        with lock(directory / _LOCK, timeout_seconds=_LOCK_SECONDS):
            remove_stale(directory)
            keep_private(directory)
            keys._read(may_create=may_create)
            keys._heal()
        keys._copy_new()
        return keys

    @property
    def store_id(self) -> bytes:
        """The 16 bytes that every file of this store carries."""
        return bytes.fromhex(self._list.store_id)

    @property
    def active_id(self) -> str:
        """The id of the root key that seals what is written now."""
        self._refresh()
        return self._list.active_id

    @property
    def is_encrypted(self) -> bool:
        """Whether a passphrase protects what is written now."""
        self._refresh()
        return self._list.is_encrypted

    @property
    def is_unlocked(self) -> bool:
        """Whether encrypted files can be read and written now; so also when there is no passphrase."""
        self._refresh()
        return not self._list.is_encrypted or self._list.data_keys[0].id in self._data

    def key(self, purpose: str, key_id: str | None = None) -> bytes:
        """Return the key for ``purpose``, one of `PURPOSES`, of the active root key or of an older one.

        Raises:
            SealedError: unknown_key; the key is not here or was revoked.
        """
        if purpose not in PURPOSES:
            raise ValueError(f"there is no purpose {purpose!r}")
        return self._purpose_key(purpose, key_id or self.active_id)

    def states(self) -> list[KeyInfo]:
        """Return every root key that this store ever had, the oldest first."""
        self._refresh()
        return list(self._list.keys)

    def forget(self) -> None:
        """Take all keys out of memory; root keys are read again when they are needed, data keys have to be unlocked."""
        with self._mutex:
            self._derived.clear()
            self._data.clear()
            self._roots.forget()

    def rotate(self) -> str:
        """Make a new root key, which seals from now on, and return its id; the former one still verifies."""
        with self._changing():
            former = self._list.active_id
            self._roots.retire(former)
            self._adopt(self._roots.replace())
        self._copy_new()
        return self._list.active_id

    def revoke(self, key_id: str) -> None:
        """Refuse every file that this key sealed.

        Raises:
            Refused: it is the active key.
            SealedError: unknown_key; there never was such a key.
        """
        with self._changing():
            if key_id == self._list.active_id:
                raise Refused("The key in use cannot be revoked. Make a new one first.", detail=key_id)
            if not self._knows(key_id):
                raise SealedError("unknown_key", key_id)
            self._write(keys=_with_state(self._list.keys, key_id, "revoked"))
            self._derived.clear()

    def copy_to_keyring(self) -> bool:
        """Put the active root key into the keyring; returns whether it is there now."""
        return self._roots.copy(self.active_id)

    def set_passphrase(self, new: str, *, recovery: bool = True) -> str:
        """Encrypt from now on, or change the passphrase; returns a new recovery code, to be shown once.

        With ``recovery`` False a former recovery code stays as it was and the
        result is empty. Files that were written before keep what they are.

        Raises:
            WrongUsage: the passphrase is empty or too long.
            SealedError: locked; the former passphrase has not been entered.
        """
        with self._changing():
            if self._list.is_encrypted:
                active, former = self._list.data_keys[0], self._list.data_keys[1:]
                secret = self.data_key().secret
            else:
                active = DataKey(id=os.urandom(ID_BYTES).hex(), created_ms=now_ms(), wraps=())
                secret = os.urandom(KEY_BYTES)
                former = self._rewrapped_under(active.id, secret)
            wrapper = Wrapper(self.store_id, active.id)
            kept = tuple(wrap for wrap in active.wraps if wrap.kind == "recovery" and not recovery)
            code, fresh = wrapper.with_recovery_code(secret) if recovery else ("", ())
            wraps = (wrapper.with_passphrase(secret, new), *fresh, *kept)
            self._write(data_keys=(msgspec.structs.replace(active, wraps=wraps), *former), is_encrypted=True)
            self._data[active.id] = secret
            return code

    def unlock(self, passphrase_or_code: str) -> None:
        """Take the data keys into memory.

        Raises:
            SealedError: wrong_passphrase.
        """
        self._refresh()
        if not self._list.is_encrypted:
            return
        active = self._list.data_keys[0]
        secret = Wrapper(self.store_id, active.id).unlocked(active.wraps, passphrase_or_code)
        with self._mutex:
            self._data[active.id] = secret

    def lock(self) -> None:
        """Take the data keys out of memory."""
        with self._mutex:
            self._data.clear()

    def remove_passphrase(self) -> None:
        """Encrypt no longer. Encrypted files stay readable, without a passphrase.

        Raises:
            SealedError: locked.
        """
        with self._changing():
            if not self._list.is_encrypted:
                return
            self._write(data_keys=self._rewrapped_under_root(self._list.active_id), is_encrypted=False)

    def data_key(self, key_id: bytes | None = None) -> DataSecret:
        """Return the data key of this id, or the one that encrypts what is written now.

        Raises:
            SealedError: locked or unknown_key.
        """
        self._refresh()
        with self._mutex:
            if key_id is None and not self._list.is_encrypted:
                raise SealedError("unknown_key", "there is no passphrase")
            wanted = self._list.data_keys[0].id if key_id is None else key_id.hex()
            if wanted not in self._data:
                self._data[wanted] = self._unwrapped(wanted)
            return DataSecret(bytes.fromhex(wanted), self._data[wanted])

    def has_data_key(self, key_id: bytes) -> bool:
        """Return whether what this data key encrypted can be read now."""
        try:
            self.data_key(key_id)
        except SealedError as error:
            if error.reason != "locked":
                raise
            return False
        return True

    def _unwrapped(self, data_id: str) -> bytes:
        """Unwrap a data key that another key, which is here, protects."""
        found = next((one for one in self._list.data_keys if one.id == data_id), None)
        if found is None:
            raise SealedError("unknown_key", f"data key {data_id}")
        wrapper = Wrapper(self.store_id, data_id)
        for wrap in found.wraps:
            if wrap.kind == "root":
                return wrapper.opened(wrap, self._wrapping_key(wrap.by))
            if wrap.kind == "data" and wrap.by in self._data:
                return wrapper.opened(wrap, self._data[wrap.by])
        raise SealedError("locked")

    def _rewrapped_under(self, by: str, secret: bytes) -> tuple[DataKey, ...]:
        """Return all data keys, each protected by the data key ``by`` alone."""
        return tuple(
            msgspec.structs.replace(
                one, wraps=(Wrapper(self.store_id, one.id).with_key(self._plain(one.id), "data", by, secret),)
            )
            for one in self._list.data_keys
        )

    def _rewrapped_under_root(self, root_id: str) -> tuple[DataKey, ...]:
        """Return all data keys, each protected by a root key alone, so that no passphrase is needed."""
        key = self._wrapping_key(root_id)
        return tuple(
            msgspec.structs.replace(
                one, wraps=(Wrapper(self.store_id, one.id).with_key(self._plain(one.id), "root", root_id, key),)
            )
            for one in self._list.data_keys
        )

    def _plain(self, data_id: str) -> bytes:
        return self.data_key(bytes.fromhex(data_id)).secret

    def _purpose_key(self, purpose: str, key_id: str) -> bytes:
        self._refresh()
        with self._mutex:
            found = self._derived.get((purpose, key_id))
            if found is None:
                if self._state(key_id) == "revoked":
                    raise SealedError("unknown_key", f"key {key_id} was revoked")
                found = self._derive(purpose, key_id, self.store_id)
                self._derived[purpose, key_id] = found
            return found

    def _state(self, key_id: str) -> State:
        for key in self._list.keys:
            if key.id == key_id:
                return key.state
        raise SealedError("unknown_key", f"key {key_id}")

    def _derive(self, purpose: str, key_id: str, store_id: bytes) -> bytes:
        return derive(self._roots.load(key_id), salt=store_id, info=b"holdfast/v1/" + purpose.encode())

    def _signing_key(self, key_id: str, store_id: bytes) -> bytes:
        return self._derive("keys", key_id, store_id)

    def _wrapping_key(self, key_id: str) -> bytes:
        return self._derive("wrap", key_id, self.store_id)

    def _read(self, *, may_create: bool) -> None:
        """Read the list; where there never was one, make it of the root keys that there are, or of a new one."""
        signature = self._signature()
        found = read_key_list(self._directory, self._signing_key)
        if found is None:
            found = self._first_list(may_create=may_create)
            self._list = found
            self._write()
            self._uncopied.add(found.active_id)
        else:
            self._list = found
            self._seen = signature

    def _first_list(self, *, may_create: bool) -> KeyList:
        active = self._roots.active()
        if active is None:
            if not may_create:
                raise SealedError("unknown_key", "there are no keys")
            active = self._roots.create()
        else:
            log.warning("the list of keys is gone and was made anew: nothing is encrypted or revoked now")
        former = self._roots.retired()
        first = (*former, active)[0]
        store_id = self._derive("store", first, b"holdfast")[:ID_BYTES].hex()
        keys = [KeyInfo(key_id, now_ms(), "verify-only") for key_id in former if key_id != active]
        return KeyList(store_id=store_id, signed_by=active, keys=(*keys, KeyInfo(active, now_ms(), "active")))

    def _heal(self) -> None:
        """Finish a rotation that was interrupted; put back what is gone and can be had from elsewhere."""
        there, listed = self._roots.active(), self._list.active_id
        if there is not None and there != listed and self._roots.is_retired(listed) and not self._knows(there):
            self._adopt(there)
        elif there != listed:
            self._roots.restore(listed)
        if not is_twice(self._directory):
            self._write()
        for key in self._list.keys:
            if key.state == "verify-only" and not self._roots.is_retired(key.id):
                with suppress(SealedError):  # it is lost; only what it sealed cannot be read
                    self._roots.retire(key.id)

    def _knows(self, key_id: str) -> bool:
        return any(key.id == key_id for key in self._list.keys)

    def _adopt(self, key_id: str) -> None:
        """Let this root key seal from now on, and the former one only verify."""
        keys = _with_state(self._list.keys, self._list.active_id, "verify-only")
        by_root = any(wrap.kind == "root" for one in self._list.data_keys for wrap in one.wraps)
        data_keys = self._rewrapped_under_root(key_id) if by_root else self._list.data_keys
        self._write(keys=(*keys, KeyInfo(key_id, now_ms(), "active")), data_keys=data_keys)
        self._uncopied.add(key_id)

    def _copy_new(self) -> None:
        """Put new root keys into the keyring, which may take its time: nobody waits for a lock meanwhile."""
        while self._uncopied:
            self._roots.copy(self._uncopied.pop())

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Let one process and thread change the list, which is the newest while it does."""
        with lock(self._directory / _LOCK, timeout_seconds=_LOCK_SECONDS), self._mutex:
            self._refresh()
            yield

    def _refresh(self) -> None:
        """Read the list again if another process has changed it."""
        if self._signature() != self._seen:
            with self._mutex:
                signature = self._signature()
                self._list = read_key_list(self._directory, self._signing_key) or self._list
                self._seen = signature
                self._derived.clear()

    def _signature(self) -> tuple[int, ...]:
        try:
            found = (self._directory / KEY_LIST).stat()
        except FileNotFoundError:
            return ()
        return (found.st_mtime_ns, found.st_size, found.st_ino)

    def _write(self, **changes: object) -> None:
        changed = msgspec.structs.replace(self._list, **changes)
        changed = msgspec.structs.replace(changed, signed_by=changed.active_id)
        self._list = write_key_list(self._directory, changed, self._signing_key)
        self._seen = self._signature()


def _with_state(keys: tuple[KeyInfo, ...], key_id: str, state: State) -> tuple[KeyInfo, ...]:
    return tuple(key._replace(state=state) if key.id == key_id else key for key in keys)
