"""Invented versions for tests and pictures of the window."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from holdfast_core.model.session import SessionEntry
from holdfast_core.model.vault import Compared, Comparison, VaultStatus, Version

from tests.gui import invented

STATUS = VaultStatus(
    sessions=12_418, sources=12_418, versions=30_512, stored_bytes=3_100_000_000, free_bytes=90_000_000_000,
    last_verified_ms=int(invented.NOW.timestamp() * 1000) - 7_300_000,
)  # fmt: skip
YESTERDAY = invented.NOW - timedelta(days=1)


def at(hour: int, minute: int) -> int:
    """Return a moment of yesterday."""
    return int(YESTERDAY.replace(hour=hour, minute=minute).timestamp() * 1000)


def version(number: int, **facts: Any) -> Version:
    """Return a version of yesterday afternoon."""
    given: dict[str, Any] = {
        "captured_ms": at(18, number), "modified_ms": at(18, number), "size_bytes": 40_000, "messages": 150 + number,
        "lost": 0, "reason": "grown", "added_messages": 1, "is_verified": True,
    } | facts  # fmt: skip
    return Version(number=number, **given)


def versions() -> list[Version]:
    """Return the versions of a session whose file was cut from 177 messages to 16, the newest first."""
    return [
        version(4, messages=16, lost=161, reason="truncated", modified_ms=at(18, 41), added_messages=0),
        version(3, messages=177, modified_ms=at(18, 30), is_best=True, added_messages=2),
        version(2, messages=175, modified_ms=at(18, 12), added_messages=9),
        version(1, messages=166, modified_ms=at(17, 2), reason="first", added_messages=166),
    ]


def cut_entry(**facts: Any) -> SessionEntry:
    """Return that session's row."""
    given: dict[str, Any] = {
        "message_count": 177, "lost_messages": 161, "damage": "truncated", "state": "lost", "problem_count": 0,
    } | facts  # fmt: skip
    return invented.entry(4, **given)


def comparison() -> Comparison:
    """Return what two of the versions do not share."""
    differences = (
        Compared("only_old", 16, "assistant", "Split into verify, parse, apply. " * 20, at(18, 20)),
        Compared("differs", 12, "tool", "48 passed", at(18, 21)),
        Compared("only_new", 15, "user", "<b>Good</b>\x1b[31m & on", None),
    )
    return Comparison(3, 4, 14, differences)
