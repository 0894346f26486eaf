"""Tell whoever listens to one object that something happened to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Event = TypeVar("Event")


class Observers(Generic[Event]):
    """The listeners of one object, called in the order in which they came."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Event], None]] = []

    def add(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call ``listener`` with every event from now on; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def notify(self, event: Event) -> None:
        """Call every listener with ``event``, in the thread of the caller."""
        for listener in tuple(self._listeners):
            listener(event)
