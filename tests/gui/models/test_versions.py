"""Versions in words and in groups."""

from __future__ import annotations

from datetime import UTC

from holdfast_gui.models.versions import (
    MANY,
    VersionGroup,
    grouped,
    shown_version,
    spoken_version,
    version_line,
    version_title,
    version_words,
)

from tests.gui import invented, vaulted


def test_of_a_session_with_losses_the_fullest_version_is_shown_first(qapp):
    found = vaulted.versions()

    groups = grouped(found, shown_version(found, vaulted.cut_entry()), zone=UTC)

    assert [group.newest.number for group in groups] == [3, 4, 2, 1]
    assert [group.is_shown for group in groups] == [True, False, False, False]
    assert [version_title(group.newest) for group in groups] == [
        "177 messages",
        "16 messages",
        "175 messages",
        "166 messages",
    ]
    assert [version_words(group) for group in groups] == [
        "shown · signed · verified",
        "truncated by the agent",
        "grown by 9",
        "first kept",
    ]


def test_of_a_whole_session_the_newest_version_is_shown(qapp):
    found = vaulted.versions()[1:]

    assert shown_version(found, invented.entry(1)).number == 3


def test_a_version_without_content_is_never_what_is_shown(qapp):
    found = [vaulted.version(9, reason="deleted", messages=0, size_bytes=0), *vaulted.versions()]

    assert shown_version(found, invented.entry(1)).number == 4
    assert version_title(found[0]) == "no file"


def test_growth_of_one_day_is_one_row_where_there_are_many(qapp):
    found = [vaulted.version(number) for number in range(MANY + 4, 0, -1)]
    found[5] = vaulted.version(found[5].number, tag="before lunch")

    groups = grouped(found, found[0], zone=UTC)

    assert [len(group.versions) for group in groups] == [1, 4, 1, MANY - 2]
    assert version_words(groups[1]) == "grown by 4 in 4 steps"
    assert version_words(groups[2]) == "“before lunch” · grown by 1"
    assert sum(len(group.versions) for group in groups) == len(found)


def test_few_versions_stand_alone(qapp):
    found = [vaulted.version(number) for number in range(MANY, 0, -1)]

    assert [len(group.versions) for group in grouped(found, found[0])] == [1] * MANY


def test_what_is_damaged_here_says_so_before_all_else(qapp):
    group = VersionGroup((vaulted.version(2, is_damaged=True),), is_shown=True)

    assert version_words(group) == "damaged here"


def test_a_screen_reader_hears_all_of_it(qapp):
    words = spoken_version(VersionGroup((vaulted.versions()[0],)), invented.NOW)

    assert words.startswith("Version 4, 16 messages, truncated by the agent, 161 messages gone, Yesterday")
    assert words.endswith("40.0 kB")


def test_a_name_is_plain_text_on_one_line(qapp):
    words = version_words(VersionGroup((vaulted.version(1, tag="<b>x</b>\n\x1b[1my"),)))

    assert words == "“<b>x</b> y” · grown by 1"


def test_the_bar_says_which_version_of_how_many_is_read(qapp):
    words = version_line(vaulted.versions()[1], 4, invented.NOW)

    assert words.startswith("Version 3 of 4, from Yesterday")
