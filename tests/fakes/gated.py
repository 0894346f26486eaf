"""A real store whose steps a test can hold up: whoever takes one passes its gates first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Gated:
    """Everything of ``inner``; each call passes ``gates`` with its name. The journal that it opens does so, too."""

    def __init__(self, inner: Any, gates: list[Callable[[str], None]] | None = None) -> None:
        self._inner = inner
        self.gates = [] if gates is None else gates

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if not callable(value):
            return value

        def call(*values: Any, **named: Any) -> Any:
            for gate in tuple(self.gates):
                gate(name)
            result = value(*values, **named)
            return Gated(result, self.gates) if name == "open_journal" else result

        return call
