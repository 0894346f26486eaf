"""Wait for something that can be seen, with a deadline: the only way in which a test waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")

_PAUSE_SECONDS = 0.01


async def until(condition: Callable[[], Seen], *, seconds: float = 20, what: str = "") -> Seen:
    """Return the first true value of ``condition``, on a running loop."""
    deadline = time.monotonic() + seconds
    while not (seen := condition()):
        assert time.monotonic() < deadline, f"still not true after {seconds} s: {what or condition}"
        await asyncio.sleep(_PAUSE_SECONDS)
    return seen


def wait_until(condition: Callable[[], Seen], *, seconds: float = 20, what: str = "") -> Seen:
    """Return the first true value of ``condition`` about another process."""
    deadline = time.monotonic() + seconds
    while not (seen := condition()):
        assert time.monotonic() < deadline, f"still not true after {seconds} s: {what or condition}"
        time.sleep(_PAUSE_SECONDS)
    return seen
