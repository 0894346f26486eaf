"""The column of chunks behind the window: which are seen, where they stand, and how scrolling moves them.

The place is kept as (part, chunk, offset), never as a distance from the top:
heights above are estimates, and correcting them must not move what is read.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from holdfast_gui.models.transcript import TranscriptModel
from holdfast_gui.views.transcript.chunk import Chunk

DOCUMENTS = 200
COMPOSED = 1_500  # parts whose chunks are remembered
TOP_SPACE, END_SPACE = 2, 40
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Placed:
    """A chunk at its place in the window: ``y`` is its top edge."""

    part: int
    number: int
    y: int
    chunk: Chunk

    @property
    def place(self) -> Place:
        """Part and number of the chunk."""
        return self.part, self.number


class Column:
    """Chunks of a model at one width, laid out as they come into sight."""

    def __init__(self, model: TranscriptModel, compose: Callable[[int], list[Chunk]]) -> None:
        self._model = model
        self._compose = compose
        self._chunks: OrderedDict[int, list[Chunk]] = OrderedDict()
        self._drawn: OrderedDict[Chunk, None] = OrderedDict()
        self._width = 600
        self._anchor: Place = (0, 0)
        self._offset = -TOP_SPACE
        self.viewport_height = 400

    # Chunks

    def set_width(self, width: int) -> None:
        """Lay out anew at another width; what is read stays where it is."""
        if width != self._width:
            self._width = width
            self.forget()

    def forget(self) -> None:
        """Make every chunk anew: the width, the colours or the fonts changed."""
        self._chunks.clear()
        self._drawn.clear()
        self._model.forget_measures()

    def forget_part(self, part: int) -> None:
        """Make the chunks of one part anew: it was opened or closed."""
        self._chunks.pop(part, None)

    def forget_from(self, part: int) -> None:
        """Make the chunks of ``part`` and of all after it anew: the session grew."""
        for known in [known for known in self._chunks if known >= part]:
            del self._chunks[known]

    def chunks(self, part: int) -> list[Chunk]:
        """Return the chunks of a part, made if need be."""
        found = self._chunks.get(part)
        if found is None:
            found = self._chunks[part] = self._compose(part)
            if len(self._chunks) > COMPOSED:
                self._chunks.popitem(last=False)
            if not self._model.parts.measured[part]:
                self._update_height(part, found)
        else:
            self._chunks.move_to_end(part)
        return found

    def laid_out(self, part: int, number: int) -> Chunk:
        """Return a chunk with its true height; the part's height is corrected with it."""
        chunks = self.chunks(part)
        chunk = chunks[number]
        if not chunk.is_laid_out:
            chunk.lay_out(self._width - chunk.indent)
            self._update_height(part, chunks)
        self._drawn[chunk] = None
        self._drawn.move_to_end(chunk)
        if len(self._drawn) > DOCUMENTS:
            self._drawn.popitem(last=False)[0].release()
        return chunk

    # Places

    @property
    def is_empty(self) -> bool:
        """Whether nothing can be seen."""
        return self._model.heights.total == 0

    @property
    def position(self) -> int:
        """How far the window is from the top, by the heights known now."""
        return self.top_of(*self._anchor) + self._offset

    @property
    def height(self) -> int:
        """The height of everything, by the heights known now."""
        return self._model.heights.total + END_SPACE

    @property
    def first_part(self) -> int:
        """The part at the upper edge."""
        return self._anchor[0]

    def top_of(self, part: int, number: int) -> int:
        """Return where a chunk begins, counted from the top of everything."""
        if self.is_empty:
            return 0
        above = sum(chunk.height for chunk in self.chunks(part)[:number]) if number else 0
        return self._model.heights.before(part) + above

    def visible(self) -> list[Placed]:
        """Return the chunks in the window from top to bottom, all laid out; the place is put right first."""
        if self.is_empty:
            return []
        self._settle()
        placed: list[Placed] = []
        y = -self._offset
        for part, number in self._forward(self._anchor):
            chunk = self.laid_out(part, number)
            placed.append(Placed(part, number, y, chunk))
            y += chunk.height
            if y >= self.viewport_height:
                break
        return placed

    def is_at_end(self) -> bool:
        """Tell whether the last line is in sight."""
        if self.is_empty:
            return True
        y = -self._offset
        for part, number in self._forward(self._anchor):
            y += self.laid_out(part, number).height
            if y > self.viewport_height:
                return False
        return True

    def scroll_by(self, distance: int) -> None:
        """Move by so many px, measuring what is passed, so that nothing jumps."""
        if not self.is_empty:
            self._offset += distance
            self._settle()

    def scroll_to_position(self, position: int) -> None:
        """Move to a distance from the top, by the heights known now."""
        if self.is_empty:
            return
        position = max(-TOP_SPACE, position)
        part, offset = self._model.heights.at(max(0, position))
        self.go_to(part, 0, offset if position > 0 else position)

    def go_to(self, part: int, number: int = 0, offset: int = 0) -> None:
        """Put a point of a chunk at the upper edge; ``offset`` may be negative to leave room above."""
        if self.is_empty:
            return
        self._anchor, self._offset = (part, number), offset
        self._settle()

    def go_to_end(self) -> None:
        """Put the end at the lower edge."""
        last = self._last()
        if last is None:
            return
        room = self.viewport_height - END_SPACE
        for part, number in self._backward(last, including=True):
            self._anchor = (part, number)
            room -= self.laid_out(part, number).height
            if room <= 0:
                break
        self._offset = -room if room <= 0 else -TOP_SPACE

    def reset(self) -> None:
        """Go to the beginning of another session."""
        self._chunks.clear()
        self._drawn.clear()
        self._anchor, self._offset = (0, 0), -TOP_SPACE

    # Inside

    def _last(self) -> Place | None:
        if self.is_empty:
            return None
        part = self._model.heights.at(self._model.heights.total)[0]
        return part, len(self.chunks(part)) - 1

    def _settle(self) -> None:
        """Make the anchor a chunk that crosses the upper edge, and keep the ends of the column in the window."""
        part, number = self._anchor
        if part >= len(self._model.parts) or not self._model.is_visible(part):
            part, number = self._nearest_visible(part), 0
            self._offset = 0
        number = min(number, len(self.chunks(part)) - 1)
        self._anchor = (part, number)
        self._settle_up()
        self._settle_down()

    def _settle_up(self) -> None:
        while self._offset < 0:
            above = next(self._backward(self._anchor), None)
            if above is None:
                self._offset = max(self._offset, -TOP_SPACE)
                return
            self._anchor = above
            self._offset += self.laid_out(*above).height

    def _settle_down(self) -> None:
        for place in self._forward(self._anchor):
            height = self.laid_out(*place).height
            self._anchor = place
            if self._offset < height:
                break
            self._offset -= height
        y = -self._offset
        for place in self._forward(self._anchor):
            y += self.laid_out(*place).height
            if y >= self.viewport_height - END_SPACE:
                return
        if self._anchor != (self._first(), 0) or self._offset > -TOP_SPACE:
            self.go_to_end()

    def _first(self) -> int:
        return self._model.heights.at(0)[0]

    def _nearest_visible(self, part: int) -> int:
        heights = self._model.heights
        return heights.at(heights.before(min(part, len(heights))))[0]

    def _forward(self, place: Place) -> Iterator[Place]:
        part, number = place
        while part >= 0:
            while number < len(self.chunks(part)):
                yield part, number
                number += 1
            part, number = self._model.next_visible(part), 0

    def _backward(self, place: Place, *, including: bool = False) -> Iterator[Place]:
        part, number = place
        if including:
            yield place
        while part >= 0:
            while number > 0:
                number -= 1
                yield part, number
            part = self._model.next_visible(part, -1)
            number = len(self.chunks(part)) if part >= 0 else 0

    def _update_height(self, part: int, chunks: list[Chunk]) -> None:
        is_measured = all(chunk.is_laid_out for chunk in chunks)
        self._model.set_height(part, max(1, sum(chunk.height for chunk in chunks)), is_measured=is_measured)
