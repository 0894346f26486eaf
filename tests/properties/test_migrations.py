"""Properties of migrations: nothing is lost, a failure changes nothing, and what earlier versions wrote loads."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from holdfast_core.errors import HoldfastError
from holdfast_core.model.held import SCHEMA_VERSION
from holdfast_core.store.migrations import migrate
from holdfast_core.store.store import Store
from hypothesis import given
from hypothesis import strategies as st

from tests.core.store.support import a_store, said, some_id
from tests.core.store.test_migrations import ID, STORED, any_document, loaded, numbers, sound_document, stored, texts
from tests.core.store.test_upgrade import put
from tests.faults.disk import FAULTS, Died, Disk, Plan
from tests.properties.support import EXAMPLES, logged, path_of

versions = st.integers(1, SCHEMA_VERSION)
previous = st.integers(1, SCHEMA_VERSION - 1)


@EXAMPLES
@given(st.data(), versions)
def test_p17_a_migration_keeps_everything_and_sets_the_version(data: st.DataObject, version: int):
    before = data.draw(any_document(version))
    after = migrate(copy.deepcopy(before))

    assert after["schema_version"] == SCHEMA_VERSION
    text = json.dumps(after, ensure_ascii=False)
    assert [word for word in texts(before) if word not in text] == []
    remaining = {float(number) for number in numbers(after)}
    lost = [
        number
        for number in numbers(before)
        if float(number) not in remaining
        and float(round(number * 1000) if abs(number) < 1e12 else 0) not in remaining
        and json.dumps(number) not in text
        and round(number * 1000)  # a moment of less than a millisecond
    ]
    assert lost == []
    assert migrate(copy.deepcopy(after)) == after


WRONG = st.sampled_from(["soon", {"a": [1]}, [[[]]], True, 1.5])


@EXAMPLES
@given(
    field=st.sampled_from(["created_ms", "context_files", "todos", "config", "usage", ""]),
    value=WRONG,
    version=previous,
    at=st.integers(0, 60),
    fault=st.sampled_from(["error", "die"]),
)
def test_p18_a_failed_migration_leaves_a_backup_and_a_log_entry(
    caplog: pytest.LogCaptureFixture, field: str, value: Any, version: int, at: int, fault: str
):
    """What it holds is not valid, or the disk fails at any call: byte for byte as it was, backed up, logged, told."""
    with a_store() as store:
        plain = {"schema_version": version, "id": some_id(1), "title": "T", "messages": []} | (
            {field: value} if field else {}
        )
        session_id = put(store, plain)
        path = path_of(store, session_id)
        before = path.read_bytes()
        earlier = None if field else store.load(session_id)
        caplog.clear()

        top = store.site.places.directory
        plan = Plan() if field else Plan(at, "die" if fault == "die" else FAULTS["open"][0])
        migrated = 0
        with Disk(top, plan), suppress(Died):
            migrated = store.migrate()

        if path.read_bytes() != before:
            assert earlier in (None, store.load(session_id))
            assert [one.reason for one in store.backups(session_id)][-1:] == ["migration"]
        elif not migrated and field:
            assert "could not be migrated and is as it was" in caplog.text
            assert [(one.reason, one.is_valid) for one in store.backups(session_id)] == [("migration", True)]
            assert store.site.places.backup(session_id, 1, "migration").read_bytes() == before
            [problem] = store.problems()
            assert (problem.id, problem.code) == (session_id, "migration")
            assert [choice.kind for choice in problem.choices] == ["retry", "skip"]
        else:
            assert store.load(session_id) == earlier
    logged(caplog)


@EXAMPLES
@given(st.data(), previous, st.booleans())
def test_p19_sessions_of_the_three_previous_versions_load(data: st.DataObject, version: int, is_real: bool):
    """Those that real versions wrote, and any: with all their words, and they can be gone on with."""
    mine = [path for path in STORED if path.parent.name == f"v{version}"]
    before = stored(data.draw(st.sampled_from(mine))) if is_real else data.draw(sound_document(version))
    with a_store() as store:
        session_id = put(store, before)
        session = store.load(session_id)

        assert session == loaded(copy.deepcopy(before)).session
        assert session.schema_version == SCHEMA_VERSION
        assert is_real or len(session.messages) == len(before["messages"])
        plain = json.dumps(msgspec.to_builtins(session), ensure_ascii=False)
        assert is_real or [word for word in texts(before) if word not in plain] == []
        assert store.entry(session_id).message_count == len(session.messages)
        gone_on(store, session_id)


def gone_on(store: Store, session_id: str) -> None:
    before = store.load(session_id)
    try:
        store.append(session_id, [said(1000)])
    except HoldfastError:
        assert not before.origin.is_verified
    else:
        assert store.load(session_id).messages == (*before.messages, said(1000))
        assert session_id == ID or store.verify().bad == ()
