"""Held sessions in the index: their ids, their states, and what the person said of them, which their source holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw
from holdfast_core.agents.base import Fingerprint, Reading, SessionRead, SourceRef
from holdfast_core.index.change import Read
from holdfast_core.index.reader import IndexReader
from holdfast_core.index.writer import IndexWriter
from holdfast_core.model.annotation import Annotation
from holdfast_core.model.changes import ChangeSet
from holdfast_core.model.held import HELD_AGENT
from holdfast_core.model.session import Problem

from tests.core.index.made import found, listed, query, read, session, write

ID = "0b8f2f4e-94b1-4d0a-9c33-5d6a3c1e7f00"
OTHER = "5f0c6a5e-1111-4222-8333-444455556666"


def held(
    session_id: str = ID,
    *,
    size: int = 1000,
    problems: tuple[Problem, ...] = (),
    texts: Sequence[str] = ("hello there",),
    **given: Any,
) -> Read:
    """Return what was read of one held session that came from another agent."""
    said = Annotation(session_id=session_id, **{"updated_ms": 5, **given.pop("said", {})})
    facts = {"agent": "alpha", "is_held": True} | given
    made: SessionRead = session(session_id, texts, **facts)
    made.annotation = said
    ref = SourceRef(HELD_AGENT, f"/{session_id}", f"/{session_id}", Fingerprint(size, 7, 1))
    return Read.of(ref, Reading([made], list(problems), {}, None, size))


def test_a_held_session_is_named_by_its_uuid_alone(directory: Path, reader: IndexReader) -> None:
    changes = write(directory, held())

    entry = reader.entry(ID)
    assert changes == [ChangeSet(added=(ID,))]
    assert entry is not None
    assert (entry.id, entry.native_id, entry.agent, entry.state) == (ID, ID, "alpha", "closed")
    assert reader.find(ID[:5]) == [entry]
    source = reader.source(ID)
    assert source is not None
    assert source.agent == HELD_AGENT


def test_the_filter_for_held_sessions_gives_exactly_these(directory: Path, reader: IndexReader) -> None:
    write(directory, [held(), held(OTHER, agent=HELD_AGENT), read("/a", session("one", ["x"]))])

    assert set(listed(reader, "is:held")) == {ID, OTHER}
    assert listed(reader, "-is:held") == ["one"]
    assert set(listed(reader, "agent:alpha")) == {ID, "one"}
    assert listed(reader, "agent:holdfast is:held") == [OTHER]


def test_the_state_is_live_while_it_is_open_and_a_problem_where_it_cannot_be_read(
    directory: Path, reader: IndexReader
) -> None:
    write(directory, [held(is_live=True), held(OTHER, problems=(Problem(0, "bad_tag"),))])

    assert listed(reader, "is:live") == [ID]
    assert listed(reader, "is:problem") == [OTHER]
    write(directory, held(size=1001))
    assert listed(reader, "is:live") == []


def test_what_the_person_said_comes_with_the_reading(directory: Path, reader: IndexReader) -> None:
    said = {"tags": ("plan",), "starred": True, "note": "look again"}

    write(directory, held(said=said))

    entry = reader.entry(ID)
    assert entry is not None
    assert (entry.tags, entry.starred, entry.note) == (("plan",), True, "look again")
    assert listed(reader, "tag:plan is:starred has:note") == [ID]
    assert found(reader, "again") == {("", -1)}
    assert [(count.value, count.sessions) for count in reader.places().tags] == [("plan", 1)]


def test_a_change_of_what_was_said_alone_is_taken_in_too(directory: Path, reader: IndexReader) -> None:
    write(directory, held(said={"tags": ("old",), "starred": True}))

    changes = write(directory, held(said={"tags": ("new",)}))

    assert changes == [ChangeSet(changed=(ID,))]
    assert listed(reader, "tag:old OR is:starred") == []
    assert listed(reader, "tag:new") == [ID]


def test_a_held_session_that_is_gone_leaves_nothing_behind(directory: Path, reader: IndexReader) -> None:
    write(directory, held(said={"note": "secret plan"}))

    with IndexWriter.open(directory, timeout_seconds=5) as writer:
        writer.forget(HELD_AGENT, [f"/{ID}"])

    catalog = apsw.Connection(str(directory / "catalog.db"), flags=apsw.SQLITE_OPEN_READONLY)
    assert list(catalog.execute("SELECT * FROM annotation")) == []
    assert list(catalog.execute("SELECT * FROM session")) == []
    catalog.close()
    assert found(reader, "secret") == set()


def test_the_report_counts_a_held_session_whose_agent_has_no_sources(directory: Path) -> None:
    with IndexWriter.open(directory, timeout_seconds=5) as writer:
        writer.apply([held(agent="beta")])
        report = {one.agent: (one.sessions, one.problems) for one in writer.report()}

    assert report == {"beta": (1, 0), HELD_AGENT: (0, 0)}


def test_children_are_those_of_the_agents_own_session(directory: Path, reader: IndexReader) -> None:
    write(directory, [held(), read("/a", session("sub", ["x"], kind="subagent", parent_id=ID))])

    assert reader.children(ID) == []
    assert len(reader.keys(query(""), subagents=True)) == 2
