"""The check at the start finds what does not fit, puts it right at once or not at all, and says what it did."""

from __future__ import annotations

import os
import re
from contextlib import closing
from pathlib import Path

import pytest
from holdfast_core.errors import HoldfastError, Refused
from holdfast_core.model.keeping import StartSummary
from holdfast_core.store.manifest import Manifest
from holdfast_core.store.store import Store

from tests.core.store.support import a_store, made, said, some_id

ONE, TWO, THREE = some_id(1), some_id(2), some_id(3)


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def of(store: Store, session_id: str) -> Path:
    return store.site.places.session(session_id)


def ids(store: Store) -> set[str]:
    return {entry.id for entry in store.entries()}


def test_nothing_is_told_of_a_store_that_is_as_it_was(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        store.append(ONE, [said(2)])
    with a_store(tmp_path) as store:
        assert store.check() == StartSummary(checked=1)
        assert not store.check()


def test_an_entry_without_a_file_goes_and_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with a_store(tmp_path) as store:
        made(store, 1), made(store, 2)
        of(store, ONE).unlink()

        found = store.check()

        assert (found.orphaned_entries, ids(store)) == ((ONE,), {TWO})
        assert found.notes == ("1 session has no file any more and left the list.",)
        assert f"the file of session {ONE} is missing" in caplog.text
    caplog.clear()


def test_a_file_without_an_entry_comes_in(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1, title="Was here"), made(store, 2)
        store.site.manifest.remove([ONE])

        found = store.check()

        assert (found.orphaned_files, ids(store)) == ((ONE,), {ONE, TWO})
        assert store.entry(ONE).title == "Was here"


def test_the_list_is_copied_before_it_is_corrected(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with a_store(tmp_path) as store:
        made(store, 1), made(store, 2)
        of(store, ONE).unlink()

        assert store.check().index_backup

        with closing(Manifest.open(store.site.places.manifest_copy)) as copy:
            assert {entry.id for entry in copy.entries()} == {ONE, TWO}
        assert not store.check().index_backup
    caplog.clear()


def test_b9_a_corrupt_file_gives_way_to_its_newest_valid_backup(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with a_store(tmp_path) as store:
        made(store, 1), made(store, 2)
        store.append(ONE, [said(2)])
        store.close(ONE)
        good = store.load(ONE)
        store.rename(ONE, "Later")
        store.close(ONE)
        flip(of(store, ONE), 300)
        flip(store.site.places.backup(ONE, 2, "save"), 300)
        bad = of(store, ONE).read_bytes()

        found = store.check()

        assert (found.recovered, found.quarantined) == ((ONE,), ())
        assert (store.load(ONE).title, store.load(ONE).messages) == (good.title, good.messages)
        assert [path.read_bytes() for path in store.site.places.quarantine.iterdir()] == [bad]
        assert store.version(ONE).generation > 3
        assert not store.check()
    caplog.clear()


def test_a_corrupt_file_without_a_backup_is_put_aside_and_the_rest_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    with a_store(tmp_path) as store:
        made(store, 1, title="Lost"), made(store, 2)
        flip(of(store, ONE), 300)
        bad = of(store, ONE).read_bytes()

        found = store.check()

        assert (found.quarantined, ids(store)) == ((ONE,), {TWO})
        assert [path.read_bytes() for path in store.site.places.quarantine.iterdir()] == [bad]
        problem = store.problems()[0]
        assert (problem.id, problem.title, problem.code) == (ONE, "Lost", "quarantined")
    caplog.clear()


def test_a_session_that_was_live_is_unclean_and_one_that_is_open_is_not(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1), made(store, 2)
        for session_id in (ONE, TWO):
            journal = store.open_journal(session_id)
            journal.set(is_live=True)
            journal.append([said(5)])
            journal.close()
        with closing(store.open_journal(TWO)):
            found = store.check()
            assert found.unclean == (ONE,)
            assert [one.id for one in store.unclean()] == [ONE]
            assert store.unclean()[0].journal_messages == 1


def test_changes_that_were_never_flushed_are_taken_in(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        journal = store.open_journal(ONE)
        journal.set(is_live=True)
        journal.append([said(2)])
        with a_store(tmp_path) as other:
            other.check()
            assert other.entry(ONE).message_count == 2


def test_a_cut_off_end_that_was_acknowledged_is_told(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        whole = of(store, ONE).stat().st_size
        store.append(ONE, [said(2)])
        os.truncate(of(store, ONE), whole)

        found = store.check()

        assert found.truncated == (ONE,)
        assert "lost the end" in found.notes[0]
        assert not store.check()


def test_damage_in_the_middle_of_a_journal_keeps_what_verifies_and_the_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    with a_store(tmp_path) as store:
        made(store, 1)
        place = of(store, ONE).stat().st_size + 30
        for number in range(4):
            store.append(ONE, [said(number + 2)])
        flip(of(store, ONE), place)

        found = store.check()

        assert found.truncated[:1] == (ONE,)
        assert store.load(ONE).messages == (said(1),)
        assert len(list(store.site.places.quarantine.iterdir())) == 1
        assert not store.check()
    caplog.clear()


def test_a_store_that_is_older_than_it_was_is_told(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
    old = {path: path.read_bytes() for path in (tmp_path / "sessions").iterdir() if path.is_file()}
    with a_store(tmp_path) as store:
        made(store, 2)
    for path in (tmp_path / "sessions").iterdir():
        if path.is_file():
            path.unlink()
    for path, content in old.items():
        path.write_bytes(content)

    with a_store(tmp_path) as store:
        found = store.check()
        assert found.rolled_back
        assert "older than when they were last seen" in found.notes[0]
        assert not store.check().rolled_back


def test_a_damaged_list_is_made_anew_from_the_sessions(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with a_store(tmp_path) as store:
        made(store, 1), made(store, 2)
    manifest = tmp_path / "sessions" / "manifest.db"
    manifest.write_bytes(b"nonsense" * 1000)

    with a_store(tmp_path) as store:
        found = store.check()

        assert set(found.orphaned_files) == {ONE, TWO} == ids(store)
        assert not found.rolled_back
        assert [path for path in store.site.places.quarantine.iterdir() if "manifest" in path.name]
    caplog.clear()


@pytest.mark.parametrize("kind", ["link", "pipe", "directory", "text"])
def test_g5_what_is_no_session_is_put_aside_unopened(tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture):
    with a_store(tmp_path) as store:
        made(store, 1)
        strange = store.site.places.directory / "0123456789.hold"
        if kind == "link":
            strange.symlink_to(of(store, ONE))
        elif kind == "pipe":
            os.mkfifo(strange)
        elif kind == "directory":
            strange.mkdir()
        else:
            strange.write_text("hello")

        found = store.check()

        assert not os.path.lexists(strange)
        assert (found.orphaned_files, ids(store), found.wrong_permissions) == ((), {ONE}, int(kind == "text"))
        assert "1 file among your sessions" in " ".join(found.notes)
    caplog.clear()


def test_a_file_under_another_sessions_name_is_not_taken_for_it(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with a_store(tmp_path) as store:
        made(store, 1), made(store, 2)
        of(store, TWO).write_bytes(of(store, ONE).read_bytes())

        found = store.check()

        assert found.quarantined == (TWO,)
        assert ids(store) == {ONE}
    caplog.clear()


def test_wrong_permissions_are_counted(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        of(store, ONE).chmod(0o644)

        assert store.check().wrong_permissions == 1
        assert store.repair().wrong_permissions == 1
        assert store.check().wrong_permissions == 0


def test_c9_a_directory_that_is_gone_is_an_error_not_an_empty_list(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        store.site.places.directory.rename(tmp_path / "elsewhere")

        with pytest.raises(HoldfastError, match="cannot be read"):
            store.entries()
        with pytest.raises(HoldfastError, match="cannot be read"):
            store.check()
        for change in (lambda: store.append(ONE, [said(2)]), lambda: store.open_journal(ONE), store.create):
            with pytest.raises(HoldfastError):
                change()
        assert not store.site.places.directory.exists()
        (tmp_path / "elsewhere").rename(store.site.places.directory)


def test_encrypted_sessions_stand_in_the_list_without_text_while_locked(tmp_path: Path):
    with a_store(tmp_path) as store:
        store.site.keys.set_passphrase("correct horse")
        made(store, 1, title="Very private", tags=("hidden",), project_path="/secret")
        store.append(ONE, [said(2, "private text")])
        assert store.load(ONE).title == "Very private"
    with a_store(tmp_path) as store:
        store.site.keys.lock()
        store.site.manifest.remove([ONE])

        found = store.check()

        assert found.orphaned_files == (ONE,)
        entry = store.entry(ONE)
        assert (entry.title, entry.preview, entry.project_path, entry.tags) == ("Encrypted session", "", "", ())
        assert entry.is_encrypted
        assert (store.problems(), store.verify().bad) == ([], ())
        with pytest.raises(Refused, match="Unlock"):
            store.load(ONE)
        store.site.keys.unlock("correct horse")
        assert store.load(ONE).messages == (said(1), said(2, "private text"))
    everything = b"".join(path.read_bytes() for path in (tmp_path / "sessions").rglob("*") if path.is_file())
    assert not re.search(b"Very private|private text|hidden|/secret", everything)
