"""A library on real directories, with what held sessions need."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from holdfast_core.library import Library
from holdfast_core.paths import Paths, find_paths
from holdfast_core.settings import Settings

from tests.fakes.agent import FakeAgent

Opener = Callable[..., Library]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where the agents of this test keep their sessions."""
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory that sessions are about."""
    project = tmp_path / "project"
    project.mkdir(mode=0o755)
    return project


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """Where everything of ours is."""
    return find_paths(tmp_path / "holdfast")


@pytest.fixture
async def open_library(
    paths: Paths, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Opener]:
    """Open libraries with settings; each is closed at the end."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    opened: list[Library] = []

    def open_one(**settings: Any) -> Library:
        library = Library.open(
            paths,
            agents_home=home,
            environment={"PATH": str(tmp_path / "bin")},
            settings=Settings(use_keyring=False, **settings),
            agents={"fake": FakeAgent()},
            indexer_command=[sys.executable, "-m", "tests.fakes.indexer"],
        )
        opened.append(library)
        return library

    yield open_one
    for library in opened:
        await library.close()


@pytest.fixture
def library(open_library: Opener) -> Library:
    """One with the settings as they come."""
    return open_library()
