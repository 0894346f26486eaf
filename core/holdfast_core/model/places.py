"""The counts beside the places of the window."""

from __future__ import annotations

import msgspec


class Count(msgspec.Struct, frozen=True, gc=False):
    """How many sessions have this value."""

    value: str
    sessions: int


class Places(msgspec.Struct, frozen=True):
    """Sessions by place, most first; subagents and empty files are not counted."""

    total: int = 0
    starred: int = 0
    problems: int = 0
    lost: int = 0
    agents: tuple[Count, ...] = ()
    projects: tuple[Count, ...] = ()
    tags: tuple[Count, ...] = ()
