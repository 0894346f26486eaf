"""Held sessions of every shape, for property tests."""

from __future__ import annotations

import uuid
from typing import Any

from holdfast_core.model.held import HeldSession, Origin, SessionConfig
from holdfast_core.model.message import (
    Compaction,
    Error,
    File,
    Image,
    Message,
    Text,
    Thinking,
    Todo,
    ToolCall,
    ToolResult,
)
from holdfast_core.model.session import FileTouched
from holdfast_core.model.usage import Usage
from hypothesis import strategies as st

texts = st.text(max_size=30)
half_texts = st.one_of(texts, st.sampled_from(["\udc80", "a\ud800b", "\x00", "</script>", "\u2028", "\x1b[31m"]))
counts = st.integers(0, 2**40)
moments = st.integers(-62_135_596_800_000, 253_402_300_799_999)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
json_objects = st.dictionaries(texts, json_values, max_size=3)
usages = st.builds(Usage, counts, counts, counts, counts, counts)
blocks = st.one_of(
    st.builds(Text, half_texts),
    st.builds(Thinking, texts),
    st.builds(ToolCall, texts, texts, json_values, st.none() | texts),
    st.builds(ToolResult, texts, texts, st.booleans()),
    st.builds(Image, texts, counts, texts, texts),
    st.builds(File, texts, texts, texts),
    st.builds(Error, texts),
    st.builds(Compaction, texts, st.none() | counts),
)


def messages(identity: st.SearchStrategy[str] = texts) -> st.SearchStrategy[Message]:
    """Messages with every kind of block."""
    return st.builds(
        Message,
        identity,
        st.sampled_from(["user", "assistant", "system", "tool"]),
        st.lists(blocks, max_size=3).map(tuple),
        st.none() | moments,
        st.none() | texts,
        st.none() | texts,
        st.none() | usages,
        st.integers(0, 10**6),
    )


unknown_names = texts.filter(lambda name: name not in HeldSession.__struct_fields__)
"""Names of fields that no version knows."""

held_ids = st.integers(0).map(lambda seed: str(uuid.UUID(int=seed % 2**128, version=4)))
sessions = st.builds(
    HeldSession,
    id=held_ids,
    title=half_texts,
    project_path=half_texts,
    created_ms=moments,
    updated_ms=moments,
    closed_ms=st.none() | moments,
    last_resumed_ms=st.none() | moments,
    is_live=st.booleans(),
    config=st.builds(SessionConfig, agent=texts, provider=texts, model=texts, mode=texts, options=json_objects),
    messages=st.lists(messages(), max_size=4, unique_by=lambda message: message.id).map(tuple),
    todos=st.lists(
        st.builds(Todo, texts, st.sampled_from(["pending", "in_progress", "completed"]), texts), max_size=2
    ).map(tuple),
    context_files=st.lists(half_texts, max_size=2).map(tuple),
    files_accessed=st.lists(st.builds(FileTouched, texts, counts, counts), max_size=2).map(tuple),
    usage=usages,
    cost_usd=st.none() | st.floats(0, 1e6),
    tags=st.lists(texts, max_size=2).map(tuple),
    starred=st.booleans(),
    notes=half_texts,
    provider_data=json_objects,
    origin=st.builds(
        Origin,
        kind=st.sampled_from(["created", "forked", "archived", "imported"]),
        agent=texts,
        native_id=texts,
        source_path=half_texts,
        branch=texts,
        parent_id=st.none() | texts,
        is_verified=st.booleans(),
    ),
    unknown=st.dictionaries(unknown_names, json_values, max_size=2),
)
