"""Snippets show why a message was found, in one line, with highlights at the right places."""

from __future__ import annotations

import pytest
from holdfast_core.index.folding import fold, origins, tokens
from holdfast_core.index.needles import Needle
from holdfast_core.index.patterns import compiled, required_letters
from holdfast_core.index.snippet import LENGTH, Snippet, snippet
from holdfast_core.model.query import Phrase, Word
from hypothesis import given
from hypothesis import strategies as st


def cut(text: str, *words: str, pattern: str = "") -> Snippet:
    """Return the snippet of a message with one block."""
    needles = [Needle(Phrase(word[1:-1]) if word[:1] == '"' else Word(word), is_whole=False) for word in words]
    return snippet([("text", text, fold(text))], needles, [compiled(pattern)] if pattern else [])


def marked(found: Snippet) -> list[str]:
    """Return the highlighted parts."""
    return [found.text[start:end] for start, end in found.highlights]


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("plain words here", ["words"], ["words"]),
        ("Plain WORDS here", ["words", "plain"], ["Plain", "WORDS"]),
        ("un déjà  vu", ["deja"], ["déjà"]),
        ("un de\u0301ja\u0300 vu", ["deja", "vu"], ["de\u0301ja\u0300", "vu"]),
        ("🎉 dann Straße", ["strasse"], ["Straße"]),
        ("ﬁne oﬃce", ["office", "fine"], ["ﬁne", "oﬃce"]),
        ("日本語の文", ["本語"], ["本語"]),
        ("two\n\n   lines  of it", ['"lines of"', "two"], ["two", "lines of"]),
        ("camelCaseNeedle99", ["caseneedle"], ["CaseNeedle"]),
        ("of often of", ["of"], ["of", "of"]),
        ("overlaps", ["overl", "rlaps"], ["overlaps"]),
    ],
)
def test_highlights_are_what_was_looked_for(text: str, words: list[str], expected: list[str]) -> None:
    assert expected == marked(cut(text, *words))


def test_it_is_one_line_around_the_match() -> None:
    found = cut("x " * 500 + "\n\tneedle\n\n" + "y " * 500, "needle")

    assert marked(found) == ["needle"]
    assert "\n" not in found.text
    assert "  " not in found.text
    assert found.text.startswith("…x x")
    assert found.text.endswith("y…")
    assert len(found.text) <= LENGTH + 2


def test_it_is_where_most_words_stand_together() -> None:
    found = cut("one " + "filler " * 100 + "one two three " + "filler " * 100 + "two", "one", "two", "three")

    assert marked(found) == ["one", "two", "three"]


def test_the_block_that_holds_most_is_shown() -> None:
    blocks = [("text", "nothing", "nothing"), ("tool_result", "a needle", "a needle")]

    assert Snippet("tool_result", "a needle", ((2, 8),)) == snippet(
        blocks, [Needle(Word("needle"), is_whole=False)], []
    )


def test_a_pattern_is_highlighted() -> None:
    assert marked(cut("é foo12 FOO3 bar", pattern=r"foo\d+")) == ["foo12", "FOO3"]


@given(st.text(st.characters(codec="utf-8"), max_size=300), st.text("abcdé日 .", min_size=1, max_size=4))
def test_highlights_stand_inside_the_snippet_in_order(text: str, word: str) -> None:
    found = cut(text, word)

    places = [place for span in found.highlights for place in span]
    assert sorted(set(places)) == places
    assert all(0 <= place <= len(found.text) for place in places)


@given(st.text(st.characters(codec="utf-8")))
def test_folding_twice_is_folding_once_and_places_go_forward(text: str) -> None:
    folded, origin = fold(text), origins(text)

    assert folded == fold(folded)
    places = [origin(place) for place in range(len(folded) + 1)]
    assert sorted(places) == places
    assert all(0 <= place <= len(text) for place in places)


def test_tokens_are_the_same_however_a_text_is_written() -> None:
    assert tokens("déjà") == tokens("DE\u0301JA\u0300") == ["deja"]
    assert tokens("日本x1 foo_bar") == ["日", "本", "x1", "foo", "bar"]
    assert len(tokens("🎉👍🏽")) == 2


@pytest.mark.parametrize(
    ("pattern", "letters"),
    [
        (r"foo.*bar", ("foo", "bar")),
        (r"abc|def", ()),
        (r"(abc|def)ghi", ("ghi",)),
        (r"abcd?efg", ("abc", "efg")),
        (r"\bword\b\d+tail", ("word", "tail")),
        (r"[abc]hello[^]x]there", ("hello", "there")),
        (r"hello{0}abc", ("hell", "abc")),
        (r"x{3,}long", ("long",)),
        (r"\.py$", ()),
        (r"\pNabc\x41bcd", ("abc", "bcd")),
        (r"(?i)abc", ("abc",)),
        (r"\(abc\)", ("abc",)),
    ],
)
def test_a_pattern_tells_which_letters_it_needs(pattern: str, letters: tuple[str, ...]) -> None:
    assert letters == required_letters(pattern)
