"""Whose sessions files look like, by their content: for what lies where no agent is looked for."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from holdfast_core import clock
from holdfast_core.agents.base import Agent
from holdfast_core.errors import NotFound
from holdfast_core.model.agent import Recognised

HEAD_BYTES: Final = 64 << 10
_ENDINGS: Final = (".jsonl", ".ndjson", ".json", ".db", ".sqlite", ".vscdb", ".md", ".zst")
# Directories in which agents and those made after them keep sessions; nothing else below a home is opened.
_FOLDERS: Final = frozenset(
    {"sessions", "archived_sessions", "projects", "chats", "threads", "tasks", "conversations", "session-state"}
)
_SECRET: Final = ("auth", "oauth", "cred", "secret", "token", "key", "settings", "config", "package")
_DEPTH: Final = 6
_FILES_IN_PLACE: Final = 40
_FILES: Final = 20_000
_SECONDS: Final = 5.0


def recognise_at(path: Path, agents: Mapping[str, Agent]) -> list[Recognised]:
    """Return whose a file looks like, or for a directory what is in it, by subdirectory and agent.

    A file that nobody recognises is told too, with no agent.

    Raises:
        NotFound: there is nothing.
    """
    try:
        is_directory = stat.S_ISDIR(path.stat().st_mode)
    except OSError as error:
        raise NotFound("There is no such file or directory.", detail=str(error)) from error
    if not is_directory:
        return [Recognised(str(path), _agents_of(str(path), agents), 1)]
    counts: dict[tuple[str, tuple[str, ...]], int] = {}
    for number, file in enumerate(_files(str(path), 2 * _DEPTH)):
        if number >= _FILES:
            break
        found = str(Path(file).parent), _agents_of(file, agents)
        counts[found] = counts.get(found, 0) + 1
    return [Recognised(place, whose, count) for (place, whose), count in sorted(counts.items())]


def strangers(home: Path, agents: Mapping[str, Agent], roots: Iterable[Path]) -> list[Recognised]:
    """Return directories right below a home that hold sessions which look like an agent's and are none of ``roots``.

    Looks into hidden directories and the usual places of applications' data,
    at a few files of each and for some seconds at most.
    """
    known = [str(root) for root in roots if not home.is_relative_to(root)]  # an agent may look at projects anywhere
    end = clock.monotonic_seconds() + _SECONDS
    found = []
    for top in _tops(home):
        if clock.monotonic_seconds() > end:
            break
        if any(top == root or root.startswith(top + os.sep) or top.startswith(root + os.sep) for root in known):
            continue
        counts: dict[tuple[str, ...], int] = {}
        for number, file in enumerate(_files(top, _DEPTH, within=_FOLDERS)):
            whose = _agents_of(file, agents)
            if whose:
                counts[whose] = counts.get(whose, 0) + 1
            if number >= _FILES_IN_PLACE or clock.monotonic_seconds() > end:
                break
        found += [Recognised(top, whose, count) for whose, count in sorted(counts.items())]
    return found


def _tops(home: Path) -> Iterator[str]:
    for folder in (home, home / ".local" / "share", home / ".config"):
        for entry in _entries(str(folder)):
            if (folder != home or entry.name.startswith(".")) and _is_directory(entry):
                yield entry.path


def _files(folder: str, depth: int, *, within: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield files that could be sessions, never through a link; with ``within`` only those below such a directory."""
    inner = []
    for entry in _entries(folder):
        if _is_directory(entry):
            inner.append(entry)
        elif not within and _may_be_session(entry):
            yield entry.path
    for entry in inner if depth else ():
        yield from _files(entry.path, depth - 1, within=frozenset() if entry.name in within else within)


def _may_be_session(entry: os.DirEntry[str]) -> bool:
    name = entry.name.lower()
    try:
        return name.endswith(_ENDINGS) and not name.startswith(_SECRET) and entry.is_file(follow_symlinks=False)
    except OSError:
        return False


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _entries(folder: str) -> Sequence[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except (OSError, ValueError):
        return ()


def _agents_of(path: str, agents: Mapping[str, Agent]) -> tuple[str, ...]:
    head = _head(path)
    name = Path(path).name
    return tuple(agent for agent, reader in agents.items() if reader.recognises(head, name)) if head else ()


def _head(path: str) -> bytes:
    """Return how a regular file begins; nothing where it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return b""
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b""
        return os.read(descriptor, HEAD_BYTES)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
