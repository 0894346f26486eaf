"""A disk that fails at any call of deleting, putting back, emptying, restoring or pruning loses no session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from holdfast_core.errors import HoldfastError
from holdfast_core.sealed.keys import Keys
from holdfast_core.store import backup
from holdfast_core.store.store import Store
from holdfast_core.store.trash import delete, empty, trash, undelete

from tests.core.store.support import NOW_MS, a_store, made, said, some_id
from tests.faults.disk import FAULTS, Died, Disk, Plan

ONE, TWO = some_id(1), some_id(2)
Act = Callable[[Store], object]


def _prepared(store: Store) -> None:
    made(store, 1)
    store.append(ONE, [said(2)])
    store.close(ONE)
    made(store, 2)


def _deleted(store: Store) -> None:
    _prepared(store)
    delete(store.site, [ONE], now_ms=NOW_MS)


ACTS: dict[str, tuple[Callable[[Store], None], Act]] = {
    "delete": (_prepared, lambda store: delete(store.site, [ONE], now_ms=NOW_MS)),
    "undelete": (_deleted, lambda store: undelete(store.site, [ONE])),
    "empty": (_deleted, lambda store: empty(store.site)),
    "backup": (_prepared, lambda store: backup.create(store.site, ONE)),
    "restore": (_prepared, lambda store: backup.restore(store.site, ONE, 1)),
    "prune": (_prepared, lambda store: backup.prune(store.site, ONE, keep=0)),
}


@pytest.mark.parametrize("name", ACTS)
def test_a_fault_at_any_call_loses_no_session(name: str, caplog: pytest.LogCaptureFixture):
    prepare, act = ACTS[name]
    with a_store() as store:
        prepare(store)
        with Disk(store.site.places.directory) as disk:
            act(store)
    every = [(at, fault) for at, call in enumerate(disk.calls) for fault in FAULTS[call]]

    for at, fault in every:
        with a_store() as store:
            prepare(store)
            top = store.site.places.directory
            with Disk(top, Plan(at, fault)) as disk:
                try:
                    act(store)
                    is_done = True
                except (HoldfastError, Died):
                    is_done = False
            _check(top, name, is_done=is_done, case=f"{name} {at} {disk.calls[-1]} {fault}")
        caplog.clear()

    assert len(every) > 5


def _check(top: Path, name: str, *, is_done: bool, case: str) -> None:
    """Open the store as the next process would, and look whether both sessions are where they may be."""
    again = Store.open(top, Keys.open(top.parent / "keys"))
    try:
        found = again.check()
        assert not found.quarantined and not found.recovered, case
        here = {entry.id for entry in again.entries()}
        gone = {entry.id for entry in trash(again.site)}
        assert TWO in here and again.load(TWO).messages == (said(1),), case
        if name == "empty":
            assert ONE not in here, case
            empty(again.site)
            assert not list(again.site.places.trash.iterdir()), case
            return
        assert (ONE in here) != (ONE in gone), case
        if is_done and name == "delete":
            assert ONE in gone, case
        if is_done and name == "undelete":
            assert ONE in here, case
        if ONE in gone:
            undelete(again.site, [ONE])
        assert [one.id for one in again.load(ONE).messages] == ["m1", "m2"], case
        assert not [path for path in again.site.places.trash.rglob("*") if path.suffix == ".tmp"] or not is_done, case
    finally:
        again.shut()
