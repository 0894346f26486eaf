"""A host of live sessions on a store in memory, with time that a test moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from holdfast_core.live.host import Host, HostLimits
from holdfast_core.metrics import Metrics
from holdfast_core.model.held import HeldSession
from holdfast_core.model.live import LiveEntry, LiveEvent
from holdfast_core.model.message import Message, Text

from tests.fakes.store import FakeStore
from tests.fakes.timer import FakeTimer
from tests.fakes.waiting import until


def said(text: str) -> Message:
    return Message(text, "user", (Text(text),))


class World:
    """One store, one clock, and as many hosts as asked for."""

    def __init__(self, path: Path) -> None:
        self.locks = path / "locks"
        self.locks.mkdir()
        self.store = FakeStore()
        self.timer = FakeTimer()
        self.metrics = Metrics(since_ms=0)
        self.events: list[LiveEvent] = []
        self.hosts: list[Host] = []

    def host(self, **limits: Any) -> Host:
        host = Host(self.store, HostLimits(**limits), self.timer, locks=self.locks, metrics=self.metrics)
        host.events.add(self.events.append)
        self.hosts.append(host)
        return host

    async def started(self, host: Host, **fields: Any) -> HeldSession:
        session = self.store.create(**fields)
        await host.start(session.id)
        return session

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]

    async def pass_until_saved(self, host: Host, session_id: str, *, seconds: float = 0.2) -> LiveEntry:
        """Let time pass, and return the entry as soon as everything of the session is durable."""
        await self.timer.advance(seconds)
        await until(lambda: self.store.durable[session_id] == self.store.written[session_id])
        await until(lambda: entry_of(host, session_id).saved_ms is not None)
        return entry_of(host, session_id)


class Directory:
    """A project as whoever checked it holds it."""

    def __init__(self, inode: int) -> None:
        self.identity = (1, inode)


def entry_of(host: Host, session_id: str) -> LiveEntry:
    return next(entry for entry in host.entries() if entry.id == session_id)
