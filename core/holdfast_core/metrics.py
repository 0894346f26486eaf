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


class Metrics:
    """The timings and counts of this process, continued from those that a file kept. Thread-safe."""

    def __init__(self, *, since_ms: int | None = None) -> None:
        self._since_ms = clock.now_ms() if since_ms is None else since_ms
        self._windows: dict[str, Window] = {}
        self._events: Counter[str] = Counter()
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path) -> Metrics:
        """Return the metrics that `save` kept; a file that is missing, damaged or foreign begins anew."""
        try:
            if path.stat().st_size > _FILE_LIMIT_BYTES:
                raise ValueError("too large")
            return _from_json(json.loads(path.read_bytes()))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            log.info("counting begins anew, the kept figures are not readable: %s", type(error).__name__)
            return cls()

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
            self._windows.setdefault(_bounded(name, self._windows), Window()).add(seconds * 1000, is_failure=is_failure)

    def count(self, event: str, times: int = 1) -> None:
        """Count something that has no duration."""
        with self._lock:
            self._events[_bounded(event, self._events)] += times

    def snapshot(self) -> Snapshot:
        """Return all figures, by name."""
        with self._lock:
            figures = tuple(window.figures(name) for name, window in sorted(self._windows.items()))
            return Snapshot(self._since_ms, figures, dict(sorted(self._events.items())))

    def save(self, path: Path) -> None:
        """Keep the figures for the next run and for other processes.

        Raises:
            OSError: the disk does not allow it.
        """
        with self._lock:
            kept = {
                "format": _FORMAT,
                "since_ms": self._since_ms,
                "events": dict(self._events),
                "operations": {name: _kept(window) for name, window in self._windows.items()},
            }
        write_file(path, [json.dumps(kept, separators=(",", ":")).encode()])


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


def _from_json(kept: dict[str, Any]) -> Metrics:
    if kept["format"] != _FORMAT:
        raise ValueError("another format")
    metrics = Metrics(since_ms=int(kept["since_ms"]))
    for name, values in list(kept["operations"].items())[:NAMES_LIMIT]:
        window = metrics._windows[name] = Window()
        window.count, window.failures = int(values["count"]), int(values["failures"])
        window.max_ms = _duration(values["max_ms"])
        window.recent_ms.extend(_duration(value) for value in values["recent_ms"])
    for event, times in list(kept["events"].items())[:NAMES_LIMIT]:
        metrics._events[event] = int(times)
    return metrics


def _duration(value: Any) -> float:
    if not 0 <= float(value) < math.inf:
        raise ValueError("no duration")
    return float(value)
