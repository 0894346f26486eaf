"""What a disk may hold after the power went: enumerated from what a writer did to it.

Content that was not synced may be missing, torn or zeros, sector by sector and call by call; names that were given
since the last sync of their directory may be missing: the last ones (ordered, as where names go through a journal) or
any (reordered). A database that is not recorded call by call is as it was after some save, or older, or with the end
of its log torn. What is too much to try wholly is drawn, always the same.
"""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final, Literal

from tests.faults.disk import Done
from tests.faults.torn import applied, damaged, partly

Order = Literal["ordered", "reordered"]
Names = dict[str, int]
Contents = dict[int, bytes]

_NAMING: Final = frozenset({"create", "rename", "link", "unlink", "mkdir", "rmdir"})
_CHANGING: Final = frozenset({"write", "truncate"})
_SUBSETS: Final = 64
_LOG: Final = "-wal"
_OLD_DATABASE: Final = 0.3
_CUTS: Final = 3
_WITH_PARTS: Final = 3
"""How many of the possible names are tried with each content that is torn finely."""


@dataclass(slots=True)
class State:
    """One possible disk: files by name, and what is promised of it: the least and the most save that may be there.

    A disk that is possible at several moments must keep what each of them promises.
    """

    files: Mapping[str, bytes]
    directories: frozenset[str]
    promises: list[tuple[int, int]]

    def promise(self, kept: int, tried: int) -> None:
        """Add a promise, unless another one says as much."""
        if not any(kept <= least and most <= tried for least, most in self.promises):
            weaker = [one for one in self.promises if one[0] <= kept and tried <= one[1]]
            self.promises = [*(one for one in self.promises if one not in weaker), (kept, tried)]


@dataclass(slots=True)
class _Naming:
    """A name that was given or taken, and in which directories."""

    done: Done
    file: int
    parents: frozenset[str]
    is_durable: bool = False


@dataclass(slots=True)
class _Past:
    """What happened up to a moment, as far as it matters for what the disk may hold.

    Files are numbers, which survive renaming. ``names`` and ``contents`` are durable, ``recent`` and ``pending`` are
    what came since.
    """

    order: Order
    names: Names
    contents: Contents
    directories: set[str]
    recent: list[_Naming] = field(default_factory=list)
    pending: dict[int, list[Done]] = field(default_factory=dict)
    now: Names = field(default_factory=dict)
    images: list[dict[str, bytes | None]] = field(default_factory=list)
    kept: int = 0
    tried: int = 0

    def happen(self, done: Done) -> None:
        """Go on by one event."""
        if done.what in _NAMING:
            self._name(done)
        elif done.what in _CHANGING:
            self.pending.setdefault(self.now[done.path], []).append(done)
        elif done.what == "sync":
            self._sync(done.path)
        elif done.what == "image":
            self.images[-1][done.path] = None if done.other else done.data
        elif done.what == "ack":
            self.kept = int(done.path)
            self.images.append(dict(self.images[-1]))
        elif done.what == "try":
            self.tried = int(done.path)

    def _name(self, done: Done) -> None:
        if done.what == "create":
            self.now[done.path] = len(self.contents)
            self.contents[self.now[done.path]] = b""
        file = self.now.get(done.path, -1)
        parents = frozenset(str(PurePosixPath(name).parent) for name in (done.path, done.other) if name)
        self.recent.append(_Naming(done, file, parents))
        _apply(self.now, set(), self.recent[-1])

    def _sync(self, path: str) -> None:
        """Make durable what this sync promises.

        Where names are kept in order every sync keeps all names given before it. Else only a sync of the directory
        does (of one of them for a move, which is one step), or of the new file itself: POSIX promises the first
        alone, all file systems in use do the second too.
        """
        file = self.now.get(path, -1)
        if file in self.pending:
            self.contents[file] = applied(self.contents[file], self.pending.pop(file))
        for naming in self.recent:
            naming.is_durable |= (
                self.order == "ordered"
                or path in naming.parents
                or (naming.done.what == "create" and naming.file == file)
            )
        while self.recent and self.recent[0].is_durable:
            _apply(self.names, self.directories, self.recent.pop(0))


def states(before: Mapping[str, bytes], folders: Iterable[str], done: Sequence[Done], *, seed: int = 0) -> list[State]:
    """Return every distinct disk that a power cut may leave at any moment of ``done``; ``before`` is durable."""
    found: dict[bytes, State] = {}
    known: dict[bytes, bytes] = {}
    for order in ("ordered", "reordered"):
        for state in _states(before, folders, done, order, random.Random(seed)):
            state.files = {name: known.setdefault(data, data) for name, data in state.files.items()}  # as one object
            same = found.setdefault(_fingerprint(state), state)
            for kept, tried in state.promises:
                same.promise(kept, tried)
    return list(found.values())


def _fingerprint(state: State) -> bytes:
    """Return what is the same for equal disks of which equal contents are one object."""
    contents = sorted((name, id(data)) for name, data in state.files.items())
    return hashlib.blake2b(repr((sorted(state.directories), contents)).encode()).digest()


def _states(
    before: Mapping[str, bytes], folders: Iterable[str], done: Sequence[Done], order: Order, chance: random.Random
) -> Iterator[State]:
    numbers = {name: number for number, name in enumerate(before)}
    past = _Past(order, dict(numbers), dict(enumerate(before.values())), set(folders), now=dict(numbers), images=[{}])
    for event in (None, *done):
        if event is not None:
            past.happen(event)
        names = list(_namings(past, chance))
        for torn, is_fine in _contents(past, chance):
            tried = [names[0], *chance.sample(names, min(len(names), _WITH_PARTS))] if is_fine else names
            for given, directories in tried:
                yield _state(past, given, directories, torn, _image(past, chance))


def _state(
    past: _Past, names: Names, directories: set[str], torn: Contents, image: Mapping[str, bytes | None]
) -> State:
    files = {
        name: torn[number] if number in torn else past.contents[number]
        for name, number in names.items()
        if _has_place(name, directories)
    }
    for name, data in image.items():
        if data is None:
            files.pop(name, None)
        else:
            files[name] = data
    return State(files, frozenset(directories), [(past.kept, past.tried)])


def _has_place(name: str, directories: set[str]) -> bool:
    parent, slash, _ = name.rpartition("/")
    return not slash or parent in directories


def _namings(past: _Past, chance: random.Random) -> Iterator[tuple[Names, set[str]]]:
    """Yield which names may stand in the directories, and to which files they lead; first as if all were durable."""
    open_ones = [index for index, naming in enumerate(past.recent) if not naming.is_durable]
    for chosen in _some(open_ones, past.order, chance):
        names, directories = dict(past.names), set(past.directories)
        for index, naming in enumerate(past.recent):
            if naming.is_durable or index in chosen:
                _apply(names, directories, naming)
        yield names, directories


def _some(every: list[int], order: Order, chance: random.Random) -> Iterator[frozenset[int]]:
    if order == "ordered":
        yield from (frozenset(every[:count]) for count in range(len(every), -1, -1))
    elif 1 << len(every) <= _SUBSETS:
        for size in range(len(every), -1, -1):
            yield from map(frozenset, itertools.combinations(every, size))
    else:
        whole = frozenset(every)
        yield from (whole, frozenset())
        for one in every:
            yield from (whole - {one}, frozenset({one}))
        yield from (frozenset(chance.sample(every, chance.randrange(len(every)))) for _ in range(_SUBSETS))


def _contents(past: _Past, chance: random.Random) -> Iterator[tuple[Contents, bool]]:
    """Yield what may stand in the files that were not synced, and whether it is one of many fine differences."""
    changed = {file: (past.contents[file], changes) for file, changes in past.pending.items()}
    ways: Sequence[Callable[[bytes, Sequence[Done]], bytes]] = (applied, *damaged)
    for way in ways:
        yield {file: way(old, changes) for file, (old, changes) in changed.items()}, False
        if not changed:
            return
    for file, (old, changes) in changed.items():
        others = chance.choice(ways)
        rest = {other: others(*changed[other]) for other in changed if other != file}
        for data in partly(old, changes, chance):
            yield {**rest, file: data}, True


def _image(past: _Past, chance: random.Random) -> Mapping[str, bytes | None]:
    """Return the databases as they were after some save; of a log what came with the last one may be torn."""
    *earlier, last = past.images
    if not earlier or chance.random() < _OLD_DATABASE:
        return past.images[0]
    image = dict(last)
    for name, data in last.items():
        before = earlier[-1].get(name)
        is_grown = data and before and data.startswith(before)  # else a part of it was synced, nobody knows which
        if is_grown and earlier[-1].get(name.removesuffix(_LOG)) == last.get(name.removesuffix(_LOG)):
            image[name] = data[: len(before) + (len(data) - len(before)) * chance.randrange(_CUTS + 1) // _CUTS]
    return image


def _apply(names: Names, directories: set[str], naming: _Naming) -> None:
    done = naming.done
    match done.what:
        case "create":
            names[done.path] = naming.file
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
