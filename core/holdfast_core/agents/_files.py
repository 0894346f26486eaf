"""Agents each of whose sources is one file, told by its path below a root alone."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from holdfast_core.agents._beside import files_beside, places_beside
from holdfast_core.agents._jsonl import refusal
from holdfast_core.agents._walk import contents, is_behind_link, is_below, reference, reference_at
from holdfast_core.agents.base import Agent, Home, SourceRef

_Pattern = tuple[re.Pattern[str], ...]


class FileAgent(Agent):
    """Finds sources by patterns, from directory entries alone.

    A pattern is a path below a root with ``/`` between its parts, as many as
    the path has; in each of them ``*``, ``?`` and ``[…]`` mean what they mean in a shell.
    """

    patterns: ClassVar[tuple[str, ...]] = ()
    beside: ClassVar[tuple[str, ...]] = ()
    """The companions that are a source's own, as patterns of `files_beside`."""
    listed: ClassVar[tuple[str, ...]] = ()
    """The lists in which a source stands with others, as patterns of `files_beside`."""
    notes: ClassVar[tuple[str, ...]] = ()
    """What is to be known when a source was put back."""

    def patterns_in(self, root: Path) -> tuple[str, ...]:
        """Return the patterns for one of the roots."""
        return self.patterns

    def key_of(self, path: str) -> str:
        """Return the key of the source at a path; forms of one source that replace each other share theirs."""
        return path

    def is_form_of(self, ref: SourceRef, path: str) -> bool:
        return self.key_of(path) == ref.key

    def is_source(self, path: str) -> bool:
        """Return whether a file that fits a pattern is a source, and not another form of one."""
        return True

    def companions(self, ref: SourceRef, home: Home) -> list[Path]:
        return [*self.found_beside(ref, home, self.beside), *self.indexes(ref, home)]

    def indexes(self, ref: SourceRef, home: Home) -> list[Path]:
        return self.found_beside(ref, home, self.lists_of(ref))

    def index_places(self, ref: SourceRef, home: Home) -> list[Path]:
        root = self._root_or_nothing(ref, home)
        return places_beside(ref.path, self.lists_of(ref), root=root) if root else []

    def lists_of(self, ref: SourceRef) -> Sequence[str]:
        """Return the patterns of the lists in which a source stands."""
        return self.listed

    def found_beside(self, ref: SourceRef, home: Home, patterns: Sequence[str]) -> list[Path]:
        """Return what `files_beside` finds, nothing for a source that is not below a root now."""
        root = self._root_or_nothing(ref, home) if patterns else ""
        return files_beside(ref.path, patterns, root=root) if root else []

    def _root_or_nothing(self, ref: SourceRef, home: Home) -> str:
        return max(
            (str(root) for root in self.roots(home) if ref.path.startswith(f"{root}{os.sep}")), default="", key=len
        )

    def restore_notes(self, ref: SourceRef, home: Home) -> tuple[str, ...]:
        return self.notes

    def discover(self, home: Home) -> Iterator[SourceRef]:
        for root, patterns in self._tops(home):
            yield from self._below(root, patterns)

    def refs_for(self, home: Home, paths: Sequence[str]) -> Iterator[SourceRef]:
        for root, patterns in self._tops(home):
            for path in paths:
                if is_below(root, path):
                    yield from self._below(root, patterns)
                elif is_below(path, root):
                    yield from self._at(root, path, patterns)

    def root_of(self, path: str, home: Home) -> str:
        """Return the root that a source is below.

        Raises:
            SourceError: it is below none.
        """
        found = [str(root) for root in self.roots(home) if path.startswith(f"{root}{os.sep}")]
        if not found:
            raise refusal("outside", path)
        return max(found, key=len)

    def _tops(self, home: Home) -> Iterator[tuple[str, list[_Pattern]]]:
        """Yield each root that is not another's by a link, with its patterns."""
        seen: set[str] = set()
        for root in self.roots(home):
            resolved = os.path.realpath(root)
            if resolved not in seen:
                seen.add(resolved)
                yield str(root), [_compiled(pattern) for pattern in self.patterns_in(root)]

    def _below(self, folder: str, patterns: list[_Pattern]) -> Iterator[SourceRef]:
        files, folders = contents(folder)
        last = [pattern[0] for pattern in patterns if len(pattern) == 1]
        for entry in files if last else ():
            if _fits(entry.name, last) and self.is_source(entry.path):
                yield reference(self.id, entry, self.key_of(entry.path))
        longer = [pattern for pattern in patterns if len(pattern) > 1]
        for entry in folders if longer else ():
            inner = [pattern[1:] for pattern in longer if pattern[0].match(entry.name)]
            if inner:
                yield from self._below(entry.path, inner)

    def _at(self, root: str, path: str, patterns: list[_Pattern]) -> Iterator[SourceRef]:
        """Yield the source at a path, or those in the directory that it is."""
        if is_behind_link(path, root) or Path(path).is_symlink():
            return
        inner = Path(path).relative_to(root).parts
        fitting = [pattern for pattern in patterns if len(pattern) >= len(inner) and _all_fit(inner, pattern)]
        if any(len(pattern) == len(inner) for pattern in fitting) and self.is_source(path):
            found = reference_at(self.id, path)
            if found is not None:
                yield SourceRef(found.agent, self.key_of(path), found.path, found.fingerprint)
                return
        longer = [pattern[len(inner) :] for pattern in fitting if len(pattern) > len(inner)]
        if longer:
            yield from self._below(path, longer)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> _Pattern:
    return tuple(re.compile(fnmatch.translate(part)) for part in pattern.split("/"))


def _fits(name: str, patterns: Iterable[re.Pattern[str]]) -> bool:
    return any(pattern.match(name) for pattern in patterns)


def _all_fit(parts: tuple[str, ...], pattern: _Pattern) -> bool:
    return all(one.match(part) for one, part in zip(pattern, parts, strict=False))


def directories(home: Home, variables: Sequence[str], *usual: str) -> list[Path]:
    """Return an agent's directories: those that its variables name, then the usual ones, given below the home."""
    named = [home.environment.get(variable, "").strip() for variable in variables]
    moved = [home.path / (text[2:] if text.startswith("~/") else text) for text in named if text]
    return list(dict.fromkeys([*moved, *(home.path.joinpath(*path.split("/")) for path in usual)]))
