"""What is selected, across chunks and messages, and the text that copying it gives."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast_gui.models.parts import Kind
from holdfast_gui.models.transcript import TranscriptModel
from holdfast_gui.views.transcript.chunk import Chunk, TextChunk
from holdfast_gui.views.transcript.column import Column, Place

Spot = tuple[int, int, int]  # part, chunk, position in the chunk's document
END = 1 << 30
RENDER_LIMIT = 300_000  # characters of prose that are rendered for a plain copy; beyond it the source is copied


class Selection:
    """A stretch between two spots; nothing is selected while they are equal."""

    def __init__(self) -> None:
        self.anchor: Spot | None = None
        self.head: Spot | None = None

    def __bool__(self) -> bool:
        return self.anchor is not None and self.anchor != self.head

    def clear(self) -> None:
        """Select nothing."""
        self.anchor = self.head = None

    def set(self, anchor: Spot, head: Spot) -> None:
        """Select from ``anchor``, which stays, to ``head``, which moves."""
        self.anchor, self.head = anchor, head

    def extend(self, head: Spot) -> None:
        """Move the end that moves."""
        self.anchor = self.anchor or head
        self.head = head

    @property
    def ends(self) -> tuple[Spot, Spot]:
        """The two ends in reading order."""
        first, last = self.anchor or (0, 0, 0), self.head or (0, 0, 0)
        return (first, last) if first <= last else (last, first)

    def within(self, part: int, number: int, length: int) -> tuple[int, int] | None:
        """Return which positions of a chunk of ``length`` positions are selected, None for none."""
        if not self:
            return None
        (first_part, first_number, start), (last_part, last_number, end) = self.ends
        place = (part, number)
        if not (first_part, first_number) <= place <= (last_part, last_number):
            return None
        low = start if place == (first_part, first_number) else 0
        high = min(end, length) if place == (last_part, last_number) else length
        return (low, high) if low < high or length == 0 else None

    def text(self, model: TranscriptModel, column: Column, *, as_plain: bool) -> str:
        """Return what is selected: chunks that are whole as their source, or as plain text; the ends as shown."""
        if not self:
            return ""
        (first, first_number, start), (last, last_number, end) = self.ends
        begins_whole = (first_number, start) == (0, 0)
        ends_whole = _is_end(column, last, last_number, end)
        if first == last and not (begins_whole and ends_whole):
            return self._piece(column, first, (first_number, start), (last_number, end), as_plain=as_plain)
        whole = range(first if begins_whole else first + 1, last + 1 if ends_whole else last)
        pieces = list(whole_parts(model, column, whole, as_plain=as_plain))
        if not begins_whole:
            pieces.insert(0, self._piece(column, first, (first_number, start), (END, END), as_plain=as_plain))
        if not ends_whole:
            pieces.append(self._piece(column, last, (0, 0), (last_number, end), as_plain=as_plain))
        return "\n\n".join(piece for piece in pieces if piece)

    def _piece(self, column: Column, part: int, start: tuple[int, int], end: tuple[int, int], *, as_plain: bool) -> str:
        chunks = column.chunks(part)
        pieces: list[str] = []
        for number in range(start[0], min(end[0] + 1, len(chunks))):
            low = start[1] if number == start[0] else 0
            high = end[1] if number == end[0] else END
            pieces.append(_chunk_piece(column, (part, number), low, high, as_plain=as_plain))
        return ("\n" if as_plain else "").join(pieces)


def whole_parts(model: TranscriptModel, column: Column, parts: range, *, as_plain: bool) -> Iterator[str]:
    """Yield the text of every visible part, in order."""
    prose = 0
    for part in parts:
        if not model.is_visible(part):
            continue
        kind = model.kind(part)
        if kind in (Kind.PROMPT, Kind.PROSE):
            text = model.sections(part)[0].text
            prose += len(text)
            if as_plain and prose <= RENDER_LIMIT:
                yield "\n".join(chunk.plain for chunk in column.chunks(part))
            else:
                yield text
        elif kind == Kind.HEAD:
            yield column.chunks(part)[0].plain if as_plain else f"**{column.chunks(part)[0].plain}**"
        else:
            yield _step_text(model, column, part, as_plain=as_plain)


def _is_end(column: Column, part: int, number: int, position: int) -> bool:
    """Tell whether a spot is the end of a part."""
    if position >= END:
        return True
    if number < len(column.chunks(part)) - 1:
        return False
    chunk = column.laid_out(part, number)
    return isinstance(chunk, TextChunk) and position >= chunk.ensure_document().length


def _step_text(model: TranscriptModel, column: Column, part: int, *, as_plain: bool) -> str:
    if model.kind(part) in (Kind.PLAN, Kind.IMAGE):
        return column.chunks(part)[0].plain
    if model.kind(part) == Kind.ERROR:
        return model.sections(part)[0].text
    step = model.run_summary(part) if model.kind(part) == Kind.STEPS else model.step(part)
    line = step.as_text() if as_plain else f"- {step.as_text()}"
    if not model.is_open(part) or model.kind(part) == Kind.STEPS:
        return line
    bodies = [section.text.rstrip("\n") for section in model.sections(part)]
    if not as_plain:
        bodies = [_fenced(body) for body in bodies]
    return "\n\n".join([line, *bodies])


def _fenced(text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text}\n{fence}"


def _chunk_piece(column: Column, place: Place, low: int, high: int, *, as_plain: bool) -> str:
    chunk: Chunk = column.chunks(place[0])[place[1]]
    if low <= 0 and high == END:
        return chunk.plain if as_plain else chunk.source
    column.laid_out(*place)
    if not isinstance(chunk, TextChunk):
        return chunk.plain if high > low else ""
    document = chunk.ensure_document()
    if low <= 0 and high >= document.length:
        return chunk.plain if as_plain else chunk.source
    return document.text_between(min(low, document.length), min(high, document.length))
