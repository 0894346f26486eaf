"""What somebody else changes, cuts, moves or brings back is found, byte by byte."""

from __future__ import annotations

import shutil
import struct
from itertools import pairwise
from pathlib import Path

import pytest
import zstandard
from holdfast_core.sealed import compression
from holdfast_core.sealed.container import Container, Identity, Tail, read_tail, write
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.keys import Keys
from holdfast_core.sealed.layout import PLAIN, ZSTD

from tests.core.sealed.conftest import FRAMES, IDENTITY, RECORDS


def _found(path: Path, keys: Keys, content: bytes) -> Container | str:
    """Return the container of these bytes, or why there is none."""
    path.write_bytes(content)
    try:
        return Container.open(path, keys, IDENTITY)
    except SealedError as error:
        return error.reason


def test_every_byte_that_is_changed_is_found(whole: Path, keys: Keys):
    content = whole.read_bytes()
    opened = Container.open(whole, keys, IDENTITY)
    survivors = []

    for place in range(len(content)):
        for changed in (content[place] ^ 0x01, content[place] ^ 0x80):
            found = _found(whole, keys, content[:place] + bytes([changed]) + content[place + 1 :])
            if place < opened.base.offset:
                if not isinstance(found, str):
                    survivors.append(place)
            elif isinstance(found, str) or not found.dropped_bytes or found.position.offset > place:
                survivors.append(place)

    assert survivors == []


def test_every_truncation_gives_the_longest_verified_prefix_or_is_refused(whole: Path, keys: Keys):
    content = whole.read_bytes()
    base = Container.open(whole, keys, IDENTITY).base
    ends = [base.offset]
    for record in _records(content, base.offset):
        ends.append(ends[-1] + len(record))

    for size in range(len(content)):
        found = _found(whole, keys, content[:size])
        if size < base.offset:
            assert found == "truncated"
        else:
            whole_records = sum(size >= end for end in ends[1:])
            assert isinstance(found, Container)
            assert list(found.tail()) == RECORDS[:whole_records]
            assert (found.dropped_bytes, found.is_damaged) == (size - ends[whole_records], False)


def test_every_record_is_bound_to_its_place(whole: Path, keys: Keys):
    content = whole.read_bytes()
    base = Container.open(whole, keys, IDENTITY).base.offset
    one, two, three = _records(content, base)

    for order, kept in (
        ([two, one, three], 0),
        ([one, three, two], 1),
        ([three], 0),
        ([one, three], 1),
        ([one, one, two, three], 1),
        ([one, two, two], 2),
        ([two, three], 0),
    ):
        whole.write_bytes(content[:base] + b"".join(order))
        try:
            assert list(Container.open(whole, keys, IDENTITY).tail()) == RECORDS[:kept]
        except SealedError as error:
            assert error.reason == "bad_tag"


def test_frames_cannot_change_places(whole: Path, keys: Keys):
    content = whole.read_bytes()
    header = Container.open(whole, keys, IDENTITY).header
    places = [header.size]
    for _ in FRAMES:
        places.append(places[-1] + 12 + struct.unpack_from("<I", content, places[-1])[0])
    frames = [content[start:end] for start, end in pairwise(places)]

    for order in ([1, 0, 2], [0, 2, 1], [0, 1], [0, 1, 2, 2]):
        changed = content[: places[0]] + b"".join(frames[number] for number in order) + content[places[-1] :]
        assert isinstance(_found(whole, keys, changed), str)


def test_a_tail_cannot_be_carried_to_another_generation(whole: Path, keys: Keys):
    tail = whole.read_bytes()[Container.open(whole, keys, IDENTITY).base.offset :]
    write(whole, keys, IDENTITY, FRAMES, expected_generation=1, encrypt=keys.is_encrypted)

    found = _found(whole, keys, whole.read_bytes() + tail)

    assert isinstance(found, Container)
    assert (list(found.tail()), found.dropped_bytes) == ([], len(tail))


def test_frames_cannot_be_carried_to_another_generation(path: Path, keys: Keys):
    write(path, keys, IDENTITY, FRAMES, expected_generation=None, encrypt=False)
    former = path.read_bytes()
    write(path, keys, IDENTITY, FRAMES, expected_generation=1, encrypt=False)
    size = Container.open(path, keys, IDENTITY).header.size

    assert _found(path, keys, path.read_bytes()[:size] + former[size:]) == "bad_tag"


@pytest.mark.parametrize("other", [Identity("document", "another"), Identity("vault", IDENTITY.record_id)])
def test_a_container_cannot_stand_in_for_another(whole: Path, keys: Keys, other: Identity):
    position = Container.open(whole, keys, IDENTITY).position

    for attempt in (
        lambda: Container.open(whole, keys, other),
        lambda: read_tail(whole, keys, other, position),
        lambda: Tail.open(whole, keys, other, position),
        lambda: write(whole, keys, other, [], expected_generation=1, encrypt=False),
    ):
        with pytest.raises(SealedError) as refused:
            attempt()
        assert refused.value.reason == "wrong_identity"


def test_a_container_of_another_store_is_refused(whole: Path, keys: Keys, tmp_path: Path):
    others = Keys.open(tmp_path / "other keys")

    with pytest.raises(SealedError) as refused:
        Container.open(whole, others, IDENTITY)

    assert refused.value.reason == "wrong_identity"


def test_a_stale_generation_shows_by_its_position(whole: Path, keys: Keys, tmp_path: Path):
    stale = tmp_path / "stale"
    shutil.copyfile(whole, stale)
    now = write(whole, keys, IDENTITY, FRAMES, expected_generation=1, encrypt=keys.is_encrypted)
    shutil.copyfile(stale, whole)

    assert Container.open(whole, keys, IDENTITY).position.generation < now.generation
    with pytest.raises(SealedError) as refused:
        read_tail(whole, keys, IDENTITY, now)
    assert refused.value.reason == "other_generation"


def test_damage_inside_the_tail_is_not_taken_for_a_crash(path: Path, keys: Keys):
    position = write(path, keys, IDENTITY, FRAMES, expected_generation=None, encrypt=False, tail=[b"one"])
    tail = Tail.open(path, keys, IDENTITY, position)
    tail.append([b"number %d" % number for number in range(2, 9)])
    tail.close()
    content = path.read_bytes()
    last = len(_records(content, position.offset)[-1])

    for place in range(position.offset, len(content)):
        found = _found(path, keys, content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        assert isinstance(found, Container)
        # A tag that is damaged is vouched for by the record behind it; the last two have none behind theirs.
        if place < len(content) - 2 * last - 32:
            assert found.is_damaged
            with pytest.raises(SealedError):
                Tail.open(path, keys, IDENTITY, found.position)
            assert path.stat().st_size == len(content)


def test_many_false_beginnings_are_given_up(path: Path, keys: Keys):
    position = write(path, keys, IDENTITY, [], expected_generation=None, encrypt=False)
    false = struct.pack("<QIIB3x", 2, 900_000, 1, 0) * 40_000
    with path.open("ab") as file:
        file.write(false)

    opened = Container.open(path, keys, IDENTITY)

    assert (opened.position, opened.dropped_bytes, opened.is_damaged) == (position, len(false), False)


@pytest.mark.parametrize("declared", [True, False])
def test_a_payload_that_grows_beyond_its_size_is_stopped(declared: bool):
    bomb = zstandard.ZstdCompressor(write_content_size=declared).compress(bytes(500_000_000))

    with pytest.raises(SealedError):
        compression.decompress(ZSTD, bomb, plain_bytes=1000)

    assert len(bomb) < 100_000


@pytest.mark.parametrize(
    ("kind", "stored", "plain_bytes"),
    [
        (ZSTD, b"nonsense", 8),
        (ZSTD, zstandard.compress(b"x" * 100)[:-3], 100),
        (ZSTD, zstandard.compress(b"x" * 100), 99),
        (ZSTD, zstandard.compress(b"x" * 100), 101),
        # A frame that declares almost all memory there is.
        (ZSTD, bytes.fromhex("28b52ffde0ffffffffffffff7f010000"), 1 << 20),
        # A window of two gigabytes.
        (ZSTD, bytes.fromhex("28b52ffd00a8010000"), 0),
        (PLAIN, b"abc", 2),
        (9, b"abc", 3),
    ],
)
def test_a_damaged_payload_is_refused(kind: int, stored: bytes, plain_bytes: int):
    with pytest.raises(SealedError):
        compression.decompress(kind, stored, plain_bytes=plain_bytes)


def _records(content: bytes, start: int) -> list[bytes]:
    records = []
    while start < len(content):
        end = start + 20 + struct.unpack_from("<I", content, start + 8)[0] + 32
        records.append(content[start:end])
        start = end
    return records
