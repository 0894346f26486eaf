"""What of encrypted and deleted held sessions stands in the index, and when it leaves the disk."""

from __future__ import annotations

import asyncio
from pathlib import Path

from holdfast_core.library import Library
from holdfast_core.paths import Paths
from holdfast_core.settings import Settings, change_setting

from tests.core.library.conftest import Opener
from tests.core.library.held_world import files_with, listed, made

LIMIT_SECONDS = 30
CANARY = "Persimmon"


def with_setting(in_index: str) -> Settings:
    return Settings.model_validate({"use_keyring": False, "encrypted_in_index": in_index})


async def started(library: Library) -> None:
    """Start the indexer and wait for its first look."""
    reports: asyncio.Queue[object] = asyncio.Queue()
    library.reports.add(reports.put_nowait)
    await library.start()
    async with asyncio.timeout(LIMIT_SECONDS):
        await reports.get()


async def changed(library: Library, in_index: str, session_id: str) -> None:
    """Change the setting as the window does, and wait for the indexer to say that it did something."""
    seen: asyncio.Queue[str] = asyncio.Queue()
    forget = library.changes.add(lambda changes: [seen.put_nowait(one) for one in changes.changed])
    library.use_settings(with_setting(in_index))
    async with asyncio.timeout(LIMIT_SECONDS):
        assert await seen.get() == session_id
    forget()


async def test_what_may_stand_in_the_index_changes_at_once_without_an_indexer(
    open_library: Opener, project: Path, paths: Paths
) -> None:
    library = open_library()
    await library.update()
    session = await made(library, project, f"{CANARY} plan", f"{CANARY} jam")
    await library.held.set_passphrase("correct horse")
    assert await listed(library, "jam") == []

    library.use_settings(with_setting("everything"))
    await library.showing.anew()
    assert await listed(library, "jam") == [session.id]
    assert files_with(CANARY, paths.cache) != []

    library.use_settings(with_setting("nothing"))
    await library.showing.anew()
    assert await listed(library, "jam") == []
    assert files_with(CANARY, paths.cache) == files_with(CANARY.lower(), paths.cache) == []
    assert [entry.title for entry in await library.entries(await library.keys(""))] == ["Encrypted session"]


async def test_a_window_follows_at_once_there_and_back(open_library: Opener, project: Path) -> None:
    library = open_library()
    session = await made(library, project, "Plan", "jam")
    await library.held.set_passphrase("correct horse")
    await started(library)
    await library.held.unlock("correct horse")

    await changed(library, "everything", session.id)
    assert await listed(library, "jam") == [session.id]

    await changed(library, "nothing", session.id)
    assert await listed(library, "jam") == []


async def test_locking_is_told_to_the_indexer_too(open_library: Opener, project: Path) -> None:
    library = open_library()
    session = await made(library, project, "Plan", "jam")
    await library.held.set_passphrase("correct horse")
    await started(library)
    await library.held.unlock("correct horse")

    await library.held.lock()
    library.use_settings(with_setting("everything"))
    await library.update()

    assert await listed(library, "jam") == []
    assert await listed(library) == [session.id]


async def test_a_window_hears_that_somebody_wrote_the_settings(open_library: Opener, paths: Paths) -> None:
    library = open_library(recent_poll_seconds=0.5)
    heard = asyncio.Event()
    library.settings_changed.add(lambda _: heard.set())
    await started(library)

    change_setting(paths, "encrypted_in_index", "everything")

    async with asyncio.timeout(LIMIT_SECONDS):
        await heard.wait()


async def test_a_session_deleted_for_good_leaves_the_files_of_the_index(
    open_library: Opener, project: Path, paths: Paths
) -> None:
    library = open_library()
    await library.update()
    session = await made(library, project, f"{CANARY} plan", f"{CANARY} jam")
    assert files_with(CANARY, paths.cache) != []
    await library.held.delete([session.id])

    await library.held.empty_trash()

    assert files_with(CANARY, paths.cache) == files_with(CANARY.lower(), paths.cache) == []
