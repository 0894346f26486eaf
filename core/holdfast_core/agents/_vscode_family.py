"""Where editors that descend from VS Code keep what belongs to a person, and to which project a part of it belongs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from holdfast_core.agents._jsonl import read_small
from holdfast_core.agents._parts import path_of_uri
from holdfast_core.agents._walk import subdirectories
from holdfast_core.agents.base import Home

_USUAL = ("Code", "Code - Insiders", "VSCodium")
_USUAL_SERVERS = (".vscode-server",)


def user_directories(home: Home, programs: Sequence[str], servers: Sequence[str] = ()) -> list[Path]:
    """Return the ``User`` directories of some programs on the three systems, and of their servers on this machine."""
    portable = home.environment.get("VSCODE_PORTABLE", "").strip()
    found = [home.path / portable / "user-data" / "User"] if portable else []
    found += [parent / program / "User" for parent in _parents(home) for program in programs]
    found += [home.path / server / "data" / "User" for server in servers]
    return list(dict.fromkeys(found))


def any_user_directories(home: Home) -> list[Path]:
    """Return the ``User`` directories of every editor of the family that is there, and of the usual ones."""
    entries = [entry for parent in _parents(home) for entry in subdirectories(str(parent))]
    there = [Path(entry.path, "User") for entry in entries]
    there += [Path(entry.path, "data", "User") for entry in subdirectories(str(home.path)) if _is_server(entry.name)]
    usual = user_directories(home, _USUAL, _USUAL_SERVERS)
    return list(dict.fromkeys([*usual, *(path for path in there if path.is_dir())]))


def _is_server(name: str) -> bool:
    return name.startswith(".") and "-server" in name


def _parents(home: Home) -> list[Path]:
    variables = home.environment
    moved = [variables.get(name, "").strip() for name in ("XDG_CONFIG_HOME", "APPDATA", "VSCODE_APPDATA")]
    parents = [home.path / text for text in moved if text]
    parents += [home.path / ".config", home.path / "Library" / "Application Support"]
    return [*parents, home.path / "AppData" / "Roaming"]


class _Workspace(msgspec.Struct):
    folder: str | None = None


def project_of(folder: Path, root: str) -> str:
    """Return the project of a folder below ``workspaceStorage``, nothing for one without or with several."""
    content = read_small(folder / "workspace.json", root=root)
    try:
        workspace = msgspec.json.decode(content or b"{}", type=_Workspace)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return path_of_uri(workspace.folder or "")
