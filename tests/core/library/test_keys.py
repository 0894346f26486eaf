"""Keys and encryption as the two faces ask for them: what is on the disk, and who can read it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from holdfast_core.errors import Locked, Refused

from tests.core.library.conftest import Opener
from tests.core.library.held_world import files_with, listed, made

LIMIT_SECONDS = 30


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
