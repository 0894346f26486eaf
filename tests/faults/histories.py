"""Several processes at one store: nothing that was acknowledged is lost or doubled, whoever is killed (POSIX)."""

from __future__ import annotations

import logging
import mmap
import os
import random
import signal
import struct
import time
import traceback
from pathlib import Path
from typing import Final

from holdfast_core.errors import HoldfastError
from holdfast_core.model.message import Message, Text
from holdfast_core.sealed.keys import Keys
from holdfast_core.store.store import Store

from tests.faults.programme import Report, fast_directory

_PROCESSES: Final = 4
_SESSIONS: Final = 2
_STEPS: Final = 30
_LOCK_FREE_SECONDS: Final = 1.0


def every_history(histories: int, *, seed: int = 11) -> Report:
    """Let a live window, two command lines and one that will be killed change the same sessions at once."""
    chance = random.Random(seed)
    report = Report()
    for number in range(histories):
        with fast_directory() as root:
            kept, broken = _history(root, chance.randrange(1 << 30))
        report += Report(1, kept, [f"history {number}: {one}" for one in broken])
    return report


def _history(root: Path, seed: int) -> tuple[int, list[str]]:
    store = Store.open(root / "made" / "sessions", Keys.open(root / "made" / "keys"))
    ids = [store.create(title="start").id for _ in range(_SESSIONS)]
    store.shut()
    root = (root / "made").rename(root / "shared")  # a lock that was held here before must not be known to children
    told = [mmap.mmap(-1, mmap.PAGESIZE) for _ in range(_PROCESSES)]
    processes = [_start(root, ids, place, told[place], seed + place) for place in range(_PROCESSES)]
    victim = processes[-1]
    while not any(_acknowledged(told[-1])):
        time.sleep(0)  # lets the others run
    os.kill(victim, signal.SIGKILL)
    broken = [] if _is_free(root, ids) else ["the lock of a dead process was held for longer than a second"]
    for process in processes:
        if process != victim and os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]):
            broken.append("a process ended with an error")
    os.waitpid(victim, 0)
    acknowledged = [_acknowledged(one) for one in told]
    return sum(map(sum, acknowledged)), broken + _lost(root, ids, acknowledged)


def _start(root: Path, ids: list[str], place: int, told: mmap.mmap, seed: int) -> int:
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        logging.disable(logging.WARNING)
        _work(Store.open(root / "sessions", Keys.open(root / "keys")), ids, place, told, random.Random(seed))
        code = 0
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        os._exit(code)


def _work(store: Store, ids: list[str], place: int, told: mmap.mmap, chance: random.Random) -> None:
    """Append numbered messages here and there, change fields and fold in between; write down what was acknowledged."""
    steps = 1_000_000 if place == _PROCESSES - 1 else _STEPS
    numbers = [0] * _SESSIONS
    for _ in range(steps):
        target = chance.randrange(_SESSIONS)
        number = numbers[target] + 1
        message = Message(id=f"{place}-{number}", role="user", blocks=(Text("word " * chance.randrange(300)),))
        match chance.randrange(4):
            case 0:
                store.set(ids[target], title=f"{place}")
                continue
            case 1:
                journal = store.open_journal(ids[target])
                journal.append([message])
                journal.flush()
                journal.fold(always=chance.random() < 0.5)
                journal.close()
            case _:
                store.append(ids[target], [message])
        numbers[target] = number
        struct.pack_into(f"<{_SESSIONS}H", told, 0, *numbers)


def _acknowledged(told: mmap.mmap) -> tuple[int, ...]:
    return struct.unpack_from(f"<{_SESSIONS}H", told)


def _is_free(root: Path, ids: list[str]) -> bool:
    """Return whether every session can be changed within a second of a holder's death."""
    store = Store.open(root / "sessions", Keys.open(root / "keys"))
    began = time.monotonic()
    for one in ids:
        store.set(one, notes="free")
    waited = time.monotonic() - began
    store.shut()
    return waited < _LOCK_FREE_SECONDS * len(ids)


def _lost(root: Path, ids: list[str], acknowledged: list[tuple[int, ...]]) -> list[str]:
    store = Store.open(root / "sessions", Keys.open(root / "keys"))
    broken = []
    for target, one in enumerate(ids):
        found = [message.id for message in store.load(one).messages]
        for place, counts in enumerate(acknowledged):
            own = [name for name in found if name.startswith(f"{place}-")]
            wanted = [f"{place}-{number}" for number in range(1, counts[target] + 1)]
            is_victim = place == _PROCESSES - 1
            if own[: len(wanted)] != wanted or len(own) > len(wanted) + is_victim:
                broken.append(f"process {place} was told of {len(wanted)} messages, {len(own)} are there")
    try:
        broken += [f"{bad.id}: {bad.reason}" for bad in store.verify().bad]
    except HoldfastError as error:
        broken.append(f"verification ended: {error}")
    store.shut()
    return broken
