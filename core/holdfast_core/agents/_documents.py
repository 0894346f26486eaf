"""JSON documents that hold a session each and are written anew as a whole: read whole, mended where they can be."""

from __future__ import annotations

import os
import re
from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import msgspec

from holdfast_core.agents._fields import Sample, is_in_sample
from holdfast_core.agents._files import FileAgent
from holdfast_core.agents._json import Forgiving, must_be_skipped
from holdfast_core.agents._jsonl import UTF8_BOM, open_regular, refusal
from holdfast_core.agents._tap import tap_at
from holdfast_core.agents.base import Checkpoint, Home, Reading, SessionRead, SourceRef
from holdfast_core.model.session import Problem

DOCUMENT_LIMIT = 64 << 20
_MENDING_LIMIT = 16 << 20
_TRIES = 3
_MENDS = 16
_CANDIDATES = 4
_DEPTH_LIMIT = 900
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{},]', re.DOTALL)
_OPENING = re.compile(r'\s*\{\s*"(?:[^"\\]|\\.)*+"\s*:')
_BAD_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|\\')
_CLOSERS = {"[": "]", "{": "}"}


class Document:
    """A document that was read. ``value`` is of the kind that was asked for, or plain JSON.

    What the session's reader finds out about it is gathered here as well.
    """

    def __init__(self, value: Any, data: bytes, modified_ms: int) -> None:
        self.value = value
        self.size_bytes = len(data)
        self.modified_ms = modified_ms
        self.problems: list[Problem] = []
        self.unknown: dict[str, int] = {}
        self.sample = Sample()
        self.repairs: dict[str, int] = {}

    def count_unknown(self, kind: str) -> None:
        """Count a record of a kind that is not known."""
        kind = kind[:80] or "none"
        if kind in self.unknown or len(self.unknown) < 200:
            self.unknown[kind] = self.unknown.get(kind, 0) + 1

    def provider_data(self) -> dict[str, Any]:
        """Return what the facts say of mended records."""
        return {"repaired": dict(self.repairs)} if self.repairs else {}

    def reading(self, sessions: list[SessionRead]) -> Reading:
        """Return the reading of this document alone."""
        return Reading(sessions, self.problems, self.unknown, None, self.size_bytes, unknown_fields=self.sample.unknown)


class DocumentAgent(FileAgent):
    """An agent each of whose sources is one JSON object of the kind ``document``."""

    document: ClassVar[type[msgspec.Struct]]

    @abstractmethod
    def sessions(self, document: Document, ref: SourceRef, home: Home) -> list[SessionRead]:
        """Return the sessions in a document; what is odd in it is noted there."""

    def read(self, ref: SourceRef, home: Home, *, checkpoint: Checkpoint | None = None) -> Reading:
        document = read_document(ref.path, self.document, root=self.root_of(ref.path, home))
        return document.reading(self.sessions(document, ref, home))


def read_document(
    path: str | Path, kind: type[msgspec.Struct] | None, *, root: str, limit: int = DOCUMENT_LIMIT
) -> Document:
    """Return a JSON document as a struct of some kind, or as plain JSON for None.

    What does not fit the kind is left out; a damaged element of the outermost
    list is left out and told as a problem with its line; so is the element
    that was being written where a document ends too early. A document without
    anything in it is an empty one.

    Raises:
        SourceError: nothing of the file can be read.
    """
    data, modified_ms = _steady(path, root, limit)
    return decoded(data, kind, modified_ms=modified_ms, path=str(path))


def decoded(data: bytes, kind: type[msgspec.Struct] | None, *, modified_ms: int = 0, path: str = "") -> Document:
    """Return the document in some bytes; see `read_document`."""
    if data[:2] in _UTF16:
        raise refusal("utf16", path)
    document = Document(None, data, modified_ms)
    data = data.removeprefix(UTF8_BOM)
    if not data.strip(b" \t\r\n\0"):
        document.value = {} if kind is None else kind()
        return document
    document.value = _whole(data, kind)
    if document.value is None:
        _mend(document, data, kind, path)
    elif kind is not None and is_in_sample(data):
        document.sample.count(data, kind)
    return document


def _steady(path: str | Path, root: str, limit: int) -> tuple[bytes, int]:
    """Return the content of a file that did not change while it was read, and when it was written."""
    data, found = b"", None
    for _ in range(_TRIES):
        descriptor = open_regular(path, root=root, limit=limit)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            try:
                data = file.read(limit)
            except OSError as error:
                raise refusal("not_readable", str(error)) from error
            after = os.fstat(descriptor)
        if (after.st_size, after.st_mtime_ns) == (found.st_size, found.st_mtime_ns) and len(data) == found.st_size:
            break
    assert found is not None
    if (tap := tap_at(path)) is not None:
        tap.opened(found)
        tap.take(0, data)
    return data, found.st_mtime_ns // 1_000_000


def _whole(data: bytes, kind: type[msgspec.Struct] | None) -> Any:
    """Return the value of a well-formed document, None if the slow path must look at it."""
    if must_be_skipped(data):
        return None
    try:
        return msgspec.json.decode(data) if kind is None else msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class _Nothing(msgspec.Struct):
    pass


def _mend(document: Document, data: bytes, kind: type[msgspec.Struct] | None, path: str) -> None:
    """Read what can be read of a document that is damaged, or not as it is usually."""
    if len(data) > _MENDING_LIMIT:
        raise refusal("wrong_format", path)
    decoder: Forgiving[Any] = Forgiving(kind or _Nothing)
    document.repairs = decoder.repairs
    text = decoder.text(data)
    for _ in range(_MENDS):
        try:
            value, end = _parsed(decoder, text)
            break
        except _At as damage:
            line = text.count("\n", 0, damage.position) + 1
            text, reason = _without(text, damage, decoder)
        if reason:
            document.problems.append(Problem(line, reason))
    else:
        raise refusal("wrong_format", path)
    if text[end:].strip(" \t\r\n\0"):  # a shorter document was written over a longer one
        document.problems.append(Problem(text.count("\n", 0, end) + 1, "not_json"))
    if kind is not None and isinstance(value, dict):
        document.value = decoder.shape(value)
    elif kind is None and isinstance(value, dict | list):
        document.value = value
    else:
        raise refusal("wrong_format", path)


class _At(Exception):
    """Where a document is damaged."""

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(position)
        self.position, self.reason = position, reason


def _parsed(decoder: Forgiving[Any], text: str) -> tuple[Any, int]:
    deep = _too_deep_at(text)
    if deep is not None:
        raise _At(deep, "too_deep")
    start = len(text) - len(text.lstrip(" \t\r\n\0"))
    repairs = dict(decoder.repairs)
    try:
        return decoder.first(text, start)
    except ValueError as error:
        decoder.repairs.clear()
        decoder.repairs.update(repairs)
        position = getattr(error, "pos", start)
        raise _At(position, "bad_escape" if "escape" in str(error) else "not_json") from None


def _too_deep_at(text: str) -> int | None:
    if text.count("[") + text.count("{") <= _DEPTH_LIMIT:
        return None
    depth = 0
    for token in _TOKEN.finditer(text):
        if token[0] in _CLOSERS:
            depth += 1
            if depth > _DEPTH_LIMIT:
                return token.start()
        elif token[0] in "]}":
            depth -= 1
    return None


class _Place(NamedTuple):
    """What is open at a position: the closers, and where a list's element or the last member begins."""

    closers: list[str]
    element: int | None
    element_closers: int
    comma: int
    comma_closers: int


def _place(text: str, position: int) -> _Place:
    closers: list[str] = []
    element: int | None = None
    list_depth = comma = comma_closers = 0
    for token in _TOKEN.finditer(text):
        if token.start() >= position:
            break
        sign = token[0]
        if sign in _CLOSERS:
            closers.append(_CLOSERS[sign])
            if sign == "[" and not list_depth:
                list_depth, element = len(closers), token.end()
        elif sign in "]}" and closers:
            closers.pop()
            if len(closers) < list_depth:
                list_depth, element = 0, None
        elif sign == ",":
            if len(closers) == list_depth:
                element = token.end()
            elif not list_depth:
                comma, comma_closers = token.start(), len(closers)
    return _Place(closers, element, list_depth, comma, comma_closers)


def _without(text: str, damage: _At, decoder: Forgiving[Any]) -> tuple[str, str]:
    """Return a text without its damaged element, or closed before it, and the reason to be told, if any."""
    if damage.reason == "bad_escape":
        mended = _BAD_ESCAPE.sub(lambda match: match[0] if len(match[0]) > 1 else "\\\\", text)
        if mended != text:
            decoder.repairs["bad_escape"] = decoder.repairs.get("bad_escape", 0) + 1
            return mended, ""
    place = _place(text, damage.position)
    reason = "not_json" if damage.reason == "bad_escape" else damage.reason
    if place.element is not None:
        cuts = [_cut(text, place.element, end) for end in _ends(text, place.element, damage.position)]
        if cuts:
            return max(cuts, key=lambda cut: _whole_until(cut, decoder)), reason
        closed = text[: place.element].rstrip().removesuffix(",")
        return closed + "".join(reversed(place.closers[: place.element_closers])), "truncated"
    whole = text.rstrip(" \t\r\n\0")
    if damage.position >= len(whole) and whole.endswith(("]", "}")) and place.closers:
        return whole + "".join(reversed(place.closers)), "truncated"
    if not place.comma:
        raise refusal("wrong_format", damage.reason)
    return text[: place.comma] + "".join(reversed(place.closers[: place.comma_closers])), "truncated"


def _ends(text: str, start: int, damage: int) -> list[int]:
    """Return where a damaged element may end: by its brackets, and where others begin as it did."""
    found = [end] if (end := _end_by_brackets(text, start, damage)) is not None else []
    opening = _OPENING.match(text, start)
    position = -1 if opening is None else max(damage, opening.end())
    while opening is not None and len(found) < _CANDIDATES:
        position = text.find(opening[0].strip(), position + 1)
        if position < 0:
            break
        found.append(position)
    return found


def _end_by_brackets(text: str, start: int, damage: int) -> int | None:
    closers: list[str] = []
    for token in _TOKEN.finditer(text, start):
        sign = token[0]
        if sign in _CLOSERS:
            closers.append(_CLOSERS[sign])
        elif not closers and sign in ",]}":
            return token.start() if token.start() > damage else None
        elif sign in "]}" and closers.pop() != sign:
            return None
    return None


def _whole_until(text: str, decoder: Forgiving[Any]) -> int:
    """Return how far before its end a text stops to be one document: 0 if it does not."""
    repairs = dict(decoder.repairs)
    try:
        return _parsed(decoder, text)[1] - len(text.rstrip(" \t\r\n\0"))
    except _At as damage:
        return damage.position - len(text)
    finally:
        decoder.repairs.clear()
        decoder.repairs.update(repairs)


def _cut(text: str, start: int, end: int) -> str:
    """Return a text without an element and the comma beside it, as many lines long as before."""
    lines = "\n" * text.count("\n", start, end)
    if text.startswith(",", end):
        return text[:start] + lines + text[end + 1 :]
    if text.startswith("{", end):  # the next element
        return text[:start] + lines + text[end:]
    return text[:start].rstrip().removesuffix(",") + lines + text[end:]
