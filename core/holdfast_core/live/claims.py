"""Which projects are open in live sessions, over all processes: a kernel lock for each. Sessions the store claims."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from holdfast_core.errors import NotNow, Refused
from holdfast_core.sealed.locks import lock

_DIGITS = 40


@contextmanager
def claim_project(locks: Path, project: tuple[int, int] | None) -> Iterator[None]:
    """Be the only one in whose sessions a directory, by (device, inode), is open while the body runs. Never waits.

    ``locks`` is the directory of the locks. To be left in the thread in which
    it was entered. Without a project there is nothing to claim.

    Raises:
        NotNow: it is open elsewhere.
        OSError: the lock's file cannot be made.
    """
    with ExitStack() as held:
        if project is not None:
            name = hashlib.sha256("project\0{}:{}".format(*project).encode()).hexdigest()[:_DIGITS]
            try:
                held.enter_context(lock(locks / f"{name}.project", timeout_seconds=0))
            except Refused as error:
                raise NotNow("The project of this session is open in another window of Holdfast.") from error
        yield
