"""Whatever happens to a strand is found, costs no more than what was hit, and is repaired where that can be."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from holdfast_core.sealed.errors import SealedError
from holdfast_core.vault.catalogue import Row
from holdfast_core.vault.vault import Mark
from holdfast_core.vault.verifying import checked
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.core.vault.support import AGENT, World, record, transcript


@pytest.fixture(autouse=True)
def _expected(caplog: pytest.LogCaptureFixture) -> None:
    """Damage is told in the log; what is told there is not what these tests are about."""
    caplog.set_level(logging.ERROR, logger="holdfast_core.vault")


def _grown(world: World) -> dict[int, bytes]:
    """Let a source have four versions, some of it in frames and some in the tail; returns what they are."""
    text = transcript(40, size=60)
    shown = {1: text, 2: text[:1500], 3: transcript(9, first=200), 4: transcript(12, first=200)}
    world.capture("a.jsonl", text[:2000], marks=[Mark("one", 5)])
    world.capture("a.jsonl", text, marks=[Mark("one", 40)])
    for number in (2, 3):
        world.capture("a.jsonl", shown[number], marks=[Mark("one", 10)])
    world.vault.tag(AGENT, world.key("a.jsonl"), 3, "named")
    world.capture("a.jsonl", shown[4], marks=[Mark("one", 12)])
    return shown


def _row(world: World, name: str = "a.jsonl") -> Row:
    catalogue = world.vault._access.catalogue()
    row = catalogue.row(AGENT, world.key(name))
    assert row is not None
    return row


def test_every_flipped_byte_is_found(tmp_path: Path) -> None:
    world = World(tmp_path)
    _grown(world)
    row, path = _row(world), world.strand("a.jsonl")
    data = path.read_bytes()
    whole = checked(tmp_path / "vault", row, world.keys).reason

    missed = []
    with path.open("r+b", buffering=0) as file:
        for place in range(len(data)):
            os.pwrite(file.fileno(), bytes([data[place] ^ (1 << place % 8)]), place)
            if not checked(tmp_path / "vault", row, world.keys).reason:
                missed.append(place)
            os.pwrite(file.fileno(), data[place : place + 1], place)

    assert whole == ""
    assert missed == []


def test_every_truncation_is_found(tmp_path: Path) -> None:
    world = World(tmp_path)
    _grown(world)
    row, path = _row(world), world.strand("a.jsonl")
    size_bytes = path.stat().st_size

    missed = []
    for size in reversed(range(size_bytes)):
        os.truncate(path, size)
        if not checked(tmp_path / "vault", row, world.keys).reason:
            missed.append(size)

    assert missed == []


def test_a_truncation_leaves_the_longest_prefix_that_verifies(tmp_path: Path) -> None:
    """Without the catalogue a strand that was cut at a record's end gives what it was there."""
    world = World(tmp_path)
    ends = [_captured_to(world, count) for count in range(1, 8)]
    data = world.strand("a.jsonl").read_bytes()
    world.vault.close()
    given: list[int] = []
    for size in range(ends[0], len(data) + 1, 97):
        for path in (tmp_path / "vault").glob("vault.db*"):
            path.unlink()
        world.strand("a.jsonl").write_bytes(data[:size])
        vault = World(tmp_path).vault
        found = b"".join(vault.content(AGENT, world.key("a.jsonl")))
        given.append(found.count(b"\n"))
        assert found == transcript(given[-1])
        assert given[-1] == sum(end <= size for end in ends)
        vault.close()

    assert given[0] == 1


def _captured_to(world: World, count: int) -> int:
    world.capture("a.jsonl", transcript(count))
    return world.strand("a.jsonl").stat().st_size


def test_a_swapped_strand_is_found(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.capture("a.jsonl", transcript(20))
    world.capture("b.jsonl", transcript(20, first=50))
    shutil.copyfile(world.strand("b.jsonl"), world.strand("a.jsonl"))

    report = world.vault.verify(is_repairing=False)

    assert [(bad.key, bad.reason) for bad in report.bad] == [(world.key("a.jsonl"), "swapped")]


def test_a_strand_that_was_put_back_to_an_earlier_state_is_found(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.capture("a.jsonl", transcript(20))
    earlier = world.strand("a.jsonl").read_bytes()
    world.capture("a.jsonl", transcript(21))
    world.strand("a.jsonl").write_bytes(earlier)

    report = world.vault.verify(is_repairing=False)

    assert {bad.reason for bad in report.bad} == {"stale"}


def test_a_missing_strand_is_found_without_the_catalogue(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.capture("a.jsonl", transcript(20))
    world.capture("b.jsonl", transcript(20, first=50))
    world.vault.tidy(10)
    world.vault.close()
    for path in (tmp_path / "vault").glob("vault.db*"):
        path.unlink()
    lost = world.strand("a.jsonl")
    lost.unlink()

    report = world.open().verify()

    assert (report.missing, [(bad.key, bad.reason) for bad in report.bad]) == (1, [(lost.stem, "missing")])


def test_a_missing_strand_comes_back_from_its_source(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.capture("a.jsonl", transcript(2000))
    world.strand("a.jsonl").unlink()

    report = world.vault.verify()

    assert (report.repaired, report.bad) == (1, ())
    assert world.content("a.jsonl") == transcript(2000)
    assert world.vault.verify().repaired == 0


def test_a_missing_strand_without_a_source_is_told_each_time(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.capture("a.jsonl", transcript(20), marks=[Mark("one", 20)])
    world.strand("a.jsonl").unlink()
    Path(world.key("a.jsonl")).unlink()

    reports = [world.vault.verify(), world.vault.verify()]

    assert [(bad.session_id, bad.version, bad.reason) for bad in reports[0].bad] == [(f"{AGENT}:one", 1, "missing")]
    assert reports[0].bad == reports[1].bad
    assert world.vault.status().damaged == 1
    assert world.versions("a.jsonl")[0].is_damaged


def test_a_damaged_head_costs_nothing(tmp_path: Path) -> None:
    """Header and table are in the catalogue a second time, and the source is gone."""
    world = World(tmp_path)
    shown = _grown(world)
    Path(world.key("a.jsonl")).unlink()
    path = world.strand("a.jsonl")
    data = path.read_bytes()
    path.write_bytes(data[:40] + bytes(60) + data[100:])

    report = world.vault.verify()

    assert (report.repaired, report.bad) == (1, ())
    assert {number: world.content("a.jsonl", number) for number in shown} == shown
    assert len(list((tmp_path / "vault" / "quarantine").iterdir())) == 1


def test_damage_costs_the_versions_that_it_hits(tmp_path: Path) -> None:
    world = World(tmp_path)
    shown = {1: transcript(9000), 2: transcript(100, first=9500)}
    for number in shown:
        world.capture("a.jsonl", shown[number])
    path = world.strand("a.jsonl")
    data = path.read_bytes()
    path.write_bytes(data[:5000] + bytes([data[5000] ^ 1]) + data[5001:])

    report = world.vault.verify()

    assert [(bad.version, bad.reason) for bad in report.bad] == [(1, "damaged")]
    assert world.content("a.jsonl", 2) == shown[2]
    with pytest.raises(SealedError):
        world.content("a.jsonl", 1)
    assert [one.is_damaged for one in world.versions("a.jsonl")] == [True, False]


def test_captures_go_on_behind_damage(tmp_path: Path) -> None:
    world = World(tmp_path)
    shown = _grown(world)
    path = world.strand("a.jsonl")
    path.write_bytes(path.read_bytes()[:-10] + bytes(10))

    taken = world.capture("a.jsonl", transcript(15, first=200))

    assert taken.version == 5
    assert world.content("a.jsonl") == transcript(15, first=200)
    assert {number: world.content("a.jsonl", number) for number in (1, 2, 3)} == {n: shown[n] for n in (1, 2, 3)}


_DAMAGE = st.tuples(
    st.sampled_from(["flip", "zero", "cut", "drop", "stale", "gone"]), st.floats(0, 0.999), st.floats(0, 0.3)
)


@settings(max_examples=40)
@example(damages=[("cut", 0.25, 0.0), ("flip", 0.015625, 0.0)], has_source=False)
@example(damages=[("zero", 0.25, 0.25)], has_source=False)
@given(st.lists(_DAMAGE, min_size=1, max_size=3), st.booleans())
def test_no_damage_makes_a_version_something_else(damages: list[tuple[str, float, float]], has_source: bool) -> None:
    with tempfile.TemporaryDirectory() as top:
        world = World(Path(top))
        world.capture("b.jsonl", transcript(10, first=900))
        world.capture("a.jsonl", record(1))
        path = world.strand("a.jsonl")
        earlier = path.read_bytes()
        world.put("a.jsonl", b"")
        world.vault.forget(AGENT, world.key("a.jsonl"))
        shown = _grown(world)
        for kind, place, length in damages:
            path.write_bytes(_damaged(path.read_bytes() if path.exists() else b"", kind, place, length, earlier))
            if kind == "gone":
                path.unlink()
        if not has_source:
            Path(world.key("a.jsonl")).unlink()

        report = world.vault.verify()
        again = world.vault.verify()

        bad = {one.version for one in report.bad}
        assert bad == {one.version for one in again.bad}
        for number, text in shown.items():
            if number not in bad:
                assert world.content("a.jsonl", number) == text
            else:
                with pytest.raises(SealedError):
                    world.content("a.jsonl", number)
        if has_source:
            assert 4 not in bad or bad == {1, 2, 3, 4}
        assert world.content("b.jsonl") == transcript(10, first=900)
        world.put("a.jsonl", transcript(30, first=200))
        world.capture("a.jsonl")
        assert world.content("a.jsonl") == transcript(30, first=200)
        world.vault.close()


def _damaged(data: bytes, kind: str, place: float, length: float, earlier: bytes) -> bytes:
    start, size = int(len(data) * place), int(len(data) * length)
    if kind == "flip" and data:
        return data[:start] + bytes([data[start] ^ 4]) + data[start + 1 :]
    if kind == "zero":
        return data[:start] + bytes(len(data[start : start + size])) + data[start + size :]
    if kind == "cut":
        return data[:start]
    if kind == "drop":
        return data[:start] + data[start + size :]
    return earlier if kind == "stale" else data
