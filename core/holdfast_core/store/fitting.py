"""Fits stored JSON to the types of the model: coerces what can be, keeps what is unknown, names what is wrong.

What a type has no field for comes back as leftovers: a tree of dictionaries
that follows the document (list items under their index as text), so that
`with_leftovers` puts everything back where it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import inspect

from holdfast_core.errors import HoldfastError

MIN_MS = -62_135_596_800_000
MAX_MS = 253_402_300_799_999
Leftovers = dict[str, Any]


class DocumentError(HoldfastError):
    """A session's document says something that cannot be understood. ``field`` names the place."""

    def __init__(self, field: str, wrong: str) -> None:
        super().__init__(f"A stored session is not valid: its field “{field}” {wrong}.", detail=f"{field}: {wrong}")
        self.field = field


class Notice(NamedTuple):
    """Something in a document that was made good: a ``field`` that was missing, or of another type."""

    field: str
    kind: Literal["default", "coerced"]


def fit(raw: Any, kind: type, where: str = "") -> tuple[Any, Leftovers, list[Notice]]:
    """Return a value of type ``kind``, a struct of the model, made of decoded JSON, with leftovers and notices.

    Raises:
        DocumentError: a field is missing, or of a type that cannot be coerced.
    """
    fitting = _Fitting()
    value, leftovers = fitting.take(raw, _described(kind), where)
    return value, leftovers, fitting.notices


def with_leftovers(plain: Any, leftovers: Leftovers) -> Any:
    """Put leftovers back into the plain form of what they came from, in place; what is known wins."""
    if isinstance(plain, list | tuple):
        for index, rest in leftovers.items():
            if index.isdecimal() and int(index) < len(plain) and isinstance(rest, dict):
                with_leftovers(plain[int(index)], rest)
    elif isinstance(plain, dict):
        for name, rest in leftovers.items():
            if name not in plain:
                plain[name] = rest
            elif isinstance(rest, dict):
                with_leftovers(plain[name], rest)
    return plain


class _Fitting:
    """One walk over one document."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []

    def take(self, raw: Any, kind: inspect.Type, where: str) -> tuple[Any, Leftovers]:
        match kind:
            case inspect.StructType():
                return self._struct(raw, kind, where)
            case inspect.UnionType():
                return self._union(raw, kind, where)
            case inspect.VarTupleType():
                return self._tuple(raw, kind, where)
            case inspect.DictType():
                if not isinstance(raw, dict):
                    raise DocumentError(where, "is no object")
                return raw, {}
            case inspect.AnyType():
                return raw, {}
            case _:
                return self._plain(raw, kind, where), {}

    def _struct(self, raw: Any, kind: inspect.StructType, where: str) -> tuple[Any, Leftovers]:
        if not isinstance(raw, dict):
            raise DocumentError(where, "is no object")
        values: dict[str, Any] = {}
        leftovers: Leftovers = {}
        for field in kind.fields:
            place = f"{where}.{field.name}" if where else field.name
            if field.encode_name not in raw:
                if field.required:
                    raise DocumentError(place, "is missing")
                self.notices.append(Notice(place, "default"))
                continue
            values[field.name], rest = self._field(raw[field.encode_name], field, place)
            if rest:
                leftovers[field.encode_name] = rest
        known = {field.encode_name for field in kind.fields} | {kind.tag_field}
        leftovers.update((name, value) for name, value in raw.items() if name not in known)
        return kind.cls(**values), leftovers

    def _field(self, raw: Any, field: inspect.Field, where: str) -> tuple[Any, Leftovers]:
        if raw is None and not field.required and not _takes_none(field.type):
            self.notices.append(Notice(where, "coerced"))
            default = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
            return default, {}
        return self.take(raw, field.type, where)

    def _union(self, raw: Any, kind: inspect.UnionType, where: str) -> tuple[Any, Leftovers]:
        if raw is None and _takes_none(kind):
            return None, {}
        kinds = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
        if len(kinds) == 1:
            return self.take(raw, kinds[0], where)
        structs = [one for one in kinds if isinstance(one, inspect.StructType)]
        tag = raw.get(structs[0].tag_field) if structs and isinstance(raw, dict) else None
        for struct in structs:
            if struct.tag == tag:
                return self.take(raw, struct, where)
        raise DocumentError(where, "is of no known kind")

    def _tuple(self, raw: Any, kind: inspect.VarTupleType, where: str) -> tuple[Any, Leftovers]:
        if isinstance(raw, str) and isinstance(kind.item_type, inspect.StrType):
            self.notices.append(Notice(where, "coerced"))
            raw = [raw]
        if not isinstance(raw, list | tuple):
            raise DocumentError(where, "is no list")
        values = []
        leftovers: Leftovers = {}
        for index, item in enumerate(raw):
            value, rest = self.take(item, kind.item_type, f"{where}[{index}]")
            values.append(value)
            if rest:
                leftovers[str(index)] = rest
        return tuple(values), leftovers

    def _plain(self, raw: Any, kind: inspect.Type, where: str) -> Any:
        value, wrong = _plain(raw, kind, is_time=where.endswith("_ms"))
        if wrong:
            raise DocumentError(where, wrong)
        if type(value) is not type(raw) or value != raw:
            self.notices.append(Notice(where, "coerced"))
        return value


def _plain(raw: Any, kind: inspect.Type, *, is_time: bool) -> tuple[Any, str]:
    """Return a plain value and what is wrong with it, if it cannot be coerced."""
    match kind:
        case inspect.StrType():
            return (raw, "") if isinstance(raw, str) else _as_text(raw)
        case inspect.BoolType():
            return _as_truth(raw)
        case inspect.IntType():
            return _as_time(raw) if is_time else _as_number(raw, is_whole=True)
        case inspect.FloatType():
            return _as_number(raw, is_whole=False)
        case inspect.LiteralType():
            return _as_one_of(raw, kind.values)
    return raw, "is of an unknown type"


def _as_text(raw: Any) -> tuple[Any, str]:
    return (str(raw), "") if isinstance(raw, int | float) and not isinstance(raw, bool) else (raw, "is no text")


def _as_truth(raw: Any) -> tuple[Any, str]:
    word = str(raw).lower() if isinstance(raw, bool | int | str) else ""
    if word in ("true", "1"):
        return True, ""
    return (False, "") if word in ("false", "0") else (raw, "is neither true nor false")


def _as_number(raw: Any, *, is_whole: bool) -> tuple[Any, str]:
    wrong = "is no whole number" if is_whole else "is no number"
    try:
        if is_whole:
            value: int | float = int(raw)
            is_same = not isinstance(raw, float) or value == raw
        else:
            value = raw if isinstance(raw, int) and not isinstance(raw, bool) else float(raw)
            is_same = value - value == 0  # neither endless nor no number at all
    except (TypeError, ValueError, OverflowError):
        return raw, wrong
    return (value, "") if is_same else (raw, wrong)


def _as_time(raw: Any) -> tuple[Any, str]:
    wrong = "is no time"
    if isinstance(raw, str) and not raw.lstrip("-").isdecimal():
        try:
            moment = datetime.fromisoformat(raw)
        except ValueError:
            return raw, wrong
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return round(aware.timestamp() * 1000), ""
    value, wrong_number = _as_number(int(raw) if isinstance(raw, float) and raw - raw == 0 else raw, is_whole=True)
    if wrong_number or not MIN_MS <= value <= MAX_MS:
        return raw, wrong
    return value, ""


def _as_one_of(raw: Any, values: Iterable[Any]) -> tuple[Any, str]:
    allowed = tuple(values)
    if isinstance(raw, str) and raw not in allowed and raw.lower() in allowed:
        return raw.lower(), ""
    return (raw, "") if raw in allowed else (raw, "is none of " + ", ".join(map(str, allowed)))


def _takes_none(kind: inspect.Type) -> bool:
    if isinstance(kind, inspect.UnionType):
        return any(isinstance(one, inspect.NoneType) for one in kind.types)
    return isinstance(kind, inspect.NoneType | inspect.AnyType)


@cache
def _described(kind: type) -> inspect.Type:
    return inspect.type_info(kind)
