"""Where editors that descend from VS Code keep what belongs to a person, and to which project a part of it belongs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from holdfast_core.agents._jsonl import read_small
from holdfast_core.agents._parts import path_of_uri
from holdfast_core.agents.base import Home


def user_directories(home: Home, programs: Sequence[str], servers: Sequence[str] = ()) -> list[Path]:
    """Return the ``User`` directories of some programs on the three systems, and of their servers on this machine."""
    variables = home.environment
    moved = [variables.get(name, "").strip() for name in ("XDG_CONFIG_HOME", "APPDATA", "VSCODE_APPDATA")]
    parents = [home.path / text for text in moved if text]
    parents += [home.path / ".config", home.path / "Library" / "Application Support"]
    parents.append(home.path / "AppData" / "Roaming")
    portable = variables.get("VSCODE_PORTABLE", "").strip()
    found = [home.path / portable / "user-data" / "User"] if portable else []
    found += [parent / program / "User" for parent in parents for program in programs]
    found += [home.path / server / "data" / "User" for server in servers]
    return list(dict.fromkeys(found))


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
