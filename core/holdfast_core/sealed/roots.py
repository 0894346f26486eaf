"""Root keys on the disk and, as a second copy, in the keyring of the system."""

from __future__ import annotations

import hmac
import logging
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from holdfast_core.atomic import read_file, write_file
from holdfast_core.sealed.derive import KEY_BYTES
from holdfast_core.sealed.errors import SealedError

log = logging.getLogger(__name__)

_ACTIVE = "root.key"


class SecondCopy(Protocol):
    """A place outside our directories that keeps secrets by name. It never raises: a place that fails has nothing."""

    def get(self, name: str) -> bytes | None:
        """Return what was kept under ``name``."""

    def put(self, name: str, secret: bytes) -> bool:
        """Keep ``secret``; returns whether it is kept now."""

    def remove(self, name: str) -> None:
        """Forget what was kept under ``name``."""


def id_of(root: bytes) -> str:
    """Return the id of a root key: it follows from the key, so that no key passes for another."""
    return hmac.digest(root, b"holdfast/v1/key id", "sha256")[:16].hex()


class Roots:
    """The root keys of one directory: the active one in ``root.key``, former ones in files of their ids."""

    def __init__(self, directory: Path, second: SecondCopy | None) -> None:
        self._directory = directory
        self._second = second
        self._known: dict[str, bytes] = {}

    def forget(self) -> None:
        """Leave the keys to the disk alone."""
        self._known.clear()

    def active(self) -> str | None:
        """Return the id of what ``root.key`` holds; None if it is missing or no key."""
        root = _read(self._directory / _ACTIVE)
        return None if root is None else self._learn(root)

    def retired(self) -> list[str]:
        """Return the ids of the keys in files of their own, the oldest first."""
        files = [path for path in self._directory.glob("*.key") if path.name != _ACTIVE]
        files.sort(key=lambda path: path.lstat().st_mtime_ns)
        return [key_id for path in files if (root := _read(path)) and (key_id := self._learn(root)) == path.stem]

    def create(self) -> str:
        """Make the first root key and return its id; somebody else's that came first is returned instead."""
        with suppress(FileExistsError):
            write_file(self._directory / _ACTIVE, [os.urandom(KEY_BYTES)], overwrite=False)
        key_id = self.active()
        if key_id is None:
            raise SealedError("unknown_key", "root.key is no key")
        return key_id

    def load(self, key_id: str) -> bytes:
        """Return a root key by its id, from the disk or else from the second copy.

        Raises:
            SealedError: unknown_key.
        """
        if key_id not in self._known:
            self.active()
        if key_id not in self._known and (root := _read(self._file(key_id))) is not None:
            self._learn(root)
        if key_id not in self._known:
            self._recover(key_id)
        return self._known[key_id]

    def is_retired(self, key_id: str) -> bool:
        """Return whether a root key has a file of its own."""
        root = _read(self._file(key_id))
        return root is not None and id_of(root) == key_id

    def retire(self, key_id: str) -> None:
        """Give a root key a file of its own, so that ``root.key`` may become another."""
        if not self.is_retired(key_id):
            write_file(self._file(key_id), [self.load(key_id)])

    def replace(self) -> str:
        """Make a new active root key; the former must have been retired. Returns its id."""
        root = os.urandom(KEY_BYTES)
        write_file(self._directory / _ACTIVE, [root])
        return self._learn(root)

    def restore(self, key_id: str) -> None:
        """Make ``root.key`` hold this key again."""
        write_file(self._directory / _ACTIVE, [self.load(key_id)])

    def copy(self, key_id: str) -> bool:
        """Put a key into the second copy; returns whether it is there now."""
        return self._second is not None and self._second.put(key_id, self.load(key_id))

    def _recover(self, key_id: str) -> None:
        root = self._second.get(key_id) if self._second is not None else None
        if root is None or len(root) != KEY_BYTES or self._learn(root) != key_id:
            raise SealedError("unknown_key", f"key {key_id}")

    def _learn(self, root: bytes) -> str:
        key_id = id_of(root)
        self._known[key_id] = root
        return key_id

    def _file(self, key_id: str) -> Path:
        return self._directory / f"{key_id}.key"


def keep_private(directory: Path) -> None:
    """Let nobody else read the keys, whatever was made of their permissions; Windows goes by the directory's own."""
    if sys.platform == "win32":
        return
    for path, mode in ((directory, 0o700), *((file, 0o600) for file in directory.glob("*.key"))):
        found = path.lstat().st_mode
        if found & 0o077 and not stat.S_ISLNK(found):
            log.info("the permissions of %s were too wide", path.name)
            path.chmod(mode)


def _read(path: Path) -> bytes | None:
    """Return the key in a file, None if there is none.

    Raises:
        SealedError: there is no plain file.
    """
    try:
        root = read_file(path, limit_bytes=KEY_BYTES)
    except FileNotFoundError:
        return None
    except IsADirectoryError as error:
        raise SealedError("not_regular", path.name) from error
    except ValueError:
        return None
    return root if len(root) == KEY_BYTES else None
