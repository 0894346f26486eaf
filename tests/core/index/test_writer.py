"""What changed, what was lost, who owns a session that several sources hold, and where each response counts."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from holdfast_core.agents.base import Fingerprint, SourceRef
from holdfast_core.errors import Refused
from holdfast_core.index.reader import IndexReader
from holdfast_core.index.writer import IndexWriter
from holdfast_core.model.annotation import Annotation
from holdfast_core.model.changes import ChangeSet, LostMessages
from holdfast_core.model.message import Text
from holdfast_core.model.session import Problem
from holdfast_core.model.usage import ResponseUsage, Usage

from tests.core.index.made import found, listed, message, query, read, session, write


def response(key: str, tokens: int, cost_usd: float | None = None) -> ResponseUsage:
    """Return a response that took so many tokens."""
    return ResponseUsage(key, Usage(input_tokens=tokens), cost_usd=cost_usd)


def tokens(reader: IndexReader) -> dict[str, int]:
    """Return the tokens that each listed session shows."""
    return {entry.native_id: entry.usage.total_tokens for entry in reader.entries(reader.keys(query("")))}


def test_a_new_session_is_added_and_the_same_again_changes_nothing(directory: Path) -> None:
    same = read("/a", session("one", ["first"]))

    changes = write(directory, same, same)

    assert [ChangeSet(added=("alpha:one",)), ChangeSet()] == changes


def test_growth_is_a_change_and_loses_nothing(directory: Path, reader: IndexReader) -> None:
    grown = read("/a", session("one", ["second", "third"], first_index=1, message_count=3), continued=True)

    changes = write(directory, read("/a", session("one", ["first"])), grown)

    assert ChangeSet(changed=("alpha:one",)) == changes[1]
    assert {("one", 0)} == found(reader, "first")
    assert {("one", 2)} == found(reader, "third")


def test_the_last_message_may_be_told_again_while_it_grows(directory: Path, reader: IndexReader) -> None:
    again = read("/a", session("one", ["half and whole", "next"], first_index=1), continued=True)

    changes = write(directory, read("/a", session("one", ["start", "half"])), again)

    assert changes[1].lost == ()
    assert {("one", 1)} == found(reader, "whole")
    assert {("one", 1)} == found(reader, "half")


def test_a_whole_source_read_again_after_growth_loses_nothing(directory: Path) -> None:
    before, after = session("one", ["a1", "b2"]), session("one", ["a1", "b2", "c3"])

    changes = write(directory, read("/a", before), read("/a", after))

    assert ChangeSet(changed=("alpha:one",)) == changes[1]


def test_a_source_that_shrank_says_how_many_messages_are_lost(directory: Path, reader: IndexReader) -> None:
    changes = write(
        directory, read("/a", session("one", ["keep", "lose", "lost"])), read("/a", session("one", ["keep"]))
    )

    assert (LostMessages("alpha:one", 2, "shrunk"),) == changes[1].lost
    assert changes[1].changed == ("alpha:one",)
    assert set() == found(reader, "lose")
    assert {("one", 0)} == found(reader, "keep")


def test_a_source_that_was_rewritten_says_how_many_messages_are_lost(directory: Path) -> None:
    other = [message(7, "new"), message(8, "new too"), message(9, "new as well")]

    changes = write(directory, read("/a", session("one", ["old", "old too"])), read("/a", session("one", other)))

    assert (LostMessages("alpha:one", 2, "rewritten"),) == changes[1].lost


def test_a_message_that_reads_otherwise_now_is_not_lost(directory: Path, reader: IndexReader) -> None:
    changes = write(directory, read("/a", session("one", ["before"])), read("/a", session("one", ["after"])))

    assert ChangeSet(changed=("alpha:one",)) == changes[1]
    assert set() == found(reader, "before")


def test_a_session_that_left_its_source_is_removed(directory: Path) -> None:
    both = read("/a", session("one", ["x1"]), session("two", ["x2", "x3"]))

    changes = write(directory, both, read("/a", session("one", ["x1"])))

    assert ChangeSet(removed=("alpha:two",), lost=(LostMessages("alpha:two", 2, "rewritten"),)) == changes[1]


def test_a_forgotten_source_takes_its_sessions_with_it(writer: IndexWriter, reader: IndexReader) -> None:
    writer.apply([read("/a", session("one", ["gone"])), read("/b", session("two", ["stays"]))])

    changes = writer.forget("alpha", ["/a", "/unknown"])

    assert ChangeSet(removed=("alpha:one",), lost=(LostMessages("alpha:one", 1, "gone"),)) == changes
    assert listed(reader) == ["two"]
    assert set() == found(reader, "gone")
    assert {"/b"} == set(writer.known("alpha"))


def test_known_sources_come_back_as_they_were(writer: IndexWriter) -> None:
    one = read("/dir/a", session("one"))
    writer.apply([one, read("/dir/sub/b", session("two")), read("/dirt", session("three"))])

    known = writer.known("alpha")["/dir/a"]

    assert (one.ref.fingerprint, "", "/dir/a") == known[:3]
    assert one.reading.checkpoint == known.checkpoint
    assert writer.known("beta") == {}
    assert {"/dir/a", "/dir/sub/b"} == set(writer.known("alpha", at=["/dir"]))
    assert {"/dir/a"} == set(writer.known("alpha", at=["/dir/a"]))


def test_a_source_that_cannot_be_read_is_remembered(writer: IndexWriter, reader: IndexReader) -> None:
    writer.apply([read("/a", session("one", ["before"]))])

    writer.failed(SourceRef("alpha", "/a", "/a", Fingerprint(5, 5)), "not_this_format")
    writer.failed(SourceRef("alpha", "/new", "/new", Fingerprint(6, 6)), "unreadable")

    assert (Fingerprint(5, 5), "not_this_format") == writer.known("alpha")["/a"][:2]
    assert writer.known("alpha")["/new"].problem == "unreadable"
    assert [entry.state for entry in reader.entries(reader.keys(query("")))] == ["problem"]
    assert [Problem(0, "not_this_format")] == reader.problems("alpha:one")
    assert [agent.problems for agent in writer.report()] == [2]


def test_problems_and_unknown_records_add_up_over_continued_readings(writer: IndexWriter, reader: IndexReader) -> None:
    writer.apply([read("/a", session("one", ["x"]), problems=[Problem(3, "not_json")], unknown={"odd": 2})])
    writer.apply(
        [
            read(
                "/a",
                session("one", ["y"], first_index=1),
                problems=[Problem(9, "too_long")],
                unknown={"odd": 1, "new": 1},
                continued=True,
            )
        ]
    )

    assert [Problem(3, "not_json"), Problem(9, "too_long")] == reader.problems("alpha:one")
    assert writer.report()[0].unknown_records == {"odd": 3, "new": 1}
    assert (writer.report()[0].sessions, writer.report()[0].messages, writer.report()[0].problems) == (1, 2, 2)


def test_only_one_may_write(directory: Path, writer: IndexWriter) -> None:
    with pytest.raises(Refused):
        IndexWriter.open(directory, timeout_seconds=0)


def test_a_batch_that_fails_leaves_everything_as_it_was(writer: IndexWriter, reader: IndexReader) -> None:
    writer.apply([read("/a", session("one", ["before"]))])
    unknown_block = [message(0, Text("after"), cast("Text", object()))]

    with pytest.raises(KeyError):
        writer.apply([read("/a", session("one", ["after"])), read("/b", session("two", unknown_block))])

    assert {("one", 0)} == found(reader, "before")
    assert set() == found(reader, "after")
    assert ChangeSet(changed=("alpha:one",)) == writer.apply([read("/a", session("one", ["after"]))])


class TestSeveralSources:
    """A session that several sources hold is one session."""

    poor = read("/poor", session("one", ["shared"], title="Poor"))
    rich = read("/rich", session("one", ["shared", "more"], title="Rich"))

    @pytest.mark.parametrize("order", [(0, 1), (1, 0)])
    def test_the_source_that_tells_most_owns_it(
        self, order: tuple[int, int], directory: Path, reader: IndexReader
    ) -> None:
        both = (self.poor, self.rich)

        write(directory, *(both[n] for n in order))

        entries = reader.entries(reader.keys(query("")))
        assert [(e.title, e.source_path, e.message_count) for e in entries] == [("Rich", "/rich", 2)]
        assert {("one", 0)} == found(reader, "shared")

    def test_the_other_takes_over_when_the_owner_vanishes(self, writer: IndexWriter, reader: IndexReader) -> None:
        writer.apply([self.rich, self.poor])

        changes = writer.forget("alpha", ["/rich"])

        assert ChangeSet(changed=("alpha:one",), lost=(LostMessages("alpha:one", 1, "gone"),)) == changes
        assert [entry.title for entry in reader.entries(reader.keys(query("")))] == ["Poor"]
        assert {("one", 0)} == found(reader, "shared")
        assert set() == found(reader, "more")

    def test_a_copy_that_vanishes_takes_nothing_with_it(self, writer: IndexWriter, reader: IndexReader) -> None:
        writer.apply([self.rich, self.poor])

        assert writer.forget("alpha", ["/poor"]).lost == ()
        assert {("one", 1)} == found(reader, "more")

    def test_a_file_that_moved_loses_nothing(self, writer: IndexWriter) -> None:
        writer.apply([self.rich])
        writer.apply([read("/moved", session("one", ["shared", "more"], title="Rich"))])

        assert writer.forget("alpha", ["/rich"]).lost == ()


class TestSharedResponses:
    """A response that several sessions hold counts in one."""

    original = read(
        "/o",
        session(
            "original",
            ["a"],
            usage=Usage(input_tokens=30),
            cost_usd=0.3,
            responses=[response("r1", 10, 0.1), response("r2", 20, 0.2)],
        ),
    )
    fork = read(
        "/f",
        session(
            "fork",
            ["a"],
            forked_from="original",
            usage=Usage(input_tokens=60),
            cost_usd=0.6,
            responses=[response("r1", 10, 0.1), response("r2", 20, 0.2), response("r3", 30, 0.3)],
        ),
    )

    @pytest.mark.parametrize("order", [(0, 1), (1, 0)])
    def test_it_counts_in_the_one_that_is_no_fork(
        self, order: tuple[int, int], directory: Path, reader: IndexReader
    ) -> None:
        both = (self.original, self.fork)

        write(directory, *(both[n] for n in order))

        costs = {entry.native_id: entry.cost_usd for entry in reader.entries(reader.keys(query("")))}
        assert tokens(reader) == {"original": 30, "fork": 30}
        assert costs == {"original": 0.3, "fork": 0.3}

    def test_it_counts_elsewhere_when_that_one_vanishes(self, writer: IndexWriter, reader: IndexReader) -> None:
        writer.apply([self.original, self.fork])

        changes = writer.forget("alpha", ["/o"])

        assert changes.changed == ("alpha:fork",)
        assert tokens(reader) == {"fork": 60}

    def test_a_shadow_counts_nothing(self, writer: IndexWriter, reader: IndexReader) -> None:
        responses = [response("r1", 10)]
        usage = Usage(input_tokens=10)
        writer.apply([read("/1", session("one", ["a"], usage=usage, responses=responses))])
        writer.apply([read("/2", session("one", ["a", "b"], usage=usage, responses=responses))])

        assert tokens(reader) == {"one": 10}

    def test_a_session_without_single_responses_shows_what_it_says(self, directory: Path, reader: IndexReader) -> None:
        write(directory, read("/a", session("one", usage=Usage(output_tokens=5))))

        assert tokens(reader) == {"one": 5}


class TestAnnotations:
    """What the person says of a session."""

    said = Annotation(
        session_id="alpha:one", title="Own name", tags=("keep", "two words"), starred=True, note="mind it"
    )

    def test_it_shows_in_the_row_and_is_found(self, writer: IndexWriter, reader: IndexReader) -> None:
        writer.apply([read("/a", session("one", ["x"]))])

        assert ChangeSet(annotated=("alpha:one",)) == writer.annotate([self.said])

        entry = reader.entry("alpha:one")
        assert entry is not None
        assert (
            entry.title,
            entry.tags,
            entry.starred,
            entry.note,
        ) == ("Own name", ("keep", "two words"), True, "mind it")
        assert {("one", -1)} == found(reader, "own") == found(reader, "mind") == found(reader, "keep")
        assert listed(reader, 'tag:"two words" is:starred has:note') == ["one"]

    def test_it_stays_when_the_session_is_read_again(self, writer: IndexWriter, reader: IndexReader) -> None:
        writer.apply([read("/a", session("one", ["x"]))])
        writer.annotate([self.said])
        writer.apply([read("/a", session("one", ["y", "z"], title="Another"))])

        entry = reader.entry("alpha:one")
        assert entry is not None
        assert (entry.title, entry.starred) == ("Own name", True)
        assert {("one", -1)} == found(reader, "mind")

    def test_it_waits_for_a_session_that_is_not_there_yet(self, writer: IndexWriter, reader: IndexReader) -> None:
        assert ChangeSet() == writer.annotate([self.said])
        writer.apply([read("/a", session("one", ["x"]))])

        assert listed(reader, "tag:keep") == ["one"]
        assert {("one", -1)} == found(reader, "mind")

    def test_taking_it_back_brings_the_agents_title_back(self, writer: IndexWriter, reader: IndexReader) -> None:
        writer.apply([read("/a", session("one", ["x"]))])
        writer.annotate([self.said])
        writer.annotate([Annotation(session_id="alpha:one", updated_ms=5)])

        entry = reader.entry("alpha:one")
        assert entry is not None
        assert (entry.title, entry.tags, entry.starred, entry.note) == ("About one", (), False, "")
        assert set() == found(reader, "mind")


def test_an_archived_session_is_listed_as_such_and_a_broken_one_as_broken(directory: Path, reader: IndexReader) -> None:
    away = session("away", ["words"], is_archived=True)
    broken = read("/b", session("broken", ["words"], is_archived=True), problems=[Problem(1, "not_json")])

    write(directory, read("/a", away), broken, read("/c", session("plain", ["words"])))

    entries = reader.entries(reader.keys(query("")))
    assert {one.native_id: one.state for one in entries} == {"away": "archived", "broken": "problem", "plain": "closed"}
    assert listed(reader, "is:archived") == ["away"]


def test_what_a_list_shows_is_counted(directory: Path) -> None:
    ids = ["alpha:one", "alpha:sub", "alpha:empty", "alpha:nowhere"]
    made = [session("one", ["words"]), session("sub", ["words"], kind="subagent"), session("empty", is_empty=True)]
    write(directory, *(read(f"/{one.facts.native_id}", one) for one in made))

    with IndexWriter.open(directory, timeout_seconds=5) as writer:
        assert writer.count_listed(ids) == 1
