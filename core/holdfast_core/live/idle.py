"""When a session counts as idle: nothing but what really happens in it keeps it open."""

from __future__ import annotations

from typing import Literal

IdleStep = Literal["", "warn", "close"]


class Idle:
    """The idle time of one session. All times are seconds of one clock that never goes back; the caller passes them.

    After ``after_seconds`` without activity the session is to be closed, 0 is
    never; ``warning_seconds`` before that the person is warned, once until
    something happens again.
    """

    def __init__(self, *, after_seconds: float, warning_seconds: float, now: float) -> None:
        self._last = now
        self.follow(after_seconds=after_seconds, warning_seconds=warning_seconds)

    def follow(self, *, after_seconds: float, warning_seconds: float) -> None:
        """Count with these times from the last activity on; the person is warned anew."""
        self._after = after_seconds
        self._warning = min(warning_seconds, after_seconds)
        self._was_warned = False

    @property
    def ends_at(self) -> float | None:
        """The moment at which the session is to be closed if nothing happens; None is never."""
        return self._last + self._after if self._after > 0 else None

    def touch(self, now: float) -> None:
        """Something happened in the session, or the person said to keep it."""
        self._last = max(self._last, now)
        self._was_warned = False

    def step(self, now: float) -> IdleStep:
        """Return what is to be done now; a warning is asked for once."""
        if self.ends_at is None:
            return ""
        if now >= self.ends_at and self._was_warned:
            return "close"
        if now >= self.ends_at - self._warning and not self._was_warned:
            self._was_warned = True
            # Whoever slept through the warning (a suspended machine) still gets its whole time.
            self._last = max(self._last, now + self._warning - self._after)
            return "warn"
        return ""

    def wait_seconds(self, now: float) -> float | None:
        """Return after which time `step` is to be asked again; None is never."""
        if self.ends_at is None:
            return None
        moment = self.ends_at if self._was_warned else self.ends_at - self._warning
        return max(0.0, moment - now)
