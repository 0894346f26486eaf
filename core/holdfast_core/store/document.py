"""The JSON of a held session: one head, arrays of messages, and records of what changed since.

Frame 0 is an object with every field of `HeldSession` but the messages, under
the model's names; the frames after it are arrays of messages. A record of the
tail is ``{"op": …, "at": ms, "fields": {…}, "messages": […], "index": n}``:
``append`` adds messages, ``replace`` puts them in the place of all from
``index`` on, ``set`` brings nothing but ``fields``, which replace those of the
head; every record may bring fields. ``at`` becomes ``updated_ms``. Times are
milliseconds, UTC; ISO 8601 is understood too. Text that is no Unicode (halves
of characters) is escaped as JSON does. JSON knows no infinity: such numbers
become null.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, get_type_hints

import msgspec

from holdfast_core.errors import Refused, WrongUsage
from holdfast_core.model.held import SCHEMA_VERSION, HeldSession
from holdfast_core.model.message import Message
from holdfast_core.store.fitting import DocumentError, Leftovers, Notice, fit, with_leftovers
from holdfast_core.store.strict import are_sound

FRAME_BYTES = 128 << 10
_NOT_IN_HEAD = ("messages", "unknown", "unknown_in_messages")
_NOT_SETTABLE = frozenset({"id", "schema_version", "updated_ms", *_NOT_IN_HEAD})
_messages = msgspec.json.Decoder(list[Message])


class Document(NamedTuple):
    """A session as it was stored, what was made good in it, and how many messages stood in the tail alone."""

    session: HeldSession
    notices: tuple[Notice, ...]
    schema_version: int
    tail_messages: int


class _Record(msgspec.Struct):
    op: str
    at: int
    fields: dict[str, Any] = {}
    index: int | None = None
    messages: msgspec.Raw = msgspec.Raw(b"[]")


_records = msgspec.json.Decoder(_Record)


def encode(session: HeldSession, *, limit_bytes: int) -> Iterator[bytes]:
    """Yield the frames of a session, validated.

    Raises:
        DocumentError: a field is of a type that cannot be coerced.
        Refused: the session is larger than ``limit_bytes``.
    """
    taken = 0
    for frame in _frames(session):
        taken += len(frame)
        if taken > limit_bytes:
            raise Refused(
                f"This session is larger than {limit_bytes >> 20} MB, the limit for one session.",
                detail=f"{taken} of {limit_bytes} bytes",
            )
        yield frame


def decode(frames: Iterable[bytes], tail: Iterable[bytes] = ()) -> Document:
    """Return the session that frames and tail make.

    A document of an earlier schema is migrated in memory; the file stays.

    Raises:
        DocumentError: a field is missing or of a type that cannot be coerced.
        Refused: a newer version of Holdfast wrote it.
    """
    parts = iter(frames)
    head = _json(next(parts, b"null"), "")
    if not isinstance(head, dict):
        raise DocumentError("", "is no object")
    if head.get("schema_version") != SCHEMA_VERSION:
        return _migrated(head, parts, tail)
    replay = _Replay(head)
    for part in parts:
        replay.add(part)
    for change in tail:
        replay.apply(change)
    return Document(replay.session(), tuple(replay.notices), SCHEMA_VERSION, replay.added)


def grown(head: HeldSession, tail: Iterable[bytes]) -> HeldSession | None:
    """Return ``head``, a session without its messages, after more of its tail; its messages are those that were added.

    None if earlier messages were replaced: then it must be read from the start.

    Raises: see `decode`.
    """
    replay = _Replay(_head_of(head))
    for payload in tail:
        if _change(payload).index is not None:
            return None
        replay.apply(payload)
    return replay.session()


def record(
    op: str, at_ms: int, *, messages: Sequence[Message] = (), fields: Mapping[str, Any] | None = None, index: int = 0
) -> bytes:
    """Return one record for the tail, validated. ``fields`` are those that `settable` gave.

    Raises:
        DocumentError: a message has a field of a type that cannot be coerced.
    """
    change: dict[str, Any] = {"op": op, "at": at_ms}
    if fields:
        change["fields"] = dict(fields)
    if op == "replace":
        change["index"] = index
    if messages:
        change["messages"] = msgspec.Raw(_sound(messages))
    try:
        return msgspec.json.encode(change)
    except UnicodeEncodeError:
        return _escaped(change | ({"messages": _json(_sound(messages), "messages")} if messages else {}))


def settable(session: HeldSession, fields: Mapping[str, Any]) -> tuple[HeldSession, dict[str, Any]]:
    """Return ``session`` with ``fields`` set, and these as they go into a record.

    Raises:
        WrongUsage: a field is unknown, or not to be set.
        DocumentError: a value is of a type that cannot be coerced.
    """
    for name in fields:
        if name in _NOT_SETTABLE or name not in HeldSession.__struct_fields__:
            raise WrongUsage(f"“{name}” of a session cannot be set.")
    plain = {name: _plain(value, name) for name, value in fields.items()}
    fitted, _, _ = fit({"id": session.id, **plain}, _head())
    values = {name: getattr(fitted, name) for name in fields}
    plain = {name: _plain(value, name) for name, value in values.items()}
    unknown = dict(session.unknown)
    for name, value in plain.items():
        rest = unknown.pop(name, None)
        if isinstance(value, dict) and isinstance(rest, dict):  # an item of a list may be another now
            unknown[name] = rest
            with_leftovers(value, rest)
    return msgspec.structs.replace(session, **values, unknown=unknown), plain


def decoded_messages(
    part: bytes | msgspec.Raw, first: int = 0
) -> tuple[list[Message], dict[int, Leftovers], list[Notice]]:
    """Return the messages of one frame or record, what is unknown in them by their places, and notices.

    Raises:
        DocumentError: a message has a field that cannot be understood.
    """
    if are_sound(part):
        return _messages.decode(part), {}, []
    raw = _json(bytes(part), "messages")
    if not isinstance(raw, list):
        raise DocumentError("messages", "is no list")
    messages: list[Message] = []
    unknown: dict[int, Leftovers] = {}
    notices: list[Notice] = []
    for index, one in enumerate(raw, first):
        message, leftovers, found = fit(one, Message, f"messages[{index}]")
        messages.append(message)
        notices += found
        if leftovers:
            unknown[index] = leftovers
    return messages, unknown, notices


class _Replay:
    """A document as it grows from its parts."""

    def __init__(self, head: dict[str, Any]) -> None:
        self.head = head
        self.messages: list[Message] = []
        self.unknown: dict[int, Leftovers] = {}
        self.notices: list[Notice] = []
        self.added = 0

    def add(self, part: bytes | msgspec.Raw) -> int:
        messages, unknown, notices = decoded_messages(part, len(self.messages))
        self.messages += messages
        self.unknown.update(unknown)
        self.notices += notices
        return len(messages)

    def apply(self, payload: bytes) -> None:
        change = _change(payload)
        if change.index is not None:
            del self.messages[change.index :]
            self.unknown = {index: rest for index, rest in self.unknown.items() if index < len(self.messages)}
        self.added += self.add(change.messages)
        self.head.update(change.fields)
        self.head["updated_ms"] = change.at

    def session(self) -> HeldSession:
        head, unknown, notices = fit(self.head, _head())
        self.notices = [*notices, *self.notices]
        values = {name: getattr(head, name) for name in head.__struct_fields__}
        keys = _keys(self.messages) if self.unknown else ()
        in_messages = {key: self.unknown[at] for at, key in keys if at in self.unknown}
        return HeldSession(**values, messages=tuple(self.messages), unknown=unknown, unknown_in_messages=in_messages)


def _change(payload: bytes) -> _Record:
    try:
        change = _records.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        plain = _json(payload, "tail")  # halves of characters
        try:
            messages = msgspec.Raw(_escaped(plain.pop("messages", [])))
            change = msgspec.structs.replace(msgspec.convert(plain, _Record), messages=messages)
        except (msgspec.ValidationError, AttributeError) as error:
            raise DocumentError("tail", "holds a record that is none") from error
    if change.op not in ("append", "set", "replace"):
        raise Refused("A newer version of Holdfast wrote this session. Update Holdfast to open it.", detail=change.op)
    return change


def _migrated(head: dict[str, Any], frames: Iterable[bytes], tail: Iterable[bytes]) -> Document:
    """Return a document of an earlier schema as it is in this one: replayed as plain JSON first."""
    from holdfast_core.store.migrations import migrate, version_of

    raw = dict(head)
    messages: list[Any] = [*raw.pop("messages", ()), *(one for frame in frames for one in _json(frame, "messages"))]
    stored = len(messages)
    for payload in tail:
        change = _change(payload)
        if change.index is not None:
            del messages[change.index :]
        messages += _json(bytes(change.messages), "messages")
        raw.update(change.fields)
    version = version_of(raw)
    present = migrate({**raw, "messages": messages})
    replay = _Replay({name: value for name, value in present.items() if name != "messages"})
    replay.add(_escaped(present.get("messages", [])))
    return Document(replay.session(), tuple(replay.notices), version, max(0, len(messages) - stored))


def _frames(session: HeldSession) -> Iterator[bytes]:
    yield _encoded({**_head_of(session), "schema_version": SCHEMA_VERSION})
    batch: list[Any] = []
    taken = 0
    unknown = session.unknown_in_messages
    rests = [unknown.get(key) for _, key in _keys(session.messages)] if unknown else itertools.repeat(None)
    for message, rest in zip(session.messages, rests, strict=False):
        one = _with_unknown(message, rest)
        batch.append(one)
        taken += len(one)
        if taken >= FRAME_BYTES:
            yield _joined(batch)
            batch, taken = [], 0
    if batch:
        yield _joined(batch)


def _head_of(session: HeldSession) -> dict[str, Any]:
    """Return the head of a session as plain JSON, validated, with what is unknown in it."""
    head, _, _ = fit({name: _plain(getattr(session, name), name) for name in _head().__struct_fields__}, _head())
    plain: dict[str, Any] = with_leftovers(_plain(head, ""), session.unknown)
    return plain


def _keys(messages: Iterable[Message]) -> Iterator[tuple[int, str]]:
    """Yield the places of messages and under which key what is unknown in them stands: ids may be there twice."""
    times: dict[str, int] = {}
    for index, message in enumerate(messages):
        before = times.get(message.id, 0)
        times[message.id] = before + 1
        yield index, f"{message.id}\0{before}" if before else message.id


def _with_unknown(message: Message, rest: Leftovers | None) -> bytes:
    if not rest:
        return _encoded(message)
    return _encoded(with_leftovers(_plain(message, "messages"), rest))


def _joined(encoded: Sequence[bytes]) -> bytes:
    """Return one array of encoded messages; what is not as it should be is made good once, here."""
    part = b"[" + b",".join(encoded) + b"]"
    if are_sound(part):
        return part
    messages, unknown, _ = decoded_messages(part)
    again = (_with_unknown(message, unknown.get(index)) for index, message in enumerate(messages))
    return b"[" + b",".join(again) + b"]"


def _sound(messages: Sequence[Message]) -> bytes:
    return _joined([_encoded(message) for message in messages])


def _encoded(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return _escaped(_plain(value, ""))
    except (TypeError, RecursionError, OverflowError) as error:
        raise DocumentError("", "holds something that cannot be stored") from error


def _escaped(plain: Any) -> bytes:
    return json.dumps(plain, ensure_ascii=True, separators=(",", ":")).encode()


def _plain(value: Any, where: str) -> Any:
    try:
        return msgspec.to_builtins(value, str_keys=True)
    except (TypeError, RecursionError, OverflowError) as error:
        raise DocumentError(where, "holds something that cannot be stored") from error


def _json(content: bytes, where: str) -> Any:
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DocumentError(where, "is no JSON") from error


@cache
def _head() -> type[msgspec.Struct]:
    """Return the type of a head: a held session without its messages."""
    hints = get_type_hints(HeldSession)
    fields: list[Any] = []
    for field in msgspec.structs.fields(HeldSession):
        if field.name in _NOT_IN_HEAD:
            continue
        hint = hints[field.name]
        if field.required:
            fields.append((field.name, hint))
        elif field.default is msgspec.NODEFAULT:
            fields.append((field.name, hint, msgspec.field(default_factory=field.default_factory)))
        else:
            fields.append((field.name, hint, field.default))
    return msgspec.defstruct("Head", fields, frozen=True, kw_only=True)
