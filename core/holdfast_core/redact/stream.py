"""Redaction of a text that comes in chunks: what is given out holds no secret, wherever the chunks were cut."""

from __future__ import annotations

from holdfast_core.redact.engine import Redactor, Span, placed

_ERRORS = "surrogatepass"
_LONGEST = 1 << 20


class Stream:
    """Takes chunks and gives out text without secrets, ``hold`` characters behind.

    A text of at most twice ``hold`` characters comes out as ``Redactor.text``
    would give it. In a longer one a secret is removed wherever it stands from
    ``hold`` characters before its first finding on.
    """

    def __init__(self, redactor: Redactor, *, hold: int = 8_192) -> None:
        self._redactor = redactor
        self._hold = hold
        self._before = ""
        self._held = ""
        self._known: dict[bytes, str] = {}

    def feed(self, chunk: str) -> str:
        """Take a chunk; return what is safe to give out now, which may be nothing."""
        self._held += chunk
        return self._given(self._hold) if len(self._held) > 2 * self._hold else ""

    def finish(self) -> str:
        """Return the rest. The stream is empty afterwards."""
        given = self._given(0)
        self._before, self._known = "", {}
        return given

    def _given(self, keep: int) -> str:
        whole = (self._before + self._held).encode("utf-8", _ERRORS)
        start = len(self._before.encode("utf-8", _ERRORS))
        found = self._redactor.spans(whole, self._redactor.tier)
        cut = len(whole) - len(self._held[len(self._held) - keep :].encode("utf-8", _ERRORS)) if keep else len(whole)
        cut = _border(whole, found, start, cut) if keep else cut
        if cut <= start:
            return ""
        inside = [placed(span, max(span.start, start), span.end, start) for span in found if start < span.end <= cut]
        given = self._redactor.cleaned(whole[start:cut], inside, self._known)
        context = whole[max(0, cut - self._hold) : cut]
        while context and context[0] & 0xC0 == 0x80:
            context = context[1:]
        self._before = context.decode("utf-8", _ERRORS)
        self._held = whole[cut:].decode("utf-8", _ERRORS)
        return given.decode("utf-8", _ERRORS)


def _border(whole: bytes, found: list[Span], start: int, cut: int) -> int:
    """Return the last place up to ``cut`` that lies between two words and inside no secret."""
    place = max(whole.rfind(b"\n", start, cut), whole.rfind(b" ", start, cut)) + 1
    if place <= start and cut - start < _LONGEST:
        return start  # one word so far
    place = place or cut
    while place < len(whole) and whole[place] & 0xC0 == 0x80:
        place += 1
    for span in reversed(found):
        if span.start < place < span.end:
            place = span.start
    return place
