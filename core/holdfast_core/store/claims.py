"""Who has a session open: a kernel lock that is held as long as it is live, and free when its holder dies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from holdfast_core.errors import Refused

if TYPE_CHECKING:
    import filelock

_TRY_SECONDS = 0.1  # somebody may be asking just now
_LOOK_EVERY_SECONDS = 0.01


class Claim:
    """That a session is open here. Ends with `release` or with the process."""

    def __init__(self, lock: filelock.BaseFileLock) -> None:
        self._lock = lock

    def release(self) -> None:
        """Let others open the session; does nothing the second time."""
        self._lock.release()


def claim(path: Path) -> Claim:
    """Claim the session whose claim is the file ``path``.

    Raises:
        Refused: it is open already, here or elsewhere.
        OSError: the claim's file cannot be made.
    """
    import filelock

    lock = filelock.FileLock(
        path, mode=0o600, thread_local=False, poll_interval=_LOOK_EVERY_SECONDS, fallback_to_soft=False
    )
    path.parent.stat()  # else the lock would make a directory that has vanished, and all above it
    try:
        lock.acquire(timeout=_TRY_SECONDS)
    except filelock.Timeout as error:
        raise Refused("This session is already open, in this window or elsewhere.", detail=path.name) from error
    return Claim(lock)


def is_claimed(path: Path) -> bool:
    """Return whether somebody has this session open now."""
    if not path.exists():
        return False
    try:
        claim(path).release()
    except Refused:
        return True
    return False
