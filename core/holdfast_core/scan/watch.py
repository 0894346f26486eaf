"""Notices that an agent wrote something: by the system's events, a poll of the newest files, and a slow full look."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from holdfast_core.agents.base import Fingerprint, SourceRef, fingerprint_at

Look = TypeVar("Look")

log = logging.getLogger(__name__)

# More paths than this in one batch of events are dearer to look up one by one
# than to look everywhere, and near where the system drops events.
_MANY_PATHS = 2_000
_EVENT_STEP_MS = 10
_SLACK_MS = 2_000  # the coarsest file times that are in use
_EVENT_DEBOUNCE_MS = 50


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often to look, in seconds. ``use_events`` False leaves the polls alone, as where the system has no events."""

    poll_seconds: float = 2.0
    rescan_seconds: float = 60.0
    use_events: bool = True


class Watcher:
    """Watches the agents' roots without ever locking, opening or writing anything there.

    ``on_paths`` gets paths at or below which something may have changed,
    ``on_rescan`` is called when only a look everywhere will do. Both are
    called in the loop's thread. Roots that appear later are noticed within
    one poll. ``missed`` says whether something changed during a pause.
    """

    def __init__(
        self,
        roots: Callable[[], Iterable[Path]],
        *,
        on_paths: Callable[[Sequence[str]], None],
        on_rescan: Callable[[], None],
        rhythm: Rhythm | None = None,
    ) -> None:
        self._roots = roots
        self._on_paths = on_paths
        self._on_rescan = on_rescan
        self._rhythm = rhythm or Rhythm()
        self._files: dict[str, Fingerprint] = {}
        self._directories: dict[str, int] = {}
        self._existing = _existing(roots())
        self._roots_changed = asyncio.Event()
        self._is_paused = False
        self._has_told = False
        self.missed = False

    def remember(self, recent: Iterable[SourceRef], *, looked_ms: int, replace: bool) -> None:
        """Poll these sources and their directories from now on, in place of or beside the earlier ones.

        ``looked_ms`` is the time just before they were looked for.
        """
        if replace:
            self._files.clear()
            self._directories.clear()
        tops = list(self._roots())
        for ref in recent:
            self._files[ref.path] = ref.fingerprint
            for parent in Path(ref.path).parents:
                directory = str(parent)
                if directory in self._directories or not any(parent.is_relative_to(top) for top in tops):
                    break
                modified_ns = _modified(directory)
                # What changed since, or shortly before, may not have been seen: the next poll looks again.
                is_old = modified_ns < (looked_ms - _SLACK_MS) * 1_000_000
                self._directories[directory] = modified_ns if is_old else 0

    def pause(self, is_paused: bool) -> None:
        """Stop telling of changes, or go on: what was missed is made up for by a look everywhere."""
        self._is_paused = is_paused
        if not is_paused and self.missed:
            self.missed = False
            self._on_rescan()

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._poll())
            tasks.create_task(self._rescan())
            if self._rhythm.use_events:
                tasks.create_task(self._events())

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self._rhythm.poll_seconds)
            existing = await asyncio.to_thread(_existing, list(self._roots()))
            if existing != self._existing:
                self._existing = existing
                self._roots_changed.set()
                self._tell_rescan()
            files = await asyncio.to_thread(_differing, dict(self._files), fingerprint_at)
            directories = await asyncio.to_thread(_differing, dict(self._directories), _modified)
            self._files.update(files)
            self._directories.update(directories)
            if files or directories:
                self._tell([*files, *directories])

    async def _rescan(self) -> None:
        while True:
            await asyncio.sleep(self._rhythm.rescan_seconds)
            self._tell_rescan()

    async def _events(self) -> None:
        while True:
            self._roots_changed.clear()
            if self._existing:
                await self._events_below(list(self._existing))
            else:
                await self._roots_changed.wait()

    async def _events_below(self, roots: list[str]) -> None:
        """Tell of the system's events below ``roots`` until the set of existing roots changes."""
        from watchfiles import awatch

        try:
            async for changes in awatch(
                *roots,
                watch_filter=None,
                debounce=_EVENT_DEBOUNCE_MS,
                step=_EVENT_STEP_MS,
                stop_event=self._roots_changed,
                ignore_permission_denied=True,
            ):
                if len(changes) > _MANY_PATHS:
                    self._tell_rescan()
                else:
                    self._tell(sorted({path for _, path in changes}))
        except FileNotFoundError:
            await self._wait_for_roots(self._rhythm.rescan_seconds)  # a root went just now; the poll sees it too
        except (OSError, RuntimeError) as error:
            # No events here (a limit of the system, a network share): the polls go on, and it is tried again.
            level = logging.DEBUG if self._has_told else logging.WARNING
            log.log(level, "no file events, polling alone: %s %s", type(error).__name__, error)
            self._has_told = True
            await self._wait_for_roots(self._rhythm.rescan_seconds)

    async def _wait_for_roots(self, timeout_seconds: float) -> None:
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._roots_changed.wait()
        except TimeoutError:
            return

    def _tell(self, paths: Sequence[str]) -> None:
        if self._is_paused:
            self.missed = True
        else:
            self._on_paths(paths)

    def _tell_rescan(self) -> None:
        if self._is_paused:
            self.missed = True
        else:
            self._on_rescan()


def _existing(roots: Iterable[Path]) -> dict[str, int]:
    """Return the inodes of the roots that exist: a root that was replaced counts as another."""
    found = {}
    for root in roots:
        try:
            found[str(root)] = root.stat().st_ino
        except OSError:
            continue
    return found


def _differing(before: dict[str, Look], look: Callable[[str], Look]) -> dict[str, Look]:
    """Return how the paths look now that look different from ``before``."""
    now = ((path, look(path)) for path in before)
    return {path: looks for path, looks in now if looks != before[path]}


def _modified(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError:
        return 0
