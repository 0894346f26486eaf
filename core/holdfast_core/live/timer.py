"""The clock that live sessions wait by."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
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


class Alarm:
    """A wait of one task that another can have begin anew: with another duration, for one."""

    def __init__(self, timer: Timer) -> None:
        self._timer = timer
        self._is_set_anew = asyncio.Event()

    def set_anew(self) -> None:
        """Have the wait begin anew."""
        self._is_set_anew.set()

    async def over(self, seconds: Callable[[], float | None]) -> None:
        """Return after as many seconds as are asked for whenever it begins; None is never."""
        while True:
            self._is_set_anew.clear()
            wait = seconds()
            anew = asyncio.create_task(self._is_set_anew.wait())
            over = None if wait is None else asyncio.ensure_future(self._timer.wait(wait))
            try:
                await asyncio.wait([anew] if over is None else [anew, over], return_when=asyncio.FIRST_COMPLETED)
                if over is not None and over.done():
                    return
            finally:
                anew.cancel()
                if over is not None:
                    over.cancel()


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
