"""What a search gives back."""

from __future__ import annotations

import msgspec


class Hit(msgspec.Struct, frozen=True, gc=False):
    """One message that meets a query.

    ``message_index`` is its place in the session, -1 for a hit in the title,
    summary, tags, notes or other facts. ``block_kind`` is the kind of block
    that was hit. ``highlights`` are (start, end) in code points of ``snippet``.
    """

    session_id: str
    session_key: int
    agent: str
    title: str
    message_index: int
    block_kind: str
    snippet: str
    highlights: tuple[tuple[int, int], ...]
    score: float
    timestamp_ms: int | None


class SearchResult(msgspec.Struct, frozen=True):
    """Hits in the asked order.

    The totals are exact if ``is_exact``; otherwise they count what was looked
    at before the limit or the deadline stopped the search.
    """

    hits: tuple[Hit, ...]
    total_sessions: int
    total_messages: int
    wall_seconds: float
    is_exact: bool = True
