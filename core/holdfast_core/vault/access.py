"""Who may do what with the files of a vault: the catalogue for all, and one batch of one thread that writes."""

from __future__ import annotations

import errno
import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from holdfast_core import clock
from holdfast_core.atomic import replace
from holdfast_core.errors import HoldfastError, Locked
from holdfast_core.paths import make_private
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.keys import Keys
from holdfast_core.sealed.locks import lock
from holdfast_core.vault.capturing import Capturing
from holdfast_core.vault.catalogue import Catalogue
from holdfast_core.vault.state import NoSpaceKept, VaultOptions
from holdfast_core.vault.upkeep import adopt, settle, strand_files

log = logging.getLogger(__name__)

LOCK, CATALOGUE = "lock", "vault.db"
_LOCK_SECONDS = 30.0
_SPACE_EVERY_SECONDS = 1.0
_IS_BUILT = "built"


class Access:
    """The files of one vault. Nothing is made on disk before the first batch."""

    def __init__(self, directory: Path, keys: Callable[[], Keys], options: VaultOptions) -> None:
        self.directory = directory
        self.keys = keys
        self.options = options
        self.is_short_of_space = False
        self._mutex = threading.RLock()
        self._catalogue: Catalogue | None = None
        self._identity: tuple[int, int] | None = None
        self._capturing: Capturing | None = None
        self._held: lock | None = None
        self._owner = 0
        self._is_settled = False
        self._doubtful: set[str] = set()
        self._space_seconds = float("-inf")

    @property
    def encrypts(self) -> bool:
        """Whether what is captured now is encrypted: wanted, and there is a passphrase."""
        return self.options.is_encrypted and self.keys().is_encrypted

    def known(self) -> Catalogue | None:
        """Return the catalogue, None if nothing was ever captured."""
        with self._mutex:
            if self._catalogue is None and not self._has_files():
                return None
        return self.catalogue()

    def catalogue(self) -> Catalogue:
        """Return the catalogue; one that is not there, or not any more, is made of the strands.

        Raises:
            HoldfastError: it cannot be opened or made.
        """
        with self._mutex:
            if self._catalogue is not None:
                if self._capturing is not None or _identity(self.directory / CATALOGUE) == self._identity:
                    return self._catalogue
                self._catalogue, self._is_settled = None, False  # whoever still reads in it closes it
            make_private(self.directory)
            catalogue = self._opened()
            self._identity = _identity(self.directory / CATALOGUE)
        if not catalogue.value(_IS_BUILT):
            try:
                self._build(catalogue)
            except BaseException:
                catalogue.close()
                raise
        with self._mutex:
            if self._catalogue is None:
                self._catalogue = catalogue
            elif self._catalogue is not catalogue:
                catalogue.close()
            return self._catalogue

    def begin(self) -> Capturing:
        """Begin a batch, or go on with the one that this thread has begun; others wait for its end.

        Raises:
            Locked: the vault is encrypted and the passphrase has not been given.
            Refused: another process or thread writes all the time.
        """
        with self._mutex:
            if self._capturing is not None and self._owner == threading.get_ident():
                return self._capturing
        make_private(self.directory)
        held = lock(self.directory / LOCK, timeout_seconds=_LOCK_SECONDS)
        held.__enter__()
        try:
            encrypt, catalogue = self.encrypts, self.catalogue()
            if encrypt and not self.keys().is_unlocked:
                raise Locked("The vault is locked. Enter the passphrase, so that it can go on capturing.")
            self.settle(catalogue)
            capturing = Capturing(self.directory, self.keys(), catalogue, encrypt=encrypt, doubtful=self._doubtful)
        except BaseException:
            held.__exit__()
            raise
        with self._mutex:
            self._capturing, self._held, self._owner = capturing, held, threading.get_ident()
        return capturing

    def settle(self, catalogue: Catalogue) -> None:
        """Put right, once, what a kill or a power cut has left. Under the lock of the vault."""
        if not self._is_settled:
            settle(self.directory, self.keys(), catalogue)
            self._is_settled = True

    def commit(self) -> None:
        """Return when everything of this thread's batch is on the disk itself: only now it counts."""
        capturing = self._mine()
        if capturing is None:
            return
        try:
            for name in capturing.publish():
                capturing.reopened(name, whole=True)
                capturing.publish()
        finally:
            self._end(capturing)

    def discard(self) -> None:
        """End this thread's batch without its commit."""
        capturing = self._mine()
        if capturing is not None:
            self._end(capturing)

    @contextmanager
    def alone(self) -> Iterator[Catalogue]:
        """Be the only one who writes, outside of a batch."""
        make_private(self.directory)
        with lock(self.directory / LOCK, timeout_seconds=_LOCK_SECONDS):
            yield self.catalogue()

    def need_space(self) -> None:
        """Raise if the disk has less free than is to be kept free; looks at it at most once a second.

        Raises:
            NoSpaceKept: it has.
        """
        now = clock.monotonic_seconds()
        if now - self._space_seconds >= _SPACE_EVERY_SECONDS:
            self._space_seconds = now
            self.is_short_of_space = self.free_bytes() < self.options.reserve_bytes
        if self.is_short_of_space:
            raise _no_space("free space below the reserve")

    def free_bytes(self) -> int:
        """Return how much is free on the disk of the vault."""
        place = self.directory
        while not place.exists() and place.parent != place:
            place = place.parent
        try:
            return shutil.disk_usage(place).free
        except OSError:
            return 0

    def close(self) -> None:
        """Let go of everything; a batch that was not committed counts as never captured."""
        self.discard()
        with self._mutex:
            catalogue, self._catalogue = self._catalogue, None
        if catalogue is not None:
            catalogue.close()

    def _mine(self) -> Capturing | None:
        with self._mutex:
            return self._capturing if self._owner == threading.get_ident() else None

    def _end(self, capturing: Capturing) -> None:
        capturing.discard()
        with self._mutex:
            held, self._held, self._capturing, self._owner = self._held, None, None, 0
        if held is not None:
            held.__exit__()

    def _has_files(self) -> bool:
        return (self.directory / CATALOGUE).exists() or next(strand_files(self.directory), None) is not None

    def _build(self, catalogue: Catalogue) -> None:
        """Fill a new catalogue from the strands that are there."""
        with lock(self.directory / LOCK, timeout_seconds=_LOCK_SECONDS):
            names = set(strand_files(self.directory)) - catalogue.names()
            if names:
                found = adopt(self.directory, self.keys(), catalogue, names)
                log.warning("the catalogue of the vault was made anew of %d strands", found)
            catalogue.remember(_IS_BUILT, 1)

    def _opened(self) -> Catalogue:
        path = self.directory / CATALOGUE
        try:
            try:
                return Catalogue.open(path, may_create=True)
            except (apsw.NotADBError, apsw.CorruptError) as error:
                log.warning("the catalogue of the vault is damaged and is made anew: %s", error)
                for ending in ("", "-wal", "-shm"):
                    part = path.with_name(path.name + ending)
                    if part.exists():
                        replace(part, path.with_name(f"{clock.now_ms()}-{part.name}.bad"))
                return Catalogue.open(path, may_create=True)
        except (apsw.Error, OSError) as error:
            raise HoldfastError("The list of the vault cannot be opened.", detail=repr(error)) from error


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def told() -> Iterator[None]:
    """Say in a person's words why the vault cannot be written or read.

    Raises:
        NoSpaceKept: the disk is full.
        Locked: it is encrypted, and the passphrase has not been given.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _no_space(repr(error)) from error
        raise
    except SealedError as error:
        if error.reason == "locked":
            raise Locked("The vault is locked. Enter the passphrase first.", detail=error.detail) from error
        raise


def _no_space(detail: str) -> NoSpaceKept:
    return NoSpaceKept(
        "There is no space kept free on the disk any more, so no new versions are captured. Free some, or set a"
        " smaller reserve.",
        detail=detail,
        kept="All versions that are in the vault stay there.",
    )
