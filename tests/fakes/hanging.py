"""An agent one of whose homes is on a share that hangs: whoever looks there waits until it answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from holdfast_core.agents.base import Home, SourceRef

from tests.fakes.agent import FakeAgent


class HangingAgent(FakeAgent):
    """A fake agent that reads files like every other; in ``hanging`` it waits for ``answers`` first."""

    def __init__(self, hanging: Path) -> None:
        super().__init__()
        self.hanging = hanging
        self.answers = threading.Event()
        self.answers.set()
        self.looks = 0

    def discover(self, home: Home) -> Iterator[SourceRef]:
        """Yield every file below the root, as soon as the share answers."""
        self._wait(home)
        yield from super().discover(home)

    def refs_for(self, home: Home, paths: Sequence[str]) -> Iterator[SourceRef]:
        """Yield the files at or below ``paths``, as soon as the share answers."""
        self._wait(home)
        yield from super().refs_for(home, paths)

    def _wait(self, home: Home) -> None:
        if home.path == self.hanging:
            self.looks += 1
            self.answers.wait()
