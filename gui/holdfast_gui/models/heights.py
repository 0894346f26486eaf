"""Heights of a long column of parts, with the sum before any of them in logarithmic time."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from itertools import accumulate
from operator import sub


class Heights:
    """A Fenwick tree over heights in pixels; parts of height 0 are never found by position."""

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._heights = array("i")
        self._sums = array("q", [0])
        self.extend(heights)

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, index: int) -> int:
        return self._heights[index]

    @property
    def total(self) -> int:
        """The height of the whole column."""
        return self.before(len(self._heights))

    def extend(self, heights: Iterable[int]) -> None:
        """Add parts at the end, a level of the tree at a time, which keeps the work out of Python's loop."""
        start = len(self._heights)
        self._heights.extend(heights)
        end = len(self._heights)
        sums = array("q", accumulate(self._heights[start:], initial=self.before(start)))
        self._sums.extend([0] * (end - start))
        step = 1
        while step <= end:
            first = start + 1 + (step - (start + 1)) % (2 * step)
            if first <= end and first - step < start:
                self._sums[first] = sums[first - start] - self.before(first - step)
                first += 2 * step
            if first <= end:
                above = sums[first - start :: 2 * step]
                self._sums[first :: 2 * step] = array("q", map(sub, above, sums[first - step - start :: 2 * step]))
            step *= 2

    def truncate(self, length: int) -> None:
        """Forget all parts from ``length`` on."""
        del self._heights[length:]
        del self._sums[length + 1 :]

    def set(self, index: int, height: int) -> int:
        """Change one height and return by how much it grew."""
        change = height - self._heights[index]
        if change:
            self._heights[index] = height
            node = index + 1
            while node < len(self._sums):
                self._sums[node] += change
                node += node & -node
        return change

    def before(self, index: int) -> int:
        """Return the sum of the first ``index`` heights: where part ``index`` begins."""
        total = 0
        while index:
            total += self._sums[index]
            index &= index - 1
        return total

    def at(self, position: int) -> tuple[int, int]:
        """Return the part that covers ``position`` and the offset in it; what lies outside is moved inside.

        An empty column gives (0, 0).
        """
        position = max(0, min(position, self.total - 1))
        index = 0
        step = 1 << len(self._heights).bit_length()
        while step:
            if index + step < len(self._sums) and self._sums[index + step] <= position:
                index += step
                position -= self._sums[index]
            step >>= 1
        return (index, position) if index < len(self._heights) else (0, 0)
