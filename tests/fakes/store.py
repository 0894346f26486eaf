"""A store of held sessions that works and keeps them in memory: what was flushed would survive, the rest would not."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from holdfast_core.errors import NotFound, Refused
from holdfast_core.model.held import HELD_AGENT, HeldEntry, HeldSession
from holdfast_core.model.message import Message


def new_id() -> str:
    return str(uuid.uuid4())


class FakeStore:
    """Sessions by id. ``durable`` is what the disk has, ``written`` what was written; a journal's close writes nothing.

    ``gates`` are called with the name of a step (load, open, append, set,
    flush, fold, close) before it happens, in its thread: what one raises
    makes the step fail, what one waits for holds it up. ``steps`` are those
    that were done.
    """

    def __init__(self, *, failures_limit: int = 3) -> None:
        self.durable: dict[str, HeldSession] = {}
        self.written: dict[str, HeldSession] = {}
        self.gates: list[Callable[[str], None]] = []
        self.steps: list[str] = []
        self.threads: set[int] = set()
        self.counted: Counter[str] = Counter()
        self.open_journals: set[str] = set()
        self._lock = threading.RLock()

    def create(self, **fields: Any) -> HeldSession:
        session = HeldSession(**{"id": new_id(), "created_ms": 1, "updated_ms": 1} | fields)
        with self._lock:
            self.durable[session.id] = self.written[session.id] = session
        return session

    def load(self, session_id: str) -> HeldSession:
        self.step("load")
        with self._lock:
            if session_id not in self.written:
                raise NotFound("There is no such session.")
            return self.written[session_id]

    def open_journal(self, session_id: str) -> FakeJournal:
        self.step("open")
        with self._lock:
            if session_id in self.open_journals:
                raise Refused("Another one writes this session.")
            if session_id not in self.written:
                raise NotFound("There is no such session.")
            self.open_journals.add(session_id)
        return FakeJournal(self, session_id)

    def entry(self, session_id: str) -> HeldEntry:
        with self._lock:
            if session_id not in self.written:
                raise NotFound("There is no such session.")
            session, failures = self.written[session_id], self.counted[session_id]
        return HeldEntry(
            id=session.id,
            title=session.title,
            project_path=session.project_path,
            agent=session.config.agent or HELD_AGENT,
            message_count=len(session.messages),
            failures=failures,
        )

    def failed(self, session_id: str) -> int:
        self.counted[session_id] += 1
        return self.counted[session_id]

    def succeeded(self, session_id: str) -> None:
        del self.counted[session_id]

    def step(self, name: str) -> None:
        """Pass the gates."""
        for gate in tuple(self.gates):
            gate(name)
        self.threads.add(threading.get_ident())
        self.steps.append(name)

    def change(self, session_id: str, **fields: Any) -> None:
        with self._lock:
            self.written[session_id] = msgspec.structs.replace(self.written[session_id], **fields)

    def make_durable(self, session_id: str) -> None:
        with self._lock:
            self.durable[session_id] = self.written[session_id]


class FakeJournal:
    """The end of one session of a `FakeStore`."""

    def __init__(self, store: FakeStore, session_id: str) -> None:
        self._store = store
        self._id = session_id

    @property
    def entry(self) -> HeldEntry:
        return self._store.entry(self._id)

    def read(self) -> HeldSession:
        return self._store.load(self._id)

    def append(self, messages: Sequence[Message]) -> None:
        self._store.step("append")
        before = self._store.written[self._id].messages
        self._store.change(self._id, messages=(*before, *messages))

    def set(self, **fields: Any) -> None:
        self._store.step("set")
        self._store.change(self._id, **fields)

    def flush(self) -> None:
        self._store.step("flush")
        self._store.make_durable(self._id)

    def fold(self) -> None:
        self._store.step("fold")
        self._store.make_durable(self._id)

    def close(self) -> None:
        self._store.open_journals.discard(self._id)
        self._store.step("close")


class Gate:
    """Holds up one kind of step of a `FakeStore` until it is opened; ``arrived`` is set when somebody stands at it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.arrived = threading.Event()
        self._is_open = threading.Event()

    def __call__(self, name: str) -> None:
        if name == self._name:
            self.arrived.set()
            assert self._is_open.wait(20), f"nobody let {name} go on"

    def open(self) -> None:
        """Let everybody through from now on."""
        self._is_open.set()


class Failure:
    """Makes one kind of step of a `FakeStore` fail for as long as ``is_on``."""

    def __init__(self, name: str, error: Exception) -> None:
        self._name = name
        self._error = error
        self.is_on = True
        self.count = 0

    def __call__(self, name: str) -> None:
        if name == self._name and self.is_on:
            self.count += 1
            raise self._error
