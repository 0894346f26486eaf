"""How often something may be done: a sliding window for each key and one over all, with bounded memory."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque


class RateLimits:
    """At most ``limit`` admissions of one key and ``limit_all`` of all keys in any ``seconds``. Thread-safe.

    Only what was admitted counts. Kept are at most ``limit`` moments a key,
    ``limit_all`` over all, and no key whose last moment has left the window.
    The caller passes the moment, in seconds of a clock that never goes back.
    """

    def __init__(self, *, limit: int = 5, limit_all: int = 20, seconds: float = 60.0) -> None:
        self._limit = limit
        self._limit_all = limit_all
        self._seconds = seconds
        self._all: deque[float] = deque()
        self._keys: OrderedDict[str, deque[float]] = OrderedDict()  # whose last moment is oldest comes first
        self._lock = threading.Lock()

    def use(self, *, limit: int, limit_all: int, seconds: float) -> None:
        """Follow these limits from now on; what was admitted counts on, as far as it is remembered."""
        with self._lock:
            self._limit, self._limit_all, self._seconds = limit, limit_all, seconds

    def admit(self, key: str, now: float) -> float:
        """Return 0 and count it if ``key`` may go on now, else after how many seconds it may."""
        with self._lock:
            self._expire(now)
            own = self._keys.get(key, deque())
            wait = max(self._wait(own, self._limit, now), self._wait(self._all, self._limit_all, now))
            if wait <= 0:
                own.append(now)
                self._all.append(now)
                self._keys[key] = own
                self._keys.move_to_end(key)
            return wait

    def _expire(self, now: float) -> None:
        """Forget what has left the window: each moment is looked at once more than it was admitted, no key is."""
        self._drop(self._all, now)
        while self._keys:
            key, moments = next(iter(self._keys.items()))
            if now - moments[-1] < self._seconds:
                return
            del self._keys[key]

    def _wait(self, moments: deque[float], limit: int, now: float) -> float:
        self._drop(moments, now)
        return self._seconds - (now - moments[0]) if len(moments) >= limit else 0.0

    def _drop(self, moments: deque[float], now: float) -> None:
        while moments and now - moments[0] >= self._seconds:
            moments.popleft()
