"""Terminal codes in text of foreign origin."""

from __future__ import annotations

import pytest
from holdfast_core.model.terminal import without_codes


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no codes", "no codes"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;a title\x07shown", "shown"),
        ("\x1b]8;;http://example.org\x1b\\a link\x1b]8;;\x1b\\", "a link"),
        ("an escape alone \x1b", "an escape alone \x1b"),
    ],
)
def test_words_stay_and_codes_go(text: str, words: str) -> None:
    assert without_codes(text) == words
