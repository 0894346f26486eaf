"""What the vault tells of itself: versions, its state, and what was verified. Times are milliseconds, UTC."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

VersionReason = Literal[
    "first",
    "grown",
    "rewritten",
    "truncated",
    "zeroed",
    "corrupted",
    "deleted",
    "replaced",
    "moved",
    "restored",
]
"""Why a version begins. ``deleted`` and ``replaced`` (by a directory or the like) have no content of their own."""

VERSION_REASONS: tuple[VersionReason, ...] = get_args(VersionReason)
WITHOUT_CONTENT: frozenset[VersionReason] = frozenset(("deleted", "replaced"))


class Version(msgspec.Struct, frozen=True):
    """One version of a source, numbered from 1; growth goes on in the same version for some minutes.

    ``lost`` counts messages of the version before that are not in this one,
    ``added_messages`` those that it has more. ``is_best`` marks the one version
    that has most of the session. ``is_verified`` says that everything of it
    was proved since it was written; ``is_damaged`` that some of it is gone here.
    ``path`` is where it lay: a source may go on under another name, in another form.
    """

    number: int
    captured_ms: int
    modified_ms: int
    size_bytes: int
    messages: int
    lost: int
    reason: VersionReason
    tag: str = ""
    is_verified: bool = False
    is_best: bool = False
    added_messages: int = 0
    is_damaged: bool = False
    path: str = ""


class VaultStatus(msgspec.Struct, frozen=True):
    """The whole vault. ``stored_bytes`` is what it takes, ``source_bytes`` what the newest versions would take.

    ``lost_at_source`` counts messages that are here and not with the agents;
    ``damaged`` sources of which something here cannot be read.
    ``verified_ms`` is when the source that was verified longest ago was, 0 if
    ``unverified`` ones are there; ``last_verified_ms`` is when any was last.
    ``is_locked``: nothing is captured until the passphrase is given.
    """

    sessions: int = 0
    sources: int = 0
    versions: int = 0
    stored_bytes: int = 0
    source_bytes: int = 0
    lost_at_source: int = 0
    damaged: int = 0
    captured_ms: int = 0
    verified_ms: int = 0
    is_enabled: bool = True
    is_paused_for_space: bool = False
    free_bytes: int = 0
    reserve_bytes: int = 0
    is_locked: bool = False
    unverified: int = 0
    last_verified_ms: int = 0


class VerifyProgress(msgspec.Struct, frozen=True):
    """How far verifying has come: sources, and bytes of them as they were with the agent."""

    done: int
    total: int
    bytes_done: int


class BadVersion(msgspec.Struct, frozen=True):
    """A version that cannot be given whole; 0 for all of a source. ``reason`` is a short stable code.

    ``damaged``: bytes were changed; ``missing``: the file is gone; ``stale``:
    it is older than it was; ``swapped``: it is another's; ``unreadable``.
    ``session_id`` is that of the first session of the source, else its key.
    """

    session_id: str
    version: int
    reason: str
    agent: str = ""
    key: str = ""


class VaultReport(msgspec.Struct, frozen=True):
    """What verifying found. ``bad`` is what stays bad, ``repaired`` counts sources that were put right again."""

    checked: int = 0
    bad: tuple[BadVersion, ...] = ()
    repaired: int = 0
    missing: int = 0
    checked_bytes: int = 0
    is_complete: bool = True


class Restored(msgspec.Struct, frozen=True):
    """What a restoring has done; ``replaced_version`` is what the agent had before, so that it can be undone."""

    session_id: str
    version: int
    path: str
    kind: Literal["agent", "held", "path"]
    replaced_version: int | None = None
    notes: tuple[str, ...] = ()


class Expiring(msgspec.Struct, frozen=True):
    """A session that its agent will delete by its own rule; ``is_safe`` if the vault has all of it."""

    session_id: str
    days_left: float
    deletes_at_ms: int
    is_safe: bool


class VaultUse(msgspec.Struct, frozen=True):
    """What one agent's sessions of one project and kind take, with the agent and here, for the storage doctor.

    ``free_bytes`` is what could be freed at the source, because all of it is verified here.
    """

    agent: str
    project: str
    kind: str
    sources: int
    source_bytes: int
    stored_bytes: int
    free_bytes: int = 0


class Compared(msgspec.Struct, frozen=True):
    """A message that two versions do not share; ``text`` is its beginning, ``index`` its place in the version it is in.

    ``differs``: both have it and it reads otherwise; then the newer one is told.
    """

    kind: Literal["only_old", "only_new", "differs"]
    index: int
    role: str
    text: str
    timestamp_ms: int | None = None


class Comparison(msgspec.Struct, frozen=True):
    """Two versions, message by message, in the order of time; ``same`` counts those that both have alike."""

    old: int
    new: int
    same: int
    differences: tuple[Compared, ...] = ()


class Removed(msgspec.Struct, frozen=True):
    """How many sessions agents have removed since they are kept, and how many of these are here whole."""

    removed: int = 0
    kept: int = 0


class Freed(msgspec.Struct, frozen=True):
    """Agents' files that can go, or went, to the system's trash, because every byte of them is verified here.

    ``notes`` are sentences about those that stay.
    """

    paths: tuple[str, ...] = ()
    bytes: int = 0
    notes: tuple[str, ...] = ()


class VaultEstimate(msgspec.Struct, frozen=True):
    """What keeping every version would take at first: ``estimated_bytes`` follow from a sample of the sources."""

    sources: int
    source_bytes: int
    estimated_bytes: int
    free_bytes: int
    by_agent: dict[str, int]


class DeletionRule(msgspec.Struct, frozen=True):
    """After how many days an agent deletes, and how that is called in its own settings, empty if it is not known."""

    agent: str
    days: int
    setting: str = ""


class Forgotten(msgspec.Struct, frozen=True):
    """Sources of which nothing is kept any more. ``kept`` counts those that stay, as something is here alone."""

    sources: int = 0
    bytes: int = 0
    kept: int = 0


class Candidate(msgspec.Struct, frozen=True):
    """A session with a file of its own at its agent, of which all was verified here after it was captured."""

    session_id: str
    size_bytes: int
    modified_ms: int


class PartShares(msgspec.Struct, frozen=True):
    """What sessions are made of, as some of them tell: bytes of their parts as read. ``sampled`` counts sessions.

    ``repeated`` is how much of all of it is the beginning of another session, that
    it was forked from: only where its agent tells.
    """

    sampled: int = 0
    images: int = 0
    tool_output: int = 0
    rest: int = 0
    repeated: int = 0

    @property
    def total(self) -> int:
        """The bytes of all parts that were looked at."""
        return self.images + self.tool_output + self.rest
