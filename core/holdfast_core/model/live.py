"""A live session as others see it: its state, and what happens to it."""

from __future__ import annotations

from typing import Literal

import msgspec

LiveState = Literal["starting", "active", "waiting", "idle", "closing", "closed", "crashed"]
LiveEventKind = Literal[
    "created", "resumed", "saved", "closed", "crashed", "message", "state", "idle_warning", "failed"
]


class LiveEntry(msgspec.Struct, frozen=True, gc=False):
    """One live session of this process. ``reason`` says why it ended, where it has."""

    id: str
    title: str
    project_path: str
    agent: str
    state: LiveState
    started_ms: int
    active_ms: int
    message_count: int
    saved_ms: int | None = None
    save_error: str = ""
    reason: str = ""


class LiveEvent(msgspec.Struct, frozen=True, gc=False):
    """Something that happened to a live session, in this process. ``message`` is a sentence where a person is told."""

    kind: LiveEventKind
    entry: LiveEntry
    message: str = ""
