"""Finds words in a transcript, a slice of time after another, and keeps the hit the person stands at."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from holdfast_gui.models.transcript import TextHit, TranscriptModel

SLICE_SECONDS = 0.012
NO_LIMIT = 1 << 40


class Finder(QObject):
    """The hits of some words in one model. `changed` follows every slice and every step.

    The current hit is the nearest; ``is_at_hit`` tells whether it was gone to.
    """

    changed = Signal()
    jumped = Signal()

    def __init__(self, model: TranscriptModel, parent: QObject) -> None:
        super().__init__(parent)
        self._model = model
        self.words: tuple[str, ...] = ()
        self.hits: list[TextHit] = []
        self.current = -1
        self.is_at_hit = False
        self._slices: Iterator[list[TextHit]] | None = None
        self._from_part = 0
        self._jumps_before = 0
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._look)

    @property
    def is_complete(self) -> bool:
        """Whether all text has been looked at."""
        return self._slices is None

    @property
    def hit(self) -> TextHit | None:
        """The hit the person stands at."""
        return self.hits[self.current] if 0 <= self.current < len(self.hits) else None

    def start(self, words: Sequence[str], *, from_part: int = 0, jumps: bool = True) -> None:
        """Look for any of ``words``; the first hit from ``from_part`` on becomes the current one."""
        self.words = tuple(word for word in words if word.strip())
        self.hits = []
        self.current = -1
        self.is_at_hit = False
        self._from_part = from_part
        self._jumps_before = NO_LIMIT if jumps else 0
        self._slices = self._model.find(self.words, seconds=SLICE_SECONDS) if self.words else None
        if self._slices is None:
            self._timer.stop()
            self.changed.emit()
        else:
            self._look()
            if self._slices is not None:
                self._timer.start()

    def again(self) -> None:
        """Look anew for the same words: the session grew. The current hit stays where it is."""
        if self.words:
            pending, was_at_hit = self._jumps_before, self.is_at_hit
            self.start(self.words, from_part=self.hit.part if self.hit else self._from_part, jumps=False)
            self.is_at_hit = was_at_hit
            if pending:
                self.stand_at(self._from_part, before=pending)

    def forget_from(self, part: int) -> None:
        """Forget the hits in ``part`` and all after it: they are made anew."""
        here = self.hit
        if here is not None and here.part >= part:
            self._from_part, self.current = here.part, -1
        self.hits = [hit for hit in self.hits if hit.part < part]

    def stand_at(self, part: int, *, before: int) -> None:
        """Make the first hit from ``part`` on the current one, and go there if it lies before part ``before``."""
        self._from_part = part
        self._jumps_before = before
        self.current = -1
        self.is_at_hit = False
        self._choose()
        if self.current < 0 and self.is_complete and self.hits:
            self.current = 0
        self.changed.emit()

    def step(self, direction: int) -> None:
        """Go to the next or the previous hit, round the ends; from beside a hit the next one is that."""
        if self.hits:
            self.current = (self.current + (direction if self.is_at_hit else min(direction, 0))) % len(self.hits)
            self.is_at_hit = True
            self.changed.emit()
            self.jumped.emit()

    def ordinal(self, start: int, hit: TextHit) -> int:
        """Return how many hits of the same section stand between ``start`` and ``hit``."""
        first = bisect_left(self.hits, (hit.part, hit.section, start), key=_order)
        return bisect_left(self.hits, _order(hit), key=_order) - first

    def _look(self) -> None:
        found = next(self._slices, None) if self._slices is not None else None
        if found is None:
            self._slices = None
            self._timer.stop()
            if self.current < 0 and self.hits:
                self.current = 0
                self._jump()
        else:
            self.hits.extend(found)
            self._choose()
        self.changed.emit()

    def _choose(self) -> None:
        if self.current < 0:
            first = bisect_left(self.hits, (self._from_part, 0, 0), key=_order)
            if first < len(self.hits):
                self.current = first
                self._jump()

    def _jump(self) -> None:
        limit, self._jumps_before = self._jumps_before, 0
        if self.hits[self.current].part < limit:
            self.is_at_hit = True
            self.jumped.emit()


def _order(hit: TextHit) -> tuple[int, int, int]:
    return hit.part, hit.section, hit.start
