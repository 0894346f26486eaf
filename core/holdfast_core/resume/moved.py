"""Where a project may be that is no longer in its place."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from holdfast_core import clock

_LEVELS_UP = 2
_LEVELS_DOWN = 3
_DIRECTORIES_LIMIT = 2_000
_SECONDS_LIMIT = 0.5
_CONFIG_LIMIT_BYTES = 1 << 18
_REMOTE = re.compile(r"^\s*url\s*=\s*(\S+)", re.MULTILINE)
_NOT_ENTERED = {"node_modules", "__pycache__", "venv", "target", "build", "dist"}


def follow_moves(path: str, moved: Mapping[str, str]) -> str:
    """Return where ``path`` is now by what was remembered of it or of a directory above it; itself if nothing was."""
    here = Path(path)
    for above in (here, *here.parents):
        place = moved.get(str(above))
        if place is not None:
            return str(Path(place) / here.relative_to(above))
    return path


def find_candidates(
    gone: str, *, known_projects: Iterable[str] = (), remote: str = "", commit: str = ""
) -> tuple[str, ...]:
    """Return directories that may be the project that was at ``gone``, likeliest first, at most eight.

    Those with the same git remote or holding its ``commit`` come first, then
    those with the same name: other known projects, and directories near the
    old place. The search is bounded in depth, number and time, and follows no link.
    """
    name = Path(gone).name
    if not name or not Path(gone).is_absolute():
        return ()
    same_repository: list[str] = []
    same_name: list[str] = [path for path in known_projects if Path(path).name == name and Path(path).is_dir()]
    for directory in _nearby(Path(gone)):
        if _is_repository(directory, remote=remote, commit=commit):
            same_repository.append(str(directory))
        elif directory.name == name:
            same_name.append(str(directory))
    found = dict.fromkeys([*same_repository, *same_name])
    found.pop(gone, None)
    return tuple(found)[:8]


def _nearby(gone: Path) -> Iterator[Path]:
    """Yield directories around the nearest place above ``gone`` that still exists, those near it first."""
    tops = [above for above in gone.parents if above.is_dir() and above != Path(above.anchor)][:_LEVELS_UP]
    deadline = clock.monotonic_seconds() + _SECONDS_LIMIT
    queue = deque((top, 0) for top in tops)
    seen: set[Path] = set()
    while queue and len(seen) < _DIRECTORIES_LIMIT and clock.monotonic_seconds() < deadline:
        directory, depth = queue.popleft()
        for child in _children(directory):
            if child in seen:
                continue
            seen.add(child)
            yield child
            if depth + 1 < _LEVELS_DOWN:
                queue.append((child, depth + 1))


def _children(directory: Path) -> list[Path]:
    try:
        with os.scandir(directory) as entries:
            return sorted(
                Path(entry.path)
                for entry in entries
                if entry.is_dir(follow_symlinks=False) and entry.name[0] != "." and entry.name not in _NOT_ENTERED
            )
    except OSError:
        return []


def _is_repository(directory: Path, *, remote: str, commit: str) -> bool:
    git = directory / ".git"
    if not (remote or commit) or not git.is_dir():
        return False
    if remote and _remote_key(remote) in map(_remote_key, _REMOTE.findall(_small_text(git / "config"))):
        return True
    return bool(re.fullmatch(r"[0-9a-f]{40}", commit)) and (
        (git / "objects" / commit[:2] / commit[2:]).is_file() or commit in _small_text(git / "logs" / "HEAD")
    )


def _remote_key(url: str) -> str:
    """Return the same text for the https and the ssh address of one repository."""
    text = re.sub(r"^[a-z+]+://", "", url.strip().lower())
    text = text.rpartition("@")[2].replace(":", "/", 1)
    return text.removesuffix("/").removesuffix(".git")


def _small_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_CONFIG_LIMIT_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
