"""What the steps share: taking a field of the kind that a version wrote, and keeping what is of another."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

KEPT = "kept"
_LATEST_SECONDS = 253_402_300_799  # the last of the year 9999
_COUNT_LIMIT = 1 << 53


class Fields:
    """One object of a document while a step works on it. ``version`` is the one that the step starts from."""

    def __init__(self, values: dict[str, Any], version: int) -> None:
        self.values = values
        self._version = version

    def take(self, name: str, *kinds: type, default: Any = None) -> Any:
        """Take a field out; one of a kind that the version never wrote is kept and the default returned."""
        if name not in self.values:
            return default
        value = self.values.pop(name)
        if type(value) in kinds:
            return value
        if value is not None:
            self.keep(name, value)
        return default

    def take_moment(self, name: str) -> int | None:
        """Take out a moment that was written in seconds; returns milliseconds."""
        seconds: float | None = self.take(name, int, float)
        if seconds is None:
            return None
        if not math.isfinite(seconds) or not 0 <= seconds <= _LATEST_SECONDS:
            self.keep(name, seconds)
            return None
        return round(seconds * 1000)

    def take_count(self, name: str) -> int:
        """Take out a number of tokens."""
        number = self.take(name, int, default=0)
        if not 0 <= number < _COUNT_LIMIT:
            self.keep(name, number)
            return 0
        return int(number)

    def take_texts(self, name: str) -> list[str]:
        """Take out a list of texts; what is none stands there as its JSON."""
        return [value if type(value) is str else as_text(value) for value in self.take(name, list, default=[])]

    def keep(self, name: str, value: Any) -> None:
        """File a value that has no place in the next version."""
        kept = self.values.get(KEPT)
        if type(kept) is not dict:
            kept = self.values[KEPT] = {} if kept is None else {KEPT: kept}
        key = f"v{self._version}.{name}"
        while key in kept:
            key += "+"
        kept[key] = value

    def make_room(self, names: Iterable[str]) -> None:
        """File what stands under names that get a meaning in the next version only."""
        for name in names:
            if name in self.values:
                self.keep(name, self.values.pop(name))


class Step(NamedTuple):
    """The way from one version to the next. ``session`` and ``message`` work on the objects in place.

    ``new_fields`` and ``new_message_fields`` get their meaning with the next
    version: what stands under such a name before was somebody else's.
    """

    version: int
    session: Callable[[Fields], None]
    message: Callable[[Fields, int], None]
    new_fields: frozenset[str] = frozenset()
    new_message_fields: frozenset[str] = frozenset()

    def apply(self, document: dict[str, Any]) -> dict[str, Any]:
        """Return the document at the next version; the one that is given is used up."""
        fields = Fields(document, self.version)
        messages = [self._object(*one) for one in enumerate(fields.take("messages", list, default=[]), 1)]
        fields.make_room(self.new_fields)
        self.session(fields)
        for index, message in enumerate(messages):
            inner = Fields(message, self.version)
            inner.make_room(self.new_message_fields)
            self.message(inner, index)
        document["messages"] = messages
        document["schema_version"] = self.version + 1
        return document

    def _object(self, number: int, value: Any) -> dict[str, Any]:
        """Return a message; what is none becomes an empty one that keeps it."""
        if type(value) is dict:
            return value
        return {"id": f"v{self.version}-{number}", "role": "system", KEPT: {"message": value}}


def as_text(value: Any) -> str:
    """Return a value as JSON."""
    return json.dumps(value, ensure_ascii=False)
