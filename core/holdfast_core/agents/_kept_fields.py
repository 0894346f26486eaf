"""Fields of a foreign object, taken out one by one; what nobody took is kept as it came."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from holdfast_core.agents._json import shown
from holdfast_core.agents._values import PATH_LIMIT, count, moment_ms, one_line
from holdfast_core.errors import SourceError
from holdfast_core.model.message import Message, Role, Text, Todo
from holdfast_core.model.session import TITLE_LIMIT
from holdfast_core.model.usage import Usage

_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system", "tool": "tool"}
_STATES = ("pending", "in_progress", "completed")
_ID_LIMIT = 512
_KINDS: dict[type, str] = {str: "no text", int: "no number", dict: "no object", list: "no list"}


def wrong_field(name: str, wrong: str) -> SourceError:
    """Return the error for a session whose field is not as the program writes it."""
    return SourceError(f"This session is not valid: its field “{name}” {wrong}.", reason="wrong_field", detail=name)


class Fields:
    """One object of a foreign document; ``left`` is what has not been taken out of it yet.

    Where it may be damaged, ``is_strict`` is False: what must be there and is not is empty then.
    """

    def __init__(self, values: Mapping[str, Any], *, is_strict: bool = True) -> None:
        self.left = dict(values)
        self.is_strict = is_strict

    def must(self, name: str, kind: type) -> Any:
        """Take out a field that the program always writes.

        Raises:
            SourceError: it is missing, or of another type.
        """
        if not self.is_strict:
            return self.may(name, kind, kind())
        if name not in self.left:
            raise wrong_field(name, "is missing")
        value = self.left.pop(name)
        if type(value) is not kind:
            raise wrong_field(name, f"is {_KINDS[kind]}")
        return value

    def may(self, name: str, kind: type, default: Any = None) -> Any:
        """Take out a field if it is there and of its type; one of another type stays in ``left``."""
        return self.left.pop(name) if type(self.left.get(name)) is kind else default

    def path(self, name: str) -> str:
        """Take out a path that must be there."""
        return str(self.must(name, str))[:PATH_LIMIT]

    def moment(self, name: str) -> int | None:
        """Take out a moment in milliseconds; one that makes no sense stays in ``left``."""
        milliseconds = moment_ms(self.left.get(name))
        if milliseconds is not None:
            del self.left[name]
        return milliseconds

    def title(self, name: str) -> str:
        """Take out a title, as one line."""
        return one_line(self.may(name, str, ""), TITLE_LIMIT)

    def native_id(self, name: str) -> str:
        """Take out the program's own id of a session, which must be there."""
        return str(self.must(name, str))[:_ID_LIMIT]

    def texts(self, name: str) -> tuple[str, ...]:
        """Take out a list of texts; anything else in it stands there as its JSON."""
        return tuple(shown(value) for value in self.may(name, list, ()))

    def usage(self, name: str, *, taken: str, given: str) -> Usage | None:
        """Take tokens out of an object that names what went in and what came out; None if it names none."""
        if type(self.left.get(name)) is not dict:
            return None
        rest = dict(self.left.pop(name))
        found = Usage(count(rest.pop(taken, 0)), count(rest.pop(given, 0)))
        if rest:
            self.left[name] = rest
        return found if found.total_tokens else None


class Conversation:
    """Gathers the messages of one session, each under an id of its own.

    ``left`` are the fields that were not taken, by the message's id; ``odd``
    counts what was no message at all, which is shown as it stands there.
    """

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.left: dict[str, dict[str, Any]] = {}
        self.odd = 0
        self._ids: set[str] = set()

    def take(self, values: Sequence[Any], message_of: Callable[[Fields], Message]) -> None:
        """Take in the messages of a session, in their order."""
        for value in values:
            if type(value) is not dict:
                self.odd += 1
                self._add(Message("", "system", (Text(shown(value)),)), {})
                continue
            fields = Fields(value)
            self._add(message_of(fields), fields.left)

    def _add(self, message: Message, left: dict[str, Any]) -> None:
        number = len(self.messages) + 1
        name = message.id or f"m{number}"
        while name in self._ids:
            name += f"-{number}"
        self._ids.add(name)
        self.messages.append(msgspec.structs.replace(message, id=name))
        if left:
            self.left[name] = left

    def title(self) -> str:
        """Return the first thing that a person wrote, as one line."""
        blocks = (block for one in self.messages if one.role == "user" for block in one.blocks)
        return one_line(next((block.text for block in blocks if isinstance(block, Text)), ""), TITLE_LIMIT)


def role_of(fields: Fields) -> Role:
    """Take out the role of a message; one that nobody knows stays in ``left``, the message counts as a system's."""
    name = fields.left.get("role")
    if type(name) is str and name in _ROLES:
        del fields.left["role"]
        return _ROLES[name]
    return "system"


def message_id(fields: Fields) -> str:
    """Take out the id of a message, empty if it has none."""
    return str(fields.may("id", str, ""))[:_ID_LIMIT]


def todos(fields: Fields, name: str) -> tuple[Todo, ...]:
    """Take out a plan, which must be there; one that cannot be told in full stays in ``left`` too."""
    plan = fields.must(name, list)
    steps = tuple(_todo(value) for value in plan)
    if [msgspec.to_builtins(step) for step in steps] != plan:
        fields.left[name] = plan
    return steps


def _todo(value: Any) -> Todo:
    values = value if type(value) is dict else {"content": value}
    status: Any = values.get("status") if values.get("status") in _STATES else "pending"
    return Todo(shown(values.get("content", "")), status, shown(values.get("active_form") or ""))


def provider_data(fields: Fields, conversation: Conversation) -> dict[str, Any]:
    """Return all that has no place in a held session, as it came."""
    kept = {name: value for name, value in fields.left.items() if value is not None}
    if conversation.left:
        kept["unknown_in_messages"] = conversation.left
    return kept


class Kept(NamedTuple):
    """A session as its program kept it, before anything is made of it. ``fields`` holds what was not taken."""

    native_id: str
    title: str
    project_path: str
    created_ms: int | None
    updated_ms: int | None
    provider: str
    model: str
    conversation: Conversation
    usage: Usage
    fields: Fields
    closed_ms: int | None = None
    options: Mapping[str, Any] = {}
    todos: tuple[Todo, ...] = ()
    cost_usd: float | None = None
    context_files: tuple[str, ...] = ()
    files_accessed: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    notes: str = ""
