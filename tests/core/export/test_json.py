from __future__ import annotations

import json as stdlib_json
import re

import msgspec
import pytest
from holdfast_core.errors import SourceError
from holdfast_core.export import document, json
from holdfast_core.model.export import ExportOptions
from holdfast_core.model.message import Image, Message, Text, Thinking, ToolResult
from holdfast_core.model.session import Session
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.export.sessions import MOMENTS, SESSIONS, TEXTS, entry_of, said, session_of


@given(SESSIONS)
def test_a_json_export_gives_the_same_session_back(session: Session):
    text = "".join(json.render(session))

    assert json.parse(text)[0] == session


@given(SESSIONS, TEXTS, st.lists(TEXTS, max_size=3).map(tuple), st.booleans(), TEXTS)
def test_what_the_person_said_comes_back_too(
    session: Session, title: str, tags: tuple[str, ...], starred: bool, note: str
):
    text = "".join(json.render(session, entry=entry_of(session, title=title, tags=tags, starred=starred, note=note)))

    again, annotation = json.parse(text)

    assert again == session
    assert (annotation.tags, annotation.starred, annotation.note) == (tags, starred, note)
    assert (annotation.title or session.facts.title) == title or title == ""


@given(SESSIONS)
def test_the_document_is_json_for_every_reader(session: Session):
    document = stdlib_json.loads("".join(json.render(session)))

    assert (document["schema"], document["schema_version"]) == ("holdfast.session", 1)
    assert len(document["messages"]) == len(session.messages)


@given(MOMENTS)
def test_times_are_exact_to_the_millisecond(milliseconds: int | None):
    iso = document.iso_time(milliseconds)

    assert document.milliseconds(iso) == milliseconds
    assert iso is None or iso.endswith("Z")


@pytest.mark.parametrize("milliseconds", [10**18, -(10**18), 2**63, 253_402_300_800_000])
def test_a_moment_that_no_calendar_has_is_none(milliseconds: int):
    assert document.iso_time(milliseconds) is None


def test_options_leave_blocks_out():
    blocks = (Thinking("t"), Text("x"), ToolResult("c", "out"), Image("image/png", 3, "AAAA"))
    session = session_of(Message("m", "assistant", blocks))

    text = "".join(json.render(session, ExportOptions(thinking=False, tool_output=False, images=False)))

    kept = stdlib_json.loads(text)["messages"][0]["blocks"]
    assert [block["kind"] for block in kept] == ["text", "image"]
    assert kept[1]["data_base64"] == ""


def test_half_a_surrogate_becomes_a_replacement():
    session = session_of(said("a\ud800b"), project_path="/x\udcff")

    document = stdlib_json.loads("".join(json.render(session)))

    assert document["messages"][0]["blocks"][0]["text"] == "a?b"
    assert document["project_path"] == "/x?"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "invalid"),
        ("[]", "not_holdfast_json"),
        ('{"schema": "other"}', "not_holdfast_json"),
        ('{"schema": "holdfast.session", "schema_version": 2}', "newer_schema"),
        ('{"schema": "holdfast.session", "schema_version": 1}', "invalid"),
        ('{"schema": "holdfast.session"}', "invalid"),
        ("[" * 100_000, "invalid"),
        ('{"schema": "holdfast.session", "schema_version": 1, "agent_title": 3}', "invalid"),
    ],
)
def test_what_is_no_export_is_refused_with_a_reason(text: str, reason: str):
    with pytest.raises(SourceError) as raised:
        json.parse(text)

    assert raised.value.reason == reason


@given(SESSIONS, st.data())
@settings(max_examples=50)
def test_a_damaged_export_is_refused_or_read_and_nothing_else(session: Session, data: st.DataObject):
    raw = bytearray("".join(json.render(session)).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))

    try:
        again, _ = json.parse(bytes(raw))
    except SourceError:
        return
    assert isinstance(again, Session)


def test_a_row_has_every_key_that_others_rely_on():
    row = document.entry_document(entry_of(session_of(said("x"))))

    expected = [
        *("id", "agent", "native_id", "title", "preview", "project_path", "branch", "provider", "model"),
        *("created_at", "updated_at", "message_count", "usage", "cost_usd", "tags", "starred", "context_files"),
        *("size_bytes", "state", "parent_id", "source_path"),
    ]
    assert list(row)[: len(expected)] == expected
    assert set(row["usage"]) == {
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "reasoning_tokens",
        "total_tokens",
    }
    assert "key" not in row
    assert msgspec.json.encode(row)


@given(st.text())
def test_nothing_in_json_acts_on_a_terminal(text: str) -> None:
    encoded = json.encode({"text": f"\x9b31m\u202e\x7f{text}"})

    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", encoded)
    assert msgspec.json.decode(encoded) == {"text": f"\x9b31m\u202e\x7f{text}"}
