"""Terminal colours are read, everything else a terminal would obey is dropped."""

from __future__ import annotations

import pytest
from holdfast_gui.models.ansi import Ink, parse, stripped
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("codes", "ink"),
    [
        ("31", Ink(foreground=1)),
        ("1;4;92", Ink(foreground=10, is_bold=True, is_underlined=True)),
        ("38;5;208", Ink(foreground=208)),
        ("38;2;1;2;3;48;5;7", Ink(foreground=(1, 2, 3), background=7)),
        ("2;3;7", Ink(is_dim=True, is_italic=True, is_inverse=True)),
        ("38;5", Ink()),
        ("999999", Ink()),
    ],
)
def test_an_ink_is_read(codes: str, ink: Ink):
    text, stretches, last = parse(f"\x1b[{codes}mx")

    assert (text, last) == ("x", ink)
    assert stretches == ([(0, 1, ink)] if ink != Ink() else [])


def test_a_reset_ends_the_colour():
    text, stretches, last = parse("\x1b[31mred\x1b[0m plain")

    assert text == "red plain"
    assert stretches == [(0, 3, Ink(foreground=1))]
    assert last == Ink()


@pytest.mark.parametrize(
    "escape",
    [
        "\x1b]52;c;ZXZpbA==\x07",
        "\x1b]8;;https://example.org\x1b\\",
        "\x1bPq#0\x1b\\",
        "\x1b[2J",
        "\x1b[?25l",
        "\x9b31m",
        "\x1b(B",
        "\x1bc",
        "\x1b",
    ],
)
def test_other_escapes_are_dropped(escape: str):
    assert stripped(f"a{escape}b").replace("31m", "") in ("ab", "a")


def test_a_line_that_was_overwritten_keeps_its_last_state():
    assert stripped("10 %\r50 %\r100 %\ndone\r\n") == "100 %\ndone\n"


@given(st.text(alphabet="ab\x1b[]m;013\x07\r\n\x9b"))
def test_nothing_that_a_terminal_obeys_is_left(text: str):
    shown, stretches, _ = parse(text)

    assert not set("\x1b\x9b\r") & set(shown)
    assert all(0 <= start < end <= len(shown) for start, end, _ in stretches)
