"""A clock that stands still until a test moves it; whoever waits for it is woken in the order of time."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count

START_MS = 1_780_000_000_000
_ROUNDS = 30


class FakeTimer:
    """The `Timer` of live sessions, moved by hand."""

    def __init__(self) -> None:
        self._now = 0.0
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._number = count()

    def now_ms(self) -> int:
        return START_MS + round(self._now * 1000)

    def seconds(self) -> float:
        return self._now

    async def wait(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (self._now + seconds, next(self._number), woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Let time pass; everybody whose time comes is woken then, and has done what it can without waiting."""
        end = self._now + seconds
        await _let_run()
        while self._waiting and self._waiting[0][0] <= end:
            self._now, _, woken = heapq.heappop(self._waiting)
            if not woken.done():
                woken.set_result(None)
                await _let_run()
        self._now = end


async def _let_run() -> None:
    for _ in range(_ROUNDS):
        await asyncio.sleep(0)
