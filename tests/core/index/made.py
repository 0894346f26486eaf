"""Short ways to make readings, and a brute-force answer to compare the index with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from holdfast_core.agents.base import Checkpoint, Fingerprint, Reading, SessionRead, SourceRef
from holdfast_core.index.change import Read
from holdfast_core.index.reader import IndexReader
from holdfast_core.index.writer import IndexWriter
from holdfast_core.model.changes import ChangeSet
from holdfast_core.model.message import Block, Message, Role, Text
from holdfast_core.model.query import Query, parse
from holdfast_core.model.session import Problem, SessionFacts
from holdfast_core.model.usage import ResponseUsage

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
DAY_MS = 86_400_000


def query(text: str, *, prefix: bool = False) -> Query:
    """Return the query of these tests' moment."""
    return parse(text, now=NOW, prefix=prefix)


def message(number: int, *blocks: Block | str, role: Role = "user", at: int | None = None) -> Message:
    """Return a message of texts or blocks."""
    made = tuple(Text(block) if isinstance(block, str) else block for block in blocks)
    moment = NOW_MS - DAY_MS + number * 1000 if at is None else at
    return Message(id=f"m{number}", role=role, blocks=made, timestamp_ms=moment)


def session(
    native_id: str,
    messages: Sequence[Message | str] = (),
    *,
    agent: str = "alpha",
    first_index: int = 0,
    responses: Sequence[ResponseUsage] = (),
    **facts: Any,
) -> SessionRead:
    """Return one session's reading."""
    made = [message(first_index + n, one) if isinstance(one, str) else one for n, one in enumerate(messages)]
    facts = {"updated_ms": NOW_MS, "created_ms": NOW_MS - DAY_MS, "title": f"About {native_id}"} | facts
    facts.setdefault("message_count", first_index + len(made))
    return SessionRead(SessionFacts(agent=agent, native_id=native_id, **facts), made, first_index, list(responses))


def read(
    key: str,
    *sessions: SessionRead,
    agent: str = "alpha",
    continued: bool = False,
    problems: Sequence[Problem] = (),
    unknown: dict[str, int] | None = None,
    size: int = 1000,
) -> Read:
    """Return what was read of one source."""
    agent = sessions[0].facts.agent if sessions else agent
    ref = SourceRef(agent, key, key, Fingerprint(size, 7, 1))
    checkpoint = Checkpoint(size, b"tail", b"state")
    return Read.of(ref, Reading(list(sessions), list(problems), unknown or {}, checkpoint, size, continued))


def write(directory: Path, *batches: Sequence[Read] | Read, tidy: bool = False) -> list[ChangeSet]:
    """Apply batches, one after the other."""
    with IndexWriter.open(directory, timeout_seconds=5) as writer:
        changes = [writer.apply([batch] if isinstance(batch, Read) else batch) for batch in batches]
        if tidy:
            writer.tidy(deadline_seconds=30)
    return changes


def found(reader: IndexReader, text: str, *, prefix: bool = False) -> set[tuple[str, int]]:
    """Return (native id, message index) of everything that a search finds."""
    result = reader.search(query(text, prefix=prefix), limit=100_000)
    assert result.is_exact
    return {(hit.session_id.partition(":")[2], hit.message_index) for hit in result.hits}


def listed(reader: IndexReader, text: str = "", **options: Any) -> list[str]:
    """Return the native ids of the sessions that a list shows."""
    return [entry.native_id for entry in reader.entries(reader.keys(query(text), **options))]
