"""What a checksum of theo-code is over, how packed sessions are unpacked, and what its list is used for."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from holdfast_core.model.message import Text, ToolCall, ToolResult
from holdfast_core.store.importing import Draft, Unread

from tests.core.store.importing.support import DATA, here, taken, theo_file

FOLDER = DATA / "theo_code" / ".theo-code" / "sessions"
PLAIN = FOLDER / "2c9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bee.json"
SESSION: dict[str, Any] = json.loads(PLAIN.read_text("utf-8"))["data"]


def one(folder: Path, text: str | bytes) -> Draft | Unread:
    path = folder / "s.json"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    drafts, unread = taken(path, here(folder))
    [found] = [*drafts, *unread]
    return found


def draft_of(folder: Path, text: str) -> Draft:
    found = one(folder, text)
    assert isinstance(found, Draft)
    told = any("checksum" in warning for warning in found.warnings)
    assert told is not found.session.origin.is_verified
    return found


def reason(folder: Path, text: str) -> str:
    found = one(folder, text)
    assert isinstance(found, Unread)
    return found.reason


def packed(data: bytes, **more: Any) -> str:
    return json.dumps({"version": "1.0.0", "compressed": True, "data": base64.b64encode(data).decode(), **more})


@pytest.mark.parametrize("compressed", [True, False])
def test_a_checksum_that_fits_verifies(tmp_path: Path, compressed: bool):
    assert draft_of(tmp_path, theo_file(SESSION, compressed=compressed)).session.origin.is_verified


def test_a_checksum_over_the_short_form_verifies(tmp_path: Path):
    short = json.dumps(SESSION, ensure_ascii=False, separators=(",", ":"))
    checksum = hashlib.sha256(short.encode()).hexdigest()

    assert draft_of(tmp_path, theo_file(SESSION, compressed=False, checksum=checksum)).session.origin.is_verified


def test_numbers_and_escapes_count_as_they_stand_in_the_file(tmp_path: Path):
    text = theo_file(SESSION | {"created": 1765880000000.5}, compressed=False)
    assert draft_of(tmp_path, text).session.origin.is_verified

    assert not draft_of(tmp_path, text.replace("größer", "gr\\u00f6\\u00dfer")).session.origin.is_verified


def test_a_text_without_compression_is_read(tmp_path: Path):
    inner = json.dumps(SESSION)
    checksum = hashlib.sha256(inner.encode()).hexdigest()
    text = json.dumps({"version": "1.0.0", "compressed": False, "checksum": checksum, "data": inner})

    assert draft_of(tmp_path, text).session.origin.is_verified


def test_a_session_that_was_changed_is_not_verified(tmp_path: Path):
    changed = theo_file(SESSION, compressed=False).replace("Draw the legend", "Drop the legend")

    draft = draft_of(tmp_path, changed)

    assert not draft.session.origin.is_verified
    assert draft.session.title.startswith("Drop the legend")


def test_a_session_without_checksum_is_not_verified(tmp_path: Path):
    assert not draft_of(tmp_path, theo_file(SESSION, compressed=True, checksum=None)).session.origin.is_verified


def test_another_major_version_is_refused(tmp_path: Path):
    text = theo_file(SESSION, compressed=False).replace('"version": "1.0.0"', '"version": "2.0.0"', 1)

    assert reason(tmp_path, text) == "newer_schema"


def test_a_bomb_is_refused(tmp_path: Path):
    assert reason(tmp_path, packed(gzip.compress(b"0" * (300 << 20), 9))) == "too_large"


@pytest.mark.parametrize(
    "data",
    [b"", b"no gzip", gzip.compress(json.dumps(SESSION).encode(), mtime=0)[:-20], gzip.compress(b"[1]", mtime=0)[:-4]],
)
def test_what_cannot_be_unpacked_is_refused(tmp_path: Path, data: bytes):
    assert reason(tmp_path, packed(data)) == "not_json"


def test_a_text_that_is_no_base64_is_refused(tmp_path: Path):
    text = json.dumps({"version": "1.0.0", "compressed": True, "data": "größer"})

    assert reason(tmp_path, text) == "not_json"


@pytest.mark.parametrize(
    ("field", "value"),
    [("id", None), ("model", 4), ("workspaceRoot", ["/"]), ("messages", {})],
)
def test_a_field_that_is_wrong_is_named(tmp_path: Path, field: str, value: Any):
    found = one(tmp_path, theo_file(SESSION | {field: value}, compressed=True))

    assert isinstance(found, Unread)
    assert found.reason == "wrong_field" and f"“{field}”" in found.message


def test_calls_and_results_beside_the_content_are_taken_once(tmp_path: Path):
    message = {
        "id": "1",
        "role": "assistant",
        "content": [{"type": "tool_use", "id": "a", "name": "ls", "input": {}, "hint": "kept"}],
        "timestamp": 1765880003000,
        "toolCalls": [{"id": "a", "name": "ls", "arguments": {}}, {"id": "b", "name": "cat", "arguments": {"p": 1}}, 3],
        "toolResults": [{"toolCallId": "b", "content": "text", "isError": True}, {"no": "content"}],
    }

    draft = draft_of(tmp_path, theo_file(SESSION | {"messages": [message]}, compressed=False))

    assert draft.session.messages[0].blocks == (
        ToolCall("a", "ls", {}),
        ToolCall("b", "cat", {"p": 1}),
        Text("3"),
        ToolResult("b", "text", is_error=True),
        Text('{"no": "content"}'),
    )
    left = draft.session.provider_data["unknown_in_messages"]["1"]
    assert left["content"][0]["hint"] == "kept"


def test_sessions_that_are_listed_and_gone_are_told(tmp_path: Path):
    names = ["a", "b", "c"]
    (tmp_path / "a.json").write_text(theo_file(SESSION, compressed=False))
    (tmp_path / "index.json").write_text(json.dumps({"lastUpdated": 1, "sessions": {name: {} for name in names}}))

    drafts, [unread] = taken(tmp_path, here(tmp_path))

    assert [draft.source for draft in drafts] == ["a.json"]
    assert unread == Unread("index.json", "gone", "2 sessions are listed, but their files are not there.")


def test_a_list_that_is_damaged_costs_nothing(tmp_path: Path):
    (tmp_path / "a.json").write_text(theo_file(SESSION, compressed=False))
    (tmp_path / "index.json").write_text(json.dumps({"lastUpdated": 1, "sessions": [1, 2]}))

    assert [len(found) for found in taken(tmp_path, here(tmp_path))] == [1, 0]
