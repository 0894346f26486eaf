"""Keys and encryption as the two faces ask for them: what is on the disk, and who can read it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from holdfast_core.errors import Locked, Refused
from holdfast_core.library import Library
from holdfast_core.paths import Paths

from tests.core.library.conftest import Opener
from tests.core.library.held_world import damage, files_with, listed, made

LIMIT_SECONDS = 30
CANARY = "Persimmon"


async def test_a_new_key_signs_everything_anew(open_library: Opener, project: Path) -> None:
    library = open_library()
    session = await made(library, project, "a", "b")
    before = await library.held.keys()

    assert await library.held.rotate_keys() == 1

    after = await library.held.keys()
    assert after.active_id != before.active_id
    assert [key.state for key in after.keys] == ["verify-only", "active"]
    assert (await library.held.verify()).bad == ()
    assert (await library.held.audit()).is_intact
    assert len((await open_library().held.load(session.id)).messages) == 1


async def test_encrypted_sessions_are_nowhere_in_the_clear(open_library: Opener, project: Path, tmp_path: Path) -> None:
    library = open_library()
    await library.update()
    session = await made(library, project, "Persimmon", "persimmon jam")
    await library.held.backup()

    code = await library.held.set_passphrase("correct horse")

    assert files_with("ersimmon", tmp_path / "holdfast") == []
    assert [entry.title for entry in await library.entries(await library.keys(""))] == ["Encrypted session"]
    assert len((await library.load(session.id)).session.messages) == 1
    locked = open_library()
    with pytest.raises(Locked):
        await locked.load(session.id)
    with pytest.raises(Locked):
        await locked.held.append_text(session.id, "user", "x")
    with pytest.raises(Refused):
        await locked.held.unlock("wrong")
    assert (await locked.held.verify()).bad == ()
    await locked.held.unlock(code)
    assert (await locked.held.load(session.id)).title == "Persimmon"


async def test_decrypting_gives_everything_back(open_library: Opener, project: Path) -> None:
    library = open_library()
    await library.update()
    session = await made(library, project, "Persimmon", "jam")
    await library.held.set_passphrase("correct horse")

    assert await library.held.remove_passphrase() == 1

    assert not (await library.held.keys()).is_encrypted
    assert (await open_library().held.load(session.id)).title == "Persimmon"
    assert await listed(library, "jam") == [session.id]


async def test_encrypted_sessions_can_be_searched_where_the_person_wants_that(
    open_library: Opener, project: Path
) -> None:
    first = open_library(encrypted_in_index="everything")
    session = await made(first, project, "Persimmon", "jam")
    await first.held.set_passphrase("correct horse")
    await first.close()
    library = open_library(encrypted_in_index="everything")
    reports: asyncio.Queue[object] = asyncio.Queue()
    library.reports.add(reports.put_nowait)
    await library.start()
    async with asyncio.timeout(LIMIT_SECONDS):
        await reports.get()
    assert await listed(library, "jam") == []
    seen: asyncio.Queue[str] = asyncio.Queue()
    library.changes.add(lambda changes: [seen.put_nowait(one) for one in changes.changed])

    await library.held.unlock("correct horse")

    async with asyncio.timeout(LIMIT_SECONDS):
        assert await seen.get() == session.id
    assert await listed(library, "jam") == [session.id]


async def full_of_plain_text(library: Library, project: Path) -> str:
    """Keep text in every place that held sessions have; returns the session that stands in the list all along."""
    held = library.held
    kept = await made(library, project, f"{CANARY} kept", f"{CANARY} one", f"{CANARY} two")
    gone, torn, broken = [await made(library, project, f"{CANARY} {word}", CANARY) for word in ("gone", "torn", "bad")]
    await held.backup([kept.id, gone.id, torn.id])
    await held.delete([gone.id])
    for session in (torn, broken):
        damage(Path((await held.row(session.id)).source_path))
    assert sorted(one.recovered for one in (await held.verify()).bad) == [False, True]
    return kept.id


def places_with(text: str, paths: Paths) -> set[str]:
    """Return in which directories of held sessions some text stands in the clear."""
    stored = (path for path in paths.sessions.rglob("*") if path.is_file())
    return {path.relative_to(paths.sessions).parts[0] for path in stored if text.encode() in path.read_bytes()}


@pytest.mark.parametrize("in_index", ["nothing", "everything"])
async def test_encrypting_leaves_no_plain_text_wherever_it_was(
    open_library: Opener, project: Path, paths: Paths, in_index: str, caplog: pytest.LogCaptureFixture
) -> None:
    library = open_library(encrypted_in_index=in_index)
    await library.update()
    kept = await full_of_plain_text(library, project)
    assert places_with(CANARY, paths) >= {"backups", "trash", "quarantine", "manifest.db-wal"}

    await library.held.set_passphrase("correct horse")

    assert files_with(CANARY, paths.data) == []
    assert await library.held.in_the_clear() == []
    assert bool(files_with(CANARY, paths.cache)) == (in_index == "everything")
    assert (await library.held.verify()).bad == ()
    assert len((await library.held.load(kept)).messages) == 2
    assert [one.is_valid for one in await library.held.backups(kept)] == [True]
    assert [entry.title for entry in await library.held.trash()] == ["Encrypted session"]
    caplog.clear()


async def test_decrypting_brings_trash_backups_and_what_was_put_aside_back(
    open_library: Opener, project: Path, paths: Paths, caplog: pytest.LogCaptureFixture
) -> None:
    library = open_library()
    kept = await full_of_plain_text(library, project)
    aside = {path.name: path.read_bytes() for path in (paths.sessions / "quarantine").iterdir()}
    await library.held.set_passphrase("correct horse")

    await library.held.remove_passphrase()

    assert {path.name: path.read_bytes() for path in (paths.sessions / "quarantine").iterdir()} == aside
    assert places_with(CANARY, paths) >= {"backups", "trash", "quarantine", "manifest.db-wal"}
    (gone,) = await library.held.trash()
    assert gone.title == f"{CANARY} gone"
    assert await library.held.undelete([gone.id]) == 1
    assert (await library.held.load(gone.id)).title == f"{CANARY} gone"
    assert (await library.held.restore(kept)).title == f"{CANARY} kept"
    caplog.clear()


async def test_an_encryption_that_was_cut_off_is_finished_by_the_next_passphrase(
    open_library: Opener, project: Path, paths: Paths
) -> None:
    library = open_library()
    await made(library, project, CANARY, "jam")
    await library.held.start_check()
    library.held.parts.keys().set_passphrase("correct horse")  # and the power went
    assert len(await library.held.in_the_clear()) == 1

    await library.held.set_passphrase("correct horse")

    assert await library.held.in_the_clear() == []
    assert files_with(CANARY, paths.data) == []


async def test_what_cannot_be_encrypted_is_named(open_library: Opener, project: Path, paths: Paths) -> None:
    library = open_library()
    await made(library, project, CANARY, "jam")
    (paths.sessions / "quarantine" / "a directory").mkdir()

    await library.held.set_passphrase("correct horse")

    assert await library.held.in_the_clear() == ["quarantine/a directory"]
