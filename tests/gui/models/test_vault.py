"""What is said of losses, of deletions to come, and of the vault as a whole."""

from __future__ import annotations

from datetime import UTC

import pytest
from holdfast_core.model.vault import Expiring, VaultStatus
from holdfast_gui.models.vault import (
    COMPARE,
    KEEP,
    REPAIR,
    RESTORE,
    badge_words,
    days_words,
    expiry_notice,
    loss_notice,
    spoken_loss,
    status_lines,
)

from tests.gui import invented, vaulted

GB = 1_000_000_000
WELL = VaultStatus(
    sessions=12_418, sources=12_418, versions=30_000, stored_bytes=3_100_000_000, free_bytes=90 * GB,
    reserve_bytes=2 * GB, verified_ms=1, last_verified_ms=int(invented.NOW.timestamp() * 1000) - 2 * 3_600_000,
)  # fmt: skip


def notice(**facts):
    return loss_notice(vaulted.cut_entry(**facts), "Claude Code", invented.NOW, vaulted.versions(), zone=UTC)


def lines(*, unkept: int = 0, lost: int = 0, **changes):
    status = VaultStatus(**{name: getattr(WELL, name) for name in WELL.__struct_fields__} | changes)
    return status_lines(status, 12_418, invented.NOW, unkept=unkept, lost=lost)


def test_the_notice_says_what_is_gone_when_and_that_it_is_safe(qapp):
    told = notice()

    assert told.headline == "161 messages are gone at the source."
    assert told.detail == "Claude Code cut its file yesterday at 18:41. All 177 are safe here."
    assert [(way.action, way.label) for way in told.ways] == [
        (COMPARE, "Compare"),
        (RESTORE, "Restore to Claude Code"),
    ]


def test_before_the_versions_are_known_no_time_is_told(qapp):
    told = loss_notice(vaulted.cut_entry(), "Claude Code", invented.NOW)

    assert told.detail == "Claude Code cut its file. All 177 are safe here."


def test_a_session_that_only_grew_has_no_notice(qapp):
    assert loss_notice(invented.entry(1), "Codex", invented.NOW, vaulted.versions()) is None
    assert badge_words(invented.entry(1)) == "" == spoken_loss(invented.entry(1))


def test_a_damaged_file_can_be_mended(qapp):
    told = notice(damage="zeroed", lost_messages=1)

    assert told.headline == "The file of this session is damaged."
    assert "1 message is gone at the source. All 177 are safe here." in told.detail
    assert [way.action for way in told.ways] == [COMPARE, REPAIR, RESTORE]


def test_a_file_that_is_gone_can_only_be_restored(qapp):
    told = notice(damage="deleted", is_gone=True, lost_messages=177)

    assert told.headline == "The file of this session is gone."
    assert told.detail.startswith("The file of Claude Code was deleted")
    assert told.detail.endswith("All 177 messages are safe here.")
    assert [way.action for way in told.ways] == [RESTORE]


@pytest.mark.parametrize(
    ("facts", "badge", "spoken"),
    [
        ({}, "161 lost, safe here", "161 messages lost at the source, safe here"),
        ({"is_gone": True, "lost_messages": 0}, "gone, safe here", "its file is gone, safe here"),
        (
            {"damage": "corrupted", "lost_messages": 2},
            "damaged, safe here",
            "its file is damaged, 2 messages lost at the source, safe here",
        ),
    ],
)
def test_the_chip_and_what_a_screen_reader_hears(qapp, facts, badge, spoken):
    entry = vaulted.cut_entry(**facts)

    assert (badge_words(entry), spoken_loss(entry)) == (badge, spoken)


@pytest.mark.parametrize(
    ("days", "words"), [(2.4, "in 2 days"), (1.0, "in 1 day"), (0.3, "within a day"), (-3.0, "when it starts next")]
)
def test_when_an_agent_deletes(qapp, days, words):
    assert days_words(Expiring("a:1", days, 0, is_safe=True)) == words


def test_a_deletion_to_come_says_whether_it_is_safe(qapp):
    safe = expiry_notice(Expiring("a:1", 2.2, 0, is_safe=True), "Claude Code")
    unsafe = expiry_notice(Expiring("a:1", 2.2, 0, is_safe=False), "Claude Code")

    assert safe == ("Claude Code deletes this session in 2 days.", "It is safe here, and stays.", ())
    assert [way.action for way in unsafe.ways] == [KEEP]


def test_the_foot_says_that_all_is_safe(qapp):
    assert lines().lines == ("All 12,418 sessions are safe", "verified 2 hours ago · 3.1 GB", "")
    assert lines(lost=4).lines[2] == "4 lost at the source"


@pytest.mark.parametrize(
    ("changes", "icon", "first"),
    [
        ({"is_enabled": False}, "shield", "The vault is switched off"),
        ({"is_locked": True}, "lock", "The vault is locked"),
        ({"is_paused_for_space": True}, "pause", "The vault needs space"),
        ({"damaged": 2}, "problem", "2 damaged in the vault"),
        ({"unkept": 418}, "shield-check", "12,000 of 12,418 sessions are safe"),
        ({"last_verified_ms": 0}, "shield-check", "All 12,418 sessions are safe"),
    ],
)
def test_the_foot_never_promises_more_than_is_so(qapp, changes, icon, first):
    told = lines(**changes)

    assert (told.icon, told.lines[0]) == (icon, first)
