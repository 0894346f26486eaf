"""Find a program by name where a person's shell would, also from a desktop session with a bare PATH."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from holdfast_core.agents.base import Home

_IN_HOME = (".local/bin", "bin", ".npm-global/bin", ".bun/bin", ".volta/bin", ".cargo/bin", ".deno/bin", "go/bin")
_ON_MACHINE = ("/usr/local/bin", "/opt/homebrew/bin", "/home/linuxbrew/.linuxbrew/bin", "/snap/bin")
_SHIM_TARGET = re.compile(r'"%(?:~dp0|dp0%)\\?([^"%]+\.(?:js|cjs|mjs|exe))"', re.IGNORECASE)
_SHIM_LIMIT_BYTES = 64 << 10


def find_program(name: str, home: Home, *, platform: str = sys.platform) -> Path | None:
    """Return the file of a program, None if it is not installed.

    Looked for in PATH, then where package managers put programs. Relative
    entries of PATH are left out: they would mean the directory of a project.
    """
    if os.sep in name or (os.altsep and os.altsep in name):
        return Path(name) if Path(name).is_absolute() and _is_program(Path(name)) else None
    for directory in _directories(home, platform):
        for suffix in _suffixes(name, home.environment, platform):
            path = Path(directory) / (name + suffix)
            if _is_program(path):
                return path
    return None


def real_command(program: Path, home: Home, *, platform: str = sys.platform) -> list[str]:
    """Return the arguments that start ``program`` without a command interpreter.

    On Windows npm installs a ``.cmd`` file that starts a script with node:
    what it starts is returned. Elsewhere, and if that cannot be told, the
    program itself.
    """
    if platform != "win32" or program.suffix.lower() not in (".cmd", ".bat"):
        return [str(program)]
    with program.open("rb") as file:
        found = _SHIM_TARGET.findall(file.read(_SHIM_LIMIT_BYTES).decode("utf-8", "replace"))
    targets = [
        program.parent.joinpath(*re.split(r"[\\/]", text)) for text in found if not text.lower().endswith("node.exe")
    ]
    target = next((path for path in targets if path.is_file()), None)
    if target is None:
        return [str(program)]
    if target.suffix.lower() == ".exe":
        return [str(target)]
    node = find_program("node", home, platform=platform)
    return [str(node), str(target)] if node and node.suffix.lower() == ".exe" else [str(program)]


def _directories(home: Home, platform: str) -> Iterator[str]:
    separator = ";" if platform == "win32" else ":"
    yield from (entry for entry in home.environment.get("PATH", "").split(separator) if Path(entry).is_absolute())
    if platform == "win32":
        return
    yield from (str(home.path / place) for place in _IN_HOME)
    yield from _ON_MACHINE
    yield from map(str, sorted(home.path.glob(".nvm/versions/node/*/bin"), reverse=True))


def _suffixes(name: str, environment: Mapping[str, str], platform: str) -> list[str]:
    if platform != "win32" or Path(name).suffix:
        return [""]
    return [suffix.lower() for suffix in environment.get("PATHEXT", ".EXE;.CMD;.BAT").split(";") if suffix]


def _is_program(path: Path) -> bool:
    try:
        return path.is_file() and os.access(path, os.X_OK)
    except OSError:
        return False
