"""A real store whose steps a test can hold up or let fail: whoever takes one passes its gates first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


class Gated:
    """Everything of ``inner``; each call passes ``gates`` with its name. The journal that it opens does so, too.

    ``steps`` are the calls that were done, ``threads`` where. The gates of
    ``close`` come after it: what fails there has let go all the same.
    """

    def __init__(self, inner: Any, parent: Gated | None = None) -> None:
        self.inner = inner
        self.gates: list[Callable[[str], None]] = parent.gates if parent else []
        self.steps: list[str] = parent.steps if parent else []
        self.threads: set[int] = parent.threads if parent else set()

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.inner, name)
        if not callable(value):
            return value

        def call(*values: Any, **named: Any) -> Any:
            if name != "close":
                self._pass(name)
            result = value(*values, **named)
            self.threads.add(threading.get_ident())
            self.steps.append(name)
            if name == "close":
                self._pass(name)
            return Gated(result, self) if name == "open_journal" else result

        return call

    def _pass(self, name: str) -> None:
        for gate in tuple(self.gates):
            gate(name)


class Gate:
    """Holds up one kind of step until it is opened; ``arrived`` is set when somebody stands at it."""

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
    """Makes one kind of step fail for as long as ``is_on``."""

    def __init__(self, name: str, error: Exception) -> None:
        self._name = name
        self._error = error
        self.is_on = True
        self.count = 0

    def __call__(self, name: str) -> None:
        if name == self._name and self.is_on:
            self.count += 1
            raise self._error
