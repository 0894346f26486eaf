"""What a store of held sessions may take, and how long it keeps things. Set by the person, 0 is no limit."""

from __future__ import annotations

from typing import Literal

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """All limits of one store.

    ``session_bytes`` bounds one session in plain form: on the disk, in memory
    and when written. ``backups_kept`` counts earlier generations of each
    session. ``resume_failures`` is how often a restore may fail before the
    session is left out of automatic ones.
    """

    session_bytes: int = 256 << 20
    stored_sessions: int = 0
    stored_age_days: int = 0
    stored_bytes: int = 0
    at_limit: Literal["refuse", "clean"] = "refuse"
    trash_days: int = 30
    backups_kept: int = 5
    resume_failures: int = 3
    lock_seconds: float = 10.0
