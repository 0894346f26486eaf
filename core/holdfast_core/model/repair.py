"""What a repair of a transcript changed, and what is needed to undo a restoring."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from holdfast_core.paths import text_path

RepairKind = Literal[
    "nul_cut",
    "records_split",
    "stub_cut",
    "last_record_cut",
    "record_rewritten",
    "line_dropped",
    "line_left",
    "newline_added",
    "call_ended",
    "record_linked",
    "part_cut",
]


class RepairChange(msgspec.Struct, frozen=True):
    """One change. ``line`` is that of the original, from 1; ``cut`` is what was taken away, at most 64 KiB of it.

    ``line_left`` is no change: this line cannot be read, and stays as it is.
    """

    line: int
    what: RepairKind
    cut: bytes = b""


class Repaired(msgspec.Struct, frozen=True):
    """A repaired copy. Repairing it again changes nothing."""

    data: bytes
    changes: tuple[RepairChange, ...]

    @property
    def is_changed(self) -> bool:
        """Return whether the copy differs from the original."""
        return any(change.what != "line_left" for change in self.changes)


class UndoPiece(msgspec.Struct, frozen=True):
    """One file that was put back: what stood there before is a version in the vault, or nothing.

    ``path`` and ``key``, which names the file's strand, are texts of
    `paths.path_text`. ``version`` is 0 where nothing stood there. ``digest``
    is the SHA-256 of what was written, to see whether anything was added
    since; empty where the file was taken away.
    """

    path: str
    key: str
    version: int
    digest: str
    modified_ns: int = 0

    @property
    def place(self) -> Path:
        """Return where the file is."""
        return Path(text_path(self.path))


class RestoreUndo(msgspec.Struct, frozen=True):
    """All that undoes one restoring, in the order in which it happened."""

    agent: str
    session_id: str
    pieces: tuple[UndoPiece, ...]
