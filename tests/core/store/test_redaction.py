"""No secret is stored, whatever field it stands in and whichever way it comes in; ids and pictures stay as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from holdfast_core.model.held import HeldSession, Origin, SessionConfig
from holdfast_core.model.message import File, Image, Message, Text, Thinking, Todo, ToolCall, ToolResult
from holdfast_core.model.session import FileTouched
from holdfast_core.sealed.container import Container, Identity
from holdfast_core.sealed.keys import Keys
from holdfast_core.store.places import RECORD_TYPE
from holdfast_core.store.redaction import Redaction, unchanged
from holdfast_core.store.store import Store

from tests.core.store.support import some_id

ONE = some_id(1)
SECRET = "sk-very-secret"


def redact(text: str) -> str:
    return text.replace(SECRET, "[secret]")


def plain(store: Store) -> bytes:
    """Everything that stands in the session's file, decompressed."""
    sealed = Container.open(store.site.places.session(ONE), store.site.keys, Identity(RECORD_TYPE, ONE))
    return b"".join((*sealed.frames(), *sealed.tail()))


def with_secrets() -> HeldSession:
    said = f"use {SECRET} here"
    opaque: dict[str, Any] = {"key": said, said: [said, {"inner": said}], "n": 1, "none": None}
    blocks = (
        Text(said),
        Thinking(said),
        ToolCall("call", said, opaque),
        ToolResult("call", said),
        File(said, text=said),
        Image("image/png", 3, data_base64="AAAA", path=said),
    )
    return HeldSession(
        id=ONE,
        title=said,
        project_path=said,
        config=SessionConfig(agent="alpha", options=opaque),
        messages=(Message("m1", "user", blocks),),
        todos=(Todo(said, "pending", said),),
        context_files=(said,),
        files_accessed=(FileTouched(said, 1, 2),),
        tags=(said,),
        notes=said,
        provider_data=opaque,
        origin=Origin(source_path=said, branch=said, native_id="native"),
        unknown={"later": said},
        unknown_in_messages={"m1": {"later": said}},
    )


def test_no_secret_is_in_a_stored_session_whichever_way_it_came(tmp_path: Path):
    store = Store.open(tmp_path / "sessions", Keys.open(tmp_path / "keys"), redact=redact)
    dirty = with_secrets()

    kept = store.create(dirty)
    assert store.load(ONE) == kept
    store.append(ONE, dirty.messages)
    store.set(ONE, title=dirty.title, config=dirty.config, todos=dirty.todos)
    store.note(ONE, dirty.notes)
    assert SECRET.encode() not in plain(store)
    store.save(dirty)
    store.shut()

    assert b"[secret]" in plain(store)
    assert SECRET.encode() not in plain(store)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert store.site.redaction.count > 40


def test_what_holds_no_secret_is_the_same_object():
    session = HeldSession(id=ONE, messages=(Message("m1", "user", (Text("plain"),)),))

    assert Redaction(redact).session(session) == session
    assert Redaction(redact).messages(session.messages)[0] is session.messages[0]
    assert Redaction(unchanged).session(session) is session


def test_ids_and_pictures_stay():
    hungry = Redaction(lambda text: "x")

    after = hungry.session(with_secrets())

    assert (after.id, after.messages[0].id, after.origin.native_id, after.origin.kind) == (
        ONE,
        "m1",
        "native",
        "created",
    )
    assert msgspec.to_builtins(after.messages[0].blocks[5]) == {
        "kind": "image", "media_type": "image/png", "size_bytes": 3, "data_base64": "AAAA", "path": "x"
    }  # fmt: skip
    assert list(after.unknown_in_messages) == ["m1"]
