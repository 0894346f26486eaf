"""What is wrong with sessions is told with what can be done, and each of that does what it says."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from holdfast_core.errors import HoldfastError
from holdfast_core.model.held import Origin
from holdfast_core.model.keeping import BadSession
from holdfast_core.store.store import Store
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.store.support import a_store, made, said, some_id
from tests.core.store.test_check import flip, of

ONE, TWO = some_id(1), some_id(2)


def cut_off(store: Store) -> None:
    """A session with one message in its file and two in its journal, that was live when its host died."""
    made(store, 1)
    journal = store.open_journal(ONE)
    journal.set(is_live=True)
    journal.fold(always=True)
    journal.append([said(2), said(3)])
    journal.close()


def test_a_session_that_was_cut_off_is_offered_with_choices_that_say_what_they_do(tmp_path: Path):
    with a_store(tmp_path) as store:
        cut_off(store)

        found = store.unclean()[0]

        assert (found.id, found.message_count, found.journal_messages) == (ONE, 3, 2)
        assert [choice.kind for choice in found.choices] == ["recover", "discard", "new", "skip"]
        assert all(choice.consequence.endswith(".") for choice in found.choices)


def test_recovering_keeps_everything(tmp_path: Path):
    with a_store(tmp_path) as store:
        cut_off(store)

        assert store.recover(ONE).state == "closed"

        assert store.load(ONE).messages == (said(1), said(2), said(3))
        assert (store.unclean(), store.version(ONE).sequence) == ([], 0)


def test_discarding_goes_back_to_the_last_whole_save_and_keeps_the_rest_in_a_backup(tmp_path: Path):
    with a_store(tmp_path) as store:
        cut_off(store)

        assert store.discard_recovery(ONE).state == "closed"

        assert store.load(ONE).messages == (said(1),)
        assert store.unclean() == []
        store.restore(ONE)
        assert store.load(ONE).messages == (said(1), said(2), said(3))


@settings(max_examples=100)
@given(limit=st.integers(1, 5), failures=st.integers(0, 7))
def test_a_session_that_fails_as_often_as_the_limit_is_a_problem(limit: int, failures: int):
    with a_store(resume_failures=limit) as store:
        made(store, 1)
        counts = [store.failed(ONE) for _ in range(failures)]
        store.rename(ONE, "Changed meanwhile")

        assert counts == list(range(1, failures + 1))
        assert store.entry(ONE).failures == failures
        assert (store.state(ONE) == "problem") == (failures >= limit)
        assert [problem.code for problem in store.problems()] == (["failing"] if failures >= limit else [])

        store.succeeded(ONE)
        assert (store.state(ONE), store.entry(ONE).failures, store.problems()) == ("closed", 0, [])


def test_the_choices_after_failures_are_the_four(tmp_path: Path):
    with a_store(tmp_path, resume_failures=1) as store:
        made(store, 1)
        store.failed(ONE)

        problem = store.problems()[0]

        assert [choice.kind for choice in problem.choices] == ["retry", "other", "new", "skip"]
        assert all(choice.consequence.endswith(".") for choice in problem.choices)
        assert store.retry(ONE).id == ONE
        assert store.problems() == []


def test_an_unverified_session_is_a_problem_until_it_is_adopted(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1, origin=Origin(kind="imported", is_verified=False))

        assert [choice.kind for choice in store.problems()[0].choices] == ["adopt", "skip"]
        store.adopt(ONE)
        assert store.problems() == []


def test_verifying_finds_every_bad_session_and_takes_its_backup(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with a_store(tmp_path) as store:
        made(store, 1), made(store, 2), made(store, 3), made(store, 4)
        store.save(store.load(ONE))
        flip(of(store, ONE), 250)
        flip(of(store, TWO), 250)
        of(store, some_id(3)).unlink()

        report = store.verify()

        assert report.checked == 4
        assert {(bad.id, bad.recovered) for bad in report.bad} == {(ONE, True), (TWO, False), (some_id(3), False)}
        assert store.load(ONE).messages == (said(1),)
        assert store.verify([ONE]).bad == ()
    caplog.clear()


def test_a_journal_that_is_damaged_in_the_middle_is_kept_as_far_as_it_verifies(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    with a_store(tmp_path) as store:
        made(store, 1)
        for number in range(2, 6):
            store.append(ONE, [said(number)])
            if number == 2:
                end = of(store, ONE).stat().st_size
        flip(of(store, ONE), end + 10)

        bad = store.verify().bad

        assert [(one.id, one.recovered) for one in bad] == [(ONE, True)]
        assert isinstance(bad[0], BadSession)
        assert store.load(ONE).messages == (said(1), said(2))
        assert (store.verify().bad, len(list(store.site.places.quarantine.iterdir()))) == ((), 1)
    caplog.clear()


def test_a_damaged_session_is_read_from_its_backup_at_once(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with a_store(tmp_path) as store:
        made(store, 1)
        store.save(store.load(ONE))
        flip(of(store, ONE), 250)

        assert store.load(ONE).messages == (said(1),)
        assert store.verify().bad == ()
        flip(of(store, ONE), 250)
        for backup in store.site.places.backups_of(ONE).iterdir():
            flip(backup, 250)
        with pytest.raises(HoldfastError, match="changed since"):
            store.load(ONE)
    caplog.clear()


def test_the_newest_backup_is_put_back_unless_another_is_named(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        for title in ("Two", "Three"):
            store.rename(ONE, title)
            store.close(ONE)
        versions = [backup.version for backup in store.backups(ONE)]

        store.restore(ONE)
        assert store.load(ONE).title == "Three"  # what was appended to the former file is in the backup too
        store.restore(ONE, versions[-1])
        assert store.load(ONE).title == "Two"
        assert store.backup() == 1


def test_closing_goes_on_if_the_journal_cannot_be_folded(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with a_store(tmp_path) as store:
        made(store, 1)
        with closing(store.open_journal(ONE)) as journal:
            journal.set(is_live=True)
            journal.append([said(2)])
        store.site.places.backups.rmdir()
        store.site.places.backups.write_text("in the way")

        assert store.close(ONE).state == "closed"

        assert "without being written whole" in caplog.text
        store.site.places.backups.unlink()
        store.site.places.backups.mkdir()
        assert store.load(ONE).messages == (said(1), said(2))
        assert store.load(ONE).is_live is False
    caplog.clear()
