"""Words for people, and foreign text made fit to be shown."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from holdfast_gui import text
from hypothesis import given
from hypothesis import strategies as st
from PySide6 import QtGui

NOW = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
RISKY = st.text(
    alphabet=st.one_of(st.characters(), st.sampled_from("\x1b\x9b\u202e\u200b\u0301\ud800[]\x07\\<>&m;0\U000e0041"))
)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b1mbold", "bold"),
        ("\x1b]0;window title\x07after", "after"),
        ("\x1b]52;c;c2VjcmV0\x1b\\after", "after"),
        ("\x1bPq#0\x1b\\after", "after"),
        ("a\x00b\x7fc\x85d", "abcd"),
        ("abc\u202ecba\u202c", "abc\ufffdcba\ufffd"),
        ("a\u2066b\u2069c", "a\ufffdb\ufffdc"),
        ("zero\u200bwidth\ufeff", "zero\ufffdwidth\ufffd"),
        ("tag\U000e0041", "tag\ufffd"),
        ("half\ud800", "half\ufffd"),
        ("line\r\nline\rline\n\ttab", "line\nline\nline\n\ttab"),
        ("👩🏽‍🚀 می‌خواهم", "👩🏽‍🚀 می‌خواهم"),
    ],
)
def test_foreign_text_keeps_its_words_and_loses_its_tricks(foreign, shown):
    assert text.clean(foreign) == shown


def test_ten_thousand_marks_on_a_letter_become_few():
    assert len(text.clean("a" + "\u0301" * 10_000 + "b")) == 10


@given(RISKY)
def test_cleaning_twice_changes_nothing_more(foreign):
    once = text.clean(foreign)

    assert text.clean(once) == once


@given(RISKY)
def test_nothing_foreign_becomes_markup_in_a_tooltip(foreign):
    assert not QtGui.Qt.mightBeRichText(text.tooltip(foreign))


@pytest.mark.parametrize(
    "markup", ["<b>x</b>", "<img src='file:///x'>", "a &lt; b", "<?xml version='1.0'?><b/>", " <qt>x"]
)
def test_markup_in_a_tooltip_stays_as_it_was_written(markup):
    assert not QtGui.Qt.mightBeRichText(text.tooltip(markup))
    assert text.tooltip(markup).replace("\u200b", "") == markup


def test_a_long_line_of_a_tooltip_is_wrapped():
    lines = text.tooltip("word " * 60 + "x" * 200 + "\nshort").split("\n")

    assert max(len(line) for line in lines) <= text.TIP_CHARACTERS
    assert lines[-1] == "short"


def test_a_title_is_one_line_of_at_most_two_hundred_graphemes():
    assert text.title("two\n lines\t here ") == "two lines here"
    assert text.title("x" * 500) == "x" * 200 + "…"
    assert text.title("👩🏽‍🚀" * 300) == "👩🏽‍🚀" * 200 + "…"


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("Split into `verify`, `parse` and **apply**.", "Split into verify, parse and apply."),
        ("# Heading\n\n- one\n- two\n> said", "Heading one two said"),
        ("a * b ** c, x_y_z, __init__ and 5 ~~no~~", "a * b ** c, x_y_z, __init__ and 5 no"),
        ("``` code", "``` code"),
        ("**open", "**open"),
        ("Added `Bash(cat * | python3 *)` to **`the` list**", "Added Bash(cat * | python3 *) to the list"),
    ],
)
def test_a_preview_has_no_marks_of_markdown(markdown, shown):
    assert text.preview(markdown) == shown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("## User Input ```text I want a tide table", "User Input I want a tide table"),
        ("# Run the check ## Purpose - Perform it", "Run the check Purpose - Perform it"),
        ("Use `pool.lock` in **both**", "Use pool.lock in both"),
        ("Port C# to F # and issue #12", "Port C# to F # and issue #12"),
        ("/review:code --all", "/review:code --all"),
        ("```", "```"),
        ("##", "##"),
    ],
)
def test_a_title_has_no_marks_of_markdown(written, shown):
    assert text.title(written) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [("maker/keel-4-5-20251101", "keel-4-5"), ("keel-5.2", "keel-5.2"), ("", "")],
)
def test_a_model_has_a_short_name(name, shown):
    assert text.model(name) == shown


@given(RISKY)
def test_a_preview_is_one_clean_line(foreign):
    shown = text.preview(foreign)

    assert shown == text.one_line(shown)


@pytest.mark.parametrize("nothing", ["", "  \n ", "\x1b[0m", "\x00"])
def test_a_title_is_never_empty(nothing):
    assert text.title(nothing) == "Untitled session"


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0"), (999, "999"), (1_000, "1.0 k"), (38_204, "38 k"), (999_499, "999 k"), (999_500, "1.0 M"),
     (1_202_394, "1.2 M"), (3_500_000_000, "3.5 G")],
)  # fmt: skip
def test_tokens_are_rounded(number, shown):
    assert text.tokens(number) == shown


@pytest.mark.parametrize(
    ("size_bytes", "shown"),
    [(0, "0 bytes"), (999, "999 bytes"), (1_000, "1.0 kB"), (99_600, "100 kB"), (3_140_000, "3.1 MB"),
     (3_100_000_000, "3.1 GB"), (5_000_000_000_000, "5.0 TB")],
)  # fmt: skip
def test_sizes_are_rounded(size_bytes, shown):
    assert text.size(size_bytes) == shown


@pytest.mark.parametrize(
    ("usd", "shown"), [(0, "$0.00"), (2.84, "$2.84"), (1234.5, "$1,234.50"), (0.0042, "$0.004"), (0.0001, "<$0.001")]
)
def test_costs_keep_what_matters(usd, shown):
    assert text.cost(usd) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "1 ms"),
        (0.002, "2 ms"),
        (1.44, "1.4 s"),
        (14, "14 s"),
        (200, "3 min 20 s"),
        (180, "3 min"),
        (7500, "2 h 5 min"),
    ],
)
def test_durations_have_two_parts_at_most(seconds, shown):
    assert text.duration(seconds) == shown


def test_counts_have_separators_and_the_right_noun():
    assert text.count(12418) == "12,418"
    assert text.counted(1, "session", "sessions") == "1 session"
    assert text.counted(12418, "session", "sessions") == "12,418 sessions"


@pytest.mark.parametrize(
    ("back", "shown"),
    [
        (timedelta(minutes=58), "Today 10:02"),
        (timedelta(days=1), "Yesterday 11:00"),
        (timedelta(days=4), "Mon 11:00"),
        (timedelta(days=7), "Fri 13 Nov 11:00"),
        (timedelta(days=365), "20 Nov 2025 11:00"),
        (timedelta(days=-1), "Sat 21 Nov 11:00"),
    ],
)
def test_a_moment_is_told_as_people_tell_it(back, shown):
    assert text.when(_ms(NOW - back), NOW, zone=UTC) == shown


@pytest.mark.parametrize("nonsense", [None, 10**18, -(10**18), 2**63])
def test_a_moment_that_is_none_is_unknown(nonsense):
    assert text.when(nonsense, NOW, zone=UTC) == "unknown date"
    assert text.age(nonsense, NOW, zone=UTC) == ""
    assert text.clock(nonsense, zone=UTC) == ""


def test_a_span_names_the_day_once():
    start = _ms(NOW - timedelta(minutes=58))

    assert text.span(start, _ms(NOW), NOW, zone=UTC) == "Today 10:02 to 11:00"
    assert text.span(start, start + 1000, NOW, zone=UTC) == "Today 10:02"
    assert text.span(start - 86_400_000, start, NOW, zone=UTC) == "Yesterday 10:02 to Today 10:02"
    assert text.span(None, start, NOW, zone=UTC) == "Today 10:02"
    assert text.span(None, None, NOW, zone=UTC) == "unknown date"


def test_days_are_those_of_the_person():
    late = _ms(datetime(2026, 11, 19, 23, 30, tzinfo=UTC))

    assert text.when(late, NOW, zone=timezone(timedelta(hours=2))) == "Today 01:30"
    assert text.when(late, NOW, zone=ZoneInfo("America/New_York")) == "Yesterday 18:30"


def test_days_have_names():
    today = date(2026, 11, 20)

    assert text.day_title(today, today) == "Today"
    assert text.day_title(date(2026, 11, 19), today) == "Yesterday"
    assert text.day_title(date(2026, 11, 16), today) == "Monday 16 November"
    assert text.day_title(date(2025, 1, 2), today) == "Thursday 2 January 2025"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/home/ada/code", "~/code"),
        ("/home/ada", "~"),
        ("/home/adam/code", "/home/adam/code"),
        ("C:\\Users\\ada\\x", "C:\\Users\\ada\\x"),
        ("", ""),
    ],
)
def test_the_home_directory_is_a_tilde(path, shown):
    assert text.home_path(path, "/home/ada/") == shown


@pytest.mark.parametrize(
    ("path", "shown"),
    [("/home/ada/code/kelp-api/", "kelp-api"), ("C:\\code\\kelp", "kelp"), ("", ""), ("/", ""), ("kelp", "kelp")],
)
def test_a_project_is_called_by_its_last_part(path, shown):
    assert text.project_name(path) == shown


def test_an_ampersand_is_no_mnemonic():
    assert text.escaped_mnemonic("this & that") == "this && that"


def test_a_moment_within_a_sentence():
    now = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)

    def within(day: int, hour: int) -> str:
        at = datetime(2026, 11, day, hour, 41, tzinfo=UTC)
        return text.within(int(at.timestamp() * 1000), now, zone=UTC)

    assert (within(20, 9), within(19, 18)) == ("today at 09:41", "yesterday at 18:41")
    assert within(16, 17) == "on Mon at 17:41"
    assert text.within(None, now) == "at an unknown time"


def test_how_long_something_has_been():
    now = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
    now_ms = int(now.timestamp() * 1000)

    words = [text.ago(now_ms - minutes * 60_000, now) for minutes in (0, 1, 59, 60, 120, 2879, 2880)]

    assert words == [
        "just now",
        "1 minute ago",
        "59 minutes ago",
        "1 hour ago",
        "2 hours ago",
        "47 hours ago",
        "2 days ago",
    ]
