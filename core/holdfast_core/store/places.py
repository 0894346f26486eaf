"""Where held sessions lie: one file each, and what stands beside them, below one directory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from holdfast_core.errors import WrongUsage
from holdfast_core.model.held import is_held_id
from holdfast_core.paths import make_private

SUFFIX = ".hold"
RECORD_TYPE = "document"
_DIGITS = 40


@dataclass(frozen=True, slots=True)
class Places:
    """The directory of the held sessions and what is below it. A file's name is a hash, never an id."""

    directory: Path

    @property
    def backups(self) -> Path:
        """Earlier generations."""
        return self.directory / "backups"

    @property
    def quarantine(self) -> Path:
        """Files that could not be read, as they were found."""
        return self.directory / "quarantine"

    @property
    def trash(self) -> Path:
        """What was deleted and can be put back."""
        return self.directory / "trash"

    @property
    def locks(self) -> Path:
        """The kernel's locks, one file each."""
        return self.directory / "locks"

    @property
    def manifest(self) -> Path:
        """What a list needs, derived from the sessions, with how far each was seen."""
        return self.directory / "manifest.db"

    @property
    def manifest_copy(self) -> Path:
        """The manifest as it was before the last correction."""
        return self.directory / "manifest.backup.db"

    def session(self, session_id: str) -> Path:
        """Return the file of a session.

        Raises:
            WrongUsage: this is no id of a held session.
        """
        return self.directory / (digest(session_id) + SUFFIX)

    def lock(self, session_id: str) -> Path:
        """Return the lock of a session.

        Raises:
            WrongUsage: this is no id of a held session.
        """
        return self.locks / (digest(session_id) + ".lock")

    def claim(self, session_id: str) -> Path:
        """Return what is locked as long as a session is open.

        Raises:
            WrongUsage: this is no id of a held session.
        """
        return self.locks / (digest(session_id) + ".live")

    def backups_of(self, session_id: str) -> Path:
        """Return the directory of a session's earlier generations, which need not exist.

        Raises:
            WrongUsage: this is no id of a held session.
        """
        return self.backups / digest(session_id)

    def backup(self, session_id: str, generation: int, reason: str) -> Path:
        """Return where an earlier generation of a session goes; ``reason`` is that of `model.keeping.Backup`."""
        return self.backups_of(session_id) / f"{generation:08d}-{reason}{SUFFIX}"

    def create(self) -> None:
        """Make the directories, for this person alone."""
        make_private(self.directory)
        for directory in (self.backups, self.quarantine, self.trash, self.locks):
            directory.mkdir(exist_ok=True, mode=0o700)


def digest(session_id: str) -> str:
    """Return the name under which all that belongs to a session is filed.

    Raises:
        WrongUsage: this is no id of a held session.
    """
    if not is_held_id(session_id):
        raise WrongUsage("This is not the id of a held session.", detail=repr(session_id)[:200])
    return hashlib.sha256(b"session\0" + session_id.encode()).hexdigest()[:_DIGITS]
