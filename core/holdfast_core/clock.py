"""The only clock: wall time for what people read, monotonic time for durations."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)


def now_ms() -> int:
    """Return the present moment in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def monotonic_seconds() -> float:
    """Return seconds on a clock that never jumps; only differences mean anything."""
    return time.monotonic()


def cpu_seconds() -> float:
    """Return the CPU time, user and system, that this process has used."""
    return time.process_time()
