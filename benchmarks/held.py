"""What a store of many held sessions costs: listing them, the check at the start, one change more at any size.

    python -m benchmarks.held [--sessions 10000] [--kilobytes 8000]

What is compared takes turns, so that both meet the same weather. What the
container alone costs, without locks, validation and list, is in `sealed`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import closing
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

from benchmarks.report import Bar, bars

PLACE = Path(__file__).resolve().parent.parent / "build" / "benchmarks" / "scratch"
_WORDS = "The parser keeps the offset of the last whole line and reads on from there when the file has grown. "
_MS = 1_000
_ROUNDS = 5
_APPENDS = 200


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
        found = [*_many(Path(folder) / "many", options.sessions), *_appends(Path(folder) / "one", options.kilobytes)]
    print(bars(found))
    return 0 if all(bar.is_met for bar in found) else 1


def _many(folder: Path, count: int) -> list[Bar]:
    """Measure a store of many sessions, one of which was being written when its process ended."""
    _fill(folder, count)
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
        Bar(f"{count} sessions listed, CPU", listing.cpu, 50, "ms"),
        Bar(f"check at the start of {count} sessions and one journal", first.wall, 1_000, "ms"),
    ]


def _fill(folder: Path, count: int) -> None:
    store = _store(folder)
    for number in range(count):
        last = store.create(
            title=f"Session {number} about parsers",
            project_path=f"/home/ada/project-{number % 50}",
            tags=("one", "two"),
            usage=Usage(1_000, 200),
            messages=(_message(number, 300),),
        )
    journal = store.open_journal(last.id)
    journal.set(is_live=True)
    journal.flush()
    for number in range(500):
        journal.append([_message(number)])


def _appends(folder: Path, kilobytes: int) -> list[Bar]:
    """Measure one durable message more at several sizes, beside the same bytes appended to a plain file."""
    store = _store(folder)
    first = last = 0.0
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
    store.shut()
    return [Bar("one message more at the largest size, times that at none, CPU", last / first, 1.5)]


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
