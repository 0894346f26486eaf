"""What a program costs: wall clock, CPU of it and its children, and the memory of all of them at once."""

from __future__ import annotations

import os
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LOOK_EVERY_SECONDS = 0.01
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass(frozen=True, slots=True)
class Cost:
    """One run of a program. ``peak_bytes`` is resident memory, summed over its processes."""

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    output: str


@dataclass(frozen=True, slots=True)
class Latency:
    """Many runs of one thing, in seconds."""

    p50: float
    p95: float
    count: int


def run(command: Sequence[str], environment: Mapping[str, str]) -> Cost:
    """Run ``command`` to its end and return what it cost.

    Raises:
        RuntimeError: it failed; the text is what it said.
    """
    started = time.perf_counter()
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        watch = MemoryWatch(process.pid)
        said: list[str] = []
        drain = threading.Thread(target=lambda: said.append(process.stderr.read()))
        drain.start()
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        drain.join()
        peak = watch.stop()
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}: {said[0][-2_000:]}")
    # One process knows its own peak exactly; the sum of several is only seen from time to time.
    return Cost(wall, usage.ru_utime + usage.ru_stime, max(peak, usage.ru_maxrss * 1024), output)


class MemoryWatch:
    """Looks at the resident memory of a process and its descendants until it is stopped (Linux alone)."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """Return the largest sum that was seen, in bytes."""
        self._stopped.set()
        self._thread.join()
        return self._peak

    def _look(self) -> None:
        while not self._stopped.wait(_LOOK_EVERY_SECONDS):
            self._peak = max(self._peak, sum(_resident_bytes(pid) for pid in _family(self._pid)))


def latency(action: Callable[[], object], *, times: int = 1) -> list[float]:
    """Return how long ``action`` took each time, in seconds."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        action()
        taken.append(time.perf_counter() - started)
    return taken


def summary(seconds: Sequence[float]) -> Latency:
    """Return median and 95th percentile."""
    ordered = sorted(seconds)
    return Latency(statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))], len(ordered))


def tree_bytes(directory: Path) -> int:
    """Return the bytes of all files below ``directory``."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def _family(pid: int) -> list[int]:
    """Return ``pid`` and its descendants that are alive."""
    found = [pid]
    for member in found:
        try:
            for task in Path(f"/proc/{member}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0
