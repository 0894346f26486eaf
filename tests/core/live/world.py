"""Hosts of live sessions on a real store, with time that a test moves."""

from __future__ import annotations

from typing import Any

from holdfast_core.live.host import Host, HostLimits
from holdfast_core.metrics import Metrics
from holdfast_core.model.held import HeldSession
from holdfast_core.model.live import LiveEntry, LiveEvent
from holdfast_core.model.message import Message, Text
from holdfast_core.store.claims import is_claimed
from holdfast_core.store.store import Store

from tests.fakes.gated import Gated
from tests.fakes.timer import FakeTimer
from tests.fakes.waiting import until


def said(text: str) -> Message:
    return Message(text, "user", (Text(text),))


class World:
    """One store, one clock, and as many hosts as asked for."""

    def __init__(self, store: Store) -> None:
        self.inner = store
        self.store = Gated(store)
        self.timer: Any = FakeTimer()
        self.metrics = Metrics(since_ms=0)
        self.events: list[LiveEvent] = []
        self.hosts: list[Host] = []

    def host(self, **limits: Any) -> Host:
        host = Host(
            self.store, HostLimits(**limits), self.timer, locks=self.inner.site.places.locks, metrics=self.metrics
        )
        host.events.add(self.events.append)
        self.hosts.append(host)
        return host

    async def started(self, host: Host, **fields: Any) -> HeldSession:
        session: HeldSession = self.inner.create(**fields)
        await host.start(session.id)
        return session

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]

    def bytes_of(self, session_id: str) -> bytes:
        """What stands on the disk of a session."""
        return self.inner.site.places.session(session_id).read_bytes()

    def is_open(self, session_id: str) -> bool:
        """Whether anybody has a session open for writing."""
        return is_claimed(self.inner.site.places.claim(session_id))

    @property
    def is_durable(self) -> bool:
        """Whether the last change that was written was flushed."""
        last = {step: place for place, step in enumerate(self.store.steps)}
        return last.get("flush", -1) > max(last.get("set", -1), last.get("append", -1))

    async def pass_until_saved(self, host: Host, session_id: str, *, seconds: float = 0.2) -> LiveEntry:
        """Let time pass, and return the entry as soon as everything of the session is durable."""
        await self.timer.advance(seconds)
        await until(lambda: self.is_durable)
        await until(lambda: entry_of(host, session_id).saved_ms is not None)
        return entry_of(host, session_id)


class Directory:
    """A project as whoever checked it holds it."""

    def __init__(self, inode: int) -> None:
        self.identity = (1, inode)


def entry_of(host: Host, session_id: str) -> LiveEntry:
    return next(entry for entry in host.entries() if entry.id == session_id)
