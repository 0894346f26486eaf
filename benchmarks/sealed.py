"""What sealing costs: appending against the bare disk, auto-saves against whole rewrites, cached keys, verifying.

    python -m benchmarks.sealed [--saves 3000]

What is compared takes turns, so that both meet the same weather; ratios mean
something on any machine, milliseconds on this one alone. CPU stands beside the
wall clock, because a busy disk hides everything else.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from holdfast_core.sealed.container import Container, Identity, Position, Tail, write
from holdfast_core.sealed.keys import Keys

from benchmarks.report import Bar, Row, bars, table
from benchmarks.words import Words

PLACE = Path(__file__).resolve().parent.parent / "build" / "benchmarks" / "scratch" / "sealed"
IDENTITY = Identity("document", "7d444840-9dc0-41d1-b245-5ffdce74fad2")
MB = 1_000_000
FRAME_BYTES = 128 * 1024
PASSPHRASE = "correct horse battery staple"


class Spent(NamedTuple):
    """Time of one thing, in seconds."""

    wall: float
    cpu: float


def main(arguments: list[str]) -> int:
    """Measure and print; returns 1 if a bar is not met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--saves", type=int, default=3000, help="auto-saves of the growing session (3000)")
    options = parser.parse_args(arguments)
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)
    keys = Keys.open(PLACE / "keys")
    rows: list[Row] = []
    limits: list[Bar] = []
    for measure in (measure_append, measure_verify, measure_keys):
        measure(keys, rows, limits)
    measure_saves(keys, rows, limits, saves=options.saves)
    print(f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}\n")
    print(table(rows, ["Holdfast", "compared with"]))
    print(bars(limits), flush=True)
    shutil.rmtree(PLACE, ignore_errors=True)
    return int(not all(bar.is_met for bar in limits))


def measure_append(keys: Keys, rows: list[Row], limits: list[Bar], *, times: int = 400) -> None:
    """Append one durable message to small and large files, beside a bare append of the same bytes."""
    message = _messages(1)[0]
    at_size: dict[int, float] = {}
    for megabytes in (0, 8):
        path = PLACE / f"append-{megabytes}"
        position = _grown(path, keys, megabytes * MB)
        tail = Tail.open(path, keys, IDENTITY, position)
        bare_path = PLACE / f"bare-{megabytes}"
        bare = os.open(bare_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(bare, bytes(path.stat().st_size))
        os.fsync(bare)
        stored = bytes(len(message) + 52)
        ours, theirs = _in_turn(partial(tail.append, [message]), partial(_bare_append, bare, stored), times=times)
        tail.close()
        os.close(bare)
        at_size[megabytes] = _wall(ours)
        title = f"durable append of {len(message)} bytes at {megabytes} MB"
        _compared(rows, title, ours, theirs, unit="ms", scale=1000)
        # The disk of a shared machine is now fast, now slow: neighbours in time are compared, and the median counts.
        ratio = statistics.median(mine.wall / bare.wall for mine, bare in zip(ours, theirs, strict=True))
        limits.append(Bar(f"durable append at {megabytes} MB against append and fdatasync", ratio, 1.5))
    limits.append(Bar("durable append at 8 MB against 0 MB", _flatness(keys), 1.25))


def measure_verify(keys: Keys, rows: list[Row], limits: list[Bar]) -> None:
    """Read and verify a file of incompressible frames, and one that is all tail, of which folding makes frames."""
    path = PLACE / "verify"
    write(path, keys, IDENTITY, (os.urandom(MB) for _ in range(16)), expected_generation=None, encrypt=False)
    tail_path = PLACE / "verify-tail"
    message = os.urandom(1270)
    records = (message for _ in range(8 * MB // len(message)))
    write(tail_path, keys, IDENTITY, [], expected_generation=None, encrypt=False, tail=records)
    for title, file in (("frames", path), ("tail", tail_path)):
        size = file.stat().st_size / MB
        spent = [_spent(partial(Container.open, file, keys, IDENTITY)) for _ in range(15)]
        rows.append(Row(f"verify 1 MB of {title}, wall", {"Holdfast": _wall(spent) * 1000 / size}, "ms"))
        rows.append(Row(f"verify 1 MB of {title}, CPU", {"Holdfast": _cpu(spent) * 1000 / size}, "ms"))
        if title == "frames":
            limits.append(Bar("verify 1 MB of frames, CPU", _cpu(spent) * 1000 / size, 1, "ms"))


def measure_keys(keys: Keys, rows: list[Row], limits: list[Bar]) -> None:
    """Save 100 KB with keys that are in memory, beside deriving one from the passphrase at each save."""
    keys.set_passphrase(PASSPHRASE, recovery=False)
    frames = list(_frames(_messages(68)))
    path = PLACE / "keys-100KB"
    generation = write(path, keys, IDENTITY, frames, expected_generation=None, encrypt=True).generation

    def save() -> None:
        nonlocal generation
        generation = write(path, keys, IDENTITY, frames, expected_generation=generation, encrypt=True).generation

    def derive_and_save() -> None:
        keys.lock()
        keys.unlock(PASSPHRASE)
        save()

    # Not in turn: deriving fills the processor's caches with 64 MB of its own, which no other save has to pay for.
    cached = [_spent(save) for _ in range(61)]
    derived = [_spent(derive_and_save) for _ in range(9)]
    title = f"save of {sum(map(len, frames)) // 1000} KB, encrypted; beside: with Argon2id"
    _compared(rows, title, cached, derived, unit="ms", scale=1000)
    stretch = [_spent(partial(hashlib.pbkdf2_hmac, "sha256", b"x" * 20, b"s" * 16, 600_000)) for _ in range(3)]
    rows.append(Row("PBKDF2-SHA256, 600,000 rounds, CPU", {"compared with": _cpu(stretch) * 1000}, "ms"))
    limits.append(
        Bar("100 KB saved with the cached key, CPU against derivation", 100 * _cpu(cached) / _cpu(derived), 1, "%")
    )
    keys.remove_passphrase()


def measure_saves(keys: Keys, rows: list[Row], limits: list[Bar], *, saves: int) -> None:
    """Save a session after each of its messages: into the tail, folded when it is long, and whole each time."""
    messages = _messages(saves)
    ours = _grow_by_tail(keys, messages)
    whole = _grow_by_rewriting(keys, messages)
    _compared(
        rows, f"{saves:,} auto-saves to {sum(map(len, messages)) / MB:.1f} MB", [ours], [whole], unit="s", scale=1
    )
    limits.append(
        Bar(f"{saves:,} auto-saves against whole rewrites, wall", 100 * ours.wall / whole.wall, 100 / 30, "%")
    )
    limits.append(Bar(f"{saves:,} auto-saves against whole rewrites, CPU", 100 * ours.cpu / whole.cpu, 100 / 30, "%"))


def _grow_by_tail(keys: Keys, messages: list[bytes]) -> Spent:
    path = PLACE / "tail"

    def grow() -> None:
        position = write(path, keys, IDENTITY, [b"{}"], expected_generation=None, encrypt=False)
        base = position.offset
        tail = Tail.open(path, keys, IDENTITY, position)
        for count, message in enumerate(messages, 1):
            position = tail.append([message])
            if position.offset - base > max(MB, base // 2):
                tail.close()
                position = write(
                    path,
                    keys,
                    IDENTITY,
                    [b"{}", *_frames(messages[:count])],
                    expected_generation=position.generation,
                    expected_position=position,
                    encrypt=False,
                )
                base = position.offset
                tail = Tail.open(path, keys, IDENTITY, position)
        tail.close()

    return _spent(grow)


def _grow_by_rewriting(keys: Keys, messages: list[bytes]) -> Spent:
    path = PLACE / "whole"

    def grow() -> None:
        generation = None
        for count in range(1, len(messages) + 1):
            frames = [b"{}", *_frames(messages[:count])]
            generation = write(path, keys, IDENTITY, frames, expected_generation=generation, encrypt=False).generation

    return _spent(grow)


def _flatness(keys: Keys, *, times: int = 300) -> float:
    """Return how much longer an append takes at 8 MB than at the beginning, in turn."""
    message = _messages(1)[0]
    tails = []
    for megabytes in (8, 0):
        path = PLACE / f"flat-{megabytes}"
        tails.append(Tail.open(path, keys, IDENTITY, _grown(path, keys, megabytes * MB)))
    long, short = _in_turn(*(partial(tail.append, [message]) for tail in tails), times=times)
    for tail in tails:
        tail.close()
    return statistics.median(one.wall / other.wall for one, other in zip(long, short, strict=True))


def _grown(path: Path, keys: Keys, size_bytes: int) -> Position:
    """Make a container whose tail has this size."""
    position = write(path, keys, IDENTITY, [b"{}"], expected_generation=None, encrypt=False)
    tail = Tail.open(path, keys, IDENTITY, position)
    payload = os.urandom(4000)
    while position.offset < size_bytes:
        position = tail.append([payload] * 200, sync=False)
    tail.sync()
    tail.close()
    return position


def _messages(count: int) -> list[bytes]:
    """Return messages as sessions have them, 1.27 KB each."""
    words = Words(7)
    texts = [words.prose(1150) for _ in range(count)]
    return [json.dumps({"id": number, "role": "user", "text": text}).encode() for number, text in enumerate(texts)]


def _frames(messages: list[bytes]) -> Iterable[bytes]:
    frame: list[bytes] = []
    size = 0
    for message in messages:
        frame.append(message)
        size += len(message)
        if size >= FRAME_BYTES:
            yield b"[" + b",".join(frame) + b"]"
            frame, size = [], 0
    if frame:
        yield b"[" + b",".join(frame) + b"]"


def _bare_append(descriptor: int, data: bytes) -> None:
    os.write(descriptor, data)
    getattr(os, "fdatasync", os.fsync)(descriptor)


def _in_turn(one: Callable[[], object], other: Callable[[], object], *, times: int) -> tuple[list[Spent], list[Spent]]:
    spent: tuple[list[Spent], list[Spent]] = ([], [])
    for number in range(2 * times):
        # Whoever comes second finds the disk busy with the first: they change places each time.
        place = (number + number // 2) % 2
        spent[place].append(_spent((one, other)[place]))
    return spent


def _spent(action: Callable[[], object]) -> Spent:
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def _compared(rows: list[Row], title: str, ours: list[Spent], theirs: list[Spent], *, unit: str, scale: float) -> None:
    for name, of in (("wall", _wall), ("CPU", _cpu)):
        values = {"Holdfast": of(ours) * scale, "compared with": of(theirs) * scale}
        rows.append(Row(f"{title}, {name}", values, unit))


def _wall(spent: list[Spent]) -> float:
    return statistics.median(one.wall for one in spent)


def _cpu(spent: list[Spent]) -> float:
    return statistics.median(one.cpu for one in spent)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
