from __future__ import annotations

import struct
from contextlib import suppress
from pathlib import Path

import pytest
from holdfast_core.sealed.container import Container, Tail, read_tail, reseal, write
from holdfast_core.sealed.encryption import CHUNK_BYTES, FileCipher
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.keys import Keys
from holdfast_core.sealed.layout import Piece
from hypothesis import given
from hypothesis import strategies as st

from tests.core.sealed.conftest import FRAMES, IDENTITY
from tests.faults.disk import FAULTS, Died, Disk, Plan

SECRET = b"the canary sings at noon"


@pytest.fixture
def locked(keys: Keys) -> Keys:
    keys.set_passphrase("correct horse")
    return keys


def _cipher(**changes: bytes) -> FileCipher:
    return FileCipher(**{"data_key": b"k" * 32, "salt": b"s" * 32, "context": b"one", **changes})


@given(
    size=st.integers(0, 3) | st.integers(CHUNK_BYTES - 2, CHUNK_BYTES + 2) | st.just(2 * CHUNK_BYTES),
    sequence=st.integers(0, 2**32 - 1),
)
def test_every_frame_comes_back(size: int, sequence: int):
    piece, plain = Piece(sequence, 0, size, 0), bytes(size)

    stored = _cipher().seal_frame(piece, plain)

    assert _cipher().open_frame(piece, stored) == plain
    assert len(stored) == size + 16 * max(1, -(-size // CHUNK_BYTES))


@given(plain=st.binary(max_size=200), sequence=st.integers(1, 2**64 - 1))
def test_every_record_comes_back_and_never_looks_the_same(plain: bytes, sequence: int):
    piece = Piece(sequence, 0, len(plain), 0)

    one, other = (_cipher().seal_record(piece, plain) for _ in range(2))

    assert one != other
    assert _cipher().open_record(piece, one) == _cipher().open_record(piece, other) == plain


def test_a_frame_opens_with_its_own_key_salt_name_and_place_alone():
    piece = Piece(3, 0, 5, 0)
    stored = _cipher().seal_frame(piece, b"plain")

    for cipher in (_cipher(data_key=b"x" * 32), _cipher(salt=b"x" * 32), _cipher(context=b"other")):
        with pytest.raises(SealedError):
            cipher.open_frame(piece, stored)
    for other in (piece._replace(sequence=4), piece._replace(plain_bytes=6), piece._replace(compression=1)):
        with pytest.raises(SealedError):
            _cipher().open_frame(other, stored)


def test_chunks_cannot_be_cut_off_moved_or_repeated():
    piece = Piece(0, 0, 3 * CHUNK_BYTES, 0)
    stored = _cipher().seal_frame(piece, bytes(3 * CHUNK_BYTES))
    size = CHUNK_BYTES + 16
    one, two, three = (stored[start : start + size] for start in range(0, 3 * size, size))

    for changed in (one + two, one, b"", two + one + three, one + three, one + two + three + three, stored[:-1]):
        with pytest.raises(SealedError):
            _cipher().open_frame(piece, changed)


@pytest.mark.parametrize("stored", [b"", b"short", bytes(12), bytes(40)])
def test_a_record_that_is_none_is_refused(stored: bytes):
    with pytest.raises(SealedError):
        _cipher().open_record(Piece(1, 0, 0, 0), stored)


def test_no_plain_text_reaches_the_disk(path: Path, locked: Keys):
    with Disk(path.parent, records=True) as disk:
        position = write(path, locked, IDENTITY, [SECRET, SECRET * 2000], expected_generation=None, encrypt=True)
        tail = Tail.open(path, locked, IDENTITY, position)
        position = tail.append([SECRET, SECRET * 100])
        tail.close()
        write(
            path,
            locked,
            IDENTITY,
            [SECRET],
            expected_generation=1,
            encrypt=True,
            backup=path.with_name("backup"),
            tail=[SECRET],
        )
        reseal(path, locked, IDENTITY, encrypt=True)

    written = b"".join(done.data for done in disk.done)
    assert len(written) > 1000
    assert SECRET not in written
    assert b"correct horse" not in written
    for file in path.parent.rglob("*"):
        if file.is_file():
            assert SECRET not in file.read_bytes()
    assert list(Container.open(path, locked, IDENTITY).tail()) == [SECRET]


def test_no_plain_text_stays_after_a_write_that_fails(tmp_path: Path, locked: Keys):
    with Disk(tmp_path) as measured:
        write(tmp_path / "one", locked, IDENTITY, [SECRET], expected_generation=None, encrypt=True)

    for at, name in enumerate(measured.calls):
        for fault in FAULTS[name]:
            directory = tmp_path / f"{at} {fault}"
            directory.mkdir()
            with Disk(directory, Plan(at, fault)), suppress(OSError, Died):
                write(directory / "one", locked, IDENTITY, [SECRET], expected_generation=None, encrypt=True)
            assert all(SECRET not in file.read_bytes() for file in directory.iterdir())


def test_equal_contents_look_different_in_every_file(path: Path, locked: Keys):
    bodies = []
    for generation in range(4):
        write(path, locked, IDENTITY, FRAMES, expected_generation=generation or None, encrypt=True)
        bodies.append(path.read_bytes()[Container.open(path, locked, IDENTITY).header.size :])

    for place in range(0, len(bodies[0]) - 16, 16):
        same = {body[place : place + 16] for body in bodies}
        # The lengths before a frame and the word ROOT are the same; sixteen bytes in a row never are.
        assert len(same) == 4


def test_a_locked_container_can_be_verified_and_not_read(path: Path, locked: Keys):
    position = write(path, locked, IDENTITY, FRAMES, expected_generation=None, encrypt=True, tail=[b"one"])
    base = Container.open(path, locked, IDENTITY).base
    locked.lock()

    opened = Container.open(path, locked, IDENTITY)

    assert (opened.position, opened.dropped_bytes, opened.is_encrypted) == (position, 0, True)
    for attempt in (
        lambda: list(opened.frames()),
        lambda: list(opened.tail()),
        lambda: read_tail(path, locked, IDENTITY, base),
        lambda: Tail.open(path, locked, IDENTITY, position),
        lambda: reseal(path, locked, IDENTITY, encrypt=True),
        lambda: write(path, locked, IDENTITY, [], expected_generation=1, encrypt=True),
    ):
        with pytest.raises(SealedError) as refused:
            attempt()
        assert refused.value.reason == "locked"


def test_locking_takes_the_keys_of_what_is_opened_later(path: Path, locked: Keys):
    write(path, locked, IDENTITY, FRAMES, expected_generation=None, encrypt=True)
    locked.lock()
    opened = Container.open(path, locked, IDENTITY)

    locked.unlock("correct horse")

    assert list(opened.frames()) == FRAMES


def test_a_suite_that_is_not_in_the_list_is_refused(path: Path, keys: Keys):
    write(path, keys, IDENTITY, FRAMES, expected_generation=None, encrypt=False)
    content = path.read_bytes()

    for suite in (0, 3, 255):
        path.write_bytes(content[:12] + struct.pack("<B", suite) + content[13:])
        with pytest.raises(SealedError) as refused:
            Container.open(path, keys, IDENTITY)
        assert refused.value.reason == "newer_format"
