"""What an index says, as one value that can be compared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from holdfast_core.index.reader import IndexReader
from holdfast_core.model.query import parse

NOW = datetime(2026, 11, 20, tzinfo=UTC)


@dataclass
class Answers:
    """The list, the hits of some searches, and the counts."""

    entries: dict[str, dict[str, Any]]
    hits: dict[str, set[tuple[str, int]]]
    places: Any


def answers_of(reader: IndexReader, words: tuple[str, ...] = ("apple", "pear", "plum")) -> Answers:
    """Ask an index everything; keys of rows are left out, as they differ from index to index."""
    everything = parse("", now=NOW)
    entries = reader.entries(reader.keys(everything, sort="updated"))
    rows = {entry.id: msgspec.to_builtins(entry) | {"key": 0} for entry in entries}
    hits = {}
    for word in words:
        found = reader.search(parse(word, now=NOW), limit=1000, sort="time")
        hits[word] = {(hit.session_id, hit.message_index) for hit in found.hits}
    return Answers(rows, hits, reader.places())
