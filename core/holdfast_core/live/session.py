"""One live session: in which state it is, and the only steps that there are between states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

from holdfast_core.model.held import HeldEntry
from holdfast_core.model.live import LiveEntry, LiveState
from holdfast_core.paths import text_path

STATES: Final[tuple[LiveState, ...]] = get_args(LiveState)
STEPS: Final[Mapping[LiveState, frozenset[LiveState]]] = {
    "starting": frozenset({"active", "closing"}),
    "active": frozenset({"waiting", "idle", "closing"}),
    "waiting": frozenset({"active", "closing"}),
    "idle": frozenset({"active", "closing"}),
    "closing": frozenset({"closed", "crashed"}),
    "closed": frozenset(),
    "crashed": frozenset(),
}
"""From which state which may follow. What crashed is closing, too, until everything of it is saved and let go."""


class InvalidTransition(RuntimeError):
    """A step between two states that there is not: a mistake of ours, never of a person."""


class LiveSession:
    """What a host knows of one of its sessions; belongs to the thread of the host's loop.

    ``project`` is the (device, inode) of its directory, None without one.
    """

    def __init__(self, session_id: str, *, project: tuple[int, int] | None, now_ms: int) -> None:
        self.id = session_id
        self.project = project
        self.saved_ms: int | None = None
        self.save_error = ""
        self.reason = ""
        self._state: LiveState = "starting"
        self._stored = HeldEntry(id=session_id)
        self._started_ms = now_ms
        self._active_ms = now_ms

    @property
    def state(self) -> LiveState:
        """Where it is between starting and its end."""
        return self._state

    @property
    def is_open(self) -> bool:
        """Whether it takes changes now."""
        return self._state in ("active", "waiting", "idle")

    def move(self, state: LiveState) -> None:
        """Take one step.

        Raises:
            InvalidTransition: there is no such step from where it is.
        """
        if state not in STEPS[self._state]:
            raise InvalidTransition(f"a live session cannot go from {self._state} to {state}")
        self._state = state

    def know(self, stored: HeldEntry) -> None:
        """Take over what is in the journal now."""
        self._stored = stored

    def touch(self, now_ms: int) -> None:
        """Something happened in the session."""
        self._active_ms = now_ms

    def entry(self) -> LiveEntry:
        """Return what others see of it."""
        return LiveEntry(
            id=self.id,
            title=self._stored.title,
            project_path=text_path(self._stored.project_path),
            agent=self._stored.agent,
            state=self._state,
            started_ms=self._started_ms,
            active_ms=self._active_ms,
            message_count=self._stored.message_count,
            saved_ms=self.saved_ms,
            save_error=self.save_error,
            reason=self.reason,
        )
