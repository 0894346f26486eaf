"""Lists, rows, places, names, pages of hits, completion."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

import apsw
import pytest
from holdfast_core.index.reader import IndexReader
from holdfast_core.index.writer import IndexWriter
from holdfast_core.model.annotation import Annotation
from holdfast_core.model.message import ToolCall, ToolResult
from holdfast_core.model.places import Count, Places
from holdfast_core.model.query import Sort
from holdfast_core.model.session import FileTouched, Todo
from holdfast_core.model.usage import Usage

from tests.core.index.made import DAY_MS, NOW_MS, found, listed, message, query, read, session, write


def test_there_is_no_index_yet(tmp_path: Path) -> None:
    reader = IndexReader.open(tmp_path / "nowhere")

    assert list(reader.keys(query("x tag:y"))) == []
    assert Places() == reader.places()
    assert reader.entry("alpha:one") is None
    assert [] == reader.find("one") == reader.entries([1]) == reader.children("alpha:one")
    assert reader.search(query("x"), limit=5).hits == ()
    assert reader.count(query("x")) == (0, 0)
    assert reader.complete("ag", 2) == ["agent:"]


def test_a_row_carries_every_field(directory: Path, reader: IndexReader) -> None:
    made = session(
        "one",
        ["x"],
        summary="sum",
        preview="first",
        last_text="last",
        project_path="/p",
        branch="b",
        provider="pro",
        model="mod",
        agent_version="1.2",
        usage=Usage(1, 2, 3, 4, 5),
        cost_usd=0.25,
        prompt_count=1,
        context_files=("c.md",),
        files_touched=(FileTouched("f.py", 1, 2),),
        todos=(Todo("do"),),
        provider_data={"opaque": [1, 2]},
    )

    write(directory, read("/s/one", made, size=77))

    entry = reader.entries(reader.keys(query("")))[0]
    facts = made.facts
    for name in entry.__struct_fields__:
        if hasattr(facts, name):
            assert getattr(facts, name) == getattr(entry, name), name
    assert (
        entry.size_bytes,
        entry.source_path,
        entry.state,
        entry.tags,
        entry.starred,
        entry.note,
    ) == (77, "/s/one", "closed", (), False, "")
    assert entry == reader.entry("alpha:one")


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("updated", ["c", "b", "a"]),
        ("created", ["a", "b", "c"]),
        ("title", ["b", "c", "a"]),
        ("messages", ["b", "a", "c"]),
        ("tokens", ["c", "a", "b"]),
        ("cost", ["b", "a", "c"]),
        ("size", ["a", "c", "b"]),
        ("project", ["c", "b", "a"]),
    ],
)
def test_lists_are_sorted(sort: str, expected: list[str], directory: Path, reader: IndexReader) -> None:
    usage = [Usage(output_tokens=count) for count in (5, 1, 9)]
    one = session(
        "a", ["1", "2"], title="Alpha", updated_ms=1, created_ms=3, usage=usage[0], cost_usd=0.5, project_path="/a"
    )
    two = session(
        "b", ["1", "2", "3"], title="ünder", updated_ms=2, created_ms=2, usage=usage[1], cost_usd=1, project_path="/b"
    )
    three = session("c", agent="beta", title="gamma", updated_ms=3, created_ms=1, usage=usage[2], project_path="/c")
    write(directory, read("/1", one, size=9), read("/2", two, size=2), read("/3", three, size=3))

    assert expected == listed(reader, sort=sort)
    assert expected[::-1] == listed(reader, sort=sort, descending=False)


def test_subagents_and_empty_ones_are_left_out(directory: Path, reader: IndexReader) -> None:
    parent = session("parent", ["x"])
    child = session("child", ["deepword"], kind="subagent", parent_id="parent")
    empty = session("empty", is_empty=True)
    write(directory, [read("/1", parent), read("/2", child), read("/3", empty)])

    assert listed(reader) == ["parent"]
    assert sorted(listed(reader, subagents=True)) == ["child", "parent"]
    assert listed(reader, "is:subagent") == ["child"]
    assert listed(reader, "is:empty") == ["empty"]
    assert listed(reader, "deepword") == []
    assert {("child", 0)} == found(reader, "deepword")
    assert [entry.native_id for entry in reader.children("alpha:parent")] == ["child"]
    entry = reader.entry("alpha:parent")
    assert entry is not None
    assert entry.subagent_count == 1
    assert (reader.places().total, reader.places().tags) == (1, ())


def test_places_count_listed_sessions(writer: IndexWriter, reader: IndexReader) -> None:
    writer.apply([read(f"/{n}", session(f"s{n}", project_path=f"/p{n % 2}")) for n in range(3)])
    writer.apply([read("/b", session("b", agent="beta"))])
    writer.annotate([Annotation(session_id="alpha:s1", tags=("x", "y"), starred=True)])
    writer.annotate([Annotation(session_id="alpha:s2", tags=("y",)), Annotation(session_id="alpha:gone", tags=("z",))])

    assert reader.places() == Places(
        total=4,
        starred=1,
        problems=0,
        agents=(Count("alpha", 3), Count("beta", 1)),
        projects=(Count("/p0", 2), Count("/p1", 1)),
        tags=(Count("y", 2), Count("x", 1)),
    )


def test_listed_sessions_are_told_by_their_sources(writer: IndexWriter, reader: IndexReader) -> None:
    writer.apply([read("/1", session("one"), session("two")), read("/2", session("child", kind="subagent"))])
    writer.apply([read("/3", session("b", agent="beta"))])

    assert {source: sorted(ids) for source, ids in reader.sessions_by_source().items()} == {
        ("alpha", "/1"): ["alpha:one", "alpha:two"],
        ("beta", "/3"): ["beta:b"],
    }


def test_what_is_lost_at_the_source_is_counted_along_an_index(writer: IndexWriter, reader: IndexReader) -> None:
    writer.apply([read("/1", session("cut", lost_messages=161)), read("/2", session("gone", is_gone=True))])
    writer.apply([read("/3", session("whole")), read("/4", session("child", kind="subagent", lost_messages=1))])
    counted = reader.places()
    catalog = reader._files.catalog
    assert catalog is not None
    asked: list[str] = []
    catalog.trace_v2(apsw.SQLITE_TRACE_STMT, lambda event: asked.append(event["sql"]))

    again = reader.places()

    plans = [catalog.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()[0][3] for sql in asked if "lost_messages" in sql]
    assert (counted.lost, again.lost, counted.total) == (2, 2, 3)
    assert [plan for plan in plans if "INDEX at_lost" not in plan] == []
    assert len(plans) == 1


def test_a_name_finds_the_best_kind_first(directory: Path, reader: IndexReader) -> None:
    write(
        directory,
        [
            read("/1", session("abc", title="Déjà vu")),
            read("/2", session("abcd", title="abc")),
            read("/3", session("x", title="abc of it")),
        ],
    )

    assert [entry.native_id for entry in reader.find("abc")] == ["abc", "abcd", "x"]
    assert [entry.native_id for entry in reader.find("alpha:abc", limit=1)] == ["abc"]
    assert [entry.native_id for entry in reader.find("deja")] == ["abc"]
    assert [] == reader.find("%") == reader.find("")


def test_time_puts_the_newest_first(directory: Path, reader: IndexReader) -> None:
    one = session("one", [message(n, f"word {n}", at=NOW_MS - n * 3 * DAY_MS) for n in range(5)])
    two = session("two", [message(n, f"word {n + 10}", at=NOW_MS - n * 2 * DAY_MS) for n in range(5)])
    write(directory, read("/1", one), read("/2", two))

    times = [hit.timestamp_ms for hit in reader.search(query("word"), limit=20, sort="time").hits]

    assert sorted(times, reverse=True) == times
    assert len(times) == 10


def test_relevance_prefers_words_that_stand_alone_titles_and_the_new(directory: Path, reader: IndexReader) -> None:
    filler = "something else that is of no interest at all " * 5
    write(
        directory,
        [
            read("/1", session("inside", [message(0, "the xneedlex is here", at=NOW_MS)])),
            read("/2", session("old", [message(0, filler + "needle", at=NOW_MS - 900 * DAY_MS)])),
            read("/3", session("new", [message(0, filler + "needle", at=NOW_MS)])),
            read("/4", session("titled", [filler], title="needle")),
        ],
    )

    result = reader.search(query("needle"), limit=10)

    assert [hit.session_id.partition(":")[2] for hit in result.hits] == ["titled", "new", "old", "inside"]
    assert (result.total_sessions, result.total_messages, result.is_exact) == (4, 4, True)
    assert sorted((hit.score for hit in result.hits), reverse=True) == [hit.score for hit in result.hits]


def test_copies_of_a_message_come_after_the_original(directory: Path, reader: IndexReader) -> None:
    shared = message(0, "shared words", at=NOW_MS - DAY_MS)
    write(
        directory,
        [
            read("/1", session("fork", [shared], forked_from="origin")),
            read("/2", session("origin", [shared])),
            read(
                "/3", session("other", [message(5, "shared by chance with many other words", at=NOW_MS - 99 * DAY_MS)])
            ),
        ],
    )

    by_relevance = [hit.session_id for hit in reader.search(query("shared"), limit=5).hits]
    by_time = [hit.session_id for hit in reader.search(query("shared"), limit=5, sort="time").hits]

    assert by_relevance == ["alpha:origin", "alpha:other", "alpha:fork"]
    assert by_time == ["alpha:origin", "alpha:fork", "alpha:other"]


def test_a_query_without_words_gives_each_session_once(directory: Path, reader: IndexReader) -> None:
    write(directory, read("/1", session("one", ["x", "y"], branch="main", preview="how it  began")))

    result = reader.search(query("branch:main"), limit=5)

    assert [(h.session_id, h.message_index, h.snippet) for h in result.hits] == [("alpha:one", -1, "how it began")]
    assert (1, 2) == (result.total_sessions, result.total_messages) == reader.count(query("branch:main"))


@pytest.mark.parametrize("tidy", [True, False])
def test_letters_that_stand_in_many_words_are_counted_once(tidy: bool, directory: Path, reader: IndexReader) -> None:
    texts = [f"x{n}abcx y{n}abcy" for n in range(300)]
    write(directory, read("/1", session("one", texts)), read("/2", session("two", ["abc", "other"])), tidy=tidy)

    assert reader.count(query("abc")) == (2, 301)
    assert sorted(listed(reader, "abc")) == ["one", "two"]
    assert reader.count(query("abc -is:starred yabcy OR abcx")) == (1, 300)


@pytest.mark.parametrize("tidy", [True, False])
def test_what_is_typed_is_first_looked_for_as_frequent_words(tidy: bool, directory: Path, reader: IndexReader) -> None:
    texts = [f"{('theory', 'there', 'thing')[n % 3]} holder{n % 20}" for n in range(900)]
    write(directory, read("/1", session("one", [*texts, "thyme xholder"])), tidy=tidy)

    page = reader.search(query("th", prefix=True), limit=20)

    assert {("one", n) for n in range(901)} == found(reader, "th", prefix=True)
    assert {("one", n) for n in range(901)} == found(reader, "holder")
    assert {("one", 900)} == found(reader, "thy", prefix=True)
    assert {("one", n) for n in range(0, 900, 3)} == found(reader, "holder the", prefix=True) - {
        ("one", n) for n in range(1, 900, 3)
    }
    assert len({hit.message_index for hit in page.hits}) == 20
    assert {"the", "thi"} <= {hit.snippet[:3] for hit in page.hits}


@pytest.mark.parametrize("sort", ["relevance", "time"])
def test_a_path_tells_less_than_any_message_but_a_title_tells_more(
    sort: Literal["relevance", "time"], directory: Path, reader: IndexReader
) -> None:
    long = "filler " * 300
    in_path = session("path", [long + "walnut", "walnut " + long], project_path="/home/x/walnut", branch="walnut")
    in_title = session("title", [long + "walnut"], title="The walnut", project_path="/home/x/walnut")
    write(directory, read("/1", in_path), read("/2", in_title), read("/3", session("none", project_path="/walnut/y")))

    hits = reader.search(query("walnut"), limit=50, sort=sort).hits

    places = {
        name: [hit.message_index for hit in hits if hit.session_id == f"alpha:{name}"] for name in ("path", "title")
    }
    assert places["path"][-1] == -1
    assert len(places["path"]) == 3
    assert places["title"][0] == -1
    assert places["title"] == [-1, 0]


def test_texts_that_have_much_in_common_come_back(directory: Path, reader: IndexReader) -> None:
    letters = [f"needle{n} " + f"common words of all texts {n * n} " * 400 for n in range(400)]
    first, rest = letters[:10], letters[10:]
    write(
        directory,
        read("/1", session("one", first)),
        read("/2", session("two", rest)),
        read("/3", session("three", letters)),
    )

    assert [hit.snippet[:11] for hit in reader.search(query("needle7"), limit=1).hits] == ["needle7 com"]
    assert [hit.snippet[:11] for hit in reader.search(query("needle299"), limit=1).hits] == ["needle299 c"]
    assert {("one", 7), ("three", 7)} == found(reader, "needle7 texts 49")
    assert sum(path.stat().st_size for path in directory.glob("*.db")) < sum(map(len, letters))


def test_what_is_left_out_counts_in_empty_sessions_too(directory: Path, reader: IndexReader) -> None:
    write(directory, read("/1", session("one", ["alpha"], message_count=0, is_empty=True)))

    assert listed(reader, "-(alpha is:empty)") == []
    assert listed(reader, "-(beta is:empty)") == ["one"]


def test_what_is_left_out_is_left_out_as_a_whole_word(directory: Path, reader: IndexReader) -> None:
    write(directory, read("/1", session("one", ["the catalog", "the log"])))

    assert {("one", 0), ("one", 1)} == found(reader, "the log")
    assert {("one", 0)} == found(reader, "the -log")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ag", ["agent:"]),
        ("word -ag", ["-agent:"]),
        ("(pro", ["project:", "provider:"]),
        ("is:st", ["is:starred", "is:lost"]),
        ("has:", ["has:error", "has:todo", "has:image", "has:note"]),
        ("agent:", ["agent:alpha", "agent:beta"]),
        ("agent:alpha,b", ["agent:alpha,beta"]),
        ("project:wo", ["project:work", 'project:"two words"']),
        ('project:"two w', ['project:"two words"']),
        ("branch:ma", ["branch:main"]),
        ("model:mi", ["model:mini-2"]),
        ("tag:r", ["tag:red"]),
        ("tool:", ["tool:bash", "tool:mcp__x"]),
        ("on:to", ["on:today"]),
        ("colour:r", []),
        ("word ", []),
        ("", []),
    ],
)
def test_completion(text: str, expected: list[str], writer: IndexWriter, reader: IndexReader) -> None:
    call = message(0, ToolCall("1", "Bash"), ToolCall("2", "mcp__x"))
    writer.apply([read("/1", session("one", [call], project_path="/home/work", branch="main", model="mini-2"))])
    writer.apply([read("/2", session("two", [message(0, ToolCall("1", "Bash"))], project_path="/home/two words"))])
    writer.apply([read("/3", session("three", agent="beta"))])
    writer.annotate([Annotation(session_id="alpha:one", tags=("red",))])

    assert expected == reader.complete(text + " tail", len(text))


@pytest.mark.parametrize("sort", ["project", "agent"])
def test_within_a_project_or_agent_the_newest_come_first(sort: Sort, directory: Path, reader: IndexReader) -> None:
    groups = {"one": {"b": 2, "a": 3, "c": 1}, "two": {"e": 4, "d": 5}}
    write(
        directory,
        *(
            read(f"/{name}", session(name, ["word"], agent=group, project_path=f"/{group}", updated_ms=age))
            for group, ages in groups.items()
            for name, age in ages.items()
        ),
    )

    assert listed(reader, sort=sort, descending=False) == ["a", "b", "c", "d", "e"]
    assert listed(reader, sort=sort) == ["d", "e", "a", "b", "c"]
    assert listed(reader, "word", sort=sort) == ["d", "e", "a", "b", "c"]


@pytest.mark.parametrize("sort", get_args(Sort))
def test_a_long_list_is_walked_in_order_and_not_sorted(sort: Sort, directory: Path, reader: IndexReader) -> None:
    write(directory, read("/1", session("one")))
    reader.keys(query(""))
    catalog = reader._files.catalog
    assert catalog is not None
    asked: list[str] = []
    catalog.trace_v2(apsw.SQLITE_TRACE_STMT, lambda event: asked.append(event["sql"]))

    reader.keys(query(""), sort=sort)
    reader.keys(query(""), sort=sort, descending=False)

    lists = [sql for sql in asked if "ORDER BY" in sql]
    plans = [row[3] for sql in lists for row in catalog.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()]
    assert len(plans) == 2
    assert [step for step in plans if f"INDEX by_{sort}" not in step] == []


def test_the_end_of_a_long_output_is_found(directory: Path, reader: IndexReader) -> None:
    output = ToolResult("c", "some words of an output\n" * 60_000 + "needle")

    write(directory, read("/a", session("one", [message(0, output, role="tool")])))

    assert {("one", 0)} == found(reader, "needle")
    assert {("one", 0)} == found(reader, "/need.e$/")
