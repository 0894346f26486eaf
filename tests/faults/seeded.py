"""A writer that is right, and ten that are each wrong in one way: the programme is worth what it finds of them."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from tests.faults.story import Save, Writer

_MAGIC = b"HFT1"
_PIECE_BYTES = 2048
_PAYLOAD = 600


def encoded(number: int) -> bytes:
    """Return save ``number`` with a tag over all of it."""
    content = number.to_bytes(8, "big") + f"{number:08d}".encode() * _PAYLOAD
    return _MAGIC + hashlib.sha256(content).digest() + content


def decoded(data: bytes) -> int | None:
    """Return the number of a save that verifies."""
    tag, content = data[4:36], data[36:]
    if data[:4] != _MAGIC or hashlib.sha256(content).digest() != tag:
        return None
    return int.from_bytes(content[:8], "big")


class Right(Writer):
    """Temporary file, sync, backup by link, rename, sync of the directory; cleans up after every error."""

    file_is_synced = True
    directory_is_synced = True

    def prepare(self, root: Path) -> None:
        self._save(root, 0)

    def open(self, root: Path) -> Save:
        return lambda number: self._save(root, number)

    def read(self, root: Path) -> int | None:
        for path in root.glob("*.tmp"):
            path.unlink()
        for name in ("saved", "saved.bak"):
            with suppress(FileNotFoundError):
                found = decoded((root / name).read_bytes())
                if found is not None:
                    return found
        return None

    def former(self, root: Path) -> int | None:
        with suppress(FileNotFoundError):
            return decoded((root / "saved.bak").read_bytes())
        return None

    def _save(self, root: Path, number: int) -> None:
        temporary, spare = root / f"saved.{number}.tmp", root / "saved.bak.tmp"
        try:
            self._write(temporary, encoded(number))
            self._keep(root / "saved", spare, root / "saved.bak")
            temporary.rename(root / "saved")
        except BaseException:
            for path in (temporary, spare):
                with suppress(OSError):
                    path.unlink()
            raise
        if self.directory_is_synced:
            _sync(root)

    def _write(self, path: Path, data: bytes) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            while data:
                data = data[os.write(descriptor, data[:_PIECE_BYTES]) :]
            if self.file_is_synced:
                os.fsync(descriptor)
        except BaseException:
            with suppress(OSError):
                os.close(descriptor)
            raise
        os.close(descriptor)

    def _keep(self, path: Path, spare: Path, backup: Path) -> None:
        try:
            os.link(path, spare)
        except FileNotFoundError:
            return
        spare.rename(backup)
        with suppress(FileNotFoundError):
            spare.unlink()


class NoSync(Right):
    """Never syncs the file."""

    file_is_synced = False


class NoDirectorySync(Right):
    """Never syncs the directory."""

    directory_is_synced = False


class InPlace(Right):
    """Writes over the file that is there."""

    def _save(self, root: Path, number: int) -> None:
        descriptor = os.open(root / "saved", os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            data = encoded(number)
            while data:
                data = data[os.write(descriptor, data[:_PIECE_BYTES]) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        _sync(root)


class UnlinkFirst(Right):
    """Removes the old file before it gives the new one its name, and keeps no backup."""

    def _keep(self, path: Path, spare: Path, backup: Path) -> None:
        with suppress(FileNotFoundError):
            path.unlink()


class ShortWriteIgnored(Right):
    """Takes a short write for a whole one."""

    def _write(self, path: Path, data: bytes) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            for start in range(0, len(data), _PIECE_BYTES):
                os.write(descriptor, data[start : start + _PIECE_BYTES])
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class ErrorSwallowed(Right):
    """Says that all is well whatever the disk says."""

    def open(self, root: Path) -> Save:
        def save(number: int) -> None:
            with suppress(OSError):
                self._save(root, number)

        return save


class TemporaryLeaked(Right):
    """Leaves its temporary file after an error."""

    def _save(self, root: Path, number: int) -> None:
        temporary = root / f"saved.{number}.tmp"
        self._write(temporary, encoded(number))
        temporary.rename(root / "saved")
        _sync(root)


class BackupAfterRename(Right):
    """Keeps as a backup what it has just written."""

    def _save(self, root: Path, number: int) -> None:
        temporary, spare = root / f"saved.{number}.tmp", root / "saved.bak.tmp"
        try:
            self._write(temporary, encoded(number))
            temporary.rename(root / "saved")
            self._keep(root / "saved", spare, root / "saved.bak")
        except BaseException:
            for path in (temporary, spare):
                with suppress(OSError):
                    path.unlink()
            raise
        _sync(root)


class WrongDirectory(Right):
    """Syncs another directory than the one in which it gave a name."""

    directory_is_synced = False

    def _save(self, root: Path, number: int) -> None:
        other = root / "other"
        with suppress(FileExistsError):
            other.mkdir()
        super()._save(root, number)
        _sync(other)


class TagBeforeWrite(Right):
    """Puts the new tag into the file before the content that it is the tag of."""

    def _save(self, root: Path, number: int) -> None:
        data = encoded(number)
        descriptor = os.open(root / "saved", os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, data[:36])
            os.fsync(descriptor)
            os.write(descriptor, data[36:])
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        _sync(root)


WRONG: tuple[type[Writer], ...] = (
    NoSync,
    NoDirectorySync,
    InPlace,
    UnlinkFirst,
    ShortWriteIgnored,
    ErrorSwallowed,
    TemporaryLeaked,
    BackupAfterRename,
    WrongDirectory,
    TagBeforeWrite,
)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
