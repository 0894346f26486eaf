"""Who is believed to have written a session of jido_code, and how its fields are taken."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from holdfast_core.store.importing import Draft

from tests.core.store.importing.support import (
    DATA,
    HOST,
    SECRET,
    here,
    jason,
    jido_home,
    jido_signed,
    taken,
)

SIGNED = DATA / "jido_code" / ".jido_code" / "sessions" / "550e8400-e29b-41d4-a716-446655440000.json"
SESSION: dict[str, Any] = {
    name: value for name, value in json.loads(SIGNED.read_text("utf-8")).items() if name != "signature"
}


def draft_of(folder: Path, text: str, *, secret: str | None = SECRET, host: str = HOST) -> Draft:
    sessions = jido_home(folder, {"s.json": text}, secret=secret)
    [draft], unread = taken(sessions, here(folder, host_name=host))
    assert unread == []
    return draft


def is_verified(draft: Draft) -> bool:
    told = any(word in " ".join(draft.warnings) for word in ("sign", "Sign"))
    assert told is not draft.session.origin.is_verified
    return draft.session.origin.is_verified


def test_a_session_that_this_machine_signed_is_verified(tmp_path: Path):
    assert is_verified(draft_of(tmp_path, jido_signed(SESSION)))


def test_the_older_salt_is_known(tmp_path: Path):
    assert is_verified(draft_of(tmp_path, jido_signed(SESSION, salt="jido_code_session_v1")))


def test_the_program_knows_a_host_by_its_first_part(tmp_path: Path):
    assert is_verified(draft_of(tmp_path, jido_signed(SESSION), host=f"{HOST}.example.org"))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("gently", "firmly"),
        lambda text: text.replace("\n  ", "\n    "),
        lambda text: text.replace('"signature": "', '"signature": "A', 1),
        lambda text: text.replace('"signature": "', '"signature": 7, "was": "', 1),
        lambda text: text.replace("{\n", '{\n  "signature": "QUFB",\n', 1),
        lambda text: text + " ",
    ],
)
def test_a_session_that_was_changed_is_not_verified(tmp_path: Path, change: Any):
    assert not is_verified(draft_of(tmp_path, change(jido_signed(SESSION))))


def test_every_changed_byte_is_found(tmp_path: Path):
    from holdfast_core.store.importing._source import decode
    from holdfast_core.store.importing.jido_code import JidoCode, Source

    jido_home(tmp_path, {})
    importer = JidoCode(here(tmp_path))
    content = jido_signed({"version": 1, "conversation": [], "project_path": "/p"}).encode()

    def believes(content: bytes) -> bool:
        return importer._verified(Source(tmp_path, content, {"signature": ""}, False))[0]

    assert believes(content) and decode(content)
    assert [place for place in range(len(content)) if believes(_flipped(content, place))] == []


def _flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def test_an_unsigned_session_is_not_verified(tmp_path: Path):
    assert not is_verified(draft_of(tmp_path, jason(SESSION)))


@pytest.mark.parametrize(
    "other", [{"secret": "0" * 64}, {"secret": None}, {"secret": "short"}, {"host": "another-machine"}]
)
def test_what_another_machine_signed_is_not_verified(tmp_path: Path, other: dict[str, Any]):
    assert not is_verified(draft_of(tmp_path, jido_signed(SESSION), **other))


def test_a_secret_that_came_with_the_sessions_proves_nothing(tmp_path: Path):
    sessions = jido_home(tmp_path / "downloads", {"s.json": jido_signed(SESSION)})

    [draft], _ = taken(sessions, here(tmp_path))

    assert not is_verified(draft)


def test_a_newer_version_is_refused(tmp_path: Path):
    sessions = jido_home(tmp_path, {"s.json": jason(SESSION | {"version": 2})})

    assert [one.reason for one in taken(sessions, here(tmp_path))[1]] == ["newer_schema"]


@pytest.mark.parametrize(
    ("field", "value", "wrong"),
    [
        ("id", 7, "is no text"),
        ("project_path", None, "is no text"),
        ("config", [], "is no object"),
        ("conversation", {}, "is no list"),
        ("todos", "none", "is no list"),
        ("version", "1", "is no number"),
    ],
)
def test_a_field_that_is_wrong_is_named(tmp_path: Path, field: str, value: Any, wrong: str):
    sessions = jido_home(tmp_path, {"s.json": jason(SESSION | {field: value})})

    [unread] = taken(sessions, here(tmp_path))[1]

    assert (unread.reason, unread.message) == (
        "wrong_field",
        f"This session is not valid: its field “{field}” {wrong}.",
    )


def test_a_field_that_is_missing_is_named(tmp_path: Path):
    without = {name: value for name, value in SESSION.items() if name != "todos"}
    sessions = jido_home(tmp_path, {"s.json": jason(without)})

    [unread] = taken(sessions, here(tmp_path))[1]

    assert "“todos” is missing" in unread.message


def test_a_project_that_is_here_is_not_missed(tmp_path: Path):
    draft = draft_of(tmp_path, jido_signed(SESSION | {"project_path": str(tmp_path)}))

    assert draft.warnings == ("Its agent cannot be started from here; another can go on with it.",)


def test_the_folder_of_the_program_or_its_sessions_or_one_file_can_be_named(tmp_path: Path):
    shutil.copytree(DATA / "jido_code" / ".jido_code", tmp_path / ".jido_code")
    top = tmp_path / ".jido_code"

    found = [taken(path, here(tmp_path))[0] for path in (top, top / "sessions", top / "sessions" / SIGNED.name)]

    assert [len(drafts) for drafts in found] == [2, 2, 1]
