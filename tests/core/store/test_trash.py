"""What is deleted can be put back byte for byte; what the trash is emptied of is nowhere any more."""

from __future__ import annotations

from pathlib import Path

import pytest
from holdfast_core.errors import HoldfastError, NotFound, Refused
from holdfast_core.model.keeping import Loss
from holdfast_core.store import backup
from holdfast_core.store.store import Store
from holdfast_core.store.trash import delete, empty, expire, loss, trash, undelete
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.store.support import DAY_MS, NOW_MS, a_store, files, made, said, some_id

ONE, TWO = some_id(1), some_id(2)


@settings(max_examples=100)
@given(texts=st.lists(st.text(max_size=30), max_size=4), tags=st.lists(st.sampled_from(["a", "b"])), fold=st.booleans())
def test_undo_restores_byte_for_byte(texts: list[str], tags: list[str], fold: bool):
    with a_store() as store:
        made(store, 1, tags=tuple(tags))
        if texts:
            store.append(ONE, [said(number, text) for number, text in enumerate(texts, 2)])
        if fold:
            store.close(ONE)
        before, entry = files(store), store.entry(ONE)

        delete(store.site, [ONE], now_ms=NOW_MS)
        gone = store.entries()
        undelete(store.site, [ONE])

        assert gone == []
        assert files(store) == before
        assert store.entry(ONE) == entry
        store.append(ONE, [said(99)])
        assert store.load(ONE).messages[-1] == said(99)


@settings(max_examples=100)
@given(folds=st.integers(0, 3), others=st.integers(0, 2))
def test_deletion_leaves_nothing(folds: int, others: int):
    with a_store() as store:
        made(store, 1, title="Unmistakable")
        for number in range(folds):
            store.append(ONE, [said(number + 2, "unmistakable words")])
            store.close(ONE)
        if folds:
            backup.create(store.site, ONE)
        for number in range(others):
            made(store, number + 2)
        places = store.site.places
        name = places.session(ONE).stem
        (places.quarantine / f"{name}-1700000000000.hold").write_bytes(b"put aside earlier")
        rest = {path: content for path, content in files(store).items() if name not in path}

        delete(store.site, [ONE], now_ms=NOW_MS)
        assert empty(store.site) == 1

        assert files(store) == rest
        assert [path for path in places.directory.rglob("*") if name in str(path)] == []
        assert ONE not in [entry.id for entry in store.entries()]
        assert trash(store.site) == []
        stored = b"".join(path.read_bytes() for path in places.directory.glob("manifest*"))
        assert (ONE.encode() in stored, b"nmistakable" in stored) == (False, False)


def test_the_trash_tells_what_is_in_it(tmp_path: Path):
    with a_store(tmp_path, trash_days=3) as store:
        made(store, 1, project_path="/p")
        made(store, 2)

        [first] = delete(store.site, [ONE], now_ms=NOW_MS)
        delete(store.site, [TWO], now_ms=NOW_MS + 5, reason="retention")

        assert [(one.id, one.reason) for one in trash(store.site)] == [(TWO, "retention"), (ONE, "person")]
        assert (first.title, first.project_path, first.message_count) == ("Session 1", "/p", 1)
        assert first.expires_ms == NOW_MS + 3 * DAY_MS
        assert first in trash(store.site)


def test_what_is_long_enough_in_the_trash_goes(tmp_path: Path):
    with a_store(tmp_path, trash_days=30) as store:
        made(store, 1)
        made(store, 2)
        delete(store.site, [ONE], now_ms=NOW_MS)
        delete(store.site, [TWO], now_ms=NOW_MS + DAY_MS)

        assert expire(store.site, now_ms=NOW_MS + 30 * DAY_MS - 1) == 0
        assert expire(store.site, now_ms=NOW_MS + 30 * DAY_MS) == 1
        assert [one.id for one in trash(store.site)] == [TWO]


def test_without_days_the_trash_is_emptied_by_hand_alone(tmp_path: Path):
    with a_store(tmp_path, trash_days=0) as store:
        made(store, 1)
        [gone] = delete(store.site, [ONE], now_ms=NOW_MS)

        assert (expire(store.site, now_ms=NOW_MS * 2), gone.expires_ms) == (0, None)


def test_an_open_session_is_not_deleted(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        journal = store.open_journal(ONE)
        before = files(store)

        with pytest.raises(Refused, match="Close it"):
            delete(store.site, [ONE], now_ms=NOW_MS)

        journal.close()
        assert files(store) == before


def test_what_is_not_there_is_told(tmp_path: Path):
    with a_store(tmp_path) as store:
        for act in (lambda: delete(store.site, [ONE], now_ms=1), lambda: undelete(store.site, [ONE])):
            with pytest.raises(NotFound):
                act()
        with pytest.raises(NotFound):
            empty(store.site, [ONE])
        assert empty(store.site) == 0


def test_a_session_that_is_there_is_not_overwritten(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        delete(store.site, [ONE], now_ms=NOW_MS)
        made(store, 1, title="Another")
        before = files(store)

        with pytest.raises(Refused, match="already"):
            undelete(store.site, [ONE])
        with pytest.raises(Refused, match="Empty the trash"):
            delete(store.site, [ONE], now_ms=NOW_MS)

        assert files(store) == before


@pytest.mark.parametrize("is_back", [True, False])
def test_a_deletion_that_was_cut_off_is_finished_by_the_next_look(tmp_path: Path, is_back: bool):
    with a_store(tmp_path) as store:
        made(store, 1)
        delete(store.site, [ONE], now_ms=NOW_MS)
        places = store.site.places
        moved = places.trash / places.session(ONE).name
        if is_back:
            moved.rename(places.session(ONE))
            store.check()
        else:
            moved.unlink()

        assert trash(store.site) == []
        empty(store.site)

        assert list(places.trash.iterdir()) == []
        assert [entry.id for entry in store.entries()] == ([ONE] if is_back else [])


def test_a_record_that_is_damaged_costs_the_others_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with a_store(tmp_path) as store:
        made(store, 1)
        made(store, 2)
        delete(store.site, [ONE, TWO], now_ms=NOW_MS)
        name = store.site.places.session(ONE).stem
        (store.site.places.trash / f"{name}.gone").write_bytes(b"nothing of ours")

        assert [one.id for one in trash(store.site)] == [TWO]
        assert "record of the trash cannot be read" in caplog.text
        caplog.clear()


def test_an_encrypted_session_can_be_put_back_while_locked(tmp_path: Path):
    with a_store(tmp_path) as store:
        store.site.keys.set_passphrase("correct horse battery")
        made(store, 1, title="A secret title")
        store.site.keys.lock()
        before = files(store)

        [gone] = delete(store.site, [ONE], now_ms=NOW_MS)
        in_trash = b"".join(files(store).values())
        undelete(store.site, [ONE])

        assert gone.title == "Encrypted session"
        assert b"A secret title" not in in_trash
        assert files(store) == before


def test_nothing_is_removed_behind_a_link(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "00000001-save.hold").write_bytes(b"of somebody else")
        store.site.places.backups_of(ONE).symlink_to(elsewhere)

        assert (backup.prune(store.site, ONE, keep=0), backup.backups(store.site, ONE)) == (0, [])
        delete(store.site, [ONE], now_ms=NOW_MS)
        empty(store.site)

        assert [path.name for path in elsewhere.iterdir()] == ["00000001-save.hold"]
        assert not store.site.places.backups_of(ONE).is_symlink()


def test_a_trash_that_cannot_be_read_is_not_empty(tmp_path: Path):
    with a_store(tmp_path) as store:
        store.site.places.trash.rename(tmp_path / "moved")

        with pytest.raises(HoldfastError, match="trash cannot be read"):
            trash(store.site)


def test_what_would_be_lost_is_told_before(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1, messages=(said(1), said(2)))
        made(store, 2)
        made(store, 3, starred=True)
        made(store, 4, tags=("keep",))
        size = store.entry(ONE).size_bytes + store.entry(TWO).size_bytes

        told = loss(store.site, [entry.id for entry in reversed(store.entries())] + [some_id(77)])

        assert told == Loss(sessions=2, messages=3, bytes=size, titles=("Session 1", "Session 2"), kept=2)


def put_aside(store: Store) -> bytes:
    """Damage a session that has no backup; returns its bytes, which are in the quarantine then."""
    made(store, 1, title="Lost")
    path = store.site.places.session(ONE)
    path.write_bytes(b"x" + path.read_bytes()[1:])
    store.repair()
    assert [one.code for one in store.problems()] == ["quarantined"]
    return next(store.site.places.quarantine.iterdir()).read_bytes()


def test_a_damaged_session_goes_to_the_trash_and_back_among_the_problems(caplog: pytest.LogCaptureFixture):
    with a_store() as store:
        bad = put_aside(store)
        before = files(store)

        (gone,) = store.delete([ONE])
        problems, thrown_away = store.problems(), store.trash()
        store.undelete([ONE])

        assert (problems, thrown_away, gone.title) == ([], [gone], "Lost")
        assert (gone.size_bytes, store.trash()) == (len(bad), [])
        assert [(one.id, one.title, one.code) for one in store.problems()] == [(ONE, "Lost", "quarantined")]
        assert files(store) == before
    caplog.clear()


def test_a_damaged_session_can_be_deleted_for_good(caplog: pytest.LogCaptureFixture):
    with a_store() as store:
        bad = put_aside(store)

        lost = store.loss([ONE])
        store.delete([ONE])
        store.empty_trash([ONE])

        assert (lost.sessions, lost.bytes, lost.titles) == (1, len(bad), ("Lost",))
        assert (store.problems(), store.trash(), files(store)) == ([], [], {})
    caplog.clear()


def test_a_problem_of_which_nothing_is_left_is_dropped(caplog: pytest.LogCaptureFixture):
    with a_store() as store:
        put_aside(store)
        next(store.site.places.quarantine.iterdir()).unlink()

        assert store.delete([ONE]) == []
        assert store.problems() == []
    caplog.clear()


def test_a_deletion_of_a_damaged_session_that_was_cut_off_can_be_done_again(caplog: pytest.LogCaptureFixture):
    with a_store() as store:
        put_aside(store)
        (problem,) = store.site.manifest.troubles()
        (gone,) = store.delete([ONE])
        store.site.manifest.trouble(problem)  # as if it ended before the list was told

        assert store.delete([ONE]) == []
        assert (store.problems(), store.trash()) == ([], [gone])
    caplog.clear()
