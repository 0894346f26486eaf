"""What every part of one open store works on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from holdfast_core.errors import HoldfastError
from holdfast_core.sealed.keys import Keys
from holdfast_core.sealed.locks import lock
from holdfast_core.store.limits import Limits
from holdfast_core.store.manifest import Manifest
from holdfast_core.store.places import Places
from holdfast_core.store.redaction import Redaction

_MOST_BYTES = 1 << 30


@dataclass(slots=True)
class Site:
    """One store: where it lies, its keys and limits, what takes secrets out, and its manifest."""

    places: Places
    keys: Keys
    limits: Limits
    redaction: Redaction
    manifest: Manifest
    distrusted: set[str] = field(default_factory=set)
    """Sessions whose file did not take a record or a sync: it is never synced again, but written anew."""

    @property
    def read_limit_bytes(self) -> int:
        """What a session may take when it is read: more than when it is written, since limits can be lowered."""
        return max(_MOST_BYTES, 2 * self.limits.session_bytes)

    def lock(self, session_id: str) -> AbstractContextManager[None]:
        """Hold the lock of one session: nobody else writes its files meanwhile.

        Raises:
            WrongUsage: this is no id of a held session.
            Refused: somebody else held it for too long.
        """
        return lock(self.places.lock(session_id), timeout_seconds=self.limits.lock_seconds)


@contextmanager
def told_when_failing(path: Path | None = None) -> Iterator[None]:
    """Let what the disk refuses be told in words.

    Raises:
        HoldfastError: the disk, a directory or permissions did not allow it.
    """
    try:
        yield
    except OSError as error:
        raise not_taken(error, path) from error


def not_taken(error: OSError, path: Path | None = None) -> HoldfastError:
    """Return in words that the disk did not take something."""
    return HoldfastError(
        "This could not be saved: the disk is full or its directory cannot be used. What was saved before stays.",
        detail=f"{path.name if path else ''} {error!r}",
    )
