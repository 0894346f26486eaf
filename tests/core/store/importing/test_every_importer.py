"""What holds for every importer: golden data, new ids, nothing changed, any bytes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from holdfast_core.model.held import is_held_id
from holdfast_core.store import document
from holdfast_core.store.importing import Draft, Unread, importers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.store.importing.support import DATA, NOW_MS, here, taken

NAMES = sorted(importers())
every_importer = pytest.mark.parametrize("name", NAMES)
any_size = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def home_of(name: str) -> Path:
    [home] = (DATA / name).glob(".*")
    return home


def session_files(name: str) -> list[Path]:
    return sorted(path for path in (home_of(name) / "sessions").glob("*.json") if path.name != "index.json")


def check(found: tuple[list[Draft], list[Unread]]) -> None:
    for draft in found[0]:
        assert is_held_id(draft.session.id)
        again = document.decode(document.encode(draft.session, limit_bytes=1 << 30)).session
        assert msgspec.structs.replace(again, unknown={}, unknown_in_messages={}) == draft.session
        assert all(warning.endswith(".") for warning in draft.warnings)
    for unread in found[1]:
        assert unread.message.endswith(".") and unread.reason


@every_importer
def test_the_golden_data_gives_the_golden_sessions(name: str):
    drafts, unread = taken(home_of(name), here(DATA / name))

    found = {
        "drafts": [
            {"source": one.source, "warnings": list(one.warnings), "session": _without_place(one)} for one in drafts
        ],
        "unread": [one._asdict() for one in unread],
    }
    assert found == json.loads((DATA / name / "expected.json").read_text("utf-8"))


def _without_place(draft: Draft) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(msgspec.json.encode(draft.session))
    assert plain["origin"]["source_path"].endswith(draft.source)
    return plain | {"id": "", "origin": plain["origin"] | {"source_path": ""}}


@every_importer
@any_size
@given(data=st.data())
def test_imports_are_validated_and_warn(name: str, tmp_path: Path, data: st.DataObject):
    document_of = json.loads(session_files(name)[-1].read_text("utf-8"))
    inner = document_of.get("data", document_of)
    field = data.draw(st.sampled_from(sorted(inner)))
    inner[field] = data.draw(json_values)
    has_project, has_agent = data.draw(st.booleans()), data.draw(st.booleans())
    for own in ("project_path", "workspaceRoot"):
        if own in inner and own != field:
            inner[own] = str(tmp_path if has_project else tmp_path / "gone")
    (tmp_path / "s.json").write_text(json.dumps(document_of))

    at = here(Path("/nowhere"), agents=frozenset([name] if has_agent else []))
    found = drafts, unread = taken(tmp_path / "s.json", at)

    check(found)
    assert len(drafts) + len(unread) == 1
    for draft in drafts:
        told = " ".join(draft.warnings)
        if field not in ("project_path", "workspaceRoot"):
            assert ("project is not on this machine" in told) is not has_project
        assert ("cannot be started from here" in told) is not has_agent


@every_importer
def test_nothing_of_the_source_is_changed(name: str, tmp_path: Path):
    home = tmp_path / "home"
    shutil.copytree(home_of(name), home)
    before = {path: (path.stat(), path.read_bytes()) for path in home.rglob("*") if path.is_file()}

    taken(home, here(tmp_path))

    after = {path: (path.stat(), path.read_bytes()) for path in home.rglob("*") if path.is_file()}
    assert {path: (s.st_mtime_ns, s.st_ino, content) for path, (s, content) in after.items()} == {
        path: (s.st_mtime_ns, s.st_ino, content) for path, (s, content) in before.items()
    }


@every_importer
def test_every_prefix_of_a_file_is_refused_but_the_whole(name: str, tmp_path: Path):
    path = tmp_path / "s.json"
    for golden in session_files(name):
        content = golden.read_bytes()
        for end in range(len(content)):
            path.write_bytes(content[:end])
            assert [one.reason for one in taken(path, here(tmp_path))[1]] == ["not_json"], end
        path.write_bytes(content)
        assert len(taken(path, here(tmp_path))[0]) == 1


@every_importer
@any_size
@given(data=st.data())
def test_any_value_in_any_place_is_a_session_or_a_reason(name: str, tmp_path: Path, data: st.DataObject):
    value = json.loads(data.draw(st.sampled_from(session_files(name))).read_bytes())
    _change(data, value)
    (tmp_path / "s.json").write_text(json.dumps(value))

    check(taken(tmp_path / "s.json", here(tmp_path)))


@every_importer
@any_size
@given(data=st.data())
def test_damaged_bytes_are_a_session_or_a_reason(name: str, tmp_path: Path, data: st.DataObject):
    content = bytearray(data.draw(st.sampled_from(session_files(name))).read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(content)))
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    (tmp_path / "s.json").write_bytes(content)

    check(taken(tmp_path / "s.json", here(tmp_path)))


def test_an_importer_is_its_file():
    assert {name: (kind.id, bool(kind.name)) for name, kind in importers().items()} == {
        name: (name, True) for name in NAMES
    }


def test_moments_that_make_no_sense_leave_the_time_of_the_import(tmp_path: Path):
    value = json.loads(session_files("jido_code")[0].read_bytes())
    (tmp_path / "s.json").write_text(json.dumps(value | {"created_at": "soon", "updated_at": None}))

    [draft], _ = taken(tmp_path / "s.json", here(tmp_path))

    assert (draft.session.created_ms, draft.session.updated_ms) == (NOW_MS, NOW_MS)
    assert draft.session.provider_data["created_at"] == "soon"


def _change(data: st.DataObject, value: Any) -> None:
    """Put any value somewhere into a document."""
    while isinstance(value, dict | list) and value:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        key = data.draw(st.sampled_from(list(keys)))
        inner = value[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            value[key] = data.draw(json_values)
            return
        value = inner
