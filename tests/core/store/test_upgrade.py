"""Stored sessions of earlier schemas: migrated whole, with a backup, or byte for byte as they were, and told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from holdfast_core.errors import HoldfastError, Refused
from holdfast_core.model.held import SCHEMA_VERSION
from holdfast_core.sealed import container
from holdfast_core.sealed.container import Identity
from holdfast_core.store import backup
from holdfast_core.store.fitting import DocumentError
from holdfast_core.store.places import RECORD_TYPE
from holdfast_core.store.store import Store
from holdfast_core.store.upgrade import FAILED, upgrade, upgrade_all
from holdfast_core.store.words import choices_of_problem

from tests.core.store.support import a_store, files, made, said, some_id
from tests.core.store.test_migrations import DATA, stored
from tests.faults.disk import FAULTS, Died, Disk, Fault, Plan

OLD = sorted(path for path in DATA.glob("v[123]/*.json") if not path.name.endswith(".now.json"))


def put(store: Store, plain: dict[str, Any], *, tail: tuple[bytes, ...] = ()) -> str:
    """Seal a document as it is, as the version that it is of would have, and let the store find it."""
    session_id: str = plain["id"]
    head = {name: value for name, value in plain.items() if name != "messages"}
    frames = [json.dumps(head).encode(), json.dumps(plain.get("messages", [])).encode()]
    container.write(
        store.site.places.session(session_id),
        store.site.keys,
        Identity(RECORD_TYPE, session_id),
        frames,
        expected_generation=None,
        encrypt=store.site.keys.is_encrypted,
        tail=tail,
    )
    store.check()
    return session_id


@pytest.mark.parametrize("path", OLD, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_migrated_session_is_what_it_was_read_as_before(path: Path, tmp_path: Path):
    with a_store(tmp_path) as store:
        session_id = put(store, stored(path))
        before, former = store.load(session_id), store.site.places.session(session_id).read_bytes()

        assert upgrade(store.site, session_id)

        assert store.load(session_id) == before
        kept = backup.backups(store.site, session_id)
        assert [(one.reason, one.is_valid) for one in kept] == [("migration", True)]
        assert store.site.places.backup(session_id, kept[0].version, "migration").read_bytes() == former
        assert store.site.manifest.troubles() == []
        assert not upgrade(store.site, session_id)
        store.append(session_id, [said(1000)])
        assert store.load(session_id).messages[-1] == said(1000)


def test_all_that_need_it_are_migrated_and_no_others(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with a_store(tmp_path) as store:
        made(store, 500)
        for path in OLD:
            put(store, stored(path))
        current = store.site.places.session(some_id(500)).read_bytes()
        caplog.clear()

        assert upgrade_all(store.site) == len(OLD)

        assert upgrade_all(store.site) == 0
        assert store.site.places.session(some_id(500)).read_bytes() == current
        assert {store.load(entry.id).schema_version for entry in store.entries()} == {SCHEMA_VERSION}


def test_a_session_of_a_newer_holdfast_is_neither_written_nor_deleted(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with a_store(tmp_path) as store:
        session_id = put(store, {"schema_version": SCHEMA_VERSION + 1, "id": some_id(1), "future": True})
        caplog.clear()
        before = files(store)

        for change in (
            lambda: upgrade(store.site, session_id),
            lambda: store.append(session_id, [said(1)]),
            lambda: store.rename(session_id, "x"),
            lambda: store.delete([session_id]),
            lambda: store.load(session_id),
        ):
            with pytest.raises(Refused, match="newer version"):
                change()
        assert upgrade_all(store.site) == 0
        caplog.clear()

        assert files(store) == before


def test_a_failed_migration_can_be_tried_again_and_its_backup_is_no_help():
    assert [one.kind for one in choices_of_problem(FAILED, has_backup=True)] == ["retry", "skip"]


def test_an_open_session_is_migrated_later(tmp_path: Path):
    with a_store(tmp_path) as store:
        made(store, 1)
        journal = store.open_journal(some_id(1))

        assert not upgrade(store.site, some_id(1))

        journal.close()


def test_a_session_of_today_that_is_not_valid_is_no_failed_migration(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with a_store(tmp_path) as store:
        session_id = put(store, {"schema_version": SCHEMA_VERSION, "id": some_id(1), "created_ms": "soon"})
        caplog.clear()

        with pytest.raises(DocumentError):
            upgrade(store.site, session_id)
        assert upgrade_all(store.site) == 0

        assert [one.code for one in store.site.manifest.troubles()] == ["invalid"]
        assert backup.backups(store.site, session_id) == []


def test_a_locked_session_is_migrated_later(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with a_store(tmp_path) as store:
        store.site.keys.set_passphrase("correct horse battery")
        session_id = put(store, stored(OLD[0]))
        store.site.keys.lock()
        before = files(store)

        with pytest.raises(Refused):
            upgrade(store.site, session_id)
        assert upgrade_all(store.site) == 0
        caplog.clear()

        assert files(store) == before
        store.site.keys.unlock("correct horse battery")
        assert upgrade_all(store.site) == 1


def faults(store: Store) -> list[tuple[int, Fault]]:
    """Every way in which every call of one migration can go wrong."""
    with Disk(store.site.places.directory) as disk:
        assert upgrade_all(store.site) == 1
    return [(at, fault) for at, name in enumerate(disk.calls) for fault in FAULTS[name]]


def test_a_fault_at_any_call_leaves_the_file_as_it_was_or_the_migrated_session(caplog: pytest.LogCaptureFixture):
    plain = stored(DATA / "v1" / "plain.json")
    with a_store() as store:
        put(store, plain)
        every = faults(store)
    for at, fault in every:
        with a_store() as store:
            session_id = put(store, plain)
            file = store.site.places.session(session_id)
            before, session = file.read_bytes(), store.load(session_id)

            try:
                with Disk(store.site.places.directory, Plan(at, fault)):
                    is_migrated = upgrade(store.site, session_id)
            except (HoldfastError, Died) as error:
                is_migrated = False
                assert isinstance(error, Died) or file.read_bytes() == before, (at, fault)

            found = store.check()
            caplog.clear()
            assert store.load(session_id) == session, (at, fault)
            assert not found.quarantined and not found.recovered
            if is_migrated:
                assert upgrade_all(store.site) == 0
            if fault != "die":
                assert not list(store.site.places.directory.rglob("*.tmp")), (at, fault)
    assert len(every) > 50


def test_a_file_of_a_newer_format_is_neither_written_nor_deleted(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with a_store(tmp_path) as store:
        made(store, 1)
        path = store.site.places.session(some_id(1))
        content = path.read_bytes()
        path.write_bytes(content[:8] + b"\x63\x00" + content[10:])  # the format's number follows the magic
        store.check()
        before = files(store)

        for change in (
            lambda: upgrade(store.site, some_id(1)),
            lambda: store.rename(some_id(1), "x"),
            lambda: store.delete([some_id(1)]),
            lambda: store.restore(some_id(1)),
        ):
            with pytest.raises(HoldfastError):
                change()
        caplog.clear()

        assert files(store) == before
