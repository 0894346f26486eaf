"""For any series of edits every version gives exactly what was captured, however the strand was folded meanwhile."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import Any

import pytest
from holdfast_core.agents.base import fingerprint_at
from holdfast_core.vault.content import FileContent
from holdfast_core.vault.pieces import cut
from holdfast_core.vault.vault import Mark, Seen
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.vault.support import AGENT, World, record

_PLACES = st.floats(0, 1)
_LINES = st.integers(0, 60).map(lambda number: record(number, 60 + number * 7))

_EDITS = st.one_of(
    st.tuples(st.just("append"), st.lists(_LINES, min_size=1, max_size=20).map(b"".join)),
    st.tuples(st.just("torn"), _LINES.map(lambda line: line[: len(line) // 2])),
    st.tuples(st.just("cut"), _PLACES),
    st.tuples(st.just("zero"), st.tuples(_PLACES, _PLACES)),
    st.tuples(st.just("tail of zeros"), st.integers(1, 5000)),
    st.tuples(st.just("rewrite"), st.lists(_LINES, max_size=40).map(b"".join)),
    st.tuples(st.just("insert"), st.tuples(_PLACES, _LINES)),
    st.tuples(st.just("drop"), st.tuples(_PLACES, _PLACES)),
    st.tuples(st.just("glue"), _PLACES),
    st.tuples(st.just("turn"), _PLACES),
    st.tuples(st.just("delete"), st.none()),
    st.tuples(st.just("rename"), st.none()),
    st.tuples(st.just("fold"), st.none()),
    st.tuples(st.just("open again"), st.none()),
)


def _edited(data: bytes, kind: str, what: Any) -> bytes:
    size = len(data)
    if kind in ("append", "torn"):
        return data + what
    if kind == "cut":
        return data[: int(size * what)]
    if kind in ("zero", "drop"):
        start, end = sorted(int(size * place) for place in what)
        return data[:start] + (bytes(end - start) if kind == "zero" else b"") + data[end:]
    if kind == "tail of zeros":
        return data + bytes(what)
    if kind == "rewrite":
        return bytes(what)
    if kind == "insert":
        place = int(size * what[0])
        return data[:place] + what[1] + data[place:]
    if kind == "glue":
        place = data.find(b"\n", int(size * what))
        return data[:place] + data[place + 1 :] if place >= 0 else data
    place = int(size * what)
    return data[place:] + data[:place]


@settings(max_examples=50)
@given(st.lists(_EDITS, min_size=1, max_size=14), st.booleans(), st.booleans())
def test_every_version_gives_what_was_captured(
    edits: list[tuple[str, Any]], is_database: bool, by_blocks: bool
) -> None:
    with tempfile.TemporaryDirectory() as top, pytest.MonkeyPatch.context() as limits:
        limits.setattr("holdfast_core.vault.capturing._WORTH_COMPARING_BYTES", 100)
        world = World(Path(top))
        data = (b"SQLite format 3\0" if is_database else b"") + record(0) * 3
        name, names = "0.jsonl", 0
        world.capture(name, data)
        shown: dict[int, bytes] = {1: data}
        for kind, what in edits:
            if kind == "delete":
                world.vault.gone(AGENT, world.key(name))
                world.vault.commit()
            elif kind == "rename":
                names += 1
                new = f"{names}.jsonl"
                world.put(new, data)
                assert world.vault.moved(AGENT, world.key(name), world.ref(new))
                world.vault.commit()
                name = new
                shown[world.versions(name)[-1].number] = data
            elif kind == "fold":
                going = world.vault._access.begin().going(AGENT, world.key(name))
                assert going is not None
                world.vault._access.begin().reopened(going.row.name, whole=True)
                world.vault.commit()
            elif kind == "open again":
                world.reopen()
            else:
                data = _edited(data, kind, what)
                path = world.put(name, data)
                blocks = [(0, data[:50]), (50, data[50:])] if by_blocks and data else None
                taken = world.capture(
                    name, seen=Seen(fingerprint_at(str(path)), blocks), marks=[Mark("one", len(data))]
                )
                shown[taken.version] = data

        assert {number: world.content(name, number) for number in shown} == shown
        assert [one.number for one in world.versions(name) if one.reason != "deleted"] == sorted(shown)
        assert world.vault.verify().bad == ()
        world.vault.close()


_WRITES = st.lists(st.tuples(st.integers(0, 399), st.integers(0, 9)), min_size=1, max_size=6)
_STEPS = st.one_of(_WRITES, st.sampled_from(["fold", "grow", "delete", "rename", "tag", "open again"]))


@settings(max_examples=25)
@given(st.lists(_STEPS, min_size=20, max_size=45))
def test_a_database_of_many_pieces_gives_every_version(steps: list[Any]) -> None:
    """Its versions are told by the ones before them."""
    with tempfile.TemporaryDirectory() as top, pytest.MonkeyPatch.context() as limits:
        limits.setattr("holdfast_core.vault.pieces.BLOCK_BYTES", 64)
        world = World(Path(top))
        blocks = [b"SQLite format 3\0".ljust(64, b"h"), *(b"%064d" % number for number in range(399))]
        name, shown = "0.db", {1: b"".join(blocks)}
        world.capture(name, shown[1])
        for turn, step in enumerate(steps):
            if step == "fold":
                going = world.vault._access.begin().going(AGENT, world.key(name))
                assert going is not None
                world.vault._access.begin().reopened(going.row.name, whole=True)
                world.vault.commit()
            elif step == "delete":
                world.vault.gone(AGENT, world.key(name))
                world.vault.commit()
            elif step == "rename":
                world.put(f"{turn + 1}.db", b"".join(blocks))
                world.vault.moved(AGENT, world.key(name), world.ref(f"{turn + 1}.db"))
                world.vault.commit()
                name = f"{turn + 1}.db"
                shown[world.versions(name)[-1].number] = b"".join(blocks)
            elif step == "tag":
                world.vault.tag(AGENT, world.key(name), 1, f"{turn}")
            elif step == "open again":
                world.reopen()
            else:
                for place, value in [(len(blocks), 1)] if step == "grow" else step:
                    blocks[place : place + 1] = [b"%d %061d" % (value, turn * 1000 + place)] if place else blocks[:1]
                taken = world.capture(name, b"".join(blocks))
                shown[taken.version] = b"".join(blocks)

        assert {number: world.content(name, number) for number in shown} == shown
        assert world.vault.verify().bad == ()
        world.vault.close()


def test_what_is_told_of_a_database_grows_with_what_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast_core.vault.pieces.BLOCK_BYTES", 64)
    world = World(tmp_path)
    blocks = [b"SQLite format 3\0".ljust(64, b"h"), *(b"%064d" % number for number in range(3000))]
    world.capture("a.db", b"".join(blocks))
    for number in range(1, 3000, 2):  # as many pieces as blocks
        blocks[number] = b"x%063d" % number
    world.capture("a.db", b"".join(blocks))
    sizes = []
    for number in range(40):
        blocks[2 + number] = b"y%063d" % number
        sizes.append(world.capture("a.db", b"".join(blocks)).stored_bytes)

    assert sorted(sizes)[20] < 1000
    assert sum(sizes) < 40 * 4000
    assert world.content("a.db") == b"".join(blocks)


@given(st.binary(max_size=300_000), st.integers(0, 1000), st.integers(0, 1000))
@settings(max_examples=30)
def test_pieces_fill_a_range_without_gaps(data: bytes, before: int, behind: int) -> None:
    with tempfile.TemporaryDirectory() as top:
        path = Path(top, "file")
        path.write_bytes(data)
        content = FileContent(path)
        start, end = min(before, len(data)), max(min(before, len(data)), len(data) - behind)

        places = list(cut(content, start, end, least=2048))

        content.close()
    assert sum(size for _, size, _ in places) == end - start
    assert all(one[0] + one[1] == other[0] for one, other in itertools.pairwise(places))
