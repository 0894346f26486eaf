"""Earlier generations: one for each risky step, listed, verified, put back, and no more of them than are kept."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from holdfast_core.errors import HoldfastError, NotFound, Refused
from holdfast_core.store import backup
from holdfast_core.store.fitting import MAX_MS
from holdfast_core.store.store import Store
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.store.support import a_store, files, limit, made, said, some_id
from tests.faults.disk import Died, Disk, Plan

ONE = some_id(1)


def written_again(store: Store, times: int) -> None:
    for number in range(times):
        store.append(ONE, [said(number + 2)])
        store.close(ONE)


def test_a_session_that_is_written_whole_leaves_its_former_file(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        written_again(store, 2)

        found = backup.backups(store.site, ONE)

        assert [(one.version, one.reason, one.is_valid) for one in found] == [(2, "save", True), (1, "save", True)]


def test_a_backup_that_was_asked_for_does_not_grow_with_the_session(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        kept = backup.create(store.site, ONE)
        before = store.site.places.session(ONE).read_bytes()

        store.append(ONE, [said(2)])

        path = store.site.places.backup(ONE, kept.version, "request")
        assert (kept.reason, kept.is_valid, kept.size_bytes) == ("request", True, len(before))
        assert path.read_bytes() == before
        assert path.stat().st_mode & 0o777 == 0o600


@settings(max_examples=100)
@given(texts=st.lists(st.text(max_size=20), min_size=1, max_size=4), data=st.data())
def test_a_restored_session_is_that_which_was_saved(texts: list[str], data: st.DataObject):
    with a_store() as store:
        made(store, 1)
        states = {}
        for number, text in enumerate(texts):
            store.append(ONE, [said(number + 2, text)])
            states[store.version(ONE).generation] = store.load(ONE)
            store.save(msgspec.structs.replace(store.load(ONE), title=f"Title {number}"))
            store.close(ONE)
        version = data.draw(st.sampled_from([one.version for one in backup.backups(store.site, ONE)]))
        before = store.load(ONE)

        seen = backup.restore(store.site, ONE, version)

        now = store.load(ONE)
        assert now.updated_ms > before.updated_ms
        assert store.entry(ONE) == seen.entry
        newest = backup.backups(store.site, ONE)[0]
        assert (newest.reason, newest.is_valid) == ("restore", True)
        backup.restore(store.site, ONE, newest.version)
        assert msgspec.structs.replace(store.load(ONE), updated_ms=0) == msgspec.structs.replace(before, updated_ms=0)
        if version in states:
            assert now.messages[: len(states[version].messages)] == states[version].messages[: len(now.messages)]


def test_a_damaged_backup_is_told_and_not_put_back(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        written_again(store, 1)
        path = store.site.places.backup(ONE, 1, "save")
        path.write_bytes(path.read_bytes()[:200] + bytes(9) + path.read_bytes()[209:])
        before = files(store)

        [found] = backup.backups(store.site, ONE)
        with pytest.raises(HoldfastError):
            backup.restore(store.site, ONE, 1)

        assert not found.is_valid
        assert files(store) == before


def test_a_damaged_session_is_put_aside_before_a_backup_takes_its_place(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    with a_store(tmp_path) as store:
        made(store, 1)
        written_again(store, 2)
        path = store.site.places.session(ONE)
        path.write_bytes(path.read_bytes()[:50])

        backup.restore(store.site, ONE, 1)
        caplog.clear()

        assert len(store.load(ONE).messages) == 1 + 1
        assert len(list(store.site.places.quarantine.iterdir())) == 1


def test_an_open_session_is_not_put_back(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        written_again(store, 1)
        journal = store.open_journal(ONE)

        with pytest.raises(Refused, match="open"):
            backup.restore(store.site, ONE, 1)

        journal.close()


def test_what_is_not_there_is_told(tmp_path: Path):
    with a_store(tmp_path) as store:
        with pytest.raises(NotFound):
            backup.create(store.site, ONE)
        made(store, 1)
        with pytest.raises(NotFound, match="no such backup"):
            backup.restore(store.site, ONE, 7)
        assert backup.backups(store.site, ONE) == []


@settings(max_examples=100)
@given(times=st.integers(0, 6), keep=st.integers(0, 4))
def test_the_newest_backups_are_kept(times: int, keep: int):
    with a_store(backups_kept=keep) as store:
        made(store, 1)
        for number in range(times):
            store.append(ONE, [said(number + 2)])
            limit(store, backups_kept=99)
            store.close(ONE)
        limit(store, backups_kept=keep)
        before, session = backup.backups(store.site, ONE), store.load(ONE)

        went = backup.prune(store.site, ONE)

        assert backup.backups(store.site, ONE) == before[:keep]
        assert went == max(0, len(before) - keep)
        assert store.load(ONE) == session
        assert store.site.places.backups_of(ONE).exists() is bool(before[:keep])


def test_files_of_other_names_are_left_alone(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        written_again(store, 1)
        strange = store.site.places.backups_of(ONE) / "9999-mine.hold"
        strange.write_bytes(b"not ours")

        assert [one.version for one in backup.backups(store.site, ONE)] == [1]
        backup.prune(store.site, ONE, keep=0)
        assert strange.exists()


def test_what_backups_take_is_known(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        assert backup.stored_bytes(store.site) == 0
        kept = backup.create(store.site, ONE)

        assert backup.stored_bytes(store.site) == kept.size_bytes
        assert backup.prune_all(store.site) == 0


def test_what_is_put_back_is_what_was_there_when_the_backup_was_asked_for(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1, updated_ms=MAX_MS)
        version = store.version(ONE).generation
        store.backup([ONE])
        store.rename(ONE, "Later")
        store.close(ONE)

        assert store.restore(ONE, version).title == "Session 1"


@pytest.mark.parametrize("change", ["backup", "close", "delete", "restore"])
def test_whatever_is_killed_when_the_next_opening_leaves_no_temporary_file(tmp_path: Path, change: str):
    changes = {
        "backup": lambda store: store.backup([ONE]),
        "close": lambda store: store.close(ONE),
        "delete": lambda store: store.delete([ONE]),
        "restore": lambda store: store.restore(ONE),
    }

    def killed(folder: Path, plan: Plan) -> list[str]:
        with a_store(folder) as store:
            made(store, 1)
            written_again(store, 1)
            with Disk(folder, plan) as disk, suppress(Died):
                changes[change](store)
        with a_store(folder):
            assert not [path for path in folder.rglob("*") if path.name.endswith(".tmp")]
        return disk.calls

    for number in range(len(killed(tmp_path / "all", Plan()))):
        killed(tmp_path / str(number), Plan(number, "die"))


def test_backups_that_cannot_be_listed_are_not_told_as_none():
    with a_store() as store:
        session = made(store, 1)
        store.backup([session.id])
        folder = store.site.places.backups_of(session.id)
        aside = folder.rename(folder.with_name("aside"))
        folder.write_bytes(b"no directory")  # whoever runs as root may read every directory

        with pytest.raises(HoldfastError, match="permissions"):
            store.backups(session.id)

        folder.unlink()
        aside.rename(folder)
        assert len(store.backups(session.id)) == 1
