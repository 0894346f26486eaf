"""The model's types as the store writes them: every field there, none unknown, times in range.

What decodes as such a type needs no fitting; that is asked at the speed of
the decoder, so that the slow way is taken for odd documents alone.
"""

from __future__ import annotations

import types
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from holdfast_core.model.message import Message
from holdfast_core.store.fitting import MAX_MS, MIN_MS

_Time = Annotated[int, msgspec.Meta(ge=MIN_MS, le=MAX_MS)]


def are_sound(messages: bytes | msgspec.Raw) -> bool:
    """Return whether this is a JSON array of messages just as the store writes them."""
    try:
        _decoder().decode(messages)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


@cache
def _decoder() -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(list[_strict(Message)])  # type: ignore[misc]  # a type that is made here


@cache
def _strict(kind: type) -> Any:
    """Return a struct type whose fields must all be there and no others."""
    config = kind.__struct_config__  # type: ignore[attr-defined]  # of every struct
    hints = get_type_hints(kind)
    fields = [(field.name, _in_strict(field.name, hints[field.name])) for field in msgspec.structs.fields(kind)]
    return msgspec.defstruct(
        kind.__name__,
        fields,
        tag=config.tag,
        tag_field=config.tag_field,
        forbid_unknown_fields=True,
        frozen=True,
        gc=False,
    )


def _in_strict(name: str, hint: Any) -> Any:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return _strict(hint)
    if get_origin(hint) in (Union, types.UnionType):
        return Union[tuple(_in_strict(name, one) for one in get_args(hint))]  # noqa: UP007  # made of values
    if get_origin(hint) is tuple:
        return tuple[_in_strict(name, get_args(hint)[0]), ...]  # type: ignore[misc]  # a type that is made here
    return _Time if hint is int and name.endswith("_ms") else hint
