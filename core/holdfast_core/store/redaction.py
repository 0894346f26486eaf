"""Takes secrets out of everything that anybody wrote, before it is serialised."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import is_
from typing import Any, TypeVar

import msgspec

from holdfast_core.model.held import HeldSession
from holdfast_core.model.message import Message

Redact = Callable[[str], str]
_Struct = TypeVar("_Struct", bound=msgspec.Struct)
# Words of ours, ids by which things find each other, and the bytes of pictures.
_NO_TEXT = frozenset(
    ("id", "parent_id", "call_id", "session_id", "native_id", "kind", "role", "status", "media_type", "data_base64")
)


def unchanged(text: str) -> str:
    """Return the text: what a store without redaction uses."""
    return text


class Redaction:
    """One way to take secrets out, and how many texts it changed so far."""

    def __init__(self, redact: Redact) -> None:
        self.use(redact)
        self.count = 0

    def use(self, redact: Redact) -> None:
        """Take secrets out in this way from now on."""
        self._redact = redact
        self._rests = redact is unchanged

    def session(self, session: HeldSession) -> HeldSession:
        """Return a session without secrets."""
        return session if self._rests else self._struct(session)

    def messages(self, messages: Sequence[Message]) -> list[Message]:
        """Return messages without secrets."""
        return list(messages) if self._rests else [self._struct(message) for message in messages]

    def fields(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return values of a session's fields without secrets."""
        return dict(fields) if self._rests else {name: self._value(name, value) for name, value in fields.items()}

    def _struct(self, value: _Struct) -> _Struct:
        changes = {}
        for name in value.__struct_fields__:
            before = getattr(value, name)
            after = self._value(name, before)
            if after is not before:
                changes[name] = after
        return msgspec.structs.replace(value, **changes) if changes else value

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, str):
            return value if name in _NO_TEXT else self._text(value)
        if isinstance(value, msgspec.Struct):
            return self._struct(value)
        if isinstance(value, tuple):
            after = tuple([self._value("", one) for one in value])
            return value if all(map(is_, after, value)) else after
        if name == "unknown_in_messages":  # its keys are ids
            return {key: self._opaque(one) for key, one in value.items()}
        return self._opaque(value)

    def _opaque(self, value: Any) -> Any:
        """Return JSON of any shape without secrets, in keys too."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list | tuple):
            return [self._opaque(one) for one in value]
        if isinstance(value, dict):
            return {self._key(key): self._opaque(one) for key, one in value.items()}
        return value

    def _key(self, key: Any) -> Any:
        return self._text(key) if isinstance(key, str) else key

    def _text(self, text: str) -> str:
        if not text:
            return text
        after = self._redact(text)
        if after == text:
            return text
        self.count += 1
        return after
