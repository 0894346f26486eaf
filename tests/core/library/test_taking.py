"""Sessions that come in from files: our own JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from holdfast_core.errors import NotFound, WrongUsage
from holdfast_core.library import Library

from tests.core.library.held_world import made, move


async def test_an_exported_json_comes_back_as_the_same_session(library: Library, project: Path, tmp_path: Path) -> None:
    session = await made(library, project, "Plan", "first", "second")
    await library.held.annotate([session.id], add_tags=["a"], starred=True, note="n")
    (path,) = await library.export([session.id], tmp_path / "out.json", "json")

    report = await library.held.import_path(path)

    before, after = await library.held.load(session.id), await library.held.load(report.imported[0].id)
    assert after.id != before.id
    assert after.messages == before.messages
    assert (after.title, after.tags, after.starred, after.notes, after.config) == (
        before.title,
        before.tags,
        before.starred,
        before.notes,
        before.config,
    )
    assert after.origin.kind == "imported"


async def test_an_import_warns_of_what_is_missing_here(library: Library, project: Path, tmp_path: Path) -> None:
    session = await made(library, project)
    (path,) = await library.export([session.id], tmp_path / "out.json", "json")
    move(project, tmp_path / "elsewhere")

    report = await library.held.import_path(path)

    assert any("project is not on this machine" in warning for warning in report.warnings)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"schema":"holdfast.session"', b"\x00" * 100, b"[1]"])
async def test_what_is_no_session_is_not_taken_in(library: Library, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "in.json"
    path.write_bytes(content)

    try:
        report = await library.held.import_path(path)
    except WrongUsage:
        return

    assert report.imported == ()
    assert report.warnings


async def test_a_newer_export_is_told_and_the_others_come_in(library: Library, project: Path, tmp_path: Path) -> None:
    session = await made(library, project)
    (path,) = await library.export([session.id], tmp_path / "a.json", "json")
    newer = json.loads(path.read_text()) | {"schema_version": 99}
    (tmp_path / "b.json").write_text(json.dumps(newer))

    report = await library.held.import_path(tmp_path)

    assert [one.source for one in report.imported] == ["a.json"]
    assert any("newer" in warning for warning in report.warnings)


async def test_there_is_nothing_to_import_where_nothing_is(library: Library, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        await library.held.import_path(tmp_path / "nothing")


async def test_a_look_into_what_is_to_be_imported_keeps_nothing(
    library: Library, project: Path, tmp_path: Path
) -> None:
    session = await made(library, project, "Plan", "first")
    (path,) = await library.export([session.id], tmp_path / "out.json", "json")
    (tmp_path / "bad.json").write_bytes(path.read_bytes().replace(b'"messages"', b'"massages"'))
    move(project, tmp_path / "elsewhere")

    found = await library.held.look_into(tmp_path)

    assert [(each.title, each.source) for each in found.imported] == [("Plan", "out.json")]
    assert any(warning.startswith("bad.json:") for warning in found.warnings)
    assert any("project is not on this machine" in warning for warning in found.warnings)
    assert [entry.id for entry in await library.held.entries()] == [session.id]


async def test_a_look_into_nothing_that_is_known_is_refused_as_an_import_is(library: Library, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_bytes(b'{"a": 1}')

    with pytest.raises(WrongUsage):
        await library.held.look_into(tmp_path / "in.json")
    with pytest.raises(NotFound):
        await library.held.look_into(tmp_path / "nowhere")
