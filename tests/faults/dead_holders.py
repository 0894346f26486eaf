"""Kills a process that holds a lock of ours while two others wait for it; says after how long both went on.

A small process of its own: `python -m tests.faults.dead_holders DIRECTORY SESSION WHAT`. Its children end with it.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import filelock
from holdfast_core.audit import AuditLog
from holdfast_core.errors import Refused
from holdfast_core.sealed.keys import Keys
from holdfast_core.sealed.locks import lock
from holdfast_core.settings import change_setting
from holdfast_core.store.store import Store

from tests.faults.writers import paths_below

GIVE_UP_SECONDS: Final = 20
MOMENT_SECONDS: Final = 0.1
ROUNDS: Final = 3


@dataclass
class Held:
    """A store, and what stands beside it, as any process opens it."""

    root: Path
    session_id: str

    def store(self) -> Store:
        return Store.open(self.root / "sessions", Keys.open(self.root / "keys"))

    def session(self) -> AbstractContextManager[None]:
        return lock(self.store().site.places.lock(self.session_id), timeout_seconds=1)

    def change(self) -> None:
        self.store().set(self.session_id, notes="changed")

    @contextmanager
    def opened(self) -> Iterator[None]:
        journal = self.store().open_journal(self.session_id)
        yield
        journal.close()

    def open(self) -> None:
        while True:  # it is refused at once, as a person is told
            try:
                return self.store().open_journal(self.session_id).close()
            except Refused:
                continue

    def keys(self) -> AbstractContextManager[None]:
        return lock(self.root / "keys" / "keys.lock", timeout_seconds=1)

    def rotate(self) -> None:
        Keys.open(self.root / "keys").rotate()

    def audit(self) -> AbstractContextManager[object]:
        return filelock.FileLock(self.root / "audit.log.lock")

    def record(self) -> None:
        AuditLog.open(self.root / "audit.log", b"k" * 32).record("session.saved")

    def settings(self) -> AbstractContextManager[object]:
        return filelock.FileLock(paths_below(self.root).config / "settings.lock")

    def set(self) -> None:
        change_setting(paths_below(self.root), "tray_sessions", 3)


HOLDS: dict[str, tuple[Callable[[Held], AbstractContextManager[object]], Callable[[Held], None]]] = {
    "a session that is changed": (Held.session, Held.change),
    "a session that is open": (Held.opened, Held.open),
    "the keys": (Held.keys, Held.rotate),
    "the audit log": (Held.audit, Held.record),
    "the settings": (Held.settings, Held.set),
}


def main(root: str, session_id: str, what: str) -> None:
    """Print the seconds of the slowest of some rounds; a child that outlives its time is ended."""
    held = Held(Path(root), session_id)
    sys.stdout.write(f"{max(freed_after(held, what) for _ in range(ROUNDS))}\n")


def freed_after(held: Held, what: str) -> float:
    """Return how long after the death of the holder both of those that wait had their turn."""
    hold, use = HOLDS[what]
    holder, holds = child(lambda say: holding(hold(held), say))
    assert os.read(holds, 1) == b"!"
    users = [child(lambda say: using(use, held, say)) for _ in range(2)]
    for _, began in users:
        assert os.read(began, 1) == b"?"
    assert ready(users, MOMENT_SECONDS) == []  # they wait for it

    os.kill(holder, signal.SIGKILL)
    killed = time.monotonic()
    assert [os.read(done, 1) for _, done in users] == [b".", b"."]
    seconds = time.monotonic() - killed
    for process, pipe in (*users, (holder, holds)):
        os.waitpid(process, 0)
        os.close(pipe)
    return seconds


def child(work: Callable[[Callable[[bytes], object]], None]) -> tuple[int, int]:
    """Let a child work and return its number and the end of a pipe on which it says how far it is."""
    reading, writing = os.pipe()
    process = os.fork()
    if process:
        os.close(writing)
        return process, reading
    code = 1
    signal.alarm(GIVE_UP_SECONDS)
    try:
        work(lambda word: os.write(writing, word))
        code = 0
    finally:
        os._exit(code)


def holding(lock_of_it: AbstractContextManager[object], say: Callable[[bytes], object]) -> None:
    with lock_of_it:
        say(b"!")
        signal.pause()


def using(use: Callable[[Held], None], held: Held, say: Callable[[bytes], object]) -> None:
    say(b"?")
    use(held)
    say(b".")


def ready(users: list[tuple[int, int]], seconds: float) -> list[int]:
    return select.select([pipe for _, pipe in users], [], [], seconds)[0]


if __name__ == "__main__":
    main(*sys.argv[1:])
