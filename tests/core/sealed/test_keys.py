from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from holdfast_core.errors import Refused, WrongUsage
from holdfast_core.sealed.container import Container, Tail, write
from holdfast_core.sealed.errors import SealedError
from holdfast_core.sealed.keys import PURPOSES, Keys
from holdfast_core.sealed.second_copy import KeyringCopy
from hypothesis import given
from hypothesis import strategies as st

from tests.core.sealed.conftest import FRAMES, IDENTITY, RECORDS
from tests.fakes.keyrings import AskingKeyring, LockedKeyring, MemoryKeyring
from tests.faults.disk import FAULTS, Died, Disk, Plan


def _reason(action) -> str:
    with pytest.raises(SealedError) as refused:
        action()
    return refused.value.reason


def test_the_first_opening_makes_a_key_for_this_person_alone(tmp_path: Path):
    keys = Keys.open(tmp_path / "keys")

    root = tmp_path / "keys" / "root.key"
    assert (len(root.read_bytes()), stat.S_IMODE(root.stat().st_mode)) == (32, 0o600)
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert [(key.id, key.state) for key in keys.states()] == [(keys.active_id, "active")]


def test_the_keys_are_the_same_the_next_time(tmp_path: Path):
    first, second = Keys.open(tmp_path), Keys.open(tmp_path)

    assert (first.store_id, first.active_id) == (second.store_id, second.active_id)
    assert [first.key(purpose) for purpose in PURPOSES] == [second.key(purpose) for purpose in PURPOSES]


def test_every_purpose_key_and_store_differs(tmp_path: Path):
    one, other = Keys.open(tmp_path / "one"), Keys.open(tmp_path / "other")
    former = one.active_id
    one.rotate()

    found = [one.key(purpose, key_id) for purpose in PURPOSES for key_id in (former, one.active_id)]
    found += [other.key(purpose) for purpose in PURPOSES]

    assert len(set(found)) == 3 * len(PURPOSES)
    assert one.store_id != other.store_id


def test_a_purpose_that_is_none_is_a_mistake(keys: Keys):
    with pytest.raises(ValueError, match="no purpose"):
        keys.key("everything")


def test_nothing_is_made_for_who_knows_that_there_must_be_keys(tmp_path: Path):
    assert _reason(lambda: Keys.open(tmp_path / "keys", may_create=False)) == "unknown_key"
    assert list((tmp_path / "keys").glob("*.key")) == []


def test_a_lost_root_key_is_never_replaced_by_a_new_one(tmp_path: Path):
    Keys.open(tmp_path)
    (tmp_path / "root.key").unlink()

    assert _reason(lambda: Keys.open(tmp_path)) == "unknown_key"
    assert not (tmp_path / "root.key").exists()


@pytest.mark.parametrize("loss", ["gone", "empty", "cut", "changed", "another"])
def test_a_lost_root_key_comes_back_from_the_keyring(tmp_path: Path, loss: str):
    second = KeyringCopy(MemoryKeyring())
    keys = Keys.open(tmp_path, keyring=second)
    root = tmp_path / "root.key"
    secret = root.read_bytes()
    if loss == "gone":
        root.unlink()
    else:
        root.write_bytes({"empty": b"", "cut": secret[:31], "changed": bytes(32), "another": secret + b"x"}[loss])

    again = Keys.open(tmp_path, keyring=second)

    assert (root.read_bytes(), again.active_id) == (secret, keys.active_id)
    assert again.key("documents", keys.active_id) == keys.key("documents", keys.active_id)


@pytest.mark.parametrize("backend", [LockedKeyring, AskingKeyring])
def test_a_keyring_that_fails_does_no_harm(tmp_path: Path, backend: type[MemoryKeyring]):
    broken = backend()
    second = KeyringCopy(broken, wait_seconds=0.02)

    keys = Keys.open(tmp_path, keyring=second)
    keys.rotate()

    assert not keys.copy_to_keyring()
    assert Keys.open(tmp_path).active_id == keys.active_id
    second.remove("nothing")
    if isinstance(broken, AskingKeyring):
        broken.answer.set()


def test_what_a_keyring_has_is_checked(tmp_path: Path):
    backend = MemoryKeyring()
    keys = Keys.open(tmp_path, keyring=KeyringCopy(backend))
    (tmp_path / "root.key").unlink()

    for wrong in ("", "not hexadecimal", "00" * 31, "00" * 32):
        backend.secrets["Holdfast", keys.active_id] = wrong
        assert _reason(lambda: Keys.open(tmp_path, keyring=KeyringCopy(backend))) == "unknown_key"


def test_the_keyring_holds_every_root_key_and_can_be_told_to_forget(tmp_path: Path):
    backend = MemoryKeyring()
    keys = Keys.open(tmp_path, keyring=KeyringCopy(backend))
    former = keys.active_id

    keys.rotate()

    assert {name for _, name in backend.secrets} == {former, keys.active_id}
    KeyringCopy(backend).remove(former)
    assert {name for _, name in backend.secrets} == {keys.active_id}


def test_a_key_that_was_replaced_still_verifies_and_a_revoked_one_does_not(whole: Path, keys: Keys):
    former = keys.active_id
    now = keys.rotate()

    opened = Container.open(whole, keys, IDENTITY)
    assert (list(opened.frames()), opened.header.key_id.hex()) == (FRAMES, former)
    assert {key.id: key.state for key in keys.states()} == {former: "verify-only", now: "active"}

    keys.revoke(former)
    assert _reason(lambda: Container.open(whole, keys, IDENTITY)) == "unknown_key"
    assert _reason(lambda: Keys.open(whole.parent / "keys").key("documents", former)) == "unknown_key"
    assert {key.id: key.state for key in keys.states()} == {former: "revoked", now: "active"}


def test_what_is_appended_after_a_rotation_goes_on_with_the_files_own_key(whole: Path, keys: Keys):
    position = Container.open(whole, keys, IDENTITY).position
    keys.rotate()

    tail = Tail.open(whole, keys, IDENTITY, position)
    tail.append([b"later"])
    tail.close()

    assert list(Container.open(whole, keys, IDENTITY).tail()) == [*RECORDS, b"later"]


def test_a_former_key_that_is_lost_comes_back_from_the_keyring(tmp_path: Path):
    second = KeyringCopy(MemoryKeyring())
    keys = Keys.open(tmp_path, keyring=second)
    former = keys.active_id
    secret = keys.key("vault")
    keys.rotate()
    (tmp_path / f"{former}.key").unlink()

    Keys.open(tmp_path, keyring=second)

    assert Keys.open(tmp_path).key("vault", former) == secret


def test_a_former_key_that_is_lost_for_good_stops_nothing_else(tmp_path: Path):
    keys = Keys.open(tmp_path)
    former = keys.active_id
    keys.rotate()
    (tmp_path / f"{former}.key").unlink()

    again = Keys.open(tmp_path)

    assert again.key("vault") == keys.key("vault")
    assert _reason(lambda: again.key("vault", former)) == "unknown_key"


def test_the_key_in_use_and_unknown_keys_cannot_be_revoked(keys: Keys):
    with pytest.raises(Refused, match="Make a new one first"):
        keys.revoke(keys.active_id)
    assert _reason(lambda: keys.revoke("../../etc/passwd")) == "unknown_key"


def test_another_process_that_changes_the_keys_is_noticed(tmp_path: Path, path: Path):
    here, there = Keys.open(tmp_path / "keys"), Keys.open(tmp_path / "keys")
    former = here.active_id

    there.rotate()
    there.set_passphrase("x")
    write(path, there, IDENTITY, FRAMES, expected_generation=None, encrypt=True)

    assert (here.active_id, here.is_encrypted, here.is_unlocked) == (there.active_id, True, False)
    here.unlock("x")
    assert list(Container.open(path, here, IDENTITY).frames()) == FRAMES
    there.revoke(former)
    assert _reason(lambda: here.key("vault", former)) == "unknown_key"


def test_every_byte_of_the_list_of_keys_is_signed(tmp_path: Path):
    keys = Keys.open(tmp_path)
    keys.set_passphrase("x")
    keys.remove_passphrase()
    first, second = tmp_path / "keys.json", tmp_path / "keys.second.json"
    content = first.read_bytes()
    json.loads(content)
    assert second.read_bytes() == content
    second.unlink()

    for place in range(len(content)):
        first.write_bytes(content[:place] + bytes([content[place] ^ 0x02]) + content[place + 1 :])
        assert _reason(lambda: Keys.open(tmp_path)) in ("bad_tag", "unknown_key")


@pytest.mark.parametrize("lost", ["keys.json", "keys.second.json"])
@pytest.mark.parametrize("how", ["gone", "damaged"])
def test_one_list_of_keys_replaces_the_other(tmp_path: Path, lost: str, how: str):
    keys = Keys.open(tmp_path)
    keys.rotate()
    content = (tmp_path / lost).read_bytes()
    if how == "gone":
        (tmp_path / lost).unlink()
    else:
        (tmp_path / lost).write_bytes(content[:-70])

    again = Keys.open(tmp_path)

    assert again.states() == keys.states()
    assert (tmp_path / "keys.json").read_bytes() == (tmp_path / "keys.second.json").read_bytes()


def test_keys_without_their_list_still_verify_what_they_sealed(
    whole: Path, keys: Keys, caplog: pytest.LogCaptureFixture
):
    directory = whole.parent / "keys"
    if keys.is_encrypted:
        keys.remove_passphrase()
        write(whole, keys, IDENTITY, FRAMES, expected_generation=1, encrypt=False)
    keys.rotate()
    for name in ("keys.json", "keys.second.json"):
        (directory / name).unlink()

    again = Keys.open(directory)

    assert list(Container.open(whole, again, IDENTITY).frames()) == FRAMES
    assert (again.active_id, again.store_id) == (keys.active_id, keys.store_id)
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "the list of keys is gone and was made anew"
    ]
    caplog.clear()


def test_a_list_that_vanishes_while_it_is_used_is_not_forgotten(tmp_path: Path):
    keys = Keys.open(tmp_path)
    keys.set_passphrase("x")
    for name in ("keys.json", "keys.second.json"):
        (tmp_path / name).unlink()

    assert keys.is_encrypted and keys.is_unlocked
    keys.rotate()
    assert Keys.open(tmp_path).is_encrypted


@pytest.mark.parametrize("name", ["root.key", "keys.json"])
def test_keys_that_are_links_are_refused(tmp_path: Path, name: str):
    Keys.open(tmp_path / "keys")
    place = tmp_path / "keys" / name
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "keys" / "keys.second.json").unlink()

    assert _reason(lambda: Keys.open(tmp_path / "keys")) == "not_regular"


def test_permissions_that_were_widened_are_narrowed(tmp_path: Path):
    Keys.open(tmp_path / "keys")
    (tmp_path / "keys").chmod(0o755)
    (tmp_path / "keys" / "root.key").chmod(0o644)

    Keys.open(tmp_path / "keys")

    assert stat.S_IMODE((tmp_path / "keys" / "root.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_forgotten_keys_are_read_again(keys: Keys):
    keys.set_passphrase("x")
    before = keys.key("documents")

    keys.forget()

    assert not keys.is_unlocked
    assert keys.key("documents") == before


def test_a_wrong_passphrase_is_told_and_the_right_one_opens(whole: Path, keys: Keys):
    code = keys.set_passphrase("a long passphrase, with ä")
    write(whole, keys, IDENTITY, FRAMES, expected_generation=1, encrypt=True)
    keys.lock()

    assert _reason(lambda: list(Container.open(whole, keys, IDENTITY).frames())) == "locked"
    for wrong in ("", "A long passphrase, with ä", "x" * 2000, code[:-1] + ("0" if code[-1] != "0" else "1")):
        assert _reason(lambda text=wrong: keys.unlock(text)) == "wrong_passphrase"
    assert not keys.is_unlocked

    keys.unlock("a long passphrase, with a\u0308")
    assert list(Container.open(whole, keys, IDENTITY).frames()) == FRAMES


def test_a_recovery_code_opens_however_it_is_typed(keys: Keys):
    code = keys.set_passphrase("forgotten")

    for typed in (code, code.lower(), code.replace("-", " "), code.replace("0", "O").replace("1", "l")):
        keys.lock()
        keys.unlock(typed)
        assert keys.is_unlocked
    assert len(code) == 39


def test_a_new_passphrase_opens_what_the_former_encrypted(whole: Path, keys: Keys):
    former_code = keys.set_passphrase("former")
    write(whole, keys, IDENTITY, FRAMES, expected_generation=1, encrypt=True)
    before = whole.read_bytes()

    code = keys.set_passphrase("new")

    keys.lock()
    assert whole.read_bytes() == before
    for wrong in ("former", former_code):
        assert _reason(lambda text=wrong: keys.unlock(text)) == "wrong_passphrase"
    for right in ("new", code):
        keys.unlock(right)
        assert list(Container.open(whole, keys, IDENTITY).frames()) == FRAMES
        keys.lock()


def test_a_recovery_code_can_outlive_a_passphrase(keys: Keys):
    code = keys.set_passphrase("former")

    assert keys.set_passphrase("new", recovery=False) == ""

    keys.lock()
    keys.unlock(code)
    assert keys.is_unlocked


def test_a_passphrase_is_changed_by_who_has_it(keys: Keys):
    keys.set_passphrase("x")
    keys.lock()

    assert _reason(lambda: keys.set_passphrase("y")) == "locked"
    assert _reason(keys.remove_passphrase) == "locked"
    keys.unlock("x")


@pytest.mark.parametrize("passphrase", ["", "x" * 1025])
def test_a_passphrase_that_does_not_fit_is_refused(keys: Keys, passphrase: str):
    with pytest.raises(WrongUsage):
        keys.set_passphrase(passphrase)
    assert not keys.is_encrypted


def test_without_a_passphrase_everything_opens_and_a_later_one_protects_it_again(whole: Path, keys: Keys):
    keys.set_passphrase("former")
    write(whole, keys, IDENTITY, FRAMES, expected_generation=1, encrypt=True)

    keys.remove_passphrase()
    keys.rotate()
    keys.forget()
    assert list(Container.open(whole, keys, IDENTITY).frames()) == FRAMES

    keys.set_passphrase("later")
    keys.lock()
    assert _reason(lambda: list(Container.open(whole, keys, IDENTITY).frames())) == "locked"
    keys.unlock("later")
    assert list(Container.open(whole, keys, IDENTITY).frames()) == FRAMES


def test_nothing_is_encrypted_without_a_passphrase(keys: Keys, path: Path):
    assert (keys.is_encrypted, keys.is_unlocked) == (False, True)
    assert _reason(lambda: write(path, keys, IDENTITY, [], expected_generation=None, encrypt=True)) == "unknown_key"
    keys.unlock("whatever")
    keys.remove_passphrase()
    assert not path.exists()


@pytest.mark.parametrize(
    "asked", [{"memory_kib": 1 << 21}, {"time": 11}, {"lanes": 17}, {"time": 0}, {"memory_kib": -1}, {"salt": "00"}]
)
def test_a_passphrase_never_costs_more_than_is_allowed(asked: dict[str, int]):
    import msgspec
    from holdfast_core.sealed.passphrase import Wrapper

    wrapper = Wrapper(bytes(16), "00" * 16)
    wrap = msgspec.structs.replace(wrapper.with_passphrase(bytes(32), "x"), **asked)

    assert _reason(lambda: wrapper.unlocked([wrap], "x")) == "bad_tag"


def test_a_wrap_is_bound_to_its_key_store_and_cost():
    import msgspec
    from holdfast_core.sealed.passphrase import Wrapper

    mine = Wrapper(bytes(16), "00" * 16)
    wrap = mine.with_passphrase(b"k" * 32, "x")

    assert mine.unlocked([wrap], "x") == b"k" * 32
    for other in (Wrapper(b"\1" + bytes(15), "00" * 16), Wrapper(bytes(16), "01" + "00" * 15)):
        assert _reason(lambda wrapper=other: wrapper.unlocked([wrap], "x")) == "wrong_passphrase"
    cheaper = msgspec.structs.replace(wrap, time=1)
    assert _reason(lambda: mine.unlocked([cheaper], "x")) == "wrong_passphrase"


@given(secret=st.binary(min_size=32, max_size=32), key=st.binary(min_size=32, max_size=32))
def test_a_key_under_a_key_comes_back(secret: bytes, key: bytes):
    from holdfast_core.sealed.passphrase import Wrapper

    wrapper = Wrapper(bytes(16), "00" * 16)
    wrap = wrapper.with_key(secret, "data", "11" * 16, key)

    assert wrapper.opened(wrap, key) == secret


def test_a_rotation_that_is_cut_short_at_any_call_loses_no_key(tmp_path: Path, path: Path):
    calls = _calls(tmp_path / "measured")
    failures = 0

    for at, name in enumerate(calls):
        for fault in {FAULTS[name][0], *FAULTS[name][-2:]}:
            directory = tmp_path / f"{at} {fault}"
            keys = Keys.open(directory)
            former = keys.active_id
            secret = keys.key("documents", former)
            with Disk(directory, Plan(at, fault)):
                try:
                    keys.rotate()
                except (OSError, Died, SealedError):
                    failures += 1

            again = Keys.open(directory)

            assert again.key("documents", former) == secret
            assert len(again.states()) in (1, 2)
            assert again.key("documents") == Keys.open(directory).key("documents")
            assert not list(directory.glob("*.tmp"))
    assert failures > len(calls)


def _calls(directory: Path) -> list[str]:
    keys = Keys.open(directory)
    with Disk(directory) as disk:
        keys.rotate()
    return list(disk.calls)
