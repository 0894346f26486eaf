"""What a disk may hold after the power went: enumerated from what a writer did to it.

Content that was not synced may be missing, torn or zeros; names that were given since the last sync of their
directory may be missing: the last ones (ordered, as where names go through a journal) or any (reordered).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, Literal

from tests.faults.disk import Done

Order = Literal["ordered", "reordered"]
Unsynced = Literal["all", "none", "zeros", "half"]

_NAMING: Final = frozenset({"create", "rename", "link", "unlink", "mkdir", "rmdir"})
_SUBSETS: Final = 64
_UNSYNCED: Final[tuple[Unsynced, ...]] = ("all", "none", "zeros", "half")


@dataclass(frozen=True, slots=True)
class State:
    """One possible disk: files by name, and the last save that was acknowledged and tried by then."""

    files: Mapping[str, bytes]
    directories: frozenset[str]
    kept: int
    tried: int


@dataclass(slots=True)
class _Event:
    """A thing that was done, with the file it was done to: a number that survives renaming."""

    done: Done
    file: int


def states(before: Mapping[str, bytes], done: Sequence[Done], *, order: Order) -> Iterator[State]:
    """Yield every distinct disk that a power cut may leave at any moment of ``done``; ``before`` is durable."""
    events = _with_files(before, done)
    seen: set[tuple[object, ...]] = set()
    for moment in range(len(events) + 1):
        past = events[:moment]
        kept = max((int(event.done.path) for event in past if event.done.what == "ack"), default=0)
        tried = max((int(event.done.path) for event in past if event.done.what == "try"), default=0)
        for names, directories in _namespaces(before, past, order):
            for unsynced in _UNSYNCED:
                files = {name: _content(before, past, number, unsynced) for name, number in names.items()}
                key = (kept, tried, tuple(sorted(files.items())), directories)
                if key not in seen:
                    seen.add(key)
                    yield State(files, directories, kept, tried)


def _with_files(before: Mapping[str, bytes], done: Sequence[Done]) -> list[_Event]:
    numbers = {name: number for number, name in enumerate(before)}
    following = itertools.count(len(numbers))
    events = []
    for one in done:
        if one.what == "create":
            numbers[one.path] = next(following)
        events.append(_Event(one, numbers.get(one.path, -1)))
        if one.what == "rename":
            if one.path in numbers and numbers.get(one.other) != numbers[one.path]:
                numbers[one.other] = numbers.pop(one.path)
        elif one.what == "link":
            numbers[one.other] = numbers[one.path]
        elif one.what == "unlink":
            numbers.pop(one.path, None)
    return events


def _namespaces(
    before: Mapping[str, bytes], past: Sequence[_Event], order: Order
) -> Iterator[tuple[dict[str, int], frozenset[str]]]:
    """Yield which names may stand in the directories, and to which files they lead."""
    durable: list[_Event] = []
    pending: list[_Event] = []
    for index, event in enumerate(past):
        if event.done.what in _NAMING:
            (durable if _is_durable(event, past[index + 1 :], order) else pending).append(event)
    choices: Iterator[Sequence[_Event]]
    if order == "ordered":
        choices = (pending[:count] for count in range(len(pending) + 1))
    else:
        every = (list(some) for size in range(len(pending) + 1) for some in itertools.combinations(pending, size))
        choices = itertools.islice(every, _SUBSETS)
    positions = {id(event): index for index, event in enumerate(past)}
    for chosen in choices:
        names = {name: number for number, name in enumerate(before)}
        directories: set[str] = set()
        for event in sorted((*durable, *chosen), key=lambda event: positions[id(event)]):
            _apply(names, directories, event)
        yield names, frozenset(directories)


def _is_durable(event: _Event, after: Sequence[_Event], order: Order) -> bool:
    """Return whether a later sync made this name durable.

    Where names are kept in order every sync keeps all names given before it. Else only a sync of the directory
    does, or of the new file itself: POSIX promises the first alone, all file systems in use do the second too.
    """
    parents = {str(PurePosixPath(name).parent) for name in (event.done.path, event.done.other) if name}
    return any(
        later.done.what == "sync"
        and (
            order == "ordered"
            or later.done.path in parents
            or (event.done.what == "create" and later.file == event.file)
        )
        for later in after
    )


def _apply(names: dict[str, int], directories: set[str], event: _Event) -> None:
    done = event.done
    match done.what:
        case "create":
            names[done.path] = event.file
        case "rename" if done.path in names:
            if names.get(done.other) != names[done.path]:
                names[done.other] = names.pop(done.path)
        case "link" if done.path in names:
            names[done.other] = names[done.path]
        case "unlink":
            names.pop(done.path, None)
        case "mkdir":
            directories.add(done.path)
        case "rmdir":
            directories.discard(done.path)


def _content(before: Mapping[str, bytes], past: Sequence[_Event], file: int, unsynced: Unsynced) -> bytes:
    content = bytearray(dict(enumerate(before.values())).get(file, b""))
    synced = max((index for index, one in enumerate(past) if one.done.what == "sync" and one.file == file), default=-1)
    for index, event in enumerate(past):
        if event.file != file or event.done.what not in ("write", "truncate"):
            continue
        done, is_durable = event.done, index < synced
        if done.what == "truncate":
            if is_durable or unsynced != "none":
                del content[done.offset :]
            continue
        data = done.data
        if not is_durable:
            if unsynced == "none":
                continue
            data = bytes(len(data)) if unsynced == "zeros" else data[: len(data) // 2] if unsynced == "half" else data
        if len(content) < done.offset:
            content.extend(bytes(done.offset - len(content)))
        content[done.offset : done.offset + len(data)] = data
    return bytes(content)
