"""Fields that no reader knows: found in a sample of the records, for decoders pass over them without a word.

A struct names in ``not_read`` the fields that are known and of no use here. A field of neither kind is new: an agent's
format has gone on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from holdfast_core.agents._json import shape_of

_LEAST = 8 << 10
_SHARE = 64
_LOOK = 2 << 10  # what a look costs beside the bytes of the record
_DOCUMENT_LIMIT = 4 << 20
_DOCUMENTS = 16
_TIMES_LATER = 16
_KINDS_LIMIT = 200
_NAMES_LIMIT = 200
_NAME_LIMIT = 80
_WAY_LIMIT = 160
_ITEMS = 4
_ROWS = 32
_DEPTH = 8
_BRACE = ord("{")
_NAME = re.compile(r"[A-Za-z_$@~][\w$@:-]{0,63}", re.ASCII)

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_items = msgspec.json.Decoder(list[msgspec.Raw]).decode


def names(text: str) -> frozenset[str]:
    """Return the names that stand in a text, for ``not_read``."""
    return frozenset(text.split())


class Sample:
    """Looks at a few records of each kind.

    ``unknown`` counts the records of this sample that have a field which is not known, by the record's kind and the
    way to the field. ``due`` says for each kind from which byte on one is looked at again; ``bytes_spent`` is what
    the looks have cost: a sixty-fourth of what is read, and a little at the beginning. Before the byte ``next`` no
    record need be shown at all.
    """

    def __init__(self) -> None:
        self.unknown: dict[str, int] = {}
        self.due: dict[str, int] = {}
        self.bytes_spent = 0
        self.next = 0
        self._compared = 0

    def look(self, data: bytes, shape: type[msgspec.Struct], kind: str, position: int) -> None:
        """Look at a well-formed record of a kind that is due; one of great size is left for a smaller one.

        ``position`` tells how many bytes were read before it.
        """
        kind = kind[:_NAME_LIMIT]
        self.next = position + position // _SHARE
        if position < self.due.get(kind, 0):
            return
        spent = self.bytes_spent + len(data) + _LOOK
        if spent > _LEAST + position // _SHARE or (kind not in self.due and len(self.due) >= _KINDS_LIMIT):
            return
        self.bytes_spent = spent
        self.next = max(self.next, (spent + _LOOK - _LEAST) * _SHARE)
        self.due[kind] = (position + _LEAST) * _TIMES_LATER
        self.count(data, shape, f"{kind}/" if kind else "")

    def compare(self, value: Mapping[str, Any], known: frozenset[str], kind: str = "") -> None:
        """Count the unknown fields of an object that is decoded already; of the first ones alone."""
        self._compared += 1
        if self._compared > _ROWS:
            return
        self._count(_named(value.keys() - known, f"{kind[:_NAME_LIMIT]}/" if kind else ""))

    def count(self, data: bytes, shape: type[msgspec.Struct], begin: str = "") -> None:
        """Count the unknown fields of an object, each once; their names begin with ``begin``."""
        try:
            found = _unknown(data, shape, begin, _DEPTH)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        self._count(found)

    def _count(self, found: Iterable[str]) -> None:
        for name in found:
            if name in self.unknown or len(self.unknown) < _NAMES_LIMIT:
                self.unknown[name] = self.unknown.get(name, 0) + 1


class _Known(NamedTuple):
    names: frozenset[str]
    inner: Mapping[str, type[msgspec.Struct]]


def is_in_sample(document: bytes) -> bool:
    """Return whether a whole document is looked at: small ones, and some of the large ones."""
    return len(document) <= _LEAST or (len(document) <= _DOCUMENT_LIMIT and len(document) % _DOCUMENTS == 0)


@cache
def kind_of(shape: type[msgspec.Struct]) -> Callable[[Any], str | None]:
    """Return what tells the kind of a record of this shape."""
    texts = {field.encode_name for field in msgspec.structs.fields(shape) if field.type in (str, str | None)}
    name = next((name for name in ("type", "role") if name in texts), None)
    return _no_kind if name is None else attrgetter(name)


def _no_kind(_record: Any) -> str:
    return ""


def known_in(shape: type[msgspec.Struct]) -> frozenset[str]:
    """Return the fields of a struct that are known, read or not."""
    return _known(shape).names


@cache
def _known(kind: type[msgspec.Struct]) -> _Known:
    shape = shape_of(kind)
    assert isinstance(shape, msgspec.inspect.StructType)
    names = {field.encode_name for field in shape.fields}
    for one in kind.__mro__:
        names.update(vars(one).get("not_read", ()))
    inner = {field.encode_name: found for field in shape.fields if (found := _struct_in(field.type)) is not None}
    return _Known(frozenset(names), inner)


def _struct_in(shape: msgspec.inspect.Type) -> type[msgspec.Struct] | None:
    """Return the struct that is a value, one of its choices, or an item of the list that it is."""
    if isinstance(shape, msgspec.inspect.StructType):
        return shape.cls
    if isinstance(shape, msgspec.inspect.ListType | msgspec.inspect.VarTupleType):
        return _struct_in(shape.item_type)
    if isinstance(shape, msgspec.inspect.UnionType):
        return next((found for choice in shape.types if (found := _struct_in(choice)) is not None), None)
    return None


def _unknown(data: bytes | msgspec.Raw, kind: type[msgspec.Struct], way: str, depth: int) -> set[str]:
    """Return the unknown fields of an object and of those in it, each with the way to it."""
    known = _known(kind)
    members = _members(data)
    found = _named(members.keys() - known.names, way)
    for name, inner in known.inner.items() if depth else ():
        for item in _objects(members.get(name)):
            found |= _unknown(item, inner, f"{way}{name}.", depth - 1)
    return found


def _named(fields: Iterable[str], way: str) -> set[str]:
    """Return fields with the way to them; what is no name may be the person's own words, a path or an id."""
    return {f"{way}{name if _NAME.fullmatch(name) else '?'}"[:_WAY_LIMIT] for name in fields}


def _objects(value: msgspec.Raw | None) -> Sequence[msgspec.Raw]:
    """Return the object that is a value, or the first of the list that it is."""
    begin = 0 if value is None else memoryview(value)[0]
    if value is None or begin not in b"{[":
        return ()
    if begin == _BRACE:
        return (value,)
    return [item for item in _items(value)[:_ITEMS] if memoryview(item)[0] == _BRACE]
