"""What the person says of a session: kept by us, never in the agent's files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

import msgspec


class Annotation(msgspec.Struct, frozen=True, kw_only=True):
    """A session's own name, tags, star and note. ``title`` is None where the agent's stands."""

    session_id: str
    title: str | None = None
    tags: tuple[str, ...] = ()
    starred: bool = False
    note: str = ""
    updated_ms: int = 0


class Saying(TypedDict, total=False):
    """What the person says now; what is left out stays. ``title`` None gives the agent's title back."""

    title: str | None
    tags: Iterable[str]
    add_tags: Iterable[str]
    remove_tags: Iterable[str]
    starred: bool
    note: str
