"""The audit log, timings and the page of health of held sessions."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from holdfast_core.errors import NotFound, Refused
from holdfast_core.library import Library
from holdfast_core.paths import Paths
from holdfast_core.sealed.container import Container, Identity, write
from holdfast_core.settings import Settings

from tests.core.library.conftest import Opener
from tests.core.library.held_world import made


async def test_the_audit_log_names_what_was_done_and_no_content(library: Library, project: Path, paths: Paths) -> None:
    session = await made(library, project, "Secret plan", "hush")
    with pytest.raises(NotFound):
        await library.held.append_text("0b8f2f4e-94b1-4d0a-9c33-5d6a3c1e7f00", "user", "x")

    report = await library.held.audit()

    assert report.is_intact
    assert [(one.event, one.subject, one.outcome) for one in report.records][1:] == [
        ("session.append", session.id, "done"),
        ("session.create", session.id, "done"),
    ]
    assert report.records[0].outcome == "failed"
    assert b"hush" not in paths.audit.read_bytes()
    assert b"Secret" not in paths.audit.read_bytes()


async def test_a_changed_audit_log_is_told(library: Library, project: Path, paths: Paths) -> None:
    await made(library, project, "a", "b")
    data = paths.audit.read_bytes()
    paths.audit.write_bytes(data.replace(b"session.append", b"session.create"))

    report = await library.held.audit()

    assert (report.is_intact, report.broken_at) == (False, 2)


async def test_no_audit_log_is_kept_where_none_is_wanted(open_library: Opener, project: Path, paths: Paths) -> None:
    await made(open_library(audit_log=False), project)

    assert not paths.audit.exists()


async def test_work_is_timed_and_kept_for_the_next_process(open_library: Opener, project: Path) -> None:
    library = open_library()
    session = await made(library, project, "a", "b")
    await library.held.load(session.id)
    await library.close()

    operations = {one.name: one.count for one in (await open_library().held.metrics()).operations}

    assert operations["save"] >= 1
    assert operations["append"] == 1
    assert operations["load"] >= 1


async def test_the_page_of_health_says_how_all_is(library: Library, project: Path) -> None:
    await made(library, project)

    health = await library.held.health()

    assert {row.state for row in health.rows} == {"good"}
    assert health.storage.sessions == 1
    assert all(row.words for row in health.rows)


async def test_settings_that_are_changed_in_a_window_count_at_once(
    open_library: Opener, project: Path, tmp_path: Path
) -> None:
    library = open_library(live_limit=1, resume_limit=1, redact_stored="certain", audit_level="changes")
    client = "123456789012-" + "ab1cd2ef3gh4ij5kl6mn7op8qr9st0uv" + ".apps.googleusercontent.com"
    first = await made(library, project, "one", client)
    await library.held.load(first.id)
    other = tmp_path / "other"
    other.mkdir()
    live = await library.held.start(str(project))
    second = await library.held.create(str(other))
    with pytest.raises(Refused):
        await library.held.resume(second.id)

    library.use_settings(
        Settings(use_keyring=False, live_limit=2, resume_limit=5, redact_stored="possible", audit_level="everything")
    )

    assert (await library.held.resume(second.id)).is_live
    assert [entry.id for entry in library.held.live()] == [live.id, second.id]
    await library.held.load(first.id)
    assert (await library.held.audit(1)).records[0].event == "session.load"
    assert library.held.removed == 0
    await library.held.append_text(first.id, "user", client)
    assert library.held.removed == 1
    library.use_settings(Settings(use_keyring=False, audit_log=False))
    await library.held.load(first.id)
    assert (await library.held.audit(100)).is_intact
    assert sum(record.event == "session.load" for record in (await library.held.audit(100)).records) == 1


async def test_fields_that_were_made_good_are_told(
    library: Library, project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    session = await made(library, project, "Plan", "one")
    site = library.held.parts.store().site
    path, identity = site.places.session(session.id), Identity("document", session.id)
    head, *frames = Container.open(path, site.keys, identity).frames()
    odd = json.loads(head) | {"title": 7}
    del odd["notes"]
    path.unlink()
    write(path, site.keys, identity, [json.dumps(odd).encode(), *frames], expected_generation=None, encrypt=False)
    caplog.set_level(logging.INFO)

    report = await library.held.verify([session.id])
    rendered = await library.held.rendered(await library.load(session.id), None)

    assert report.bad == ()
    told = [("notes", "default"), ("title", "coerced")]
    assert sorted((one.field, one.kind) for one in await library.held.made_good(session.id)) == told
    assert sorted((one.field, one.kind) for one in report.notices) == told
    problems = json.loads("".join(rendered))["problems"]
    assert sorted(one["reason"] for one in problems) == ["coerced:title", "default:notes"]
    assert "the field title was of another type and was made good" in caplog.text
