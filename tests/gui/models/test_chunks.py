"""Cutting loses nothing, and keeps what belongs together."""

from __future__ import annotations

from holdfast_gui.models.chunks import cut, cut_markdown
from hypothesis import given
from hypothesis import strategies as st

TEXTS = st.text(alphabet="ab \n`~#-", max_size=400)


@given(TEXTS, st.integers(1, 50))
def test_pieces_are_the_whole_text_and_no_longer_than_asked(text: str, limit: int):
    pieces = list(cut(text, limit=limit))

    assert "".join(text[start:end] for start, end in pieces) == text
    assert all(0 < end - start <= limit for start, end in pieces)


@given(TEXTS, st.integers(4, 50))
def test_spans_of_markdown_are_the_whole_text(text: str, limit: int):
    spans = list(cut_markdown(text, limit=limit))

    assert "".join(text[span.start : span.end] for span in spans) == text


def test_a_fence_becomes_a_span_with_its_language():
    text = "Before\n\n```python\nx = 1\n```\nAfter"

    before, code, after = cut_markdown(text)

    assert (before.language, code.language, after.language) == (None, "python", None)
    assert text[code.code_start : code.code_end] == "x = 1\n"


def test_a_longer_fence_holds_a_shorter_one():
    text = "````md\n```\ninner\n```\n````\n"

    (span,) = cut_markdown(text)

    assert text[span.code_start : span.code_end] == "```\ninner\n```\n"


def test_an_open_fence_runs_to_the_end():
    text = "~~~\nnever closed"

    (span,) = cut_markdown(text)

    assert text[span.code_start : span.code_end] == "never closed"


def test_a_fence_in_a_list_stays_in_its_prose():
    (span,) = cut_markdown("- item\n\n  ```\n  code\n  ```\n")

    assert span.language is None


def test_long_prose_is_cut_between_paragraphs():
    text = "a" * 30 + "\n\n" + "b" * 30

    spans = list(cut_markdown(text, limit=40))

    assert [text[span.start : span.end] for span in spans] == ["a" * 30 + "\n\n", "b" * 30]


def test_a_long_block_has_one_first_span():
    text = "```\n" + "line\n" * 20 + "```\n"

    spans = list(cut_markdown(text, limit=30))

    assert [span.is_first for span in spans] == [True] + [False] * (len(spans) - 1)
    assert "".join(text[span.code_start : span.code_end] for span in spans) == "line\n" * 20
