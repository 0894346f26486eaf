"""Which other files belong to a source: told by patterns from its place, found by directory entries alone."""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from holdfast_core.agents._walk import contents

FILES_LIMIT = 5_000
_DEPTH = 5
_ALL = "**"
_MAGIC = re.compile(r"[*?\[]")


def files_beside(path: str, patterns: Sequence[str], *, root: str) -> list[Path]:
    """Return the files that patterns lead to from the folder of a source, sorted, never through a link.

    A pattern has ``/`` between its parts: ``..`` goes up, to the folder above
    the root at most; ``{stem}``, ``{name}`` and ``{folder}`` are those of the
    source; ``*`` means what it means in a shell, and ``**`` at the end
    everything below. The source itself is left out, and what is below a link
    other than the root. At most `FILES_LIMIT` files.
    """
    source, names = Path(path), _names(path)
    found: list[str] = []
    entered: dict[str, bool] = {}
    for pattern in patterns:
        folder, parts = _start(source, pattern)
        if folder not in entered:
            entered[folder] = _may_enter(folder, root)
        if entered[folder]:
            parts = [_literal(part, names) for part in parts]
            found += _matching(folder, parts, root, FILES_LIMIT - len(found))
    return [Path(one) for one in sorted(set(found) - {path})]


def places_beside(path: str, patterns: Sequence[str], *, root: str) -> list[Path]:
    """Return where the files would be that patterns without signs lead to, whether they are there or not."""
    started = (_start(Path(path), pattern) for pattern in patterns)
    names = _names(path)
    return [
        Path(folder, *(part.format_map(names) for part in parts))
        for folder, parts in started
        if _may_enter(folder, root)
    ]


def _names(path: str) -> dict[str, str]:
    source = Path(path)
    return {"stem": source.stem, "name": source.name, "folder": source.parent.name}


def _start(source: Path, pattern: str) -> tuple[str, list[str]]:
    """Return the folder in which a pattern begins, and what is left of it."""
    folder, parts = source.parent, pattern.split("/")
    while parts[0] == "..":
        folder, parts = folder.parent, parts[1:]
    return str(folder), parts


def _may_enter(folder: str, root: str) -> bool:
    top = root.rstrip(os.sep).rpartition(os.sep)[0] or os.sep
    return folder == top or (folder.startswith(top.rstrip(os.sep) + os.sep) and not _has_link(folder, top, root))


def _literal(part: str, names: dict[str, str]) -> str:
    """Return one part of a pattern with the source's names in it, which are no patterns themselves."""
    for name, text in names.items() if "{" in part else ():
        part = part.replace(f"{{{name}}}", _MAGIC.sub(lambda sign: f"[{sign[0]}]", text))
    return part


def _has_link(folder: str, top: str, root: str) -> bool:
    """Return whether a folder below ``top``, or one on the way to it, is a link; the root itself may be one."""
    while folder != top:
        if folder != root and stat.S_ISLNK(_mode_of(folder)):
            return True
        folder = folder.rpartition(os.sep)[0]
    return False


def _mode_of(path: str) -> int:
    """Return what stands at a path, 0 for nothing that can be seen."""
    try:
        return os.lstat(path).st_mode
    except (OSError, ValueError):
        return 0


def _matching(folder: str, parts: Sequence[str], root: str, limit: int) -> list[str]:
    found: list[str] = []
    for one in _walk(folder, parts, root):
        if len(found) >= limit:
            break
        found.append(one)
    return found


def _walk(folder: str, parts: Sequence[str], root: str) -> Iterator[str]:
    first, rest = parts[0], parts[1:]
    if first == _ALL:
        yield from _everything(folder, _DEPTH)
        return
    if not _MAGIC.search(first):
        yield from _literally(f"{folder}{os.sep}{first}", rest, root)
        return
    fits = re.compile(fnmatch.translate(first)).match
    files, folders = contents(folder)
    for entry in sorted(folders if rest else files, key=lambda entry: entry.name):
        if fits(entry.name):
            if rest:
                yield from _walk(entry.path, rest, root)
            else:
                yield entry.path


def _literally(path: str, rest: Sequence[str], root: str) -> Iterator[str]:
    """Yield what fits below a path that needs no look into its folder, which may hold thousands."""
    mode = _mode_of(path)
    if stat.S_ISLNK(mode) and path == root:
        mode = _mode_of(os.path.realpath(path))
    if rest and stat.S_ISDIR(mode):
        yield from _walk(path, rest, root)
    elif not rest and stat.S_ISREG(mode):
        yield path


def _everything(folder: str, depth: int) -> Iterator[str]:
    files, folders = contents(folder)
    yield from sorted(entry.path for entry in files)
    for entry in sorted(folders, key=lambda entry: entry.name) if depth else ():
        yield from _everything(entry.path, depth - 1)
