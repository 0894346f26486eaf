"""What a person types, and what it means."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from holdfast_core.errors import WrongUsage
from holdfast_core.model.query import And, Filter, Node, Not, Or, Phrase, Query, Regex, Span, Word, parse
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)


def root(text: str, *, prefix: bool = False) -> Node | None:
    """Return the tree of a text."""
    return parse(text, now=NOW, prefix=prefix).root


def milliseconds(*date: int, zone: ZoneInfo | None = None) -> int:
    """Return a moment in milliseconds."""
    return int(datetime(*date, tzinfo=zone or UTC).timestamp() * 1000)  # type: ignore[misc,arg-type]  # a date's parts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("  \n ", None),
        ("word", Word("word")),
        ("two words", And((Word("two"), Word("words")))),
        ("two AND words", And((Word("two"), Word("words")))),
        ('"a  phrase\nhere"', Phrase("a phrase here")),
        ('"not closed', Phrase("not closed")),
        (r'"a \"quote\" and \\"', Phrase('a "quote" and \\')),
        ('""', None),
        ("a OR b", Or((Word("a"), Word("b")))),
        ("a b OR c", Or((And((Word("a"), Word("b"))), Word("c")))),
        ("a (b OR c)", And((Word("a"), Or((Word("b"), Word("c")))))),
        ("a OR", Word("a")),
        ("OR a OR OR b", Or((Word("a"), Word("b")))),
        ("(a b) c", And((Word("a"), Word("b"), Word("c")))),
        ("(a", Word("a")),
        ("a)", Word("a)")),
        ("()", None),
        ("-a", Not(Word("a"))),
        ("-(a b)", Not(And((Word("a"), Word("b"))))),
        ("-(-a)", Word("a")),
        ('-"a b"', Not(Phrase("a b"))),
        ("--flag", Word("--flag")),
        ("-", Word("-")),
        ("a - b", And((Word("a"), Word("-"), Word("b")))),
        ("/foo.*bar/", Regex("foo.*bar")),
        ("/a b/ c", And((Regex("a b"), Word("c")))),
        (r"/a\/b/", Regex(r"a\/b")),
        ("/usr/local/bin", Word("/usr/local/bin")),
        ("std::vector", Word("std::vector")),
        ("http://x.org/a", Word("http://x.org/a")),
        ("C:\\temp", Word("C:\\temp")),
        ("error:", Word("error:")),
        ("foo_bar(", Word("foo_bar(")),
        ("(foo() OR bar)", Or((Word("foo()"), Word("bar")))),
        ("agent:alpha", Filter("agent", ("alpha",))),
        ("Agent:Alpha", Filter("agent", ("Alpha",))),
        ("project:a,b", Filter("project", ("a", "b"))),
        ('project:"a b",c', Filter("project", ("a b", "c"))),
        ('title:"a,b"', Filter("title", ("a,b",))),
        ("-is:starred", Not(Filter("is", ("starred",)))),
        ("IS:Starred", Filter("is", ("starred",))),
        ("(tag:x)", Filter("tag", ("x",))),
        ("tokens:>10000", Filter("tokens", (">10000",), ((math.nextafter(10000, math.inf), math.inf),))),
        ("tokens:1k..2.5k", Filter("tokens", ("1k..2.5k",), ((1000.0, 2500.0),))),
        ("cost:<=$0.5", Filter("cost", ("<=$0.5",), ((-math.inf, 0.5),))),
        ("tokens:42", Filter("tokens", ("42",), ((42.0, 42.0),))),
    ],
)
def test_the_language(text: str, expected: Node | None) -> None:
    assert expected == root(text)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("on:2026-11-20", milliseconds(2026, 11, 20), milliseconds(2026, 11, 21) - 1),
        ("on:today", milliseconds(2026, 11, 20), milliseconds(2026, 11, 21) - 1),
        ("on:yesterday", milliseconds(2026, 11, 19), milliseconds(2026, 11, 20) - 1),
        ("on:2026-11", milliseconds(2026, 11, 1), milliseconds(2026, 12, 1) - 1),
        ("on:2026-12", milliseconds(2026, 12, 1), milliseconds(2027, 1, 1) - 1),
        ("on:2026", milliseconds(2026, 1, 1), milliseconds(2027, 1, 1) - 1),
        ("on:2026-11-01..2026-11-03", milliseconds(2026, 11, 1), milliseconds(2026, 11, 4) - 1),
        ("after:2026-11", milliseconds(2026, 11, 1), math.inf),
        ("before:2026-11", -math.inf, milliseconds(2026, 11, 1) - 1),
        ("after:7d", milliseconds(2026, 11, 13, 15, 30), math.inf),
        ("before:2h", -math.inf, milliseconds(2026, 11, 20, 13, 30) - 1),
        ("after:2026-11-20T10:00", milliseconds(2026, 11, 20, 10), math.inf),
        ("after:2026-11-20T10:00+02:00", milliseconds(2026, 11, 20, 8), math.inf),
    ],
)
def test_dates(text: str, low: float, high: float) -> None:
    node = root(text)

    assert isinstance(node, Filter)
    assert ((low, high),) == node.limits


def test_dates_are_meant_where_the_person_is() -> None:
    zone = ZoneInfo("America/New_York")

    node = parse("on:2026-07-01", now=datetime(2026, 11, 20, tzinfo=zone)).root

    assert isinstance(node, Filter)
    assert node.limits == ((milliseconds(2026, 7, 1, zone=zone), milliseconds(2026, 7, 2, zone=zone) - 1),)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("colour:red", ["colour:", "agent:", "project:", "quotes"]),
        ("is:odd", ["is:", "odd", "starred", "subagent"]),
        ("has:nothing", ["has:", "nothing", "error", "todo", "image", "note"]),
        ("role:boss", ["role:", "boss", "user", "assistant", "system", "tool"]),
        ("kind:poem", ["kind:", "poem", "thinking", "tool_call"]),
        ("after:soon", ["after:", "soon", "2026-11-20", "7d", "today"]),
        ("on:2026-13", ["on:", "2026-13"]),
        ("on:2026-02-30", ["on:", "2026-02-30"]),
        ("after:2026..2027", ["after:"]),
        ("tokens:many", ["tokens:", "many", ">="]),
        ("cost:1..>2", ["cost:"]),
        ("agent: x", ["agent:"]),
        ("tag:,", ["tag:"]),
        ("/(/", ["regular expression"]),
        ("/(?=a)b/", ["regular expression"]),
        ("(" * 60 + "a", ["brackets"]),
    ],
)
def test_an_error_names_the_filter_and_what_is_allowed(text: str, names: list[str]) -> None:
    with pytest.raises(WrongUsage) as caught:
        root(text)

    assert [name for name in names if name not in str(caught.value)] == []


def test_the_last_word_is_a_beginning_while_it_is_typed() -> None:
    assert root("one tw", prefix=True) == And((Word("one"), Word("tw", is_prefix=True)))
    assert root("one two ", prefix=True) == And((Word("one"), Word("two")))


def test_a_filter_without_a_value_is_passed_over_while_it_is_typed() -> None:
    assert root("word agent:", prefix=True) == Word("word")
    assert root("agent:a,", prefix=True) == Filter("agent", ("a",))


def test_each_term_says_where_it_stands() -> None:
    query = parse('ab -tag:x OR "p q" /r/', now=NOW)

    assert query.spans == (
        Span(0, 2, "word"),
        Span(4, 9, "filter", is_negated=True),
        Span(10, 12, "operator"),
        Span(13, 18, "phrase"),
        Span(19, 22, "regex"),
    )


def test_what_is_looked_for_is_highlighted_and_what_is_left_out_is_not() -> None:
    query = parse('ab -cd "e f" tag:g -(h -i) ab /j/', now=NOW)

    assert query.terms() == ("ab", "e f", "i")
    assert query.patterns() == ("j",)


@pytest.mark.parametrize(
    ("text", "asks"),
    [("", False), ("tag:x", False), ("-word", False), ("-tool:x", False), ("word", True), ("tool:x -tag:y", True)],
)
def test_a_query_may_ask_of_messages_or_of_sessions(text: str, asks: bool) -> None:
    assert asks == parse(text, now=NOW).asks_messages()


def test_equal_queries_ask_the_same() -> None:
    assert parse("a  b", now=NOW) == parse("a b", now=NOW + timedelta(days=1))
    assert not Query()


_TEXTS = st.lists(
    st.one_of(
        st.sampled_from(
            ["OR", "AND", "(", ")", "-", "-(", '"', "/", "a", "b)", "(c", "--x", "tag:", "agent:a,b", "/x y/"]
        ),
        st.sampled_from(["is:starred", "tokens:>1k", "on:2026-11", 'title:"a b"', "project:(x)", "x:y"[:2], "\\", ","]),
        st.text(st.sampled_from('ab"()-/:,\\ \n日é'), max_size=6),
    ),
    max_size=8,
).map(" ".join)


@given(_TEXTS)
def test_a_query_written_down_is_the_same_query(text: str) -> None:
    try:
        query = parse(text, now=NOW)
    except WrongUsage:
        return

    assert parse(str(query), now=NOW) == query


@given(st.text(max_size=40))
def test_any_text_is_a_query_or_wrong_usage(text: str) -> None:
    for is_typing in (False, True):
        try:
            query = parse(text, now=NOW, prefix=is_typing)
        except WrongUsage:
            continue
        assert all(0 <= span.start < span.end <= len(text) for span in query.spans)


@pytest.mark.parametrize("text", ["agent:nonsense", "-(agent:claude,nonsense)", "agent:code"])
def test_an_agent_that_there_is_not_is_an_error_that_names_those_that_there_are(text: str) -> None:
    with pytest.raises(WrongUsage, match=r"agent: does not take .* It takes claude_code, codex\."):
        parse(text, now=NOW, agents=["claude_code", "codex"])


@pytest.mark.parametrize("text", ["agent:claude", 'agent:"Claude Code"', "agent:claude-code,CODEX", "-agent:codex"])
def test_an_agent_may_be_named_as_people_write_it(text: str) -> None:
    assert parse(text, now=NOW) == parse(text, now=NOW, agents=["claude_code", "codex"])


def test_an_agent_that_is_still_being_typed_is_no_error() -> None:
    assert parse("agent:cl", now=NOW, prefix=True, agents=["claude_code", "codex"])


def test_bytes_that_are_no_text_are_looked_for_nowhere_but_harm_nothing() -> None:
    assert parse("a\udcffb", now=NOW) == parse("a\ufffdb", now=NOW)
