"""What the store of held sessions tells its faces: what it found, what can be done, what was done."""

from __future__ import annotations

from typing import Literal

import msgspec

ChoiceKind = Literal[
    "retry", "other", "new", "skip", "recover", "discard", "backup", "adopt", "project", "trash", "delete"
]


class Choice(msgspec.Struct, frozen=True, gc=False):
    """One thing that a person may do now. ``consequence`` is a sentence that says what it will do."""

    kind: ChoiceKind
    label: str
    consequence: str


class StartSummary(msgspec.Struct, frozen=True):
    """What the check at the start found and did; all are session ids. Empty means that all was well.

    ``orphaned_entries`` had no file and were taken out of the list,
    ``orphaned_files`` had no entry and were taken in, ``recovered`` came back
    from a backup, ``quarantined`` could not be read and were put aside,
    ``unclean`` were live when Holdfast or the machine died, ``truncated`` have
    lost acknowledged records at their end, ``rolled_back`` is True if the
    whole store is older than what was last seen of it. ``notes`` are sentences
    for the person. ``index_backup`` says whether the former index was kept.
    """

    checked: int = 0
    orphaned_entries: tuple[str, ...] = ()
    orphaned_files: tuple[str, ...] = ()
    recovered: tuple[str, ...] = ()
    quarantined: tuple[str, ...] = ()
    unclean: tuple[str, ...] = ()
    truncated: tuple[str, ...] = ()
    rolled_back: bool = False
    wrong_permissions: int = 0
    index_backup: bool = False
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.notes)


class Unclean(msgspec.Struct, frozen=True):
    """A session that was live when its host died. ``journal_messages`` were saved by the journal alone."""

    id: str
    title: str
    project_path: str
    updated_ms: int
    message_count: int
    journal_messages: int
    dropped_bytes: int
    failures: int
    choices: tuple[Choice, ...]


class HeldProblem(msgspec.Struct, frozen=True):
    """A held session that cannot be used as it is. ``reason`` is a sentence, ``code`` short and stable."""

    id: str
    title: str
    code: str
    reason: str
    noticed_ms: int
    size_bytes: int
    choices: tuple[Choice, ...]


class TrashEntry(msgspec.Struct, frozen=True, gc=False):
    """A deleted session that can still be put back. ``expires_ms`` is None if the trash is only emptied by hand."""

    id: str
    title: str
    project_path: str
    deleted_ms: int
    expires_ms: int | None
    message_count: int
    size_bytes: int
    reason: Literal["person", "retention"]


class Loss(msgspec.Struct, frozen=True, gc=False):
    """What a deletion would take away, for the person to be told before."""

    sessions: int
    messages: int
    bytes: int
    titles: tuple[str, ...]
    kept: int = 0
    """How many of those asked for stay: live, starred, or tagged ``keep``."""


class Backup(msgspec.Struct, frozen=True, gc=False):
    """An earlier generation of a held session. ``reason`` is why it was kept."""

    id: str
    version: int
    created_ms: int
    size_bytes: int
    reason: Literal["save", "migration", "restore", "delete", "repair", "request"]
    is_valid: bool


class BadSession(msgspec.Struct, frozen=True, gc=False):
    """A session that did not verify. ``recovered`` says whether a valid backup took its place."""

    id: str
    reason: str
    recovered: bool


class FieldNotice(msgspec.Struct, frozen=True, gc=False):
    """A field of a session that is not as it should be, and was made good: missing, or of another type."""

    id: str
    field: str
    kind: Literal["default", "coerced"]


class VerifyReport(msgspec.Struct, frozen=True):
    """What a verification of held sessions found. ``notices`` tell of fields in sessions that are good all the same."""

    checked: int
    bad: tuple[BadSession, ...] = ()
    notices: tuple[FieldNotice, ...] = ()


class RetentionReport(msgspec.Struct, frozen=True):
    """How near the limits are, and what a clean-up moved to the trash. Suggestions are whole sentences."""

    sessions: int
    limit_sessions: int
    removed: tuple[str, ...] = ()
    is_near: bool = False
    is_full: bool = False
    suggestions: tuple[str, ...] = ()


class Imported(msgspec.Struct, frozen=True, gc=False):
    """One session that an import made. ``source`` names what it was made of."""

    id: str
    source: str
    title: str
    is_verified: bool


class ImportReport(msgspec.Struct, frozen=True):
    """What an import gave. ``warnings`` are sentences: what is missing here, what could not be read."""

    imported: tuple[Imported, ...]
    warnings: tuple[str, ...]


class ResumeOutcome(msgspec.Struct, frozen=True, gc=False):
    """A held session that is live now, or a new one that waits until it can be: ``is_live``."""

    id: str
    title: str
    project_path: str
    message_count: int
    is_live: bool = True


class KeyEntry(msgspec.Struct, frozen=True, gc=False):
    """One signing key. ``verify-only`` keys sign nothing new, ``revoked`` ones count for nothing."""

    id: str
    created_ms: int
    state: Literal["active", "verify-only", "revoked"]


class KeyStatus(msgspec.Struct, frozen=True):
    """How held sessions are protected here. ``is_unlocked`` is True where nothing is encrypted."""

    active_id: str
    keys: tuple[KeyEntry, ...]
    is_encrypted: bool
    is_unlocked: bool
