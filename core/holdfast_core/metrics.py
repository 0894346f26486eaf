"""How long what we do takes and how often it succeeds. Memory is bounded; nothing of it leaves the machine."""

from __future__ import annotations

import json
import logging
import math
import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast_core import clock
from holdfast_core.atomic import write_file

log = logging.getLogger(__name__)

RECENT_LIMIT = 512
NAMES_LIMIT = 64
OTHER = "other"
_SHOWN_LIMIT = 120
_FILE_LIMIT_BYTES = 1 << 20
_FORMAT = 1
_LOCK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Figures:
    """One operation: how often and how long. Percentiles are of the last `RECENT_LIMIT`; times in milliseconds."""

    name: str
    count: int
    failures: int
    p50_ms: float
    p95_ms: float
    max_ms: float
    recent_ms: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All figures of one moment. ``since_ms`` is when counting began."""

    since_ms: int
    operations: tuple[Figures, ...]
    events: dict[str, int]


class Window:
    """The durations of one operation: all of them counted, the last ones kept."""

    def __init__(self) -> None:
        self.count = 0
        self.failures = 0
        self.max_ms = 0.0
        self.recent_ms: deque[float] = deque(maxlen=RECENT_LIMIT)

    def add(self, duration_ms: float, *, is_failure: bool = False) -> None:
        """Count one more."""
        self.count += 1
        self.failures += is_failure
        self.max_ms = max(self.max_ms, duration_ms)
        self.recent_ms.append(duration_ms)

    def take(self, other: Window) -> None:
        """Add what another window counted, as what came later."""
        self.count += other.count
        self.failures += other.failures
        self.max_ms = max(self.max_ms, other.max_ms)
        self.recent_ms.extend(other.recent_ms)

    def figures(self, name: str) -> Figures:
        """Return what is known, with the newest durations last."""
        recent = list(self.recent_ms)
        ordered = sorted(recent)
        return Figures(
            name,
            self.count,
            self.failures,
            percentile(ordered, 0.50),
            percentile(ordered, 0.95),
            self.max_ms,
            tuple(recent[-_SHOWN_LIMIT:]),
        )


class _Tally:
    """Counts under a bounded number of names."""

    def __init__(self) -> None:
        self.windows: dict[str, Window] = {}
        self.events: Counter[str] = Counter()

    def window(self, name: str) -> Window:
        return self.windows.setdefault(_bounded(name, self.windows), Window())

    def count(self, event: str, times: int) -> None:
        self.events[_bounded(event, self.events)] += times

    def take(self, other: _Tally) -> None:
        """Add what another one counted, as what came later."""
        for name, window in other.windows.items():
            self.window(name).take(window)
        for event, times in other.events.items():
            self.count(event, times)


class Metrics:
    """The timings and counts of this machine: what a file kept, and what this process has added. Thread-safe."""

    def __init__(self, *, since_ms: int | None = None) -> None:
        self._since_ms = clock.now_ms() if since_ms is None else since_ms
        self._all = _Tally()
        self._unsaved = _Tally()
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path) -> Metrics:
        """Return the metrics that `save` kept; a file that is missing, damaged or foreign begins anew."""
        metrics = cls()
        metrics._since_ms, metrics._all = _read(path) or (metrics._since_ms, metrics._all)
        return metrics

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Count what happens inside as one operation; whatever is raised makes it a failure and rises."""
        started = clock.monotonic_seconds()
        has_failed = True
        try:
            yield
            has_failed = False
        finally:
            self.add(name, clock.monotonic_seconds() - started, is_failure=has_failed)

    def add(self, name: str, seconds: float, *, is_failure: bool = False) -> None:
        """Count an operation that was timed elsewhere."""
        with self._lock:
            for tally in (self._all, self._unsaved):
                tally.window(name).add(seconds * 1000, is_failure=is_failure)

    def count(self, event: str, times: int = 1) -> None:
        """Count something that has no duration."""
        with self._lock:
            for tally in (self._all, self._unsaved):
                tally.count(event, times)

    def snapshot(self) -> Snapshot:
        """Return all figures, by name."""
        with self._lock:
            figures = tuple(window.figures(name) for name, window in sorted(self._all.windows.items()))
            return Snapshot(self._since_ms, figures, dict(sorted(self._all.events.items())))

    def save(self, path: Path) -> None:
        """Add what was counted since the last time to what other processes keep in the file.

        Raises:
            OSError: the disk does not allow it, or another process held the file all the time.
        """
        import filelock

        name = path.with_name(f"{path.name}.lock")
        alone = filelock.FileLock(name, mode=0o600, timeout=_LOCK_SECONDS, fallback_to_soft=False)
        with alone, self._lock:  # a Timeout is an OSError
            since_ms, kept = _read(path) or (self._since_ms, _Tally())
            kept.take(self._unsaved)
            write_file(path, [json.dumps(_plain(since_ms, kept), separators=(",", ":")).encode()])
            self._since_ms, self._all, self._unsaved = since_ms, kept, _Tally()


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value that ``share`` of the sorted values do not exceed (nearest rank), 0 if there are none."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def _bounded(name: str, known: dict[str, Any]) -> str:
    """Return the name, or the common one for what came after too many: a mistake must not fill the memory."""
    return name if name in known or len(known) < NAMES_LIMIT - 1 else OTHER


def _kept(window: Window) -> dict[str, Any]:
    return {
        "count": window.count,
        "failures": window.failures,
        "max_ms": round(window.max_ms, 3),
        "recent_ms": [round(value, 3) for value in window.recent_ms],
    }


def _plain(since_ms: int, tally: _Tally) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "since_ms": since_ms,
        "events": dict(tally.events),
        "operations": {name: _kept(window) for name, window in tally.windows.items()},
    }


def _read(path: Path) -> tuple[int, _Tally] | None:
    """Return since when and what a file counts; None if it is missing, damaged or foreign."""
    try:
        if path.stat().st_size > _FILE_LIMIT_BYTES:
            raise ValueError("too large")
        return _from_json(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        log.info("counting begins anew, the kept figures are not readable: %s", type(error).__name__)
        return None


def _from_json(kept: dict[str, Any]) -> tuple[int, _Tally]:
    if kept["format"] != _FORMAT:
        raise ValueError("another format")
    tally = _Tally()
    for name, values in list(kept["operations"].items())[:NAMES_LIMIT]:
        window = tally.windows[name] = Window()
        window.count, window.failures = int(values["count"]), int(values["failures"])
        window.max_ms = _duration(values["max_ms"])
        window.recent_ms.extend(_duration(value) for value in values["recent_ms"])
    for event, times in list(kept["events"].items())[:NAMES_LIMIT]:
        tally.events[event] = int(times)
    return int(kept["since_ms"]), tally


def _duration(value: Any) -> float:
    if not 0 <= float(value) < math.inf:
        raise ValueError("no duration")
    return float(value)
