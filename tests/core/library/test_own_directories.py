"""Directories of ours that others can enter are told at the start and closed on request, with or without sessions."""

from __future__ import annotations

from pathlib import Path

import pytest
from holdfast_core.paths import Paths

from tests.core.library.conftest import Opener
from tests.core.library.held_world import made


def modes(paths: Paths) -> list[int]:
    return [path.stat().st_mode & 0o777 for path in (paths.data, paths.config, paths.cache, paths.log)]


@pytest.mark.parametrize("has_sessions", [False, True])
async def test_they_are_told_and_closed(open_library: Opener, project: Path, paths: Paths, has_sessions: bool) -> None:
    library = open_library()
    await library.update()
    if has_sessions:
        await made(library, project)
    for path in (paths.data, paths.config, paths.cache):
        path.chmod(0o755)

    summary = await library.held.start_check()
    repaired = await library.held.repair()

    assert (summary.wrong_permissions, len(summary.notes)) == (3, 1)
    assert "This can be repaired" in summary.notes[0]
    assert repaired.wrong_permissions == 3
    assert modes(paths) == [0o700] * 4
    assert not await open_library().held.start_check()
