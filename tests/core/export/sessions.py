"""Sessions of any content, for property tests of exports."""

from __future__ import annotations

from typing import Any

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
from holdfast_core.model.session import FileTouched, Problem, Session, SessionEntry, SessionFacts
from holdfast_core.model.usage import Usage
from hypothesis import strategies as st

TEXTS = st.text(st.characters(codec="utf-8"), max_size=60)
SHORT = st.text(st.characters(codec="utf-8"), max_size=12)
COUNTS = st.integers(0, 1 << 53)
MOMENTS = st.none() | st.integers(-62_135_596_800_000, 253_402_300_799_999)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 53), 1 << 53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | SHORT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SHORT, inner, max_size=3),
    max_leaves=6,
)
USAGES = st.builds(Usage, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS)
BLOCKS = st.one_of(
    st.builds(Text, TEXTS),
    st.builds(Thinking, TEXTS),
    st.builds(ToolCall, SHORT, SHORT, JSON, st.none() | SHORT),
    st.builds(ToolResult, SHORT, TEXTS, st.booleans()),
    st.builds(Image, SHORT, COUNTS, SHORT, SHORT),
    st.builds(File, SHORT, SHORT, TEXTS),
    st.builds(Error, TEXTS),
    st.builds(Compaction, TEXTS, st.none() | COUNTS),
)
MESSAGES = st.builds(
    Message,
    id=SHORT,
    role=st.sampled_from(["user", "assistant", "system", "tool"]),
    blocks=st.lists(BLOCKS, max_size=4).map(tuple),
    timestamp_ms=MOMENTS,
    parent_id=st.none() | SHORT,
    model=st.none() | SHORT,
    usage=st.none() | USAGES,
    line=COUNTS,
)
FACTS = st.builds(
    SessionFacts,
    agent=st.sampled_from(["one_agent", "other"]),
    native_id=SHORT,
    kind=st.sampled_from(["main", "subagent"]),
    title=TEXTS,
    summary=TEXTS,
    preview=TEXTS,
    last_text=TEXTS,
    project_path=SHORT,
    branch=SHORT,
    provider=SHORT,
    model=SHORT,
    agent_version=SHORT,
    surface=SHORT,
    created_ms=MOMENTS,
    updated_ms=MOMENTS,
    message_count=COUNTS,
    prompt_count=COUNTS,
    usage=USAGES,
    cost_usd=st.none() | st.floats(0, 1e6),
    parent_id=st.none() | SHORT,
    forked_from=st.none() | SHORT,
    is_empty=st.booleans(),
    has_error=st.booleans(),
    has_image=st.booleans(),
    todos=st.lists(
        st.builds(Todo, TEXTS, st.sampled_from(["pending", "in_progress", "completed"]), SHORT), max_size=2
    ).map(tuple),
    files_touched=st.lists(st.builds(FileTouched, SHORT, COUNTS, COUNTS), max_size=2).map(tuple),
    context_files=st.lists(SHORT, max_size=2).map(tuple),
    provider_data=st.dictionaries(SHORT, JSON, max_size=2),
)
SESSIONS = st.builds(
    Session,
    FACTS,
    st.lists(MESSAGES, max_size=4).map(tuple),
    st.lists(st.builds(Problem, COUNTS, SHORT), max_size=2).map(tuple),
    st.dictionaries(SHORT, COUNTS, max_size=2),
)


def session_of(*messages: Message, title: str = "A title", **facts: Any) -> Session:
    """Return a session that consists of these messages."""
    return Session(SessionFacts(agent="one_agent", native_id="abc", title=title, **facts), messages)


def said(text: str, role: Any = "assistant") -> Message:
    """Return a message of one text."""
    return Message("m", role, (Text(text),))


def entry_of(session: Session, **changed: Any) -> SessionEntry:
    """Return the row that a list has for a session."""
    facts = session.facts
    fields = {
        name: getattr(facts, name)
        for name in SessionEntry.__struct_fields__
        if name in SessionFacts.__struct_fields__ and name != "kind"
    }
    fields |= {"key": 7, "id": session.id, "kind": facts.kind, "tags": ("a", "b"), "starred": True, "note": "a *note*"}
    fields |= {"size_bytes": 99, "state": "archived", "source_path": "/where/it.is", **changed}
    return SessionEntry(**fields)
