"""Everything that a session holds is found, whatever part of it is remembered."""

from __future__ import annotations

from pathlib import Path

import pytest
from holdfast_core.index.documents import TEXT_LIMIT
from holdfast_core.index.reader import IndexReader
from holdfast_core.index.writer import IndexWriter
from holdfast_core.model.annotation import Annotation
from holdfast_core.model.message import Compaction, Error, File, Image, Thinking, ToolCall, ToolResult
from holdfast_core.model.session import FileTouched, Todo

from tests.core.index.made import found, message, query, read, session, write

FACTS = -1
EVERYTHING = read(
    "/s/one",
    session(
        "one",
        [
            message(0, "the userword of a prompt"),
            message(1, "an answerword, and déjà vu", role="assistant"),
            message(2, Thinking("a thoughtword"), role="assistant"),
            message(
                3,
                ToolCall(
                    "c1",
                    "Edit",
                    {"path": "/src/pathword.py", "edits": [{"new": "editedword = 42", "count": 4711}]},
                ),
                role="assistant",
            ),
            message(4, ToolResult("c1", "resultword \x1b[31mredword\x1b[0m"), role="tool"),
            message(5, "東京タワーを見た。漢字仮名交じり文"),
            message(6, "C++20 and foo.bar and foo_bar(x) and std::vector"),
            message(7, "long_snake_caseword and camelCaseNeedle99"),
            message(8, "party \U0001f389 thumbs \U0001f44d\U0001f3fd ok"),
            message(9, File("/data/fileword.csv", text="attachedword"), Image("image/png", 5, path="imageword.png")),
            message(10, Error("errorword"), Compaction("compactionword"), role="system"),
            message(11, "two \ud800 halves, nul\0word and a \x1e mark"),
        ],
        title="The titleword",
        summary="a summaryword",
        branch="feature/branchword",
        project_path="/home/robin/projectword",
        model="modelword-4",
        provider="providerword",
        files_touched=(FileTouched("/src/touchedword.py"),),
        context_files=("/src/contextword.md",),
        todos=(Todo("todoword"),),
    ),
)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> IndexReader:
    """An index of that session and another one, with the person's own words."""
    directory = tmp_path_factory.mktemp("fields")
    write(directory, [EVERYTHING, read("/s/two", session("two", ["nothing to see"]))])
    with IndexWriter.open(directory, timeout_seconds=5) as writer:
        writer.annotate(
            [Annotation(session_id="alpha:one", title="My ownword", tags=("tagword",), starred=True, note="noteword")]
        )
    return IndexReader.open(directory)


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("userword", 0),
        ("answerword", 1),
        ("deja", 1),
        ("DÉJÀ", 1),
        ("thoughtword", 2),
        ("pathword.py", 3),
        ("editedword", 3),
        ("4711", 3),
        ("Edit", 3),
        ("resultword", 4),
        ("redword", 4),
        ("東京", 5),
        ("タワー", 5),
        ("字仮", 5),
        ("漢字仮名交じり文", 5),
        ("文", 5),
        ("C++20", 6),
        ("c++20", 6),
        ("foo.bar", 6),
        ("foo_bar", 6),
        ("foo_bar(", 6),
        ("std::", 6),
        ("std::vec", 6),
        ("long_snake_caseword", 7),
        ("snake_caseword", 7),
        ("_caseword", 7),
        ("nake_casew", 7),
        ("caseword", 7),
        ("camelCaseNeedle99", 7),
        ("CaseNeedle99", 7),
        ("needle", 7),
        ("camelC", 7),
        ("\U0001f389", 8),
        ("\U0001f44d", 8),
        ("fileword", 9),
        ("attachedword", 9),
        ("imageword", 9),
        ("errorword", 10),
        ("compactionword", 10),
        ("halves", 11),
        ("titleword", FACTS),
        ("ownword", FACTS),
        ("tagword", FACTS),
        ("noteword", FACTS),
        ("summaryword", FACTS),
        ("branchword", FACTS),
        ("feature/branchword", FACTS),
        ("projectword", FACTS),
        ("modelword-4", FACTS),
        ("providerword", FACTS),
        ("touchedword.py", FACTS),
        ("/src/contextword.md", FACTS),
        ("todoword", FACTS),
        ('"of a prompt"', 0),
        ('"answerword and déjà"', 1),
        ("/need[a-z]e\\d+/", 7),
        ("/^the user/", 0),
        ("/東.タ/", 5),
    ],
)
def test_every_field_is_found(filled: IndexReader, text: str, index: int) -> None:
    assert {("one", index)} == found(filled, text)
    hit = filled.search(query(text), limit=1).hits[0]
    assert hit.highlights


@pytest.mark.parametrize(
    "text",
    [
        "zebra",
        "userwordx",
        "xuserword",
        "東名",
        "\U0001f98a",
        "foo.baz",
        "C++2",
        '"prompt of"',
        "/z+ebra/",
        "\u0301",
        "\u200d",
    ],
)
def test_what_is_nowhere_gives_nothing(filled: IndexReader, text: str) -> None:
    assert set() == found(filled, text)
    assert filled.count(query(text)) == (0, 0)
    assert list(filled.keys(query(text))) == []


@pytest.mark.parametrize("typed", ["us", "use", "userwor", "userword"])
def test_a_word_that_is_being_typed_is_a_beginning(filled: IndexReader, typed: str) -> None:
    assert ("one", 0) in found(filled, typed, prefix=True)


def test_short_words_are_whole_words(filled: IndexReader) -> None:
    assert {("one", 0)} == found(filled, "of")
    assert set() == found(filled, "us")


def test_a_quoted_word_is_a_whole_word(filled: IndexReader) -> None:
    assert {("one", 7)} == found(filled, "needle")
    assert set() == found(filled, '"needle"')
    assert {("one", 7)} == found(filled, '"camelcaseneedle99"')


def test_a_very_long_message_is_found_up_to_its_limit(directory: Path, reader: IndexReader) -> None:
    text = "beginning " + "x " * (TEXT_LIMIT // 2) + "ending"

    write(directory, read("/s/long", session("long", [text])))

    assert {("long", 0)} == found(reader, "beginning")
    assert set() == found(reader, "ending")


@pytest.mark.parametrize("text", ["a -> b", "é a -> é", "a -\u200b> b", "a \uff0d\uff1e b", "a \uff0d> b"])
def test_punctuation_is_found_however_it_is_written(text: str, directory: Path, reader: IndexReader) -> None:
    write(directory, read("/s/marks", session("marks", ["é nothing -", text, "- >"])))

    assert {("marks", 1)} == found(reader, '"->"') == found(reader, '"->" a')
