"""Where a project may be that is no longer in its place."""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from holdfast_core import clock
from holdfast_core.resume.repository import Repository, likeness

_LEVELS_UP = 2
_LEVELS_DOWN = 3
_DIRECTORIES_LIMIT = 2_000
_SECONDS_LIMIT = 0.5
_FILES_LIMIT = 12
_OFFERED = 8
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
    gone: str,
    *,
    known_projects: Iterable[str] = (),
    files: Iterable[str] = (),
    branch: str = "",
    repository: Repository | None = None,
) -> tuple[str, ...]:
    """Return directories that may be the project that was at ``gone``, likeliest first, at most eight.

    Looked at are other known projects and what is near the old place. A
    directory counts if it has the old name, or half of the ``files`` that the
    session worked on, or if it is a checkout of the ``repository`` that the
    project was in: these are likeliest, by a commit before a remote. Then
    counts how many of the files it has, then a git ``branch`` of that name.
    The search is bounded in depth, number and time, and follows no link.
    """
    old = Path(gone)
    if not old.name or not old.is_absolute():
        return ()
    wanted = _relative(files, old)
    found: dict[str, tuple[int, int, bool, bool]] = {}
    for checkout in _places(old, known_projects):
        same = likeness(checkout, repository) if repository is not None else 0
        place = _project_in(checkout, repository) if same else checkout
        hits = sum((place / file).is_file() for file in wanted)
        is_named = place.name == old.name
        if place != old and (same or is_named or (len(wanted) > 1 and hits * 2 >= len(wanted))):
            found.setdefault(str(place), (same, hits, _has_branch(checkout, branch), is_named))
    return tuple(sorted(found, key=lambda path: found[path], reverse=True))[:_OFFERED]


def _project_in(checkout: Path, repository: Repository | None) -> Path:
    """Return where the project is in a checkout of its repository; the checkout itself if it is not there any more."""
    inner = checkout / repository.within if repository is not None and repository.within else checkout
    return inner if inner.is_dir() and not inner.is_symlink() else checkout


def _relative(files: Iterable[str], project: Path) -> list[Path]:
    """Return files of a project as paths in it; those outside of it say nothing."""
    inside = []
    for file in files:
        path = Path(file)
        if path.is_absolute() and path.is_relative_to(project):
            path = path.relative_to(project)
        if not path.is_absolute() and ".." not in path.parts and path.name:
            inside.append(path)
    return list(dict.fromkeys(inside))[:_FILES_LIMIT]


def _places(old: Path, known_projects: Iterable[str]) -> Iterator[Path]:
    """Yield known projects, then directories around the nearest place above ``old`` that exists, then beside those."""
    known = [Path(project) for project in known_projects if Path(project).is_dir()]
    yield from known
    tops = [above for above in old.parents if above.is_dir() and above != Path(above.anchor)][:_LEVELS_UP]
    deadline = clock.monotonic_seconds() + _SECONDS_LIMIT
    beside = dict.fromkeys(project.parent for project in known if project.parent != Path(project.anchor))
    queue = [(up, up, 0, top) for up, top in enumerate(tops)]  # the nearest first: a crowded place above must wait
    queue += [(_LEVELS_UP + _LEVELS_DOWN, 0, _LEVELS_DOWN - 1, folder) for folder in beside]
    seen: set[Path] = set()
    while queue:
        steps, up, depth, directory = heapq.heappop(queue)
        for child in _children(directory):
            if child in seen:
                continue
            if len(seen) >= _DIRECTORIES_LIMIT or clock.monotonic_seconds() >= deadline:
                return
            seen.add(child)
            yield child
            if depth + 1 < _LEVELS_DOWN:
                heapq.heappush(queue, (steps + 1, up, depth + 1, child))


def _children(directory: Path) -> Sequence[Path]:
    try:
        with os.scandir(directory) as entries:
            return sorted(
                Path(entry.path)
                for entry in entries
                if entry.is_dir(follow_symlinks=False) and entry.name[0] != "." and entry.name not in _NOT_ENTERED
            )
    except OSError:
        return []


def _has_branch(place: Path, branch: str) -> bool:
    """Whether a repository has a branch, as far as its loose references tell."""
    heads = place / ".git" / "refs" / "heads"
    return bool(branch) and ".." not in Path(branch).parts and (heads / branch).is_file()
