"""An exported JSON of a held session is complete: taken in again it is the same session under a new id."""

from __future__ import annotations

import uuid
from pathlib import Path

import msgspec
import pytest
from holdfast_core.agents.base import Home
from holdfast_core.errors import SourceError
from holdfast_core.export import json
from holdfast_core.library.exchange import KEY, archived, exported_files, extra_of, imported, row_of
from holdfast_core.model.held import HeldSession
from holdfast_core.scan.load import load
from holdfast_core.store.source import HeldSource

from tests.core.store.support import a_store


def exported(session: HeldSession, folder: Path) -> tuple[HeldSession, Path]:
    """Keep a session, read it as any face does, and write it down; returns it as it was kept, and the file."""
    with a_store(folder) as store:
        kept = store.create(session, id=str(uuid.uuid4()))
        path = store.site.places.session(kept.id)
        source = HeldSource(path.parent, lambda: store.site.keys)
        (ref,) = source.refs_for(Home(folder, {}), [str(path)])
        loaded = load(row_of(store.entry(kept.id), str(path)), ref, source, Home(folder, {}))
        kept = store.load(kept.id)
    text = json.render(loaded.session, entry=loaded.entry, extra={KEY: extra_of(kept)})
    file = folder / "out.json"
    file.write_text("".join(text), "utf-8")
    return kept, file


def test_an_agents_json_comes_in_as_well(tmp_path: Path) -> None:
    kept, file = exported(HeldSession(id=str(uuid.uuid4()), title="Plan"), tmp_path)
    document = msgspec.json.decode(file.read_bytes())
    del document[KEY]
    file.write_bytes(msgspec.json.encode({**document, "agent": "alpha", "native_id": "one", "is_held": False}))

    back = imported(file, lambda: str(uuid.uuid4()))

    assert (back.title, back.config.agent, back.origin.native_id) == ("Plan", "alpha", "one")
    assert kept.id != back.id


@pytest.mark.parametrize("field", ["unknown", "notes", "tags", "provider_data", "starred"])
def test_a_wrong_value_is_refused_before_anything_is_kept(tmp_path: Path, field: str) -> None:
    _, file = exported(HeldSession(id=str(uuid.uuid4())), tmp_path)
    document = msgspec.json.decode(file.read_bytes())
    document[KEY][field] = 5
    file.write_bytes(msgspec.json.encode(document))

    with pytest.raises(SourceError):
        imported(file, lambda: str(uuid.uuid4()))


def test_only_exported_files_count(tmp_path: Path) -> None:
    _, file = exported(HeldSession(id=str(uuid.uuid4())), tmp_path)
    (tmp_path / "other.json").write_text("{}")
    (tmp_path / "directory.json").mkdir()

    assert list(exported_files(tmp_path)) == [file]
    assert list(exported_files(tmp_path / "other.json")) == []


def test_what_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.write(b'{"schema":"holdfast.session"')
        file.truncate(2 << 30)

    with pytest.raises(SourceError, match="too large"):
        imported(path, lambda: "")


def test_a_copy_of_an_agents_session_has_all_that_is_known(tmp_path: Path) -> None:
    session = HeldSession(id=str(uuid.uuid4()), title="Plan", project_path="/p", tags=("a",), notes="n")
    with a_store(tmp_path) as store:
        kept = store.create(session)
        path = store.site.places.session(kept.id)
        source = HeldSource(path.parent, lambda: store.site.keys)
        (ref,) = source.refs_for(Home(tmp_path, {}), [str(path)])
        loaded = load(row_of(store.entry(kept.id), str(path)), ref, source, Home(tmp_path, {}))

    copy = archived(loaded.session, loaded.entry, str(uuid.uuid4()))

    assert (copy.title, copy.project_path, copy.tags) == ("Plan", "/p", ("a",))
    assert (copy.origin.kind, copy.origin.native_id) == ("archived", kept.id)
