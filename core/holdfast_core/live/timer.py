"""The clock that live sessions wait by."""

from __future__ import annotations

import asyncio
from typing import Protocol

from holdfast_core import clock


class Timer(Protocol):
    """What a host asks of time."""

    def now_ms(self) -> int:
        """Return the present moment for people, in milliseconds since the epoch."""

    def seconds(self) -> float:
        """Return seconds on a clock that never goes back."""

    async def wait(self, seconds: float) -> None:
        """Return after so many seconds."""


class LoopTimer:
    """The real time, on the running loop."""

    def now_ms(self) -> int:
        """Return the present moment for people, in milliseconds since the epoch."""
        return clock.now_ms()

    def seconds(self) -> float:
        """Return seconds on a clock that never goes back."""
        return clock.monotonic_seconds()

    async def wait(self, seconds: float) -> None:
        """Return after so many seconds."""
        await asyncio.sleep(seconds)
