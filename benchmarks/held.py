"""What a store of many held sessions costs: listing them, the check at the start, one change more at any size.

    python -m benchmarks.held [--sessions 10000] [--kilobytes 8000]

What is compared takes turns, so that both meet the same weather. What the
container alone costs, without locks, validation and list, is in `sealed`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from holdfast_core.atomic import sync_data
from holdfast_core.model.message import Message, Text
from holdfast_core.model.usage import Usage
from holdfast_core.sealed.keys import Keys
from holdfast_core.store.document import record
from holdfast_core.store.journal import Journal
from holdfast_core.store.store import Store

from benchmarks.first_paint import measure, window_environment
from benchmarks.report import Bar, bars

PLACE = Path(__file__).resolve().parent.parent / "build" / "benchmarks" / "scratch"
_WORDS = "The parser keeps the offset of the last whole line and reads on from there when the file has grown. "
_MS = 1_000
_ROUNDS = 5
_APPENDS = 200
_MESSAGES_CUT_OFF = 500


class Spent(NamedTuple):
    """Time of one thing, in milliseconds."""

    wall: float
    cpu: float


def main(arguments: list[str]) -> int:
    """Measure everything and say it; returns 1 if a bar is not met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--kilobytes", type=int, default=8_000)
    options = parser.parse_args(arguments)
    PLACE.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=PLACE) as folder:
        found = [
            *_many(Path(folder) / "many", options.sessions),
            *_appends(Path(folder) / "one", options.kilobytes),
            *_painted(Path(folder) / "window", options.sessions),
        ]
    print(bars(found))
    return 0 if all(bar.is_met for bar in found) else 1


def _many(folder: Path, count: int) -> list[Bar]:
    """Measure a store of many sessions, one of which was being written when its process ended."""
    _cut_off(folder, _fill(folder, count))
    checked, listed = [], []
    for _ in range(_ROUNDS):
        store = _store(folder)
        checked.append(_spent(store.check))
        listed.append(_spent(store.entries))
        store.shut()
    first, later, listing = checked[0], _median(checked[1:]), _median(listed)
    print(f"check at the start of {count} sessions, one journal to take in: {_figures(first)}")
    print(f"check at the start of {count} sessions, nothing to do: {_figures(later)}")
    print(f"{count} sessions listed: {_figures(listing)}")
    return [
        Bar(f"{count:,} held sessions listed, CPU", listing.cpu, 50, "ms"),
        Bar(f"{count:,} held sessions listed, wall", listing.wall, 50, "ms"),
        Bar(f"check at the start of {count} sessions and one journal", first.wall, 1_000, "ms"),
    ]


def _fill(folder: Path, count: int) -> str:
    """Make sessions; returns the last."""
    store = _store(folder)
    for number in range(count):
        last = store.create(
            title=f"Session {number} about parsers",
            project_path=f"/home/ada/project-{number % 50}",
            tags=("one", "two"),
            usage=Usage(1_000, 200),
            messages=(_message(number, 300),),
        )
    store.shut()
    return last.id


def _appends(folder: Path, kilobytes: int) -> list[Bar]:
    """Measure one durable message more at several sizes, beside the same bytes appended to a plain file."""
    store = _store(folder)
    first = last = 0.0
    ratios: list[tuple[float, float]] = []
    for size in (0, kilobytes // 4, kilobytes // 2, kilobytes):
        session = store.create(messages=tuple(_message(number) for number in range(size)))
        plain = folder / f"plain-{size}"
        plain.write_bytes(b"x" * (size * 1_000))
        descriptor = os.open(plain, os.O_WRONLY | os.O_APPEND)
        ours, bare = [], []
        with closing(store.open_journal(session.id)) as journal:
            for number in range(_APPENDS):
                message = _message(number)
                ours.append(_spent(partial(_append, journal, message)))
                bare.append(_spent(partial(_append_bare, descriptor, record("append", number, messages=[message]))))
        os.close(descriptor)
        last = min(spent.cpu for spent in ours)  # what a busy machine adds is not what grows
        first = first if size else last
        print(f"one message more at {size / 1_000:.0f} MB: {_figures(_median(ours))}")
        print(f"  bare append and sync: {_figures(_median(bare))}")
        ratios += [_ratios(ours, bare)]
    store.shut()
    walls, cpus = zip(*ratios, strict=True)
    return [
        Bar("one message more at the largest size, times that at none, CPU", last / first, 1.5),
        Bar("durable message through the live journal against append and fdatasync, wall", max(walls), 1.5),
        Bar("durable message through the live journal against append and fdatasync, CPU", max(cpus), 1.5),
    ]


def _ratios(ours: list[Spent], bare: list[Spent]) -> tuple[float, float]:
    """Return by how much ours took longer: neighbours in time are compared, and the median counts."""
    walls = [mine.wall / other.wall for mine, other in zip(ours, bare, strict=True)]
    cpus = [mine.cpu / other.cpu for mine, other in zip(ours, bare, strict=True) if other.cpu]
    return statistics.median(walls), statistics.median(cpus)


def _painted(folder: Path, count: int) -> list[Bar]:
    """Start the window on many held sessions, one of which was being written when its process was killed."""
    data = folder / "home" / "data"
    last = _fill(data, count)
    agents = folder / "person"
    agents.mkdir()
    arguments = ["--home", str(folder / "home"), "--agents-home", str(agents), "--set", "use_keyring=false"]
    subprocess.run([sys.executable, "-m", "holdfast", *arguments, "index", "update"], check=True, capture_output=True)
    with ExitStack() as stack:
        environment = window_environment(stack, folder)
        measure(arguments, environment)
        spent = []
        for _ in range(_ROUNDS):
            _cut_off(data, last)
            spent.append(Spent(*measure(arguments, environment)))
    middle = _median(spent)
    print(f"start to first paint of the window, {count:,} held sessions, one journal to recover: {_figures(middle)}")
    title = f"{count:,} held sessions and one journal to recover: start to first paint of the real window under Xvfb"
    return [Bar(title, middle.wall, 1_000, "ms")]


def _cut_off(folder: Path, session_id: str) -> None:
    """Have a process write to a session and die."""
    code = "import sys; from pathlib import Path; from benchmarks.held import die_writing as die; "
    code += "die(Path(sys.argv[1]), sys.argv[2])"
    subprocess.run([sys.executable, "-c", code, str(folder), session_id], check=True)


def die_writing(folder: Path, session_id: str) -> None:
    """Make a session live, write to it, and end as if killed."""
    journal = _store(folder).open_journal(session_id)
    journal.set(is_live=True)
    journal.flush()
    for number in range(_MESSAGES_CUT_OFF):
        journal.append([_message(number)])
    os._exit(0)


def _append(journal: Journal, message: Message) -> None:
    journal.append([message])
    journal.flush()


def _append_bare(descriptor: int, payload: bytes) -> None:
    os.write(descriptor, payload)
    sync_data(descriptor)


def _store(folder: Path) -> Store:
    return Store.open(folder / "sessions", Keys.open(folder / "keys"))


def _message(number: int, size: int = 1_000) -> Message:
    text = (_WORDS * (size // len(_WORDS) + 1))[: size - 8] + f"{number:08}"
    return Message(f"m{number}", "user" if number % 2 == 0 else "assistant", (Text(text),), 1_760_000_000_000 + number)


def _spent(work: Callable[[], object]) -> Spent:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Spent(_MS * (time.perf_counter() - wall), _MS * (time.process_time() - cpu))


def _median(all_spent: list[Spent]) -> Spent:
    walls, cpus = zip(*all_spent, strict=True)
    return Spent(statistics.median(walls), statistics.median(cpus))


def _figures(spent: Spent) -> str:
    return f"{spent.wall:.3g} ms, {spent.cpu:.3g} ms of CPU"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
