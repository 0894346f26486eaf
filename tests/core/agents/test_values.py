"""Moments, texts, numbers and prices."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from holdfast_core.agents._prices import PICO, cost_pico
from holdfast_core.agents._values import count, moment_ms, one_line, storable
from holdfast_core.model.usage import Usage
from hypothesis import given
from hypothesis import strategies as st

HOSTILE = (
    -1, 0, 1e18, -1e18, float("nan"), float("inf"), 2**63, 2**70, 253402300800, -62135596801, True, None, [], {},
    "", "now", "2026-02-30T00:00:00Z", "2026-08-23T25:61:00Z", "9999-12-31T23:59:60Z", "+275760-09-13",
    "٢٠٢٦-08-23", "10000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "x" * 10_000,
)  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: str(value)[:20])
def test_a_hostile_moment_is_unknown(value: object) -> None:
    assert moment_ms(value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-02T09:00:00.123Z", 1_772_442_000_123),
        ("2026-03-02T09:00:00Z", 1_772_442_000_000),
        ("2026-03-02T10:00:00+01:00", 1_772_442_000_000),
        ("2026-03-02T09:00:00", 1_772_442_000_000),
        (1_772_442_000, 1_772_442_000_000),
        (1_772_442_000.5, 1_772_442_000_500),
        (1_772_442_000_123, 1_772_442_000_123),
        (datetime(2026, 3, 2, 9, tzinfo=UTC), 1_772_442_000_000),
        (datetime(2026, 3, 2, 11, tzinfo=timezone(timedelta(hours=2))), 1_772_442_000_000),
    ],
)
def test_a_moment_is_milliseconds(value: object, expected: int) -> None:
    assert moment_ms(value) == expected


@given(st.one_of(st.text(), st.floats(), st.integers(), st.datetimes()))
def test_no_moment_raises(value: object) -> None:
    assert moment_ms(value) is None or isinstance(moment_ms(value), int)


@given(st.text(), st.integers(1, 50))
def test_one_line_is_one_line(text: str, limit: int) -> None:
    line = one_line(text, limit)

    assert len(line) <= limit
    assert line.isprintable() or not line or not any(character in line for character in "\n\r\t\x1b\x00\u202e")


def test_numbers_fit_everywhere() -> None:
    value = {"a": 2**63 - 1, "b": [2**63, {"c": -(2**64)}], "d": "x", "e": 1.5, "f": None, "g": True}

    assert storable(value) == {
        "a": 2**63 - 1,
        "b": [str(2**63), {"c": str(-(2**64))}],
        "d": "x",
        "e": 1.5,
        "f": None,
        "g": True,
    }
    assert [count(item) for item in (5, "7", 2.9, -1, True, None, "x", 2**70, float("nan"))] == [5, 7, 2] + [0] * 6


def test_cache_writes_for_an_hour_cost_more() -> None:
    usage = Usage(1_000_000, 1_000_000, 1_000_000, 1_000_000)

    found = cost_pico("claude-sonnet-4-5-20250929", usage, None, cache_write_1h=400_000)

    assert found is not None
    assert found / PICO == pytest.approx(3 + 15 + 0.3 + 0.6 * 3.75 + 0.4 * 6)


def test_a_price_is_the_one_of_the_day() -> None:
    usage = Usage(1_000_000)

    found = [cost_pico("o3", usage, moment_ms(day)) for day in ("2025-05-01T00:00:00Z", "2025-07-01T00:00:00Z", None)]

    assert found == [10 * PICO, 2 * PICO, 2 * PICO]


def test_clouds_name_models_in_their_own_ways() -> None:
    usage = Usage(output_tokens=1_000_000)
    names = ("claude-sonnet-4-5", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic/claude-sonnet-4-5",
             "claude-sonnet-4-5@20250929", "claude-sonnet-4-5-20250929[1m]")  # fmt: skip

    assert {cost_pico(name, usage, None) for name in names} == {15 * PICO}


def test_an_unknown_model_has_no_price() -> None:
    assert [cost_pico(name, Usage(1), None) for name in ("gpt-5.9", "gpt-5-pro", "qwen3.5", "")] == [None] * 4


def test_a_line_keeps_nothing_of_a_terminals_colours() -> None:
    assert one_line("ok \x1b[31mred\x1b[0m \x1b]0;title\x07end", 80) == "ok red end"
