"""What the application shows of an agent."""

from __future__ import annotations

import msgspec


class AgentInfo(msgspec.Struct, frozen=True):
    """One agent on this machine.

    ``mark`` is the letter and ``hue`` the colour angle (0-359) of its avatar.
    ``deletes_after_days`` is the agent's own clean-up rule, None for never.
    """

    agent: str
    name: str
    mark: str
    hue: int
    roots: tuple[str, ...]
    installed: bool
    sessions: int
    can_resume: bool
    can_host: bool
    deletes_after_days: int | None
    how_to_install: str = ""
