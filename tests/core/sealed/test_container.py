from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from holdfast_core.errors import Refused
from holdfast_core.sealed.container import Container, Identity, Position, Tail, read_header, read_tail, reseal, write
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.keys import Keys
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.sealed.conftest import FRAMES, IDENTITY, RECORDS

PAYLOADS = st.lists(st.binary(max_size=3000) | st.binary(max_size=9).map(lambda some: some * 500), max_size=5)


def _written(path: Path, keys: Keys, *, frames: list[bytes] = FRAMES, identity: Identity = IDENTITY) -> Position:
    return write(path, keys, identity, frames, expected_generation=None, encrypt=False)


def test_what_was_written_is_read(whole: Path, keys: Keys):
    opened = Container.open(whole, keys, IDENTITY)

    assert (list(opened.frames()), list(opened.tail())) == (FRAMES, RECORDS)
    assert (opened.header.generation, opened.position.sequence, opened.dropped_bytes) == (1, 3, 0)
    assert opened.plain_bytes == sum(map(len, FRAMES + RECORDS))
    assert opened.tail_bytes == whole.stat().st_size - opened.base.offset
    assert opened.is_encrypted is keys.is_encrypted


def test_a_container_is_for_this_person_alone_and_the_only_file(path: Path, keys: Keys):
    _written(path, keys)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {found.name for found in path.parent.iterdir()} == {"one.hold", "keys"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frames=PAYLOADS, records=PAYLOADS, more=PAYLOADS, encrypt=st.booleans())
def test_every_content_comes_back(path: Path, keys: Keys, frames, records, more, encrypt: bool):
    path.unlink(missing_ok=True)
    if not keys.is_encrypted:
        keys.set_passphrase("x", recovery=False)

    position = write(path, keys, IDENTITY, frames, expected_generation=None, encrypt=encrypt, tail=records)
    tail = Tail.open(path, keys, IDENTITY, position)
    after = tail.append(more)
    tail.close()

    opened = Container.open(path, keys, IDENTITY)
    assert (list(opened.frames()), list(opened.tail())) == (frames, records + more)
    assert (opened.position, opened.dropped_bytes) == (after, 0)
    assert list(opened.tail_from(position)) == more
    assert read_tail(path, keys, IDENTITY, position) == (more, after)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frames=PAYLOADS)
def test_the_stored_form_is_never_larger_than_the_plain_and_its_envelope(path: Path, keys: Keys, frames: list[bytes]):
    path.unlink(missing_ok=True)

    _written(path, keys, frames=frames)

    envelope = 400 + 12 * len(frames)
    assert path.stat().st_size <= sum(map(len, frames)) + envelope


def test_a_new_generation_replaces_the_former_which_stays_as_a_backup(whole: Path, keys: Keys, tmp_path: Path):
    backup = tmp_path / "backup.hold"
    former = whole.read_bytes()

    position = write(whole, keys, IDENTITY, [b"new"], expected_generation=1, encrypt=keys.is_encrypted, backup=backup)

    assert position.generation == 2
    assert list(Container.open(whole, keys, IDENTITY).frames()) == [b"new"]
    assert backup.read_bytes() == former
    assert list(Container.open(backup, keys, IDENTITY).frames()) == FRAMES
    assert backup.stat().st_nlink == 1


@pytest.mark.parametrize("expected", [None, 2, 7])
def test_a_write_that_expects_another_generation_changes_nothing(whole: Path, keys: Keys, expected: int | None):
    before = whole.read_bytes()

    with pytest.raises(Refused) as refused:
        write(whole, keys, IDENTITY, [b"x"], expected_generation=expected, encrypt=False)

    assert "changed elsewhere" in refused.value.detail
    assert whole.read_bytes() == before


def test_a_write_that_expects_a_file_where_none_is_makes_none(path: Path, keys: Keys):
    with pytest.raises(Refused):
        write(path, keys, IDENTITY, [b"x"], expected_generation=1, encrypt=False)

    assert not path.exists()


def test_a_write_does_not_undo_what_was_appended_since(path: Path, keys: Keys):
    seen = _written(path, keys)
    tail = Tail.open(path, keys, IDENTITY, seen)
    now = tail.append([b"theirs"])
    tail.close()

    with pytest.raises(Refused):
        write(path, keys, IDENTITY, [b"x"], expected_generation=1, expected_position=seen, encrypt=False)
    position = write(path, keys, IDENTITY, [b"x"], expected_generation=1, expected_position=now, encrypt=False)

    assert position.generation == 2


def test_a_restored_container_goes_on_above_the_generations_that_there_were(path: Path, keys: Keys):
    position = write(path, keys, IDENTITY, [], expected_generation=None, encrypt=False, lowest_generation=41)

    assert position.generation == read_header(path, keys, IDENTITY).generation == 41


def test_no_two_files_share_a_salt(path: Path, keys: Keys):
    salts = {_salt(path, keys, generation) for generation in range(5)}

    assert len(salts) == 5


def _salt(path: Path, keys: Keys, generation: int) -> bytes:
    write(path, keys, IDENTITY, FRAMES, expected_generation=generation or None, encrypt=False)
    return read_header(path, keys, IDENTITY).salt


def test_what_is_read_from_a_position_is_what_is_new(whole: Path, keys: Keys):
    opened = Container.open(whole, keys, IDENTITY)
    after_first = read_tail(whole, keys, IDENTITY, opened.base)[1]
    tail = Tail.open(whole, keys, IDENTITY, after_first)
    tail.append([b"four"])
    tail.close()

    assert after_first == opened.position
    assert read_tail(whole, keys, IDENTITY, opened.position)[0] == [b"four"]
    assert list(Container.open(whole, keys, IDENTITY).tail_from(opened.position)) == [b"four"]


def test_a_position_of_another_generation_is_noticed(whole: Path, keys: Keys):
    former = Container.open(whole, keys, IDENTITY).position
    write(whole, keys, IDENTITY, FRAMES, expected_generation=1, encrypt=False)

    with pytest.raises(SealedError) as read:
        read_tail(whole, keys, IDENTITY, former)
    with pytest.raises(SealedError) as opened:
        Container.open(whole, keys, IDENTITY).tail_from(former)

    assert (read.value.reason, opened.value.reason) == ("other_generation", "other_generation")


@pytest.mark.parametrize("wrong", ["offset", "tag", "sequence", "far", "zero"])
def test_a_wrong_position_is_noticed_and_nothing_is_cut(whole: Path, keys: Keys, wrong: str):
    base = Container.open(whole, keys, IDENTITY).base
    position = {
        "offset": base._replace(offset=base.offset + 1),
        "tag": base._replace(tag=bytes(32)),
        "sequence": base._replace(sequence=1),
        "far": base._replace(offset=1 << 40),
        "zero": base._replace(offset=0),
    }[wrong]
    before = whole.read_bytes()

    with pytest.raises(SealedError):
        read_tail(whole, keys, IDENTITY, position)
    with pytest.raises(SealedError):
        Tail.open(whole, keys, IDENTITY, position)

    assert whole.read_bytes() == before


@pytest.mark.parametrize("encrypt", [False, True])
def test_sealing_anew_keeps_all_that_it_holds(whole: Path, keys: Keys, encrypt: bool):
    if encrypt and not keys.is_encrypted:
        keys.set_passphrase("x")
    keys.rotate()

    position = reseal(whole, keys, IDENTITY, encrypt=encrypt)

    opened = Container.open(whole, keys, IDENTITY)
    assert (list(opened.frames()), list(opened.tail())) == (FRAMES, RECORDS)
    assert (opened.position, opened.header.generation, opened.is_encrypted) == (position, 2, encrypt)
    assert opened.header.key_id.hex() == keys.active_id


@pytest.mark.parametrize("what", ["link", "dangling", "directory", "pipe", "device"])
def test_only_a_plain_file_is_opened(path: Path, keys: Keys, whole: Path, what: str, tmp_path: Path):
    odd = Path(os.devnull) if what == "device" else tmp_path / "odd.hold"
    if what == "link":
        odd.symlink_to(whole)
    elif what == "dangling":
        odd.symlink_to(tmp_path / "nothing")
    elif what == "directory":
        odd.mkdir()
    elif what == "pipe":
        os.mkfifo(odd)
    position = Position(1, 500, 0, bytes(32))

    for attempt in (
        lambda: Container.open(odd, keys, IDENTITY),
        lambda: read_tail(odd, keys, IDENTITY, position),
        lambda: Tail.open(odd, keys, IDENTITY, position),
        lambda: write(odd, keys, IDENTITY, [], expected_generation=1, encrypt=False),
    ):
        with pytest.raises(SealedError) as refused:
            attempt()
        assert refused.value.reason == "not_regular"


def test_a_file_above_the_limit_is_not_read(path: Path, keys: Keys):
    with path.open("wb") as file:
        file.truncate(1 << 40)

    with pytest.raises(SealedError) as refused:
        Container.open(path, keys, IDENTITY)

    assert refused.value.reason == "too_large"


def test_a_file_that_would_grow_above_the_limit_is_not_decompressed(path: Path, keys: Keys):
    _written(path, keys, frames=[bytes(3_000_000)])

    with pytest.raises(SealedError) as refused:
        Container.open(path, keys, IDENTITY, limit_bytes=1_000_000)

    assert path.stat().st_size < 10_000
    assert refused.value.reason == "too_large"


def test_a_tail_that_would_grow_above_the_limit_is_not_decompressed(path: Path, keys: Keys):
    base = _written(path, keys)
    tail = Tail.open(path, keys, IDENTITY, base)
    tail.append([bytes(600_000), bytes(600_000)])
    tail.close()

    for attempt in (
        lambda: Container.open(path, keys, IDENTITY, limit_bytes=1_000_000),
        lambda: read_tail(path, keys, IDENTITY, base, limit_bytes=1_000_000),
    ):
        with pytest.raises(SealedError) as refused:
            attempt()
        assert refused.value.reason == "too_large"
    assert path.stat().st_size < 10_000


def test_what_could_not_be_read_again_is_not_written(path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("holdfast_core.sealed.container.LIMIT_BYTES", 1000)

    with pytest.raises(SealedError) as refused:
        _written(path, keys, frames=[bytes(600), bytes(600)])

    assert (refused.value.reason, path.exists()) == ("too_large", False)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "truncated"),
        (b"\x89HOLD", "truncated"),
        (b"PK\x03\x04" + bytes(500), "not_a_container"),
        (b"\x89HOLD\r\n\x1a\x02\x00" + bytes(500), "newer_format"),
        (b"\x89HOLD\r\n\x1a\x01\x00\xff\xff" + bytes(500), "bad_tag"),
        (b"\x89HOLD\n\x1a" + bytes(500), "not_a_container"),
    ],
)
def test_what_is_no_container_is_told_apart(path: Path, keys: Keys, content: bytes, reason: str):
    path.write_bytes(content)

    with pytest.raises(SealedError) as refused:
        Container.open(path, keys, IDENTITY)

    assert refused.value.reason == reason


def test_a_file_that_is_not_there_is_not_there(path: Path, keys: Keys):
    with pytest.raises(FileNotFoundError):
        Container.open(path, keys, IDENTITY)


def test_every_reason_is_told_in_a_sentence():
    error = SealedError("bad_tag", "the header")

    assert str(error) == "This file has changed since Holdfast wrote it. A backup may still be good."
    assert (error.reason, error.detail, error.exit_code) == ("bad_tag", "the header", 1)


@pytest.mark.parametrize("identity", [Identity("", "x"), Identity("x", ""), Identity("x" * 201, "x")])
def test_a_name_that_does_not_fit_is_refused(path: Path, keys: Keys, identity: Identity):
    with pytest.raises(ValueError, match="200 bytes"):
        _written(path, keys, identity=identity)

    assert not path.exists()
