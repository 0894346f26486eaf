"""What the vault does beside capturing: settling what a kill left, rebuilding, keeping its own records honest."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import apsw
import pytest
from holdfast_core.agents.base import fingerprint_at
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.keys import Keys
from holdfast_core.vault.looks import Looks
from holdfast_core.vault.vault import Mark, Seen, Vault, VaultOptions

from tests.core.vault.support import AGENT, World, record, transcript


@pytest.fixture(autouse=True)
def _expected(caplog: pytest.LogCaptureFixture) -> None:
    """Damage is told in the log; what is told there is not what these tests are about."""
    caplog.set_level(logging.ERROR, logger="holdfast_core.vault")


def test_what_the_catalogue_forgot_is_taken_in_at_the_next_batch(tmp_path: Path) -> None:
    """A power cut may take back what was committed there last."""
    world = World(tmp_path)
    world.capture("a.jsonl", transcript(5))
    earlier = _copied(tmp_path)
    world.capture("a.jsonl", transcript(9))
    world.capture("b.jsonl", transcript(3, first=70))
    world.vault.close()
    _put_back(tmp_path, earlier)
    vault = world.open()

    vault.tidy(5)

    state = vault.state(AGENT, world.key("a.jsonl"))
    assert state is not None
    assert state.content_bytes == len(transcript(9))
    assert vault.state(AGENT, world.key("b.jsonl")) is not None
    assert world.capture("a.jsonl", transcript(10)).reason == "grown"
    assert vault.verify().bad == ()


def test_a_catalogue_that_is_no_database_is_put_aside(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.capture("a.jsonl", transcript(5))
    world.vault.close()
    for path in (tmp_path / "vault").glob("vault.db-*"):
        path.unlink()
    (tmp_path / "vault" / "vault.db").write_bytes(b"this was a database" * 500)

    world.open()

    assert world.content("a.jsonl") == transcript(5)
    assert world.capture("a.jsonl", transcript(6)).reason == "grown"
    assert len(list((tmp_path / "vault").glob("*-vault.db.bad"))) == 1


def test_what_going_on_needs_is_believed_only_if_it_is_sealed(tmp_path: Path) -> None:
    world = World(tmp_path)
    for count in (5, 8, 2):
        world.capture("a.jsonl", transcript(count))
    world.vault.close()
    connection = apsw.Connection(str(tmp_path / "vault" / "vault.db"))
    stored = connection.execute("SELECT hot FROM hot").fetchone()[0]
    for place in range(0, len(stored), 7):
        changed = stored[:place] + bytes([stored[place] ^ 1]) + stored[place + 1 :]
        connection.execute("UPDATE hot SET hot = ?", (changed,))
        going = World(tmp_path).vault._access.begin().going(AGENT, world.key("a.jsonl"))
        assert going is not None
        assert going.hot.table.versions[-1].size == len(transcript(2))
    connection.close()
    world.open()

    taken = world.capture("a.jsonl", transcript(3))

    assert taken.reason == "grown"
    assert world.content("a.jsonl") == transcript(3)


def test_a_damaged_roll_is_told_and_made_anew(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.capture("a.jsonl", transcript(5))
    world.vault.tidy(5)
    roll = tmp_path / "vault" / "roll.hold"
    data = roll.read_bytes()
    roll.write_bytes(data[:-3] + b"???")

    told = world.vault.verify()
    world.capture("a.jsonl", transcript(6))
    world.vault.tidy(5)

    assert [(bad.key, bad.reason) for bad in told.bad] == [("roll", "damaged")]
    assert world.vault.verify().bad == ()


def test_another_history_of_the_same_length_is_found(tmp_path: Path) -> None:
    """The file is genuine in every byte; only what was seen of it tells that it is not the one."""
    world = World(tmp_path)
    world.capture("a.jsonl", transcript(5))
    path = world.strand("a.jsonl")
    before = path.read_bytes()
    other = World(tmp_path)
    other.put("a.jsonl", transcript(5) + record(77))
    other.vault.capture(other.ref("a.jsonl"))
    other.vault.discard()
    foreign = path.read_bytes()
    path.write_bytes(before)
    world.capture("a.jsonl", transcript(5) + record(78))
    path.write_bytes(foreign)

    report = world.vault.verify(is_repairing=False)

    assert {bad.reason for bad in report.bad} == {"swapped"}


def test_verifying_tells_how_far_it_is_and_can_be_stopped(tmp_path: Path) -> None:
    world = World(tmp_path)
    for number in range(5):
        world.capture(f"{number}.jsonl", transcript(number + 1))
    seen: list[tuple[int, int]] = []

    report = world.vault.verify(
        on_progress=lambda progress: seen.append((progress.done, progress.total)), should_stop=lambda: len(seen) >= 3
    )
    rest = world.vault.verify()

    assert seen == [(1, 5), (2, 5), (3, 5)]
    assert (report.checked, report.is_complete) == (3, False)
    assert (rest.checked, rest.is_complete) == (5, True)
    assert all(version.is_verified for number in range(5) for version in world.versions(f"{number}.jsonl"))


def test_only_some_sources_may_be_verified(tmp_path: Path) -> None:
    world = World(tmp_path)
    for name in ("a.jsonl", "b.jsonl"):
        world.capture(name, transcript(3))

    report = world.vault.verify(only=[(AGENT, world.key("b.jsonl"))])

    assert report.checked == 1
    assert [world.versions(name)[0].is_verified for name in ("a.jsonl", "b.jsonl")] == [False, True]


def test_what_is_captured_after_verifying_is_not_verified(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.capture("a.jsonl", transcript(30))
    world.vault.verify()

    world.capture("a.jsonl", transcript(2))

    assert [version.is_verified for version in world.versions("a.jsonl")] == [True, False]


def test_a_database_is_taken_with_its_log(tmp_path: Path) -> None:
    world = World(tmp_path)
    connection = apsw.Connection(str(world.sources / "a.db"))
    connection.pragma("journal_mode", "wal")
    connection.execute("CREATE TABLE said (text)")
    connection.execute("INSERT INTO said VALUES ('in the log alone')")

    world.capture("a.db")

    connection.close()
    out = tmp_path / "out.db"
    world.vault.write_to(out, AGENT, world.key("a.db"))
    restored = apsw.Connection(str(out))
    assert restored.execute("SELECT text FROM said").fetchall() == [("in the log alone",)]
    restored.close()


def test_a_source_that_is_cut_while_it_is_read_is_no_version(tmp_path: Path) -> None:
    """What a reading has seen begins behind the former end; the file is shorter by the time the rest is asked for."""
    world = World(tmp_path)
    world.capture("a.jsonl", transcript(50))
    path = world.put("a.jsonl", transcript(60))
    look = fingerprint_at(str(path))
    start = len(transcript(50))
    path.write_bytes(transcript(7))

    taken = world.capture("a.jsonl", seen=Seen(look, [(start, transcript(60)[start:])]))

    assert taken.reason == "truncated"
    assert world.content("a.jsonl") == transcript(7)


def test_a_revoked_key_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.capture("a.jsonl", transcript(5))
    former = world.keys.active_id
    world.keys.rotate()
    world.capture("a.jsonl", transcript(6))
    world.keys.revoke(former)

    with pytest.raises(SealedError) as refused:
        world.content("a.jsonl")

    assert refused.value.reason == "unknown_key"
    assert [bad.reason for bad in world.vault.verify().bad] == ["unreadable"]
    assert world.strand("a.jsonl").exists()


def test_a_new_key_seals_what_is_folded(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.capture("a.jsonl", transcript(5))
    former = world.keys.active_id
    world.keys.rotate()
    world.capture("a.jsonl", transcript(6))
    world.vault._access.begin().reopened(world.strand("a.jsonl").stem, whole=True)
    world.vault.commit()
    world.keys.revoke(former)

    assert world.content("a.jsonl") == transcript(6)


def test_nothing_plain_stays_once_the_vault_is_encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast_core.vault.upkeep.RESTED_MS", -1)
    said = b'{"text":"plain as day"}\n'
    world = World(tmp_path)
    for name in ("a.jsonl", "b.jsonl"):
        world.capture(name, said * 5)
    path = world.strand("a.jsonl")
    _flip_last(path)
    world.vault.verify()
    world.keys.set_passphrase("a passphrase")
    world.options = VaultOptions(reserve_bytes=0, is_encrypted=True)
    world.reopen()

    world.vault.tidy(30)
    world.vault.close()

    kept = b"".join(file.read_bytes() for file in (tmp_path / "vault").rglob("*") if file.is_file())
    assert b"plain as day" not in kept
    assert world.open().verify().bad == ()
    assert [world.content(name) for name in ("a.jsonl", "b.jsonl")] == [said * 5, said * 5]
    assert len(list((tmp_path / "vault" / "quarantine").glob("*.sealed"))) == 1


def test_what_was_encrypted_is_plain_once_it_should_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast_core.vault.upkeep.RESTED_MS", -1)
    world = World(tmp_path, VaultOptions(reserve_bytes=0, is_encrypted=True))
    world.keys.set_passphrase("a passphrase")
    world.capture("a.jsonl", transcript(9))
    world.options = VaultOptions(reserve_bytes=0)
    world.reopen()
    world.keys.lock()
    is_done = world.vault.tidy(30)
    was_damaged = world.vault.status().damaged
    world.keys.unlock("a passphrase")

    world.vault.tidy(30)

    world.keys.lock()
    assert (is_done, was_damaged) == (True, 0)
    assert world.content("a.jsonl") == transcript(9)


def test_what_was_put_aside_is_forgotten_too(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.capture("a.jsonl", transcript(9))
    path = world.strand("a.jsonl")
    _flip_last(path)
    world.vault.verify()

    world.vault.forget(AGENT, world.key("a.jsonl"))

    assert list((tmp_path / "vault" / "quarantine").iterdir()) == []


def test_two_vaults_of_one_process_take_turns(tmp_path: Path) -> None:
    keys = Keys.open(tmp_path / "keys")
    world = World(tmp_path)
    world.capture("a.jsonl", transcript(5), marks=[Mark("one", 5)])
    reader = Vault.open(tmp_path / "vault", lambda: keys)

    world.capture("a.jsonl", transcript(6), marks=[Mark("one", 6)])

    assert b"".join(reader.content(AGENT, world.key("a.jsonl"))) == transcript(6)
    assert reader.versions(AGENT, world.key("a.jsonl"))[0].messages == 6
    reader.close()


def _flip_last(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


def _copied(top: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (top / "vault").glob("vault.db*")}


def _put_back(top: Path, files: dict[str, bytes]) -> None:
    for path in (top / "vault").glob("vault.db*"):
        path.unlink()
    for name, data in files.items():
        (top / "vault" / name).write_bytes(data)


def test_a_vault_that_is_removed_while_it_is_open_begins_anew(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.capture("a.jsonl", b'{"one":1}\n')
    looks = Looks(world.vault.directory, lambda: world.vault)
    assert set(looks.of(AGENT)) == {world.key("a.jsonl")}

    shutil.rmtree(world.vault.directory)
    world.vault.directory.mkdir()

    assert looks.of(AGENT) == {}
    world.capture("a.jsonl", b'{"one":1}\n{"two":2}\n')
    assert world.content("a.jsonl") == b'{"one":1}\n{"two":2}\n'
    assert set(looks.of(AGENT)) == {world.key("a.jsonl")}
    looks.close()
