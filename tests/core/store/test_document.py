"""What is written of a session is what is read of it, odd documents are made good, and nothing is dropped."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from holdfast_core.errors import HoldfastError, Refused, WrongUsage
from holdfast_core.model.held import HeldSession, SessionConfig
from holdfast_core.model.message import Message, Text, Todo, ToolCall
from holdfast_core.model.usage import Usage
from holdfast_core.store.document import FRAME_BYTES, decode, encode, grown, record, settable
from holdfast_core.store.fitting import DocumentError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.store.shapes import json_values, messages, sessions, unknown_names

ID = "0b8f2f4e-94b1-4d0a-9c33-5d6a3c1e7f00"
LIMIT = 1 << 30
A = Message("a", "user", (Text("first"),), 5)
B = Message("b", "assistant", (Text("second"),), 6)


def frames(session: HeldSession) -> list[bytes]:
    return list(encode(session, limit_bytes=LIMIT))


def head(**fields: Any) -> bytes:
    return json.dumps({"schema_version": 4, "id": ID} | fields).encode()


def body(*plain: dict[str, Any]) -> bytes:
    return json.dumps(list(plain)).encode()


def raw(session: HeldSession) -> list[Any]:
    return [json.loads(frame) for frame in frames(session)]


@settings(max_examples=300)
@given(session=sessions)
def test_a_session_comes_back_exactly_as_it_was_written(session: HeldSession):
    found = decode(frames(session))

    assert session == found.session
    assert found.notices == ()


@settings(max_examples=100)
@given(session=sessions)
def test_what_was_read_is_written_again_byte_for_byte(session: HeldSession):
    once = frames(session)

    assert once == frames(decode(once).session)


@settings(max_examples=150)
@given(
    session=sessions,
    top=st.dictionaries(unknown_names, json_values, min_size=1, max_size=2),
    inner=st.dictionaries(st.text(min_size=1).map("x-".__add__), json_values, min_size=1, max_size=2),
)
def test_unknown_fields_are_kept_wherever_they_stand(session: HeldSession, top: dict[str, Any], inner: dict[str, Any]):
    plain = raw(msgspec.structs.replace(session, messages=session.messages * 2))  # each id is there twice
    plain[0] |= top
    plain[0]["config"] |= inner
    for part in plain[1:]:
        for number, message in enumerate(part):
            for place in (message, *message["blocks"]):
                place.update(inner | {"x-place": number})

    again = raw(decode([json.dumps(part).encode() for part in plain]).session)

    assert plain == again


@settings(max_examples=100)
@given(
    session=sessions,
    changes=st.lists(
        st.one_of(
            st.tuples(st.just("append"), st.lists(messages(), min_size=1, max_size=2)),
            st.tuples(st.just("replace"), st.lists(messages(), max_size=2)),
            st.tuples(st.just("set"), st.sampled_from(["one", "two \udc80", ""])),
        ),
        max_size=6,
    ),
)
def test_every_prefix_of_the_tail_gives_the_state_at_that_moment(session: HeldSession, changes: list[Any]):
    now = msgspec.structs.replace(session, unknown_in_messages={})
    tail: list[bytes] = []
    states = [now]
    for number, (kind, what) in enumerate(changes):
        if kind == "set":
            now, fields = settable(now, {"title": what})
            tail.append(record("set", number, fields=fields))
        elif kind == "append":
            now = msgspec.structs.replace(now, messages=(*now.messages, *what))
            tail.append(record("append", number, messages=what))
        else:
            first = len(now.messages) // 2
            now = msgspec.structs.replace(now, messages=(*now.messages[:first], *what))
            tail.append(record("replace", number, messages=what, index=first))
        now = msgspec.structs.replace(now, updated_ms=number)
        states.append(now)
    stored = frames(states[0])

    assert states == [decode(stored, tail[:count]).session for count in range(len(tail) + 1)]


def test_a_session_is_cut_into_frames_of_a_bounded_size():
    many = tuple(Message(str(index), "user", (Text("x" * 1000),)) for index in range(1000))

    written = frames(HeldSession(id=ID, messages=many))

    assert len(written) > 5
    assert max(map(len, written)) < FRAME_BYTES + 5000
    assert many == decode(written).session.messages


def test_a_missing_optional_field_takes_its_default_and_leaves_a_notice():
    found = decode([head(title="x"), body({"id": "a", "role": "user", "blocks": []})])

    assert found.session == HeldSession(id=ID, title="x", messages=(Message("a", "user", ()),))
    assert ("notes", "default") in found.notices
    assert ("messages[0].model", "default") in found.notices
    assert ("title", "default") not in found.notices


@pytest.mark.parametrize(
    ("field", "stored", "read"),
    [
        ("title", 5, "5"),
        ("starred", "true", True),
        ("is_live", 0, False),
        ("created_ms", "2026-01-02T03:04:05.678Z", 1_767_323_045_678),
        ("updated_ms", "17", 17),
        ("updated_ms", 17.9, 17),
        ("closed_ms", "2026-01-02", 1_767_312_000_000),
        ("cost_usd", "1.5", 1.5),
        ("tags", "one", ("one",)),
        ("tags", None, ()),
        ("origin", {"kind": "Forked"}, None),
    ],
)
def test_a_wrong_type_is_coerced_with_a_notice(field: str, stored: Any, read: Any):
    found = decode([head(**{field: stored})])

    if read is not None:
        assert read == getattr(found.session, field)
    assert any(notice.field.startswith(field) and notice.kind == "coerced" for notice in found.notices)


@pytest.mark.parametrize(
    ("field", "stored"),
    [
        ("title", ["x"]),
        ("created_ms", "yesterday"),
        ("created_ms", 10**15),
        ("starred", "perhaps"),
        ("tags", {"a": 1}),
        ("config", "claude"),
        ("provider_data", []),
        ("cost_usd", "dear"),
        ("usage.input_tokens", 1.5),
        ("origin.kind", "stolen"),
    ],
)
def test_what_cannot_be_coerced_is_an_error_that_names_the_field(field: str, stored: Any):
    top, _, inner = field.partition(".")

    with pytest.raises(DocumentError, match=field.replace(".", r"\.")) as caught:
        decode([head(**{top: {inner: stored} if inner else stored})])

    assert caught.value.field == field


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({"role": "user", "blocks": []}, "messages[1].id"),
        ({"id": "b", "role": "user", "blocks": [{"kind": "hologram"}]}, "messages[1].blocks[0]"),
        ({"id": "b", "role": "user", "blocks": [{"kind": "text", "text": []}]}, "messages[1].blocks[0].text"),
        ({"id": "b", "role": "user", "blocks": [], "timestamp_ms": 10**16}, "messages[1].timestamp_ms"),
        ("hello", "messages[1]"),
    ],
)
def test_an_error_in_a_message_names_which_one_and_where(message: Any, field: str):
    good = {"id": "a", "role": "user", "blocks": []}

    with pytest.raises(DocumentError) as caught:
        decode([head(), body(good), body(message)])

    assert caught.value.field == field


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'"\\ud8"'])
def test_what_is_no_document_is_an_error(content: bytes):
    with pytest.raises(HoldfastError):
        decode([content])


def test_a_document_of_a_newer_schema_is_refused():
    with pytest.raises(Refused, match="newer"):
        decode([json.dumps({"schema_version": 5, "id": ID}).encode()])


def test_a_record_of_an_unknown_kind_is_refused():
    with pytest.raises(Refused, match="newer"):
        decode([head()], [b'{"op":"rotate","at":1}'])


def test_writing_over_the_limit_is_refused_before_all_is_encoded():
    large = HeldSession(id=ID, messages=tuple(Message(str(n), "user", (Text("x" * 10_000),)) for n in range(1000)))
    written = []

    with pytest.raises(Refused, match="larger than 1 MB"):
        written.extend(encode(large, limit_bytes=1 << 20))

    assert sum(map(len, written)) <= 1 << 20


def test_a_value_of_a_wrong_type_is_made_good_or_named_when_writing():
    wrong: Any = HeldSession(id=ID, title=5, messages=(Message("a", "user", (Text(7),)),))  # type: ignore[arg-type]  # wrong on purpose
    hopeless: Any = HeldSession(id=ID, tags=7)  # type: ignore[arg-type]  # wrong on purpose

    assert (wrong_read := decode(frames(wrong)).session).title == "5"
    assert wrong_read.messages == (Message("a", "user", (Text("7"),)),)
    with pytest.raises(DocumentError, match="tags"):
        frames(hopeless)


def test_what_json_cannot_hold_is_an_error():
    odd = Message("a", "user", (ToolCall("c", "n", {"x": object()}),))

    with pytest.raises(DocumentError):
        record("append", 1, messages=[odd])
    with pytest.raises(DocumentError):
        frames(HeldSession(id=ID, messages=(odd,)))


def test_fields_are_set_with_what_is_unknown_in_them():
    session = HeldSession(id=ID, todos=(Todo("x"),), unknown={"config": {"new": 1}, "todos": {"0": {"y": 2}}, "z": 3})

    after, fields = settable(session, {"config": SessionConfig(agent="alpha"), "todos": (Todo("other"),)})

    assert fields["config"]["new"] == 1
    assert "y" not in fields["todos"][0]
    assert after == decode(frames(session), [record("set", session.updated_ms, fields=fields)]).session


@pytest.mark.parametrize("name", ["id", "messages", "schema_version", "updated_ms", "unknown", "colour"])
def test_some_fields_cannot_be_set(name: str):
    with pytest.raises(WrongUsage, match=name):
        settable(HeldSession(id=ID), {name: "x"})


def test_a_tail_that_only_grew_is_read_from_where_it_was():
    start = HeldSession(id=ID, title="x")
    tail = [record("append", 7, messages=[A, B]), record("set", 8, fields={"starred": True})]

    after = grown(start, tail)

    assert after == msgspec.structs.replace(start, messages=(A, B), starred=True, updated_ms=8)
    assert grown(start, [*tail, record("replace", 9, messages=[A], index=0)]) is None


def test_usage_stands_in_the_record_that_brings_it():
    spent = msgspec.to_builtins(Usage(1, 2))

    found = decode([head()], [record("append", 3, messages=[A], fields={"usage": spent})])

    assert found.session.usage == Usage(1, 2)
    assert found.tail_messages == 1
