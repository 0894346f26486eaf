"""Decoding of one record: by a typed decoder, else by a slow path that forgives what can be forgiven."""

from __future__ import annotations

import itertools
import json
import math
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec

from holdfast_core.agents._values import count, moment_ms

Record = TypeVar("Record", bound=msgspec.Struct)

_UP_TO_BAD_ESCAPE = re.compile(r'(?:[^\\]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+')
_RECORD_START = re.compile(
    r'\{\s*"(?:type|parentUuid|uuid|timestamp|sessionId|isSidechain|logicalParentUuid|message|id|record_type|role)"\s*:'
)
_RESTARTS = 16
_SPACE = " \t\r\0"
_DEPTH_LIMIT = 900
_BRACKET = re.compile(rb'"(?:[^"\\]|\\.)*+"|([\[{])|[\]}]', re.DOTALL)
# Before 3.12 the decoders themselves stop at about a thousand levels; since then only where the stack ends.
_MUST_MEASURE = sys.version_info >= (3, 12)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Damaged(ValueError):
    """A line that holds no record. ``reason`` is a short stable code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Forgiving(Generic[Record]):
    """Decodes lines into one type of record.

    ``repairs`` counts what had to be mended in records that were kept, by
    kind; it is taken away by whoever reads it. ``kind`` is the type of record.
    """

    def __init__(self, kind: type[Record]) -> None:
        self.kind = kind
        self._shape = shape_of(kind)
        self._decode = msgspec.json.Decoder(kind).decode
        self._scanner = json.JSONDecoder(
            strict=False, parse_constant=self._constant, parse_float=self._float, parse_int=_integer
        )
        self.repairs: dict[str, int] = {}

    def one(self, line: bytes) -> Record | None:
        """Return the record of a well-formed line, None if the slow path must look at it."""
        if _MUST_MEASURE and is_too_deep(line):
            return None
        try:
            return self._decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    def leading(self, lines: Iterator[bytes]) -> list[Record]:
        """Return the records of well-formed lines up to one that is not, which is passed over too."""
        records: list[Record] = []
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            records.extend(map(self._decode if not _MUST_MEASURE else self._measured, lines))
        return records  # what came before an error has stayed

    def _measured(self, line: bytes) -> Record:
        if is_too_deep(line):
            raise RecursionError
        return self._decode(line)

    def several(self, line: bytes) -> tuple[list[Record], str | None]:
        """Return what can be recovered of a line, and the reason why a part of it was lost, if any.

        Whole records may stand on one line without a line end between them;
        a stub that a crash left may stand before a whole record.
        """
        if is_too_deep(line):
            return [], "too_deep"
        text = self.text(line)
        values, rest = self._whole(text)
        reason = None
        if rest:
            try:
                values.append(self._load(rest))
            except Damaged as damage:
                reason = damage.reason
                values += self._after_stub(rest)
        records = [self.shape(value) for value in values if isinstance(value, dict)]
        if len(records) < len(values):
            reason = "not_an_object"
        return records, reason

    def first(self, text: str, position: int = 0) -> tuple[Any, int]:
        """Return the value that begins at a position, and where it ends.

        Raises:
            ValueError: there is none, or it is damaged; ``pos`` tells where.
        """
        value, end = self._scanner.raw_decode(text, position)
        return self._clean(value), end

    def text(self, line: bytes) -> str:
        """Return bytes as text, with what is no UTF-8 replaced."""
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError:
            self._mended("invalid_utf8")
            return line.decode("utf-8", "replace")

    def shape(self, value: dict[str, Any]) -> Record:
        """Return a decoded object as a record, with fields that do not fit left out."""
        record: Record = shaped(value, self._shape)
        return record

    def _whole(self, text: str) -> tuple[list[Any], str]:
        """Return the whole values at the beginning of a line, and what follows them."""
        found: list[Any] = []
        position = 0
        while position < len(text):
            try:
                value, position = self._scanner.raw_decode(text, position)
            except (ValueError, RecursionError):
                break
            found.append(self._clean(value))
            while position < len(text) and text[position] in _SPACE:
                position += 1
        return found, text[position:]

    def _after_stub(self, text: str) -> list[Any]:
        for start in itertools.islice(_RECORD_START.finditer(text, 1), _RESTARTS):
            try:
                return [self._load(text[start.start() :])]
            except Damaged:
                continue
        return []

    def _load(self, text: str) -> Any:
        try:
            return self._clean(self._parse(text))
        except RecursionError:
            raise Damaged("too_deep") from None
        except ValueError:
            mended = _without_bad_escapes(text)
        if mended == text:
            raise Damaged("not_json")
        try:
            value = self._clean(self._parse(mended))
        except (ValueError, RecursionError):
            raise Damaged("not_json") from None
        self._mended("bad_escape")
        return value

    def _parse(self, text: str) -> Any:
        value, end = self._scanner.raw_decode(text)
        if text[end:].strip(_SPACE):
            raise ValueError("trailing characters")
        return value

    def _constant(self, _name: str) -> None:
        self._mended("number")

    def _float(self, text: str) -> float | None:
        value = float(text)
        if math.isfinite(value):
            return value
        self._mended("number")
        return None

    def _clean(self, value: Any) -> Any:
        """Replace lone surrogates, which no encoder takes, wherever they stand."""
        if isinstance(value, str):
            if _LONE_SURROGATE.search(value) is None:
                return value
            self._mended("surrogate")
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if isinstance(value, list):
            return [self._clean(item) for item in value]
        if isinstance(value, dict):
            return {self._clean(key): self._clean(item) for key, item in value.items()}
        return value

    def _mended(self, kind: str) -> None:
        self.repairs[kind] = self.repairs.get(kind, 0) + 1


def _without_bad_escapes(text: str) -> str:
    """Return a text of JSON with the backslashes doubled that begin no escape."""
    pieces: list[str] = []
    position = 0
    while (end := _UP_TO_BAD_ESCAPE.match(text, position).end()) < len(text):  # type: ignore[union-attr]  # also nothing
        pieces.append(text[position:end])
        position = end + 1
    pieces.append(text[position:])
    return "\\\\".join(pieces)


def must_be_skipped(line: bytes) -> bool:
    """Return whether a line or a document is so deep that the decoder here would not stop by itself."""
    return _MUST_MEASURE and is_too_deep(line)


def is_too_deep(line: bytes) -> bool:
    """Return whether values stand in each other more levels deep than can be gone through safely."""
    if line.count(b"[") + line.count(b"{") <= _DEPTH_LIMIT:
        return False
    depth = 0
    for found in _BRACKET.finditer(line):
        if found[1]:
            depth += 1
            if depth > _DEPTH_LIMIT:
                return True
        elif found[0] in (b"]", b"}"):
            depth -= 1
    return False


def _integer(text: str) -> int | str:
    return int(text) if len(text) <= 18 else text


@cache
def shape_of(kind: type) -> msgspec.inspect.Type:
    """Return the shape of a type; looking at one takes milliseconds, and every reading makes a decoder."""
    return msgspec.inspect.type_info(kind)


def shown(value: Any) -> str:
    """Return a value of an unexpected kind as text, so that a person sees it."""
    return value if isinstance(value, str) else json.dumps(value)


def shaped(value: Any, shape: msgspec.inspect.Type) -> Any:
    """Return decoded JSON in a shape, None where it does not fit at all.

    Fields that do not fit keep their default. A struct with a class method
    ``generic`` makes one of anything, so that nothing is lost from a list.
    """
    if isinstance(shape, msgspec.inspect.UnionType):
        if value is None:
            return None
        return next((found for choice in shape.types if (found := shaped(value, choice)) is not None), None)
    if isinstance(shape, msgspec.inspect.StructType):
        return _struct(value, shape)
    if isinstance(shape, msgspec.inspect.ListType):
        items = [value] if isinstance(value, dict) else value  # one of something stands for a list of one
        if not isinstance(items, list):
            return None
        found = [shaped(item, shape.item_type) for item in items]
        return [item for item in found if item is not None]
    return _scalar(value, shape)


def _scalar(value: Any, shape: msgspec.inspect.Type) -> Any:
    if isinstance(shape, msgspec.inspect.RawType):
        return msgspec.Raw(msgspec.json.encode(value))
    if isinstance(shape, msgspec.inspect.DateTimeType):
        milliseconds = moment_ms(value)
        return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
    if isinstance(shape, msgspec.inspect.IntType):
        return count(value)
    if isinstance(shape, msgspec.inspect.FloatType):
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    if isinstance(shape, msgspec.inspect.BoolType | msgspec.inspect.StrType):
        kind = bool if isinstance(shape, msgspec.inspect.BoolType) else str
        return value if isinstance(value, kind) else None
    return value if isinstance(shape, msgspec.inspect.AnyType) else None


def _struct(value: Any, shape: msgspec.inspect.StructType) -> Any:
    fields = {
        field.name: found
        for field in shape.fields
        if isinstance(value, dict)
        and field.encode_name in value
        and (found := shaped(value[field.encode_name], field.type)) is not None
    }
    generic = getattr(shape.cls, "generic", None)
    if generic is not None and not fields and value != {}:
        return generic(value)
    return shape.cls(**fields) if isinstance(value, dict) else None
