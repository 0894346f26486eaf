"""Crush: a database of sessions in each project, and a list of the projects."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from holdfast_core.agents._crush_agent import CrushAgent
from holdfast_core.agents._files import directories
from holdfast_core.agents._jsonl import read_small
from holdfast_core.agents.base import (
    Home,
    ResumeCommand,
    ResumeTarget,
    SourceRef,
    fingerprint_at,
    refuse_copy,
    refuse_subagent,
    safe_id,
)

_PROJECTS_LIMIT = 2000
_LIST_LIMIT = 8 << 20


class _Project(msgspec.Struct):
    path: Any = None
    data_dir: Any = None


class _Projects(msgspec.Struct):
    projects: list[_Project] = []


class Crush(CrushAgent):
    """Reads the databases of the projects that are listed, and of the home directory."""

    id = "crush"
    name = "Crush"
    mark = "♥"
    hue = 335
    program = "crush"
    how_to_install = "https://github.com/charmbracelet/crush"
    folder = ".crush"
    database = "crush.db"

    def roots(self, home: Home) -> list[Path]:
        listed = [home.path / folder for _, folder in _listed(home)]
        return list(dict.fromkeys([home.path / self.folder, *listed]))

    def indexes(self, ref: SourceRef, home: Home) -> list[Path]:
        """Return the lists of projects: without them no database but the home directory's own is found."""
        return [path for path in _lists(home) if path.is_file() and not path.is_symlink()]

    def index_places(self, ref: SourceRef, home: Home) -> list[Path]:
        return _lists(home)

    def resume_command(self, facts: ResumeTarget, *, fork: bool = False) -> ResumeCommand:
        refuse_subagent(facts)
        refuse_copy(fork)
        return ResumeCommand((self.program, f"--session={safe_id(facts.native_id)}"), needs_project=True)


def _lists(home: Home) -> list[Path]:
    named = directories(home, ("CRUSH_GLOBAL_DATA",))
    data = directories(home, ("XDG_DATA_HOME", "LOCALAPPDATA"), ".local/share", "AppData/Local")
    return [folder / "projects.json" for folder in (*named, *(folder / "crush" for folder in data))]


def _listed(home: Home) -> list[tuple[str, str]]:
    """Return the projects that were opened with the program, and where each keeps its data."""
    found: dict[tuple[str, str], None] = {}
    for path in _lists(home):
        fingerprint = fingerprint_at(str(path))
        if fingerprint.size_bytes:
            found |= dict.fromkeys(_projects(str(path), (fingerprint.size_bytes, fingerprint.modified_ns)))
    return list(found)


@lru_cache(maxsize=8)
def _projects(path: str, _stamp_now: tuple[int, int]) -> tuple[tuple[str, str], ...]:
    try:
        listed = msgspec.json.decode(read_small(path, limit=_LIST_LIMIT) or b"{}", type=_Projects).projects
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
    found = []
    for project in listed[:_PROJECTS_LIMIT]:
        if isinstance(project.path, str) and project.path and "\0" not in project.path:
            named = project.data_dir if isinstance(project.data_dir, str) and "\0" not in project.data_dir else ""
            found.append((project.path, str(Path(project.path, named or ".crush"))))
    return tuple(found)


AGENT = Crush()
